"""`python -m outreach` is the command line."""

from outreach.main import main

if __name__ == "__main__":
    main()

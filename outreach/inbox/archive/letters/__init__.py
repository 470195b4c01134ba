"""One archived mail, read for people."""

"""Speed against peers in one and the same run: `make bench`, or one of them by `python -m benchmarks.NAME`."""

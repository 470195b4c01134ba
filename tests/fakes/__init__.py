"""Real servers on loopback for the tests: each on a free port, in a folder of its own, and gone afterwards."""

"""Two contacts that are the same person."""

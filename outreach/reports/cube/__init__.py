"""Sums the messages of a span by every dimension."""

"""Dates that are remembered: the life of an occasion and its table."""

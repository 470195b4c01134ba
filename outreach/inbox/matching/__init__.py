"""Which message of ours a received mail speaks of: the look-ups behind match.py."""

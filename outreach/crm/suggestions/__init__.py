"""Suggestions of staff, what became of them and what they brought."""

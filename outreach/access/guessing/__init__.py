"""Guesses at passwords and codes: each costs an attempt before it is checked, each one-time code is used once."""

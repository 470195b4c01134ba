"""Sign-up with double opt-in."""

"""Whose customer it is: rules, history, collisions, hand-overs."""

"""Writes opens and clicks by the thousand."""

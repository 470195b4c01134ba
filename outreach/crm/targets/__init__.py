"""Targets of a quarter, and where people stand against them."""

"""Customers that may be one and the same."""

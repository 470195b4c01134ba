"""Customers that turn out to be one: found, merged, taken apart again."""

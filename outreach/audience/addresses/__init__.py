"""A person's addresses and accounts, changed by hand."""

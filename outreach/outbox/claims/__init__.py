"""Leases of mailboxes and claims of messages."""

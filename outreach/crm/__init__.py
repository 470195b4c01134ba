"""Customers, owners, tasks, follow-ups, calls and service."""

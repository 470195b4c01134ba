"""Contacts that became part of another."""

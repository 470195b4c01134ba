"""Contacts: read from files, cleaned, told apart, chosen by segment."""

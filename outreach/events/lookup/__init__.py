"""Reads the facts that the effects need."""

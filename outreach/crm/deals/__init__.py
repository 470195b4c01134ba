"""Deals on their way from the inquiry to the money."""

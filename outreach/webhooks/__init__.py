"""Webhooks: tells the company's other programs what happened, signed, again and again until they have it."""

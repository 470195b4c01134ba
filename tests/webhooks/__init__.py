"""Webhooks: signed, repeated, and posted to nothing that is not public."""

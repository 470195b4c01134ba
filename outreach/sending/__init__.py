"""Mailboxes hand messages to their servers, at the pace that those bear."""

"""Settles messages in doubt: by copies in the Sent folder, or by a person's word."""

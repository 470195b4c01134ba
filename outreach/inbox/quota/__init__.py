"""How full a mailbox is."""

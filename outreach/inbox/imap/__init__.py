"""The IMAP protocol: the grammar of answers, pure, and a connection that speaks it."""

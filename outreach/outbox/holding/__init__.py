"""What waits for one person: put off, or given to another mailbox."""

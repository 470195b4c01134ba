"""What came back, said once: an event, what follows from it, and both kept in one transaction."""

"""One voice: a customer hears from one colleague at a time."""

"""What a run must know before its first message: what was sent, what refusals taught, what others spend."""

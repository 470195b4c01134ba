"""The transaction that records what became of messages and marks the next ones as handed over."""

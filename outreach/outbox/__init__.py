"""The life of a message row: claimed, handed over, settled."""

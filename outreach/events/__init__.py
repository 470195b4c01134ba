"""What the world told us, append-only, and what follows from it."""

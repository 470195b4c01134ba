"""Work that was not done in time, and who is told of it."""

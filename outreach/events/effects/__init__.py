"""What follows from a happening, one file a kind: pure functions (event, facts) → changes."""

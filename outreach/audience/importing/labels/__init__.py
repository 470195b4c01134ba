"""Tags and interests by name."""

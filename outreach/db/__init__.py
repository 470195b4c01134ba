"""Engine, sessions, the one writer, bulk statements and migrations."""

"""The telephone: whom to call now, what to say, what came of it."""

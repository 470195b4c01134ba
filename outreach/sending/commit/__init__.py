"""Group commit: many outcomes and marks, one durable transaction."""

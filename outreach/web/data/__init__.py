"""Read-only queries of the pages. Changes go through the stage that owns the table."""

"""Who must never be mailed, and why."""

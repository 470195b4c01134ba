"""A person's rights (H4): see everything that is stored, and be forgotten."""

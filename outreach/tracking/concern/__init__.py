"""Reports of violations by customers and other outsiders (H3): in confidence, without an account or a name."""

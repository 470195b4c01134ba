"""The indicators by which the work is judged (G3), and what campaigns cost (G4)."""

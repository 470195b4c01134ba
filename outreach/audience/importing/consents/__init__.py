"""The record of the legal bases that a list states (D1)."""

"""Remembered dates (节日与关怀): who has one soon, asking the owner, and sending what was said yes to."""

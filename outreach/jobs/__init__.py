"""Durable coarse jobs and schedules: a small port over DBOS."""

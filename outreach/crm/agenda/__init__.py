"""What is to be done today, this week, by whom; and as a calendar."""

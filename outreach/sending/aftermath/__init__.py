"""What follows from outcomes: for the mailbox, the campaign and the people."""

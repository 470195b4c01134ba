"""`outreach demo`: a whole campaign on sample data, against a mail server and a mailbox on this machine alone."""

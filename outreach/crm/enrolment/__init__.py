"""Who is in a sequence: the life of an enrolment and its table."""

"""What recipients and their machines do with a mail: signed tokens, public endpoints, people told from machines."""

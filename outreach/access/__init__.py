"""Who may do what: roles, logins and the trail that nobody can quietly change."""

"""Pictures of mails, served to everybody under the name of their content."""

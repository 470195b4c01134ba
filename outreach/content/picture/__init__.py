"""Pictures that mails show: checked and made smaller when they are uploaded, kept under the name of their content."""

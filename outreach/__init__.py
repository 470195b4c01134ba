"""Outreach: e-mail campaigns and CRM outreach, sent from the company's own mailboxes."""

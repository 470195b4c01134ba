"""Which customers of a list that is only looked at may already be there."""

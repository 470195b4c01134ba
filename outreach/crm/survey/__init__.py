"""How content customers are: a page for a signed link, one to five and words."""

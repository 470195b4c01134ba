"""Mail that we wrote ourselves: copies in Sent, and letters that staff wrote by hand."""

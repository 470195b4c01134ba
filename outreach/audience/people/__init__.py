"""Single contacts and pages of them."""

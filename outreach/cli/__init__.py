"""One file a noun; the same services as the web."""

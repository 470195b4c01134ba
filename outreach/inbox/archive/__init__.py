"""All mail in and out, kept once and searchable (D3)."""

"""The staff's pages, the API and the public endpoints."""

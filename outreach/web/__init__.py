"""The staff's pages, the API and the public endpoints."""

from outreach.web.main import create_app

__all__ = ["create_app"]

"""One file a noun: what the staff sees and does."""

from __future__ import annotations

from fastapi import APIRouter

from outreach.web.pages import approvals, campaigns, customers, inbox, login, today


def routers() -> list[APIRouter]:
    """Every router of the staff's pages."""
    return [login.router, today.router, customers.router, campaigns.router, approvals.router, inbox.router]

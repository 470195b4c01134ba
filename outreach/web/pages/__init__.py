"""One file a noun: what the staff sees and does."""

from __future__ import annotations

from fastapi import APIRouter

from outreach.web.pages import (
    account,
    approvals,
    campaigns,
    customers,
    follow_ups,
    inbox,
    login,
    segments,
    settings,
    templates,
    today,
)


def routers() -> list[APIRouter]:
    """Every router of the staff's pages."""
    modules = (login, today, customers, campaigns, approvals, inbox, follow_ups, settings, account, segments, templates)
    return [module.router for module in modules]

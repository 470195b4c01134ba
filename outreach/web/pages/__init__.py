"""One file a noun: what the staff sees and does."""

from __future__ import annotations

from fastapi import APIRouter

from outreach.web.pages import (
    account,
    approvals,
    campaigns,
    configure,
    customers,
    doubt,
    exports,
    follow_ups,
    imports,
    inbox,
    login,
    reports,
    search,
    segments,
    settings,
    setup,
    template_editor,
    template_library,
    templates,
    today,
    webhooks,
    wizard,
)


def routers() -> list[APIRouter]:
    """Every router of the staff's pages."""
    # fixed paths (campaigns/new, contacts/import) stand before those with a name or number in them
    first = (login, setup, today, imports, wizard, exports, search, configure)
    modules = (
        *first,
        customers,
        doubt,
        campaigns,
        approvals,
        inbox,
        follow_ups,
        settings,
        webhooks,
        account,
        segments,
        template_library,
        template_editor,
        templates,
        reports,
    )
    return [module.router for module in modules]

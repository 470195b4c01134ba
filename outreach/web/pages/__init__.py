"""One file a noun: what the staff sees and does."""

from __future__ import annotations

from fastapi import APIRouter

from outreach.web.pages import (
    account,
    approvals,
    calls,
    campaign_content,
    campaigns,
    cards,
    company,
    configure,
    country_rules,
    customers,
    deals,
    doubt,
    exports,
    follow_ups,
    greetings,
    imports,
    inbox,
    lists,
    login,
    orders,
    owners,
    plan,
    quarantine,
    reach,
    regions,
    reports,
    search,
    segments,
    sequences,
    service,
    settings,
    setup,
    targets,
    template_editor,
    template_library,
    template_words,
    templates,
    today,
    undo,
    webhooks,
    wizard,
)


def routers() -> list[APIRouter]:
    """Every router of the staff's pages."""
    # fixed paths (campaigns/new, contacts/import) stand before those with a name or number in them
    first = (login, setup, today, imports, wizard, campaign_content, exports, search, configure, lists, undo)
    modules = (
        *first,
        customers,
        reach,
        doubt,
        company,
        deals,
        orders,
        cards,
        owners,
        regions,
        campaigns,
        approvals,
        sequences,
        greetings,
        inbox,
        follow_ups,
        plan,
        quarantine,
        targets,
        calls,
        service,
        settings,
        country_rules,
        webhooks,
        account,
        segments,
        template_library,
        template_words,
        template_editor,
        templates,
        reports,
    )
    return [module.router for module in modules]

"""A campaign led to an inquiry, a quotation or an order (G4)."""

from __future__ import annotations

from outreach.events.effects.common import activity
from outreach.events.facts import Facts
from outreach.events.kinds import AddConversion, Change, NewEvent


def on_conversion(event: NewEvent, facts: Facts) -> list[Change]:
    """Count it for the campaign and write it into the timeline."""
    data = event.data
    conversion = AddConversion(
        kind=str(data["kind"]),
        at=event.at,
        campaign_id=facts.campaign_id,
        message_id=facts.message_id,
        contact_id=facts.contact_id,
        amount=data.get("amount"),
        currency=data.get("currency"),
        external_id=data.get("external_id"),
    )
    return [conversion, *activity(event, facts, str(data["kind"]), amount=data.get("amount"))]

"""Somebody pressed "this is spam": never again, and the campaign is looked at."""

from __future__ import annotations

from outreach.events.effects.common import activity, mark, never_again
from outreach.events.facts import Facts
from outreach.events.kinds import Change, CreateTask, NewEvent, PauseCampaign
from outreach.model import SuppressionReason
from outreach.model.task_titles import both

#: Mailbox providers warn at 0.1% and block at 0.3% (reliability.md; Google's and Yahoo's sender requirements 2024).
STOP_RATE = 0.003

#: Under a hundred mails there is no rate (ui/README.md, rule 21).
SMALLEST_BASE = 100


def on_complaint(event: NewEvent, facts: Facts) -> list[Change]:
    """Suppress every address of the person for ever; a person of the service looks into it the same day."""
    changes = mark(event, facts, "complained_at")
    changes += never_again(facts, SuppressionReason.COMPLAINED, f"complaint:{event.key}")
    changes += activity(event, facts, str(event.data.get("via") or ""))
    changes.append(
        CreateTask(
            kind="complaint",
            title=f"{both('complaint')}: {facts.who}",
            contact_id=facts.contact_id,
            company_id=facts.company_id,
            owner_id=facts.owner_id,
            inbound_id=event.inbound_id,
        )
    )
    return changes + _harm(facts)


def _harm(facts: Facts) -> list[Change]:
    if facts.campaign_id is None or not facts.campaign_sending or facts.sent < SMALLEST_BASE:
        return []
    stop = (facts.complaints + 1) / facts.sent >= STOP_RATE
    return [PauseCampaign(facts.campaign_id, "complaints")] if stop else []

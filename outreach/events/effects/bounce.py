"""A bounce: a report that mail did not arrive (not a refusal at hand-over, which the outbox settles)."""

from __future__ import annotations

from datetime import datetime, timedelta

from outreach.events.effects.common import activity, correction, mark
from outreach.events.facts import AddressFacts, Facts
from outreach.events.kinds import (
    Change,
    CountSoftBounce,
    CreateTask,
    MarkAddressBounced,
    NewEvent,
    PauseCampaign,
    StopMessages,
    Suppress,
)
from outreach.model import SuppressionReason
from outreach.model.task_titles import both

#: Soft bounces suppress after 3 sends over at least 7 days (reliability.md, "Sending rules").
SOFT_BOUNCES = 3
SOFT_SPAN = timedelta(days=7)

#: Five hard bounces among the last hundred mails pause the campaign (reliability.md: 5%).
HARD_OF_LAST_100 = 5

#: Bounces that speak about us, the wording or the way there, never about the person's mailbox.
NOT_THE_RECIPIENT = frozenset(
    {
        *("authfailure", "badreputation", "blocked", "contenterror", "exceedlimit", "failedstarttls", "mailererror"),
        *("mesgtoobig", "networkerror", "norelaying", "notcompliantrfc", "policyviolation", "rejected", "requireptr"),
        *("securityerror", "spamdetected", "speeding", "syntaxerror", "systemerror", "toomanyconn", "virusdetected"),
    }
)


def on_bounce(event: NewEvent, facts: Facts) -> list[Change]:
    """Hard: suppress at once. Soft: count, suppress after 3 over at least 7 days. Policy: the person is innocent.

    A refusal at the hand-over (``data["at_hand_over"]``) tells as much about the address, but is no bounce of a sent
    mail: the message row says that it failed.
    """
    hard = bool(event.data.get("hard"))
    changes = [] if event.data.get("at_hand_over") else mark(event, facts, "bounced_at", hard)
    changes += activity(event, facts, _text(event), hard=hard, reason=event.data.get("reason"))
    changes += correction(event, facts)
    if facts.address is None:
        return changes
    changes += _hard(event, facts, facts.address) if hard else _soft(event, facts, facts.address)
    return changes + _harm(facts) if hard else changes


def on_delay(event: NewEvent, facts: Facts) -> list[Change]:
    """A delayed mail is still on its way: only the timeline knows."""
    return activity(event, facts, _text(event))


def _text(event: NewEvent) -> str:
    words = (event.data.get("status"), event.data.get("reason"))
    return " ".join(str(word) for word in words if word)


def _hard(event: NewEvent, facts: Facts, address: AddressFacts) -> list[Change]:
    changes: list[Change] = [
        Suppress(address.key, address.address, SuppressionReason.HARD_BOUNCE, f"bounce:{event.key}"),
        MarkAddressBounced(address.normal, event.at),
    ]
    return changes + _unreachable(event, facts, "hard_bounce")


def _unreachable(event: NewEvent, facts: Facts, why: str) -> list[Change]:
    if facts.contact_id is None:
        return []
    changes: list[Change] = [StopMessages(why=why, contact_id=facts.contact_id)]
    if facts.is_known:
        title = f"{both('bounce')}: {facts.who}"
        data = {"reason": event.data.get("reason")}
        changes.append(
            CreateTask(
                "bounce",
                title,
                facts.contact_id,
                facts.company_id,
                facts.owner_id,
                "next_working_day",
                event.inbound_id,
                data,
            )
        )
    return changes


def _soft(event: NewEvent, facts: Facts, address: AddressFacts) -> list[Change]:
    """Sends are counted, not reports: a mail may come back twice (a relay's report, then the server's own)."""
    if event.data.get("reason") in NOT_THE_RECIPIENT or facts.bounced:
        return []
    changes: list[Change] = [CountSoftBounce(address.normal, event.at)]
    if is_worn_out(address, event.at):
        changes.append(Suppress(address.key, address.address, SuppressionReason.SOFT_BOUNCES, f"bounce:{event.key}"))
        changes += _unreachable(event, facts, "soft_bounces")
    return changes


def is_worn_out(address: AddressFacts, at: datetime) -> bool:
    """Whether one more soft bounce at `at` is one too many."""
    first = address.first_soft_bounce_at
    return address.soft_bounces + 1 >= SOFT_BOUNCES and first is not None and at - first >= SOFT_SPAN


def _harm(facts: Facts) -> list[Change]:
    if facts.campaign_id is None or not facts.campaign_sending or facts.recent_hard + 1 < HARD_OF_LAST_100:
        return []
    return [PauseCampaign(facts.campaign_id, "hard_bounces")]

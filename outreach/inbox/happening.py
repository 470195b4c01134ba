"""What a received mail means for the customer: verdict and match → events. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from outreach.events.kinds import EventKind, NewEvent
from outreach.inbox.match import Match
from outreach.inbox.summary import Summary
from outreach.inbox.verdict import Kind, Verdict

#: Characters of a reply that an event carries; the mail itself is archived.
EXCERPT = 500


def events_of(
    verdict: Verdict, summary: Summary, match: Match, key: str, inbound_id: int, now: datetime
) -> list[NewEvent]:
    """Return the events of one mail; none where it changes nothing (forged, unknown sender, other)."""
    if verdict.kind is Kind.OTHER:
        return []
    kind, data = _what(verdict, summary, match)
    if kind is None:
        return []
    at = min(summary.date, now) if summary.date else now
    message_id = match.message.id if match.message else None
    event = NewEvent(
        kind,
        f"{kind.value}:{message_id or match.contact_id or 0}:{key}",
        at,
        message_id=message_id,
        contact_id=match.contact_id,
        inbound_id=inbound_id,
        data=data,
    )
    return [event]


def _what(verdict: Verdict, summary: Summary, match: Match) -> tuple[EventKind | None, dict[str, Any]]:
    known = match.message is not None or match.contact_id is not None
    if verdict.kind in (Kind.BOUNCE, Kind.COMPLAINT) and not match.effective:
        return None, {}
    if verdict.kind is Kind.BOUNCE:
        return (EventKind.DELAY if verdict.delayed else EventKind.BOUNCE), _bounce(verdict, match)
    if verdict.kind is Kind.COMPLAINT and verdict.reason == "auth-failure":
        return None, {}  # a DMARC report (RFC 6591): no person complained
    if verdict.kind is Kind.COMPLAINT:
        return EventKind.COMPLAINT, {"via": "fbl"}
    if verdict.kind is Kind.UNSUBSCRIBE:
        return EventKind.UNSUBSCRIBE, {"via": "reply", **({} if known else {"address": summary.from_address})}
    if not known:
        return None, {}
    if verdict.kind is Kind.AUTOREPLY:
        return EventKind.AUTOREPLY, _absence(verdict)
    return EventKind.REPLY, _reply(verdict, summary, match)


def _bounce(verdict: Verdict, match: Match) -> dict[str, Any]:
    address = match.message.address if match.message else None
    said = (verdict.finding_for(address) if address else None) or verdict  # recipients of one report may differ
    data: dict[str, Any] = {"hard": bool(said.hard), "status": said.status, "reason": said.reason}
    if address is not None:
        data["address"] = address
    return data


def _absence(verdict: Verdict) -> dict[str, Any]:
    until = verdict.return_date.isoformat() if verdict.return_date else None
    return {"until": until, "successor": verdict.successor, "left": verdict.successor is not None and until is None}


def _reply(verdict: Verdict, summary: Summary, match: Match) -> dict[str, Any]:
    text = verdict.reply_text or summary.text
    data: dict[str, Any] = {"text": text[:EXCERPT], "subject": summary.subject[:200]}
    data["intent"] = verdict.intent.value if verdict.intent else None
    if match.certainty == "company":
        data["company_wide"] = True
    return data

"""What a received mail means for the customer: verdict and match → events. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from outreach.events.kinds import EventKind, NewEvent
from outreach.inbox.corrections import correction_of
from outreach.inbox.match import Match
from outreach.inbox.summary import Summary
from outreach.inbox.verdict import Kind, Verdict

#: Characters of a reply that an event carries; the mail itself is archived.
EXCERPT = 500


def events_of(
    verdict: Verdict, summary: Summary, match: Match, key: str, inbound_id: int, now: datetime, *, asks: bool = False
) -> list[NewEvent]:
    """Return the events of one mail; none where it changes nothing (forged, unknown sender, other).

    `asks`: a stranger wants something of us (leads.py), so somebody has to answer even if he could not be registered.
    """
    kind, data = _what(verdict, summary, match, asks)
    if kind is None:
        return []
    at = min(summary.date, now) if summary.date else now
    message_id = match.message.id if match.message else None
    about = NewEvent(
        kind,
        f"{kind.value}:{message_id or match.contact_id or 0}:{key}",
        at,
        message_id=message_id,
        contact_id=match.contact_id,
        inbound_id=inbound_id,
        data=data,
    )
    if kind is not EventKind.UNSUBSCRIBE:
        return [about]
    return _leaving(about, match, f"{kind.value}:writer:{key}")


def _leaving(about: NewEvent, match: Match, key: str) -> list[NewEvent]:
    """Who wrote the wish has it, whomever our mail went to; whom it went to has it only if the mail proves to be his."""
    theirs = [about] if match.sure or not match.by_another else []
    if match.writer is None or (theirs and not match.by_another):
        return theirs or [about]
    data = {"via": "reply", "address": match.writer.address}
    own = replace(about, key=key, message_id=None, contact_id=match.writer.contact_id, data=data)
    return [*theirs, own]


def _what(verdict: Verdict, summary: Summary, match: Match, asks: bool) -> tuple[EventKind | None, dict[str, Any]]:
    known = match.message is not None or match.contact_id is not None
    if verdict.kind is Kind.UNSUBSCRIBE:
        return EventKind.UNSUBSCRIBE, {"via": "reply", **({} if known else {"address": summary.from_address})}
    if asks:
        return EventKind.REPLY, _reply(verdict, summary, match) | {"address": summary.from_address}
    if verdict.kind is Kind.OTHER or not known:
        return None, {}
    if verdict.kind is Kind.BOUNCE:
        return _bounce(verdict, match) if match.effective else (None, {})
    if verdict.kind is Kind.COMPLAINT:
        # a DMARC report (RFC 6591): no person complained
        harmless = verdict.reason == "auth-failure" or not match.effective
        return (None, {}) if harmless else (EventKind.COMPLAINT, {"via": "fbl"})
    if verdict.kind is Kind.AUTOREPLY:
        return _machine(verdict, match)
    return EventKind.REPLY, _reply(verdict, summary, match)


def _bounce(verdict: Verdict, match: Match) -> tuple[EventKind, dict[str, Any]]:
    address = match.message.address if match.message else None
    said = (verdict.finding_for(address) if address else None) or verdict  # recipients of one report may differ
    data: dict[str, Any] = {"hard": bool(said.hard), "status": said.status, "reason": said.reason}
    if address is not None:
        data["address"] = address
    return (EventKind.DELAY if said.delayed else EventKind.BOUNCE), data | _proposed(verdict, match)


def _machine(verdict: Verdict, match: Match) -> tuple[EventKind | None, dict[str, Any]]:
    """A program answered. What a colleague's says is nothing about the person that we wrote to."""
    if match.certainty == "company":
        return None, {}
    if verdict.detector == "challenge":
        return EventKind.CHALLENGE, {}
    until = verdict.return_date.isoformat() if verdict.return_date else None
    return EventKind.AUTOREPLY, {"until": until, "successor": verdict.successor, "left": verdict.left}


def _reply(verdict: Verdict, summary: Summary, match: Match) -> dict[str, Any]:
    text = verdict.reply_text or summary.text
    data: dict[str, Any] = {"text": text[:EXCERPT], "subject": summary.subject[:200]}
    data["intent"] = verdict.intent.value if verdict.intent else None
    if match.certainty == "company":
        data["company_wide"] = True
    if match.by_another and match.writer is not None and match.writer.contact_id is not None:
        data["writer_id"] = match.writer.contact_id
    return data | _proposed(verdict, match)


def _proposed(verdict: Verdict, match: Match) -> dict[str, Any]:
    proposal = correction_of(verdict, match)
    return {"proposal": proposal} if proposal else {}

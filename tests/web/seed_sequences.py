"""A sequence with people at every stage, and a programme of birthdays with two that wait for a word."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.app.sequences.use import completed
from outreach.campaigns import sequence_file
from outreach.campaigns.definition import to_dict

SEQUENCE, PROGRAMME = 91, 92


async def seed_sequences(conn: AsyncConnection, add: Any, now: Any) -> None:
    steps = [
        {"template": "exhibition-invitation", "after_days": 0},
        {
            "template": "exhibition-invitation",
            "after_days": 3,
            "subject": "Shall we send samples?",
            "only_if": "no click",
        },
        {"kind": "call", "title": "电话询问样品是否收到", "note": "两分钟：尺寸、颜色、下次下单时间", "after_days": 2},
        {"template": "exhibition-invitation", "after_days": 5, "where": "grade in (A, B)"},
    ]
    enrol = {"segment": "region = Europe and grade in (A, B)", "on": ["inquiry"], "most_per_day": 50}
    sequence = sequence_file.from_dict(
        {
            "name": "新询盘跟进",
            "goal": "样品订单",
            "owner": "li.na",
            "mailboxes": ["sales"],
            "step": steps,
            "enrol": enrol,
        }
    )
    birthdays = completed(
        sequence_file.from_dict(
            {
                "name": "客户生日问候", "owner": "li.na", "mailboxes": ["sales"], "template": "exhibition-invitation",
                "segment": "basis = customer", "occasion": {"kind": "birthday", "ask": True},
            }
        )
    )  # fmt: skip
    common = {
        "state": "running", "owner_id": 1, "author_id": 1, "budget_amount": None, "budget_currency": None,
        "confirm_needed": False, "pilot_released": True, "archived": False, "created_at": now - timedelta(days=20),
        "submitted_at": now - timedelta(days=19), "approved_at": now - timedelta(days=18),
        "started_at": now - timedelta(days=18),
    }  # fmt: skip
    rows = [
        {
            **common, "id": number, "name": what.name, "goal": what.goal, "kind": what.kind, "segment": what.segment,
            "definition": to_dict(what), "submitted_hash": "e" * 64, "approved_hash": "e" * 64,
        }
        for number, what in ((SEQUENCE, sequence), (PROGRAMME, birthdays))
    ]  # fmt: skip
    await add(conn, "Campaign", rows)
    numbers = [(SEQUENCE, 0), (SEQUENCE, 1), (SEQUENCE, 3), (PROGRAMME, 0)]
    step = {"template_version_id": 1, "after_days": 0, "same_thread": True}
    await add(conn, "CampaignStep", [{**step, "campaign_id": c, "number": n} for c, n in numbers])
    await add(conn, "Enrolment", [_enrolment(n, now) for n in range(4, 28)])
    await add(conn, "Occasion", [_occasion(n, now) for n in (1, 2)])


def _enrolment(contact: int, now: Any) -> dict[str, Any]:
    kinds = (
        {"state": "active", "step": 1, "due_at": now + timedelta(hours=contact * 5), "reason": None},
        {"state": "active", "step": 3, "due_at": None, "reason": None},
        {"state": "waiting", "step": 3, "due_at": now + timedelta(days=6), "reason": None},
        {"state": "paused", "step": 2, "due_at": now, "reason": "by_hand"},
        {"state": "stopped", "step": 1, "due_at": None, "reason": "replied"},
        {"state": "stopped", "step": 1, "due_at": None, "reason": ("unsubscribed", "meeting", "by_hand")[contact % 3]},
        {"state": "finished", "step": None, "due_at": None, "reason": None},
    )
    chosen = kinds[contact % len(kinds)]
    ended = now - timedelta(days=contact % 9) if chosen["state"] in ("stopped", "finished") else None
    return {
        "campaign_id": SEQUENCE, "contact_id": contact, "company_id": None, "mailbox_id": 1, "via": "segment",
        "enrolled_at": now - timedelta(days=10), "ended_at": ended, "notes": {}, **chosen,
    }  # fmt: skip


def _occasion(number: int, now: Any) -> dict[str, Any]:
    day: date = (now + timedelta(days=2 + number)).date()
    return {
        "id": number, "campaign_id": PROGRAMME, "contact_id": number, "kind": "birthday", "name": "birthday", "on": day,
        "key": day.year * 10_000 + day.month * 100 + day.day, "state": "proposed", "created_at": now,
        "due_at": now + timedelta(days=2 + number),
    }  # fmt: skip

"""The seeded company's campaigns: one in each state, its mails sent when it is day where the recipient is."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.audience.regions import time_zone
from outreach.content.template import load_template

#: Everybody whom seed.py makes: the pictures shall not show recipients whom the audience's words leave out.
AUDIENCE = 'source = "法兰克福展 2025"'


def definition(name: str) -> dict[str, Any]:
    """A campaign file as read."""
    return {
        "name": name, "goal": "展位来访", "owner": "li.na", "segment": AUDIENCE,
        "template": "exhibition-invitation", "mailboxes": ["sales"], "budget": {"amount": 3000, "currency": "CNY"},
        "schedule": {"window": "09:00-17:00", "local_time": True, "skip_holidays": True},
    }  # fmt: skip


TEMPLATES = Path(__file__).resolve().parents[2] / "templates"


async def seed_campaigns(
    conn: AsyncConnection, add: Any, now: datetime, rng: random.Random, people: list[dict[str, Any]]
) -> None:
    """One campaign in each state, with its approvals, recipients and mails."""
    source = load_template(TEMPLATES / "exhibition-invitation")
    files = dict(source.files)
    await add(
        conn,
        "TemplateVersion",
        [
            {
                "id": 1,
                "name": "exhibition-invitation",
                "version": 4,
                "sha256": source.digest(),
                "files": files,
                "author_id": 1,
                "created_at": now - timedelta(days=7),
            }
        ],
    )
    base = {"segment": AUDIENCE, "owner_id": 1, "author_id": 1, "goal": "展位来访",
            "budget_amount": 3000.0, "budget_currency": "CNY", "confirm_needed": False, "pilot_released": True, "archived": False}  # fmt: skip
    rows = [
        ("2027 法兰克福照明展邀请", "running", 6),
        ("工矿灯新品 · 询价客户", "pilot", 2),
        ("圣诞致意 · 老客户", "review", 1),
        ("十月价格表", "finished", 30),
        ("春季样册", "draft", 0),
    ]
    campaigns = []
    for n, (name, state, days) in enumerate(rows, 1):
        begun = now - timedelta(days=days)
        later = state in ("running", "pilot", "finished")
        campaigns.append(
            {
                "id": n, "name": name, "state": state, "definition": definition(name) | TRIALS.get(n, {}), "created_at": begun - timedelta(days=3),
                "submitted_at": begun - timedelta(days=2) if state != "draft" else None, "submitted_hash": f"{n}" * 64 if state != "draft" else None,
                "approved_hash": f"{n}" * 64 if later else None, "approved_at": begun - timedelta(hours=6) if later else None,
                "started_at": begun if later else None, "finished_at": now - timedelta(days=28) if state == "finished" else None, **base,
                "pilot_released": state != "pilot", "pilot_until": now + timedelta(hours=20) if state == "pilot" else None,
            }
        )  # fmt: skip
    await add(conn, "Campaign", campaigns)
    await add(
        conn,
        "CampaignStep",
        [
            {"campaign_id": n, "number": 0, "template_version_id": 1, "after_days": 0, "same_thread": True}
            for n in range(1, 6)
        ],
    )
    approvals = []
    for campaign, roles in ((1, 3), (2, 3), (3, 2), (4, 3)):
        for user, role in list(zip((2, 3, 4), ("marketing_lead", "business_lead", "legal"), strict=True))[:roles]:
            approvals.append(
                {
                    "campaign_id": campaign,
                    "role": role,
                    "user_id": user,
                    "decision": "approve",
                    "hash": f"{campaign}" * 64,
                    "at": now - timedelta(days=rows[campaign - 1][2], hours=30 - 6 * user),
                    "comment": None,
                }
            )
    await add(conn, "Approval", approvals)
    recipients, messages = [], []
    for campaign in (1, 2, 3, 4):
        for person in people:
            reason = {0: "frequency", 1: "suppressed"}.get(person["id"] % 17)
            recipients.append(
                {
                    "campaign_id": campaign,
                    "contact_id": person["id"],
                    "address_id": person["id"],
                    "address": person["address"],
                    "mailbox_id": 1,
                    "skip_reason": reason,
                    "is_pilot": person["id"] % 20 == 3,
                }
            )
            if reason is None and campaign != 3:
                messages.append(_message(campaign, person, rng, now))
    await add(conn, "CampaignRecipient", recipients)
    await add(conn, "Message", messages)
    team = {"campaign_id": 2, "hash": "2" * 64, "attempts": 1, "due_at": now, "sent_at": now, "links": {}}
    mails = [("li.na@minxu-lighting.example", "sent"), ("zhao.min@minxu-lighting.example", "in_doubt")]
    await add(
        conn,
        "PilotMail",
        [
            team
            | {"address": address, "state": state, "variant": "price", "message_id": f"t{n}@minxu-lighting.example"}
            for n, (address, state) in enumerate(mails)
        ],
    )


#: Campaign 2 tries two subjects in its pilot.
TRIALS: dict[int, dict[str, Any]] = {
    2: {
        "variant": [
            {"name": "price", "subject": "New LED high bays: the price for 500 pieces"},
            {"name": "saving", "subject": "Save 40 % of the energy in your hall"},
        ],
        "test": {"share": 0.3, "metric": "click", "minimum": 10},
        "pilot": {"share": 0.05, "team": ["li.na@minxu-lighting.example", "zhao.min@minxu-lighting.example"]},
    }
}


def in_window(at: datetime, tz: str, *, back: bool = False) -> datetime:
    """The nearest moment of a working day between 9 and 17 o'clock there, never later than `at` if `back`, else never earlier."""
    local, day = at.astimezone(ZoneInfo(tz)), timedelta(days=-1 if back else 1)
    if local.weekday() < 5 and 9 <= local.hour < 17:
        return at
    if (local.hour < 9) if back else (local.hour >= 17):
        local += day
    while local.weekday() > 4:
        local += day
    # Spread over the window by the minute that it would have been.
    return (local.replace(hour=9, minute=0) + timedelta(minutes=8 * at.minute)).astimezone(UTC)


def _message(campaign: int, person: dict[str, Any], rng: random.Random, now: datetime) -> dict[str, Any]:
    n, share = person["id"], {1: 0.62, 2: 0.2, 4: 1.0}[campaign]
    state = "sent" if rng.random() < share else "queued"
    if campaign == 1 and n in (33, 54, 75):
        state = "in_doubt"
    elif campaign == 1 and n % 29 == 5:
        state = "deferred"
    done = state == "sent"
    tz = time_zone(person["country"], person["city"])
    ago = timedelta(days=29) if campaign == 4 else timedelta(minutes=rng.randrange(1, 1500)) if done else timedelta(0)
    if campaign == 1 and in_window(now, tz) == now:
        ago = timedelta(minutes=ago.total_seconds() // 60 % 40)  # where it is day, mail is leaving just now
    sent = in_window(now - ago, tz, back=campaign != 4) if done else None
    opened = done and rng.random() < 0.3
    return {
        "variant": ("price", "saving")[n % 2] if campaign == 2 else None,
        "uid": f"u{campaign}-{n}", "message_id": f"{campaign}.{n}@minxu-lighting.example", "campaign_id": campaign, "step": 0,
        "contact_id": n, "company_id": n, "address": person["address"], "address_key": person["key"],
        "domain": person["address"].split("@")[1], "mailbox_id": 1 + n % 3, "state": state, "language": person["language"] or "en",
        "is_pilot": n % 20 == 3, "country": person["country"], "tz": tz,
        "due_at": sent or in_window(now + timedelta(hours=n % 18), tz), "attempts": 1 if done else 0, "sent_at": sent, "settled_at": sent,
        "handed_at": sent, "reply_code": 250 if done else None, "reply_text": f"2.0.0 queued as 4cT1x{n}" if done else None,
        "first_open_at": sent and min(sent + timedelta(hours=1), now) if opened else None,
        "first_click_at": sent and min(sent + timedelta(hours=2), now) if opened and rng.random() < 0.4 else None,
        "machine_open_at": sent if done and n % 4 == 0 else None,
        "bounced_at": sent if done and n % 31 == 7 else None, "bounce_hard": True if done and n % 31 == 7 else None,
        "replied_at": sent and min(sent + timedelta(hours=3), now) if done and n in (1, 2, 3, 4, 6, 9, 11) else None,
        "autoreplied_at": sent if done and n % 23 == 1 else None, "unsubscribed_at": sent if done and n == 8 else None,
    }  # fmt: skip

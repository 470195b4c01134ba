"""A small company in the middle of a working day: invented people, companies and mails for page tests and pictures."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Table, insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from outreach.access.login import hash_password
from outreach.access.roles import OPERATOR
from outreach.access.store import append_audit
from outreach.audience.regions import language_of, region_of, time_zone
from outreach.content.template import load_template
from outreach.db.session import Database
from outreach.model.keys import address_key
from tests.web.seed_crm import seed_crm
from tests.web.seed_sequences import seed_sequences

NOW = datetime(2026, 11, 24, 7, 20, tzinfo=UTC)
PASSWORD = "a green bicycle in the rain"
_HASH: list[str] = []

USERS = [
    ("li.na", "李娜", ["marketer"]),
    ("wang.lei", "王磊", ["marketing_lead"]),
    ("chen.jing", "陈静", ["business_lead"]),
    ("zhao.min", "赵敏", ["legal"]),
    ("zhou.yang", "周洋", ["salesperson"]),
    ("sun.qian", "孙倩", ["manager"]),
    ("wu.hao", "吴昊", ["customer_service"]),
    ("ma.jun", "马骏", ["auditor"]),
    ("tang.ke", "唐可", ["technician"]),
    ("admin", "管理员", ["admin"]),
]
PEOPLE = [
    ("Katrin", "Vogel", "Lichtwerk Brandt GmbH", "DE", "Berlin", "lighting", "A"),
    ("Omar", "Haddad", "Al Safa Lumen LLC", "AE", "Dubai", "lighting", "A"),
    ("Rafael", "Prado", "Luzes Aurora Ltda", "BR", "São Paulo", "lighting", "A"),
    ("Marta", "Zielonka", "Świetlny Dom Sp. z o.o.", "PL", "Łódź", "electrical", "B"),
    ("Joost", "van Rijn", "Hafen Licht BV", "NL", "Rotterdam", "signage", "B"),
    ("Eirik", "Haugland", "Nordlys Armatur AS", "NO", "Bergen", "lighting", "A"),
    ("Liis", "Kask", "Valgus OÜ", "EE", "Tartu", "signage", "C"),
    ("Noor", "Bedi", "Maple Signage", "CA", "Toronto", "signage", "B"),
    ("Deniz", "Aksoy", "Işık Yapı A.Ş.", "TR", "Bursa", "construction", "B"),
    ("Thibault", "Delmas", "Éclairage Delmas SARL", "FR", "Lyon", "lighting", "B"),
    ("Giulia", "Marchetti", "Faro Illuminazione Srl", "IT", "Verona", "lighting", "A"),
    ("Ama", "Owusu", "Kwame Bright Ltd", "GH", "Accra", "retail", "C"),
    ("Isla", "Mercer", "Lumen Bay Pty", "AU", "Perth", "lighting", "B"),
    ("Anil", "Kshirsagar", "Vidyut Deep Pvt", "IN", "Pune", "electrical", "B"),
    ("Pim", "Saetang", "Lumina Siam Co.", "TH", "Chiang Mai", "lighting", "B"),
    ("Grace", "Wanjiru", "Nyota Lighting", "KE", "Mombasa", "lighting", "C"),
    ("Camila", "Soto", "Ilumina Andina", "CL", "Valparaíso", "lighting", "C"),
    ("Colin", "Reyes", "Brightlane Supply Inc", "US", "Denver", "electrical", "A"),
    ("結衣", "田辺", "Sakura Denko KK", "JP", "Osaka", "electrical", "B"),
    ("Marcela", "Ibarra", "Luces del Sur SA", "AR", "Rosario", "lighting", "C"),
]
REPLIES = [
    ("price", "Could you quote 2,000 pcs T8 CIF Hamburg, delivery before 5 December?", -10, -2),
    ("sample", "Please send samples of the three floodlights, freight collect. Is the warranty five years?", -6.5, 1.4),
    ("complaint", "6 das 40 caixas chegaram com a carcaça da fonte rachada, fotos em anexo.", -3.6, 4.3),
    ("question", "If we change the 600×600 panels to 4000 K, does the lead time change?", -1.7, 6.3),
]


def t(model: type[SQLModel]) -> Table:
    """A model's table."""
    return model.__table__  # type: ignore[attr-defined, no-any-return]


def name_of(model: str) -> Table:
    """A table by its model's name."""
    import outreach.model as models

    return t(getattr(models, model))


async def add(conn: AsyncConnection, model: str, rows: list[dict[str, Any]]) -> None:
    """Insert rows."""
    if rows:
        await conn.execute(insert(name_of(model)), rows)


def password_hash() -> str:
    """One hash for everybody: argon2 is slow on purpose."""
    if not _HASH:
        _HASH.append(hash_password(PASSWORD))
    return _HASH[0]


async def seed(db: Database, secret: bytes, *, contacts: int = 120) -> None:
    """Fill an empty database."""
    rng = random.Random(7)
    async with db.write() as conn:
        await _users(conn)
        await _mailboxes(conn)
        people = await _people(conn, rng, secret, contacts)
        await _campaigns(conn, rng, secret, people)
        await _inbox(conn, people)
        await _tasks(conn)
        await _lists(conn, secret)
        await seed_crm(conn, NOW, add, name_of)
        await seed_sequences(conn, add, NOW)


async def _users(conn: AsyncConnection) -> None:
    base = {
        "password_hash": password_hash(), "recovery_codes": [], "regions": [], "settings": {}, "language": "zh",
        "timezone": "Asia/Shanghai", "failed_logins": 0, "created_at": NOW - timedelta(days=300),
        "authorised_until": NOW + timedelta(days=200),
    }  # fmt: skip
    rows = [
        {"id": number, "name": name, "display_name": shown, "roles": roles, **base}
        for number, (name, shown, roles) in enumerate(USERS, 1)
    ]
    await add(conn, "User", rows)


async def _mailboxes(conn: AsyncConnection) -> None:
    boxes = [
        ("sales", "active", None),
        ("info", "active", None),
        ("export", "active", None),
        ("zhou.yang", "disabled", None),
    ]
    rows = [
        {
            "id": number, "name": name, "address": f"{name}@minxu-lighting.example", "domain": "minxu-lighting.example",
            "state": state, "paused_reason": reason, "created_at": NOW, "failures": 0, "lease_fence": 0,
            "pace_factor": 1.0, "ceiling": {}, "probe": {}, "owner_id": 5 if name == "zhou.yang" else None,
        }
        for number, (name, state, reason) in enumerate(boxes, 1)
    ]  # fmt: skip
    await add(conn, "Mailbox", rows)
    folders = [
        {
            "id": n,
            "mailbox_id": n,
            "name": "INBOX",
            "uidvalidity": 1,
            "last_uid": 40,
            "read_at": NOW - timedelta(minutes=n),
            "quarantine": {},
        }
        for n in (1, 2, 3)
    ]
    await add(conn, "MailFolder", folders)


async def _people(conn: AsyncConnection, rng: random.Random, secret: bytes, count: int) -> list[dict[str, Any]]:
    companies: list[dict[str, Any]] = []
    contacts: list[dict[str, Any]] = []
    addresses: list[dict[str, Any]] = []
    for n in range(1, count + 1):
        first, last, company, country, city, industry, grade = PEOPLE[(n - 1) % len(PEOPLE)]
        wave = (n - 1) // len(PEOPLE)
        if wave:
            first, company = f"{first}", f"{company} {wave + 1}"
        slug = "".join(c for c in company.lower() if c.isascii() and c.isalnum()) or f"company{n}"
        owner = (5, 5, 6, None)[n % 4] if n != 1 else 5
        created = NOW - timedelta(days=400 - n)
        companies.append(
            {
                "id": n, "name": company, "domain": f"{slug}.example", "country": country, "region": str(region_of(country)),
                "city": city, "industry": industry, "grade": grade, "owner_id": owner, "created_at": created,
                "attributes": {}, "source": "法兰克福展 2025",
            }
        )  # fmt: skip
        contacts.append(
            {
                "id": n, "company_id": n, "first_name": first, "last_name": last, "country": country, "city": city,
                "region": str(region_of(country)), "industry": industry, "grade": grade, "owner_id": owner,
                "language": language_of(country), "source": "法兰克福展 2025", "basis": "customer" if n % 3 else "consent",
                "basis_date": date(2026, 3, 12), "last_order": date(2026, 10, 13) if n % 2 else None,
                "orders_total": 84300.0 if n % 2 else None, "created_at": created, "tracking": True, "attributes": {},
                "last_replied": NOW - timedelta(days=n) if n < 12 else None, "intent": "price" if n % 5 == 1 else None,
            }
        )  # fmt: skip
        address = f"{first.lower() if first.isascii() else 'y'}.{''.join(c for c in last.lower() if c.isascii() and c.isalpha()) or 'tanabe'}@{slug}.example"
        addresses.append(
            {
                "id": n, "contact_id": n, "address": address, "normal": address, "domain": f"{slug}.example",
                "key": address_key(address, secret), "is_primary": True, "mx": "ok", "soft_bounces": 0, "created_at": created,
            }
        )  # fmt: skip
    await add(conn, "Company", companies)
    await add(conn, "Contact", contacts)
    await add(conn, "EmailAddress", addresses)
    tags = [
        ("tag", "frankfurt2025"),
        ("tag", "vip"),
        ("tag", "competitor"),
        ("interest", "high bay"),
        ("interest", "panel"),
    ]
    await add(conn, "Tag", [{"id": n, "kind": kind, "name": name} for n, (kind, name) in enumerate(tags, 1)])
    await add(conn, "ContactTag", [{"tag_id": 1 + n % 5, "contact_id": n} for n in range(1, count + 1)])
    return [c | {"address": a["address"], "key": a["key"]} for c, a in zip(contacts, addresses, strict=True)]


def definition(name: str) -> dict[str, Any]:
    """A campaign file as read."""
    return {
        "name": name, "goal": "booth visits", "owner": "li.na", "segment": "region = Europe",
        "template": "exhibition-invitation", "mailboxes": ["sales"], "budget": {"amount": 3000, "currency": "CNY"},
        "schedule": {"window": "09:00-17:00", "local_time": True, "skip_holidays": True},
    }  # fmt: skip


TEMPLATES = Path(__file__).resolve().parents[2] / "templates"


async def _campaigns(conn: AsyncConnection, rng: random.Random, secret: bytes, people: list[dict[str, Any]]) -> None:
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
                "created_at": NOW - timedelta(days=7),
            }
        ],
    )
    base = {"segment": "region = Europe and not tag = competitor", "owner_id": 1, "author_id": 1, "goal": "booth visits",
            "budget_amount": 3000.0, "budget_currency": "CNY", "confirm_needed": False, "pilot_released": True, "archived": False}  # fmt: skip
    rows = [
        ("2027 法兰克福照明展邀请", "running", 6),
        ("工矿灯新品 · 西语区", "pilot", 2),
        ("圣诞致意 · 欧洲老客户", "review", 1),
        ("十月价格表", "finished", 30),
        ("春季样册", "draft", 0),
    ]
    campaigns = []
    for n, (name, state, days) in enumerate(rows, 1):
        begun = NOW - timedelta(days=days)
        later = state in ("running", "pilot", "finished")
        campaigns.append(
            {
                "id": n, "name": name, "state": state, "definition": definition(name) | TRIALS.get(n, {}), "created_at": begun - timedelta(days=3),
                "submitted_at": begun - timedelta(days=2) if state != "draft" else None, "submitted_hash": f"{n}" * 64 if state != "draft" else None,
                "approved_hash": f"{n}" * 64 if later else None, "approved_at": begun - timedelta(days=1) if later else None,
                "started_at": begun if later else None, "finished_at": NOW - timedelta(days=28) if state == "finished" else None, **base,
                "pilot_released": state != "pilot", "pilot_until": NOW + timedelta(hours=20) if state == "pilot" else None,
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
                    "at": NOW - timedelta(days=8 - user, hours=user),
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
                messages.append(_message(campaign, person, rng))
    await add(conn, "CampaignRecipient", recipients)
    await add(conn, "Message", messages)
    team = {"campaign_id": 2, "hash": "2" * 64, "attempts": 1, "due_at": NOW, "sent_at": NOW, "links": {}}
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
            {"name": "price", "subject": "Nuevas campanas LED: precio por 500 unidades"},
            {"name": "saving", "subject": "Ahorre un 40 % de energía en su nave"},
        ],
        "test": {"share": 0.3, "metric": "click", "minimum": 10},
        "pilot": {"share": 0.05, "team": ["li.na@minxu-lighting.example", "zhao.min@minxu-lighting.example"]},
    }
}


def _message(campaign: int, person: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    n, share = person["id"], {1: 0.62, 2: 0.2, 4: 1.0}[campaign]
    state = "sent" if rng.random() < share else "queued"
    if campaign == 1 and n in (33, 54, 75):
        state = "in_doubt"
    elif campaign == 1 and n % 29 == 5:
        state = "deferred"
    done = state == "sent"
    sent = NOW - (timedelta(days=29) if campaign == 4 else timedelta(minutes=rng.randrange(1, 1500))) if done else None
    opened = done and rng.random() < 0.3
    return {
        "variant": ("price", "saving")[n % 2] if campaign == 2 else None,
        "uid": f"u{campaign}-{n}", "message_id": f"{campaign}.{n}@minxu-lighting.example", "campaign_id": campaign, "step": 0,
        "contact_id": n, "company_id": n, "address": person["address"], "address_key": person["key"],
        "domain": person["address"].split("@")[1], "mailbox_id": 1 + n % 3, "state": state, "language": person["language"] or "en",
        "is_pilot": n % 20 == 3, "country": person["country"], "tz": time_zone(person["country"], person["city"]),
        "due_at": sent or NOW + timedelta(hours=n % 18), "attempts": 1 if done else 0, "sent_at": sent, "settled_at": sent,
        "handed_at": sent, "reply_code": 250 if done else None, "reply_text": f"2.0.0 queued as 4cT1x{n}" if done else None,
        "first_open_at": sent and sent + timedelta(hours=1) if opened else None,
        "first_click_at": sent and sent + timedelta(hours=2) if opened and rng.random() < 0.4 else None,
        "machine_open_at": sent if done and n % 4 == 0 else None,
        "bounced_at": sent if done and n % 31 == 7 else None, "bounce_hard": True if done and n % 31 == 7 else None,
        "replied_at": sent and sent + timedelta(hours=3) if done and n in (1, 2, 3, 4, 6, 9, 11) else None,
        "autoreplied_at": sent if done and n % 23 == 1 else None, "unsubscribed_at": sent if done and n == 8 else None,
    }  # fmt: skip


async def _inbox(conn: AsyncConnection, people: list[dict[str, Any]]) -> None:
    rows, tasks, acts = [], [], []
    for n, (intent, text, came, due) in enumerate(REPLIES, 1):
        person = people[n - 1]
        at = NOW + timedelta(hours=came)
        rows.append(_inbound(n, person, "reply", intent, text, at, None))
        tasks.append(
            {
                "id": n,
                "kind": "reply",
                "title": "Answer the reply",
                "contact_id": n,
                "company_id": n,
                "owner_id": 5,
                "inbound_id": n,
                "state": "open",
                "due_at": NOW + timedelta(hours=due),
                "created_at": at,
                "data": {},
            }
        )
        acts.append({"kind": "reply", "at": at, "contact_id": n, "company_id": n, "text": text, "data": {}})
    more = [
        ("autoreply", None, "Out of office until 30 November."),
        ("bounce", None, ""),
        ("reply", "not_now", "明年第二季度再说"),
        ("unsubscribe", None, "Please remove me"),
    ]
    for n, (kind, intent, text) in enumerate(more, 5):
        at = NOW - timedelta(days=n - 4)
        rows.append(
            _inbound(n, people[n - 1], kind, intent, text, at, at + timedelta(hours=2) if kind == "reply" else None)
        )
    await add(conn, "InboundMail", rows)
    await add(conn, "Task", tasks)
    await add(conn, "Activity", acts)
    await _unreadable(conn)


#: What lies in quarantine: why, and the bytes that are kept (none where the server gave none).
UNREADABLE = (
    (901, "reading took longer than 10 seconds", b"From: a@b.example\r\nSubject: =?utf-8?q?" + b"=41" * 60 + b"?=\r\nX-Odd: \x1b[2J\xe2\x80\xaegpj.exe\r\n\r\n<script>alert(1)</script>\r\n"),
    (902, "larger than 26214400 bytes: only its headers were read", b"From: c@d.example\r\nTo: sales@minxu-lighting.example\r\nSubject: Drawings\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"),
    (903, "the server broke off 3 times at this mail", b""),
)  # fmt: skip


async def _unreadable(conn: AsyncConnection) -> None:
    kept = []
    for n, why, source in UNREADABLE:
        at = NOW - timedelta(hours=n - 900)
        row = {
            "id": n,
            "mailbox_id": 1,
            "folder": "INBOX",
            "uid": n,
            "key": f"q{n}",
            "received_at": at,
            "kind": "other",
        }
        await add(conn, "InboundMail", [row | {"state": "quarantined", "error": why, "recipients": []}])
        if source:
            kept.append(
                {"sha256": f"{n}", "direction": "in", "inbound_id": n, "raw": source, "packed": False, "at": at}
            )
    await add(conn, "ArchivedMail", kept)


def _inbound(
    n: int, person: dict[str, Any], kind: str, intent: str | None, text: str, at: datetime, answered: datetime | None
) -> dict[str, Any]:
    return {
        "id": n, "mailbox_id": 1, "folder": "INBOX", "uid": n, "key": f"k{n}", "rfc_message_id": f"in{n}@x.example",
        "from_address": person["address"], "from_name": f"{person['first_name']} {person['last_name']}",
        "subject": "AW: see the 190 lm/W high bay in Frankfurt", "sent_at": at, "received_at": at, "kind": kind,
        "recipients": [], "reply_text": text, "intent": intent, "contact_id": n, "company_id": n,
        "state": "new" if kind == "reply" and answered is None else "closed", "owner_id": 5, "answered_at": answered,
    }  # fmt: skip


async def _tasks(conn: AsyncConnection) -> None:
    wanted = [
        ("call", "样品 11/20 签收，问光效是否达标", 13), ("call", "报价 Q-2611 已发 5 天", 14), ("mail", "发合同修改稿，法务已改第 7 条", 15),
        ("call", "邮箱满退信 2 次，改打电话核对地址", 16), ("quality", "交货一周：问质量", 11), ("call", "询盘后第二次跟进", 17), ("greeting", "感恩节 11/26 休假，周三前确认订单", 18),
    ]  # fmt: skip
    rows = [
        {
            "id": 10 + n,
            "kind": kind,
            "title": title,
            "contact_id": contact,
            "company_id": contact,
            "owner_id": 5 if n % 2 else 1,
            "state": "open",
            "due_at": NOW + timedelta(hours=n),
            "created_at": NOW - timedelta(days=1),
            "data": {},
        }
        for n, (kind, title, contact) in enumerate(wanted)
    ]
    await add(conn, "Task", rows)


async def _lists(conn: AsyncConnection, secret: bytes) -> None:
    hook = {
        "id": 1,
        "name": "ERP",
        "url": "https://erp.example/hook",
        "secret": "sealed",
        "kinds": [],
        "created_at": NOW,
    }
    await add(conn, "Webhook", [{**hook, "state": "active", "seen_event_id": 0, "created_by": 10}])
    rows = [
        {
            "key": address_key("noor.bedi@maplesignage.example", secret),
            "address": "noor.bedi@maplesignage.example",
            "reason": "unsubscribed",
            "source": "reply",
            "at": NOW - timedelta(days=2),
        },
        {
            "key": "d:rival.example",
            "address": None,
            "reason": "policy",
            "source": "domains.txt",
            "at": NOW - timedelta(days=90),
        },
    ]
    await add(conn, "Suppression", rows)
    await add(
        conn,
        "Segment",
        [
            {
                "id": 1,
                "name": "半年内下单的照明客户",
                "expression": "industry = lighting and last_order < 180 days ago",
                "owner_id": 1,
                "created_at": NOW,
            }
        ],
    )
    for n in range(3):
        await append_audit(conn, OPERATOR, "seeded", "thing", n, now=NOW)

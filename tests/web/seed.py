"""A small company in the middle of a working day: invented people, companies and mails for page tests and pictures."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Table, insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from outreach.access.login import hash_password
from outreach.access.roles import OPERATOR
from outreach.access.store import append_audit
from outreach.audience.regions import language_of, region_of
from outreach.db.session import Database
from outreach.model.keys import address_key
from tests.web.seed_campaigns import seed_campaigns
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
        await seed_campaigns(conn, add, NOW, rng, people)
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
                "id": n, "key": f"d:{slug}.example", "name": company, "domain": f"{slug}.example", "country": country, "region": str(region_of(country)),
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
                "title": f"回复客户 / Answer: {person['first_name']} {person['last_name']}",
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
    await _archived(conn)


#: What lies in quarantine: why, and the bytes that are kept (none where the server gave none).
UNREADABLE = (
    (901, "reading took longer than 10 seconds", b"From: a@b.example\r\nSubject: =?utf-8?q?" + b"=41" * 60 + b"?=\r\nX-Odd: \x1b[2J\xe2\x80\xaegpj.exe\r\n\r\n<script>alert(1)</script>\r\n"),
    (902, "larger than 26214400 bytes: only its headers were read", b"From: c@d.example\r\nTo: sales@minxu-lighting.example\r\nSubject: Drawings\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"),
    (903, "the server broke off 3 times at this mail", b""),
)  # fmt: skip


#: The second mail of the inbox as it came, with an order as PDF whose name plays tricks.
ORDERED = (
    b"From: Anna Vogel <anna@buyer.example>\r\nTo: sales@minxu-lighting.example\r\nSubject: Our order\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n"
    b'<p>See the <a href="https://buyer.example/">order</a>.</p><script>alert(1)</script>\r\n--b\r\n'
    b'Content-Type: text/html; name="../../order 4711.html"\r\nContent-Disposition: attachment\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\nPHNjcmlwdD5hbGVydCgyKTwvc2NyaXB0Pg==\r\n--b--\r\n"
)
#: A mail of a campaign as it left: its links are the recipient's.
LEFT = (
    b"From: sales@minxu-lighting.example\r\nTo: p1@buyer.example\r\nSubject: Frankfurt\r\nContent-Type: text/html\r\n\r\n"
    b'<p>Come. <a href="https://t.example/u/TOKEN">Unsubscribe</a></p>\r\n'
)


async def _archived(conn: AsyncConnection) -> None:
    base = {"packed": False, "at": NOW - timedelta(hours=1)}
    mails = [
        {"id": 77, "sha256": "77", "direction": "in", "inbound_id": 2, "subject": "Our order", "text": "See the order.",
         "words": "our order see the order order 4711 html", "raw": ORDERED},
        {"id": 78, "sha256": "78", "direction": "out", "message_id": 1, "subject": "Frankfurt", "text": "Come.",
         "words": "frankfurt come", "raw": LEFT},
    ]  # fmt: skip
    for mail in mails:
        await add(conn, "ArchivedMail", [base | mail])


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
    kept.append({"sha256": "1", "direction": "in", "inbound_id": 1, "raw": ORIGINAL, "packed": False, "at": NOW})
    await add(conn, "ArchivedMail", kept)


#: The first reply as its client wrote it.
ORIGINAL = (
    b"From: Katrin Vogel <katrin.vogel@lichtwerkbrandtgmbh.example>\r\nSubject: AW: see the 190 lm/W high bay\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    b"<p>Hello,</p><p>Could you quote 2,000 pcs <b>T8</b> CIF Hamburg, delivery before 5 December?</p>"
    b'<p style="color:#1f497d">Katrin Vogel<br><a href="https://lichtwerk.example">lichtwerk.example</a></p>'
    b'<img src="https://lichtwerk.example/logo.png"><blockquote>See the 190 lm/W high bay.</blockquote>\r\n'
)


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
        await append_audit(conn, OPERATOR, "user.added", "user", n + 1, now=NOW)

"""Deals, orders, files, cases, scripts and rules of the seeded company."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

DEALS = [
    ("2,000 支 T8 灯管 CIF 汉堡", 1, "quotation", 84_300.0, "EUR", 16.5, "none"),
    ("三款投光灯样品", 2, "sample", 12_000.0, "USD", 18.0, "none"),
    ("600×600 面板灯 4000K", 4, "inquiry", 31_000.0, "EUR", None, "none"),
    ("Facade lighting, 2nd lot", 5, "order", 46_500.0, "EUR", 21.0, "none"),
    ("Harbour floodlights", 9, "shipped", 118_000.0, "USD", 17.0, "none"),
    ("High bays for the new hall", 12, "inquiry", 9_800.0, "USD", 7.5, "needed"),
    ("Street lamps Accra", 13, "lost", 22_000.0, "USD", 15.0, "none"),
]
PHONES = {1: "+49 30 901820", 2: "+971 4 3377000", 5: "+31 10 4400", 9: "+33 4 72000000", 12: "+233 30 2664000",
          13: "+61 8 94480000", 17: "+56 32 2250000", 18: "+1 303 5550142", 19: "+81 6 62000000"}  # fmt: skip
SCRIPT = (
    "Good morning {{ first_name }} {{ last_name }}, this is {{ me }} of {{ sender }}.\n\n"
    "You asked us about prices for {{ company }}. May I ask three things?\n"
    "1. Which quantity, and for when?\n2. Which certificates do you need in {{ country }}?\n"
    "3. Who decides, and by when?\n\nNext: I send you the quotation today. When may I call you about it?"
)


async def seed_crm(conn: AsyncConnection, now: Any, add: Any, table: Any) -> None:
    """Fill the tables of the customer file."""
    contact = table("Contact")
    for number, phone in PHONES.items():
        attributes = {"whatsapp": phone, "wechat": "vogel_licht"} if number == 1 else {}
        change = update(contact).where(contact.c.id == number).values(phone=phone, attributes=attributes)
        await conn.execute(change)
    deals = [
        {
            "id": n, "company_id": company, "contact_id": company, "title": title, "stage": stage, "amount": amount,
            "currency": currency, "margin": margin, "approval": approval, "owner_id": 5, "created_at": now - timedelta(days=40 - n),
            "stage_at": now - timedelta(days=n), "pending": "quote" if approval == "needed" else None,
            "lost_reason": "价格高 8%" if stage == "lost" else None,
        }
        for n, (title, company, stage, amount, currency, margin, approval) in enumerate(DEALS, 1)
    ]  # fmt: skip
    await add(conn, "Deal", deals)
    orders = [
        {"id": n, "company_id": company, "contact_id": company, "number": f"MX-26-{n:04d}", "ordered_on": day,
         "delivered_on": delivered, "amount": amount, "currency": "USD"}
        for n, (company, day, delivered, amount) in enumerate(
            [(1, date(2026, 3, 12), date(2026, 5, 2), 42_000.0), (1, date(2026, 10, 13), None, 42_300.0),
             (9, date(2026, 6, 1), date(2026, 7, 20), 71_000.0), (5, date(2026, 9, 9), date(2026, 11, 17), 15_800.0)], 1)
    ]  # fmt: skip
    await add(conn, "Order", orders)
    content = b"%PDF-1.4\n% a price list\n"
    digest = hashlib.sha256(content).hexdigest()
    await add(
        conn, "StoredFile", [{"id": 1, "sha256": digest, "size": len(content), "content": content, "created_at": now}]
    )
    await add(conn, "Attachment", [
        {"id": 1, "file_id": 1, "company_id": 3, "name": "price-list.pdf", "media_type": "application/pdf", "at": now},
        {"id": 2, "file_id": 1, "company_id": 1, "name": "Preisliste 2026.pdf", "media_type": "application/pdf", "at": now},
    ])  # fmt: skip
    await _service(conn, now, add)
    acts = [
        ("deal_quotation", "2,000 支 T8 灯管 CIF 汉堡", {"deal_id": 1, "amount": 84300.0, "currency": "EUR"}, 1),
        ("call", "Wants a price before 5 December; freight included", {"outcome": "reached", "channel": "phone"}, 3),
        ("file", "Preisliste 2026.pdf", {"attachment_id": 2}, 4),
        ("meeting", "法兰克福展台洽谈，带走三款样品", {}, 30),
    ]
    await add(conn, "Activity", [
        {"kind": kind, "at": now - timedelta(days=days), "contact_id": 1, "company_id": 1, "user_id": 5, "text": text, "data": data}
        for kind, text, data, days in acts
    ])  # fmt: skip
    await add(conn, "AssignmentRule", [
        {"id": 1, "position": 1, "region": "Europe", "industry": "lighting", "source": None, "owners": [5], "active": True},
        {"id": 2, "position": 2, "region": None, "industry": None, "source": "广交会", "owners": [5, 6], "active": True},
    ])  # fmt: skip
    await add(conn, "OwnerChange", [
        {"company_id": 1, "from_id": None, "to_id": 6, "by_id": None, "reason": "rules", "at": now - timedelta(days=300)},
        {"company_id": 1, "from_id": 6, "to_id": 5, "by_id": 6, "reason": "by hand", "at": now - timedelta(days=90)},
    ])  # fmt: skip
    script = {
        "id": 1,
        "name": "After an inquiry",
        "language": "en",
        "intent": "price",
        "body": SCRIPT,
        "updated_at": now,
    }
    await add(conn, "CallScript", [script])
    targets = [("2026-Q4", 5, "orders", 60_000.0), ("2026-Q4", 5, "quotations", 3.0), ("2026-Q4", 5, "replies_in_time", 95.0),
               ("2026-Q4", 6, "orders", 30_000.0), ("2026-Q4", 7, "replies_in_time", 90.0),
               ("2026-Q3", 5, "orders", 50_000.0), ("2026-Q3", 6, "new_customers", 4.0)]  # fmt: skip
    await add(conn, "Target", [
        {"quarter": quarter, "user_id": user, "kind": kind, "value": value, "set_by": 6} for quarter, user, kind, value in targets
    ])  # fmt: skip


async def _service(conn: AsyncConnection, now: Any, add: Any) -> None:
    cases = [
        ("complaint", "open", 3, "6 das 40 caixas com a carcaça rachada", 3, 4.3),
        ("question", "asked", 4, "4000 K: does the lead time change?", None, 6),
        ("wish", "new", 9, "Catalogue in French, please", None, 30),
        ("complaint", "answered", 5, "Two drivers flicker", None, -20),
        ("question", "closed", 12, "Which customs code?", None, -90),
    ]
    rows = [
        {
            "id": n, "number": f"S-2026-{n:05d}", "kind": kind, "state": state, "company_id": who, "contact_id": who,
            "inbound_id": mail, "owner_id": 7, "subject": subject, "text": subject + (". Fotos em anexo." if n == 1 else ""),
            "deadline": now + timedelta(hours=due), "created_at": now - timedelta(hours=4 + n),
            "department": "product" if state == "asked" else None, "handed_to": 5 if state == "asked" else None,
            "handed_at": now - timedelta(hours=1) if state == "asked" else None,
            "question": "改成 4000 K，交期会变吗？" if state == "asked" else None,
            "answer": "We send two new drivers by air today." if state in ("answered", "closed") else None,
            "answered_at": now - timedelta(days=1) if state in ("answered", "closed") else None,
            "helped": True if state == "closed" else None,
        }
        for n, (kind, state, who, subject, mail, due) in enumerate(cases, 1)
    ]  # fmt: skip
    await add(conn, "Ticket", rows)
    scores = [5, 5, 4, 5, 3, 2, 4, None, None]
    await add(conn, "Survey", [
        {"id": n, "contact_id": 20 + n, "company_id": 20 + n, "language": "en", "asked_at": now - timedelta(days=n), "score": score,
         "answered_at": now - timedelta(days=n - 1) if score else None}
        for n, score in enumerate(scores, 1)
    ])  # fmt: skip
    asked = {
        "id": 10,
        "contact_id": 5,
        "company_id": 5,
        "ticket_id": 4,
        "language": "en",
        "asked_at": now - timedelta(days=1),
    }
    await add(conn, "Survey", [asked])

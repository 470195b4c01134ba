"""A small population with every kind of hole in it, as plain dicts and as rows."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.model import Company, Contact, ContactTag, EmailAddress, Suppression, Tag, User
from outreach.model.keys import address_key, domain_key

SECRET = b"0123456789abcdef0123456789abcdef"
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
COUNTRIES = {"DE": "Europe", "FR": "Europe", "US": "Americas", "AE": "Middle East", "CN": "Asia", None: "Other"}


def population(count: int = 120, seed: int = 7) -> list[dict[str, Any]]:
    """Return people whose every field is sometimes missing."""
    r = random.Random(seed)

    def maybe(value: Any) -> Any:
        return None if r.random() < 0.3 else value

    people = []
    for number in range(1, count + 1):
        country = r.choice(list(COUNTRIES))
        domain = r.choice(["acme.example", "mail.acme.example", "bolt.example", "gmail.com"])
        people.append({
            "id": number, "email": f"p{number}@{domain}", "domain": domain, "country": country,
            "region": COUNTRIES[country], "city": maybe(r.choice(["Berlin", "berlin", "Évian", "上海", "São Paulo", ""])),
            "industry": maybe(r.choice(["Lighting", "signage", "照明"])), "language": maybe(r.choice(["de", "en", "zh"])),
            "grade": maybe(r.choice("ABCD")), "intent": maybe(r.choice(["price", "sample"])),
            "source": r.choice(["fair-2026", "Alibaba", "website"]), "basis": r.choice(["consent", "none", "customer"]),
            "owner": maybe(r.choice(["li.na", "wang.wei"])), "company_owner": maybe("zhao.min"),
            "company": maybe(r.choice(["Acme GmbH", "Bolt & Co", "100%_Real"])),
            "tags": set(r.sample(["vip", "fair", "competitor", "100%", "照明"], r.randint(0, 3))),
            "interests": set(r.sample(["led", "solar"], r.randint(0, 2))),
            "created": NOW - timedelta(days=r.randint(0, 400), hours=r.randint(0, 23)),
            "last_order": maybe(NOW.date() - timedelta(days=r.choice([0, 1, 30, 179, 180, 181, 365, 800]))),
            "orders_total": maybe(r.choice([0.0, 100.0, 1500.5])),
            "last_opened": maybe(NOW - timedelta(days=r.randint(0, 90))),
            "last_replied": maybe(NOW - timedelta(days=r.randint(0, 90), minutes=1)),
            "bounced_at": None if r.random() < 0.7 else NOW - timedelta(days=r.randint(0, 60)),
            "suppressed": r.random() < 0.2, "erased": r.random() < 0.05,
            "attributes": {} if r.random() < 0.3 else {"size": r.choice(["5", "12", "about 30", "-3"]), "Booth No": r.choice(["7", "B 7"])},
        })  # fmt: skip
    for person in people:  # acme.example is blocked as a whole: the subdomain with it
        person["blocked"] = person["suppressed"] or person["domain"].endswith("acme.example")
    return people


async def store(conn: AsyncConnection, people: list[dict[str, Any]]) -> None:
    """Write the people as rows."""
    users = {name: number for number, name in enumerate(("li.na", "wang.wei", "zhao.min"), 1)}
    await conn.execute(insert(User), [{"id": i, "name": name, "created_at": NOW} for name, i in users.items()])
    companies = {key: i for i, key in enumerate(sorted({_firm(p) for p in people if p["company"]}), 1)}
    await conn.execute(insert(Company), [
        {"id": i, "name": name, "owner_id": users.get(owner or ""), "created_at": NOW}
        for (name, owner), i in companies.items()
    ])  # fmt: skip
    await conn.execute(insert(Contact), [_contact(p, users, companies) for p in people])
    await conn.execute(insert(EmailAddress), [
        {"contact_id": p["id"], "address": p["email"], "normal": p["email"], "domain": p["domain"],
         "key": address_key(p["email"], SECRET), "bounced_at": p["bounced_at"], "created_at": NOW} for p in people
    ])  # fmt: skip
    names = sorted(
        {("tag", t) for p in people for t in p["tags"]} | {("interest", t) for p in people for t in p["interests"]}
    )
    await conn.execute(insert(Tag), [{"id": i, "kind": kind, "name": name} for i, (kind, name) in enumerate(names, 1)])
    labels = {pair: i for i, pair in enumerate(names, 1)}
    links = [
        {"contact_id": p["id"], "tag_id": labels[kind, t]}
        for p in people
        for kind, field in (("tag", "tags"), ("interest", "interests"))
        for t in p[field]
    ]
    await conn.execute(insert(ContactTag), links)
    keys = [domain_key("acme.example"), *(address_key(p["email"], SECRET) for p in people if p["suppressed"])]
    await conn.execute(insert(Suppression), [{"key": key, "reason": "manual", "at": NOW} for key in keys])


def _firm(person: dict[str, Any]) -> tuple[str, str]:
    return person["company"], person["company_owner"] or ""


def _contact(p: dict[str, Any], users: dict[str, int], companies: dict[tuple[str, str], int]) -> dict[str, Any]:
    plain = ("id", "country", "region", "city", "industry", "language", "grade", "intent", "source", "basis",
             "last_order", "orders_total", "last_opened", "last_replied", "attributes")  # fmt: skip
    return {name: p[name] for name in plain} | {
        "owner_id": users.get(p["owner"] or ""),
        "company_id": companies[_firm(p)] if p["company"] else None,
        "created_at": p["created"],
        "erased_at": NOW if p["erased"] else None,
    }

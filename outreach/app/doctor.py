"""The connection doctor: tests everything before work (H2), and says what to do about what fails."""

from __future__ import annotations

import asyncio
import time
import urllib.request
from datetime import datetime
from typing import Any

from sqlalchemy import select, text

from outreach.app.build import App
from outreach.app.clock import utc_now
from outreach.app.doctor_words import say
from outreach.app.inbox import InboxHost
from outreach.app.mailbox_room import room_check
from outreach.app.sent_probe import sent_check
from outreach.config import ConfigError, MailboxSettings
from outreach.content.client import reserved
from outreach.content.lint import told
from outreach.db import migrate
from outreach.inbox.client import ImapClient, ImapTrouble, Opened
from outreach.inbox.folders import Folders
from outreach.model import Message
from outreach.model.base import table
from outreach.sending.client import SessionTrouble, probe

MESSAGES = table(Message)
#: A resolver or server that needs longer is told as such; the doctor as a whole ends within a minute.
DNS_SECONDS = 20.0
CONNECT_SECONDS = 20.0

Check = dict[str, Any]


def _check(name: str, ok: bool, detail: str, fix: str = "") -> Check:
    return {"name": name, "ok": ok, "detail": detail, "fix": "" if ok and not fix else fix}


async def examine(app: App, lang: str = "en", *, probe_mailboxes: bool = False) -> list[Check]:
    """Run every test and return its findings; warnings (a resolver that does not answer) are ok with a fix.

    The findings stand in `lang`; what servers said stays as it is. probe_mailboxes: send each mailbox one mail, to see
    whether it files what it sends.
    """
    checks = [await _database(app, lang), await _clock(app, lang), _sender(app, lang), _hold(app, lang)]
    boxes = {box.domain: box for box in reversed(app.settings.mailbox)}
    checks += await asyncio.gather(*(_domain(app, boxes[domain], lang) for domain in sorted(boxes)))
    for box in app.settings.mailbox:
        entered = await _imap(app, box, lang)
        checks += [await _smtp(app, box, lang), entered]
        if box.imap is not None:
            checks.append(_check(*await sent_check(app, box, utc_now(), probe_now=probe_mailboxes, lang=lang)))
        if entered["ok"]:  # else nobody need wait for the same failure again
            checks += await room_check(app, box, lang)
    if not app.settings.mailbox:
        checks.append(_check("mailboxes", False, say("boxes.none", lang), say("boxes.none.fix", lang)))
    checks.append(await _tracking(app, lang))
    return checks


async def examine_mailbox(app: App, box: MailboxSettings, lang: str = "en") -> list[Check]:
    """The tests of one mailbox: its domain, sending, receiving."""
    return list(await asyncio.gather(_domain(app, box, lang), _smtp(app, box, lang), _imap(app, box, lang)))


async def _database(app: App, lang: str) -> Check:
    found, newest = await migrate.revision_of(app.db), migrate.newest()
    kind = "SQLite" if app.db.is_sqlite else "PostgreSQL"
    if found != newest:
        told = say("db.revision", lang, kind=kind, found=found, newest=newest)
        return _check("database", False, told, say("db.revision.fix", lang))
    started = time.perf_counter()
    async with app.db.write() as conn:
        await conn.execute(text("UPDATE instance SET generation = generation WHERE id = 1"))
    took = f"{(time.perf_counter() - started) * 1000:.1f}"
    return _check("database", True, say("db.ok", lang, kind=kind, ms=took))


async def _clock(app: App, lang: str) -> Check:
    """A clock that runs behind what the database has seen would send early or count quotas wrongly."""
    async with app.db.read() as conn:
        last = await conn.scalar(select(MESSAGES.c.handed_at).order_by(MESSAGES.c.handed_at.desc()).limit(1))
    now: datetime = utc_now()
    if last is not None and last > now:
        told = say("clock.back", lang, now=f"{now:%F %T}", last=f"{last:%F %T}")
        return _check("clock", False, told, say("clock.back.fix", lang))
    return _check("clock", True, say("clock.ok", lang, now=f"{now:%F %T}"))


def _sender(app: App, lang: str) -> Check:
    sender = app.settings.sender
    missing = [name for name in ("company", "postal_address") if not getattr(sender, name)]
    if missing:
        told = say("sender.missing", lang, names=", ".join(say(name, lang) for name in missing))
        return _check("sender", False, told, say("sender.missing.fix", lang))
    return _check("sender", True, f"{sender.company}, {sender.postal_address}")


def _hold(app: App, lang: str) -> Check:
    if app.hold:
        return _check("installation", False, say("hold", lang, why=app.hold), say("hold.fix", lang))
    return _check("installation", True, say("hold.ok", lang))


async def _domain(app: App, box: MailboxSettings, lang: str) -> Check:
    """SPF, DKIM, DMARC alignment, MX and the relay's own name: of the domain that a mailbox sends from."""
    name = f"dns {box.domain}"
    if reserved(box.domain):
        return _check(name, True, say("dns.trial", lang))
    try:
        found = told(await asyncio.wait_for(app.outside.domain(box), DNS_SECONDS), lang)
    except TimeoutError:
        return _check(name, True, say("dns.slow", lang), say("dns.slow.fix", lang))
    wrong = [p for p in found if p.severity != "info" and p.code != "dns.silent"]
    words = " ".join(problem.message for problem in found)
    fixes = " ".join(problem.fix for problem in found)
    return _check(name, not wrong, words or say("dns.ok", lang), fixes)


async def _smtp(app: App, box: MailboxSettings, lang: str) -> Check:
    name, where = f"smtp {box.name}", f"{box.smtp.host}:{box.smtp.port}"
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await probe(app.server(box))
    except ConfigError as error:
        return _check(name, False, error.message(lang), say("secret.fix", lang))
    except TimeoutError:
        return _check(name, False, say("smtp.silent", lang, where=where), say("smtp.silent.fix", lang))
    except SessionTrouble as trouble:
        said = say("smtp.refused", lang, where=where, said=trouble)
        return _check(name, False, said, say("smtp.refused.fix", lang))
    return _check(name, True, say("smtp.ok", lang, where=where))


async def _imap(app: App, box: MailboxSettings, lang: str) -> Check:
    name = f"imap {box.name}"
    if box.imap is None:
        return _check(name, True, say("imap.none", lang), say("imap.none.fix", lang))
    host = InboxHost(app, clock=utc_now)
    try:
        client = await ImapClient.connect(host.server(box))
        try:
            opened = await client.examine(box.folders.inbox)
            found = await client.folders()
        finally:
            await client.close()
    except ConfigError as error:
        return _check(name, False, error.message(lang), say("secret.fix", lang))
    except ImapTrouble as trouble:
        return _check(name, False, str(trouble), say("imap.refused.fix", lang))
    return _folders_check(name, box, opened, found, client.can_idle, lang)


def _folders_check(name: str, box: MailboxSettings, opened: Opened, found: Folders, idles: bool, lang: str) -> Check:
    """A missing Sent or Junk is no fault of the login, but doubts stay open and answers in Junk unseen."""
    sent, junk = box.folders.sent or found.sent, box.folders.junk or found.junk
    missing = [
        key
        for key, named in (("sent", sent), ("junk", junk))
        if named is None or (found.every and named not in found.every)
    ]
    none, news = say("not found", lang), say("imap.idle" if idles else "imap.poll", lang)
    told = say(
        "imap.ok", lang, mails=opened.exists, folder=opened.name, sent=sent or none, junk=junk or none, news=news
    )
    fix = say("imap.folder.fix", lang, key=missing[0], names=", ".join(found.every[:12])) if missing else ""
    return _check(name, True, told, fix)


async def _tracking(app: App, lang: str) -> Check:
    base = app.settings.tracking.base_url
    try:
        ok = await asyncio.to_thread(_get, f"{base}/healthz")
    except OSError as error:
        told = say("tracking.away", lang, base=base, said=getattr(error, "reason", error))
        return _check("tracking", False, told, say("tracking.away.fix", lang))
    return _check("tracking", ok, say("tracking.ok", lang, base=base), "" if ok else say("tracking.other.fix", lang))


def _get(url: str) -> bool:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return bool(answer.status == 200)

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

    What is found about a domain's DNS stands in `lang`. probe_mailboxes: send each mailbox one mail, to see whether it
    files what it sends.
    """
    checks = [await _database(app), await _clock(app), _sender(app), _hold(app)]
    boxes = {box.domain: box for box in reversed(app.settings.mailbox)}
    checks += await asyncio.gather(*(_domain(app, boxes[domain], lang) for domain in sorted(boxes)))
    for box in app.settings.mailbox:
        checks += [await _smtp(app, box), await _imap(app, box)]
        if box.imap is not None:
            checks.append(_check(*await sent_check(app, box, utc_now(), probe_now=probe_mailboxes)))
        checks += await room_check(app, box, lang)
    if not app.settings.mailbox:
        checks.append(_check("mailboxes", False, "none is configured", "add a [[mailbox]] block to config.toml"))
    checks.append(await _tracking(app))
    return checks


async def examine_mailbox(app: App, box: MailboxSettings, lang: str = "en") -> list[Check]:
    """The tests of one mailbox: its domain, sending, receiving."""
    return list(await asyncio.gather(_domain(app, box, lang), _smtp(app, box), _imap(app, box)))


async def _database(app: App) -> Check:
    found, newest = await migrate.revision_of(app.db), migrate.newest()
    kind = "SQLite" if app.db.is_sqlite else "PostgreSQL"
    if found != newest:
        return _check("database", False, f"{kind} at revision {found}, needed {newest}", "run  outreach init")
    started = time.perf_counter()
    async with app.db.write() as conn:
        await conn.execute(text("UPDATE instance SET generation = generation WHERE id = 1"))
    return _check("database", True, f"{kind}, a durable write takes {(time.perf_counter() - started) * 1000:.1f} ms")


async def _clock(app: App) -> Check:
    """A clock that runs behind what the database has seen would send early or count quotas wrongly."""
    async with app.db.read() as conn:
        last = await conn.scalar(select(MESSAGES.c.handed_at).order_by(MESSAGES.c.handed_at.desc()).limit(1))
    now: datetime = utc_now()
    if last is not None and last > now:
        return _check("clock", False, f"now {now:%F %T} UTC, a message left at {last:%F %T}", "set the clock (NTP)")
    return _check("clock", True, f"{now:%F %T} UTC")


def _sender(app: App) -> Check:
    sender = app.settings.sender
    missing = [name for name in ("company", "postal_address") if not getattr(sender, name)]
    if missing:
        return _check("sender", False, f"missing: {', '.join(missing)}", "set it under [sender]: the law asks for it")
    return _check("sender", True, f"{sender.company}, {sender.postal_address}")


def _hold(app: App) -> Check:
    if app.hold:
        return _check(
            "installation", False, f"on hold: {app.hold}", "run  outreach confirm-sending  if only this one sends"
        )
    return _check("installation", True, "may send")


async def _domain(app: App, box: MailboxSettings, lang: str) -> Check:
    """SPF, DKIM, DMARC alignment, MX and the relay's own name: of the domain that a mailbox sends from."""
    name = f"dns {box.domain}"
    if reserved(box.domain):
        return _check(name, True, "a domain for trials: not looked up")
    try:
        found = told(await asyncio.wait_for(app.outside.domain(box), DNS_SECONDS), lang)
    except TimeoutError:
        return _check(name, True, "the resolver did not answer in time", "try again when the network works")
    wrong = [p for p in found if p.severity != "info" and p.code != "dns.silent"]
    words = " ".join(problem.message for problem in found)
    fixes = " ".join(problem.fix for problem in found)
    return _check(name, not wrong, words or "SPF, DKIM, DMARC and MX are in order", fixes)


async def _smtp(app: App, box: MailboxSettings) -> Check:
    name, where = f"smtp {box.name}", f"{box.smtp.host}:{box.smtp.port}"
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await probe(app.server(box))
    except ConfigError as error:
        return _check(name, False, str(error), "set the secret that the configuration names")
    except TimeoutError:
        return _check(name, False, f"{where} does not answer", "check host, port and firewall")
    except SessionTrouble as trouble:
        return _check(name, False, f"{where}: {trouble}", "check host, port, tls, user and password (or client code)")
    return _check(name, True, f"{where} accepts us")


async def _imap(app: App, box: MailboxSettings) -> Check:
    name = f"imap {box.name}"
    if box.imap is None:
        return _check(
            name, True, "not configured: replies and bounces of this mailbox are not read", "add imap = { … }"
        )
    host = InboxHost(app, clock=utc_now)
    try:
        client = await ImapClient.connect(host.server(box))
        try:
            opened = await client.examine(box.folders.inbox)
            found = await client.folders()
        finally:
            await client.close()
    except (ImapTrouble, ConfigError) as trouble:
        return _check(name, False, str(trouble), "check host, port, user and password; IMAP may have to be switched on")
    return _folders_check(name, box, opened, found, client.can_idle)


def _folders_check(name: str, box: MailboxSettings, opened: Opened, found: Folders, idles: bool) -> Check:
    """A missing Sent or Junk is no fault of the login, but doubts stay open and answers in Junk unseen."""
    sent, junk = box.folders.sent or found.sent, box.folders.junk or found.junk
    news = "news come at once (IDLE)" if idles else "polled each minute (no IDLE)"
    where = f"Sent: {sent or 'not found'}, junk: {junk or 'not found'}"
    missing = [
        key
        for key, named in (("sent", sent), ("junk", junk))
        if named is None or (found.every and named not in found.every)
    ]
    fix = f'name it: folders = {{ {missing[0]} = "…" }}; there are: {", ".join(found.every[:12])}' if missing else ""
    return _check(name, True, f"{opened.exists} mails in {opened.name}, read only; {where}; {news}", fix)


async def _tracking(app: App) -> Check:
    base = app.settings.tracking.base_url
    try:
        ok = await asyncio.to_thread(_get, f"{base}/healthz")
    except OSError as error:
        return _check(
            "tracking", False, f"{base} cannot be reached: {error}", "start  outreach serve  behind this address"
        )
    return _check("tracking", ok, f"{base} answers", "" if ok else "another program answers there")


def _get(url: str) -> bool:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return bool(answer.status == 200)

"""Who writes and from which mailboxes: the pages write config.toml, and the service takes it over at once."""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import available_timezones

from fastapi import HTTPException
from fastapi.responses import Response
from sqlalchemy import select
from starlette.datastructures import FormData

from outreach.access.roles import Permission
from outreach.access.store import append_audit
from outreach.app import doctor
from outreach.config import ConfigError, MailboxSettings, Settings, presets, write
from outreach.content.client import public, resolve
from outreach.content.hosts import is_loopback
from outreach.web.data.scope import held
from outreach.web.data.tables import MAILBOX, USER
from outreach.web.i18n import N_, in_words
from outreach.web.pages.settings import tabs
from outreach.web.routing import Pages, Staff
from outreach.web.security import local_path

router = Pages()

ADDRESS = re.compile(r"^[^\s@<>\"',;:\\]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$")
NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")
HOST = re.compile(r"^[A-Za-z0-9][A-Za-z0-9.:_-]{0,252}$")
SENDER_KEYS = ("company", "postal_address", "website", "country", "timezone")
LIMIT_KEYS = ("per_minute", "per_hour", "per_day")
TLS = ("implicit", "starttls", "none")
PORTS = {
    "smtp": {"implicit": 465, "starttls": 587, "none": 25},
    "imap": {"implicit": 993, "starttls": 143, "none": 143},
}


class Wrong(Exception):
    """A field of the form is wrong; the text says which and what to do."""


def _file(staff: Staff) -> Any:
    path = staff.app.settings.file
    if path is None:
        raise HTTPException(
            409, staff.say(N_("This service runs without a config.toml: it is configured from outside."))
        )
    return path


async def _adopt(staff: Staff, settings: Settings) -> None:
    """The service works with the new configuration from now on; other processes see the file change."""
    await staff.app.adopt(settings, staff.now)


async def _note(staff: Staff, action: str, kind: str, name: str, before: Any, after: Any) -> None:
    async with staff.app.db.write() as conn:
        await append_audit(conn, staff.actor, action, kind, name, now=staff.now, before=before, after=after)


@router.page("/settings/company", Permission.MAILBOXES_EDIT)
async def company(staff: Staff) -> Response:
    """Who writes: name, postal address, country, time zone."""
    return await _company(staff, {key: getattr(staff.app.settings.sender, key) or "" for key in SENDER_KEYS})


async def _company(staff: Staff, values: dict[str, str], error: str = "", status: int = 200) -> Response:
    zones = sorted(available_timezones())
    return await staff.render(
        "company_form.html",
        status=status,
        values=values,
        error=error,
        zones=zones,
        tabs=tabs(staff),
        guided=_guided(staff),
    )


def _guided(staff: Staff) -> bool:
    return staff.request.query_params.get("guide") == "1"


@router.action("/settings/company", Permission.MAILBOXES_EDIT)
async def save_company(staff: Staff) -> Response:
    """Write [sender]."""
    form = await staff.form()
    path = _file(staff)
    values = {key: str(form.get(key, "")).strip()[:300] for key in SENDER_KEYS}
    try:
        _check_sender(staff, values)
        before = {key: getattr(staff.app.settings.sender, key) for key in SENDER_KEYS}
        settings = write.set_section(path, "sender", {**values, "website": values["website"] or None})
    except (Wrong, ConfigError, OSError) as problem:
        return await _company(staff, values, _told(staff, problem), 422)
    await _adopt(staff, settings)
    await _note(staff, "sender.changed", "settings", "sender", before, values)
    return staff.done(
        local_path(str(form.get("next", "")), "/settings"), N_("Saved: it stands in every mail from now on.")
    )


def _check_sender(staff: Staff, values: dict[str, str]) -> None:
    if not values["company"] or not values["postal_address"]:
        raise Wrong(staff.say(N_("Name and postal address are needed: the law asks for both in every mail.")))
    if values["website"] and not re.match(r"https?://[^\s/]+", values["website"]):
        raise Wrong(staff.say(N_("Begin the website with https://.")))
    if values["timezone"] not in available_timezones() or not re.fullmatch(r"[A-Z]{2}", values["country"]):
        raise Wrong(staff.say(N_("Choose a country and a time zone from the lists.")))


def _told(staff: Staff, problem: Exception) -> str:
    if isinstance(problem, OSError):
        reason = problem.strerror or str(problem)
        return staff.say(
            N_("config.toml cannot be written (%(reason)s): a technician has to change it."), reason=reason
        )
    return in_words(problem, staff.lang)


@router.page("/settings/mailboxes/new", Permission.MAILBOXES_EDIT)
async def new_mailbox(staff: Staff) -> Response:
    """An empty form."""
    return await _mailbox(staff, None, {"tls": "implicit", "provider": "tencent-exmail"})


@router.page("/settings/mailboxes/{mailbox_id:int}", Permission.MAILBOXES_VIEW)
async def mailbox(staff: Staff, mailbox_id: int) -> Response:
    """One mailbox: how it is reached, what it bears, and the doctor's findings."""
    box = await _configured(staff, mailbox_id)
    return await _mailbox(staff, box, _values_of(box), mailbox_id=mailbox_id)


async def _configured(staff: Staff, mailbox_id: int) -> MailboxSettings:
    async with staff.app.db.read() as conn:
        query = select(MAILBOX.c.name, MAILBOX.c.owner_id).where(MAILBOX.c.id == mailbox_id)
        row = (await conn.execute(query)).one_or_none()
    if row is None:
        raise HTTPException(404)
    staff.need(Permission.MAILBOXES_VIEW, await held(staff, row.owner_id))
    boxes: list[MailboxSettings] = staff.app.settings.mailbox
    found = next((box for box in boxes if box.name == row.name), None)
    if found is None:
        raise HTTPException(404)
    return found


def _values_of(box: MailboxSettings) -> dict[str, Any]:
    values: dict[str, Any] = {
        "name": box.name, "address": box.address, "from_name": box.from_name or "", "owner": box.owner or "",
        "provider": box.provider or "generic", "user": box.user or "", "connections": box.connections, "warmup": box.warmup,
        "smtp_host": box.smtp.host, "smtp_port": box.smtp.port, "smtp_tls": box.smtp.tls,
    }  # fmt: skip
    if box.imap:
        values |= {"imap_host": box.imap.host, "imap_port": box.imap.port, "imap_tls": box.imap.tls}
    return values | {key: getattr(box.limits, key) for key in LIMIT_KEYS}


async def _mailbox(
    staff: Staff, box: MailboxSettings | None, values: dict[str, Any], error: str = "", status: int = 200,
    mailbox_id: int | None = None,
) -> Response:  # fmt: skip
    async with staff.app.db.read() as conn:
        users = (await conn.execute(select(USER.c.name, USER.c.display_name).order_by(USER.c.name))).all()
    providers = [(name, known["caption"][staff.lang], known) for name, known in presets().items()]
    return await staff.render(
        "mailbox.html", status=status, box=box, values=values, error=error, users=users, providers=providers,
        mailbox_id=mailbox_id, tabs=tabs(staff), guided=_guided(staff), examine=staff.request.query_params.get("doctor") == "1",
        TLS=TLS, editable=staff.may(Permission.MAILBOXES_EDIT),
    )  # fmt: skip


@router.action("/settings/mailboxes/save", Permission.MAILBOXES_EDIT)
async def save_mailbox(staff: Staff) -> Response:
    """Write a [[mailbox]], keep its password in a file of its own, and let the doctor look at it."""
    form = await staff.form()
    path, was = _file(staff), str(form.get("was", ""))[:80]
    old = next((box for box in staff.app.settings.mailbox if box.name == was), None)
    try:
        values = _mailbox_values(staff, form, old)
        await _refuse_inner_hosts(staff, values, old)
        password = str(form.get("password", ""))[:1000].strip()
        if password:
            kept = write.store_secret(staff.app.settings.data_dir, values["name"], password)
            values["password"] = {"file": str(kept)}
        settings = write.put_mailbox(path, values, was or None)
    except (Wrong, ConfigError, OSError) as problem:
        return await _mailbox(staff, old, dict(form), _told(staff, problem), 422)
    await _adopt(staff, settings)
    shown = {key: value for key, value in values.items() if key != "password"}
    before = old.model_dump(include={"address", "owner", "provider", "smtp", "imap", "user", "limits"}) if old else None
    await _note(staff, "mailbox.configured", "mailbox", values["name"], before, shown)
    number = staff.app.mailbox_ids[values["name"]]
    guided = "&guide=1" if form.get("guide") else ""
    return staff.done(f"/settings/mailboxes/{number}?doctor=1{guided}", N_("Saved. The connection doctor looks at it."))


def _mailbox_values(staff: Staff, form: FormData, old: MailboxSettings | None) -> dict[str, Any]:
    """The keys of a [[mailbox]] from the form. Raises Wrong."""
    given = {key: str(form.get(key, "")).strip()[:300] for key in form if key != "password"}
    address = given.get("address", "")
    if not ADDRESS.match(address):
        raise Wrong(staff.say(N_("The address looks like sales@your-company.com.")))
    name = old.name if old else given.get("name") or address.partition("@")[0]
    if not NAME.match(name):
        raise Wrong(staff.say(N_("The short name is of letters, digits, dots and dashes.")))
    if old is None and any(box.name == name for box in staff.app.settings.mailbox if not _goes(box)):
        raise Wrong(staff.say(N_("There is a mailbox of this short name already: choose another.")))
    provider = given.get("provider", "generic")
    if provider not in presets():
        raise Wrong(staff.say(N_("Choose a provider from the list.")))
    values: dict[str, Any] = {"name": name, "address": address, "provider": provider}
    values |= {"from_name": given.get("from_name") or None, "owner": given.get("owner") or None}
    values["user"] = given.get("user") or (address if form.get("password") or (old and old.password) else None)
    values["smtp"] = _endpoint(staff, given, "smtp", provider)
    values["imap"] = _endpoint(staff, given, "imap", provider)
    values["connections"] = _count(staff, given.get("connections", ""), 1, 100)
    limits = {key: _count(staff, given.get(key, ""), 0, 1_000_000) for key in LIMIT_KEYS}
    kept = {key: value for key, value in limits.items() if value is not None}
    # who says how many a minute means it: the preset's pause between two mails goes with the preset's pace
    values["limits"] = (kept | {"min_gap_seconds": 0} if "per_minute" in kept else kept) or None
    values["warmup"] = True if form.get("warmup") else None
    return values


def _goes(box: MailboxSettings) -> bool:
    """The example's mailbox makes way for the first real one."""
    return box.domain == "example.com"


def _count(staff: Staff, text: str, least: int, most: int) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or not least <= int(text) <= most:
        raise Wrong(staff.say(N_("Limits are whole numbers; empty means what the provider bears, 0 none.")))
    return int(text)


def _endpoint(staff: Staff, given: dict[str, str], kind: str, provider: str) -> dict[str, Any] | None:
    """A server as given; None leaves it to the provider's preset."""
    host, port, tls = (given.get(f"{kind}_{part}", "") for part in ("host", "port", "tls"))
    known = presets()[provider].get(kind)
    if not host:
        if known is None and kind == "smtp":
            raise Wrong(staff.say(N_("Enter the sending server (SMTP): this provider has no preset.")))
        return None
    tls = tls if tls in TLS else "implicit"
    if not HOST.match(host) or (port and not (port.isdecimal() and 0 < int(port) < 65536)):
        raise Wrong(staff.say(N_("A server looks like smtp.your-company.com, a port like 465.")))
    if tls == "none" and not is_loopback(host):
        raise Wrong(staff.say(N_("Without encryption only this very machine can be reached: choose TLS.")))
    wanted = {"host": host, "port": int(port) if port else PORTS[kind][tls], "tls": tls}
    return None if known and dict(known) == wanted else wanted


async def _refuse_inner_hosts(staff: Staff, values: dict[str, Any], old: MailboxSettings | None) -> None:
    """A form must not turn the doctor on the company's own network (SSRF, CVE-2026-33534). Raises Wrong.

    This very machine stays possible, for trials; and so does what config.toml names already: its writer may have a mail
    server of the company's own. A name that nobody answers for is left to the doctor.
    """
    for kind in ("smtp", "imap"):
        given, known = values[kind], getattr(old, kind, None)
        if given is None or is_loopback(given["host"]) or (known and known.host == given["host"]):
            continue
        try:
            addresses = await resolve(given["host"], given["port"], staff.app.outside.resolver)
        except OSError:
            continue
        inner = next((address for address in addresses if not public(address)), None)
        if inner is not None:
            raise Wrong(staff.say(N_("%(host)s has an inner address (%(address)s). Such a server is entered in config.toml, by who runs this machine."), host=given["host"], address=inner))  # fmt: skip


@router.page("/settings/mailboxes/{mailbox_id:int}/doctor", Permission.MAILBOXES_VIEW)
async def examine(staff: Staff, mailbox_id: int) -> Response:
    """The doctor's look at one mailbox; it takes seconds, so it loads by itself."""
    box = await _configured(staff, mailbox_id)
    checks = await doctor.examine_mailbox(staff.app, box, staff.lang)
    return await staff.render("part_doctor.html", checks=checks)


@router.action("/settings/mailboxes/remove", Permission.MAILBOXES_EDIT)
async def remove_mailbox(staff: Staff) -> Response:
    """Take a mailbox out of the configuration; its history stays."""
    name = str((await staff.form()).get("name", ""))[:80]
    path = _file(staff)
    if all(box.name != name for box in staff.app.settings.mailbox):
        raise HTTPException(404)
    try:
        settings = write.remove_mailbox(path, name)
    except (ConfigError, OSError) as problem:
        raise HTTPException(409, _told(staff, problem)) from problem
    await _adopt(staff, settings)
    await _note(staff, "mailbox.removed", "mailbox", name, {"name": name}, None)
    return staff.done("/settings/mailboxes", N_("Removed. It sends and reads nothing any more; its history stays."))

"""An archived mail: who wrote to whom, the text, and the files that hang on it, to be saved and never shown."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import HTTPException
from fastapi.responses import Response

from outreach.access.roles import Permission
from outreach.access.store import append_audit
from outreach.inbox.archive.letters import store as letters
from outreach.web import mail as mails
from outreach.web.data import archive as data
from outreach.web.data.people import full_name
from outreach.web.received import page as received_page
from outreach.web.routing import Pages, Staff

router = Pages()


@router.page("/inbox/archive/{mail_id:int}", Permission.INBOX_VIEW)
async def show(staff: Staff, mail_id: int) -> Response:
    """The mail with its headers, its text and a list of its files."""
    async with staff.app.db.read() as conn:
        about = await data.about(conn, staff, mail_id)
        letter = await letters.read_letter(conn, mail_id)
    if letter is None:
        raise HTTPException(404)
    name = full_name(about.first_name, about.last_name, "")
    return await staff.render("archived_mail.html", letter=letter, about=about, name=name)


async def _raw(staff: Staff, mail_id: int) -> bytes:
    async with staff.app.db.read() as conn:
        await data.about(conn, staff, mail_id)
        raw = await letters.readable_raw(conn, mail_id)
    if raw is None:
        raise HTTPException(404)
    return raw


@router.page("/inbox/archive/{mail_id:int}/original", Permission.INBOX_VIEW)
async def original(staff: Staff, mail_id: int) -> Response:
    """The mail itself, cleaned, for a frame that can do nothing; in our own mails links lead nowhere.

    Their links are the recipient's: a press here would count as theirs, or unsubscribe them.
    """
    raw = await _raw(staff, mail_id)
    async with staff.app.db.read() as conn:
        came = await data.came(conn, mail_id)
    html, text = await mails.texts_of(raw)
    return mails.framed(received_page(html, text, links=came))


@router.page("/inbox/archive/{mail_id:int}/files/{number:int}", Permission.INBOX_VIEW)
async def save_file(staff: Staff, mail_id: int, number: int) -> Response:
    """One attachment, as it came, to be saved."""
    async with staff.app.db.read() as conn:
        await data.about(conn, staff, mail_id)
        found = await letters.file_of(conn, mail_id, number)
    if found is None:
        raise HTTPException(404)
    await _on_record(staff, "attachment.exported", mail_id, number)
    return _saved(found[1], found[0].name)


@router.page("/inbox/archive/{mail_id:int}/mail.eml", Permission.INBOX_VIEW)
async def save_mail(staff: Staff, mail_id: int) -> Response:
    """The whole mail, to the byte, to be saved."""
    raw = await _raw(staff, mail_id)
    await _on_record(staff, "mail.exported", mail_id)
    return _saved(raw, f"{mail_id}.eml")


async def _on_record(staff: Staff, action: str, mail_id: int, number: int | None = None) -> None:
    """What leaves the house is on record (B4), by number; a file's name may be a person's."""
    after = {} if number is None else {"file": number}
    async with staff.app.db.write() as conn:
        await append_audit(conn, staff.actor, action, "archived_mail", mail_id, now=staff.now, after=after)


def _saved(content: bytes, name: str) -> Response:
    """Strangers' bytes: a browser saves them under a name and shows nothing, whatever they claim to be."""
    headers: dict[str, Any] = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "content-security-policy": "sandbox; default-src 'none'",
        "x-content-type-options": "nosniff",
        "x-robots-tag": "noindex",
    }
    return Response(content, media_type="application/octet-stream", headers=headers)

"""Mails that could not be read: which, why, their raw source as harmless text, and a button to read them again."""

from __future__ import annotations

import re
from typing import Any

from fastapi import HTTPException
from fastapi.responses import Response

from outreach.access.roles import Permission
from outreach.app import unread
from outreach.web import mail as mails
from outreach.web.data import inbox as inbox_data
from outreach.web.data import quarantine as data
from outreach.web.i18n import N_
from outreach.web.routing import Pages, Staff

router = Pages()

PAGE = 50
#: Bytes of the source that are shown: what makes a mail unreadable stands in its headers or its first parts.
SHOWN = 200_000
#: What a terminal or a reader's eye would obey instead of showing: control characters, and marks that turn the writing.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")

#: Why a mail is here: how the reader's words begin → what that means, and what a person can do.
REASONS: tuple[tuple[str, str, str], ...] = (
    ("larger than", N_("Too large: only its headers were read."), N_("Look at it in the mailbox itself, or raise the limit and read it again.")),
    ("the server broke off", N_("The mail server hung up three times at this mail."), N_("Read it again later; if the server hangs up again, look at it in the mailbox itself.")),
    ("reading took longer", N_("Reading it took too long, so the reader was stopped."), N_("Such mails are often built to do harm. Look at the source before you open it anywhere else.")),
    ("the reader died", N_("The reader broke at it, as it does at mails that eat up memory."), N_("Such mails are often built to do harm. Look at the source before you open it anywhere else.")),
    ("could not be filed", N_("It was read, but the database would not take it."), N_("Read it again; if that fails, tell the people who run the service.")),
    ("nothing to read", N_("The server did not give the mail."), N_("It may have been deleted or moved. Look into the mailbox itself.")),
)  # fmt: skip
OTHER = (N_("It could not be read."), N_("Look at the source, and read it again."))


def meaning(error: str | None) -> tuple[str, str]:
    """What a reason means and what to do, as catalogue texts."""
    found = next((row for row in REASONS if (error or "").startswith(row[0])), None)
    return (found[1], found[2]) if found else OTHER


def visible(raw: bytes) -> str:
    """A mail's source as text in which nothing acts: UTF-8 where it is, every obeyed character as its number."""
    text = raw[:SHOWN].replace(b"\r\n", b"\n").decode("utf-8", "replace")
    return _OBEYED.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)


@router.page("/inbox/quarantine", Permission.INBOX_QUARANTINE)
async def listing(staff: Staff) -> Response:
    """All of them, newest first."""
    return await _page(staff)


async def _page(staff: Staff, error: str = "", status: int = 200) -> Response:
    offset = staff.request.query_params.get("offset", "0")
    start = int(offset) if offset.isdecimal() and len(offset) < 7 else 0
    look = staff.request.query_params.get("look", "")
    async with staff.app.db.read() as conn:
        rows: list[Any] = list(await data.unread(conn, PAGE, start))
        total = await data.count(conn)
    shown = next((row for row in rows if str(row.id) == look), None)
    return await staff.render(
        "quarantine.html", status=status, rows=rows, total=total, offset=start, limit=PAGE, url="/inbox/quarantine",
        meaning=meaning, error=error, look=shown,
    )  # fmt: skip


@router.page("/inbox/quarantine/{unread_id:int}/source", Permission.INBOX_QUARANTINE)
async def source(staff: Staff, unread_id: int) -> Response:
    """The raw source as text, for a frame that can do nothing: it is never parsed, nothing in it is loaded."""
    async with staff.app.db.read() as conn:
        if await data.why(conn, unread_id) is None:
            raise HTTPException(404)
        raw = await inbox_data.raw(conn, unread_id)
    if not raw:
        return mails.framed_text(
            staff.say(N_("The server did not give this mail, so there is no source to look at.")), staff.lang
        )
    rest = len(raw) - SHOWN
    more = staff.say(N_("… and %(bytes)s bytes more."), bytes=rest) if rest > 0 else ""
    return mails.framed_text(f"{visible(raw)}\n\n{more}" if more else visible(raw), "und")


@router.action("/inbox/quarantine/{unread_id:int}/read", Permission.INBOX_QUARANTINE)
async def read_again(staff: Staff, unread_id: int) -> Response:
    """Try it again, in the reader's child process with all its limits."""
    async with staff.app.db.read() as conn:
        if await data.why(conn, unread_id) is None:
            raise HTTPException(404)
    if await unread.read_again(staff.app, unread_id, staff.actor, staff.now):
        return staff.done("/inbox/quarantine", N_("Read and filed: it has its effect now, and its place in the inbox."))
    async with staff.app.db.read() as conn:
        why = await data.why(conn, unread_id)
    told = staff.say(N_("It still cannot be read. %(why)s"), why=staff.say(meaning(why)[0]))
    return await _page(staff, told, 409)

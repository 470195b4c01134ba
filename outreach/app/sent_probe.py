"""Proves whether a mailbox files what it sends, and keeps our marks: only then does its Sent folder speak for it.

A mail to the mailbox itself is sent and looked for in Sent. What is learned stands at the mailbox (`mailbox.probe`).
The first copies of a campaign teach the same (outbox/reconcile).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from outreach.app.build import App
from outreach.app.doctor_words import say
from outreach.app.inbox import InboxHost
from outreach.app.post import post
from outreach.config import ConfigError, MailboxSettings
from outreach.inbox.client import ImapClient, ImapTrouble
from outreach.outbox.store import note_probe

#: Seconds between looks; some providers file a copy only after some time. Together about half a minute.
LOOKS = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
Pause = Callable[[float], Awaitable[None]]


class ProbeFailed(Exception):
    """Nothing was learned; the words say why and what to do."""


async def probe_sent(
    app: App, box: MailboxSettings, now: datetime, *, pause: Pause = asyncio.sleep
) -> dict[str, object]:
    """Send the mailbox a mail, look for its copy, keep and return what was learned. Raises ProbeFailed, ConfigError."""
    if box.imap is None:
        raise ProbeFailed(f"{box.name} has no imap: its Sent folder cannot be read")
    server = InboxHost(app, clock=lambda: now).server(box)
    try:
        folder, first = await _sent_folder(server, box)
        name = f"{secrets.token_hex(16)}@{box.domain}"
        posted = await post(app, box, [box.address], _letter(box, name, now), now)
        if posted.outcome == "refused":
            raise ProbeFailed(f"the mail server took no mail to {box.address}: {posted.text}")
        copy = await _copy(server, folder, first, name, pause)
    except ImapTrouble as trouble:
        raise ProbeFailed(f"the Sent folder of {box.name} cannot be read: {trouble}") from trouble
    found: dict[str, object] = {"files": copy is not None, "folder": folder, "at": now.isoformat(), "how": "probe"}
    if copy is not None:
        found |= {"keeps_id": copy[0], "keeps_header": copy[1]}
    async with app.db.write() as conn:
        await note_probe(conn, app.mailbox_ids[box.name], found)
    return found


async def _sent_folder(server: object, box: MailboxSettings) -> tuple[str, int]:
    """The folder's name and the UID that the next mail in it will get."""
    client = await ImapClient.connect(server)  # type: ignore[arg-type]
    try:
        name = box.folders.sent or (await client.folders()).sent
        if name is None:
            raise ProbeFailed(
                f'{box.name} marks no folder as Sent: name it,  folders = {{ sent = "…" }}  in its [[mailbox]] block'
            )
        return name, max((await client.examine(name)).uidnext, 1)
    finally:
        await client.close()


def _letter(box: MailboxSettings, name: str, now: datetime) -> bytes:
    letter = EmailMessage(policy=SMTP)
    letter["From"] = letter["To"] = box.address
    letter["Subject"] = "outreach: does this mailbox file what it sends? 已发送文件夹检查"
    letter["Date"] = format_datetime(now)
    letter["Message-ID"] = f"<{name}>"
    letter["X-Outreach-Message"] = f"probe-{name.partition('@')[0]}"
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(
        "You may delete this mail. It was sent once, to see whether a copy stands in Sent.\n\n可以删除此邮件。\n"
    )
    return letter.as_bytes()


async def _copy(server: object, folder: str, first: int, name: str, pause: Pause) -> tuple[bool, bool] | None:
    """Whether the copy kept Message-ID and header; None: there is none."""
    mark = f"probe-{name.partition('@')[0]}"
    for seconds in LOOKS:
        await pause(seconds)
        client = await ImapClient.connect(server)  # type: ignore[arg-type]
        try:
            await client.examine(folder)
            for item in await client.listed(first):
                head = message_from_bytes(await client.headers(item.uid))
                kept = (name in str(head["Message-ID"]), str(head["X-Outreach-Message"]) == mark)
                if any(kept):
                    return kept
        finally:
            await client.close()
    return None


async def sent_check(
    app: App, box: MailboxSettings, now: datetime, *, probe_now: bool, lang: str = "en"
) -> tuple[str, bool, str, str]:
    """The doctor's line (name, ok, detail, fix): can the mailbox's Sent folder settle what is in doubt? Not to know is
    no fault.
    """
    name = f"sent {box.name}"
    known = (await app.outbox.mailbox(app.mailbox_ids[box.name])).probe
    if probe_now:
        try:
            known = await probe_sent(app, box, now)
        except (ProbeFailed, ConfigError) as trouble:
            return name, False, str(trouble), say("sent.fix", lang)
    if not known:
        said = say("sent.told" if box.files_sent else "sent.unknown", lang)
        return name, True, said, say("sent.unknown.fix", lang)
    if not known["files"]:
        return name, True, say("sent.none", lang), ""
    marks = (("keeps_id", "Message-ID"), ("keeps_header", "X-Outreach-Message"))
    kept = say("and", lang).join(what for key, what in marks if known.get(key))
    return name, True, say("sent.ok", lang, folder=known["folder"], kept=kept), ""

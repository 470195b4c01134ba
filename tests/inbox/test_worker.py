"""A pass over a real IMAP server: once each, whatever the UIDs do, and nothing in the mailbox changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from outreach.inbox import folder_name
from outreach.inbox.client import ImapClient, ImapTrouble
from outreach.model import ArchivedMail
from tests.inbox.reader import Reader, enter, letter, new_reader


@pytest.fixture
async def reader(database_url: str) -> AsyncIterator[Reader]:
    async with new_reader(database_url) as found:
        yield found


async def test_each_mail_is_filed_once_and_the_mailbox_stays_as_it_was(reader: Reader, dovecot: Any) -> None:
    for n in range(3):
        dovecot.append(letter(n))
    before = dovecot.messages()
    first = await reader.run(dovecot)
    again = await reader.run(dovecot)
    assert (first.fetched, first.replies, again.fetched) == (3, 3, 0)
    assert await reader.count() == await reader.count(ArchivedMail) == 3
    assert dovecot.messages() == before, "nothing is marked, moved or deleted"


async def test_new_uids_bring_no_mail_twice(reader: Reader, dovecot: Any) -> None:
    """UIDVALIDITY changed: everything is fetched again, nothing counts again."""
    for n in range(3):
        dovecot.append(letter(n))
    await reader.run(dovecot)
    dovecot.change_uidvalidity()
    dovecot.append(letter(9))
    again = await reader.run(dovecot)
    assert (again.fetched, again.known, again.replies) == (4, 3, 1)
    assert await reader.count() == 4


async def test_a_mail_that_is_too_large_is_set_aside(reader: Reader, dovecot: Any) -> None:
    dovecot.append(letter(1) + b"x" * 20_000)
    dovecot.append(letter(2))
    result = await reader.run(dovecot, max_bytes=10_000)
    assert (result.quarantined, result.replies) == (1, 1)
    assert (await reader.run(dovecot)).fetched == 0


async def test_folders_with_names_of_any_language(reader: Reader, dovecot: Any) -> None:
    dovecot.append(letter(1))
    dovecot.append(letter(2), folder="&V4NXPpCuTvY-")
    assert folder_name.decode("&V4NXPpCuTvY-") == "垃圾邮件"
    assert (await reader.run(dovecot, folders=["INBOX", "垃圾邮件"])).replies == 2


async def test_junk_and_sent_are_found_by_their_names(reader: Reader, dovecot: Any) -> None:
    dovecot.append(letter(1))
    dovecot.append(letter(2), folder="&V4NXPpCuTvY-")
    dovecot.append(letter(3), folder="&XfJT0ZAB-")
    result = await reader.run(dovecot, discover=True)
    assert (result.fetched, result.unreadable) == (3, 0)
    assert await reader.mark("已发送") == await reader.mark("垃圾邮件") == 1


async def test_a_folder_that_is_missing_does_not_hold_up_the_inbox(reader: Reader, dovecot: Any) -> None:
    dovecot.append(letter(1))
    result = await reader.run(dovecot, folders=["INBOX", "Archive"])
    assert (result.replies, result.unreadable) == (1, 1)


async def test_a_wrong_password_is_told_as_such(dovecot: Any) -> None:
    with pytest.raises(ImapTrouble) as caught:
        await ImapClient.connect(enter(dovecot, password="wrong"))
    assert caught.value.auth


async def test_a_token_opens_the_mailbox_and_a_stale_one_is_refreshed(dovecot: Any) -> None:
    """XOAUTH2: the server asks on after a bad token; a fresh one is fetched once."""
    asked: list[bool] = []

    async def token(fresh: bool) -> str:
        asked.append(fresh)
        return str(dovecot.token(expires_in=3600 if fresh else -1))

    client = await ImapClient.connect(enter(dovecot, password=None, token=token))
    assert (await client.examine("INBOX")).name == "INBOX"
    await client.close()
    assert asked == [False, True]


async def test_a_server_that_is_away_is_told_as_such(dovecot: Any) -> None:
    dovecot.stop()
    with pytest.raises(ImapTrouble, match="does not answer"):
        await ImapClient.connect(enter(dovecot))

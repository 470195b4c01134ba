"""The table "IMAP faults" of the house's reliability rules, row by row, on the real store.

What Dovecot does, it does in test_worker.py; what no sound server does, the scripted one does here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from outreach.inbox.client import ImapClient, ImapTrouble, batches, ranges
from outreach.inbox.imap import client as imap
from outreach.inbox.imap.grammar import Listed
from outreach.inbox.limits import Limits
from outreach.inbox.sandbox import Sandbox
from outreach.model import ArchivedMail
from tests.fakes.imap import ScriptedIMAP, never_changes, running_imap
from tests.inbox.reader import Reader, enter, letter, new_reader


@pytest.fixture
async def reader(sqlite_url: str) -> AsyncIterator[Reader]:
    async with new_reader(sqlite_url) as found:
        yield found


def holding(count: int, **script: Any) -> ScriptedIMAP:
    return ScriptedIMAP(mails={uid: letter(uid) for uid in range(1, count + 1)}, **script)


async def uids(reader: Reader, **columns: Any) -> list[int]:
    return [row.uid for row in await reader.mails(**columns)]


# -- UIDs ---------------------------------------------------------------------------------------------------------------


async def test_uids_that_go_backwards_begin_the_folder_again(reader: Reader) -> None:
    """A restored server numbers from the start under the same UIDVALIDITY: known mails count once, new ones are seen."""
    server = holding(5)
    async with running_imap(server):
        await reader.run(server)
        server.mails = {1: letter(4), 2: letter(9)}
        again = await reader.run(server)
    assert (again.fetched, again.known, again.replies) == (2, 1, 1)
    assert await reader.count() == 6


async def test_a_new_uidvalidity_brings_no_mail_twice(reader: Reader) -> None:
    server = holding(3)
    async with running_imap(server):
        await reader.run(server)
        server.uidvalidity = 8
        again = await reader.run(server)
    assert (again.known, again.replies, await reader.count()) == (3, 0, 3)


async def test_the_last_mail_is_not_taken_for_a_new_one(reader: Reader) -> None:
    """RFC 3501: a range n:* names the last mail even where its UID is smaller than n."""
    server = holding(2)
    async with running_imap(server):
        await reader.run(server)
        assert (await reader.run(server)).fetched == 0


async def test_answers_in_any_order_leave_no_gap_behind_the_mark(reader: Reader) -> None:
    server = holding(6, backwards=True, uid_behind=True, faults={2: "cut"}, times={2: 1})
    async with running_imap(server):
        result = await reader.run(server)
    assert result.replies == 6
    assert await reader.mark() == 6


# -- the connection -----------------------------------------------------------------------------------------------------


async def test_expunged_between_listing_and_fetching_is_no_error(reader: Reader) -> None:
    server = holding(3, faults={2: "expunged"})
    async with running_imap(server):
        result = await reader.run(server)
    assert (result.replies, result.quarantined, await reader.mark()) == (2, 0, 3)


@pytest.mark.parametrize("fault", ["cut", "oversize", "garbage"])
async def test_a_mail_that_breaks_the_link_three_times_is_left_behind(reader: Reader, fault: str) -> None:
    """The link is dropped, tried again after a rest, and only that UID goes to quarantine."""
    server = holding(5, faults={3: fault})
    async with running_imap(server):
        result = await reader.run(server)
    assert (result.replies, result.quarantined) == (4, 1)
    assert await uids(reader, state="quarantined") == [3]
    assert await reader.mark() == 5
    assert reader.rests == [2.0, 4.0, 6.0]
    assert never_changes(server.commands)


@pytest.mark.parametrize("fault", ["cut", "garbage", "refused"])
async def test_a_link_that_breaks_once_costs_nothing(reader: Reader, fault: str) -> None:
    server = holding(5, faults={3: fault}, times={3: 1})
    async with running_imap(server):
        result = await reader.run(server)
    assert (result.replies, result.quarantined, await reader.count()) == (5, 0, 5)


async def test_a_mail_that_the_server_refuses_is_left_behind(reader: Reader) -> None:
    server = holding(4, faults={2: "refused"})
    async with running_imap(server):
        result = await reader.run(server)
    assert (result.replies, result.quarantined) == (3, 1)
    assert await uids(reader, state="quarantined") == [2]


async def test_a_server_that_breaks_at_everything_is_not_emptied_into_quarantine(reader: Reader) -> None:
    server = holding(5, faults=dict.fromkeys(range(1, 6), "cut"))
    async with running_imap(server):
        with pytest.raises(ImapTrouble):
            await reader.run(server)
    assert await uids(reader, state="quarantined") == [1]


async def test_a_silent_server_is_given_up(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap, "SILENCE", 0.2)
    server = holding(2, faults={1: "silent"}, times={1: 1})
    async with running_imap(server):
        assert (await reader.run(server)).replies == 2
    assert server.connections == 2


async def test_what_was_left_behind_can_be_fetched_again(reader: Reader) -> None:
    """`outreach inbox reprocess`: once the server gives the mail, it is filed with its effects, once."""
    server = holding(2, faults={1: "cut"})
    async with running_imap(server):
        await reader.run(server)
        server.faults = {}
        assert await reader.again(server) == (1, 0)
        assert await reader.again(server) == (0, 0)
    assert [row.state for row in await reader.mails(kind="reply")] == ["new", "new"]
    assert await reader.count(ArchivedMail) == 2


async def test_what_is_gone_stays_in_quarantine(reader: Reader) -> None:
    server = holding(2, faults={1: "cut"})
    async with running_imap(server):
        await reader.run(server)
        del server.mails[1]
        assert await reader.again(server) == (0, 1)


@pytest.mark.parametrize(
    "greeting", [b"* BYE too many connections", b"220 mx.example ESMTP", b"HTTP/1.1 400 Bad Request", b"\xff" * 2000]
)
async def test_what_is_no_imap_server_is_told_as_such(greeting: bytes) -> None:
    server = ScriptedIMAP(greeting=greeting)
    async with running_imap(server):
        with pytest.raises(ImapTrouble) as caught:
            await ImapClient.connect(enter(server))
    assert not caught.value.auth


# -- login --------------------------------------------------------------------------------------------------------------


async def test_netease_is_told_who_we_are_before_a_folder_is_opened() -> None:
    server = holding(1, needs_id=True)
    async with running_imap(server):
        client = await ImapClient.connect(enter(server))
        assert (await client.examine("INBOX")).exists == 1
        await client.close()


async def test_who_does_not_offer_id_is_not_sent_it() -> None:
    """QQ drops the connection of who sends a command that it does not know."""
    server = holding(1, capabilities="IMAP4rev1 AUTH=PLAIN")
    async with running_imap(server):
        await (await ImapClient.connect(enter(server))).close()
    assert not [command for command in server.commands if command.startswith("ID")]


@pytest.mark.parametrize("capabilities", ["IMAP4rev1 AUTH=XOAUTH2", "IMAP4rev1 SASL-IR AUTH=XOAUTH2"])
async def test_a_token_is_refreshed_once_and_not_for_ever(capabilities: str) -> None:
    asked: list[bool] = []

    async def token(fresh: bool) -> str:
        asked.append(fresh)
        return "new" if fresh else "old"

    server = holding(1, tokens=("new",), capabilities=capabilities)
    async with running_imap(server):
        await (await ImapClient.connect(enter(server, token=token))).close()
        assert asked == [False, True]
        server.tokens = ()
        with pytest.raises(ImapTrouble, match="refused twice") as caught:
            await ImapClient.connect(enter(server, token=token))
    assert caught.value.auth
    assert asked == [False, True, False, True]


async def test_a_busy_server_is_no_wrong_password() -> None:
    server = holding(1, refuses={"LOGIN": "NO [UNAVAILABLE] try again later"})
    async with running_imap(server):
        with pytest.raises(ImapTrouble) as caught:
            await ImapClient.connect(enter(server))
    assert not caught.value.auth


async def test_a_password_in_any_script_is_sent_by_sasl() -> None:
    server = holding(1, refuses={"AUTHENTICATE": "OK"})
    async with running_imap(server):
        await (await ImapClient.connect(enter(server, password="密码"))).close()
    assert "AUTHENTICATE" in server.commands
    assert "LOGIN" not in server.commands


async def test_without_starttls_nothing_is_sent_in_plain_text() -> None:
    server = holding(1)
    async with running_imap(server):
        with pytest.raises(ImapTrouble, match="does not encrypt"):
            await ImapClient.connect(enter(server, tls="starttls"))
    assert server.commands == ["STARTTLS"]


# -- providers ----------------------------------------------------------------------------------------------------------


async def test_a_server_without_search_is_read_by_uids(reader: Reader) -> None:
    server = holding(3, refuses={"UID SEARCH": "BAD unknown command"})
    async with running_imap(server):
        assert (await reader.run(server)).replies == 3
        client = await ImapClient.connect(enter(server))
        await client.examine("INBOX")
        assert await client.has_message("1@buyer.example") is None
        await client.close()


async def test_folders_by_special_use_by_name_and_as_literals() -> None:
    listing = (
        '(\\HasNoChildren) "/" "INBOX"',
        '(\\NoSelect \\HasChildren) "/" "&UXZO1mWHTvZZOQ-"',
        '(\\HasNoChildren) "/" "Sent Messages"',
        '(\\HasNoChildren \\Junk) "/" "&V4NXPpCuTvY-"',
        '(\\HasNoChildren) NIL "a \\"quoted\\" name"',
    )
    async with running_imap(holding(0, folders=listing)) as server:
        client = await ImapClient.connect(enter(server))
        found = await client.folders()
        await client.close()
    assert (found.sent, found.junk) == ("Sent Messages", "垃圾邮件")
    assert found.every == ("INBOX", "Sent Messages", "垃圾邮件", 'a "quoted" name')


# -- waiting ------------------------------------------------------------------------------------------------------------


async def test_idle_tells_of_news_and_ends_by_itself() -> None:
    server = holding(1)
    async with running_imap(server):
        client = await ImapClient.connect(enter(server))
        await client.examine("INBOX")
        waiting = asyncio.create_task(client.idle(30))
        await server.idles.wait()
        server.push(2, letter(2))
        assert await waiting
        assert not await client.idle(0.05), "nothing came: the time is up, the link is sound"
        assert (await client.examine("INBOX")).exists == 2
        await client.close()


async def test_an_idle_that_died_silently_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outreach.inbox.client.DONE_SECONDS", 0.1)
    async with running_imap(holding(1, dead_idle=True)) as server:
        client = await ImapClient.connect(enter(server))
        await client.examine("INBOX")
        with pytest.raises(ImapTrouble, match="stopped answering"):
            await client.idle(0.05)
        assert not client.alive


# -- the parser ---------------------------------------------------------------------------------------------------------


async def test_a_mail_that_kills_the_parser_is_set_aside_and_read_later(reader: Reader) -> None:
    """The child is killed on this mail alone; the raw bytes are kept, the mark advances, `reprocess` tries again."""
    server = holding(3)
    reader.sandbox = Sandbox(Limits(seconds=0.0))
    async with running_imap(server):
        result = await reader.run(server)
        assert (result.quarantined, await reader.mark()) == (3, 3)
        assert await reader.count(ArchivedMail) == 3
        reader.sandbox = Sandbox()
        assert await reader.again(server) == (3, 0)
    assert (await reader.count(), await reader.count(ArchivedMail)) == (3, 3)
    assert await uids(reader, kind="reply", state="new") == [1, 2, 3]


# -- the client's own rules ---------------------------------------------------------------------------------------------


def test_uids_are_asked_for_as_ranges() -> None:
    assert ranges([1, 2, 3, 5, 8, 9]) == "1:3,5,8:9"


def test_batches_are_bounded_by_number_and_bytes() -> None:
    mails = [Listed(uid, size, None) for uid, size in enumerate([10, 10, 90, 200, 10], 1)]
    assert [[m.uid for m in piece] for piece in batches(mails, 2, 100)] == [[1, 2], [3], [4], [5]]

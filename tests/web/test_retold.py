"""What was stored as a code or in English long ago is read in the reader's language."""

from __future__ import annotations

import ast
import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, update

import outreach
from outreach.campaigns.plan import SKIP_TEXTS
from outreach.inbox import codes, reasons
from outreach.model import Campaign, Mailbox, Message, Suppression
from outreach.model.base import table
from outreach.sending import texts
from outreach.sending.phase import Fault, Phase
from outreach.web.render import pause_text
from outreach.web.retold import CODES, FOREIGN, TEXTS, noted, retold
from outreach.web.words_why import BOUNCE, DOUBT, REASON, SKIP
from tests.web.house import House
from tests.web.texts import HAN, read

PACKAGE = Path(outreach.__file__).parent


def sources(*but: str) -> str:
    """The code as text, without line breaks inside of sentences."""
    return "\n".join(path.read_text() for path in PACKAGE.rglob("*.py") if path.name not in but)


def verdicts() -> set[str]:
    """Every reason that sending/trouble.py gives a message, but for the ones of broken links."""
    found = set()
    for node in ast.walk(ast.parse((PACKAGE / "sending/trouble.py").read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Verdict" and len(node.args) > 1:
            said = node.args[1]
            parts = [said.body, said.orelse] if isinstance(said, ast.IfExp) else [said]
            found |= {str(one.value) for one in parts if isinstance(one, ast.Constant)}
    return found


def test_every_reason_of_a_bounce_or_refusal_has_its_word() -> None:
    known = {*codes.REASONS.values(), *codes.REPLIES.values(), *(reason for reason, _ in reasons.NEEDLES)}
    assert len(known) > 25
    assert known <= BOUNCE.keys()
    assert verdicts() <= REASON.keys()
    assert {f"{fault} at {phase}" for fault in Fault for phase in Phase} <= REASON.keys()
    assert {f"{fault} after the final dot" for fault in ("drop", "timeout", "garbage")} <= DOUBT.keys()


def test_every_reason_for_leaving_out_has_its_word() -> None:
    assert SKIP_TEXTS.keys() <= SKIP.keys()


def test_no_sentence_is_left_over() -> None:
    code = re.sub(r"\"\s*f?\"", "", sources("retold.py"))
    for words in TEXTS:
        for piece in re.split(r"%\(\w+\)s", words):
            assert piece.strip(" :.,") in code, f"nobody writes {words!r} any more"


def troubles() -> list[str]:
    """What the code says in English where a mailbox cannot be read, its gaps filled."""
    found = []
    for path in (PACKAGE / "inbox").rglob("client.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            called = getattr(node.func, "id", getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else ""
            if called in ("ImapTrouble", "abort") and isinstance(node, ast.Call) and node.args:
                said = node.args[0]
                if isinstance(said, ast.JoinedStr):
                    found.append("".join(one.value if isinstance(one, ast.Constant) else "a:1" for one in said.values))
                elif isinstance(said, ast.Constant):
                    found.append(str(said.value))
    return sorted({str(text) for text in found} - {"given up"})  # said to nobody: we hang up ourselves


@pytest.mark.parametrize("text", troubles())
def test_each_trouble_with_a_mailbox_is_told_in_chinese(text: str) -> None:
    assert HAN.search(retold(text, "zh"))
    assert retold(text, "en") == text


@pytest.mark.parametrize("words", TEXTS + FOREIGN)
def test_every_sentence_is_recognised_and_told_in_chinese(words: str) -> None:
    gaps = dict.fromkeys(re.findall(r"%\((\w+)\)s", words), "x1")
    assert HAN.search(retold(words % gaps, "zh"))
    assert retold(words % gaps, "en") == words % gaps


@pytest.mark.parametrize("text", [*CODES, "version 3 put back", "copy of product-launch", "pilot: 3 of 20 bounced"])
def test_a_stored_text_is_told_in_chinese(text: str) -> None:
    assert HAN.search(retold(text, "zh"))


def test_what_stands_in_the_gaps_is_told_as_well_and_foreign_words_stay() -> None:
    told = retold("imap.x.example:993 does not answer: the connection was lost", "zh")
    assert told == "imap.x.example:993 没有应答：连接中断"
    assert retold("sales@x.example was refused: [AUTH] go away", "zh") == "sales@x.example 登录被拒：[AUTH] go away"
    refused = "connect: Error connecting to 127.0.0.1 on port 25: [Errno 111] Connect call failed ('127.0.0.1', 25)"
    assert retold(refused, "zh") == "无法连接 127.0.0.1 的端口 25：连接被拒绝（111）('127.0.0.1', 25)"
    assert retold(f"127.0.0.1:25：{refused}", "zh").startswith("127.0.0.1:25：无法连接 127.0.0.1")
    assert retold("auth: 535 5.7.8 bad credentials", "zh") == "登录：535 5.7.8 bad credentials"
    assert retold("550 5.7.1 the sender was refused: spam", "zh") == "550 5.7.1 the sender was refused: spam"
    assert retold("换了新图片", "en") == "换了新图片"
    assert retold("New picture of the hall", "zh") == "New picture of the hall"


def test_what_the_program_added_to_a_line_of_the_timeline() -> None:
    assert noted("moved: bo@buyer.example", "zh") == "已登记新地址：bo@buyer.example"
    assert noted("moved: bo@buyer.example", "en") == "New address entered: bo@buyer.example"
    assert noted("We can ship on Monday. (in doubt)", "zh") == "We can ship on Monday.（待确认）"
    assert noted("The sample was refused", "zh") == "The sample was refused"
    assert noted(None, "zh") == ""


@pytest.mark.parametrize(
    ("stored", "zh", "en"),
    [
        ("by hand", "手工", "by hand"),
        ("hard_bounces", "最近一百个地址中有五个不存在", "Five of the last hundred"),
        ("hard-bounces: 5 of the last 100", "(5 of the last 100)", "(5 of the last 100)"),
        ("compose-failed: no value for city", "邮件无法生成。", "could not be composed. "),
        ("the campaign is not approved: submit it, then have it approved", "活动尚未批准", "is not approved"),
        ("等客户确认价格", "等客户确认价格", "等客户确认价格"),
    ],
)
def test_why_a_campaign_is_paused(stored: str, zh: str, en: str) -> None:
    assert zh in pause_text(stored, "zh")
    assert en in pause_text(stored, "en")
    if stored not in texts.reasons():
        assert "See the attempts" not in pause_text(stored, "en")


async def test_pages_tell_what_is_stored(house: House) -> None:
    boxes, campaigns, messages = table(Mailbox), table(Campaign), table(Message)
    lost = "imap.minxu-lighting.example:993 does not answer: the connection was lost"
    entry = {
        "key": "k",
        "address": "p@buyer.example",
        "reason": "hard_bounce",
        "source": "bounce:0a1b",
        "at": house.now,
    }
    async with house.db.write() as conn:
        await conn.execute(update(boxes).where(boxes.c.id == 1).values(last_error=lost))
        paused = {"state": "paused", "paused_reason": "auth-failed", "paused_until": None}
        await conn.execute(update(boxes).where(boxes.c.id == 2).values(**paused))
        stopped = {"state": "paused", "paused_from": "running", "paused_reason": "hard_bounces"}
        await conn.execute(update(campaigns).where(campaigns.c.id == 1).values(**stopped))
        failed = {"state": "failed", "reason": "userunknown", "settled_at": house.now - timedelta(minutes=1)}
        first = messages.c.id == 1
        await conn.execute(update(messages).where(first).values(**failed))
        await conn.execute(insert(table(Suppression)).values(entry))
    async with house.visitor("sun.qian", "zh") as visitor:
        today = (await visitor.get("/?scope=all")).text
        listed = read((await visitor.get("/settings/suppression")).text)
    async with house.visitor("tang.ke", "zh") as visitor:
        mailboxes = (await visitor.get("/settings/mailboxes")).text
    for page in (today, mailboxes):
        assert "imap.minxu-lighting.example:993 没有应答：连接中断" in page
        assert "auth-failed" not in page
    assert "最近一百个地址中有五个不存在" in today
    assert "hard_bounces" not in today
    assert "退信" in listed
    assert not any("bounce:" in text for text in listed)

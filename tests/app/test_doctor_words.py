"""The connection doctor speaks the reader's language, with the same values in both."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

from outreach.app import doctor, mailbox_room, sent_probe
from outreach.app.doctor_words import WORDS, say
from outreach.web.check_words import CHECK


def gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text.replace("{ … }", "")) if name}


@pytest.mark.parametrize("code", sorted(WORDS))
def test_both_languages_have_the_same_gaps(code: str) -> None:
    english, chinese = WORDS[code]
    assert gaps(english) == gaps(chinese)
    if code not in ("clock.ok", "smtp.refused"):
        assert re.search("[\u4e00-\u9fff]", chinese)
        assert not re.search("[\u4e00-\u9fff]", english)


def test_every_code_that_is_said_has_words_and_no_words_are_left_over() -> None:
    said = {"company", "postal_address"}  # said by the settings' own names
    for module in (doctor, mailbox_room, sent_probe):
        for node in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say":
                said |= {part.value for part in ast.walk(node.args[0]) if isinstance(part, ast.Constant)}
    assert said == set(WORDS)


def test_values_stand_in_the_words() -> None:
    assert say("smtp.ok", "zh", where="smtp.a.example:465") == "smtp.a.example:465 登录成功"
    assert say("imap.none.fix", "en") == "add imap = { … }"
    assert 'folders = { sent = "…" }' in say("imap.folder.fix", "zh", key="sent", names="INBOX")


def test_the_page_has_a_title_and_a_remedy_for_each_check() -> None:
    source = "".join(Path(m.__file__ or "").read_text(encoding="utf-8") for m in (doctor, mailbox_room, sent_probe))
    named = set(re.findall(r'(?:_check\(|name(?:, where)? = |"name": )f?"([a-z]+)', source))
    assert {"database", "smtp", "imap", "sent", "room", "tracking"} <= named
    assert named <= set(CHECK)
    assert {f"fix_{name}" for name in named} <= set(CHECK)

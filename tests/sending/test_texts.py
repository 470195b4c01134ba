from __future__ import annotations

import re
from pathlib import Path

import pytest

from outreach.sending.texts import explain, reasons

SENDING = Path(__file__).parents[2] / "outreach" / "sending"


@pytest.mark.parametrize("reason", sorted(reasons()))
def test_every_reason_says_three_things_in_both_languages(reason: str) -> None:
    english, chinese = explain(reason), explain(reason, "zh")
    assert all([english.what, english.means, english.do, chinese.what, chinese.means, chinese.do])
    assert re.search(r"[\u4e00-\u9fff]", str(chinese))
    assert not re.search(r"[\u4e00-\u9fff]", str(english))


def test_every_reason_for_which_a_mailbox_stops_has_words() -> None:
    source = (SENDING / "trouble.py").read_text() + (SENDING / "breaker.py").read_text()
    codes = set(re.findall(r'"([a-z]+(?:-[a-z]+)+)"', source)) | {"throttled", "quota"}
    assert codes >= {"auth-failed", "hard-bounces", "message-too-big"}
    assert not codes - reasons()


def test_an_unknown_reason_is_explained_by_the_servers_words() -> None:
    assert explain("odd", detail="599 odd thing").what == "599 odd thing"
    assert explain("odd").what == "odd"

"""Every code of the trail has its words, and the page shows both."""

from __future__ import annotations

import re
from pathlib import Path

from outreach.web.words_audit import DEED, THING, WHOLE, act
from tests.web.house import House

SOURCE = Path(__file__).resolve().parents[2] / "outreach"
ENTRY = re.compile(r"append_audit\((.{0,260})", re.DOTALL)
CODE = re.compile(r'"([a-z_]+\.[a-z_]+)"')


def codes() -> set[str]:
    """The codes that the program writes in one piece."""
    texts = [path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py")]
    found = [CODE.search(entry) for text in texts for entry in ENTRY.findall(text)]
    return {code[1] for code in found if code}


def test_no_code_lacks_words() -> None:
    assert len(codes()) > 60
    split = {code: code.split(".") for code in codes() - set(WHOLE)}
    assert {code for code, (kind, deed) in split.items() if kind not in THING or deed not in {*DEED, *THING}} == set()


def test_what_nobody_has_put_into_words_stands_as_it_is() -> None:
    assert act("page.contacts.bulk.tag", str) == "Contact · many at once · tags changed"
    assert act("thing.never_seen", str) == "thing · never seen"


async def test_the_auditor_reads_words_and_the_code(house: House) -> None:
    async with house.visitor("ma.jun", "zh") as auditor:
        page = (await auditor.get("/settings/audit?action=login")).text
    assert '>登录</a><span class="mono">login</span>' in page
    assert "用户" in page
    assert "{&#34;" not in page

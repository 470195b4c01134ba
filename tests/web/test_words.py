"""Both languages are whole: no page shows a key for a word, English in Chinese, or Chinese in English, but for data."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from outreach.db.session import Database
from outreach.model import Role, User
from outreach.model.base import table
from outreach.web import words
from tests.browser.shots import PAGES, add_reports, dress
from tests.web.house import House
from tests.web.test_matrix import ROUTES, concrete
from tests.web.texts import HAN, Data, read

LANGUAGES = ("zh", "en")


class Recorder(dict[str, tuple[str, str]]):
    """A list of words that remembers what it was asked for in vain."""

    def __init__(self, kind: str, known: Mapping[str, tuple[str, str]], missing: set[tuple[str, str]]) -> None:
        super().__init__(known)
        self.kind, self.missing = kind, missing

    def get(self, key: str, default: Any = None) -> Any:
        if key not in self:
            self.missing.add((self.kind, key))
        return super().get(key, default)


@dataclass
class Shown:
    """The texts of each page (name, language), the words that were missing, the company's own texts."""

    texts: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    missing: set[tuple[str, str]] = field(default_factory=set)
    data: Data = field(default_factory=lambda: Data(()))


@pytest.fixture(scope="module")
def shown(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """Every page of the pictures, in both languages, by whoever looks at it there."""
    path = tmp_path_factory.mktemp("words") / "house.db"
    shutil.copy(seeded, path)
    found = Shown()
    with pytest.MonkeyPatch.context() as patch:
        for kind, known in words.LISTS.items():
            patch.setitem(words.LISTS, kind, Recorder(kind, known, found.missing))  # type: ignore[arg-type]
        asyncio.run(_look(House(Database(f"sqlite:///{path}")), found))
    return found


async def _look(house: House, found: Shown) -> None:
    await add_reports(house)
    await dress(house)
    async with AsyncExitStack() as stack:
        clients = {"": await stack.enter_async_context(house.client())}
        for name, (path, user) in PAGES.items():
            if user not in clients:
                clients[user] = (await stack.enter_async_context(house.visitor(user))).client
            for lang in LANGUAGES:
                clients[user].cookies.set("outreach_lang", lang)
                answer = await clients[user].get(path.format(lang=lang), headers={"accept-language": lang})
                assert answer.status_code < 500, name  # some show a refusal
                found.texts[name, lang] = read(answer.text)
    found.data = await Data.of(house)
    await house.db.close()


def test_no_page_shows_a_key_for_want_of_a_word(shown: Shown) -> None:
    assert shown.missing == set()


def test_chinese_pages_hold_no_english_but_data(shown: Shown) -> None:
    english = {
        (name, text)
        for (name, lang), texts in shown.texts.items()
        for text in texts
        if lang == "zh" and shown.data.english(text)
    }
    assert english == set()


def test_english_pages_hold_no_chinese_but_data(shown: Shown) -> None:
    chinese = {
        (name, text)
        for (name, lang), texts in shown.texts.items()
        for text in texts
        if lang == "en" and HAN.search(text) and len(shown.data.chinese(text)) > 1  # one: the mark of a person's name
    }
    assert chinese == set()


#: Values that no field takes.
WRONG = {
    "name": "x", "value": "abc", "field": "birthday", "email": "nonsense", "address": "no at", "amount": "-4",
    "day": "31.31.2026", "until": "x", "entry": "no address", "expression": "regoin = Europe", "segment": "regoin = ",
    "text": "{{ broken", "owner": "999", "to": "999", "url": "ftp://x", "template": "nowhere", "mailbox": "nowhere",
    "start": "x", "window": "x", "action": "x", "roles": "x", "language": "xx", "code": "000000", "quarter": "x",
    "kind": "x", "state": "x", "outcome": "x", "days": "-1", "password": "short",
}  # fmt: skip
#: They end the visit.
LAST = {"/logout", "/account/password", "/settings/users/{user_id:int}/{action}"}


async def test_a_wrong_form_is_refused_in_chinese(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where the company's own templates would be written
    users = table(User)
    async with house.db.write() as conn:
        everything = update(users).where(users.c.name == "sun.qian").values(roles=[str(role) for role in Role])
        await conn.execute(everything)
    data, english = await Data.of(house), set()
    async with house.visitor("sun.qian", "zh") as visitor:
        for method, path, _ in ROUTES:
            if method == "GET" or path in LAST:
                continue
            answer = await visitor.post(concrete(path), WRONG)
            if answer.status_code == 303:  # what was done is said on the next page
                answer = await visitor.get(answer.headers["location"])
            if answer.headers.get("content-type", "").startswith("text/html"):
                english |= {(path, text) for text in read(answer.text) if data.english(text)}
    assert english == set()

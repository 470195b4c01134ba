"""Guesses that are sent at once, to one process and to several, on both databases: no more are let in than in a row."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from outreach.access.login import Login, LoginRefused, hash_password
from outreach.access.roles import OPERATOR
from outreach.access.store import AccessStore, NewUser
from outreach.db.session import Database
from outreach.model import Role
from tests.access.conftest import SECRET

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
PASSWORD = "a green bicycle in the rain"


@pytest.fixture
async def user_id(store: AccessStore) -> int:
    new = NewUser("li.na", [Role.MARKETER], password_hash=hash_password(PASSWORD))
    return await store.add_user(new, now=NOW, authorise=True)


@pytest.fixture
def processes(db: Database) -> list[Login]:
    """What several web processes hold: they share the database alone."""
    return [Login(db, SECRET) for _ in range(3)]


async def answer(attempt: Awaitable[str]) -> str:
    try:
        await attempt
    except LoginRefused as refused:
        return refused.code
    return "in"


async def answers(attempts: list[Awaitable[str]]) -> Counter[str]:
    return Counter(await asyncio.gather(*(answer(attempt) for attempt in attempts)))


async def failures(store: AccessStore) -> list[int]:
    rows = await store.entries(limit=100, where={"action": "login.refused"})
    return sorted(row.after["failures"] for row in rows)


@pytest.mark.parametrize("name", ["li.na", "nobody"])
async def test_guesses_at_once_are_held_off_like_guesses_in_a_row(
    login: Login, store: AccessStore, user_id: int, name: str
) -> None:
    told = await answers([login.log_in(name, f"wrong {n}", None, now=NOW) for n in range(25)])
    assert told == {"wrong": 5, "wait": 20}
    assert await failures(store) == ([1, 2, 3, 4, 5] if name == "li.na" else [])
    later = NOW + timedelta(seconds=31)
    assert await answers([login.log_in(name, "wrong", None, now=later) for _ in range(9)]) == {"wrong": 1, "wait": 8}


async def test_several_processes_let_no_more_guesses_in(
    processes: list[Login], store: AccessStore, user_id: int
) -> None:
    told = await answers([processes[n % 3].log_in("li.na", f"wrong {n}", None, now=NOW) for n in range(24)])
    assert told == {"wrong": 5, "wait": 19}
    assert await failures(store) == [1, 2, 3, 4, 5]
    assert await answer(processes[0].log_in("li.na", PASSWORD, None, now=NOW)) == "wait"


async def test_two_tabs_log_in_at_once(login: Login, processes: list[Login], user_id: int) -> None:
    assert await answers([one.log_in("li.na", PASSWORD, None, now=NOW) for one in processes]) == {"in": 3}
    assert await answers([login.log_in("li.na", PASSWORD, None, now=NOW) for _ in range(4)]) == {"in": 4}
    for _ in range(4):
        assert await answer(login.log_in("li.na", "mistyped", None, now=NOW)) == "wrong"
    assert await answers([login.log_in("li.na", PASSWORD, None, now=NOW) for _ in range(2)]) == {"in": 2}
    assert await answer(login.log_in("li.na", "mistyped", None, now=NOW)) == "wrong", "a login clears the count"


async def test_the_right_password_costs_nothing_and_clears_no_guesses(login: Login, user_id: int) -> None:
    """Who knows the password alone has five guesses at the code, however often the password is typed."""
    await second_factor(login, user_id)
    told = [await answer(login.log_in("li.na", PASSWORD, None, now=NOW)) for _ in range(6)]
    told += [await answer(login.log_in("li.na", PASSWORD, f"00000{n}", now=NOW)) for n in range(7)]
    assert told == ["second"] * 6 + ["second_wrong"] * 5 + ["wait"] * 2


async def second_factor(login: Login, user_id: int) -> tuple[pyotp.TOTP, list[str]]:
    key, _ = login.propose_totp("li.na", "Minxu Lighting")
    codes = await login.enable_totp(user_id, key, pyotp.TOTP(key).at(NOW), actor=OPERATOR, now=NOW)
    assert codes is not None
    return pyotp.TOTP(key), codes


@pytest.mark.parametrize("kind", ["authenticator", "recovery"])
async def test_a_code_lets_one_in_and_no_second(processes: list[Login], user_id: int, kind: str) -> None:
    app, codes = await second_factor(processes[0], user_id)
    later = NOW + timedelta(minutes=2)
    code = app.at(later) if kind == "authenticator" else codes[3]
    assert await answers([one.finish("li.na", code, now=later) for one in processes]) == {"in": 1, "second_wrong": 2}
    assert await answer(processes[0].finish("li.na", codes[4], now=later)) == "in", "the others still hold"


async def test_guesses_at_the_code_are_held_off_too(processes: list[Login], store: AccessStore, user_id: int) -> None:
    await second_factor(processes[0], user_id)
    later = NOW + timedelta(minutes=2)
    told = await answers([processes[n % 3].finish("li.na", f"{n:06}", now=later) for n in range(60)])
    assert told == {"second_wrong": 5, "wait": 55}
    assert await failures(store) == [1, 2, 3, 4, 5]


async def test_what_an_older_page_saves_makes_no_used_code_good(login: Login, store: AccessStore, user_id: int) -> None:
    app, _ = await second_factor(login, user_id)
    later = NOW + timedelta(minutes=2)
    assert await answer(login.finish("li.na", app.at(later), now=later)) == "in"
    await store.remember(user_id, {"columns": ["email"]})
    assert await answer(login.finish("li.na", app.at(later), now=later)) == "second_wrong"
    await store.change_user(user_id, {"settings": {"phone": "1"}}, actor=OPERATOR, now=later)
    assert await answer(login.finish("li.na", app.at(later), now=later)) == "second_wrong"
    user = await store.user(user_id)
    assert user is not None
    assert user.settings["phone"] == "1"

"""Logging in, staying in, being thrown out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from sqlalchemy import select, text

from outreach.access.guessing.strangers import Strangers
from outreach.access.login import SESSION_FOR, Login, LoginRefused, hash_password, new_password
from outreach.access.roles import OPERATOR, Permission
from outreach.access.store import AccessStore, NewUser
from outreach.db.session import Database
from outreach.model import ApiToken, AuditEntry, LoginSession, Role

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
PASSWORD = "a green bicycle in the rain"


@pytest.fixture
async def user_id(store: AccessStore) -> int:
    new = NewUser("li.na", [Role.MARKETER], password_hash=hash_password(PASSWORD))
    return await store.add_user(new, now=NOW, authorise=True)


async def code_of(login: Login, password: str, code: str | None = None, *, now: datetime = NOW) -> LoginRefused:
    with pytest.raises(LoginRefused) as caught:
        await login.log_in("li.na", password, code, now=now)
    return caught.value


async def test_a_session_holds_and_ends(login: Login, user_id: int) -> None:
    token = await login.log_in("li.na", PASSWORD, None, now=NOW)
    visit = await login.visit(token, now=NOW + timedelta(hours=1))
    assert visit is not None
    assert visit.actor.roles == {Role.MARKETER}
    assert visit.actor.authorised
    assert await login.visit("made up", now=NOW) is None
    assert await login.visit(token, now=NOW + timedelta(hours=1) + SESSION_FOR) is None
    await login.log_out(token, now=NOW)
    assert await login.visit(token, now=NOW) is None


async def test_the_house_says_how_long_a_login_holds(db: Database, user_id: int) -> None:
    login = Login(db, b"s" * 32, session_for=timedelta(hours=2))
    token = await login.log_in("li.na", PASSWORD, None, now=NOW)
    assert await login.visit(token, now=NOW + timedelta(hours=1, minutes=59)) is not None
    assert await login.visit(token, now=NOW + timedelta(hours=3, minutes=58)) is not None, "use prolongs it"
    assert await login.visit(token, now=NOW + timedelta(hours=6)) is None


async def test_tokens_are_stored_hashed(login: Login, user_id: int, db: Database) -> None:
    token = await login.log_in("li.na", PASSWORD, None, now=NOW)
    api = await login.add_token(user_id, "script", [Permission.CONTACTS_VIEW], actor=OPERATOR, now=NOW)
    stored: list[str] = []
    async with db.read() as conn:
        for model in (LoginSession, ApiToken, AuditEntry):
            stored += [str(tuple(row)) for row in await conn.execute(select(model))]
    assert not any(token in row or api in row or PASSWORD in row for row in stored)


@pytest.mark.parametrize("change", ["password", "roles", "disabled"])
async def test_a_change_ends_sessions_at_once(login: Login, store: AccessStore, user_id: int, change: str) -> None:
    token = await login.log_in("li.na", PASSWORD, None, now=NOW)
    if change == "password":
        await login.set_password(user_id, "another good password", actor=OPERATOR, now=NOW)
    elif change == "roles":
        await store.change_user(user_id, {"roles": ["legal"]}, actor=OPERATOR, now=NOW)
    else:
        await store.disable(user_id, actor=OPERATOR, now=NOW)
    assert await login.visit(token, now=NOW) is None


async def test_guessing_is_held_off_and_the_right_password_waits_too(login: Login, user_id: int) -> None:
    for _ in range(4):
        assert (await code_of(login, "wrong")).code == "wrong"
    assert (await code_of(login, "wrong")).code == "wrong"
    refused = await code_of(login, PASSWORD)
    assert (refused.code, refused.wait_seconds) == ("wait", 31)
    later = NOW + timedelta(seconds=31)
    assert await login.log_in("li.na", PASSWORD, None, now=later)
    assert (await code_of(login, "wrong", now=later)).code == "wrong", "a login clears the count"


async def test_unknown_and_known_names_answer_alike(login: Login, user_id: int) -> None:
    with pytest.raises(LoginRefused) as unknown:
        await login.log_in("nobody", "wrong", None, now=NOW)
    assert str(unknown.value) == str(await code_of(login, "wrong"))


async def test_a_name_that_nobody_has_is_held_off_like_a_real_one(login: Login, user_id: int) -> None:
    """A guesser sees the same codes and waits for both, try by try, so a name cannot be found by trying."""

    async def answer(name: str, now: datetime) -> tuple[str, int]:
        with pytest.raises(LoginRefused) as caught:
            await login.log_in(name, "wrong", None, now=now)
        return caught.value.code, caught.value.wait_seconds

    moments = [NOW] * 6 + [NOW + timedelta(seconds=31)] * 2 + [NOW + timedelta(seconds=100)]
    known = [await answer("li.na", now) for now in moments]
    assert [code for code, _ in known] == ["wrong"] * 5 + ["wait", "wrong", "wait", "wrong"]
    assert [await answer("li.ba", now) for now in moments] == known


def test_so_many_strange_names_are_remembered_and_no_more() -> None:
    strangers = Strangers(remembered=3)
    for name in ("a", "b", "c", "a", "d"):
        for _ in range(5):
            strangers.count(name, NOW)
    assert strangers.waits_until("b") is None, "guessed at longest ago"
    waits = [strangers.waits_until(name) for name in ("c", "a ", "d")]
    assert all(until is not None and until > NOW for until in waits)


async def test_the_second_factor(login: Login, user_id: int, db: Database) -> None:
    key, address = login.propose_totp("li.na", "Minxu Lighting")
    assert address.startswith("otpauth://totp/")
    app = pyotp.TOTP(key)
    assert await login.enable_totp(user_id, key, "000000", actor=OPERATOR, now=NOW) is None
    codes = await login.enable_totp(user_id, key, app.at(NOW), actor=OPERATOR, now=NOW)
    assert codes is not None
    assert len(set(codes)) == 10
    assert (await code_of(login, PASSWORD)).code == "second"
    assert (await code_of(login, PASSWORD, "123456")).code == "second_wrong"
    soon = NOW + timedelta(minutes=2)
    assert await login.log_in("li.na", PASSWORD, app.at(soon), now=soon)
    assert (await code_of(login, PASSWORD, app.at(soon), now=soon)).code == "second_wrong", "a code is used once"
    assert await login.log_in("li.na", PASSWORD, codes[0].upper(), now=soon)
    assert (await code_of(login, PASSWORD, codes[0], now=soon)).code == "second_wrong"
    async with db.read() as conn:
        stored = (await conn.execute(text('SELECT totp_secret FROM "user"'))).scalar_one()
    assert key not in stored
    await login.disable_totp(user_id, actor=OPERATOR, now=soon)
    assert await login.log_in("li.na", PASSWORD, None, now=soon + timedelta(hours=1))


async def test_api_tokens_are_scoped_expire_and_are_revoked(login: Login, user_id: int) -> None:
    token = await login.add_token(
        user_id, "shop", [Permission.CONTACTS_VIEW, Permission.USERS_EDIT], actor=OPERATOR, now=NOW, days=30
    )
    actor = await login.bearer(token, now=NOW)
    assert actor is not None
    assert actor.limits == {Permission.CONTACTS_VIEW, Permission.USERS_EDIT}
    assert await login.bearer(token, now=NOW + timedelta(days=31)) is None
    assert await login.bearer(token + "x", now=NOW) is None
    (row,) = await login.tokens(user_id)
    assert not await login.revoke_token(row.id, user_id + 1, actor=OPERATOR, now=NOW), "somebody else's"
    assert await login.revoke_token(row.id, user_id, actor=OPERATOR, now=NOW)
    assert await login.bearer(token, now=NOW) is None


async def test_asking_for_the_password_again(login: Login, user_id: int) -> None:
    token = await login.log_in("li.na", PASSWORD, None, now=NOW)
    later = NOW + timedelta(hours=1)
    visit = await login.visit(token, now=later)
    assert visit is not None
    with pytest.raises(LoginRefused):
        await login.verify_again(visit, "wrong", now=later)
    await login.verify_again(visit, PASSWORD, now=later)
    visit = await login.visit(token, now=later)
    assert visit is not None
    assert visit.verified_at == later


def test_weak_passwords_are_refused_and_new_ones_are_not() -> None:
    with pytest.raises(ValueError, match="short"):
        hash_password("short")
    assert hash_password(new_password()).startswith("$argon2id$")

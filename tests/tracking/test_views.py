"""The public endpoints: only a person's wish acts, nothing leaks, nothing is lost."""

from __future__ import annotations

import asyncio
import os
import random
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from babel.dates import format_date
from sqlalchemy import insert, select

from outreach.db.session import Database
from outreach.events.kinds import EventKind
from outreach.model import Contact, DynamicLink, Event, Message, Preference, Rollup, Suppression
from tests.events.seeds import count
from tests.fakes.clock import FakeClock
from tests.tracking.conftest import Site, make_site

#: issue: 10,000 of each. CI asks fewer; OUTREACH_REQUESTS=10000 asks them all.
REQUESTS = int(os.environ.get("OUTREACH_REQUESTS", "400"))
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
TABLES = (Event, Suppression, Rollup, Preference)


async def rows(db: Database) -> list[int]:
    return [await count(db, model) for model in TABLES]


async def test_the_pixel_is_the_same_for_every_token(site: Site) -> None:
    genuine = await site.client.get(site.url("o"))
    guessed = await site.client.get("/o/" + "A" * 24 + ".gif")
    junk = await site.client.get("/o/%2e%2e%2fetc%2fpasswd.gif")
    assert genuine.status_code == guessed.status_code == junk.status_code == 200
    assert genuine.headers == guessed.headers
    assert genuine.content == guessed.content
    assert genuine.content[:6] == b"GIF89a"
    await site.app.stop()
    assert await count(site.db, Event) == 1


async def test_a_person_opens_and_clicks(site: Site) -> None:
    await site.client.get(site.url("o"))
    answer = await site.client.get(site.url("c", number=2))
    assert (answer.status_code, answer.headers["location"]) == (302, "https://shop.example/2?a=b&c=2#top")
    await site.app.stop()
    async with site.db.read() as conn:
        row = (await conn.execute(select(Message.__table__).where(Message.id == site.messages[0]))).one()  # type: ignore[attr-defined]
    assert row.first_open_at == row.first_click_at == site.clock()
    assert row.machine_open_at is row.machine_click_at is None


async def test_a_scanner_is_counted_apart_and_a_later_person_is_still_seen(site: Site) -> None:
    for number in (1, 2, 3):
        await site.client.get(site.url("c", number=number))
    await site.app.flusher.flush()
    assert await count(site.db, Message, Message.first_click_at.is_not(None)) == 0
    assert await count(site.db, Message, Message.machine_click_at.is_not(None)) == 1
    site.clock.advance(minutes=5)
    await site.client.get(site.url("c", number=1))
    await site.app.flusher.flush()
    assert await count(site.db, Message, Message.first_click_at.is_not(None)) == 1
    async with site.db.read() as conn:
        found = await conn.execute(select(Event.machine, Event.why).order_by(Event.id))
        verdicts = found.all()
    assert [tuple(row) for row in verdicts][-1] == (False, "person")


async def test_a_link_that_holds_a_variable(site: Site) -> None:
    async with site.db.write() as conn:
        url = "https://shop.example/anna?q=Größe"
        await conn.execute(insert(DynamicLink).values(message_id=site.messages[0], number=7, url=url))
    answer = await site.client.get(site.url("c", number=7))
    assert answer.headers["location"] == "https://shop.example/anna?q=Gr%C3%B6%C3%9Fe"


@pytest.mark.parametrize(
    "stored",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "https://a@evil.example/",
        "https://shop.example\\@evil.example",
    ],
)
async def test_a_stored_address_that_is_no_web_page_is_not_followed(site: Site, stored: str) -> None:
    async with site.db.write() as conn:
        await conn.execute(insert(DynamicLink).values(message_id=site.messages[0], number=7, url=stored))
    answer = await site.client.get(site.url("c", number=7))
    assert answer.status_code == 404
    assert "location" not in answer.headers


async def test_the_click_token_is_handed_on_where_the_company_wants_it(db: Database, clock: FakeClock) -> None:
    site = await make_site(db, clock, 1, click_parameter="oc")
    path = site.url("c", number=1)
    answer = await site.client.get(path)
    assert answer.headers["location"] == f"https://shop.example/1?a=b&c=1&oc={path[3:]}#top"
    await site.client.aclose()
    await site.app.stop()


async def test_scanners_unsubscribe_nobody(site: Site) -> None:
    """GET, HEAD, OPTIONS and bare POST, with every body that is not the RFC's pair."""
    before = await rows(site.db)
    dice = random.Random(3)
    bodies = [
        b"",
        b"List-Unsubscribe=",
        b"One-Click",
        b"list-unsubscribe=one-click",
        b"x=1",
        b"{}",
        b"\xff\x00",
        b"undo=0",
    ]
    types = [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=b",
        "application/json",
        "text/plain",
        "",
    ]
    for number in range(REQUESTS):
        path = site.url(dice.choice("up"), site.messages[number % 3])
        method = dice.choice(["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PROPFIND"])
        content = dice.choice(bodies) if method == "POST" else None
        answer = await site.client.request(method, path, content=content, headers={"Content-Type": dice.choice(types)})
        assert answer.status_code in (200, 204, 405)
    assert await rows(site.db) == before


@pytest.mark.parametrize("multipart", [True, False])
async def test_one_click_acts_once_without_cookie_or_redirect(site: Site, multipart: bool) -> None:
    path = site.url("u")
    files = {"List-Unsubscribe": (None, "One-Click")}
    for _ in range(3):
        answer = (
            await site.client.post(path, files=files) if multipart else await site.client.post(path, data=ONE_CLICK)
        )
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
    assert await count(site.db, Suppression, Suppression.reason == "unsubscribed") == 1
    assert await count(site.db, Event) == 1
    assert await count(site.db, Message, Message.unsubscribed_at.is_not(None)) == 1


async def test_every_valid_one_click_holds(db: Database, clock: FakeClock) -> None:
    people = max(REQUESTS // 4, 20)
    site = await make_site(db, clock, people)
    wishes = [message for message in site.messages for _ in range(4)]
    random.Random(4).shuffle(wishes)
    for start in range(0, len(wishes), 10):
        answers = await asyncio.gather(
            *(site.client.post(site.url("u", message), data=ONE_CLICK) for message in wishes[start : start + 10])
        )
        assert {answer.status_code for answer in answers} == {200}
    assert await count(db, Suppression) == await count(db, Event) == people
    await site.client.aclose()


async def test_known_and_unknown_tokens_get_the_same_page(site: Site) -> None:
    for kind in "up":
        for method, data in (
            ("GET", None),
            ("POST", ONE_CLICK),
            ("POST", {"save": "1"}),
            ("POST", {"request": "erase"}),
        ):
            pages = []
            for token in (site.signer.sign(kind, site.messages[1]), "A" * 24, site.signer.sign(kind, 10**9)):
                answer = await site.client.request(method, f"/{kind}/{token}", data=data)
                pages.append((answer.status_code, answer.text.replace(token, "TOKEN"), {**answer.headers}))
            assert pages[0] == pages[1] == pages[2]
            assert "p1@buyer1.example" not in pages[0][1]


async def test_a_token_of_one_kind_opens_no_other_door(site: Site) -> None:
    open_token = site.signer.sign("o", site.messages[0])
    await site.client.post(f"/u/{open_token}", data=ONE_CLICK)
    assert (await site.client.get(f"/c/{open_token}")).status_code == 404
    assert await count(site.db, Suppression) == 0


async def test_undo_and_leave_again(site: Site) -> None:
    path = site.url("u")
    await site.client.post(path, data={"undo": "1"})
    assert await count(site.db, Event) == 0
    await site.client.post(path, data=ONE_CLICK)
    await site.client.post(path, data={"undo": "1"})
    assert await count(site.db, Suppression) == 0
    await site.client.post(path, data=ONE_CLICK)
    assert await count(site.db, Suppression) == 1


async def test_who_does_not_want_to_be_counted_says_so_on_the_page(site: Site) -> None:
    path = site.url("p")
    assert 'name="count" value="1" checked' in (await site.client.get(path)).text
    for sent, counted in (({"counts": "1"}, False), ({}, False), ({"counts": "1", "count": "1"}, True)):
        await site.client.post(path, data={"save": "1", "topic": ["new"], **sent})
        async with site.db.read() as conn:
            people = select(Contact.tracking).join(Message, Message.contact_id == Contact.id)  # type: ignore[call-overload,arg-type]
            assert await conn.scalar(people.where(Message.id == site.messages[0])) is counted
        assert ('name="count" value="1" checked' in (await site.client.get(path)).text) is counted
        site.clock.set(site.clock() + timedelta(seconds=1))


async def test_preferences_are_kept_and_shown_again(site: Site) -> None:
    path = site.url("p")
    data = {"save": "1", "topic": ["new", "nonsense"], "often": "1", "pause": "90"}
    answer = await site.client.post(path, data=data)
    assert "Your choice is saved" in answer.text
    async with site.db.read() as conn:
        row = (await conn.execute(select(Preference.__table__))).one()  # type: ignore[attr-defined]
    assert (row.topics_off, row.mails_per_month) == ({"show": True, "price": True}, 1)
    page = (await site.client.get(path)).text
    assert re.findall(r'value="(\w+)" checked', page) == ["new", "1"]
    assert '<option value="1" selected>' in page


async def test_a_pause_is_shown_with_its_end_and_ended_by_one_press(site: Site) -> None:
    assert "End the pause" not in (await site.client.get(site.url("p"))).text
    await site.client.post(site.url("p"), data={"save": "1", "topic": "new", "pause": "90"})
    day = format_date(site.clock() + timedelta(days=90), "long", locale="en")
    for kind in ("p", "u"):
        page = (await site.client.get(site.url(kind))).text
        assert f"Paused until {day}" in page
        assert 'name="resume" value="1"' in page
        assert 'name="pause"' not in page, "a second pause beside the running one would say nothing"
    assert "结束暂停" in (await site.client.get(site.url("p") + "?lang=zh")).text
    for _ in range(2):  # pressing twice does no harm
        assert "The pause is over" in (await site.client.post(site.url("p"), data={"resume": "1"})).text
    page = (await site.client.get(site.url("p"))).text
    assert "Paused until" not in page
    assert re.findall(r'value="(\w+)" checked', page) == ["new", "1"], "what was chosen besides stays"


async def test_a_pause_that_is_over_is_not_shown(site: Site) -> None:
    await site.client.post(site.url("p"), data={"save": "1", "pause": "90"})
    site.clock.now += timedelta(days=91)
    page = (await site.client.get(site.url("p"))).text
    assert "Paused until" not in page
    assert 'name="pause"' in page


async def test_scanners_end_no_pause(site: Site) -> None:
    await site.client.post(site.url("p"), data={"save": "1", "pause": "90"})
    for method, more in (("GET", "?resume=1"), ("HEAD", ""), ("OPTIONS", ""), ("POST", "")):
        await site.client.request(method, site.url("p") + more)
    assert "Paused until" in (await site.client.get(site.url("p"))).text


async def test_a_request_goes_to_a_person_once_a_day(site: Site) -> None:
    for _ in range(3):
        answer = await site.client.post(site.url("p"), data={"request": "erase"})
        assert "A person looks into it" in answer.text
    (task,) = site.taken.tasks
    assert (task.kind, task.data) == ("privacy", {"request": "erase"})


async def test_the_page_speaks_the_recipients_language(site: Site) -> None:
    path = site.url("u")
    assert 'lang="ar" dir="rtl"' in (await site.client.get(path + "?lang=ar")).text
    guessed = await site.client.get("/u/" + "A" * 24, headers={"Accept-Language": "de-DE,de;q=0.9,en;q=0.8"})
    assert "Von allem abmelden" in guessed.text


async def test_pages_load_and_run_nothing_from_anywhere(site: Site) -> None:
    answer = await site.client.get(site.url("u"))
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert not re.search(r"<script|<img|<link|https?://|javascript:", answer.text)


async def test_a_guess_is_never_echoed(site: Site) -> None:
    answer = await site.client.get('/u/"><script>alert(1)</script>')
    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert 'action="/u/scriptalert1script?lang=en"' in answer.text


async def test_a_large_body_is_refused(site: Site) -> None:
    answer = await site.client.post(site.url("u"), content=b"List-Unsubscribe=One-Click&x=" + b"a" * 9000)
    assert answer.status_code == 413
    assert await count(site.db, Suppression) == 0


async def test_an_error_is_never_a_yes(site: Site) -> None:
    await site.db.close()
    site.app.store.db = Database("postgresql://nobody@127.0.0.1:1/none")
    answer = await site.client.post(site.url("u"), data=ONE_CLICK)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "60"
    await site.app.store.db.close()


async def test_health_and_readiness(site: Site) -> None:
    assert (await site.client.get("/healthz")).json() == {"ok": True}
    assert (await site.client.get("/readyz")).json() == {"ok": True}
    site.app.db = Database("postgresql://nobody@127.0.0.1:1/none")
    assert (await site.client.get("/readyz")).status_code == 503
    assert (await site.client.get("/healthz")).status_code == 200
    await site.app.db.close()


async def test_other_paths_go_to_the_staff_app(site: Site) -> None:
    seen = []

    async def inner(scope: object, receive: object, send: object) -> None:
        seen.append(scope["path"])  # type: ignore[index]
        await send({"type": "http.response.start", "status": 418, "headers": []})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b""})  # type: ignore[operator]

    site.app.inner = inner
    for path in ("/", "/login", "/c", "/open/x", "/healthz/x"):
        assert (await site.client.get(path)).status_code == 418
    assert len(seen) == 5


@pytest.mark.parametrize(
    ("peer", "forwarded", "believed"),
    [
        ("203.0.113.9", "198.51.100.7", "203.0.113.9"),
        ("10.0.0.2", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.2", "1.2.3.4, 198.51.100.7, 10.0.0.3", "198.51.100.7"),
        ("10.0.0.2", "junk", "10.0.0.2"),
        ("10.0.0.2", "1.2.3.4, junk", "10.0.0.2"),
    ],
)
async def test_only_our_own_proxies_are_believed(
    db: Database, clock: FakeClock, peer: str, forwarded: str, believed: str
) -> None:
    site = await make_site(db, clock, 1, trusted_proxies=["10.0.0.0/8"])
    transport = httpx.ASGITransport(app=site.app, client=(peer, 1))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
        await client.get(site.url("o"), headers={"X-Forwarded-For": forwarded})
    (hit,) = site.app.flusher._waiting
    assert hit.ip == believed
    await site.client.aclose()
    await site.app.stop()


async def test_events_survive_a_database_that_is_away(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await site.client.get(site.url("o"))
    real = site.app.store.keep

    async def refuse(*args: object, **how: object) -> int:
        raise OSError("disk full")

    monkeypatch.setattr(site.app.store, "keep", refuse)
    assert not await site.app.flusher.flush()
    monkeypatch.setattr(site.app.store, "keep", real)
    await site.client.get(site.url("o", site.messages[1]))
    assert await site.app.flusher.flush()
    assert await count(site.db, Event, Event.kind == EventKind.OPEN, Event.machine.is_(False)) == 2


async def test_where_writing_is_late_an_answer_waits_for_its_own_event(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is answered and not written yet bounds what a kill may lose."""
    monkeypatch.setattr("outreach.tracking.worker.LATE", 0.0)
    writing, go_on = asyncio.Event(), asyncio.Event()
    real = site.app.store.keep

    async def slow(*args: Any, **options: Any) -> int:
        writing.set()
        await go_on.wait()
        return await real(*args, **options)

    monkeypatch.setattr(site.app.store, "keep", slow)
    first = asyncio.create_task(site.client.get(site.url("o")))
    await writing.wait()
    second = asyncio.create_task(site.client.get(site.url("o", site.messages[1])))
    for _ in range(50):
        await asyncio.sleep(0)
    assert not first.done(), "its batch is being written"
    assert not second.done(), "the batch after it, too"
    go_on.set()
    assert {(await first).status_code, (await second).status_code} == {200}
    assert await count(site.db, Event) == 2


async def test_the_last_events_are_written_before_the_app_ends(site: Site) -> None:
    told: list[str] = []
    inbox: asyncio.Queue[dict[str, str]] = asyncio.Queue()

    async def send(message: dict[str, str]) -> None:
        told.append(message["type"])

    await inbox.put({"type": "lifespan.startup"})
    life = asyncio.create_task(site.app({"type": "lifespan"}, inbox.get, send))  # type: ignore[arg-type]
    for message in site.messages:
        await site.client.get(site.url("o", message))
    await inbox.put({"type": "lifespan.shutdown"})
    await life
    assert told == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert await count(site.db, Event) == 3

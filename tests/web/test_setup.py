"""The first run: the first administrator, company and mailbox from the pages, and what the guide says is next."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from outreach.app.build import App, open_app
from outreach.config import load
from outreach.model import AuditEntry, Mailbox
from outreach.model.base import table
from outreach.web import create_app
from outreach.web.pages.setup import setup_code
from tests.fakes.schema import prepare
from tests.web.house import House, Visitor
from tests.web.seed import NOW

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a long enough sentence"
COMPANY = {"company": "Minxu Lighting", "postal_address": "18 Guangming Road, Zhongshan", "website": "", "country": "CN", "timezone": "Asia/Shanghai"}  # fmt: skip
BOX = {"provider": "tencent-exmail", "address": "export@minxu.example", "password": "client-code-1", "owner": ""}


class New(House):
    """A service that was just installed: the example configuration, no user."""

    def __init__(self, app: App) -> None:
        self.db, self.outreach, self.now = app.db, app, NOW
        self.web = create_app(app, clock=lambda: self.now)

    @property
    def code(self) -> str:
        return setup_code(self.outreach.secret)

    async def begin(self, client: Any) -> Visitor:
        form = {"code": self.code, "name": "chen.hui", "shown": "陈慧", "password": PASSWORD}
        answer = await client.post("/setup", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, "/start")
        return Visitor(client)


@pytest.fixture
async def new(tmp_path: Path) -> AsyncIterator[New]:
    """The service as `outreach init` leaves it."""
    shutil.copy(ROOT / "config.example.toml", tmp_path / "config.toml")
    prepare(tmp_path / "outreach.db")
    app = await open_app(load(tmp_path / "config.toml"), now=NOW, migrate_first=True)
    yield New(app)
    await app.close()


async def test_the_first_administrator_needs_the_code_and_comes_once(new: New) -> None:
    async with new.client() as client:
        assert (await client.get("/setup?code=" + "0" * 20)).status_code == 404
        assert (await client.get("/setup")).status_code == 404
        assert (await client.get(f"/setup?code={new.code}")).status_code == 200
        weak = {"code": new.code, "name": "chen.hui", "shown": "", "password": "short"}
        answer = await client.post("/setup", data=weak)
        assert answer.status_code == 422
        assert "10 个字符" in answer.text or "10 characters" in answer.text
        await new.begin(client)
    async with new.client() as other:
        assert (await other.get(f"/setup?code={new.code}")).status_code == 404
        again = await other.post("/setup", data=weak | {"password": PASSWORD})
        assert again.status_code == 404


async def test_the_guide_follows_what_is_there(new: New) -> None:
    async with new.client(headers={"accept-language": "en"}) as client:
        visitor = await new.begin(client)
        page = await visitor.get("/start")
        assert "0 of 6 done" in page.text, "the example's company and mailbox count as nothing"
        answer = await visitor.post("/settings/company", COMPANY | {"next": "/start"})
        assert answer.headers["location"] == "/start"
        answer = await visitor.post("/settings/mailboxes/save", BOX | {"guide": "1"})
        assert re.fullmatch(r"/settings/mailboxes/\d+\?doctor=1&guide=1", answer.headers["location"])
        page = await visitor.get("/start")
        assert "2 of 6 done" in page.text
        assert "Minxu Lighting" in page.text, "the frame carries the new name at once"
        assert "2 of 6 done" in (await visitor.get("/")).text, "the guide stays on Today until all is done"


async def test_a_mailbox_from_the_page_is_what_the_service_sends_from(new: New) -> None:
    async with new.client(headers={"accept-language": "en"}) as client:
        visitor = await new.begin(client)
        await visitor.post("/settings/mailboxes/save", BOX)
        settings = load(new.outreach.settings.file)
        assert [box.name for box in settings.mailbox] == ["export"]
        box = new.outreach.settings.mailbox_named("export")
        assert box == settings.mailbox[0]
        assert (box.smtp.host, box.user) == ("smtp.exmail.qq.com", "export@minxu.example")
        assert box.password is not None
        assert box.password.read() == "client-code-1"
        assert "client-code-1" not in new.outreach.settings.file.read_text()
        number = new.outreach.mailbox_ids["export"]
        shown = await visitor.get(f"/settings/mailboxes/{number}")
        assert "client-code-1" not in shown.text
        async with new.db.read() as conn:
            rows = {row.name: row.state for row in await conn.execute(select(table(Mailbox)))}
            told = (await conn.execute(select(table(AuditEntry)))).all()
        assert rows == {"sales": "disabled", "export": "active"}, "the example's mailbox has made way"
        assert "mailbox.configured" in [row.action for row in told]
        assert "client-code-1" not in str(told)


async def test_changing_and_removing_a_mailbox(new: New) -> None:
    async with new.client(headers={"accept-language": "en"}) as client:
        visitor = await new.begin(client)
        await visitor.post("/settings/mailboxes/save", BOX)
        change = BOX | {"was": "export", "password": "", "per_day": "300", "smtp_host": "127.0.0.1", "smtp_port": "2525", "smtp_tls": "none"}  # fmt: skip
        await visitor.post("/settings/mailboxes/save", change)
        box = new.outreach.settings.mailbox_named("export")
        assert (box.limits.per_day, box.smtp.port) == (300, 2525)
        assert box.password is not None, "an empty field keeps the stored password"
        answer = await visitor.post("/settings/mailboxes/remove", {"name": "export"})
        assert answer.status_code == 303
        assert new.outreach.settings.mailbox == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"address": "nobody"}, "looks like sales@"),
        ({"provider": "generic", "smtp_host": ""}, "no preset"),
        ({"smtp_host": "mail.minxu.example", "smtp_tls": "none"}, "choose TLS"),
        ({"smtp_host": "evil host"}, "A server looks like"),
        ({"per_day": "many"}, "whole numbers"),
        ({"name": "../../etc"}, "short name"),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_is_written(new: New, wrong: dict[str, str], said: str) -> None:
    async with new.client(headers={"accept-language": "en"}) as client:
        visitor = await new.begin(client)
        before = new.outreach.settings.file.read_bytes()
        answer = await visitor.post("/settings/mailboxes/save", BOX | wrong)
        assert answer.status_code == 422
        assert said in answer.text
        assert new.outreach.settings.file.read_bytes() == before


async def test_another_process_takes_the_change_over(new: New) -> None:
    other = await open_app(load(new.outreach.settings.file), now=NOW)
    try:
        assert not await other.adopt_if_changed(NOW)
        async with new.client() as client:
            visitor = await new.begin(client)
            await visitor.post("/settings/mailboxes/save", BOX)
        assert await other.adopt_if_changed(NOW)
        assert [box.name for box in other.settings.mailbox] == ["export"]
        assert set(other.mailbox_ids) == {"export"}
    finally:
        await other.close()


@pytest.mark.parametrize(
    "host",
    ["10.0.0.5", "192.168.1.1", "169.254.169.254", "172.16.3.4", "100.64.0.1", "fd00::5", "0.0.0.0"],
)
@pytest.mark.parametrize("kind", ["smtp", "imap"])
async def test_a_mail_server_inside_is_not_taken_from_a_form(new: New, host: str, kind: str) -> None:
    async with new.client(headers={"accept-language": "en"}) as client:
        visitor = await new.begin(client)
        before = new.outreach.settings.file.read_bytes()
        inside = {f"{kind}_host": host, f"{kind}_port": "993", f"{kind}_tls": "implicit"}
        answer = await visitor.post("/settings/mailboxes/save", BOX | inside)
        assert (answer.status_code, "has an inner address" in answer.text) == (422, True)
        assert new.outreach.settings.file.read_bytes() == before


async def test_a_server_inside_that_config_toml_names_stays(new: New) -> None:
    async with new.client(headers={"accept-language": "en"}) as client:
        visitor = await new.begin(client)
        await visitor.post("/settings/mailboxes/save", BOX | {"smtp_host": "127.0.0.1", "smtp_port": "2525"})
        file = new.outreach.settings.file
        file.write_text(file.read_text().replace("127.0.0.1", "10.0.0.5"))
        assert await new.outreach.adopt_if_changed(NOW)
        change = BOX | {"was": "export", "smtp_host": "10.0.0.5", "smtp_port": "2525", "per_day": "300"}
        assert (await visitor.post("/settings/mailboxes/save", change)).status_code == 303

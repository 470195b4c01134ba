"""B1, H4: from the website's form to a contact with consent and evidence, and nobody is annoyed on the way."""

from __future__ import annotations

import email
import email.policy
import re
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from outreach.app.signup import send_confirmations
from outreach.db.session import Database
from outreach.main import with_sign_up
from outreach.model import Consent, Contact, EmailAddress, SignUp
from outreach.model.base import table
from outreach.tracking.signup.views import SignUpApp
from tests.fakes.smtp import ScriptedSMTP, drop, reply
from tests.web.house import BASE, House

SIGNUPS, CONTACTS, ADDRESSES, CONSENTS = table(SignUp), table(Contact), table(EmailAddress), table(Consent)


class Website:
    """A house with a sign-up form, visited from several addresses."""

    def __init__(self, house: House) -> None:
        house.outreach.settings = house.outreach.settings.model_copy(
            update={
                "signup": house.outreach.settings.signup.model_copy(update={"mailbox": "info", "interests": ["LED"]})
            }
        )
        self.house = house
        self.app = with_sign_up(house.web, house.outreach)
        assert isinstance(self.app, SignUpApp)
        self.app.clock = lambda: house.now

    def visitor(self, ip: str = "203.0.113.7", **headers: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=(ip, 5000))
        return httpx.AsyncClient(transport=transport, base_url=BASE, headers={"accept-language": "en", **headers})

    async def ask(self, address: str, ip: str = "203.0.113.7", **more: Any) -> httpx.Response:
        async with self.visitor(ip) as visitor:
            return await visitor.post("/j/", data={"email": address, **more})

    async def send(self) -> int:
        return await send_confirmations(self.house.outreach, self.house.now)

    async def rows(self, source: Any = SIGNUPS) -> list[Any]:
        async with self.house.db.read() as conn:
            return list((await conn.execute(select(source).order_by(source.c.id))).all())


@pytest.fixture
async def site(seeded: Path, tmp_path: Path, scripted_smtp: ScriptedSMTP) -> AsyncIterator[Website]:
    path = tmp_path / "house.db"
    shutil.copy(seeded, path)
    built = House(Database(f"sqlite:///{path}"), scripted_smtp.port)
    yield Website(built)
    await built.db.close()


def link_in(raw: bytes) -> str:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    found = re.search(r"http://[^/]+(/j/\S+)", message.get_content())
    assert found
    return found[1]


async def test_from_the_form_to_a_contact_with_consent(site: Website, scripted_smtp: ScriptedSMTP) -> None:
    assert (await site.visitor().get("/j/")).status_code == 200
    asked = await site.ask("ana.silva@loja.example", first_name="Ana", last_name="Silva", interest="LED")
    assert "Please look into your mailbox" in asked.text
    assert await site.send() == 1
    (mail,) = scripted_smtp.messages
    path = link_in(mail.data)
    async with site.visitor(**{"user-agent": "Firefox"}) as visitor:
        shown = await visitor.get(path)
        assert "Yes, write to me" in shown.text
        assert len(await site.rows(ADDRESSES)) == len({row.normal for row in await site.rows(ADDRESSES)})
        done = await visitor.post(path)
        assert "it is confirmed" in done.text
        assert (await visitor.post(path)).status_code == 410, "a link holds once"
    async with site.house.db.read() as conn:
        found = select(ADDRESSES.c.contact_id).where(ADDRESSES.c.normal == "ana.silva@loja.example")
        contact = (await conn.execute(select(CONTACTS).where(CONTACTS.c.id.in_(found)))).one()
        consent = (await conn.execute(select(CONSENTS).where(CONSENTS.c.contact_id == contact.id))).one()
    assert (contact.first_name, contact.basis, contact.source) == ("Ana", "consent", "sign-up")
    assert "203.0.113.7" in consent.evidence
    assert "I can withdraw this at any time" in consent.evidence
    (kept,) = await site.rows()
    assert (kept.state, kept.address, kept.evidence) == ("confirmed", "", {})


async def test_links_that_scanners_follow_confirm_nothing(site: Website, scripted_smtp: ScriptedSMTP) -> None:
    await site.ask("ana@loja.example")
    await site.send()
    path = link_in(scripted_smtp.messages[0].data)
    async with site.visitor() as scanner:
        for method in ("GET", "HEAD", "OPTIONS", "PUT"):
            await scanner.request(method, path)
    assert (await site.rows())[0].state == "sent"


async def test_nobody_is_mailed_twice_or_against_their_will(site: Website, scripted_smtp: ScriptedSMTP) -> None:
    await site.house.outreach.suppression.add("gone@loja.example", source="test", now=site.house.now)
    for address in ("ana@loja.example", "ANA@loja.example", "gone@loja.example", "ana@loja.example"):
        assert "Please look into your mailbox" in (await site.ask(address)).text, "all are answered alike"
    assert await site.send() == 1
    assert await site.send() == 0
    assert len(scripted_smtp.messages) == 1
    site.house.now += timedelta(hours=25)
    await site.ask("ana@loja.example")
    assert await site.send() == 1


async def test_a_server_that_hangs_up_gets_no_second_mail(site: Website, scripted_smtp: ScriptedSMTP) -> None:
    scripted_smtp.on("DOT", drop(accept=True))
    await site.ask("ana@loja.example")
    await site.send()
    assert await site.send() == 0
    assert len(scripted_smtp.messages) == 1
    async with site.visitor() as visitor:
        assert (await visitor.post(link_in(scripted_smtp.messages[0].data))).status_code == 200


async def test_a_refused_mail_may_be_asked_for_again(site: Website, scripted_smtp: ScriptedSMTP) -> None:
    scripted_smtp.on("RCPT", reply("550 5.7.1 refused"), times=1)
    await site.ask("ana@loja.example")
    assert await site.send() == 0
    assert (await site.rows())[0].state == "failed"
    await site.ask("ana@loja.example")
    assert await site.send() == 1


async def test_programs_are_held_off(site: Website) -> None:
    assert (await site.ask("bot@loja.example", website="http://spam")).status_code == 200
    assert await site.rows() == []
    for number in range(12):
        answer = await site.ask(f"p{number}@loja.example", ip=f"203.0.113.{number}")
    assert answer.status_code == 429
    assert len(await site.rows()) == 10
    assert (await site.ask("other@loja.example", ip="198.51.100.1")).status_code == 200
    assert (await site.ask("no address")).status_code == 422
    async with site.visitor() as visitor:
        assert (await visitor.post("/j/", content=b"x" * 20_000)).status_code == 413


async def test_guessed_links_hold_nothing(site: Website) -> None:
    async with site.visitor() as visitor:
        for token in ("x", "A" * 43, "%2e%2e%2fetc", "%00", "a" * 5000):
            assert (await visitor.get(f"/j/{token}")).status_code == 410
            assert (await visitor.post(f"/j/{token}")).status_code == 410


async def test_what_nobody_confirms_is_deleted_after_a_week(site: Website, scripted_smtp: ScriptedSMTP) -> None:
    await site.ask("ana@loja.example")
    await site.send()
    path = link_in(scripted_smtp.messages[0].data)
    site.house.now += timedelta(days=8)
    async with site.visitor() as visitor:
        assert (await visitor.post(path)).status_code == 410
    assert site.house.outreach.signups is not None
    assert await site.house.outreach.signups.forget(site.house.now) == 1
    assert await site.rows() == []


async def test_a_restored_copy_sends_none(site: Website, scripted_smtp: ScriptedSMTP) -> None:
    from sqlalchemy import insert

    from outreach.model import Instance

    async with site.house.db.write() as conn:
        await conn.execute(insert(table(Instance)).values(id=1, hold_reason="restored", data={}))
    await site.ask("ana@loja.example")
    assert await site.send() == 0
    assert scripted_smtp.messages == []
    assert (await site.rows())[0].state == "waiting"


async def test_without_a_mailbox_there_is_no_form(house: House) -> None:
    assert with_sign_up(house.web, house.outreach) is house.web

"""Preflight: what would hurt a campaign is told before it is sent, and what breaks a rule is refused by its name."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from outreach.access.roles import OPERATOR
from outreach.app import campaigns as use
from outreach.app.build import App, gates_of, open_app
from outreach.app.doctor import _domain
from outreach.app.preflight import Preflight, preflight
from outreach.audience.importing.store import ImportOptions
from outreach.campaigns.store import CampaignError
from outreach.config import load
from outreach.config.settings import TopicSettings
from outreach.content.client import Streams
from tests.fakes.outside import spamd, zone
from tests.fakes.schema import prepare
from tests.flow.house import CONFIG, START, Clock, add_people, approved, drafted, installed, work

STEP = '[[step]]\nafter_days = 2\ntemplate = "{}"\n'
BODY = """<mjml><mj-body><mj-section><mj-column>
<mj-text>{text} Nothing else is said here, and it is said in quite a number of words, so that it reads well.</mj-text>
</mj-column></mj-section></mj-body></mjml>"""


@pytest.fixture
def clock() -> Clock:
    return Clock()


def write_template(folder: Path, name: str, text: str, more: str = "", subject: str = "Terms for 2027") -> None:
    """A company's own template of one paragraph."""
    place = folder / "templates" / name
    place.mkdir(parents=True)
    (place / "body.mjml").write_text(BODY.format(text=text))
    preview = "What changes in spring, and what stays as it is for you."
    (place / "template.toml").write_text(f'subject = "{subject}"\npreview = "{preview}"\n{more}')


async def add(app: App, folder: Path, rows: str, header: str = "email,first_name,company,country,basis") -> None:
    (folder / "more.csv").write_text(f"{header}\n{rows}")
    await app.audience.import_file(
        folder / "more.csv", ImportOptions(source="fair"), now=START, rejects=folder / "r.csv"
    )


async def test_a_topic_must_be_one_that_can_be_chosen(tmp_path: Path, smtp_sink: Any, clock: Clock) -> None:
    async with installed(tmp_path, smtp_sink.port) as app:
        await add_people(app, tmp_path, 1)
        assert codes(await look(app, clock))["topic.none"]["severity"] == "warning"
        named = await drafted(app, clock, "Named", topic="price")
        assert "topic.none" not in codes(await preflight(app, named, clock()))
        with pytest.raises(CampaignError, match="no topic 'pirce'; there are: new, show, price"):
            await drafted(app, clock, "Typed wrong", topic="pirce")
        own = TopicSettings(key="lamps", title={"en": "Street lights"})
        app.settings = app.settings.model_copy(update={"topic": [own]})
        assert [(one.key, one.text("", "zh")) for one in app.topics] == [("lamps", "Street lights")]
        with pytest.raises(CampaignError, match="there are: lamps"):
            await drafted(app, clock, "Gone", topic="price")


async def look(app: App, clock: Clock, more: str = "", lang: str = "en", **fields: str) -> Preflight:
    """A draft's preflight; `fields` replace lines of the campaign file."""
    campaign = await drafted(app, clock, "Trial", more, **fields)
    return await preflight(app, campaign, clock(), lang=lang)


def codes(found: Preflight) -> dict[str, dict[str, Any]]:
    return {problem["code"]: problem for problem in found.problems}


async def test_a_follow_up_that_repeats_the_first_mail_is_refused(tmp_path: Path, clock: Clock) -> None:
    async with installed(tmp_path, 1) as app:
        await add_people(app, tmp_path, 3)
        assert "wording.same" not in codes(await look(app, clock, STEP.format("follow-up")))
        found = codes(await look(app, clock, STEP.format("follow-up") + STEP.format("product-launch")))
        assert found["wording.same"]["severity"] == "error"
        campaign = await drafted(app, clock, "Same", STEP.format("product-launch"))
        with pytest.raises(CampaignError, match=r"wording\.same"):
            await use.submit(app, campaign, OPERATOR, clock())
        with pytest.raises(CampaignError, match="几乎一样"):
            await use.submit(app, campaign, OPERATOR, clock(), lang="zh")


async def test_a_mail_that_these_people_had_already_is_named(tmp_path: Path, smtp_sink: Any, clock: Clock) -> None:
    async with installed(tmp_path, smtp_sink.port) as app:
        await add_people(app, tmp_path, 4)
        campaign = await approved(app, clock, "Spring")
        await use.start(app, campaign, OPERATOR, clock())
        await work(app, clock)
        clock.pass_days(30)
        await add(app, tmp_path, "new@firm.example,Neil,Firm,GB,customer")
        again = codes(await look(app, clock))["wording.again"]
        assert again["severity"] == "warning"
        assert again["message"].startswith("4 of these people got nearly the same mail in “Spring” on 24 Nov 2026")
        assert "wording.again" not in codes(await look(app, clock, template="holiday-greeting"))


async def test_who_lacks_a_value_is_counted(tmp_path: Path, clock: Clock) -> None:
    write_template(tmp_path, "own", "{{ city }} and {{ owner.phone }}.", 'variables = { "owner.phone" = "our office" }')
    async with installed(tmp_path, 1) as app:
        header = "email,first_name,company,country,basis,city"
        await add(app, tmp_path, "a@a.example,A,A,GB,customer,Leeds\nb@b.example,B,B,GB,customer,\n", header)
        await add(app, tmp_path, "c@c.example,C,C,GB,customer,\n", header)
        problem = codes(await look(app, clock, template="own"))["variable.lacking"]
        assert problem["severity"] == "error"
        assert problem["message"].startswith("2 of 3 recipients have no “city”")
        assert (
            "3 位收件人中有 2 位缺少"
            in codes(await look(app, clock, lang="zh", template="own"))["variable.lacking"]["message"]
        )


async def test_missing_translations_are_counted(tmp_path: Path, clock: Clock) -> None:
    async with installed(tmp_path, 1) as app:
        await add(
            app,
            tmp_path,
            "\n".join(f"p{n}@f{n}.example,P,F{n},{c},customer" for n, c in enumerate(["FR", "FR", "GB", "BR"])),
        )
        found = await look(app, clock, segment="country in (FR, GB, BR)")
        told = [p["message"] for p in found.problems if p["code"] == "language.untranslated"]
        assert told[0].startswith("2 recipients read French (fr)")
        assert told[1].startswith("1 recipients read Portuguese (pt)")
        assert len(told) == 2


async def test_findings_stand_in_the_readers_language_down_to_their_details(tmp_path: Path, clock: Clock) -> None:
    async with installed(tmp_path, 1) as app:
        await add(app, tmp_path, "a@firm1.example,A,One,FR,customer\nb@firm2.example,B,Two,FR,customer\n")
        test = """
[test]
[[variant]]
name = "a"
[[variant]]
name = "b"
subject = "Your lamps for the coming season"
"""
        found = await look(app, clock, test, lang="zh", segment="country = FR")
        told = codes(found)
        assert "点击率从 3.0% 起提升 30%" in told["test.small"]["message"]
        assert "不会判定胜者" in told["test.small"]["message"]
        assert "使用法语 (fr)" in told["language.untranslated"]["message"]
        nobody = await look(app, clock, lang="zh", segment="country = NO")
        assert "没有符合条件的联系人" in codes(nobody)["no_recipients"]["message"]
        english = await look(app, clock, test, segment="country = FR")
        assert "a rise of 30% in clicks from 3.0%" in codes(english)["test.small"]["message"]


async def test_why_nobody_is_left_is_told_in_words(tmp_path: Path, clock: Clock) -> None:
    async with installed(tmp_path, 1) as app:
        await add(app, tmp_path, "a@firm1.example,A,One,DE,none\n")
        found = await look(app, clock, lang="zh", segment="country = DE")
        message = codes(found)["no_recipients"]["message"]
        assert "所在国家的规则不允许" in message
        assert ": 1" not in message


async def test_dead_links_and_the_domains_records(tmp_path: Path, clock: Clock) -> None:
    link = '<a href="https://www.mingxu-lights.com/{}">here</a>'
    write_template(tmp_path, "own", link.format("gone") + link.format("new"))
    records = {
        ("www.mingxu-lights.com", "A"): ["93.184.215.14"],
        ("mingxu-lights.com", "TXT"): ['"v=spf1 +all"'],
        ("mingxu-lights.com", "MX"): ["10 mx.mingxu-lights.com."],
        ("mx.mingxu-lights.com", "A"): ["93.184.215.15"],
    }
    async with zone(records) as resolver, website() as connector, real(tmp_path) as app:
        app.outside.resolver, app.outside.connector = resolver, connector
        await add_people(app, tmp_path, 1)
        found = await look(app, clock, template="own")
        assert [p["message"] for p in found.problems if p["code"] == "link.dead"] == [
            "https://www.mingxu-lights.com/gone does not answer as it should: HTTP 404."
        ]
        assert {"dns.spf_open", "dns.dmarc_missing", "dns.dkim_unseen", "dns.ptr_missing"} <= set(codes(found))
        check = await _domain(app, app.settings.mailbox[0], "zh")
        assert not check["ok"]
        assert "任何人都可冒名发信" in check["detail"]
        assert "-all" in check["fix"]


@pytest.mark.parametrize(
    ("signed", "bounces", "passes"),
    [("", "", True), ("relay-esp.com", "relay-esp.com", False), ("m.mingxu-lights.com", "relay-esp.com", True)],
)
async def test_a_relay_of_another_name_must_align(tmp_path: Path, signed: str, bounces: str, passes: bool) -> None:
    """A mail whose envelope and signature both belong to the relay fails DMARC: the doctor and the preflight say so."""
    records = {
        ("mingxu-lights.com", "TXT"): ['"v=spf1 include:relay-esp.com -all"'],
        ("_dmarc.mingxu-lights.com", "TXT"): ['"v=DMARC1; p=reject; rua=mailto:d@mingxu-lights.com"'],
        ("mingxu-lights.com", "MX"): ["10 mx.mingxu-lights.com."],
    }
    async with zone(records) as resolver, real(tmp_path) as app:
        app.outside.resolver = resolver
        box = app.settings.mailbox[0].model_copy(update={"dkim_domain": signed, "bounce_domain": bounces})
        found = [problem.code for problem in await app.outside.domain(box)]
        assert ("dns.dmarc_unaligned" not in found) is passes


async def test_a_resolver_that_is_silent_or_knows_no_root_refuses_nothing(tmp_path: Path, clock: Clock) -> None:
    write_template(tmp_path, "own", '<a href="https://www.unknown-lights.com/">here</a>')
    async with zone({("silent.net", "A"): []}) as resolver, real(tmp_path, "silent.mingxu-lights.com") as app:
        app.outside.resolver = resolver
        app.outside.patience = 0.2
        await add_people(app, tmp_path, 1)
        found = await look(app, clock, template="own")
        assert codes(found)["link.unchecked"]["severity"] == "warning"
        assert codes(found)["dns.silent"]["severity"] == "warning"
        assert not found.blocking


async def test_the_spam_filters_score_stands_in_the_findings(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = b"SPAMD/1.1 0 EX_OK\r\nContent-length: 12\r\nSpam: {} ; {} / 5.0\r\n\r\nHTML_MESSAGE\r\n"
    for told, points, code in ((b"True", b"6.4", "spamd.spam"), (b"False", b"0.2", "spamd.score")):
        async with spamd(answer.replace(b"{}", told, 1).replace(b"{}", points, 1)) as port:
            monkeypatch.setenv("OUTREACH_WEB__SPAMD", f"127.0.0.1:{port}")
            folder = tmp_path / told.decode()
            folder.mkdir()
            async with installed(folder, 1) as app:
                await add_people(app, folder, 1)
                problem = codes(await look(app, clock))[code]
                assert "HTML_MESSAGE" in problem["message"]
                assert problem["severity"] != "error"


async def test_an_unsubscribe_address_that_nobody_reaches_is_refused(tmp_path: Path, clock: Clock) -> None:
    async with real(tmp_path, base="http://127.0.0.1:8000") as app:
        await add_people(app, tmp_path, 1)
        found = codes(await look(app, clock))
        assert found["unsubscribe.local"]["severity"] == "error"
        assert found["mailbox.unread"]["severity"] == "warning"
    async with installed(tmp_path, 1) as app:  # a trial on this machine
        assert "unsubscribe.local" not in codes(await look(app, clock))


async def test_the_companys_own_country_rules(tmp_path: Path, clock: Clock) -> None:
    rules = (
        '[[gate]]\nid = "DE-UWG-7"\ncountries = []\nen = "off"\nzh = "停用"\nsource = "our counsel, 2026-11-02"\n'
        '[[gate]]\nid = "GB-OURS"\ncountries = ["GB"]\nbasis = ["consent"]\nen = "x"\nzh = "某"\nsource = "counsel"\n'
    )
    rows = "a@a.example,A,A,DE,none\nb@b.example,B,B,GB,customer\nc@c.example,C,C,CA,none"
    async with installed(tmp_path, 1) as app:
        await add(app, tmp_path, rows)
        found = await look(app, clock, segment="country in (DE, GB, CA)")
        assert found.skipped == {"gate:DE-UWG-7": 1, "gate:CA-CASL-6": 1}
        (tmp_path / "gates.toml").write_text(rules)
        app.gates = gates_of(app.settings)
        found = await look(app, clock, segment="country in (DE, GB, CA)")
        assert found.skipped == {"gate:GB-OURS": 1, "gate:CA-CASL-6": 1}
        assert found.recipients == 1


async def test_a_basis_that_is_too_old_and_a_mark_that_a_follow_up_lacks(tmp_path: Path, clock: Clock) -> None:
    header = "email,first_name,company,country,basis,basis_date"
    async with installed(tmp_path, 1) as app:
        await add(app, tmp_path, "a@a.example,A,A,CA,inquiry,2026-01-02\nb@b.example,B,B,CN,consent,2026-01-02", header)
        assert (await look(app, clock, segment="country = CA")).skipped == {"gate:CA-CASL-6": 1}
        marked = await look(app, clock, 'subject = "AD: new lamps"', segment="country = CN")
        assert marked.recipients == 1
        later = await look(app, clock, 'subject = "AD: new lamps"\n' + STEP.format("follow-up"), segment="country = CN")
        assert later.skipped == {"gate:CN-EMAIL-14": 1}


def real(folder: Path, domain: str = "mingxu-lights.com", base: str = "https://t.mingxu-lights.com") -> Any:
    """An installation whose mailbox is not on this machine."""
    text = CONFIG.format(port=1).replace('"127.0.0.1", port = 1, tls = "none"', f'"mx.{domain}", port = 465')
    text = text.replace("sales@mingxu.example", f"sales@{domain}").replace("http://127.0.0.1:8000", base)

    class Installed:
        async def __aenter__(self) -> App:
            (folder / "config.toml").write_text(text)
            prepare(folder / "outreach.db")
            self.app = await open_app(load(folder / "config.toml"), now=START, migrate_first=True)
            return self.app

        async def __aexit__(self, *error: object) -> None:
            await self.app.close()

    return Installed()


class website:
    """A web server on loopback that knows everything but /gone, and the connector that leads there."""

    async def __aenter__(self) -> Any:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            writer.write(b"HTTP/1.1 404 No\r\n\r\n" if "/gone" in head else b"HTTP/1.1 200 OK\r\n\r\n")
            await writer.drain()
            writer.close()

        self.server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = self.server.sockets[0].getsockname()[1]

        async def connector(address: str, _port: int, host: str, tls: bool) -> Streams:
            return await asyncio.open_connection("127.0.0.1", port)

        return connector

    async def __aexit__(self, *error: object) -> None:
        self.server.close()

"""The law of the recipient's country: what each mail to sixty countries carries, and campaigns that break a rule."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from outreach.access.roles import OPERATOR
from outreach.app import campaigns as use
from outreach.app.build import App
from outreach.campaigns.store import CampaignError
from outreach.content.gates import gates, pixel_allowed
from tests.app.test_preflight import STEP, add, real, write_template
from tests.flow.house import Clock, actor, approved, drafted, installed, rows, work

COUNTRIES = [
    "AE",
    "AR",
    "AT",
    "AU",
    "BD",
    "BE",
    "BG",
    "BR",
    "CA",
    "CH",
    "CL",
    "CN",
    "CO",
    "CY",
    "CZ",
    "DE",
    "DK",
    "EE",
    "EG",
    "ES",
    "FI",
    "FR",
    "GB",
    "GR",
    "HK",
    "HR",
    "HU",
    "ID",
    "IE",
    "IL",
    "IN",
    "IS",
    "IT",
    "JP",
    "KE",
    "KR",
    "LT",
    "LU",
    "LV",
    "MA",
    "MX",
    "MY",
    "NG",
    "NL",
    "NO",
    "NZ",
    "PE",
    "PH",
    "PK",
    "PL",
    "PT",
    "RO",
    "RU",
    "SA",
    "SE",
    "SG",
    "SI",
    "SK",
    "TH",
    "TR",
    "US",
    "VN",
    "ZA",
]
PIXEL = re.compile(r'<img src="http://127\.0\.0\.1:8000/o/[\w.-]+\.gif" width="1"')
LEGAL = {
    "DE": "You may object",
    "FR": "We are responsible",
    "US": "advertisement",
    "CA": "60 days",
    "AU": "30 days",
    "CN": "商业广告邮件",
}


def body_of(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


async def test_every_message_to_sixty_countries_carries_what_the_rules_ask_for(tmp_path: Path, smtp_sink: Any) -> None:
    clock = Clock()
    async with installed(tmp_path, smtp_sink.port) as app:
        people = [f"ok-{c.lower()}@{c.lower()}.example,Pat,Firm {c},{c},customer" for c in COUNTRIES]
        people += [f"no-{c.lower()}@{c.lower()}.example,Nic,Firm {c},{c},none" for c in COUNTRIES]
        people += ["ok-zz@zz.example,Pat,Firm ZZ,,consent", "no-zz@zz.example,Nic,Firm ZZ,,public-business"]
        await add(app, tmp_path, "\n".join(people))
        campaign = await approved(
            app, clock, more='subject = "AD: floodlights for {{ company }}"', segment="source = fair"
        )
        await use.start(app, campaign, OPERATOR, clock())
        await work(app, clock)
        told = await use.status(app, campaign)
        assert told["skipped"] == {
            "gate:CA-CASL-6": 1, "gate:CN-EMAIL-13": 1, "gate:DE-UWG-7": 1, "gate:UNKNOWN-STRICTEST": 1,
        }  # fmt: skip
        sent = {row.address: row for row in await rows(app, campaign)}  # type: ignore[attr-defined]
        mails = {}
        for sunk in smtp_sink.messages():
            mail = message_from_bytes(sunk.data, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            mails[sunk.rcpt_tos[0]] = mail
        free = [f"no-{c.lower()}@{c.lower()}.example" for c in COUNTRIES if c not in ("CA", "CN", "DE")]
        assert set(mails) == {f"ok-{c.lower()}@{c.lower()}.example" for c in [*COUNTRIES, "ZZ"]} | set(free)
        assert len(COUNTRIES) >= 60
        for address, mail in mails.items():
            check_mail(mail, sent[address], address)


def check_mail(mail: EmailMessage, row: Any, address: str) -> None:
    """Headers, footer, address, pixel and mark of one message."""
    country = None if row.country in (None, "") else row.country
    assert mail["List-Unsubscribe"].startswith("<http://127.0.0.1:8000/u/")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["X-Outreach-Message"] == row.uid
    assert mail["Message-ID"] == f"<{row.message_id}>"
    assert mail["List-Id"]
    assert mail["From"].addresses[0].addr_spec == "sales@mingxu.example"
    assert mail["To"].addresses[0].addr_spec == address
    assert mail["Subject"].startswith("AD: floodlights for Firm")
    unsubscribe = mail["List-Unsubscribe"].partition(">")[0][1:]
    for kind in ("plain", "html"):
        text = body_of(mail, kind)
        assert "88 Guangming Road, Ningbo, China" in text
        assert "Mingxu Lighting" in text
        assert unsubscribe in text
        assert "/p/" in text
        assert LEGAL.get(country or "", "") in text
    assert bool(PIXEL.search(body_of(mail, "html"))) is pixel_allowed(country)


# -- campaigns that break a rule ---------------------------------------------------------------------------------------

LONG = "A whole sentence about lamps that lasts and lasts. " * 30
#: Code → (text of the body, more of template.toml, subject): each must be refused, naming the code.
TEXTS: dict[str, tuple[str, str, str]] = {
    "subject.fake_reply": ("Good day.", "", "Re: our talk"),
    "link.shortener": ('<a href="https://bit.ly/3abc">see</a>', "", "Terms for 2027"),
    "link.mismatch": ('<a href="https://evil.example.net/">www.mingxu-lights.com</a>', "", "Terms for 2027"),
    "link.empty": ('<a href="">see</a>', "", "Terms for 2027"),
    "link.scheme": ('<a href="javascript:alert(1)">see</a>', "", "Terms for 2027"),
    "html.forbidden": ("<script>alert(1)</script>", "", "Terms for 2027"),
    "images.missing": (f'{LONG}<img src="lamp.png" alt="A lamp" width="9" />', "", "Terms for 2027"),
    "size.clipped": (LONG * 80, "", "Terms for 2027"),
    "jinja.unknown_variable": ("{{ frist_name }}", "", "Terms for 2027"),
    "jinja.forbidden": ("{{ company.__class__ }}", "", "Terms for 2027"),
    "jinja.syntax": ("{% if company %}", "", "Terms for 2027"),
    "jinja.work": (
        "{% for a in range(10000) %}{% for b in range(10000) %}.{% endfor %}{% endfor %}",
        "",
        "Terms for 2027",
    ),
    "mjml.unknown_tag": ("</mj-text><mj-buton>x</mj-buton><mj-text>", "", "Terms for 2027"),
    "mjml.misplaced": ("<mj-section></mj-section>", "", "Terms for 2027"),
    "variable.lacking": ("Dear {{ city }}", "", "Terms for 2027"),
}


@pytest.mark.parametrize("code", TEXTS)
async def test_a_text_that_breaks_a_rule_is_refused_by_its_name(tmp_path: Path, code: str) -> None:
    text, more, subject = TEXTS[code]
    write_template(tmp_path, "own", text, more, subject)
    async with installed(tmp_path, 1) as app:
        await add(app, tmp_path, "a@a.example,Ann,A,GB,customer")
        await refused(app, re.escape(code), template="own")


async def test_follow_ups_senders_and_addresses_that_break_a_rule(tmp_path: Path) -> None:
    async with installed(tmp_path, 1) as app:
        await add(app, tmp_path, "a@a.example,Ann,A,GB,customer")
        await refused(app, r"wording\.same", STEP.format("product-launch"))
        for name in ("company", "postal_address"):
            sender = app.settings.sender.model_copy(update={name: " "})
            app.settings = app.settings.model_copy(update={"sender": sender})
            await refused(app, rf"sender\.no_{name}")
    folder = tmp_path / "real"
    folder.mkdir()
    async with real(folder, base="http://t.mingxu-lights.com") as app:
        app.outside.patience = 0.05
        await add(app, folder, "a@a.example,Ann,A,GB,customer")
        await refused(app, r"unsubscribe\.local")


@pytest.mark.parametrize(
    ("country", "basis", "rule"),
    [
        ("DE", "none", "DE-UWG-7"),
        ("DE", "public-business", "DE-UWG-7"),
        ("CA", "none", "CA-CASL-6"),
        ("CN", "public-business", "CN-EMAIL-13"),
        ("CN", "consent", "CN-EMAIL-14"),
        ("", "none", "UNKNOWN-STRICTEST"),
    ],
)
async def test_a_campaign_into_a_country_whose_rule_forbids_it_is_refused(
    tmp_path: Path, country: str, basis: str, rule: str
) -> None:
    async with installed(tmp_path, 1) as app:
        await add(app, tmp_path, f"a@a.example,Ann,A,{country},{basis}")
        assert rule in {one.id for one in gates()}
        await refused(app, rf"refuses it \({rule}\): 1.*\[no_recipients\]", segment="source = fair")


async def test_the_companys_own_rule_holds_at_the_hand_over_too(tmp_path: Path, smtp_sink: Any) -> None:
    clock = Clock()
    own = '[[gate]]\nid = "DE-UWG-7"\ncountries = []\nen = "off"\nzh = "停用"\nsource = "our counsel"\n'
    (tmp_path / "gates.toml").write_text(own)
    async with installed(tmp_path, smtp_sink.port) as app:
        await add(app, tmp_path, "a@a.example,Ann,A,DE,none")
        campaign = await approved(app, clock, segment="country = DE")
        await use.start(app, campaign, OPERATOR, clock())
        await work(app, clock)
        assert smtp_sink.recipients() == ["a@a.example"]


async def refused(app: App, words: str, more: str = "", **fields: str) -> None:
    """The campaign is not put before its reviewers, and the refusal says which rule."""
    clock = Clock()

    async def attempt() -> None:
        campaign = await drafted(app, clock, "Trial", more, **fields)
        await use.submit(app, campaign, await actor(app, None), clock())

    with pytest.raises(CampaignError, match=words):
        await attempt()

"""From an empty machine to an answered reply, in the browser alone, against `outreach serve`, Dovecot and an SMTP server.

One story a language: the first administrator, company, mailbox and doctor, colleagues, import, group, template, campaign,
three approvals by three people, pilot, release, a reply and its answer, the report.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from outreach.campaigns.plan import in_pilot
from tests.fakes.dovecot import Dovecot, running_dovecot
from tests.fakes.process import answers, free_port, wait_for
from tests.fakes.smtp import ScriptedSMTP, running_smtp

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a long enough sentence"
APPROVERS = {"zhao.min": "marketing_lead", "qian.wen": "business_lead", "sun.li": "legal"}
NAME, PEOPLE = "High bay lamps 2027", 10
LIST = "E-mail,First name,Company,Country,Industry,basis\n" + "".join(
    f"pat@firm{n}.example,Pat{n},Firm {n} Ltd,GB,lighting,customer\n" for n in range(PEOPLE)
)
#: What a page says in each language, where the story asks for words.
WORDS = {
    "zh": {"start": "开始使用", "reply": "询盘"},
    "en": {"start": "First steps", "reply": "Inquiry"},
}
#: Where the first administrator is made.
FIRST_LINE = re.compile(r"http://\S+/setup\?code=\w{20}")
SLOW = 60_000  # milliseconds that a busy machine may take for what the service does by itself


@dataclass
class Story:
    """A running service, its servers, and who is logged in where."""

    lang: str
    base: str
    begin: str
    smtp: ScriptedSMTP
    dovecot: Dovecot
    browser: Any
    said: list[str] = field(default_factory=list)
    pages: dict[str, Any] = field(default_factory=dict)
    campaign: str = ""
    failures: int = 0

    def page(self, name: str) -> Any:
        """A browser of one's own for each person; whatever its console says is noted."""
        if name not in self.pages:
            context = self.browser.new_context(viewport={"width": 1440, "height": 900})
            context.set_default_timeout(SLOW)
            context.add_cookies([{"name": "outreach_lang", "value": self.lang, "url": self.base}])
            page = context.new_page()
            page.on("console", lambda m: self.said.append(m.text) if m.type in ("error", "warning") else None)
            page.on("pageerror", lambda error: self.said.append(str(error)))
            page.on("dialog", lambda dialog: dialog.accept())
            self.pages[name] = page
        return self.pages[name]

    def log_in(self, name: str, password: str) -> Any:
        page = self.page(name)
        page.goto(self.base + "/login")
        page.fill("#name", name)
        page.fill("#password", password)
        page.click("main button[type=submit]")
        page.wait_for_url(self.base + "/")
        return page


def wait_long(ready: Callable[[], bool], what: str, process: subprocess.Popen[bytes] | None = None) -> None:
    """Wait longer than for a server alone: here a whole service works by itself, maybe on a busy machine."""
    wait_for(ready, what, process, seconds=120)


def command(config: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "outreach", "--config", str(config), *words]


@pytest.fixture(scope="module", params=["zh", "en"])
def story(request: pytest.FixtureRequest, chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """`outreach init` and `outreach serve`, as an administrator would run them; the console's first line opens the story."""
    folder, port = tmp_path_factory.mktemp(f"journey-{request.param}"), free_port()
    config = folder / "config.toml"
    subprocess.run(command(config, "init"), cwd=ROOT, check=True, capture_output=True, timeout=120)
    text = config.read_text(encoding="utf-8").replace("poll_seconds = 60", "poll_seconds = 5")
    config.write_text(text.replace("http://127.0.0.1:8000", f"http://127.0.0.1:{port}"), encoding="utf-8")
    log = folder / "log"
    with running_smtp() as smtp, running_dovecot() as dovecot, log.open("wb") as out:
        process = subprocess.Popen(command(config, "serve", "--port", str(port)), cwd=ROOT, stdout=out, stderr=out)
        try:
            wait_long(lambda: FIRST_LINE.search(log.read_text()) is not None, "outreach serve", process)
            begin = FIRST_LINE.findall(log.read_text())[0]
            story = Story(request.param, f"http://127.0.0.1:{port}", begin, smtp, dovecot, chromium)
            story.failures = request.session.testsfailed
            yield story
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture(autouse=True)
def chapter(request: pytest.FixtureRequest, story: Story) -> None:
    """Each test goes on where the one before it ended: after a failure the rest of that story is not waited for."""
    if request.session.testsfailed > story.failures:
        pytest.fail("an earlier part of the story failed")


def test_the_first_administrator_and_the_company(story: Story) -> None:
    page = story.page("chen.hui")
    wait_long(lambda: answers(int(story.base.rsplit(":", 1)[1])), "the port: the log's line is a moment earlier")
    page.goto(story.begin)
    page.fill("#name", "chen.hui")
    page.fill("#password", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url(story.base + "/start")
    assert page.inner_text("h1") == WORDS[story.lang]["start"]
    page.click("a[href^='/settings/company']")
    page.fill("#f-company", "Minxu Lighting")
    page.fill("#f-postal_address", "18 Guangming Road, Zhongshan, China")
    page.click(".o-head button[type=submit]")
    page.wait_for_url(story.base + "/start")
    expect(page.locator(".o-guide > .done")).to_have_count(1)


def test_a_mailbox_and_the_doctor(story: Story) -> None:
    page = story.page("chen.hui")
    page.click("a[href^='/settings/mailboxes/new']")
    page.select_option("#f-provider", "generic")
    page.fill("#f-address", "sales@minxu.example")
    page.fill("#f-password", story.dovecot.password)
    page.fill("#f-user", story.dovecot.user)
    for kind, server in (("smtp", story.smtp), ("imap", story.dovecot)):
        page.fill(f"[name={kind}_host]", "127.0.0.1")
        page.fill(f"[name={kind}_port]", str(server.port))
        page.select_option(f"[name={kind}_tls]", "none")
    for limit in ("per_minute", "per_hour", "per_day"):
        page.fill(f"[name={limit}]", "0")
    page.click("form[action='/settings/mailboxes/save'] button[type=submit]")
    page.wait_for_selector("#doctor li:nth-child(3)")
    assert page.locator("#doctor .t-red").count() == 0, page.inner_text("#doctor")
    page.click(".o-head a[href='/start']")
    expect(page.locator(".o-guide > .done")).to_have_count(2)


def test_colleagues_who_approve(story: Story) -> None:
    page = story.page("chen.hui")
    for name, role in APPROVERS.items():
        page.goto(story.base + "/settings/users")
        page.fill("form[action='/settings/users'] [name=name]", name)
        page.check(f"form[action='/settings/users'] [name=role][value={role}]")
        page.click("form[action='/settings/users'] button[type=submit]")
        password = page.inner_text("p.mono")
        page.goto(story.base + "/settings/users")
        page.click(f"td:has-text('{name}') a")
        page.click("form:has(#until) button")
        page.wait_for_selector(".card .badge.is-run")
        story.log_in(name, password)


def test_importing_the_customers(story: Story, tmp_path: Path) -> None:
    (tmp_path / "fair.csv").write_text(LIST)
    page = story.page("chen.hui")
    page.goto(story.base + "/start")
    page.click("a[href^='/contacts/import']")
    page.set_input_files("input[type=file]", str(tmp_path / "fair.csv"))
    page.click("main button[type=submit]")
    page.wait_for_url("**/contacts/import/*")
    assert page.locator("select[name=field]").first.input_value() == "email", "columns are recognised"
    page.fill("#source", "Canton Fair 2026")
    page.click(".o-head button[type=submit]")
    page.click("#import a[href='/contacts']")
    expect(page.locator("tbody tr")).to_have_count(PEOPLE)


def test_a_group_of_them(story: Story) -> None:
    page = story.page("chen.hui")
    page.goto(story.base + "/segments/new")
    page.select_option("#add-field", "industry")
    page.fill("input[name=value]", "lighting")
    page.click("button[value=add]")
    expect(page.locator("#expr")).to_have_value("industry = lighting")
    page.fill("#segname", "Lighting")
    page.click(".o-head button[type=submit]")
    page.wait_for_url(re.compile(r"/segments/\d+$"))


def test_a_template_is_seen_and_the_campaign_written(story: Story) -> None:
    page = story.page("chen.hui")
    page.goto(story.base + "/templates/product-launch")
    assert page.frame_locator("iframe >> nth=0").locator("body").inner_text().strip()
    page.goto(story.base + "/campaigns/new")
    page.fill("[name=name]", NAME)
    page.fill("#segment", "industry = lighting")
    expect(page.locator("#count")).to_contain_text(str(PEOPLE))
    page.click("[data-step=audience] [data-next]")
    page.check("input[name=template][value=product-launch]", force=True)
    page.click("[data-step=content] [data-next]")
    page.fill("[name=pilot_share]", "20")
    page.click("[data-step=pace] [data-next]")
    page.uncheck("[name=local_time]")
    page.uncheck("[name=skip_holidays]")
    page.fill("[name=window]", "")
    page.click("[data-step=schedule] button[type=submit]")
    page.wait_for_url(re.compile(r"/campaigns/\d+$"))
    story.campaign = page.url
    page.wait_for_selector("#preflight .o-kpi")
    assert page.inner_text("#preflight .o-kpi") == str(PEOPLE), page.inner_text("#preflight")
    page.click("form[action$='/submit'] button")
    page.wait_for_selector("a[href^='/approvals/']")


def test_three_people_approve(story: Story) -> None:
    number = story.campaign.rstrip("/").rsplit("/", 1)[1]
    for name in APPROVERS:
        page = story.page(name)
        page.goto(f"{story.base}/approvals/{number}")
        assert page.frame_locator(".o-stage iframe").locator("body").inner_text().strip()
        page.click("form[action$='/approve'] button[type=submit].btn-primary")
        page.wait_for_selector("#toast:not([hidden])")
    page = story.page("chen.hui")
    page.goto(story.campaign)
    page.wait_for_selector(".o-head .acts > form[action$='/start']")


def test_the_pilot_and_then_the_rest(story: Story) -> None:
    page = story.page("chen.hui")
    page.click(".o-head .acts > form[action$='/start'] button")
    page.wait_for_selector(".o-head .badge.is-run")
    sample = sum(in_pilot(number, NAME, 0.2) for number in range(1, PEOPLE + 1))
    assert 0 < sample < PEOPLE
    wait_long(lambda: len(customers(story)) == sample, "the pilot's mails")
    page.reload()
    page.click(".o-head .acts > form[action$='/start'] button")
    wait_long(lambda: len(customers(story)) == PEOPLE, "the other mails")
    assert len(set(customers(story))) == PEOPLE, "each person once"
    page.goto(story.campaign + "?stage=sent")
    expect(page.locator(".o-funnel a:nth-child(1) .v").nth(1)).to_have_text(str(PEOPLE), timeout=SLOW)


def customers(story: Story) -> list[str]:
    return [address for address in story.smtp.recipients() if address.startswith("pat@firm")]


def test_a_reply_is_answered_in_its_thread(story: Story) -> None:
    sent = next(mail for mail in story.smtp.messages if mail.rcpt_tos == ["pat@firm3.example"])
    head = message_from_bytes(sent.data)
    reply = (
        f"From: Pat3 <pat@firm3.example>\nTo: {head['From']}\nSubject: Re: {head['Subject']}\n"
        f"Message-ID: <answer-3@firm3.example>\nIn-Reply-To: {head['Message-ID']}\nReferences: {head['Message-ID']}\n"
        f"Date: {formatdate()}\nContent-Type: text/plain; charset=utf-8\n\n"
        "Could you quote 2,000 pcs CIF Felixstowe? We need them in February.\n"
    )
    story.dovecot.append(reply.encode())
    page = story.page("chen.hui")
    page.goto(story.base + "/inbox")
    for _ in range(60):
        if page.locator("[data-row]").count():
            break
        page.wait_for_timeout(500)
        page.reload()
    page.click("[data-row] >> nth=0")
    page.wait_for_selector("#answer")
    assert WORDS[story.lang]["reply"] in page.inner_text("main"), "what they want is suggested"
    page.fill("#answer", "Dear Pat, the quotation follows today. Kind regards, Chen Hui")
    page.click(".o-compose button[type=submit]")
    page.wait_for_selector("#toast:not([hidden])")
    wait_long(lambda: story.smtp.messages[-1].rcpt_tos == ["pat@firm3.example"], "the answer")
    answer = message_from_bytes(story.smtp.messages[-1].data)
    assert answer["In-Reply-To"] == "<answer-3@firm3.example>"
    assert head["Message-ID"].strip() in answer["References"].replace("\n", " ")


def test_the_report_tells_of_it(story: Story) -> None:
    page = story.page("chen.hui")
    page.goto(story.campaign + "?stage=replied")
    assert "Pat3" in page.inner_text("#ledger")
    page.goto(story.base + "/reports")
    page.wait_for_selector(".o-report:not([hx-get])")
    assert NAME not in page.inner_text(".o-report"), "last week"
    page.click(".o-head .row-x a >> nth=1")
    page.wait_for_url("**/reports/20*")
    page.wait_for_selector(f".o-report:has-text('{NAME}')")  # the first look shows itself while it is counted


def test_no_console_complained(story: Story) -> None:
    assert story.said == []

"""The demo's story: a campaign from a contact list to the weekly report, everything real, on this machine alone."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import socket
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from sqlalchemy import select

from outreach.access.login import hash_password
from outreach.access.store import NewUser
from outreach.app import campaigns as use
from outreach.app.build import App, open_app
from outreach.app.engine import Engine
from outreach.app.inbox import InboxHost
from outreach.audience.importing.store import ImportOptions
from outreach.campaigns import definition
from outreach.campaigns.plan import explain_skip
from outreach.cli.progress import bar, watch
from outreach.config import load
from outreach.content.lint import check
from outreach.demo import traffic
from outreach.demo.answers import answer_to
from outreach.demo.dovecot import DemoDovecot, find_dovecot
from outreach.demo.people import as_csv, number_of, people
from outreach.demo.server import Accepted, SampleServer
from outreach.demo.standin import StandIn
from outreach.model import Contact, EmailAddress, Role
from outreach.model.base import table
from outreach.reports.period import Period
from outreach.reports.weekly import make_report
from outreach.tracking.views import PublicApp
from outreach.web import create_app
from outreach.web.server import server

CONTACTS, ADDRESSES = table(Contact), table(EmailAddress)
PASSWORD = "demo-Frankfurt-2027"
#: The story begins this long ago, so that its follow-ups are due today.
DAYS_AGO = 6

CONFIG = """\
[database]
url = "sqlite:///outreach.db"
[tracking]
base_url = "http://127.0.0.1:{web}"
[sender]
company = "Mingxu Lighting Co., Ltd."
postal_address = "88 Guangming Road, Ningbo, Zhejiang 315000, China"
website = "https://www.mingxu-lighting.example"
[[mailbox]]
name = "sales"
address = "sales@mingxu-lighting.example"
from_name = "Mingxu Lighting"
smtp = {{ host = "127.0.0.1", port = {smtp}, tls = "none" }}
imap = {{ host = "127.0.0.1", port = {imap}, tls = "none" }}
user = "{user}"
password = {{ file = "{secret}" }}
connections = 4
limits = {{ per_minute = 0, per_hour = 0, per_day = 0 }}
[limits]
per_domain_per_minute = 0
[paths]
data = "."
[web]
port = {web}
[report]
recipients = ["lin.tao@mingxu-lighting.example"]
"""

CAMPAIGN = """\
name = "2027 法兰克福照明展邀请"
goal = "展位预约"
owner = "li.na"
budget = { amount = 3000, currency = "CNY" }
segment = 'industry in (lighting, signage, retail, hotels, construction, wholesale) and not tag = competitor'
template = "exhibition-invitation"
mailboxes = ["sales"]
[pilot]
share = 0.05
wait_hours = 24
[[step]]
after_days = 3
only_if = "no reply"
template = "follow-up"
"""

STAFF = (
    ("li.na", "李娜", [Role.MARKETER]),
    ("zhou.yang", "周洋", [Role.SALESPERSON]),
    ("sun.qian", "孙倩", [Role.SALESPERSON]),
    ("wu.hao", "吴昊", [Role.SALESPERSON]),
    ("wang.lei", "王磊", [Role.MARKETING_LEAD]),
    ("chen.jing", "陈静", [Role.BUSINESS_LEAD]),
    ("zhao.min", "赵敏", [Role.LEGAL]),
    ("lin.tao", "林涛", [Role.MANAGER, Role.ADMIN]),
)


class StoryClock:
    """The demo's time: as fast as the real one, begun some days ago, moved on between the chapters."""

    def __init__(self, start: datetime) -> None:
        self._start, self._began = start, time.monotonic()

    def __call__(self) -> datetime:
        """Now, in the story."""
        return self._start + timedelta(seconds=time.monotonic() - self._began)

    def jump(self, to: datetime) -> None:
        """Go to a later moment."""
        self._start, self._began = max(to, self()), time.monotonic()


class Story:
    """Tells and does one chapter after the other."""

    def __init__(self, folder: Path, console: Console) -> None:
        self.folder, self.say = folder, console
        self.chapter = 0
        self.smtp = SampleServer()
        found = find_dovecot()
        self.imap: DemoDovecot | StandIn = DemoDovecot(found) if found else StandIn()
        self.clock = StoryClock(datetime.now(UTC) - timedelta(days=DAYS_AGO))
        self.summary: dict[str, Any] = {}
        self.started = time.monotonic()

    # -- telling -------------------------------------------------------------------------------------------------------

    def head(self, english: str, chinese: str) -> None:
        """Begin a chapter."""
        self.chapter += 1
        self.say.print(f"\n[bold cyan]{self.chapter:>2}[/] [bold]{english}[/] · {chinese}")

    def line(self, text: str) -> None:
        """Say something."""
        self.say.print(f"   {text}", highlight=False)

    # -- the frame -----------------------------------------------------------------------------------------------------

    async def tell(self, *, leave: bool) -> dict[str, Any]:
        """Do the whole story; with `leave` False the pages stay up until Ctrl-C."""
        self.head("Set up: a mail server, a mailbox, a database of its own", "准备：本机邮件服务器、邮箱和数据库")
        try:
            app = await self._open()
            try:
                async with self._serving(app) as address:
                    await self._chapters(app)
                    self._end(address)
                    if not leave:
                        self.line(f"pages: [bold]{address}[/]  —  user lin.tao, password {PASSWORD}   (Ctrl-C ends)")
                        await asyncio.Event().wait()
            finally:
                await app.close()
        finally:
            await self.smtp.stop()
            await self.imap.stop()
        return self.summary

    async def _open(self) -> App:
        await asyncio.to_thread(shutil.rmtree, self.folder, True)
        self.folder.mkdir(parents=True)
        await self.smtp.start()
        try:
            await self.imap.start()
        except (RuntimeError, OSError) as error:
            self.line(f"Dovecot does not start here ({str(error)[:120]}): using the stand-in")
            self.imap = StandIn()
            await self.imap.start()
        self._write_config()
        self.line(f"SMTP on 127.0.0.1:{self.smtp.port}; IMAP: {self.imap.name} on 127.0.0.1:{self.imap.port}")
        app = await open_app(load(self.folder / "config.toml"), now=self.clock(), migrate_first=True)
        await self._add_staff(app)
        return app

    def _write_config(self) -> None:
        secret = self.folder / "mailbox.password"
        secret.write_text(self.imap.password)
        secret.chmod(0o600)
        web = _free_port(8000)
        text = CONFIG.format(
            web=web, smtp=self.smtp.port, imap=self.imap.port, user=self.imap.user, secret=secret.absolute()
        )
        (self.folder / "config.toml").write_text(text, encoding="utf-8")

    async def _add_staff(self, app: App) -> None:
        hashed = hash_password(PASSWORD)
        for name, shown, roles in STAFF:
            email = f"{name}@mingxu-lighting.example"
            new = NewUser(name, roles, hashed, shown, email)
            await app.access.add_user(new, now=self.clock(), authorise=True)
        self.line("eight colleagues: " + ", ".join(f"{shown} ({roles[0]})" for _, shown, roles in STAFF))

    @contextlib.asynccontextmanager
    async def _serving(self, app: App) -> AsyncIterator[str]:
        """Serve pages and public endpoints while the block runs."""
        asgi = PublicApp(create_app(app, clock=self.clock), app.public_services(self.clock))
        web = server(asgi, "127.0.0.1", app.settings.web.port)
        task = asyncio.create_task(web.serve())
        while not web.started:
            await asyncio.sleep(0.02)
            if task.done():
                task.result()
        try:
            yield f"http://127.0.0.1:{app.settings.web.port}"
        finally:
            web.should_exit = True
            await task

    # -- chapters ------------------------------------------------------------------------------------------------------

    async def _chapters(self, app: App) -> None:
        await self._import(app)
        await self._audience(app)
        campaign = await self._campaign(app)
        await self._review(app, campaign)
        await self._pilot(app, campaign)
        await self._send(app, campaign)
        await self._follow_up(app, campaign)
        await self._report(app, campaign)

    async def _import(self, app: App) -> None:
        self.head("Import 2,000 contacts from 60 countries", "导入 60 个国家的 2,000 个联系人")
        path = self.folder / "contacts.csv"
        path.write_text(as_csv(people(today=self.clock().date())), encoding="utf-8")
        options = ImportOptions(source="exhibition")
        with bar() as progress:
            task = progress.add_task("importing", total=2000, note="")
            result = await app.audience.import_file(
                path,
                options,
                now=self.clock(),
                rejects=self.folder / "rejects.csv",
                progress=lambda found, share: progress.update(task, completed=found.read),
            )
        self.summary["import"] = result.as_dict()
        self.line(
            f"read {result.read}, added {result.added}, rejected {result.rejected} (with line, column and reason)"
        )
        again = await app.audience.import_file(path, options, now=self.clock(), rejects=self.folder / "rejects2.csv")
        self.line(f"the same file again: added {again.added}, updated {again.updated} — nothing changes")

    async def _audience(self, app: App) -> None:
        self.head("Choose an audience in words", "用一句话选出受众")
        text = definition.parse(CAMPAIGN).segment
        self.line(f"[cyan]{text}[/]")
        self.line(f"{await app.audience.count(text, self.clock())} people")
        source = app.template("exhibition-invitation")
        problems = check(source)
        self.line(f"template {source.name}: {', '.join(source.languages)}; {len(problems)} findings of the lint")

    async def _campaign(self, app: App) -> int:
        self.head("Draft a campaign and look before sending", "起草营销活动并预检")
        what = definition.parse(CAMPAIGN)
        campaign = await use.create(app, what, await app.access.actor("li.na", self.clock()), self.clock())
        found = await use.preflight(app, campaign, self.clock())
        self.line(f"{found.recipients} recipients, {found.pilot} of them in the pilot; left out:")
        for reason, count in found.skipped.items():
            self.line(f"  {count:>5}  {explain_skip(reason, 'en')}")
        for problem in found.problems[:5]:
            self.line(f"  {problem['severity']}: {problem['message']}")
        self.summary["preflight"] = {"recipients": found.recipients, "skipped": found.skipped}
        return campaign

    async def _review(self, app: App, campaign: int) -> None:
        self.head("Three people approve one exact version", "三方审核同一个版本")
        clock = self.clock
        await use.submit(app, campaign, await app.access.actor("li.na", clock()), clock())
        for name, shown, _ in STAFF[4:7]:
            state = await use.approve(app, campaign, await app.access.actor(name, clock()), clock(), "同意")
            self.line(f"{shown} approves → {state}")

    async def _pilot(self, app: App, campaign: int) -> None:
        self.head("Pilot: five in a hundred first", "试发 5%")
        await use.start(app, campaign, await app.access.actor("li.na", self.clock()), self.clock())
        await self._work(app)
        await self._answers(app)
        status = await use.status(app, campaign)
        self.line(
            f"state {status['state']}: sent {status['sent']}, bounced {status['bounced']}, replied {status['replied']}"
        )
        state = await use.start(app, campaign, await app.access.actor("li.na", self.clock()), self.clock())
        self.line(f"the results are good: released → {state}")

    async def _send(self, app: App, campaign: int) -> None:
        self.head("Send the rest; servers accept, defer and refuse", "正式发送：接收、暂缓、拒收")
        await self._work(app)
        self.clock.jump(self.clock() + timedelta(minutes=20))
        await self._work(app)
        status = await use.status(app, campaign)
        self.line(f"sent {status['sent']}, refused {status['failed']}, put off {status['deferred']}")
        self.head(
            "What comes back: bounces, absences, wishes, letters, clicks", "回来的信：退信、休假、退订、回复、点击"
        )
        await self._answers(app)

    async def _follow_up(self, app: App, campaign: int) -> None:
        self.head("Three working days later: follow-ups to who did not answer", "三个工作日后：给未回复的人跟进")
        self.clock.jump(datetime.now(UTC))
        await self._work(app)
        await self._answers(app)
        status = await use.status(app, campaign)
        self.summary["campaign"] = status
        self.line(f"state {status['state']}: sent {status['sent']} in two steps")
        self.line(
            "not written to again: " + ", ".join(f"{n} {explain_skip(r, 'en')}" for r, n in status["skipped"].items())
        )
        await self._tasks(app)

    async def _tasks(self, app: App) -> None:
        tasks = await app.crm.tasks(limit=1000)
        self.summary["tasks"] = len(tasks)
        self.line(f"{len(tasks)} tasks for the customers' owners; the first:")
        for task in tasks[:3]:
            self.line(f"  due {task.due_at:%a %d %b %H:%M} UTC  {task.owner_name or '–'}: {task.title}")

    async def _report(self, app: App, campaign: int) -> None:
        self.head("The week's report", "每周效果报告")
        now = self.clock()
        zone = app.settings.sender.timezone
        year, week, _ = now.date().isocalendar()
        period = Period.parse(f"{year}-W{week:02d}", zone)
        company = app.settings.sender.company
        report = await make_report(app.reports, period, now, language="zh", company=company, house=app.indicators)
        (self.folder / "report.html").write_text(report.html(), encoding="utf-8")
        (self.folder / "report.xlsx").write_bytes(report.xlsx())
        for sentence in report.advice.sentences:
            self.line(sentence)
        self.line(f"[dim]{self.folder / 'report.html'}, report.xlsx[/]")
        self.summary["report"] = report.json()

    # -- work ----------------------------------------------------------------------------------------------------------

    async def _work(self, app: App) -> None:
        """Run the engine until nothing is due."""
        engine = Engine(app, clock=self.clock)
        async with watch(app, engine, quiet=False):
            totals = await engine.until_idle(600)
        for problem in totals.problems:
            self.line(f"[red]{problem}[/]")

    async def _answers(self, app: App) -> None:
        """Let recipients, their machines and their servers react to what has arrived since the last time."""
        mails, self.smtp.accepted = self.smtp.accepted, []
        countries = await _countries(app)
        machines = await traffic.send(traffic.at_once(mails))
        self.clock.jump(self.clock() + timedelta(hours=2))
        persons = await traffic.send(traffic.later(mails))
        filed = self._file(mails, countries)
        await asyncio.sleep(0.2)  # the endpoints write their events in batches of 50 ms
        host = InboxHost(app, clock=self.clock)
        try:
            result = await host.sync(app.settings.mailbox[0])
        finally:
            await host.stop()
        self._add("inbox", {name: count for name, count in result.as_dict().items() if count})
        self.line(f"{machines} requests of machines, {persons} of people; {filed} mails came back:")
        found = result.as_dict()
        names = ("bounces", "autoreplies", "replies", "unsubscribes", "other", "quarantined")
        self.line("  " + ", ".join(f"{found[name]} {name}" for name in names if found[name]))

    def _file(self, mails: list[Accepted], countries: dict[int, str]) -> int:
        filed = 0
        for mail in mails:
            raw = answer_to(mail, countries.get(number_of(mail.recipient)), self.clock())
            if raw is not None:
                self.imap.deliver(raw)
                filed += 1
        return filed

    def _add(self, name: str, counts: dict[str, int]) -> None:
        total = self.summary.setdefault(name, {})
        for key, count in counts.items():
            total[key] = total.get(key, 0) + count

    def _end(self, address: str) -> None:
        status = self.summary["campaign"]
        seconds = round(time.monotonic() - self.started, 1)
        self.summary |= {"seconds": seconds, "imap": self.imap.name, "address": address}
        self.head("Done", "完成")
        self.line(
            f"{status['planned']} planned → {status['sent']} sent → {status['replied']} replied, "
            f"{status['bounced']} bounced, {status['unsubscribed']} unsubscribed; {seconds} s"
        )


async def _countries(app: App) -> dict[int, str]:
    query = select(ADDRESSES.c.address, CONTACTS.c.country).join(CONTACTS, CONTACTS.c.id == ADDRESSES.c.contact_id)
    async with app.db.read() as conn:
        return {number_of(row.address): row.country for row in await conn.execute(query)}


def _free_port(wished: int) -> int:
    """The wished port, or any free one when somebody has it."""
    for port in (wished, 0):
        with contextlib.suppress(OSError), contextlib.closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")


async def run_demo(folder: Path, *, leave: bool) -> None:
    """Tell the story; the last line on stdout is the summary as JSON."""
    console = Console(stderr=True)
    story = Story(folder, console)
    summary = await story.tell(leave=leave)
    sys.stdout.write(json.dumps(summary, ensure_ascii=False, default=str) + "\n")

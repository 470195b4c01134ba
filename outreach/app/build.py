"""Opens the database and builds every stage from the configuration, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from outreach.access.store import AccessStore
from outreach.access.violations.store import ViolationStore
from outreach.app.clock import utc_now
from outreach.app.composing import CampaignComposer
from outreach.app.mailboxes import server_of, setup_of, sync_mailboxes
from outreach.app.oauth import TokenSource
from outreach.app.outside import Outside
from outreach.app.secret import installation_secret
from outreach.audience.store import AudienceStore
from outreach.campaigns.store import CampaignStore
from outreach.config import ConfigError, MailboxSettings, Settings, load
from outreach.content.gates import Gate, gates
from outreach.content.template import TemplateSource, list_templates, load_template
from outreach.crm import store as crm
from outreach.crm.agenda.store import AgendaStore
from outreach.crm.calls.store import CallStore
from outreach.crm.deals.money import Money
from outreach.crm.deals.store import DealStore
from outreach.crm.enrolment import store as enrolments
from outreach.crm.files.store import FileStore
from outreach.crm.grades.rules import Thresholds
from outreach.crm.grades.store import GradeStore
from outreach.crm.orders.store import OrderStore
from outreach.crm.owners.pairs.store import PairBook
from outreach.crm.owners.store import OwnerStore
from outreach.crm.service.store import ServiceStore
from outreach.crm.store import CrmStore
from outreach.crm.suggestions.store import SuggestionStore
from outreach.crm.survey.store import SurveyStore
from outreach.crm.targets.store import TargetStore
from outreach.db import indexes, instance, migrate
from outreach.db.session import Database
from outreach.events.changes.store import Applier
from outreach.events.kinds import AddActivity, Change, CreateTask, FinishTasks, StopMessages
from outreach.events.store import EventStore
from outreach.outbox.store import OutboxStore
from outreach.reports.indicators.store import IndicatorStore
from outreach.reports.store import ReportStore
from outreach.sending.client import Server
from outreach.sending.setup import MailboxSetup
from outreach.suppression.lists import load_policy
from outreach.suppression.match import Policy
from outreach.suppression.store import SuppressionStore, suppress
from outreach.tracking.pages import DEFAULT_TOPICS, Pages, Sender, Topic
from outreach.tracking.signup.pages import SignUpPages
from outreach.tracking.signup.store import SignUpStore
from outreach.tracking.tokens import Signer, UrlBuilder
from outreach.tracking.views import PublicServices
from outreach.webhooks.store import WebhookStore
from outreach.webhooks.worker import WebhookWorker

_PACKED = Path(__file__).resolve().parent / "shipped"
#: Where the templates, policy lists and example configuration that come with the program are: inside an installed
#: wheel (hatch_build.py puts them there), else beside the package.
SHIPPED = _PACKED if _PACKED.is_dir() else Path(__file__).resolve().parents[2]

#: How changes are written that belong to the crm, which stands above the events.
APPLIERS: Mapping[type[Change], Applier] = {
    CreateTask: crm.apply_task,
    AddActivity: crm.apply_activity,
    FinishTasks: crm.finish_tasks,
    StopMessages: enrolments.apply_stop,
}


def _mark_of(path: Path | None) -> tuple[int, int] | None:
    """What tells one state of a file from another."""
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size) if found else None


@dataclass
class App:
    """The whole service: settings, database, and the stores of every stage."""

    settings: Settings
    db: Database
    secret: bytes
    policy: Policy
    hold: str | None = None
    mailbox_ids: dict[str, int] = field(default_factory=dict)
    tokens: dict[str, TokenSource] = field(default_factory=dict)
    read_mark: tuple[int, int] | None = None
    on_change: list[Callable[[App], None]] = field(default_factory=list)
    outside: Outside = field(default_factory=Outside)
    versions: dict[int, TemplateSource] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.read_mark = _mark_of(self.settings.file)
        db, secret = self.db, self.secret
        roles = self.policy.flagged_roles | self.policy.never_roles
        self.audience = AudienceStore(db, secret, roles=roles, suppress=suppress)
        self.suppression = SuppressionStore(db, secret)
        self.campaigns = CampaignStore(db)
        self.outbox = OutboxStore(db)
        self.events = EventStore(secret, APPLIERS)
        self.crm = CrmStore(db)
        self._customers()
        self.reports = ReportStore(db)
        self.access = AccessStore(db)
        self.violations = ViolationStore(db)
        self.webhooks = WebhookStore(db, secret)
        self.signer = Signer.from_secret(secret, self.settings.tracking.key_generation)
        self.gates = gates_of(self.settings)

    async def adopt(self, settings: Settings, now: datetime) -> None:
        """Work with a changed configuration from now on. Database, paths and ports stay what they were at the start."""
        old = self.settings
        kept = {name: getattr(old, name) for name in ("database", "jobs", "paths", "web")}
        self.settings = settings.model_copy(update=kept)
        self.tokens.clear()
        async with self.db.write() as conn:
            self.mailbox_ids = await sync_mailboxes(conn, self.settings.mailbox, now)
        self.gates = gates_of(self.settings)
        self._customers()
        for told in self.on_change:
            told(self)

    async def adopt_if_changed(self, now: datetime) -> bool:
        """Read the configuration again if its file is newer than what this process works with."""
        path = self.settings.file
        mark = _mark_of(path)
        if path is None or mark == self.read_mark:
            return False
        self.read_mark = mark
        await self.adopt(load(path), now)
        return True

    @property
    def signups(self) -> SignUpStore | None:
        """The sign-up form's requests, None where config.toml names no mailbox for it."""
        wanted = self.settings.signup
        if wanted.mailbox is None:
            return None
        return SignUpStore(self.db, self.audience, self.secret, per_hour=wanted.per_hour, tags=wanted.tags)

    def signup_pages(self) -> SignUpPages:
        """What visitors of the sign-up form see."""
        return SignUpPages(Pages(self.public_sender()), self.settings.signup.interests)

    def webhook_worker(self) -> WebhookWorker:
        """Who posts to webhooks."""
        return WebhookWorker(self.webhooks, own_hosts=self.settings.webhooks.own_hosts)

    def _customers(self) -> None:
        """The stores of customers' money, owners, calls and service."""
        db, chosen = self.db, self.settings.crm
        self.money = Money(chosen.currency, chosen.rates, chosen.margin_floor)
        self.deals, self.orders, self.files = DealStore(db, self.money), OrderStore(db, self.money), FileStore(db)
        self.targets = TargetStore(db, self.money, self.settings.sender.timezone)
        self.indicators, self.suggestions = IndicatorStore(db, self.money.own), SuggestionStore(db)
        self.grades = GradeStore(db, self.money, Thresholds(chosen.grade_a, chosen.grade_b))
        self.owners, self.calls, self.agenda = OwnerStore(db), CallStore(db), AgendaStore(db)
        self.pairs = PairBook(db)
        days = {"question": chosen.question_days, "complaint": chosen.complaint_days, "wish": chosen.wish_days}
        self.service = ServiceStore(db, days, self.settings.sender.timezone)
        self.surveys = SurveyStore(db, self.service, self.secret, self.settings.tracking.base_url)

    def url_builder(self, box: MailboxSettings) -> UrlBuilder:
        """Signed addresses under the mailbox's own tracking domain, or the company's."""
        return UrlBuilder(box.tracking_base_url or self.settings.tracking.base_url, self.signer)

    def composer(self, box: MailboxSettings) -> CampaignComposer:
        """A composer for what leaves from this mailbox."""
        return CampaignComposer(self.db, self.settings, box, self.url_builder(box), self.gates)

    def server(self, box: MailboxSettings) -> Server:
        """How to enter the mailbox's SMTP server. Raises ConfigError when a secret is missing."""
        return server_of(box, self.token_source(box))

    def token_source(self, box: MailboxSettings) -> TokenSource | None:
        """The mailbox's access tokens, None where it has a password."""
        if box.oauth2 is None:
            return None
        return self.tokens.setdefault(box.name, TokenSource(box.oauth2))

    async def setup(self, box: MailboxSettings) -> MailboxSetup:
        """What a run of the mailbox is told."""
        row = await self.outbox.mailbox(self.mailbox_ids[box.name])
        own_gates = None if self.gates is gates() else self.gates
        return setup_of(box, self.mailbox_ids, self.settings, row.created_at, own_gates)

    def public_sender(self) -> Sender:
        """Who stands on the public pages."""
        sender = self.settings.sender
        return Sender(sender.company, sender.postal_address)

    @property
    def topics(self) -> tuple[Topic, ...]:
        """What recipients may choose, and a campaign may be about."""
        own = tuple(Topic(one.key, one.title or None, one.small or None) for one in self.settings.topic)
        return own or DEFAULT_TOPICS

    def public_services(self, clock: Callable[[], datetime] = utc_now) -> PublicServices:
        """What the public endpoints need."""
        return PublicServices(
            self.db,
            self.events,
            self.signer,
            self.public_sender(),
            topics=self.topics,
            trusted_proxies=self.settings.tracking.trusted_proxies,
            click_parameter=self.settings.tracking.click_parameter,
            clock=clock,
        )

    def template_folders(self) -> list[Path]:
        """Where templates are looked for: the company's own first, then the shipped ones."""
        own = self.settings.folder / self.settings.paths.templates
        return [path for path in (own, SHIPPED / "templates") if path.is_dir()]

    def layout_folders(self) -> list[Path]:
        """The company layout: the shipped one, and the company's own files over it."""
        return [folder / "_layout" for folder in reversed(self.template_folders())]

    def template_names(self) -> list[str]:
        """Every template that can be used."""
        return sorted({name for folder in self.template_folders() for name in list_templates(folder)})

    def template(self, name: str) -> TemplateSource:
        """Load a template by its name. Raises ConfigError naming those there are, ContentProblem for a broken one."""
        for folder in self.template_folders():
            if name in list_templates(folder):
                return load_template(folder / name, *self.layout_folders())
        there = ", ".join(self.template_names())
        raise ConfigError(
            f"there is no template {name!r}; there are: {there}", f"没有名为“{name}”的模板；现有：{there}"
        )

    async def close(self) -> None:
        """Close the database."""
        await self.db.close()


def policy_of(settings: Settings) -> Policy:
    """The company's policy lists; the shipped ones where it has none of its own."""
    own = settings.folder / settings.paths.suppression
    return load_policy(own if own.is_dir() else SHIPPED / "suppression")


def gates_of(settings: Settings) -> tuple[Gate, ...]:
    """The country rules, with the company's own laid over them. Raises ConfigError where that file is wrong."""
    own = settings.folder / settings.paths.gates
    try:
        return gates(own if own.is_file() else None)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{own}: {error}") from error


async def open_app(settings: Settings, *, now: datetime | None = None, migrate_first: bool = False) -> App:
    """Open the database, note the start, give the mailboxes their rows.

    Raises ConfigError when the database was never made or is of another version of the program.
    """
    moment = now or utc_now()
    db = Database(settings.database_url)
    try:
        await _check_revision(db, migrate_first)
        app = App(settings, db, installation_secret(settings.data_dir), policy_of(settings))
        await indexes.restore(db)  # a large import that was killed leaves them to the next start
        app.hold = await instance.arrive(db, moment)
        async with db.write() as conn:
            app.mailbox_ids = await sync_mailboxes(conn, settings.mailbox, moment)
    except BaseException:
        await db.close()
        raise
    return app


async def _check_revision(db: Database, migrate_first: bool) -> None:
    found = await migrate.revision_of(db)
    newest = migrate.newest()
    if found == newest:
        return
    if not migrate_first:
        state = "is empty" if found is None else f"is at revision {found}, the program needs {newest}"
        raise ConfigError(f"the database {state}: run  outreach init")
    await migrate.migrate(db)

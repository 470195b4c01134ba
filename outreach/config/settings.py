"""Every key of the configuration, its default and its meaning; docs/config.md is written from here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from outreach.campaigns.refusal import Wrong
from outreach.config.mailbox import ConfigError, MailboxSettings, Part, SecretRef
from outreach.model.enums import Role


class DatabaseSettings(Part):
    """Where the rows are: SQLite (default) or PostgreSQL."""

    url: str = Field(default="sqlite:///data/outreach.db", description="sqlite:///FILE or postgresql://USER@HOST/NAME")

    @field_validator("url")
    @classmethod
    def _known(cls, value: str) -> str:
        if not value.startswith(("sqlite:///", "postgresql://", "postgres://")):
            raise Wrong(
                "use sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME",
                "请用 sqlite:///FILE 或 postgresql://USER:PASSWORD@HOST/NAME",
            )
        return value


class TrackingSettings(Part):
    """The public address under which opens, clicks and unsubscribes arrive."""

    base_url: str = Field(default="http://127.0.0.1:8000", description="public address, without a final slash")
    opens: bool = Field(default=True, description="count opens with a pixel (never in the EU and the UK by default)")
    clicks: bool = Field(default=True, description="count clicks through /c/ links")
    trusted_proxies: list[str] = Field(default=[], description="addresses whose X-Forwarded-For is believed")
    click_parameter: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,39}$",
        description="query parameter that hands a click's token to your website for conversions; none: no token",
    )
    key_generation: int = Field(
        default=1, ge=1, le=64, description="raise by one to sign new links with a new key; links of old ones stay good"
    )

    @field_validator("base_url")
    @classmethod
    def _http(cls, value: str) -> str:
        if not re.match(r"https?://[^/\s]+", value):
            raise Wrong("start with https:// (http:// while trying)", "应以 https:// 开头（试用时可用 http://）")
        return value.rstrip("/")


class TopicSettings(Part):
    """Something that recipients may choose or leave out on the preference page; a campaign's `topic` names one.

    Without any: new (new products), show (exhibitions), price (price lists), with words in every language of the page.
    """

    key: str = Field(pattern=r"^[a-z0-9-]{1,40}$", description="what a campaign file writes as its topic")
    title: dict[str, str] = Field(default={}, description="its name by language; English stands in for others")
    small: dict[str, str] = Field(default={}, description="how often one hears of it, by language")


class SenderSettings(Part):
    """Who writes: the law asks for the name and the postal address in every mail (H4)."""

    company: str = Field(default="", description="the company's name as recipients know it")
    postal_address: str = Field(default="", description="full postal address, stands in every mail")
    website: str | None = Field(default=None, description="shown in the footer")
    phone: str | None = Field(default=None, description="shown in the footer")
    country: str = Field(default="CN", description="ISO code of the company's country")
    timezone: str = Field(default="Asia/Shanghai", description="the office's time zone: tasks, reports, schedules")


class Cap(Part):
    """At most so many mails in so many days; 0 mails: no cap."""

    mails: int = Field(ge=0)
    days: int = Field(default=14, ge=1)


class LimitSettings(Part):
    """Not a nuisance (A11): pace for a recipient's domain and caps for a person and a company."""

    per_domain_per_minute: int = Field(default=10, ge=0)
    per_contact: Cap = Cap(mails=3, days=14)
    per_company: Cap = Cap(mails=10, days=14)


class ApprovalSettings(Part):
    """Which roles must approve a campaign (A4)."""

    roles: list[Role] = Field(default=[Role.MARKETING_LEAD, Role.BUSINESS_LEAD, Role.LEGAL], min_length=1)


class PathSettings(Part):
    """Folders, relative to the configuration file."""

    data: str = "data"
    templates: str = Field(default="templates", description="own templates; the shipped ones are found anyway")
    suppression: str = Field(default="suppression", description="policy lists: domains.txt, roles.txt, disposable.txt")
    gates: str = Field(default="gates.toml", description="the company's own country rules, laid over the shipped ones")


class WebSettings(Part):
    """The staff's pages."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    session_hours: int = Field(default=12, ge=1, le=168, description="how long a login holds unused; a week at most")
    base_url: str | None = Field(default=None, description="the pages' own address if it is not tracking.base_url")
    metrics_token: SecretRef | None = Field(default=None, description="who may read /metrics from another machine")
    spamd: str | None = Field(default=None, description="HOST:PORT of a SpamAssassin daemon, for the preflight")


class InboxSettings(Part):
    """How received mail is read."""

    poll_seconds: int = Field(default=60, ge=5, le=120, description="at least every 120 s, in case IDLE dies silently")
    max_mail_bytes: int = Field(default=25_000_000, ge=10_000)
    first_days: int = Field(default=30, ge=0, description="how far back the first pass over a mailbox looks")
    escalation_mailbox: str | None = Field(
        default=None, description="the mailbox that mails managers what is answered late; none: only the page shows it"
    )
    archive_sent: bool = Field(default=True, description="keep every campaign mail that leaves, compressed (D3)")


class CrmSettings(Part):
    """Customers: money, grades, how soon the service answers."""

    currency: str = Field(default="USD", description="the company's own currency (ISO code) for sums and targets")
    rates: dict[str, float] = Field(default={}, description="what one unit of another currency is worth in it")
    margin_floor: float = Field(
        default=0, ge=0, lt=100, description="a quotation with a smaller margin (percent) needs a manager; 0: none"
    )
    grade_a: float = Field(default=50_000, ge=0, description="orders of a year from which a customer is an A")
    grade_b: float = Field(default=10_000, ge=0, description="… a B")
    question_days: int = Field(default=1, ge=1, description="working days within which a question is answered")
    complaint_days: int = Field(default=2, ge=1, description="… a complaint")
    wish_days: int = Field(default=5, ge=1, description="… a wish")
    assign_new: bool = Field(default=True, description="customers without an owner get one by the assignment rules")


class ReportSettings(Part):
    """Who gets the weekly report (A10)."""

    recipients: list[str] = Field(default=[], description="addresses that get it each week")
    language: Literal["zh", "en"] = "zh"
    weekday: int = Field(default=1, ge=1, le=7, description="1 Monday … 7 Sunday")
    hour: int = Field(default=8, ge=0, le=23)


class SendingSettings(Part):
    """How the engine works; the defaults bear every provider in the presets."""

    run_messages: int = Field(default=50, ge=1, description="a mailbox run ends after so many messages")
    run_seconds: int = Field(default=300, ge=1, description="… or after so many seconds")
    lease_seconds: int = Field(default=45, ge=5, description="a dead worker's mailbox is taken over after this")
    give_up_days: float = Field(default=4, gt=0, description="a deferred message fails after so many days")
    missed_window_hours: float = Field(default=24, gt=0, description="a schedule missed by more asks first")


class OidcSettings(Part):
    """Logging in with the company's own accounts (OpenID Connect); needs the packages of the extra `oidc`."""

    issuer: str = Field(description="the provider's address, as its documents name it")
    client_id: str = Field(description="the name given there; the redirect address ends in /login/oidc/back")
    client_secret: SecretRef | None = Field(default=None, description="where the client secret is found")
    claim: Literal["email", "preferred_username", "sub"] = Field(
        default="email",
        description="what names the user: the e-mail address here, else the name",
    )
    label: str = Field(default="", description="what the button says; empty: the words of the language")

    @field_validator("issuer")
    @classmethod
    def _safe(cls, value: str) -> str:
        if not value.startswith("https://") and not re.match(r"http://(127\.|localhost|\[::1\])", value):
            raise Wrong("the issuer must begin with https://", "issuer 必须以 https:// 开头")
        return value


class SignUpSettings(Part):
    """The sign-up form under tracking.base_url + /j/, with double opt-in."""

    mailbox: str | None = Field(default=None, description="which mailbox sends the confirmations; none: no form")
    interests: list[str] = Field(default=[], description="what may be ticked; stored as the contact's interests")
    tags: list[str] = Field(default=[], description="tags for who confirmed")
    per_hour: int = Field(default=60, ge=1, description="confirmations in an hour, so that nobody misuses the form")


class ViolationSettings(Part):
    """Reports of violations by customers and other outsiders, in confidence, under tracking.base_url + /v/."""

    from_outside: bool = Field(default=True, description="whether people without an account can report at all")
    per_network: int = Field(default=5, ge=1, description="reports from one network in an hour")
    per_hour: int = Field(default=60, ge=1, description="reports from outside in an hour, all together")


class WebhookSettings(Part):
    """Programs of the company that are told what happens."""

    own_hosts: list[str] = Field(
        default=[], description="hosts of the own network that may be posted to, by http too; all else must be public"
    )


class SequenceSettings(Part):
    """Sequences, greetings and other mail that goes by itself."""

    one_voice: bool = Field(
        default=True,
        description="within limits.per_company.days a customer hears from one colleague's mailbox only, in sequences "
        "and campaigns; asked when a mail is planned and again as it leaves",
    )


class RetentionSettings(Part):
    """How long personal data is kept."""

    raw_mail_days: int = Field(default=1095, ge=1)
    event_days: int = Field(default=1095, ge=30)
    inactive_contact_days: int = Field(default=0, ge=0, description="0: kept until erased")
    session_days: int = Field(default=90, ge=1, description="ended logins in the browser")


class JobSettings(Part):
    """Where DBOS keeps its own state; PostgreSQL when there are several machines."""

    url: str | None = Field(default=None, description="default: jobs.db beside the data, or the PostgreSQL database")


class Settings(BaseSettings):
    """The whole configuration; OUTREACH_SECTION__KEY in the environment overrides the file."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix="OUTREACH_",
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    database: DatabaseSettings = DatabaseSettings()
    tracking: TrackingSettings = TrackingSettings()
    sender: SenderSettings = SenderSettings()
    mailbox: list[MailboxSettings] = []
    limits: LimitSettings = LimitSettings()
    approval: ApprovalSettings = ApprovalSettings()
    paths: PathSettings = PathSettings()
    web: WebSettings = WebSettings()
    inbox: InboxSettings = InboxSettings()
    crm: CrmSettings = CrmSettings()
    report: ReportSettings = ReportSettings()
    sending: SendingSettings = SendingSettings()
    oidc: OidcSettings | None = None
    topic: list[TopicSettings] = []
    signup: SignUpSettings = SignUpSettings()
    violations: ViolationSettings = ViolationSettings()
    webhooks: WebhookSettings = WebhookSettings()
    sequences: SequenceSettings = SequenceSettings()
    retention: RetentionSettings = RetentionSettings()
    jobs: JobSettings = JobSettings()
    folder: Annotated[Path, Field(exclude=True)] = Path()
    file: Annotated[Path | None, Field(exclude=True)] = None

    @field_validator("mailbox")
    @classmethod
    def _unique_names(cls, value: list[MailboxSettings]) -> list[MailboxSettings]:
        names = [box.name for box in value]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            same = ", ".join(sorted(twice))
            raise Wrong(f"two mailboxes are named {same}: names must differ", f"有两个邮箱同名（{same}）：名称不能重复")
        return value

    @field_validator("topic")
    @classmethod
    def _unique_topics(cls, value: list[TopicSettings]) -> list[TopicSettings]:
        if len({topic.key for topic in value}) < len(value):
            raise ValueError("two topics have the same key: keys must differ")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file: a container is configured from outside."""
        return env_settings, init_settings

    @property
    def database_url(self) -> str:
        """The database's URL with a relative SQLite path made absolute beside the configuration file."""
        return _beside(self.database.url, self.folder)

    @property
    def jobs_url(self) -> str:
        """Where the coarse jobs are kept."""
        if self.jobs.url:
            return _beside(self.jobs.url, self.folder)
        if self.database_url.startswith("postgres"):
            return self.database_url
        return f"sqlite:///{self.data_dir / 'jobs.db'}"

    @property
    def data_dir(self) -> Path:
        """The folder of keys, archives, exports."""
        return (self.folder / self.paths.data).absolute()

    def mailbox_named(self, name: str) -> MailboxSettings:
        """Return a mailbox's settings. Raises ConfigError with the names there are."""
        for box in self.mailbox:
            if box.name == name:
                return box
        names = ", ".join(box.name for box in self.mailbox)
        raise ConfigError(
            f"no mailbox is named {name!r} in the configuration (there are: {names or 'none'})",
            f"配置里没有名为“{name}”的邮箱（现有：{names or '无'}）",
        )


def _beside(url: str, folder: Path) -> str:
    head = "sqlite:///"
    if not url.startswith(head) or url.startswith(head + "/") or url == head + ":memory:":
        return url
    return head + str((folder / url[len(head) :]).absolute())

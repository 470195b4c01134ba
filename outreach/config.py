"""config.toml → frozen settings. Read by app, cli and web alone; no other stage knows that a file exists.

A wrong key or value is refused with its line and with what is allowed there.
"""

from __future__ import annotations

import difflib
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from outreach.model.enums import Role

Tls = Literal["implicit", "starttls", "none"]
LOOPBACK = ("127.", "::1", "localhost")


class ConfigError(Exception):
    """The configuration cannot be used. The text says where, why and what is allowed."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DatabaseSettings(_Part):
    """Where the rows are: SQLite (default) or PostgreSQL."""

    url: str = Field(default="sqlite:///data/outreach.db", description="sqlite:///FILE or postgresql://USER@HOST/NAME")

    @field_validator("url")
    @classmethod
    def _known(cls, value: str) -> str:
        if not value.startswith(("sqlite:///", "postgresql://", "postgres://")):
            raise ValueError("use sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")
        return value


class TrackingSettings(_Part):
    """The public address under which opens, clicks and unsubscribes arrive."""

    base_url: str = Field(default="http://127.0.0.1:8000", description="public address, without a final slash")
    opens: bool = Field(default=True, description="count opens with a pixel (never in the EU and the UK by default)")
    clicks: bool = Field(default=True, description="count clicks through /c/ links")
    trusted_proxies: list[str] = Field(default=[], description="addresses whose X-Forwarded-For is believed")

    @field_validator("base_url")
    @classmethod
    def _http(cls, value: str) -> str:
        if not re.match(r"https?://[^/\s]+", value):
            raise ValueError("start with https:// (http:// while trying)")
        return value.rstrip("/")


class SenderSettings(_Part):
    """Who writes: the law asks for the name and the postal address in every mail (H4)."""

    company: str = Field(default="", description="the company's name as recipients know it")
    postal_address: str = Field(default="", description="full postal address, stands in every mail")
    website: str | None = Field(default=None, description="shown in the footer")
    country: str = Field(default="CN", description="ISO code of the company's country")
    timezone: str = Field(default="Asia/Shanghai", description="the office's time zone: tasks, reports, schedules")


class SecretRef(_Part):
    """Where a secret is found. It never stands in the file itself."""

    env: str | None = Field(default=None, description="name of an environment variable")
    file: str | None = Field(default=None, description="path of a file that only its owner can read (mode 0600)")
    keyring: str | None = Field(default=None, description="user name under service 'outreach' in the system's keyring")

    @model_validator(mode="after")
    def _one(self) -> SecretRef:
        if sum(v is not None for v in (self.env, self.file, self.keyring)) != 1:
            raise ValueError("give exactly one of env, file, keyring")
        return self

    def read(self) -> str:
        """Return the secret. Raises ConfigError when it is missing or readable by others."""
        if self.env is not None:
            return _from_env(self.env)
        if self.file is not None:
            return _from_file(Path(self.file))
        return _from_keyring(str(self.keyring))


def _from_env(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise ConfigError(f"the environment variable {name} is not set: set it to the mailbox's password or code")
    return value


def _from_file(path: Path) -> str:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise ConfigError(f"the secret file {path} cannot be read: {error.strerror}") from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"{path} can be read by others: run  chmod 600 {path}")
    return path.read_text(encoding="utf-8").strip()


def _from_keyring(name: str) -> str:
    import keyring

    value = keyring.get_password("outreach", name)
    if not value:
        raise ConfigError(f"the keyring has no entry {name!r} of service outreach: keyring set outreach {name}")
    return str(value)


class Endpoint(_Part):
    """A server's address and how the connection is protected."""

    host: str
    port: int = Field(ge=1, le=65535)
    tls: Tls = "implicit"

    @model_validator(mode="after")
    def _plain_only_on_loopback(self) -> Endpoint:
        if self.tls == "none" and not self.host.startswith(LOOPBACK):
            raise ValueError('tls = "none" is for loopback only: use "implicit" or "starttls"')
        return self


class OAuth2Settings(_Part):
    """How to get access tokens (XOAUTH2): client, refresh token and where to refresh."""

    token_url: str
    client_id: str
    client_secret: SecretRef | None = None
    refresh_token: SecretRef
    scope: str | None = None


class MailboxLimits(_Part):
    """What the mailbox bears; 0 means none."""

    per_minute: int = Field(default=20, ge=0)
    per_hour: int = Field(default=500, ge=0)
    per_day: int = Field(default=2000, ge=0)
    min_gap_seconds: float = Field(default=0, ge=0)


class ImapFolders(_Part):
    """Which folders are read; `sent` is used to settle messages in doubt."""

    inbox: str = "INBOX"
    junk: str | None = None
    sent: str | None = None


class MailboxSettings(_Part):
    """A company mailbox (D1)."""

    name: str = Field(description="short name, used in campaigns")
    address: str
    from_name: str | None = Field(default=None, description="display name; else the owner's or the company's")
    owner: str | None = Field(default=None, description="the salesperson's user name; none: a shared mailbox")
    provider: str | None = Field(default=None, description="a preset; any key below overrides it")
    smtp: Endpoint
    imap: Endpoint | None = None
    user: str | None = None
    password: SecretRef | None = None
    oauth2: OAuth2Settings | None = None
    connections: int = Field(default=2, ge=1, le=100)
    limits: MailboxLimits = MailboxLimits()
    warmup: bool = Field(default=False, description="a young mailbox: begin with 30 a day and grow by a third a day")
    files_sent: bool | None = Field(default=None, description="the server files sent mail by itself; none: probed")
    folders: ImapFolders = ImapFolders()
    tracking_base_url: str | None = Field(default=None, description="own tracking domain; else tracking.base_url")
    quota_scope: Literal["mailbox", "domain"] = "mailbox"
    quirks: list[str] = []

    @property
    def domain(self) -> str:
        """The mailbox's own domain."""
        return self.address.rpartition("@")[2].lower()


class Cap(_Part):
    """At most so many mails in so many days; 0 mails: no cap."""

    mails: int = Field(ge=0)
    days: int = Field(default=14, ge=1)


class LimitSettings(_Part):
    """Not a nuisance (A11): pace for a recipient's domain and caps for a person and a company."""

    per_domain_per_minute: int = Field(default=10, ge=0)
    per_contact: Cap = Cap(mails=3, days=14)
    per_company: Cap = Cap(mails=10, days=14)


class ApprovalSettings(_Part):
    """Which roles must approve a campaign (A4)."""

    roles: list[Role] = Field(default=[Role.MARKETING_LEAD, Role.BUSINESS_LEAD, Role.LEGAL], min_length=1)


class PathSettings(_Part):
    """Folders, relative to the configuration file."""

    data: str = "data"
    templates: str = Field(default="templates", description="own templates; the shipped ones are found anyway")
    suppression: str = Field(default="suppression", description="policy lists: domains.txt, roles.txt, disposable.txt")


class WebSettings(_Part):
    """The staff's pages."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    session_hours: int = Field(default=12, ge=1)
    base_url: str | None = Field(default=None, description="the pages' own address if it is not tracking.base_url")
    spamd: str | None = Field(default=None, description="HOST:PORT of a SpamAssassin daemon, for the preflight")


class InboxSettings(_Part):
    """How received mail is read."""

    poll_seconds: int = Field(default=60, ge=5, le=120, description="at least every 120 s, in case IDLE dies silently")
    max_mail_bytes: int = Field(default=25_000_000, ge=10_000)
    first_days: int = Field(default=30, ge=0, description="how far back the first pass over a mailbox looks")


class ReportSettings(_Part):
    """Who gets the weekly report (A10)."""

    recipients: list[str] = []
    language: Literal["zh", "en"] = "zh"
    weekday: int = Field(default=1, ge=1, le=7, description="1 Monday … 7 Sunday")
    hour: int = Field(default=8, ge=0, le=23)


class SendingSettings(_Part):
    """How the engine works; the defaults bear every provider in the presets."""

    run_messages: int = Field(default=50, ge=1, description="a mailbox run ends after so many messages")
    run_seconds: int = Field(default=300, ge=1, description="… or after so many seconds")
    lease_seconds: int = Field(default=45, ge=5, description="a dead worker's mailbox is taken over after this")
    give_up_days: float = Field(default=4, gt=0, description="a deferred message fails after so many days")
    missed_window_hours: float = Field(default=24, gt=0, description="a schedule missed by more asks first")


class RetentionSettings(_Part):
    """How long personal data is kept."""

    raw_mail_days: int = Field(default=1095, ge=1)
    event_days: int = Field(default=1095, ge=30)
    inactive_contact_days: int = Field(default=0, ge=0, description="0: kept until erased")


class JobSettings(_Part):
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
    report: ReportSettings = ReportSettings()
    sending: SendingSettings = SendingSettings()
    retention: RetentionSettings = RetentionSettings()
    jobs: JobSettings = JobSettings()
    folder: Annotated[Path, Field(exclude=True)] = Path()

    @field_validator("mailbox")
    @classmethod
    def _unique_names(cls, value: list[MailboxSettings]) -> list[MailboxSettings]:
        names = [box.name for box in value]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"two mailboxes are named {', '.join(sorted(twice))}: names must differ")
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
        names = ", ".join(box.name for box in self.mailbox) or "none"
        raise ConfigError(f"no mailbox is named {name!r} in the configuration (there are: {names})")


def _beside(url: str, folder: Path) -> str:
    head = "sqlite:///"
    if not url.startswith(head) or url.startswith(head + "/") or url == head + ":memory:":
        return url
    return head + str((folder / url[len(head) :]).absolute())


def presets() -> dict[str, dict[str, Any]]:
    """Return the provider presets (sending/providers.toml), by name."""
    text = resources.files("outreach").joinpath("sending/providers.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def find_config(explicit: str | None = None) -> Path:
    """Return the configuration's path: --config, $OUTREACH_CONFIG, ./config.toml. Raises ConfigError if absent."""
    path = Path(explicit or os.environ.get("OUTREACH_CONFIG") or "config.toml")
    if not path.is_file():
        raise ConfigError(f"there is no configuration at {path}: run  outreach init  or name one with --config FILE")
    return path


def load(path: Path) -> Settings:
    """Read and check a configuration file. Raises ConfigError naming line, key and what is allowed."""
    text = path.read_text(encoding="utf-8-sig")
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from error
    for number, box in enumerate(raw.get("mailbox", [])):
        _apply_preset(box, path, text, number)
    try:
        return Settings(**raw, folder=path.parent)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(problem, path, text) for problem in error.errors())) from error


#: What a preset may set of a mailbox; the rest of providers.toml is for sending and the inbox.
PRESET_KEYS = ("smtp", "imap", "connections", "limits", "files_sent", "quota_scope", "quirks", "folders")


def _apply_preset(box: Any, path: Path, text: str, number: int) -> None:
    """Lay the mailbox's own keys over its provider's preset, in place."""
    name = box.get("provider") if isinstance(box, dict) else None
    if not name:
        return
    known = presets()
    if name not in known:
        line = line_of(text, ("mailbox", number, "provider"))
        hint = _did_you_mean(str(name), known)
        raise ConfigError(f"{path}:{line}: unknown provider {name!r}{hint}; there are: {', '.join(sorted(known))}")
    for key in PRESET_KEYS:
        given = known[name].get(key)
        if given is None:
            continue
        if isinstance(given, dict) and isinstance(box.get(key, {}), dict):
            box[key] = {**given, **box.get(key, {})}
        else:
            box.setdefault(key, given)


def _explain(problem: Any, path: Path, text: str) -> str:
    location = tuple(part for part in problem["loc"] if isinstance(part, str | int))
    where = f"{path}:{line_of(text, location)}"
    dotted = ".".join(str(part) for part in location)
    if problem["type"] == "extra_forbidden":
        allowed = _allowed_keys(location[:-1])
        hint = _did_you_mean(str(location[-1]), allowed)
        return f"{where}: unknown key {dotted}{hint}; allowed here: {', '.join(allowed)}"
    if problem["type"] == "missing":
        return f"{where}: {dotted} is missing"
    message = str(problem["msg"]).removeprefix("Value error, ")
    shown = "" if _secretive(location) else f" (found {problem['input']!r})"
    if location and location[-1] == "password" and isinstance(problem["input"], str):
        message = 'a password never stands in the file: use { env = "NAME" }, { file = "PATH" } or { keyring = "NAME" }'
    return f"{where}: {dotted}: {message}{shown}"


def _secretive(location: tuple[str | int, ...]) -> bool:
    return any(part in ("password", "oauth2", "client_secret", "refresh_token") for part in location)


def _did_you_mean(word: str, allowed: Mapping[str, Any] | list[str]) -> str:
    close = difflib.get_close_matches(word, list(allowed), n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _allowed_keys(location: tuple[str | int, ...]) -> list[str]:
    model: Any = Settings
    for part in location:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        model = _model_in(field.annotation) if field else None
        if model is None:
            return []
    return [name for name in model.model_fields if name != "folder"]


def _model_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in get_args(annotation):
        found = _model_in(inner)
        if found is not None:
            return found
    return None


_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]")
_KEY = re.compile(r"^\s*([A-Za-z0-9_\-\"']+)\s*=")


def line_of(text: str, location: tuple[str | int, ...]) -> int:
    """Return the 1-based line where the deepest part of `location` stands; tomllib keeps no positions."""
    best, depth = 1, 0
    table: tuple[str | int, ...] = ()
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header:
            name = header[2].strip("\"'")
            parts: tuple[str | int, ...] = tuple(name.split("."))
            if header[1] == "[[":
                counts[name] = counts.get(name, -1) + 1
                parts = (*parts, counts[name])
            table = parts
            found = table
        else:
            key = _KEY.match(line)
            if not key:
                continue
            found = (*table, key[1].strip("\"'"))
        if len(found) > depth and found == location[: len(found)]:
            best, depth = number, len(found)
    return best

"""A mailbox's settings, and where its secrets are found."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from outreach.campaigns.refusal import Wrong
from outreach.content.hosts import is_loopback
from outreach.model.refusal import InTwo

Tls = Literal["implicit", "starttls", "none"]


class ConfigError(InTwo):
    """The configuration cannot be used. The text says where, why and what is allowed, in both languages."""


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SecretRef(Part):
    """Where a secret is found. It never stands in the file itself."""

    env: str | None = Field(default=None, description="name of an environment variable")
    file: str | None = Field(default=None, description="path of a file that only its owner can read (mode 0600)")
    keyring: str | None = Field(default=None, description="user name under service 'outreach' in the system's keyring")

    @model_validator(mode="after")
    def _one(self) -> SecretRef:
        if sum(v is not None for v in (self.env, self.file, self.keyring)) != 1:
            raise Wrong("give exactly one of env, file, keyring", "env、file、keyring 三者须且只能给出一个")
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
        raise ConfigError(
            f"the environment variable {name} is not set: set it to the mailbox's password or code",
            f"未设置环境变量 {name}：请将其设为该邮箱的密码或授权码",
        )
    return value


def _from_file(path: Path) -> str:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise ConfigError(
            f"the secret file {path} cannot be read: {error.strerror}", f"无法读取密钥文件 {path}：{error.strerror}"
        ) from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(
            f"{path} can be read by others: run  chmod 600 {path}", f"{path} 可被其他用户读取：请运行  chmod 600 {path}"
        )
    return path.read_text(encoding="utf-8").strip()


def _from_keyring(name: str) -> str:
    import keyring

    value = keyring.get_password("outreach", name)
    if not value:
        raise ConfigError(
            f"the keyring has no entry {name!r} of service outreach: keyring set outreach {name}",
            f"系统密钥环里没有服务 outreach 的条目 {name!r}：请运行  keyring set outreach {name}",
        )
    return str(value)


class Endpoint(Part):
    """A server's address and how the connection is protected."""

    host: str
    port: int = Field(ge=1, le=65535)
    tls: Tls = "implicit"

    @model_validator(mode="after")
    def _plain_only_on_loopback(self) -> Endpoint:
        if self.tls == "none" and not is_loopback(self.host):
            raise Wrong(
                'tls = "none" is for loopback only: use "implicit" or "starttls"',
                'tls = "none" 仅限本机：请改用 "implicit" 或 "starttls"',
            )
        return self


class OAuth2Settings(Part):
    """How to get access tokens (XOAUTH2): client, refresh token and where to refresh."""

    token_url: str
    client_id: str
    client_secret: SecretRef | None = None
    refresh_token: SecretRef
    scope: str | None = None


class MailboxLimits(Part):
    """What the mailbox bears; 0 means none."""

    per_minute: int = Field(default=20, ge=0)
    per_hour: int = Field(default=500, ge=0)
    per_day: int = Field(default=2000, ge=0)
    min_gap_seconds: float = Field(default=0, ge=0)


class ImapFolders(Part):
    """Which folders are read; `sent` is used to settle messages in doubt."""

    inbox: str = "INBOX"
    junk: str | None = None
    sent: str | None = None


class MailboxSettings(Part):
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
    spf_include: str = Field(default="", description="what the domain's SPF record has to include; a preset knows it")
    dkim_selectors: list[str] = Field(default=[], description="names of the domain's DKIM keys, for the doctor")
    dkim_domain: str = Field(
        default="", description="the domain that the relay signs for (d=) where it is another than the address's"
    )
    bounce_domain: str = Field(
        default="",
        description="the domain that the relay writes into the envelope, where it is another",
    )

    @property
    def loopback(self) -> bool:
        """Whether its server is on this machine: a trial."""
        return is_loopback(self.smtp.host)

    @property
    def domain(self) -> str:
        """The mailbox's own domain."""
        return self.address.rpartition("@")[2].lower()

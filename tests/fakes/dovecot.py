"""Dovecot as a real IMAP server: one process a test, any user name, one password, XOAUTH2 with signed tokens."""

from __future__ import annotations

import base64
import grp
import hashlib
import hmac
import imaplib
import json
import re
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.process import (
    HOST,
    answers,
    as_daemon,
    daemon_folder,
    daemon_user,
    end_group,
    find,
    free_port,
    wait_for,
)

PASSWORD = "letter-box"

CONFIG = """\
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
instance_name = {name}
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0
auth_mechanisms = plain login xoauth2 oauthbearer
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = {uid}
first_valid_gid = {gid}
mail_location = maildir:{folder}/mail/%u
mail_fsync = never
mail_max_userip_connections = 100
mail_plugins = quota
protocol imap {{
  mail_plugins = quota imap_quota
}}
plugin {{
  quota = count:Mailbox
  quota_vsizes = yes
  quota_rule = *:storage=4G
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home/%u allow_all_users=yes
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
  # Without this each failed login makes the next one from the same address wait longer.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""

OAUTH2 = """\
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={folder}/keys/
username_attribute = sub
"""


@dataclass(frozen=True)
class Stored:
    """A mail in a folder. `flags` as the server writes them, without \\Recent."""

    uid: int
    flags: tuple[str, ...]
    raw: bytes


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Dovecot:
    """The server and a person's hands on its mail, over IMAP itself."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.host, self.port = folder, HOST, free_port()
        self.user, self.password = "sales", PASSWORD
        self.key = secrets.token_bytes(32)
        self.process: subprocess.Popen[bytes] | None = None
        self._configure()

    def _configure(self) -> None:
        who = daemon_user()
        facts = {
            "folder": self.folder,
            "name": self.folder.name,
            "user": who.pw_name,
            "group": grp.getgrgid(who.pw_gid).gr_name,
            "uid": who.pw_uid,
            "gid": who.pw_gid,
            "port": self.port,
            "password": PASSWORD,
        }
        (self.folder / "dovecot.conf").write_text(CONFIG.format(**facts))
        (self.folder / "oauth2.conf").write_text(OAUTH2.format(folder=self.folder))
        # Where Dovecot looks for a key: azp (default) / algorithm / kid (default).
        key = self.folder / "keys" / "default" / "HS256" / "default"
        key.parent.mkdir(parents=True)
        key.write_bytes(base64.b64encode(self.key))

    def start(self) -> None:
        """Start on the same port and the same mail."""
        program = find("dovecot")
        assert program
        command = [program, "-F", "-c", str(self.folder / "dovecot.conf")]
        with open(self.folder / "stderr", "ab") as errors:
            self.process = subprocess.Popen(  # type: ignore[call-overload]
                command, stderr=errors, start_new_session=True, **as_daemon()
            )
        try:
            wait_for(lambda: answers(self.port, b"* OK"), "dovecot", self.process)
        except RuntimeError as error:
            raise RuntimeError(f"{error}\n{self.log()}") from error

    def stop(self) -> None:
        """Stop; every connection is dropped."""
        if self.process is not None:
            end_group(self.process)
            self.process = None

    def drop_connections(self) -> None:
        """Every client loses its connection; the server goes on."""
        self.stop()
        self.start()

    def log(self) -> str:
        paths = [self.folder / "log", self.folder / "stderr"]
        return "\n".join(path.read_text(errors="replace") for path in paths if path.exists())

    def token(self, user: str | None = None, expires_in: int = 3600) -> str:
        """An access token (JWT, HS256) for XOAUTH2 and OAUTHBEARER; with a negative expires_in one that has run out."""
        now = int(time.time())
        claims = {"sub": user or self.user, "iat": now - 7200, "nbf": now - 7200, "exp": now + expires_in}
        head = _b64(json.dumps({"alg": "HS256", "typ": "JWT"}).encode()) + "." + _b64(json.dumps(claims).encode())
        return f"{head}.{_b64(hmac.digest(self.key, head.encode(), hashlib.sha256))}"

    @contextmanager
    def session(self, user: str | None = None) -> Iterator[imaplib.IMAP4]:
        """A logged-in connection of imaplib."""
        link = imaplib.IMAP4(self.host, self.port, timeout=20)
        try:
            link.login(user or self.user, self.password)
            yield link
        finally:
            link.logout()

    def create(self, folder: str, user: str | None = None) -> None:
        with self.session(user) as link:
            _ok(link.create(_quoted(folder)))

    def append(self, raw: bytes, folder: str = "INBOX", flags: str = "", user: str | None = None) -> int:
        """File a mail (line ends may be bare LF; flags such as "\\\\Seen") → its UID. The folder is made if missing."""
        data = re.sub(rb"\r?\n", b"\r\n", raw)
        with self.session(user) as link:
            if folder != "INBOX":
                link.create(_quoted(folder))
            said = _ok(link.append(_quoted(folder), f"({flags})" if flags else "", "", data))
        found = re.search(rb"APPENDUID \d+ (\d+)", said[0])
        assert found, said
        return int(found[1])

    def messages(self, folder: str = "INBOX", user: str | None = None) -> list[Stored]:
        """Everything in the folder, looked at without marking it read."""
        with self.session(user) as link:
            _ok(link.select(_quoted(folder), readonly=True))
            parts = _ok(link.uid("FETCH", "1:*", "(UID FLAGS BODY.PEEK[])"))
        return [_stored(part) for part in parts if isinstance(part, tuple)]

    def expunge(self, uid: int, folder: str = "INBOX", user: str | None = None) -> None:
        """Delete one mail for good."""
        with self.session(user) as link:
            _ok(link.select(_quoted(folder)))
            _ok(link.uid("STORE", str(uid), "+FLAGS", r"(\Deleted)"))
            _ok(link.uid("EXPUNGE", str(uid)))

    def uidvalidity(self, folder: str = "INBOX", user: str | None = None) -> int:
        with self.session(user) as link:
            said = _ok(link.status(_quoted(folder), "(UIDVALIDITY)"))
        found = re.search(rb"UIDVALIDITY (\d+)", said[0])
        assert found, said
        return int(found[1])

    def change_uidvalidity(self, folder: str = "INBOX", user: str | None = None) -> int:
        """Give the folder a new UIDVALIDITY and new UIDs from 1 on, as a restored server does → the new value."""
        before = self.uidvalidity(folder, user)
        self.stop()
        home = self.folder / "mail" / (user or self.user)
        place = home if folder == "INBOX" else home / f".{folder}"
        for path in {*place.glob("dovecot*"), *home.glob("dovecot.list.index*")}:
            path.unlink()
        # The next value is taken from the newest of these files; Dovecot would else take the clock's second.
        (home / "dovecot-uidvalidity").write_text(f"{before + 1:08x}")
        (home / f"dovecot-uidvalidity.{before + 1:08x}").touch()
        self.start()
        after = self.uidvalidity(folder, user)
        assert after != before
        return after


def _ok(answer: tuple[str, list[object]]) -> list[object]:
    assert answer[0] == "OK", answer
    return answer[1]


def _quoted(folder: str) -> str:
    """An IMAP quoted string. ASCII names only: the tests' folders need no modified UTF-7."""
    return '"' + folder.replace("\\", r"\\").replace('"', r"\"") + '"'


def _stored(part: tuple[bytes, bytes]) -> Stored:
    uid = re.search(rb"UID (\d+)", part[0])
    flags = re.search(rb"FLAGS \(([^)]*)\)", part[0])
    assert uid
    assert flags
    return Stored(int(uid[1]), tuple(f for f in flags[1].decode().split() if f != r"\Recent"), part[1])


@contextmanager
def running_dovecot() -> Iterator[Dovecot]:
    with daemon_folder("imap") as folder:
        server = Dovecot(folder)
        try:
            server.start()
            yield server
        finally:
            server.stop()

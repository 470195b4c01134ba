"""Dovecot for the demo, where it is installed: a real IMAP server with a folder of its own, gone afterwards."""

from __future__ import annotations

import asyncio
import grp
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

PROGRAMS = ("/usr/sbin/dovecot", "/usr/local/sbin/dovecot", "/opt/homebrew/sbin/dovecot")

CONFIG = """\
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = {uid}
first_valid_gid = {gid}
mail_location = maildir:{folder}/mail/%u
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
}}
service stats {{
  chroot =
}}
"""


def find_dovecot() -> str | None:
    """Return the program's path, None where it is not installed."""
    found = shutil.which("dovecot")
    return found or next((path for path in PROGRAMS if os.access(path, os.X_OK)), None)


@dataclass
class DemoDovecot:
    """One server for the length of the demo. Dovecot refuses to run as root, so it runs as nobody then."""

    program: str
    user: str = "sales"
    password: str = "demo"
    port: int = 0
    name: str = "Dovecot"
    _folder: Path = field(default_factory=Path)
    _process: subprocess.Popen[bytes] | None = None
    _count: int = 0

    async def start(self) -> None:
        """Start on a free port and wait until it answers. Raises RuntimeError with its log if it does not."""
        await asyncio.to_thread(self._start)

    def _start(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="outreach-demo-"))
        who = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        inbox = self._folder / "mail" / self.user
        for part in ("new", "cur", "tmp"):
            (inbox / part).mkdir(parents=True)
        config = self._folder / "dovecot.conf"
        config.write_text(
            CONFIG.format(
                folder=self._folder,
                user=who.pw_name,
                group=grp.getgrgid(who.pw_gid).gr_name,
                uid=who.pw_uid,
                gid=who.pw_gid,
                port=self.port,
                password=self.password,
            )
        )
        self._give_to(who)
        command = [self.program, "-F", "-c", str(config)]
        with open(self._folder / "stderr", "wb") as errors:
            run_as = {"user": who.pw_name, "group": who.pw_gid} if os.geteuid() == 0 else {}
            self._process = subprocess.Popen(command, stderr=errors, **run_as)  # type: ignore[call-overload]
        self._wait()

    def _give_to(self, who: pwd.struct_passwd) -> None:
        if os.geteuid() != 0:
            return
        for path in [self._folder, *self._folder.rglob("*")]:
            os.chown(path, who.pw_uid, who.pw_gid)

    def _wait(self) -> None:
        for _ in range(100):
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as link:
                    if link.recv(64).startswith(b"* OK"):
                        return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("Dovecot did not start: " + (self._folder / "stderr").read_text(errors="replace")[:500])

    def deliver(self, raw: bytes) -> None:
        """File a mail as a delivery agent would: written in tmp, moved to new."""
        self._count += 1
        inbox = self._folder / "mail" / self.user
        name = f"{time.time():.6f}.M{self._count}.demo"
        (inbox / "tmp" / name).write_bytes(raw)
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(inbox / "tmp" / name, nobody.pw_uid, nobody.pw_gid)
        (inbox / "tmp" / name).rename(inbox / "new" / name)

    async def stop(self) -> None:
        """Stop the server and remove its folder."""
        if self._process is not None:
            self._process.terminate()
            await asyncio.to_thread(self._process.wait, 10)
        await asyncio.to_thread(shutil.rmtree, self._folder, True)

"""Postfix's smtp-sink: takes every mail, keeps it in a file."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.process import HOST, answers, daemon_folder, daemon_user, end, find, free_port, wait_for


@dataclass(frozen=True)
class Sunk:
    """A mail that the sink took. `data` has bare LF line ends, as smtp-sink writes them."""

    mail_from: str
    rcpt_tos: list[str]
    data: bytes


def parse_dump(raw: bytes) -> Sunk:
    """Read one dump: X-…-Args lines of the envelope, a Received header by the sink, then the mail."""
    mail_from, rcpt_tos, lines = "", [], raw.split(b"\n")
    at = 0
    while lines[at].startswith(b"X-"):
        key, _, value = lines[at].decode().partition(": ")
        address = value.split(">")[0].lstrip("<")
        if key == "X-Mail-Args":
            mail_from = address
        elif key == "X-Rcpt-Args":
            rcpt_tos.append(address)
        elif not key.endswith(("-Args", "-Proto", "-Addr")):
            break
        at += 1
    if lines[at].startswith(b"Received: "):
        at += 1
        while lines[at].startswith((b" ", b"\t")):
            at += 1
    return Sunk(mail_from, rcpt_tos, b"\n".join(lines[at:]))


class SmtpSink:
    """A running smtp-sink."""

    def __init__(self, port: int, dump: Path, process: subprocess.Popen[bytes]) -> None:
        self.host, self.port, self.dump, self.process = HOST, port, dump, process

    def files(self) -> list[Path]:
        return sorted(path for path in self.dump.iterdir() if path.is_file() and path.stat().st_size)

    def count(self) -> int:
        """How many mails have been begun and not been broken off."""
        return len(self.files())

    def messages(self) -> list[Sunk]:
        return [parse_dump(path.read_bytes()) for path in self.files()]

    def recipients(self) -> list[str]:
        """Every recipient of every mail, with repetitions."""
        return [address for mail in self.messages() for address in mail.rcpt_tos]


@contextmanager
def running_sink(*options: str) -> Iterator[SmtpSink]:
    """Start smtp-sink with dumps and further options of its manual page."""
    program = find("smtp-sink")
    assert program
    with daemon_folder("sink") as folder:
        port = free_port()
        # A super-user's smtp-sink insists on being told whom to become.
        user = ["-u", daemon_user().pw_name] if os.geteuid() == 0 else []
        command = [program, *user, *options, "-d", str(folder / "mail."), f"{HOST}:{port}", "1000"]
        process = subprocess.Popen(command, cwd=folder)
        try:
            wait_for(lambda: answers(port, b"220"), "smtp-sink", process)
            yield SmtpSink(port, folder, process)
        finally:
            end(process)

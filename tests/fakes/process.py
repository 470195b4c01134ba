"""Child processes of the tests: free ports, a user that daemons accept, an end that is sure."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

HOST = "127.0.0.1"
START_SECONDS = 20.0  # Dovecot needs 0.1 s on an idle machine; two busy cores were seen to take 3 s


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def find(program: str) -> str | None:
    """The program's path; Debian keeps daemons where an ordinary user's PATH does not look."""
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin")


def daemon_user() -> pwd.struct_passwd:
    """Who runs a daemon: `nobody` if we are root (Dovecot and PostgreSQL refuse root), else ourselves."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def as_daemon() -> dict[str, object]:
    """Arguments for Popen that make the child run as daemon_user()."""
    if os.geteuid() != 0:
        return {}
    user = daemon_user()
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@contextmanager
def daemon_folder(name: str) -> Iterator[Path]:
    """A folder that daemon_user() owns. Not pytest's tmp_path: that is closed to others and too long for a socket."""
    folder = Path(tempfile.mkdtemp(prefix=f"outreach-{name}-"))
    if os.geteuid() == 0:
        user = daemon_user()
        os.chown(folder, user.pw_uid, user.pw_gid)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def wait_for(
    ready: Callable[[], bool],
    what: str,
    process: subprocess.Popen[bytes] | None = None,
    seconds: float = START_SECONDS,
) -> None:
    """Poll until ready() or fail; a child that has ended is not waited for."""
    deadline = time.monotonic() + seconds
    while not ready():
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"{what} ended with exit code {process.returncode}")
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} was not ready after {seconds:.0f} s")
        time.sleep(0.01)


def answers(port: int, banner: bytes = b"") -> bool:
    """True if the port accepts and its first words start with the banner."""
    try:
        with socket.create_connection((HOST, port), timeout=1) as link:
            return link.recv(len(banner)) == banner if banner else True
    except OSError:
        return False


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask the child to end, insist after five seconds, and reap it."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the child and its children at once; it must have been started in a session of its own."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    end(process)

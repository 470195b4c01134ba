"""Names of lease holders, and whether the process behind one is still there."""

from __future__ import annotations

import os
import secrets
import socket


def make_holder() -> str:
    """Return a name for this process: machine, process namespace, process id, something random."""
    return f"{socket.gethostname()}:{_namespace()}:{os.getpid()}:{secrets.token_hex(4)}"


def is_dead(holder: str) -> bool:
    """Whether the holder was a process of this machine that has ended; a foreign or unreadable name counts as alive.

    Saves the wait for the lease's end after a crash. A wrong guess costs nothing but that wait: the fencing number
    keeps a living holder from sending, whoever took its mailbox.
    """
    parts = holder.split(":")
    if len(parts) != 4 or parts[0] != socket.gethostname() or parts[1] != _namespace():
        return False
    try:
        os.kill(int(parts[2]), 0)
    except ProcessLookupError:
        return True
    except (ValueError, OverflowError, PermissionError):
        return False
    return False


def _namespace() -> str:
    """Two containers may share a host name, not a process namespace."""
    try:
        return str(os.stat("/proc/self/ns/pid").st_ino)
    except OSError:
        return "0"

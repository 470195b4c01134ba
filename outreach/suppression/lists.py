"""The policy files of the top folder suppression/: read once, refused as a whole when a line makes no sense."""

from __future__ import annotations

import re
from pathlib import Path

from outreach.suppression.match import Policy

_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}")


class PolicyError(ValueError):
    """A line of a policy file that cannot be read: `file`, `line` (from 1) and what is allowed."""

    def __init__(self, file: str, line: int, entry: str, allowed: str) -> None:
        self.file, self.line, self.entry = file, line, entry
        super().__init__(
            f"suppression/{file} line {line}: “{entry}” is not {allowed}. Nothing is sent until it is mended."
        )


def read_entries(text: str) -> list[tuple[int, str]]:
    """Return (line number, entry in lower case) of every line that is not blank or a comment."""
    lines = enumerate(text.removeprefix("\ufeff").splitlines(), start=1)
    entries = ((number, line.split("#", 1)[0].strip().lower()) for number, line in lines)
    return [(number, entry) for number, entry in entries if entry]


def read_domains(text: str, file: str) -> frozenset[str]:
    """Return the domains of a list. Raises PolicyError."""
    entries = read_entries(text)
    for number, entry in entries:
        if len(entry) > 253 or not _DOMAIN.fullmatch(entry):
            raise PolicyError(file, number, entry, "a domain (IDNA form for names beyond ASCII)")
    return frozenset(entry for _, entry in entries)


def read_roles(text: str, file: str = "roles.txt") -> dict[str, str]:
    """Return local part → "never" or "flag". Raises PolicyError."""
    roles = {}
    for number, entry in read_entries(text):
        local, _, effect = entry.partition(" ")
        if effect.strip() not in ("never", "flag") or not _LOCAL.fullmatch(local):
            raise PolicyError(file, number, entry, "a local part followed by “never” or “flag”")
        roles[local] = effect.strip()
    return roles


def load_policy(folder: Path) -> Policy:
    """Read the policy of a folder; a file that is not there is an empty list. Raises PolicyError."""

    def text(name: str) -> str:
        path = folder / name
        return path.read_text("utf-8") if path.is_file() else ""

    roles = read_roles(text("roles.txt"))
    return Policy(
        domains=read_domains(text("domains.txt"), "domains.txt"),
        disposable=read_domains(text("disposable.txt"), "disposable.txt"),
        never_roles=frozenset(local for local, effect in roles.items() if effect == "never"),
        flagged_roles=frozenset(local for local, effect in roles.items() if effect == "flag"),
    )

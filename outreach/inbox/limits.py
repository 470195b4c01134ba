"""How much of one mail is read. What exceeds a limit is not parsed further; the raw mail goes to quarantine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    size: int = 25 * 1024 * 1024  # bytes; Gmail's and Exchange Online's own limit for a message
    parts: int = 500  # a newsletter digest has dozens; 100,000 empty parts take the library 18 s
    depth: int = 30  # forwarded ten times with its attachments is about 20
    headers: int = 256 * 1024  # bytes of one entity's headers; Exchange allows 256 kB
    seconds: float = 10.0  # wall clock of the parser child
    memory: int = 512 * 1024 * 1024  # bytes of address space the parser child may add


DEFAULT = Limits()

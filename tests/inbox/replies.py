"""Replies of servers with what they mean: tests/corpus/replies_*.txt, a line each: reason[/reason…]|stage|reply."""

from __future__ import annotations

from pathlib import Path

from outreach.inbox.codes import reply_in, status_in
from outreach.inbox.outcome import DEAD, Outcome, judge

FOLDER = Path(__file__).parent.parent / "corpus"


def replies(name: str) -> tuple[int, int, int]:
    """(right reasons, right on "the address is dead", all) of one file."""
    lines = [line.split("|", 2) for line in (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()[1:]]
    reasons = dead = 0
    for wanted, stage, reply in lines:
        status = status_in(reply) or f"{(reply_in(reply) or '5')[0]}.0.0"
        found = judge(Outcome("a@b.example", reply, status, stage=stage))
        reasons += found.reason in wanted.split("/")
        dead += (found.hard is True) == (wanted.split("/")[0] in (*DEAD, "notaccept"))
    return reasons, dead, len(lines)

"""Providers' ways of saying "slower": rows of providers.toml, matched against a reply."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from typing import Any

from outreach.sending.reply_code import Reply


class Ask(StrEnum):
    """What the provider asks for."""

    SLOW = "slow"
    QUOTA = "quota"
    CONNECTION = "connection"
    POLICY = "policy"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: a refusal with `code` (0: any) whose text contains `pattern` asks for `ask`."""

    code: int
    pattern: re.Pattern[str]
    ask: Ask
    pause_seconds: float

    def fits(self, reply: Reply) -> bool:
        """Whether this refusal is meant."""
        return self.code in (0, reply.code) and self.pattern.search(reply.text) is not None


def rules_of(rows: Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """Return the rules that `throttle` rows of a preset describe. Raises KeyError, ValueError on a bad row."""
    return tuple(
        Rule(int(r["code"]), re.compile(r["pattern"], re.IGNORECASE), Ask(r["action"]), float(r["pause_seconds"]))
        for r in rows
    )


@lru_cache
def rules_for(provider: str | None) -> tuple[Rule, ...]:
    """Return the provider's rules followed by those of any server."""
    table = _table()
    own = rules_of(table[provider]["throttle"]) if provider in table and provider != "generic" else ()
    return own + rules_of(table["generic"]["throttle"])


@lru_cache
def _table() -> dict[str, Any]:
    return tomllib.loads(resources.files("outreach.sending").joinpath("providers.toml").read_text(encoding="utf-8"))


def match(reply: Reply, rules: Sequence[Rule]) -> Rule | None:
    """Return the first rule that fits a refusal, None for an ordinary one."""
    if reply.code < 400:
        return None
    return next((rule for rule in rules if rule.fits(reply)), None)

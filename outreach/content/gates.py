"""Country gates: may this person get this mail? Pure; the rules are data with sources (gates.toml).

Refusing by default: unknown countries fall under the strictest gate. The gates are no legal advice.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

UNKNOWN = "?"


@dataclass(frozen=True)
class Gate:
    """One rule. basis None: any; subject_marks (): none asked for."""

    id: str
    countries: frozenset[str]
    en: str
    zh: str
    source: str
    basis: frozenset[str] | None = None
    max_age_days: dict[str, int] = field(default_factory=dict, hash=False)
    subject_marks: tuple[str, ...] = ()
    postal_address: bool = False
    pixel: bool = True
    clicks: bool = True

    def holds_for(self, country: str) -> bool:
        """Whether the rule concerns a country (`?` where unknown)."""
        return country in self.countries or "*" in self.countries


@dataclass(frozen=True)
class ContactFacts:
    """What is on record of a recipient. country: ISO code; basis: as in the import's column."""

    country: str | None
    basis: str | None = None
    source: str | None = None
    basis_date: date | None = None


@dataclass(frozen=True)
class CampaignFacts:
    """What is sent: the subject as this recipient sees it; `today` decides whether a basis is too old."""

    subject: str
    postal_address: str
    pixel: bool = False
    today: date | None = None


@dataclass(frozen=True)
class Refusal:
    """Why not, by which rule; `code` is one of basis, basis_age, subject_mark, postal_address."""

    rule: str
    code: str
    message_en: str
    message_zh: str
    source: str

    def message(self, lang: str = "en") -> str:
        """In the reader's language, with the rule's name."""
        return f"{self.message_zh if lang.startswith('zh') else self.message_en} [{self.rule}]"


def gates(own: Path | None = None) -> tuple[Gate, ...]:
    """The shipped rules, with the company's own file laid over them. Raises ValueError with what is wrong.

    A rule of the same id takes the shipped one's place (`countries = []` switches it off); others are added.
    """
    return tuple((_shipped() | _read(own)).values()) if own else _shipped_rules()


@cache
def _shipped() -> dict[str, Gate]:
    return _read(Path(__file__).with_name("gates.toml"))


@cache
def _shipped_rules() -> tuple[Gate, ...]:
    return tuple(_shipped().values())


def _read(path: Path) -> dict[str, Gate]:
    with path.open("rb") as file:
        return {rule.id: rule for rule in map(_gate, tomllib.load(file).get("gate", []))}


def _gate(table: dict[str, Any]) -> Gate:
    known = {
        "id",
        "countries",
        "en",
        "zh",
        "source",
        "basis",
        "max_age_days",
        "subject_marks",
        "postal_address",
        "pixel",
        "clicks",
    }
    if not {"id", "countries", "en", "zh", "source"} <= set(table) <= known:
        raise ValueError(
            f"gate {table.get('id', '?')}: keys are {', '.join(sorted(known))}; each gate names its source"
        )
    return Gate(
        **{name: table[name] for name in ("id", "en", "zh", "source")},
        countries=frozenset(table["countries"]),
        basis=frozenset(table["basis"]) if "basis" in table else None,
        max_age_days=table.get("max_age_days", {}),
        subject_marks=tuple(table.get("subject_marks", ())),
        postal_address=table.get("postal_address", False),
        pixel=table.get("pixel", True),
        clicks=table.get("clicks", True),
    )


def gate(contact: ContactFacts, campaign: CampaignFacts, rules: tuple[Gate, ...] | None = None) -> list[Refusal]:
    """Every rule that this mail to this person breaks; empty: it may go."""
    return [
        Refusal(rule.id, code, rule.en, rule.zh, rule.source)
        for rule in _rules_for(contact.country, rules)
        for code in _broken(rule, contact, campaign)
    ]


def _rules_for(country: str | None, rules: tuple[Gate, ...] | None = None) -> list[Gate]:
    code = (country or "").strip().upper()
    known = len(code) == 2 and code.isalpha()
    return [rule for rule in (gates() if rules is None else rules) if rule.holds_for(code if known else UNKNOWN)]


def _broken(rule: Gate, contact: ContactFacts, campaign: CampaignFacts) -> Iterator[str]:
    basis = contact.basis or "none"
    if rule.basis is not None and basis not in rule.basis:
        yield "basis"
    elif _too_old(rule, basis, contact.basis_date, campaign.today):
        yield "basis_age"
    if rule.subject_marks and not _marked(campaign.subject, rule.subject_marks):
        yield "subject_mark"
    if rule.postal_address and not campaign.postal_address.strip():
        yield "postal_address"


def _too_old(rule: Gate, basis: str, since: date | None, today: date | None) -> bool:
    limit = rule.max_age_days.get(basis)
    if limit is None or since is None or today is None:
        return False
    since = since.date() if isinstance(since, datetime) else since
    return (today - since).days > limit


def _marked(subject: str, marks: tuple[str, ...]) -> bool:
    """`AD` counts as a word: “Additional offers” is not marked."""
    subject = subject.lstrip()
    for mark in marks:
        if subject.startswith(mark):
            after = subject[len(mark) : len(mark) + 1]
            if not (mark[-1].isascii() and mark[-1].isalpha() and after.isascii() and after.isalnum()):
                return True
    return False


@cache
def basis_refused(country: str | None, basis: str | None, rules: tuple[Gate, ...] | None = None) -> str | None:
    """Return the rule that forbids writing to somebody on this basis, None if none does: asked at every hand-over."""
    wanted = ((rule.id, rule.basis) for rule in _rules_for(country, rules) if rule.basis is not None)
    return next((name for name, enough in wanted if (basis or "none") not in enough), None)


def pixel_allowed(country: str | None, asked: bool = True, rules: tuple[Gate, ...] | None = None) -> bool:
    """Whether an open pixel may go to a country, if the campaign asks for one."""
    return asked and all(rule.pixel for rule in _rules_for(country, rules))


def clicks_allowed(country: str | None, rules: tuple[Gate, ...] | None = None) -> bool:
    """Whether clicks may be counted in a country."""
    return all(rule.clicks for rule in _rules_for(country, rules))

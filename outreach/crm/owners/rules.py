"""Who gets a new customer: the first rule that fits, and of its people the one with the least open work. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Lead:
    """What is known of a customer that needs an owner."""

    region: str | None = None
    industry: str | None = None
    source: str | None = None


@dataclass(frozen=True)
class Rule:
    """A line of the assignment rules; None fits everything. A source fits by its beginning (Canton Fair 2026 …)."""

    id: int
    owners: Sequence[int]
    region: str | None = None
    industry: str | None = None
    source: str | None = None

    def fits(self, lead: Lead) -> bool:
        """Whether the rule speaks of this customer."""
        return (
            (not self.region or self.region == lead.region)
            and (not self.industry or self.industry.lower() == (lead.industry or "").lower())
            and (not self.source or (lead.source or "").lower().startswith(self.source.lower()))
        )


@dataclass(frozen=True)
class Person:
    """Somebody who may own customers, with the regions that they look after and their open work."""

    id: int
    roles: Iterable[str]
    regions: Iterable[str] = field(default_factory=tuple)
    load: int = 0


#: Who stands in when no rule fits: a salesperson first, then a manager, then marketing.
FALLBACK_ROLES = ("salesperson", "manager", "marketer")


@dataclass(frozen=True)
class Choice:
    """The owner and the rule that chose: None where none fitted and the region or the load decided."""

    owner_id: int
    rule_id: int | None


def choose(lead: Lead, rules: Sequence[Rule], people: Sequence[Person]) -> Choice | None:
    """Return who gets the customer, None where there is nobody at all. `rules` in their order."""
    able: Mapping[int, Person] = {person.id: person for person in people}
    for rule in rules:
        if rule.fits(lead):
            there = [able[owner] for owner in rule.owners if owner in able]
            if there:
                return Choice(_least(there).id, rule.id)
    for role in FALLBACK_ROLES:
        of_role = [person for person in people if role in person.roles]
        if of_role:
            near = [person for person in of_role if lead.region in set(person.regions)]
            return Choice(_least(near or of_role).id, None)
    return None


def _least(people: Sequence[Person]) -> Person:
    return min(people, key=lambda person: (person.load, person.id))

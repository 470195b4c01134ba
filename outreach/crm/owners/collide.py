"""Two customers that may be one: by domain, telephone, nearly the same name, a sister domain (C2). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from outreach.audience.dedupe import company_domain, domain_label
from outreach.audience.likeness import ABROAD, ALIKE, LIKELY, SISTER, likeness, words_of
from outreach.crm.calls.number import normal_number


@dataclass(frozen=True)
class Known:
    """A customer as the search for collisions sees it."""

    id: int
    name: str
    domain: str | None = None
    country: str | None = None
    phones: tuple[str, ...] = ()


@dataclass(frozen=True)
class Collision:
    """A customer that may be the same. `by`: domain, phone, name, sister (acme.fr of acme.de); `score` 0 to 100."""

    id: int
    by: str
    score: float


def collisions(new: Known, others: Iterable[Known], limit: int = 5) -> list[Collision]:
    """Return the customers that `new` may be, the surest first: one line a customer, its surest sign."""
    known = [other for other in others if other.id != new.id]
    found: dict[int, Collision] = {}
    domain = company_domain(new.domain) if new.domain else None
    numbers = {number for phone in new.phones if (number := normal_number(phone, new.country))}
    for other in known:
        if domain and other.domain and company_domain(other.domain) == domain:
            found[other.id] = Collision(other.id, "domain", 100.0)
        elif numbers & {normal_number(phone, other.country) for phone in other.phones}:
            found[other.id] = Collision(other.id, "phone", 95.0)
    for collision in [*_by_name(new, known), *_by_label(new, known)]:
        found.setdefault(collision.id, collision)
    return sorted(found.values(), key=lambda one: (-one.score, one.id))[:limit]


def _by_name(new: Known, known: list[Known]) -> list[Collision]:
    wanted = words_of(new.name)
    if len(wanted.core) < 2:
        return []
    names = {index: words_of(other.name) for index, other in enumerate(known)}
    cores = {index: words.core for index, words in names.items()}
    told = []
    for _, _, index in process.extract(wanted.core, cores, scorer=fuzz.ratio, score_cutoff=LIKELY, limit=20):
        other, score = known[index], likeness(wanted, names[index])
        apart = new.country and other.country and new.country != other.country
        if score >= (ABROAD if apart else ALIKE):
            told.append(Collision(other.id, "name", round(min(score, 94.0) - (10 if apart else 0), 1)))
    return told


def _by_label(new: Known, known: list[Known]) -> list[Collision]:
    label = domain_label(new.domain)
    sisters = [other for other in known if label and domain_label(other.domain) == label]
    scored = ((other.id, likeness(words_of(new.name), words_of(other.name))) for other in sisters)
    return [Collision(number, "sister", round(min(score, 94.0), 1)) for number, score in scored if score >= SISTER]

"""The audit chain: 1,000 tamperings, each found."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from outreach.access.audit import GENESIS, Entry, Fault, Head, digest, first_fault, plain
from outreach.model import Role

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
Chain = list[tuple[Entry, str]]


def chain(length: int) -> tuple[Chain, Head]:
    """A chain as the store writes it."""
    pairs: Chain = []
    previous = GENESIS
    for number in range(1, length + 1):
        at = NOW + timedelta(seconds=number)
        entry = Entry(
            number, at, number % 5, "user", "contact.changed", "contact", str(number), {}, {"n": number}, previous
        )
        previous = digest(entry)
        pairs.append((entry, previous))
    return pairs, Head(length, previous)


def test_an_untouched_chain_holds() -> None:
    assert first_fault(*chain(50)) is None
    assert first_fault([], Head()) is None


def edit(pairs: Chain, rng: random.Random) -> None:
    place = rng.randrange(len(pairs))
    entry, stored = pairs[place]
    change = rng.choice(
        [
            {"actor_id": 99},
            {"action": "contact.erased"},
            {"object_id": "0"},
            {"after": {"n": -1}},
            {"before": {"x": 1}},
            {"at": entry.at + timedelta(microseconds=1)},
            {"actor": "operator"},
            {"object_type": "user"},
        ]
    )
    pairs[place] = (replace(entry, **change), stored)


def edit_and_hash_again(pairs: Chain, rng: random.Random) -> None:
    edit(pairs, rng)
    place = next(i for i, (entry, stored) in enumerate(pairs) if digest(entry) != stored)
    pairs[place] = (pairs[place][0], digest(pairs[place][0]))


def delete(pairs: Chain, rng: random.Random) -> None:
    del pairs[rng.randrange(len(pairs))]


def swap(pairs: Chain, rng: random.Random) -> None:
    a, b = rng.sample(range(len(pairs)), 2)
    pairs[a], pairs[b] = pairs[b], pairs[a]


def cut(pairs: Chain, rng: random.Random) -> None:
    del pairs[rng.randrange(len(pairs)) :]


def add(pairs: Chain, rng: random.Random) -> None:
    entry = replace(pairs[-1][0], number=len(pairs) + 1, previous=pairs[-1][1])
    pairs.append((entry, digest(entry)))


@pytest.mark.parametrize("tamper", [edit, edit_and_hash_again, delete, swap, cut, add])
def test_a_thousand_tamperings_are_found(tamper) -> None:  # type: ignore[no-untyped-def]
    rng = random.Random(tamper.__name__)
    for _ in range(167):
        pairs, head = chain(30)
        tamper(pairs, rng)
        assert isinstance(first_fault(pairs, head), Fault)


def test_the_fault_names_the_place_and_the_kind() -> None:
    pairs, head = chain(10)
    pairs[3] = (replace(pairs[3][0], action="x"), pairs[3][1])
    fault = first_fault(pairs, head)
    assert fault is not None
    assert (fault.number, fault.kind) == (4, "edited")
    assert first_fault(chain(10)[0][:7], head) == Fault(8, "cut", "3 entries are missing at the end")


def test_values_are_kept_as_both_databases_keep_them() -> None:
    told = plain({"a": 1.50, "at": NOW, "role": Role.LEGAL, "list": (1, None, True), 3: b"x"})
    assert told == {
        "a": "1.5",
        "at": "2026-11-24T08:00:00+00:00",
        "role": "legal",
        "list": [1, None, True],
        "3": "b'x'",
    }

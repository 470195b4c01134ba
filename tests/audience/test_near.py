"""New customers of a list that may be one that is there: told, never merged by themselves; the search stays bounded."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from outreach.audience.importing import near
from outreach.audience.importing.near import BLOCK, Named, NearBook
from outreach.audience.importing.result import ImportResult
from outreach.audience.importing.store import ImportOptions
from outreach.audience.store import AudienceStore
from outreach.db.session import Database
from tests.audience.files import write_csv

HEADER = "email,company,country,phone"
THERE = [
    "a@lichtwerk-brandt.example,Lichtwerk Brandt GmbH,DE,+49 30 1234567",
    "b@gmail.com,Nordlys Armatur AS,NO,",
    "c@valgus.example,Valgus OÜ,EE,",
]
OPTIONS = ImportOptions(source="Frankfurt 2026")


@pytest.fixture
def store(db: Database) -> AudienceStore:
    return AudienceStore(db, b"s" * 32)


async def imported(store: AudienceStore, path: Path, rows: list[str], now: datetime) -> ImportResult:
    return await store.import_file(write_csv(path, rows, HEADER), OPTIONS, now=now)


@pytest.mark.parametrize(
    ("row", "by", "other"),
    [
        ("x@lichtwerkbrandt.example,Lichtwerk Brand GmbH,DE,", "name", "Lichtwerk Brandt GmbH"),
        ("x@brandt.example,Lichtwerk Brandt Vertriebs GmbH,DE,", "name", "Lichtwerk Brandt GmbH"),
        ("x@other.example,Something Else,DE,030 / 123 45 67", "phone", "Lichtwerk Brandt GmbH"),
        ("x@nordlys.example,NORDLYS ARMATUR,NO,", "name", "Nordlys Armatur AS"),
    ],
)
async def test_a_new_customer_that_may_be_an_old_one_is_told(
    store: AudienceStore, tmp_path: Path, now: datetime, row: str, by: str, other: str
) -> None:
    await imported(store, tmp_path / "there.csv", THERE, now)
    path = write_csv(tmp_path / "new.csv", [row], HEADER)
    (shown,) = (await store.preview(path)).near
    result = await store.import_file(path, OPTIONS, now=now)
    assert result.added == 1  # told, not merged
    (told,) = result.as_dict()["near_duplicates"]
    assert (told["line"], told["by"], told["customer"]) == (2, by, other)
    assert (shown.line, shown.by, shown.other, shown.other_id) == (2, by, other, told["customer_id"])


@pytest.mark.parametrize(
    "row",
    [
        "x@lichtwerk-brandt.example,Lichtwerk Brandt,DE,+49 30 1234567",  # its own domain: it is that customer
        "x@lichtwerk.example,Lichtwerk Brand GmbH,AT,",  # a namesake abroad
        "x@third.example,Something Else,NO,030 1234567",  # the same digits in another country
        "x@gmail.com,,DE,+49 30 7654321",  # no customer at all
        "x@brandt.example,Brandt Lichtwerk,DE,",  # the same words in another order
    ],
)
async def test_who_is_another_or_the_same_is_not(store: AudienceStore, tmp_path: Path, now: datetime, row: str) -> None:
    await imported(store, tmp_path / "there.csv", THERE, now)
    path = write_csv(tmp_path / "new.csv", [row], HEADER)
    assert (await store.preview(path)).near == []
    assert (await store.import_file(path, OPTIONS, now=now)).near.count == 0


async def test_two_rows_of_one_list_are_compared_too(store: AudienceStore, tmp_path: Path, now: datetime) -> None:
    rows = ["a@luzes-aurora.example,Luzes Aurora Ltda,BR,", "b@luzesaurora.example,Luzes Auroras,BR,"]
    result = await imported(store, tmp_path / "list.csv", rows, now)
    assert [(pair.line, pair.other) for pair in result.near.pairs] == [(3, "Luzes Aurora Ltda")]


async def test_the_search_is_bounded(
    store: AudienceStore, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outreach.audience.importing.near.store.MOST_CHECKED", 25)
    names = [f"Verylongname{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(40)]
    rows = [f"p@firm{n}.example,{name},DE," for n, name in enumerate(names)]
    result = await imported(store, tmp_path / "list.csv", rows, now)
    assert result.added == 40
    assert result.near.checked == 25
    assert 0 < result.near.count <= 24


def test_the_same_name_before_another_ending_of_the_domain_needs_less_of_a_name() -> None:
    book = NearBook()
    book.remember(Named(1, "Valgus OÜ", "valgus.example", "EE"))
    found = book.look(2, Named(2, "Valgus", "valgus.invalid", "EE"))
    assert found is not None
    assert (found.by, found.other_id) == ("sister", 1)
    assert book.look(3, Named(3, "Something Else", "valgus.test", "EE")) is None


def test_a_block_drops_its_oldest_and_numbers_tell_factories_apart() -> None:
    book = NearBook()
    for number in range(BLOCK * 3):
        assert book.look(number, Named(number, f"Firm {number} GmbH", f"firm{number}.example", "DE")) is None
    assert {len(block) for block in book.blocks.values()} <= set(range(BLOCK + 1))


def test_pairs_beyond_the_first_are_counted() -> None:
    found = near.Nears(most=3)
    for line in range(5):
        found.add(near.Near(line, "A", 1, "B", "name", 90.0))
    assert (found.count, [pair["line"] for pair in found.as_list()]) == (5, [0, 1, 2])

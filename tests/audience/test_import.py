# ruff: noqa: ASYNC230, PT018
"""Lists become contacts: nothing twice, nothing lost, a reason for every refusal."""

from __future__ import annotations

import csv
import gc
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select

from outreach.audience.importing.collector import SELDOM, seldom_collected
from outreach.audience.importing.store import ImportOptions
from outreach.audience.row import RowRefused
from outreach.audience.store import AudienceStore
from outreach.db.engine import LEAN
from outreach.db.session import Database
from outreach.model import Company, Consent, Contact, EmailAddress, User
from outreach.model.base import table
from outreach.model.keys import address_key
from outreach.suppression.store import SuppressionStore, suppress
from tests.audience.files import CHINESE, HEADER, ROWS, write_csv, write_xlsx
from tests.fakes.schema import make_tables

SECRET = b"s" * 32
OPTIONS = ImportOptions(source="Frankfurt 2026", evidence="list.csv")
CONTACT, COMPANY, ADDRESS, CONSENT = table(Contact), table(Company), table(EmailAddress), table(Consent)


@pytest.fixture
async def store(db: Database, now: datetime) -> AudienceStore:
    async with db.write() as conn:
        await conn.execute(
            insert(User), [{"name": "li.na", "created_at": now}, {"name": "wang.wei", "created_at": now}]
        )
    return AudienceStore(db, SECRET, roles=frozenset({"info"}), suppress=suppress)


async def everything(db: Database) -> dict[str, list[Any]]:
    async with db.read() as conn:
        found = {}
        for model in (Contact, Company, EmailAddress, Consent):
            source = table(model)
            found[source.name] = [tuple(row) for row in await conn.execute(select(source).order_by(source.c.id))]
        return found


async def test_the_promised_counts_and_the_rejects_file(store: AudienceStore, tmp_path: Path, now: datetime) -> None:
    result = await store.import_file(write_csv(tmp_path / "list.csv"), OPTIONS, now=now)
    told = result.as_dict()
    assert {name: told[name] for name in ("read", "added", "updated", "duplicates", "rejected")} == {
        "read": 8, "added": 4, "updated": 0, "duplicates": 1, "rejected": 3}  # fmt: skip
    with Path(told["rejects_file"]).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["line"], row["column"], row["value"]) for row in rows] == [
        ("6", "email", "not an address"), ("8", "email", ""), ("9", "source", "guessed")]  # fmt: skip
    assert "no @" in rows[0]["reason"]
    assert "猜测" in rows[2]["原因"]
    assert {(w["column"], w["value"]) for w in told["warnings"]} == {
        ("country", "Atlantis"), ("orders_total", "lots"), ("owner", "nobody")}  # fmt: skip


async def test_a_contact_has_all_that_its_row_said(store: AudienceStore, tmp_path: Path, now: datetime) -> None:
    await store.import_file(write_csv(tmp_path / "list.csv"), OPTIONS, now=now)
    anna = await store.get(await store.find("ANNA@acme.example") or 0)
    assert anna is not None
    assert (anna.name, anna.email, anna.owner) == ("Anna Adler", "anna@acme.example", "li.na")
    v = anna.values
    assert (v["country"], v["region"], v["language"], v["city"]) == ("DE", "Europe", "de", "Berlin")
    assert (v["basis"], v["basis_date"], v["source"]) == ("consent", date(2026, 3, 1), "Light+Building")
    assert (v["last_order"], v["orders_total"]) == (date(2026, 6, 1), 1200.5)
    assert v["note"] == "met at the booth\nwants 3000 K"
    assert v["attributes"] == {"Booth No": "B 7"}
    assert v["created_at"] == now
    assert anna.tags == ["fair", "led", "vip"]  # the later row about her added one
    assert [(c["basis"], c["given_on"], c["evidence"]) for c in anna.consents] == [
        ("consent", date(2026, 3, 1), "list.csv line 2")
    ]
    assert anna.company is not None
    assert (anna.company["name"], anna.company["domain"]) == ("Acme GmbH", "acme.example")


async def test_one_company_by_domain_several_addresses_by_contact_none_for_free_mail(
    store: AudienceStore, tmp_path: Path, now: datetime
) -> None:
    await store.import_file(write_csv(tmp_path / "list.csv"), OPTIONS, now=now)
    anna, bo, cy = [
        await store.get(await store.find(a) or 0) for a in ("anna@acme.example", "bo@mail.acme.example", "cy@gmail.com")
    ]
    assert anna and bo and cy
    assert anna.values["company_id"] == bo.values["company_id"]
    assert cy.values["company_id"] is None
    assert [(a.address, a.is_primary) for a in cy.addresses] == [("cy@gmail.com", True), ("cy@cy.example", False)]
    assert await store.find("cy@cy.example") == cy.id


async def test_importing_the_same_file_twice_changes_nothing(
    store: AudienceStore, db: Database, tmp_path: Path, now: datetime
) -> None:
    path = write_csv(tmp_path / "list.csv")
    await store.import_file(path, OPTIONS, now=now)
    before = await everything(db)
    again = await store.import_file(path, OPTIONS, now=now + timedelta(days=1))
    assert (again.added, again.updated, again.duplicates, again.rejected) == (0, 0, 5, 3)
    assert await everything(db) == before


names = st.sampled_from(["", "Anna", "Bo", "Çelik", "李娜"])
rows_of_lists = st.lists(
    st.tuples(
        st.integers(0, 5), names, names, st.sampled_from(["", "Germany", "法国", "Nowhere"]),
        st.sampled_from(["", "led", "led;vip"]), st.sampled_from(["", "consent", "customer", "none"]),
        st.sampled_from(["", "li.na", "wang.wei"]), st.sampled_from(["", "2026-01-02", "2026-05-05"]),
    ), max_size=12)  # fmt: skip


async def test_any_file_read_twice_changes_nothing_the_second_time(
    sqlite_url: str, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setattr("outreach.audience.importing.store.BATCH", 4)
    lists: list[list[tuple[Any, ...]]] = []

    @settings(max_examples=25, deadline=None)
    @given(rows_of_lists)
    def collect(rows: list[tuple[Any, ...]]) -> None:
        lists.append(rows)

    collect()
    db = Database(sqlite_url)
    await make_tables(db)
    async with db.write() as conn:
        await conn.execute(
            insert(User), [{"name": "li.na", "created_at": now}, {"name": "wang.wei", "created_at": now}]
        )
    store = AudienceStore(db, SECRET)
    header = "email,first_name,last_name,country,tags,basis,owner,basis_date"
    for number, rows in enumerate(lists):  # one database: later lists meet what earlier ones left
        lines = [f"p{row[0]}@firm{row[0] % 3}.example,{','.join(row[1:])}" for row in rows]
        path = write_csv(tmp_path / f"{number}.csv", lines, header)
        await store.import_file(path, OPTIONS, now=now)
        before = await everything(db)
        again = await store.import_file(path, OPTIONS, now=now + timedelta(hours=1))
        assert (again.added, again.updated) == (0, 0), rows
        assert await everything(db) == before, rows
    await db.close()


async def test_new_values_overwrite_and_are_counted(store: AudienceStore, tmp_path: Path, now: datetime) -> None:
    await store.import_file(write_csv(tmp_path / "list.csv"), OPTIONS, now=now)
    later = now + timedelta(days=30)
    path = write_csv(
        tmp_path / "newer.csv",
        ["anna@acme.example,Anna-Maria,,,Austria,Wien,,vip;returned,other,customer,,wang.wei,2026-11-01,,,C 1"],
    )
    result = await store.import_file(path, OPTIONS, now=later)
    assert (result.added, result.updated) == (0, 1)
    anna = await store.get(await store.find("anna@acme.example") or 0)
    assert anna is not None
    v = anna.values
    assert (v["first_name"], v["last_name"], v["country"], v["city"]) == ("Anna-Maria", "Adler", "AT", "Wien")
    assert v["source"] == "Light+Building", "where an address came from does not change"
    assert v["basis"] == "consent", "a weaker basis does not replace a stronger"
    assert anna.owner == "li.na", "a customer keeps its owner"
    assert v["attributes"] == {"Booth No": "C 1"}
    assert anna.tags == ["fair", "led", "returned", "vip"]
    assert v["updated_at"] == later


async def test_a_stronger_basis_is_taken_over_and_recorded(store: AudienceStore, tmp_path: Path, now: datetime) -> None:
    header = "email,basis,basis_date"
    await store.import_file(write_csv(tmp_path / "1.csv", ["a@acme.example,inquiry,"], header), OPTIONS, now=now)
    await store.import_file(
        write_csv(tmp_path / "2.csv", ["a@acme.example,consent,2026-10-01"], header), OPTIONS, now=now
    )
    person = await store.get(await store.find("a@acme.example") or 0)
    assert person is not None
    assert [(c["basis"], c["given_on"]) for c in person.consents] == [("inquiry", None), ("consent", date(2026, 10, 1))]
    assert person.values["basis"] == "consent"


async def test_a_customer_s_owner_also_gets_its_new_contacts(
    store: AudienceStore, tmp_path: Path, now: datetime
) -> None:
    rows = ["a@acme.example,li.na", "b@acme.example,wang.wei", "c@acme.example,"]
    result = await store.import_file(write_csv(tmp_path / "l.csv", rows, "email,owner"), OPTIONS, now=now)
    people = [await store.get(await store.find(f"{x}@acme.example") or 0) for x in "abc"]
    assert [p.owner for p in people if p] == ["li.na"] * 3
    assert [(w["value"], w["reason"][:12]) for w in result.warnings.as_list()] == [("wang.wei", "the customer")]


async def test_an_erased_person_is_not_imported_again(
    store: AudienceStore, db: Database, tmp_path: Path, now: datetime
) -> None:
    path = write_csv(tmp_path / "list.csv")
    await SuppressionStore(db, SECRET).add("Anna@ACME.example", "erased", now=now)
    result = await store.import_file(path, OPTIONS, now=now)
    assert await store.find("anna@acme.example") is None
    assert (result.added, result.rejected) == (3, 5)
    assert result.rejects_file is not None
    assert "要求删除" in result.rejects_file.read_text("utf-8-sig")


async def test_rows_without_a_source_are_refused(store: AudienceStore, tmp_path: Path, now: datetime) -> None:
    rows = ["a@acme.example,", "b@acme.example,fair", "c@acme.example,采集", "d@acme.example,Scraped"]
    result = await store.import_file(
        write_csv(tmp_path / "l.csv", rows, "email,source"), ImportOptions(source=" "), now=now
    )
    assert (result.added, result.rejected) == (1, 3)


async def test_what_a_finder_guessed_is_refused(store: AudienceStore, tmp_path: Path, now: datetime) -> None:
    rows = ["a@acme.example,verified", "b@acme.example,Extrapolated", "c@acme.example,无效"]
    result = await store.import_file(write_csv(tmp_path / "l.csv", rows, "email,Email Status"), OPTIONS, now=now)
    assert (result.added, result.rejected) == (1, 2)


async def test_spreadsheets_and_encodings_end_in_the_same_contact(
    store: AudienceStore, tmp_path: Path, now: datetime
) -> None:
    await store.import_file(write_xlsx(tmp_path / "客户.xlsx", CHINESE), OPTIONS, now=now)  # type: ignore[arg-type]
    text = "\n".join(",".join(str(cell) for cell in row) for row in CHINESE)
    for encoding in ("gb18030", "utf-16", "utf-8-sig"):
        path = tmp_path / f"{encoding}.csv"
        path.write_bytes(text.encode(encoding))
        again = await store.import_file(path, OPTIONS, now=now)
        assert (again.added, again.updated, again.duplicates) == (0, 0, 1), encoding
    person = await store.get(await store.find("na@mingxu.example") or 0)
    assert person is not None
    assert (person.values["first_name"], person.values["last_name"]) == ("娜", "欧阳")
    assert (person.values["country"], person.values["region"], person.values["grade"]) == ("AE", "Middle East", "A")
    assert person.tags == ["展会", "重点"]


async def test_role_addresses_are_marked(store: AudienceStore, tmp_path: Path, now: datetime) -> None:
    await store.import_file(
        write_csv(tmp_path / "l.csv", ["info@acme.example", "anna@acme.example"], "email"), OPTIONS, now=now
    )
    infos = [await store.get(await store.find(f"{x}@acme.example") or 0) for x in ("info", "anna")]
    assert [p.addresses[0].is_role for p in infos if p] == [True, False]


async def test_keys_are_those_of_the_suppression_list(
    store: AudienceStore, db: Database, tmp_path: Path, now: datetime
) -> None:
    rows = ["Anna@Acme.example", "b@münchen.example"]
    await store.import_file(write_csv(tmp_path / "l.csv", rows, "email"), OPTIONS, now=now)
    async with db.read() as conn:
        for row in await conn.execute(select(ADDRESS)):
            assert row.key == address_key(row.address, SECRET)


async def test_a_stopped_import_can_be_run_again(
    store: AudienceStore, db: Database, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outreach.audience.importing.store.BATCH", 100)
    path = write_csv(tmp_path / "l.csv", [f"p{i}@firm{i % 40}.example,P{i}" for i in range(1000)], "email,first_name")
    batches = 0

    class Killed(Exception):
        pass

    def stop(result: Any, fraction: float) -> None:
        nonlocal batches
        batches += 1
        if batches == 3:
            raise Killed

    with pytest.raises(Killed):
        await store.import_file(path, OPTIONS, now=now, progress=stop)
    result = await store.import_file(path, OPTIONS, now=now)
    assert (result.added, result.duplicates) == (700, 300)
    async with db.read() as conn:
        assert await conn.scalar(select(func.count()).select_from(CONTACT)) == 1000
        assert await conn.scalar(select(func.count()).select_from(COMPANY)) == 40


async def test_progress_grows_to_the_end(
    store: AudienceStore, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outreach.audience.importing.store.BATCH", 50)
    path = write_csv(tmp_path / "l.csv", [f"p{i}@acme.example" for i in range(200)], "email")
    seen: list[tuple[int, float]] = []
    await store.import_file(
        path, OPTIONS, now=now, progress=lambda result, fraction: seen.append((result.read, fraction))
    )
    assert [read for read, _ in seen] == [50, 100, 150, 200]
    assert seen[-1][1] == 1.0


async def test_cells_that_spreadsheets_would_run_are_harmless_in_the_rejects_file(
    store: AudienceStore, tmp_path: Path, now: datetime
) -> None:
    rows = ["\"=cmd|' /C calc'!A0\"", "@SUM(1)", "＝1+1"]
    result = await store.import_file(write_csv(tmp_path / "l.csv", rows, "email"), OPTIONS, now=now)
    assert result.rejects_file is not None
    with result.rejects_file.open(encoding="utf-8-sig", newline="") as file:
        assert all(row["value"].startswith("'") for row in csv.DictReader(file))


async def test_one_contact_by_hand(store: AudienceStore, now: datetime) -> None:
    number = await store.add_contact(
        {"email": "Eva@bolt.example", "first_name": "Eva", "country": "法国"}, source="phone", now=now
    )
    assert await store.add_contact({"email": "eva@bolt.example", "city": "Lyon"}, source="phone", now=now) == number
    eva = await store.get(number)
    assert eva is not None
    assert (eva.values["city"], eva.values["language"]) == ("Lyon", "fr")
    with pytest.raises(RowRefused, match="no @"):
        await store.add_contact({"email": "eva"}, source="phone", now=now)
    with pytest.raises(RowRefused, match="no source"):
        await store.add_contact({"email": "eva@x.example"}, source="", now=now)


async def test_a_lead_joins_the_caller_s_transaction(store: AudienceStore, db: Database, now: datetime) -> None:
    with pytest.raises(RuntimeError, match="no"):  # noqa: PT012
        async with db.write() as conn:
            await store.add_contact_in(conn, {"email": "lead@x.example"}, source="inbox", basis="inquiry", now=now)
            raise RuntimeError("no")
    assert await store.find("lead@x.example") is None


async def test_preview_shows_and_stores_nothing(store: AudienceStore, db: Database, tmp_path: Path) -> None:
    preview = await store.preview(write_csv(tmp_path / "list.csv", ROWS, HEADER))
    assert preview.fields[0] == "email"
    assert preview.fields[-1] == "attr.Booth No"
    assert [problem.line for problem in preview.problems] == [6, 8, 9]
    assert len(preview.rows) == 8
    assert not (await everything(db))["contact"]


async def test_hostile_cells_are_stored_as_they_are(
    store: AudienceStore, db: Database, tmp_path: Path, now: datetime
) -> None:
    from tests.audience.hostile import payloads

    path = tmp_path / "l.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["email", "first_name", "company", "city", "industry", "tags", "interests", "note", "source", "x' OR 1"]
        )
        for number, payload in enumerate(payloads()):
            writer.writerow([f"p{number}@f{number}.example", *[payload] * 9])
    result = await store.import_file(path, OPTIONS, now=now)
    assert (result.added, result.rejected) == (500, 0)
    async with db.read() as conn:
        assert await conn.scalar(select(func.count()).select_from(CONTACT)) == 500
    again = await store.import_file(path, OPTIONS, now=datetime(2027, 1, 1, tzinfo=UTC))
    assert (again.added, again.updated) == (0, 0)


async def test_an_import_works_with_little_memory_and_leaves_the_house_as_it_was(
    store: AudienceStore, db: Database, tmp_path: Path, now: datetime
) -> None:
    usual, during = gc.get_threshold(), []
    path = write_csv(tmp_path / "l.csv", ["p@acme.example", "q@acme.example"], "email")

    def look(result: Any, fraction: float) -> None:
        with seldom_collected():  # a second import, which ends before the first
            pass
        during.append(gc.get_threshold())

    result = await store.import_file(path, OPTIONS, now=now, progress=look)
    assert result.added == 2
    assert during == [SELDOM]
    assert gc.get_threshold() == usual
    if db.is_sqlite:
        async with db.write(settings=LEAN) as conn:
            assert (await conn.exec_driver_sql("PRAGMA cache_size")).scalar() == -16384
        async with db.write() as conn:
            assert (await conn.exec_driver_sql("PRAGMA cache_size")).scalar() == -65536

"""Lists as people send them are read: any encoding, delimiter, line break; every row knows its line."""

from __future__ import annotations

import tracemalloc
import zipfile
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.audience.encoding import detect
from outreach.audience.headers import HeaderError, guess
from outreach.audience.read import Source, open_source
from outreach.audience.sheet_stream import SheetStream
from outreach.audience.table import ReadError
from tests.audience.files import CHINESE, write_csv, write_xlsx

CHINESE_CSV = "公司名称,联系人,电子邮箱,国家\r\n明序照明有限公司,李娜,li.na@mingxu.example,中国\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be"])
def test_chinese_lists_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "客户.csv"
    path.write_bytes(CHINESE_CSV.encode(encoding))
    source = open_source(path)
    assert source.fields == ("company", "full_name", "email", "country")
    assert list(source.rows()) == [(2, ["明序照明有限公司", "李娜", "li.na@mingxu.example", "中国"])]


def test_western_excel_is_not_taken_for_chinese(tmp_path: Path) -> None:
    path = tmp_path / "kunden.csv"
    path.write_bytes("Firma;Vorname;email;Stadt\r\nMüller & Söhne;Jürgen;j@mueller.example;Köln\r\n".encode("cp1252"))
    source = open_source(path)
    assert (source.encoding, source.delimiter) == ("cp1252", ";")
    assert next(iter(source.rows())) == (2, ["Müller & Söhne", "Jürgen", "j@mueller.example", "Köln"])


def test_one_chinese_name_in_the_last_line_of_a_long_file_decides() -> None:
    head = b"email,name\n" + b"a@acme.example,A\n" * 200_000
    assert detect(iter([head, "b@acme.example,欧阳娜\n".encode("gb18030")])) == "gb18030"
    assert detect(iter([head, "b@acme.example,欧阳娜\n".encode()[:-3]])) == "gb18030"  # cut: not UTF-8
    assert detect(iter([head, "b@acme.example,欧阳娜\n".encode()])) == "utf-8"


@given(st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=40))
def test_common_chinese_is_told_from_utf_8(text: str) -> None:
    encoded = text.encode("gb2312", errors="ignore")
    if encoded:
        assert detect(iter([b"email,name\n", encoded])) in ("gb18030", "utf-8")
        assert detect(iter([b"email,name\n", text.encode()])) == "utf-8"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "list.csv"
    path.write_text(
        delimiter.join(["email", "name", "note"]) + "\n" + delimiter.join(["a@acme.example", "A", '"x, y; z"']) + "\n"
    )
    source = open_source(path)
    assert source.delimiter == delimiter
    assert list(source.rows()) == [(2, ["a@acme.example", "A", "x, y; z"])]


def test_excel_s_hint_and_blank_lines_come_before_the_header(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(b"\xef\xbb\xbfsep=;\r\n\r\nemail;name\r\n\r\na@acme.example;A\r\n")
    assert list(open_source(path).rows()) == [(5, ["a@acme.example", "A"])]


def test_lines_are_those_of_the_file_also_after_quoted_line_breaks(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text('email,note\na@acme.example,"one\ntwo\nthree"\nb@acme.example,x\n')
    assert [row[0] for row in open_source(path).rows() if not isinstance(row, ReadError)] == [2, 5]


@pytest.mark.parametrize("tail", [0, 3, 500])
def test_a_forgotten_quotation_mark_costs_one_row(tmp_path: Path, tail: int) -> None:
    path = tmp_path / "list.csv"
    rest = "".join(f"p{i}@acme.example,x\n" for i in range(tail))
    path.write_text(f'email,note\na@acme.example,ok\nb@acme.example,"forgotten\n{rest}')
    items = list(open_source(path).rows())
    errors = [item for item in items if isinstance(item, ReadError)]
    assert [(error.line, "forgotten" in error.cell) for error in errors] == [(3, True)]
    assert len(items) == 2 + tail
    lines = [item[0] for item in items if not isinstance(item, ReadError)]
    assert lines == [2, *range(4, 4 + tail)]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.text(alphabet='ab,;"\n \u4e2d', max_size=8), min_size=3, max_size=3), max_size=8))
def test_whatever_is_written_as_csv_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    import csv

    path = tmp_path_factory.mktemp("csv") / "list.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerows([["email", "name", "note"], *rows])
    read = [item for item in open_source(path).rows() if not isinstance(item, ReadError)]
    assert [cells for _, cells in read] == [row for row in rows if any(row)]


def test_spreadsheets(tmp_path: Path) -> None:
    source = open_source(write_xlsx(tmp_path / "客户.xlsx", CHINESE))  # type: ignore[arg-type]
    assert source.fields == ("company", "full_name", "email", "country", "tags", "last_order", "grade")
    assert list(source.rows()) == [
        (2, ["明序照明", "欧阳娜", "Ｎa@mingxu.example", "阿联酋", "展会；重点", "2026-05-06", "A级"])
    ]


def test_a_title_above_the_table_is_no_header(tmp_path: Path) -> None:
    path = write_xlsx(
        tmp_path / "list.xlsx", [["Customers 2026"], [], ["email", "phone"], ["a@acme.example", 4930123456]]
    )
    assert list(open_source(path).rows()) == [(4, ["a@acme.example", "4930123456"])]


def test_cards(tmp_path: Path) -> None:
    path = tmp_path / "cards.vcf"
    path.write_text(
        "BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=E6=9D=8E;=E5=A8=9C\n"
        "ORG:Acme\\, Inc.;Sales\nEMAIL;INTERNET:a@acme.example\nitem1.EMAIL:b@acme.example\nTEL;TYPE=work:+49 30 1\n"
        "ADR:;;Street 1;Berlin;;10115;Germany\nNOTE:long\n  folded\\nline\nTITLE:Buyer\nEND:VCARD\n"
    )
    source = open_source(path)
    line, cells = next(iter(source.rows()))  # type: ignore[misc]
    row = dict(zip(source.fields, cells, strict=True))
    assert line == 1
    assert row["email"] == "a@acme.example;b@acme.example"
    assert (row["last_name"], row["first_name"], row["company"]) == ("李", "娜", "Acme, Inc.")
    assert (row["city"], row["country"], row["note"], row["attr.title"]) == (
        "Berlin",
        "Germany",
        "long folded\nline",
        "Buyer",
    )


@pytest.mark.parametrize(("name", "content", "says"), [
    ("empty.csv", b"", "empty"),
    ("none.vcf", b"nothing", "no vCard"),
    ("broken.xlsx", b"PK\x03\x04broken", "cannot be read"),
    ("list.pdf", b"%PDF", "no list that can be read"),
])  # fmt: skip
def test_what_is_no_list_says_so(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ReadError, match=says) as caught:
        open_source(tmp_path / name)
    assert caught.value.message("zh")


def test_columns_are_guessed_mapped_kept_or_left_out() -> None:
    headers = ["E-Mail Address", "联系人", "Company", "Land", "Booth No", "secret"]
    assert guess(headers) == ("email", "full_name", "company", "country", "attr.Booth No", "attr.secret")
    mapped = guess(headers, {"booth no": "tags", "secret": "-", "Land": "attr.home"})
    assert mapped == ("email", "full_name", "company", "attr.home", "tags", None)


@pytest.mark.parametrize(("headers", "mapping", "says"), [
    (["name", "phone"], {}, "no column holds"),
    (["email"], {"Nope": "city"}, "no column “Nope”"),
    (["email", "x"], {"x": "colour"}, "no field “colour”"),
    (["email", "x", "y"], {"x": "city", "y": "city"}, "two columns"),
])  # fmt: skip
def test_columns_that_cannot_be_used(headers: list[str], mapping: dict[str, str], says: str) -> None:
    with pytest.raises(HeaderError, match=says) as caught:
        guess(headers, mapping)
    assert caught.value.message("zh")


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        path = write_csv(tmp_path / f"{rows}.csv", [f"p{i}@acme.example,First{i},,,,,,,,,,,,,,," for i in range(rows)])
        tracemalloc.start()
        for _ in open_source(path).rows():
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(100)
    assert peak(40_000) < peak(10_000) + 500_000


SHEET: list[list[object]] = [
    ["email", "姓名", "last order", "total", "note", "vip"],
    ["a@acme.example", "李娜", date(2026, 5, 6), 1200.5, "two\nlines", True],
    [],
    ["b@acme.example", None, datetime(2026, 5, 6, 7, 8), 7, " spaces ", False],
    ["c@acme.example", "", None, -0.25, "=1+1", None],
]


def test_the_stream_reads_what_calamine_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_xlsx(tmp_path / "list.xlsx", SHEET)
    held = open_source(path)
    monkeypatch.setattr("outreach.audience.workbook.LARGE", 0)
    streamed = open_source(path)
    assert streamed.columns == held.columns

    def filled(source: Source) -> list[tuple[int, list[str]]]:
        rows = [row for row in source.rows() if not isinstance(row, ReadError)]
        return [(line, [*cells, *[""] * (6 - len(cells))]) for line, cells in rows]

    assert filled(streamed) == filled(held)
    assert filled(streamed) == filled(streamed), "a list can be read again"
    assert streamed.position() == streamed.size


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(
            st.none() | st.text(alphabet="aé李<&\"' ", max_size=6) | st.integers(-9999, 9999), min_size=3, max_size=3
        ),
        min_size=1,
        max_size=6,
    )
)
def test_the_stream_and_calamine_agree_on_any_sheet(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[object]]
) -> None:
    path = write_xlsx(tmp_path_factory.mktemp("x") / "list.xlsx", [["email", "name", "note"], *rows])
    held = [row for row in open_source(path).rows() if not isinstance(row, ReadError)]
    streamed = [
        (n, [*cells, *[""] * (3 - len(cells))]) for n, cells in SheetStream(path).rows() if n > 1 and any(cells)
    ]
    assert streamed == held


def test_a_sheet_with_a_document_type_is_refused(tmp_path: Path) -> None:
    good = write_xlsx(tmp_path / "good.xlsx", SHEET)
    bad = tmp_path / "bad.xlsx"
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(bad, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "xl/worksheets/sheet1.xml":
                data = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>' + data.partition(b"?>")[2]
            target.writestr(name, data)
    with pytest.raises(ReadError, match="document type"):
        list(SheetStream(bad).rows())


def test_a_large_sheet_is_read_in_flat_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def peak(count: int) -> int:
        rows: list[list[object]] = [[f"p{i}@acme.example", f"First{i}", i] for i in range(count)]
        path = write_xlsx(tmp_path / f"{count}.xlsx", [["email", "first_name", "n"], *rows])
        tracemalloc.start()
        assert sum(1 for _ in open_source(path).rows()) == count
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    monkeypatch.setattr("outreach.audience.workbook.LARGE", 0)
    peak(100)
    assert peak(8_000) < peak(2_000) + 500_000

"""The workbook holds typed cells and no text that a spreadsheet would run."""

from __future__ import annotations

from io import BytesIO

import pytest
from openpyxl import load_workbook

from outreach.reports.workbook import build_workbook, is_risky

ATTACKS = [
    '=HYPERLINK("https://evil.example","x")',
    "+1+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "\u3000=1",
    "\u200b=1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM",
    "=1\x00",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_formula_from_outside_is_text(attack: str) -> None:
    assert is_risky(attack)
    book = load_workbook(BytesIO(build_workbook({"A": (("h",), [(attack,)])})))
    cell = book["A"].cell(2, 1)
    assert cell.data_type == "s"
    assert cell.quotePrefix
    assert str(cell.value).strip() == attack.replace("\x00", "").replace("\r", "\n").strip()


def test_honest_text_and_numbers_stay_what_they_are() -> None:
    row = ("Müller & Söhne <GmbH>", 12, 0.0215, None, True)
    book = load_workbook(BytesIO(build_workbook({"标题": (("a", "b", "c", "d", "e"), [row])})))
    cells = [cell.value for cell in book["标题"][2]]
    assert cells == ["Müller & Söhne <GmbH>", 12, 0.0215, None, "✓"]
    assert book["标题"].cell(2, 3).number_format == "0.0%"
    assert not is_risky("a=b")
    assert book["标题"].freeze_panes == "B2"

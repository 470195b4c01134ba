"""The table of docs/performance.md: figures become lines, lines of benchmarks that were not run stay."""

from __future__ import annotations

from pathlib import Path

from benchmarks import __main__ as bench
from benchmarks._table import BEGIN, END, MAKERS, PAGE, lines_of, write

STATE = {
    "goal": 0.5,
    "sizes": [
        {"messages": n, "batch": 64, "changes_per_second": rate, "of_raw": ratio, "least": ratio}
        for n, rate, ratio in ((1_000, 9_000, 0.9), (4_000, 8_500, 0.8), (16_000, 8_000, 0.4))
    ],
}
SLOW = {"search": 400.0, "team": 100.0}
MEMORY = {"messages": 60_000, "goal_mb": 250, "quarter_mb": 120, "end_mb": 122, "goal_met": True}


def test_a_goal_that_is_missed_says_so() -> None:
    (line,) = lines_of("state", STATE)
    assert line.startswith("| state | ")
    assert "8,000/s: 0.4 × raw" in line
    assert "✗ missed" in line
    assert "111 / 118 / 125 µs a change" in line


def test_a_busy_machine_shows_beside_what_the_pages_themselves_took() -> None:
    pages = [
        {"page": name, "median_ms": 90.0, "late_ms": late, "work_ms": 70.0, "kb": 80} for name, late in SLOW.items()
    ]
    sizes = {"contact": 100_080, "message": 262_710, "event": 1_000_000, "goal_ms": 150, "goal_kb": 350}
    held = {"idle_mb": 340, "open_page_kb": 4_000, "open_pages": 200}
    found = {**sizes, **held, "pages": pages, "over": ["search"], "heavy": []}
    line, _ = lines_of("pages", found)
    assert "1 within 150 ms, 2 by their processor time; slowest: search 400 ms, team 100 ms" in line
    assert "✗ missed" in line


def test_lines_of_other_benchmarks_stay(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Speed\n\n{BEGIN}\n{END}\n\n## More\n")
    write({"memory": lines_of("memory", MEMORY)}, page)
    write({"state": lines_of("state", STATE)}, page)
    text = page.read_text()
    assert text.index("| state |") < text.index("| memory |")
    assert "122 MB at the end" in text
    assert "Measured on " in text
    assert text.startswith("# Speed\n")
    assert text.endswith("## More\n")
    assert text.count(BEGIN) == text.count(END) == 1


def test_our_benchmarks_have_lines_and_the_page_has_their_place() -> None:
    assert {"sending", "state", "memory", "compose"} <= set(bench.names()) & set(MAKERS)
    assert "chaos" not in bench.names()
    assert lines_of("a benchmark without lines", {}) == []
    assert PAGE.read_text("utf-8").count(BEGIN) == 1

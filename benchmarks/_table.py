"""Turns the benchmarks' figures into the table of docs/performance.md."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- figures: make bench writes these lines -->", "<!-- end of figures -->"
HEAD = "| benchmark | what | measured | goal | 1× / 4× / 16× |\n| --- | --- | --- | --- | --- |"


@dataclass(frozen=True)
class Row:
    """One line: what was measured against what, the goal and whether it was met; cost at three sizes."""

    what: str
    measured: str
    goal: str
    met: bool | None
    linear: str = ""

    def line(self, benchmark: str) -> str:
        """The row in Markdown."""
        sign = "" if self.met is None else " ✓" if self.met else " ✗ missed"
        return f"| {benchmark} | {self.what} | {self.measured} | {self.goal}{sign} | {self.linear} |"


def _x(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}" if value < 10 else f"{value:.0f}"


def _sizes(values: Iterable[float], unit: str) -> str:
    return " / ".join(_x(value) for value in values) + f" {unit}"


def _sending(found: Mapping[str, Any]) -> Iterable[Row]:
    linear = _sizes(found["microseconds_at"].values(), "µs a message")
    for name, row in found["rows"].items():
        ratios = [f"{r['median']} × {base}" for base, r in row["ratios"].items() if r]
        missing = [f"no {base} here" for base, r in row["ratios"].items() if not r]
        goal = ", ".join(f"≥ {goal} × {base}" for base, goal in row["goals"].items())
        measured = f"{row['per_second']:,}/s: {', '.join(ratios + missing)}"
        yield Row(f"sending, {name}", measured, goal, row["goal_met"], linear if name == "whole path" else "")
    rates = ", ".join(f"{name} {rate:,}/s" for name, rate in found["baselines"].items())
    yield Row("the baselines of that run", rates, "–", None)


def _compose(found: Mapping[str, Any]) -> Iterable[Row]:
    linear = _sizes((row["microseconds"] for row in found["sizes"].values()), "µs (a mail so many times as long)")
    what = "composing one message against Jinja, regex and EmailMessage"
    yield Row(what, f"{found['ratio']} ×", f"≥ {found['goal']} ×", found["ok"], linear)


def _inbox_parse(found: Mapping[str, Any]) -> Iterable[Row]:
    linear = _sizes((row["microseconds"] for row in found["sizes"].values()), "µs (a notice so many times as long)")
    what = "reading a bounce against the library's policy.default"
    yield Row(what, f"{found['ratio']} ×", f"≥ {found['goal']} ×", found["ok"], linear)


def _inbox_fetch(found: Mapping[str, Any]) -> Iterable[Row]:
    what = f"fetching, parsing and classifying {found['mails']:,} bounces against imaplib's fetch alone"
    measured = f"{found['ratio']} ×; the event loop held up {found['lag_ms']} ms"
    yield Row(what, measured, f"≥ {found['goal']} ×", found["ok"])


def _state(found: Mapping[str, Any]) -> Iterable[Row]:
    last = found["sizes"][-1]
    linear = _sizes((1e6 / row["changes_per_second"] for row in found["sizes"]), "µs a change")
    what = f"durable state changes, {last['batch']} a batch, against raw sqlite3"
    measured = f"{last['changes_per_second']:,}/s: {last['of_raw']} × raw"
    yield Row(what, measured, f"≥ {found['goal']} × raw", last["of_raw"] >= found["goal"], linear)


def _memory(found: Mapping[str, Any]) -> Iterable[Row]:
    scaled = "" if found["messages"] >= 1_000_000 else ", a share of a million"
    what = f"memory of sending {found['messages']:,} messages{scaled}"
    measured = f"{found['end_mb']} MB at the end, {found['quarter_mb']} MB after a quarter"
    yield Row(what, measured, f"< {found['goal_mb']} MB, flat", found["goal_met"])


def _import(found: Mapping[str, Any]) -> Iterable[Row]:
    sizes = found["import_contacts"]
    last, linear = sizes[-1], _sizes((row["microseconds_a_row"] for row in sizes), "µs a row")
    peaks = " / ".join(f"{row['megabytes']:.0f}" for row in sizes)
    what = f"importing {last['rows']:,} contacts with validation against sqlite3's .import"
    measured = f"{last['ratio_import']:.2f} ×; {last['ratio_filled']:.2f} × the same tables; {peaks} MB"
    yield Row(what, measured, "≥ 0.6 ×", last["ratio_import"] >= 0.6, linear)


def _segments(found: Mapping[str, Any]) -> Iterable[Row]:
    sizes = found["segments"]
    last, linear = sizes[-1], _sizes((row["count_ms"] for row in sizes), "ms")
    what = f"a segment of {last['contacts']:,} contacts with tags against a count over one column"
    measured = f"{last['ratio_count']:.2f} ×; materialised {last['ratio_materialise']:.2f} × by hand"
    met = last["ratio_count"] <= 5 and last["ratio_materialise"] <= 1.2
    yield Row(what, measured, "≤ 5 ×; ≤ 1.2 ×", met, linear)


def _reports(found: Mapping[str, Any]) -> Iterable[Row]:
    last, linear = found["16x"], _sizes((1000 * row["week"] for row in found.values()), "ms a week's report")
    what = f"one campaign's report over {last['events']:,} events against a scan"
    yield Row(what, f"{_x(last['times_scan'])} ×", "≥ 10 ×", last["times_scan"] >= 10, linear)


def _tracking(found: Mapping[str, Any]) -> Iterable[Row]:
    for kind in ("open", "click"):
        part = found[kind]
        nginx = part.get("times_nginx")
        measured = f"{nginx if nginx is not None else 'no'} × nginx, {part['times_fastapi']} × FastAPI"
        met = (nginx is None or nginx >= 0.3) and part["times_fastapi"] >= 3
        linear = _sizes(found["linear"].values(), "µs of CPU") if kind == "open" else ""
        yield Row(f"public {kind}", measured, "≥ 0.3 × nginx, ≥ 3 × FastAPI", met, linear)
    ended = f"SIGTERM loses {found['SIGTERM']['lost']}, SIGKILL the last {found['SIGKILL']['lost_ms']} ms"
    met = found["SIGTERM"]["lost"] == 0 and found["SIGKILL"]["lost_ms"] <= 100
    yield Row("events that were answered and lost", ended, "0; ≤ 100 ms", met)


def _pages(found: Mapping[str, Any]) -> Iterable[Row]:
    pages, over, heavy = found["pages"], found["over"], found["heavy"]
    slowest = ", ".join(f"{row['page']} {row['late_ms']:.0f} ms" for row in pages[:3])
    what = f"{len(pages)} pages at {found['contact']:,} contacts and {found['event']:,} events, 95th percentile"
    alone = sum(row["work_ms"] <= found["goal_ms"] for row in pages)
    measured = (
        f"{len(pages) - len(over)} within {found['goal_ms']} ms, {alone} by their processor time; slowest: {slowest}"
    )
    yield Row(what, measured, f"all ≤ {found['goal_ms']} ms", not over)
    worst = max(pages, key=lambda row: row["kb"])
    held = f"{found['idle_mb']} MB idle, {found['open_page_kb']} kB for each of {found['open_pages']} open pages"
    measured = f"at most {worst['kb']} kB ({worst['page']}); {held}"
    yield Row("bytes of a first visit; memory of the server", measured, f"≤ {found['goal_kb']} kB", not heavy)


def _fuzz(found: Mapping[str, Any]) -> Iterable[Row]:
    measured = f"{len(found['wrong'])} of {found['mails']:,} went wrong; worst {found['worst_seconds']} s"
    yield Row("broken mails read", measured, "none", found["ok"])


MAKERS: dict[str, Callable[[Mapping[str, Any]], Iterable[Row]]] = {
    "sending": _sending,
    "state": _state,
    "memory": _memory,
    "compose": _compose,
    "tracking": _tracking,
    "import_contacts": _import,
    "segments": _segments,
    "reports": _reports,
    "pages": _pages,
    "inbox_fetch": _inbox_fetch,
    "inbox_parse": _inbox_parse,
    "inbox_fuzz": _fuzz,
}


def lines_of(name: str, found: Mapping[str, Any]) -> list[str]:
    """The lines of one benchmark."""
    maker = MAKERS.get(name)
    return [row.line(name) for row in maker(found)] if maker else []


def hardware() -> str:
    """What the figures were measured on."""
    model = next(
        (line.partition(":")[2].strip() for line in _cpuinfo() if line.startswith("model name")), platform.machine()
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"Measured on {os.cpu_count()} × {model}, {memory:.0f} GB; {system}."


def _cpuinfo() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return []


def write(tables: Mapping[str, list[str]], page: Path = PAGE) -> None:
    """Put the lines of these benchmarks into the page; lines of others that stand there stay."""
    text = page.read_text("utf-8")
    before, rest = text.split(BEGIN)
    old, after = rest.split(END)
    kept: dict[str, list[str]] = {}
    for line in old.splitlines():
        found = re.match(r"\| (\w+) \| ", line)
        if found and found[1] in MAKERS:
            kept.setdefault(found[1], []).append(line)
    lines = [line for name in MAKERS for line in tables.get(name) or kept.get(name, [])]
    page.write_text(f"{before}{BEGIN}\n{hardware()}\n\n{HEAD}\n" + "\n".join(lines) + f"\n{END}{after}", "utf-8")

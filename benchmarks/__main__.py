"""Runs every benchmark one after another: `python -m benchmarks [NAME …] [--no-page]`.

Each is a module of this folder with a `main()` and a process of its own, so that none warms up or slows down the next.
Only ratios to the baseline of the same run mean anything: the machine may be busy. The figures go into the table of
docs/performance.md. All of it takes less than a quarter of an hour on two processors that do nothing else.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks._table import lines_of, write

HERE = Path(__file__).resolve().parent
#: Seconds for one benchmark: a hung server must not hold up the rest.
LIMIT = 360
#: Sizes with which the whole is over in time; a benchmark that is run by itself has its own default.
SIZES = {
    "sending": ["5", "--messages", "3000"],
    "memory": ["200000"],
    "import_contacts": ["400000"],
    "segments": ["400000", "--rounds", "5"],
    "reports": ["1000000"],
    "pages": ["--rounds", "8", "--seconds", "150"],
    "inbox_fuzz": ["15"],
}


#: `make year`: it judges, it does not compare.
OWN_TARGETS = {"simulated_year"}


def names() -> list[str]:
    """Every module here that measures: it has a main(). Chaos and the year count promises kept, not speed."""
    paths = sorted(path for path in HERE.glob("*.py") if not path.name.startswith("_"))
    mains = [path.stem for path in paths if "\ndef main(" in path.read_text("utf-8")]
    return [name for name in mains if "chaos" not in name and name not in OWN_TARGETS]


def run(name: str) -> dict[str, Any] | None:
    """Run one, say how long it took, return its figures; None: it failed."""
    start = time.monotonic()
    print(f"== {name}", flush=True)
    command = [sys.executable, "-m", f"benchmarks.{name}", *SIZES.get(name, []), "--json"]
    found, why = None, ""
    child = subprocess.Popen(command, cwd=HERE.parent, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        printed, _ = child.communicate(timeout=LIMIT)
        found = json.loads(printed) if child.returncode == 0 else None
        why = f"exit code {child.returncode}"
    except subprocess.TimeoutExpired:
        why = f"no end after {LIMIT} s"
    except ValueError:
        why = "no figures"
    finally:
        _end(child)
    for line in lines_of(name, found) if found is not None else []:
        print(line, flush=True)
    print(
        f"== {name}: {time.monotonic() - start:.0f} s" + ("" if found is not None else f", FAILED ({why})"), flush=True
    )
    return found


def _end(child: subprocess.Popen[str]) -> None:
    """End the servers that a benchmark started and could not stop: they would slow down the next one."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def main() -> int:
    """Run what was asked for, write the page; 1 if one of them failed."""
    if {"-h", "--help"} & set(sys.argv):
        print(f"{__doc__}\nThere are: {', '.join(names())}")
        return 0
    wanted = [word for word in sys.argv[1:] if not word.startswith("-")] or names()
    unknown = sorted(set(wanted) - set(names()))
    if unknown:
        print(f"no benchmark is named {', '.join(unknown)}; there are: {', '.join(names())}", file=sys.stderr)
        return 2
    found = {name: run(name) for name in wanted}
    if "--no-page" not in sys.argv:
        write({name: lines_of(name, figures) for name, figures in found.items() if figures is not None})
        print("docs/performance.md is written")
    return 0 if all(figures is not None for figures in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())

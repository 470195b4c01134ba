"""Disturbs sending in every way that we know and counts: nobody twice, nobody lost, nobody who was stopped.

    python -m benchmarks.chaos [--part kills,points,faults,races] [--database sqlite|postgres|both] [--small]
                               [--seeds 5] [--kills 200] [--messages 5000] [--faults 20000] [--races 10000]

kills   SIGKILL at random moments of a campaign with 4 to 16 connections; on PostgreSQL three workers
points  SIGKILL at each named point of a message's life
faults  5% random faults in the server's answers to the dot, retries to their end
races   unsubscribe, suppress, pause and unapprove against a running campaign

Exit code 1 if a promise is broken. Figures are JSON, a line a run, on stdout; how far it is, on stderr. `--small` is a
sample for every change; all of it takes about ten minutes on two processors.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks._chaos import Kind, databases
from benchmarks._faults import fault_run
from benchmarks._kills import kill_run
from benchmarks._points import POINTS, point_run
from benchmarks._races import SHARE, race_run

PARTS = ("kills", "points", "faults", "races")
FAULT_SHARE = 0.05
#: What `--small` asks for.
SMALL = {"seeds": 1, "kills": 5, "messages": 250, "faults": 150, "races": 40}


def runs(kind: Kind, parts: list[str], wanted: argparse.Namespace, share: int) -> Iterator[dict[str, Any]]:
    """Every run on one kind of database. share: how many databases the races are divided among."""
    if "points" in parts:
        with tempfile.TemporaryDirectory() as folder:
            for point in POINTS:
                yield {"part": "points"} | point_run(kind.new(), point, Path(folder, point))
    if "kills" in parts:
        for seed in range(1, wanted.seeds + 1):
            yield {"part": "kills"} | kill_run(kind.new(), seed, wanted.messages, wanted.kills, kind.workers)
    if "races" in parts:
        for race, tenths in SHARE.items():
            number = wanted.races * tenths // 10 // share
            yield {"part": "races"} | asyncio.run(race_run(kind.new(), race, number, 1))
    if "faults" in parts:
        yield {"part": "faults"} | asyncio.run(fault_run(kind.new(), wanted.faults, FAULT_SHARE, 1))


def total(found: list[dict[str, Any]]) -> dict[str, Any]:
    """The sums of all runs."""
    names = ("kills", "races", "sent", "failed", "in_doubt", "duplicates", "lost", "late")
    sums = {name: sum(int(run.get(name, 0)) for run in found) for name in names}
    return {"runs": len(found), "kept": all(run["kept"] for run in found)} | sums


def main() -> int:
    """Run what the arguments ask for; 1 if a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", default=",".join(PARTS), help="which parts, with commas")
    parser.add_argument("--database", default="both", choices=("sqlite", "postgres", "both"))
    parser.add_argument("--small", action="store_true", help="a sample: seconds instead of minutes")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--messages", type=int, default=5_000)
    parser.add_argument("--faults", type=int, default=20_000)
    parser.add_argument("--races", type=int, default=10_000)
    wanted = parser.parse_args()
    parts = wanted.part.split(",")
    if unknown := sorted(set(parts) - set(PARTS)):
        parser.error(f"no part is named {', '.join(unknown)}; there are {', '.join(PARTS)}")
    if wanted.small:
        vars(wanted).update(SMALL)
    started, found = time.monotonic(), []
    with ExitStack() as stack:
        for kind in databases(wanted.database, stack):
            for run in runs(kind, parts, wanted, 2 if wanted.database == "both" else 1):
                found.append({"database": kind.name} | run)
                print(json.dumps(found[-1]), flush=True)
    print(json.dumps(total(found) | {"seconds": round(time.monotonic() - started)}))
    return 0 if all(run["kept"] for run in found) else 1


if __name__ == "__main__":
    sys.exit(main())

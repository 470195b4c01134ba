"""A kill at every named point of a message's life, once each, on the database that is given."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks._chaos import build, fork, judge, rows_of, said, sink, taken
from tests.sending.dying import POINTS, Fuse, send_all

#: What happens only once in so short a campaign.
ONCE = ("before-claim", "after-claim", "before-release")
MESSAGES, CONNECTIONS = 60, 2


def point_run(url: str, point: str, folder: Path) -> dict[str, Any]:
    """Kill a sender at this point, let the next one finish."""
    import os

    started = time.monotonic()
    asyncio.run(build(url, MESSAGES, 1))
    folder.mkdir(parents=True)
    with sink(folder) as (port, log):
        said(f"points: {point}")
        count = 1 if point in ONCE else 2
        child = fork(lambda: asyncio.run(send_all(url, port, [1], CONNECTIONS, Fuse(point, count))))
        _, status = os.waitpid(child, 0)
        died = os.WIFSIGNALED(status)
        child = fork(lambda: asyncio.run(send_all(url, port, [1], CONNECTIONS, Fuse(None, 0))))
        _, status = os.waitpid(child, 0)
        found: dict[str, Any] = judge(asyncio.run(rows_of(url)), Counter(taken(log)))
    found |= {"point": point, "died": died, "seconds": round(time.monotonic() - started, 1)}
    in_hand = found["in_doubt"] <= CONNECTIONS
    found["kept"] = died and status == 0 and in_hand and not found["duplicates"] and not found["lost"]
    return found


__all__ = ["POINTS", "point_run"]

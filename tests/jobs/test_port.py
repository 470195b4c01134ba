"""Coarse jobs: one of a kind at a time, started by the clock, and resumed after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PROGRAM = """
import asyncio, sys
from pathlib import Path
from outreach.jobs.port import Jobs

folder, phase = Path(sys.argv[1]), sys.argv[2]

async def main():
    jobs = Jobs(f"sqlite:///{folder / 'jobs.db'}", "executor-1")
    done = asyncio.Event()

    async def work(argument):
        with (folder / "log").open("a") as log:
            log.write(f"begin {phase} {argument}\\n")
        if phase == "first":
            await asyncio.sleep(60)
        with (folder / "log").open("a") as log:
            log.write(f"end {phase} {argument}\\n")
        done.set()

    async def tick(argument):
        with (folder / "log").open("a") as log:
            log.write("tick\\n")

    jobs.register("work", work)
    jobs.register("tick", tick, every="* * * * * *")
    await jobs.start()
    if phase == "first":
        print(await jobs.enqueue("work", "sales"), await jobs.enqueue("work", "sales"), flush=True)
        await asyncio.sleep(60)
    await asyncio.wait_for(done.wait(), 60)
    await jobs.stop()

asyncio.run(main())
"""


def begin(folder: Path, phase: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, str(folder), phase]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def log(folder: Path) -> list[str]:
    path = folder / "log"
    return path.read_text().splitlines() if path.exists() else []


def test_a_job_goes_on_after_a_kill(tmp_path: Path) -> None:
    first = begin(tmp_path, "first")
    try:
        assert first.stdout is not None
        assert first.stdout.readline().split() == ["True", "False"], "one of a kind waits or runs at a time"
        for _ in range(600):
            if "begin first sales" in log(tmp_path) and "tick" in log(tmp_path):
                break
            time.sleep(0.1)  # another process: there is nothing to wait on but its file
    finally:
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        assert first.stdout is not None
        first.stdout.close()
    assert "tick" in log(tmp_path), "the clock starts jobs"
    second = begin(tmp_path, "second")
    output, _ = second.communicate(timeout=90)
    assert second.returncode == 0, output
    assert "end second sales" in log(tmp_path)
    assert "end first sales" not in log(tmp_path)

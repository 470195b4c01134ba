"""Runs every benchmark one after another: `python -m benchmarks [NAME …]`.

Each is a module of this folder with a `main()` and a process of its own, so that none warms up or slows down the next.
Only ratios to the baseline of the same run mean anything: the machine may be busy.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIMIT = 900  # seconds for one benchmark: a hung server must not hold up the rest


def names() -> list[str]:
    """Every module here that can be run: it has a main(). `chaos` is `make chaos`."""
    paths = sorted(path for path in HERE.glob("*.py") if not path.name.startswith("_"))
    return [path.stem for path in paths if "\ndef main(" in path.read_text("utf-8") and path.stem != "chaos"]


def run(name: str) -> bool:
    """Run one and say how long it took → whether it ended well."""
    start = time.monotonic()
    print(f"== {name}", flush=True)
    try:
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=HERE.parent, timeout=LIMIT, check=False)
        code = done.returncode
    except subprocess.TimeoutExpired:
        code = -1
    said = "" if code == 0 else f", FAILED ({'no end' if code == -1 else f'exit code {code}'})"
    print(f"== {name}: {time.monotonic() - start:.0f} s{said}\n", flush=True)
    return code == 0


def main() -> int:
    wanted = [word for word in sys.argv[1:] if not word.startswith("-")] or names()
    unknown = sorted(set(wanted) - set(names()))
    if unknown:
        print(f"no benchmark is named {', '.join(unknown)}; there are: {', '.join(names())}", file=sys.stderr)
        return 2
    failed = [name for name in wanted if not run(name)]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

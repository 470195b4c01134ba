"""Broken mails without end: no exception, no mail over the time limit, no growing memory (docs/reliability.md).

    .venv/bin/python -m benchmarks.inbox_fuzz [SECONDS] [--seed N] [--json]

Every mail of the corpora and of the labelled sets is mutated (tests/inbox/mutate.py) and classified. What fails is
printed with its seed and can be repeated. Each tenth mail is also summarised, and both paths are compared wherever
the fast one answers.
"""

from __future__ import annotations

import json
import random
import resource
import signal
import sys
from time import monotonic, process_time
from typing import Any

from outreach.inbox.classify import classify_mail
from outreach.inbox.fast import classify_fast
from outreach.inbox.limits import DEFAULT
from outreach.inbox.parse import parse
from outreach.inbox.summary import summarise_mail
from tests.inbox.corpora import own_cases, raw, shared_cases
from tests.inbox.human_sets import load, mail, mail_of_auto, mail_of_wish
from tests.inbox.mutate import mutate
from tests.inbox.test_notice_corpus import notices

GIVE_UP = 30  # seconds for one mail on a busy machine; the sandbox allows 10
LARGEST_SEED = 60_000  # bytes: larger ones only slow the run


def read(data: bytes, *, whole: bool) -> bool:
    """Read one mail in every way → whether the fast path took it. Raises AssertionError if the two paths differ."""
    mail = parse(data)
    slow = classify_mail(mail)
    fast = classify_fast(data)
    assert fast is None or fast == slow, "the fast path differs"
    if whole:
        summarise_mail(mail)
    return fast is not None


def too_long(*_: object) -> None:
    raise TimeoutError(f"not read within {GIVE_UP} seconds")


def letters() -> list[bytes]:
    """The labelled letters and notices, whose texts try the patterns of every language."""
    automatic = [mail_of_auto(case) for half in ("look", "test") for case in load(f"auto_reply_{half}")]
    wishes = [mail_of_wish(case) for half in ("look", "test") for case in load(f"unsubscribe_{half}")]
    hard = [mail(case["body"], case["subject"]) for case in load("hard")]
    return [*automatic, *wishes, *hard, *(notice.raw for notice in notices())]


def run(seconds: float = 60, seed: int = 1) -> dict[str, Any]:
    """Mutate and read for so long; everything that went wrong."""
    seeds = [raw(case) for case in [*own_cases(), *shared_cases()] if len(raw(case)) <= LARGEST_SEED] + letters()
    signal.signal(signal.SIGALRM, too_long)
    wrong: list[str] = []
    count, fast, worst, end = 0, 0, 0.0, monotonic() + seconds
    while monotonic() < end:
        chance = random.Random(f"{seed}:{count}")
        data = mutate(chance.choice(seeds), chance)
        start = process_time()
        signal.alarm(GIVE_UP)
        try:
            fast += read(data, whole=count % 10 == 0)
        except Exception as trouble:
            wrong.append(f"seed {seed}:{count}: {type(trouble).__name__}: {trouble}")
        signal.alarm(0)
        worst = max(worst, process_time() - start)
        count += 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    ok = not wrong and worst < DEFAULT.seconds
    return {
        "name": "inbox_fuzz", "mails": count, "fast": fast, "wrong": wrong, "worst_seconds": round(worst, 3),
        "peak_mb": round(peak), "ok": ok,
    }  # fmt: skip


def main() -> None:
    """Print what was read and what went wrong, or JSON."""
    words = sys.argv[1:]
    seed = int(words[words.index("--seed") + 1]) if "--seed" in words else 1
    numbers = [float(word) for word in words if word.replace(".", "").isdigit() and word != str(seed)]
    result = run(*numbers[:1], seed=seed)
    if "--json" in words:
        print(json.dumps(result))
        return
    for line in result["wrong"][:20]:
        print(line)
    print(
        f"{result['mails']} broken mails read, {len(result['wrong'])} went wrong, {result['fast']} on the fast path, "
        f"worst {result['worst_seconds']} s, peak {result['peak_mb']} MB: {'well' if result['ok'] else 'NOT WELL'}"
    )


if __name__ == "__main__":
    main()

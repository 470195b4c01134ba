"""How the corpus scores when no rule may be a message's own: `python -m tests.inbox.generalise [--misses]`.

The score over a corpus that the rules were written beside flatters them. Two colder figures, both printed and kept in
docs/inbox.md:

- *general detectors*: every detector for one MTA or provider is taken away; formats and prose rules must do;
- *leave one group out*: a needle that decides for the messages of one group only (one MTA of one source, one test of a
  project) may have been written for them, so those messages are judged without it.

The second is the better estimate of messages that nobody here has seen.
"""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from outreach.inbox import classify as classifying
from outreach.inbox import outcome, reasons
from outreach.inbox.detectors import (
    apple_unsubscribe,
    arf,
    auto_reply,
    challenge,
    daemon_notice,
    dsn,
    notice,
    read_receipt,
    reply,
    unsubscribe,
    x_failed_recipients,
)
from tests.inbox.corpora import Case, raw, scorer, shared_cases

GENERAL = tuple(
    found.detect
    for found in (
        arf, apple_unsubscribe, read_receipt, challenge, dsn, x_failed_recipients, daemon_notice, auto_reply, notice,
        unsubscribe, reply,
    )
)  # fmt: skip
MEASURES = (("br_ok", "br_n"), ("h_ok", "h_n"), ("r_ok", "r_n"))


@dataclass
class Watch:
    """Stands in for a Finder: notes which needles decided, and passes over those that are banned."""

    finder: reasons.Finder
    banned: frozenset[str] = frozenset()
    used: set[str] = field(default_factory=set)

    def first(self, text: str) -> tuple[str, str] | None:
        found = self.finder.first(text, self.banned)
        if found:
            self.used.add(found[1])
        return found


def _forget() -> None:
    """Answers are kept for equal words; they must not outlive the rules that gave them."""
    reasons._explain.cache_clear()
    outcome._by_words.cache_clear()


@contextmanager
def _watching() -> Iterator[Watch]:
    watch = Watch(reasons._WORDS)
    reasons._WORDS = watch  # type: ignore[assignment]
    try:
        yield watch
    finally:
        reasons._WORDS = watch.finder
        _forget()


def bounces() -> list[Case]:
    return [case for case in shared_cases() if case["kind"] == "bounce" or case["must_not_be_bounce"]]


def group(case: Case) -> str:
    """The messages that one rule may have been written beside: an MTA of a source, a family of a project's tests."""
    return f"{case['source']}:{case['mta'] or re.sub('[^a-z].*', '', case['id'].partition(':')[2].lower())}"


def _answer(case: Case) -> dict[str, object]:
    return classifying.classify(raw(case)).as_json(case["file"])


def as_it_is(cases: list[Case]) -> Counter[str]:
    return _score(cases, {case["id"]: _answer(case) for case in cases})


def general_detectors(cases: list[Case]) -> Counter[str]:
    every = classifying.DETECTORS
    classifying.DETECTORS = GENERAL
    try:
        return as_it_is(cases)
    finally:
        classifying.DETECTORS = every


def leave_one_group_out(cases: list[Case], misses: list[str] | None = None) -> tuple[Counter[str], Counter[str]]:
    """The score as it is, and with each bounce judged without the needles that decide for its own group alone."""
    with _watching() as watch:
        answers, used, groups = _with_everything(cases, watch)
        whole = _score(cases, answers)
        for case in cases:
            own = frozenset(needle for needle in used[case["id"]] if len(groups[needle]) == 1)
            if not own:
                continue
            _forget()
            watch.banned = own
            answers[case["id"]] = _answer(case)
            if misses is not None:
                misses += _missed(case, answers[case["id"]], own)
    return whole, _score(cases, answers)


def _with_everything(
    cases: list[Case], watch: Watch
) -> tuple[dict[str, dict[str, object]], dict[str, set[str]], dict[str, set[str]]]:
    """Each mail's answer, the needles that it asked for, and the groups that each needle served."""
    answers: dict[str, dict[str, object]] = {}
    used: dict[str, set[str]] = {}
    groups: dict[str, set[str]] = defaultdict(set)
    for case in cases:
        _forget()
        watch.used = set()
        answers[case["id"]] = _answer(case)
        used[case["id"]] = watch.used
        for needle in watch.used:
            groups[needle].add(group(case))
    return answers, used, groups


def _missed(case: Case, answer: dict[str, object], own: frozenset[str]) -> Iterator[str]:
    wanted = case.get("reason_any") or [case["reason"]]
    if case["reason"] and answer["reason"] not in wanted:
        yield f"{case['id']}: {'/'.join(wanted)}, not {answer['reason']}, without {sorted(own)}"


def _score(cases: list[Case], answers: dict[str, dict[str, object]]) -> Counter[str]:
    counted: Counter[str] = scorer().score(cases, answers)[0]
    return counted


def table(cases: list[Case]) -> Iterator[str]:
    """A Markdown table of the three figures."""
    yield "| rules | right recipient | hard or soft | reason | false bounces |\n| --- | ---: | ---: | ---: | ---: |"
    whole, without_own = leave_one_group_out(cases)
    rows = (("all", whole), ("general detectors only", general_detectors(cases)), ("leave one group out", without_own))
    for name, counted in rows:
        shares = [f"{100 * counted[right] / counted[total]:.1f}%" for right, total in MEASURES]
        yield f"| {name} | {' | '.join(shares)} | {counted['nb_false']} |"


def main() -> None:
    cases = bounces()
    print("\n".join(table(cases)))
    if "--misses" in sys.argv:
        missed: list[str] = []
        leave_one_group_out(cases, missed)
        print("\n".join(missed))


if __name__ == "__main__":
    main()

"""Clicks and opens as machines and people make them, labelled: how well are they told apart?

Made from documented behaviour (docs/tracking.md): `python -m benchmarks._labelled [--json]` prints precision and recall
of "machine", per hit, after corrections, and what each kind of sender was taken for.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from outreach.tracking.machine import Classifier, Hit

SENT = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
OUTLOOK = "Mozilla/4.0 (compatible; ms-office; MSOffice 16)"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
SAMPLER = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"


def at(seconds: float) -> datetime:
    return SENT + timedelta(seconds=seconds)


def click(seconds: float, number: int = 1, agent: str = CHROME, message: int = 1, ip: str = "91.10.2.3") -> Hit:
    return Hit("click", message, at(seconds), number, agent=agent, ip=ip)


def opened(seconds: float, agent: str = CHROME, message: int = 1, ip: str = "91.10.2.3") -> Hit:
    return Hit("open", message, at(seconds), agent=agent, ip=ip)


Labelled = list[tuple[Hit, bool]]


def _browser(dice: random.Random) -> str:
    return dice.choice([CHROME, IPHONE, CHROME.replace("131", "130") + " Edg/130.0", OUTLOOK])


def _ip(dice: random.Random) -> str:
    return f"{dice.choice([79, 84, 91, 186, 203])}.{dice.randint(1, 250)}.{dice.randint(1, 250)}.{dice.randint(1, 250)}"


def person(dice: random.Random, message: int) -> Labelled:
    """Opens hours later, often through Gmail's proxy, follows none to three links, seconds to minutes apart."""
    start = dice.lognormvariate(8.5, 1.5) + 8
    agent = _browser(dice)
    ip = _ip(dice)
    hits: Labelled = [(opened(start, GMAIL if dice.random() < 0.3 and start > 10 else agent, message, ip), False)]
    when = start
    for number in dice.sample(range(1, 9), dice.choices([0, 1, 2, 3], [5, 4, 2, 1])[0]):
        when += dice.lognormvariate(2.5, 0.8) + 1.5
        hits.append((click(when, number, agent.replace(OUTLOOK, CHROME), message, ip), False))
    return hits


def apple(dice: random.Random, message: int) -> Labelled:
    """MPP fetches through a relay whenever the phone is on power."""
    return [(opened(dice.uniform(1, 20_000), "Mozilla/5.0", message, f"172.225.{dice.randint(1, 250)}.9"), True)]


def gmail_sampling(dice: random.Random, message: int) -> Labelled:
    """Gmail samples pictures of fresh mail."""
    agent = dice.choice([SAMPLER, GMAIL])
    return [(opened(dice.uniform(0.5, 6), agent, message, "66.249.84.3"), True)]


def safe_links(dice: random.Random, message: int) -> Labelled:
    """HEAD, then GET, of every link, from Microsoft's network, claiming to be Edge."""
    start, hits = dice.uniform(0.8, 40), []
    for number in range(1, 9):
        hit = click(start + number * dice.uniform(0.05, 0.3), number, CHROME + " Edg/119.0", message, "52.101.3.4")
        hits += [(replace(hit, method="HEAD"), True), (hit, True)]
    return hits


def barracuda(dice: random.Random, message: int) -> Labelled:
    """A browser's name, every link within seconds, before delivery; from cloud addresses nobody lists."""
    start = dice.uniform(0.3, 90)
    times = sorted(start + dice.uniform(0, 4) for _ in range(8))
    return [
        (click(when, n + 1, CHROME, message, f"3.120.{message % 250}.{n + 1}"), True) for n, when in enumerate(times)
    ]


def proofpoint(dice: random.Random, message: int) -> Labelled:
    """One or two links, quickly, from its own network."""
    start, links = dice.uniform(0.5, 600), dice.sample(range(1, 9), 2)
    return [(click(start + n, link, CHROME, message, "148.163.150.7"), True) for n, link in enumerate(links)]


def sandbox(dice: random.Random, message: int) -> Labelled:
    """A sandbox in a cloud whose ranges are published: opens one link under a browser's name, within minutes."""
    cloud = dice.choice(["52.16.4.", "34.90.1.", "20.70.3."])
    return [(click(dice.uniform(20, 500), 1, CHROME, message, f"{cloud}{dice.randint(1, 250)}"), True)]


def behind_gateway(dice: random.Random, message: int) -> Labelled:
    """A person whose company browses through a cloud: the address is a data centre's, the hours are theirs."""
    start = dice.lognormvariate(8.5, 1.5) + 8
    ip = f"34.99.{dice.randint(1, 250)}.{dice.randint(1, 250)}"
    return [(opened(start, CHROME, message, ip), False), (click(start + 20, 3, CHROME, message, ip), False)]


def sly(dice: random.Random, message: int) -> Labelled:
    """A sandbox in the cloud that opens one link like a person would, minutes later: nobody can tell."""
    when = dice.uniform(60, 3000)
    return [(opened(when, CHROME, message, _ip(dice)), True), (click(when + 9, 1, CHROME, message, _ip(dice)), True)]


def hasty(dice: random.Random, message: int) -> Labelled:
    """A person who opens two links in new tabs within a second: taken for a burst."""
    start, ip = dice.uniform(600, 9000), _ip(dice)
    clicks: Labelled = [(click(start + 5 + n * 0.7, n + 1, CHROME, message, ip), False) for n in range(2)]
    return [(opened(start, CHROME, message, ip), False), *clicks]


Maker = Callable[[random.Random, int], Labelled]
SCANNERS: list[Maker] = [apple, apple, gmail_sampling, safe_links, barracuda, proofpoint, sandbox]
MAKERS: list[Maker] = [person] * 40 + SCANNERS * 4 + [behind_gateway] * 2 + [sly, hasty]


def traffic(messages: int = 4_000, seed: int = 5) -> list[tuple[Hit, bool, str]]:
    """Hits in order, whether a machine made them, and by whom; a scanner and a person may share a mail."""
    dice = random.Random(seed)
    found: list[tuple[Hit, bool, str]] = []
    for message in range(1, messages + 1):
        maker = dice.choice(MAKERS)
        found += [(hit, machine, maker.__name__) for hit, machine in maker(dice, message)]
        if maker in SCANNERS and dice.random() < 0.3:
            found += [(hit, machine, "person") for hit, machine in person(dice, message)]
    return sorted(found, key=lambda one: one[0].at)


def score(given: list[tuple[Hit, bool, str]]) -> dict[str, Any]:
    """Precision and recall of "machine", and by sender: hits, and how many were taken for a machine's."""
    classifier, taken = Classifier(), []
    position: dict[tuple[int, datetime], int] = {}
    for index, (hit, _, _) in enumerate(given):
        verdict = classifier.judge(hit, SENT)
        taken.append(verdict.machine)
        position[hit.message_id, hit.at] = index
        for moment in verdict.corrects:
            taken[position[hit.message_id, moment]] = True
    tally = Counter((truth, guess) for (_, truth, _), guess in zip(given, taken, strict=True))
    hits = Counter(who for _, _, who in given)
    machines = Counter(who for (_, _, who), guess in zip(given, taken, strict=True) if guess)
    return {
        "hits": len(given),
        "precision": tally[True, True] / (tally[True, True] + tally[False, True]),
        "recall": tally[True, True] / (tally[True, True] + tally[True, False]),
        "people_taken_for_machines": tally[False, True],
        "machines_taken_for_people": tally[True, False],
        "by": {who: {"hits": count, "taken_for_machine": machines[who]} for who, count in sorted(hits.items())},
    }


def main() -> None:
    """Print the figures."""
    found = score(traffic())
    if "--json" in sys.argv:
        print(json.dumps(found))
        return
    print(f"machine: precision {found['precision']:.4f}, recall {found['recall']:.4f} over {found['hits']:,} hits")
    for who, row in found["by"].items():
        print(f"  {who:<16}{row['hits']:>7,} hits{row['taken_for_machine']:>8,} taken for a machine's")


if __name__ == "__main__":
    main()

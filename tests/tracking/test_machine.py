"""People and machines told apart, on traffic labelled after documented behaviour."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from outreach.tracking.machine import Classifier, Hit, Verdict, shipped_rules

SENT = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
OUTLOOK = "Mozilla/4.0 (compatible; ms-office; MSOffice 16)"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
SAMPLER = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"
HOME = "198.51.100."  # a documentation network: nobody's


def at(seconds: float) -> datetime:
    return SENT + timedelta(seconds=seconds)


def click(seconds: float, number: int = 1, agent: str = CHROME, message: int = 1, ip: str = "91.10.2.3") -> Hit:
    return Hit("click", message, at(seconds), number, agent=agent, ip=ip)


def opened(seconds: float, agent: str = CHROME, message: int = 1, ip: str = "91.10.2.3") -> Hit:
    return Hit("open", message, at(seconds), agent=agent, ip=ip)


def judge(*hits: Hit) -> list[Verdict]:
    classifier = Classifier()
    return [classifier.judge(hit, SENT) for hit in hits]


@pytest.mark.parametrize(
    ("hit", "why"),
    [
        (opened(60, "Mozilla/5.0"), "apple_mpp"),
        (opened(60, ip="17.58.1.2"), "apple_mpp"),
        (opened(3, GMAIL), "too_soon"),
        (opened(60, SAMPLER), "gmail_prefetch"),
        (opened(1), "too_soon"),
        (opened(60, ""), "no_agent"),
        (replace(opened(60), method="HEAD"), "head"),
        (replace(opened(60), prefetch=True), "prefetch"),
        (click(2), "too_soon"),
        (click(60, agent="Barracuda Sentinel (EE)"), "barracuda"),
        (click(60, ip="209.222.82.14"), "barracuda"),
        (click(60, ip="67.231.152.9"), "proofpoint"),
        (click(60, ip="205.139.110.20"), "mimecast"),
        (click(60, ip="40.94.1.1"), None),
        (click(60, ip="40.92.1.1"), "microsoft_safe_links"),
        (click(60, agent="python-requests/2.32"), "http_library"),
        (click(60, agent="Mozilla/5.0 (compatible; SomeBot/1.0)"), "says_so"),
        (replace(click(60), method="HEAD"), "head"),
        (click(60, number=0), "honeypot"),
        (opened(60), None),
        (opened(60, GMAIL), None),
        (opened(60, OUTLOOK), None),
        (opened(60, IPHONE), None),
        (click(60), None),
        (click(60, agent=IPHONE), None),
    ],
)
def test_one_request(hit: Hit, why: str | None) -> None:
    (verdict,) = judge(hit)
    assert verdict.machine == (why is not None)
    assert why in (None, verdict.why)


def test_a_walk_over_the_links_is_a_burst_and_takes_back_what_came_before() -> None:
    first, second, third, fourth = judge(click(60, 1), click(61.2, 2), click(62.4, 3), click(66, 4))
    assert [v.machine for v in (first, second, third, fourth)] == [False, False, True, True]
    assert third == Verdict(True, "burst", (at(60), at(61.2)))
    assert fourth.why == "after_scanner"


def test_two_links_in_a_second_are_a_burst_but_a_double_click_is_not() -> None:
    assert judge(click(60, 1), click(60.4, 2))[1].why == "burst"
    assert not any(v.machine for v in judge(click(60, 1), click(60.4, 1), click(60.8, 1)))


def test_a_person_who_reads_and_follows_several_links() -> None:
    assert not any(v.machine for v in judge(click(60, 1), click(75, 2), click(90, 3), click(300, 1)))


def test_a_person_after_the_scanner_is_a_person() -> None:
    verdicts = judge(click(1, 1), click(1.1, 2), click(1.2, 3), opened(600), click(605, 2))
    assert [v.machine for v in verdicts] == [True, True, True, False, False]


def test_a_gateway_that_follows_links_of_many_people() -> None:
    hits = [click(60 + n, message=n + 1, ip="91.198.174.192") for n in range(12)]
    assert judge(*hits)[-1].why == "gateway"
    behind_proxy = [replace(hit, ip="127.0.0.1") for hit in hits]
    assert not any(v.machine for v in judge(*behind_proxy))


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outreach.tracking.machine.REMEMBERED", 100)
    classifier = Classifier()
    for number in range(1000):
        classifier.judge(click(60 + number, message=number, ip=f"91.10.{number % 250}.{number // 250 + 1}"), SENT)
    assert len(classifier._messages) <= 101
    assert len(classifier._sources) <= 101


def test_every_row_of_the_tables_names_its_source() -> None:
    rules = shipped_rules()
    assert len(rules.agents) >= 12
    assert len(rules.networks) >= 20


# -- labelled traffic --------------------------------------------------------------------------------------------------

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


def sly(dice: random.Random, message: int) -> Labelled:
    """A sandbox in the cloud that opens one link like a person would, minutes later: nobody can tell."""
    when = dice.uniform(60, 3000)
    return [(opened(when, CHROME, message, _ip(dice)), True), (click(when + 9, 1, CHROME, message, _ip(dice)), True)]


def hasty(dice: random.Random, message: int) -> Labelled:
    """A person who opens two links in new tabs within a second: taken for a burst."""
    start, ip = dice.uniform(600, 9000), _ip(dice)
    clicks: Labelled = [(click(start + 5 + n * 0.7, n + 1, CHROME, message, ip), False) for n in range(2)]
    return [(opened(start, CHROME, message, ip), False), *clicks]


def test_precision_and_recall_on_labelled_traffic(capsys: pytest.CaptureFixture[str]) -> None:
    """Precision and recall of "machine", per hit, after corrections; people and scanners may share a mailbox."""
    dice = random.Random(5)
    scanners = [apple, apple, gmail_sampling, safe_links, barracuda, proofpoint]
    makers = [person] * 40 + scanners * 4 + [sly, hasty]
    traffic: Labelled = []
    for message in range(1, 4001):
        maker = dice.choice(makers)
        traffic += maker(dice, message)
        if maker is not person and dice.random() < 0.3:
            traffic += person(dice, message)
    traffic.sort(key=lambda pair: pair[0].at)
    classifier = Classifier()
    found: list[bool] = []
    position: dict[tuple[int, datetime], int] = {}
    for index, (hit, _) in enumerate(traffic):
        verdict = classifier.judge(hit, SENT)
        found.append(verdict.machine)
        position[hit.message_id, hit.at] = index
        for moment in verdict.corrects:
            found[position[hit.message_id, moment]] = True
    tally = Counter((truth, guess) for (_, truth), guess in zip(traffic, found, strict=True))
    precision = tally[True, True] / (tally[True, True] + tally[False, True])
    recall = tally[True, True] / (tally[True, True] + tally[True, False])
    with capsys.disabled():
        print(f"\nmachine: precision {precision:.4f}, recall {recall:.4f} over {len(traffic):,} hits {dict(tally)}")
    assert precision >= 0.98
    assert recall >= 0.98

"""People and machines told apart, on traffic labelled after documented behaviour."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from benchmarks._labelled import GMAIL, IPHONE, OUTLOOK, SAMPLER, SENT, at, click, opened, score, traffic
from outreach.tracking.machine import Classifier, Hit, Verdict, shipped_rules, tables

HOME = "198.51.100."  # a documentation network: nobody's


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
        (click(60, ip="52.16.4.1"), "amazon_cloud"),
        (click(599, ip="34.90.1.1"), "google_cloud"),
        (click(60, ip="20.70.3.1"), "microsoft_cloud"),
        (click(601, ip="52.16.4.1"), None),
        (opened(60, ip="52.16.4.1"), None),
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
    for row in tables()["network"]:
        assert row["source"].strip()
        assert date(2026, 1, 1) <= row["date"] <= date(2100, 1, 1), "a range without a date cannot be judged old"
    assert {row["why"] for row in tables()["network"] if row.get("cloud")} == {
        "amazon_cloud", "google_cloud", "microsoft_cloud",
    }  # fmt: skip


# -- labelled traffic --------------------------------------------------------------------------------------------------


def test_precision_and_recall_on_labelled_traffic(capsys: pytest.CaptureFixture[str]) -> None:
    found = score(traffic())
    with capsys.disabled():
        print(
            f"\nmachine: precision {found['precision']:.4f}, recall {found['recall']:.4f} over {found['hits']:,} hits"
        )
    assert found["precision"] >= 0.98
    assert found["recall"] >= 0.98
    people = found["by"]["behind_gateway"]
    assert people["taken_for_machine"] <= 0.1 * people["hits"], "a data centre's address alone is no verdict"
    assert found["by"]["sandbox"]["taken_for_machine"] == found["by"]["sandbox"]["hits"]

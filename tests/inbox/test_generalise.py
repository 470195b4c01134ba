"""What the rules know beyond the messages that they were written beside. Floors may only rise."""

from __future__ import annotations

from collections import Counter

from tests.inbox.corpora import shared_cases
from tests.inbox.generalise import bounces, general_detectors, group, leave_one_group_out


def share(counted: Counter[str], right: str, total: str) -> float:
    return 100 * counted[right] / counted[total]


def test_without_the_needles_of_their_own_group_most_messages_are_understood():
    _, counted = leave_one_group_out(bounces())
    assert share(counted, "br_ok", "br_n") >= 99.5
    assert share(counted, "h_ok", "h_n") >= 99.3
    assert share(counted, "r_ok", "r_n") >= 95.4
    assert counted["nb_false"] == 0


def test_without_the_detectors_for_one_provider_most_messages_are_understood():
    counted = general_detectors(bounces())
    assert share(counted, "br_ok", "br_n") >= 98.5
    assert share(counted, "h_ok", "h_n") >= 96.7
    assert share(counted, "r_ok", "r_n") >= 94.0
    assert counted["nb_false"] == 0


def test_groups_are_neither_single_mails_nor_whole_sources():
    groups = Counter(group(case) for case in shared_cases())
    assert 60 < len(groups) < 400

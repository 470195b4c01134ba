"""Five sentences in each language, each true of the figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from outreach.reports.advice import advise
from outreach.reports.metrics import Answer, Cell, Data, Figures
from outreach.reports.period import Period
from outreach.reports.words import Lang

WEEK = Period.parse("2026-W47")
NOW = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)
CAME = datetime(2026, 11, 20, 9, tzinfo=UTC)  # a Friday


def cell(template: str = "a", mailbox: int = 1, region: str = "Europe", source: str = "crm", **figures: int) -> Cell:
    figures.setdefault("accepted", figures.get("sent", 0) - figures.get("bounced", 0))
    return Cell(1, 0, template, "en", mailbox, region, "lighting", source, 1, Figures(**figures))


def data(*cells: Cell, before: tuple[Cell, ...] = (), **more: object) -> Data:
    names = {"campaigns": {1: "Show"}, "mailboxes": {1: "sales@x.example"}, "users": {1: "Wu Hao"}}
    return Data(cells=cells, before=before, **(names | more))  # type: ignore[arg-type]


def say(found: Data, lang: Lang = "en") -> list[str]:
    return advise(found, WEEK, NOW, lang).sentences


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("found", [data(), data(cell(sent=50)), data(cell(sent=5000, replied=100))])
def test_there_are_always_five(found: Data, lang: Lang) -> None:
    sentences = say(found, lang)
    assert len(sentences) == 5
    assert all(text.endswith(("。", ".")) for text in sentences)


def test_what_happened() -> None:
    found = data(cell(sent=9588, replied=214, inquiries=58), before=(cell(sent=8101, replied=140),))
    assert say(found)[0] == (
        "This week: 9,588 mails sent, 214 replies, 58 inquiries; reply rate 2.2%, the week before 1.7%, up."
    )
    assert say(found, "zh")[0] == "本周发出 9,588 封，收到 214 封回复、58 条询盘；回复率 2.2%，上周 1.7%，上升。"
    assert "too few for a rate" in say(data(cell(sent=40, replied=9)))[0]


def test_the_best_content_is_named_only_where_it_is_reliably_better() -> None:
    clear = data(cell("new", sent=800, replied=40), cell("old", sent=3000, replied=50))
    assert "'new · English' has a reply rate of 5.0%, the rest 1.7%" in say(clear)[1]
    assert "use what works for 'new · English' elsewhere" in say(clear)[4]
    sequence = data(cell("first", sent=800, replied=1), replace(cell("next", sent=800, replied=40), step=1))
    assert "No reliable difference" in say(sequence)[1]
    vague = data(cell("new", sent=300, replied=8), cell("old", sent=300, replied=6))
    assert "No reliable difference" in say(vague)[1]


def answers(late: int, in_time: int) -> tuple[Answer, ...]:
    due = CAME + timedelta(hours=6)
    good = Answer(2, True, CAME, due, CAME + timedelta(hours=2))
    return (good,) * in_time + (Answer(1, False, CAME, due, CAME + timedelta(hours=30)),) * late


def test_how_quickly_letters_are_answered() -> None:
    found = data(answers=answers(3, 17))
    assert say(found)[2] == "Answered in time: 85.0% (17 of 20), median 2 h 00 min; 3 late, 3 of them came on Fri."
    assert "share Wu Hao's letters (3 late)" in say(found)[4]
    open_ = data(answers=(Answer(1, True, CAME, CAME + timedelta(hours=6), None),))
    assert "1 still wait; 1 late" in say(open_)[2]
    fresh = data(answers=(Answer(1, True, NOW, NOW + timedelta(hours=6), None),))
    assert say(fresh)[2] == "1 letters wait for an answer, none is late."


def test_the_worst_trouble_is_named_and_its_remedy() -> None:
    bounces = data(cell(sent=1000, bounced=40, bounced_hard=30, source="fair 2024"))
    assert say(bounces)[3].startswith("sales@x.example has a bounce rate of 4.0%; 30 hard bounces come from the list")
    assert "verify the rest of the list 'fair 2024'" in say(bounces)[4]
    complaints = data(cell(sent=1000, complained=2, bounced=40))
    assert "Complaint rate 0.2% (2)" in say(complaints)[3]
    assert "above 1%" in say(data(cell(sent=1000, unsubscribed=15)))[3]
    assert "2 mails are in doubt" in say(data(cell(sent=1000), in_doubt_now=2))[3]
    assert say(data(cell(sent=1000, bounced=3)))[3].startswith("Nothing unusual: 3 bounces")


def test_warnings_on_small_samples_and_machines() -> None:
    found = data(cell(sent=1000), cell(region="Africa", sent=60), machine_opens=3318, machine_clicks=61)
    warnings = advise(found, WEEK, NOW, "en").warnings
    assert warnings[0] == "Africa 60: too few mails to trust a change."
    assert any("3,318 machine opens" in text for text in warnings)
    assert any("61 clicks" in text for text in warnings)
    assert replace(found, machine_opens=0) != found

"""The content part of the campaign form: versions of a test, the pilot's team and follow-ups, as a file would say them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from outreach.campaigns.definition import from_dict
from outreach.model import Campaign
from outreach.model.base import table
from tests.web.house import House
from tests.web.test_campaigns import FORM

CAMPAIGNS = table(Campaign)

TEST = {
    "arms": "3", "arm_name_1": "A", "arm_name_2": "short", "arm_subject_2": "Twenty minutes?", "arm_share_2": "50",
    "arm_template_3": "follow-up", "arm_mailbox_3": "info", "arm_hour_3": "10",
    "test_share": "40", "test_metric": "reply", "test_lift": "50", "test_minimum": "200", "test_wait": "48",
    "test_release": "ask", "test_otherwise": "first",
}  # fmt: skip
PILOT = {
    "pilot_share": "10",
    "pilot_wait": "2",
    "pilot_team": "li.na@example.com； wang.lei@example.com\nli.na@example.com",
}


async def stored(house: House, location: str) -> dict[str, Any]:
    query = select(CAMPAIGNS.c.definition).where(CAMPAIGNS.c.id == int(location.rsplit("/", 1)[1]))
    async with house.db.read() as conn:
        found: dict[str, Any] = (await conn.execute(query)).scalar_one()
    return found


async def test_a_test_is_written_in_the_form_as_in_a_file(house: House) -> None:
    async with house.visitor("li.na") as author:
        answer = await author.post("/campaigns/new", FORM | TEST | PILOT)
        assert answer.status_code == 303, answer.text
        here = answer.headers["location"]
        what = from_dict(await stored(house, here))
        assert [v.model_dump(exclude_none=True) for v in what.variant] == [
            {"name": "A"},
            {"name": "short", "subject": "Twenty minutes?", "share": 0.5},
            {"name": "C", "template": "follow-up", "mailbox": "info", "hour": 10},
        ]
        assert what.test is not None
        assert what.test.model_dump() == {
            "share": 0.4, "metric": "reply", "lift": 0.5, "minimum": 200, "wait_hours": 48, "release": "ask", "otherwise": "first",
        }  # fmt: skip
        assert what.pilot is not None
        assert what.pilot.team == ["li.na@example.com", "wang.lei@example.com"]
        assert [step.template for step in what.step] == ["follow-up"]
        page = (await author.get(here + "/edit")).text
    for shown in ("Twenty minutes?", "li.na@example.com; wang.lei@example.com", 'value="short"', 'value="200"'):
        assert shown in page


async def test_what_the_form_shows_comes_back_as_it_was(house: House) -> None:
    """A file's campaign that is opened and saved without a change stays the same: nothing is lost on the way."""
    steps = [
        {"template": "follow-up", "after_days": n, "only_if": "always", "subject": f"No. {n}", "same_thread": n != 2}
        for n in range(1, 6)
    ]
    form = FORM | TEST | PILOT
    for n, step in enumerate(steps, 1):
        form |= {
            f"step_template_{n}": "follow-up",
            f"step_days_{n}": str(n),
            f"step_if_{n}": "always",
            f"step_subject_{n}": f"No. {n}",
        }
        form |= {f"step_thread_{n}": "1"} if step["same_thread"] else {}
    async with house.visitor("li.na") as author:
        here = (await author.post("/campaigns/new", form)).headers["location"]
        first = await stored(house, here)
        assert first["step"] == steps
        assert 'name="step_template_6"' in (await author.get(here + "/edit")).text
        assert (await author.post(here + "/edit", form)).status_code == 303
    assert await stored(house, here) == first


async def test_taking_the_test_away_takes_its_rules_away(house: House) -> None:
    async with house.visitor("li.na") as author:
        here = (await author.post("/campaigns/new", FORM | TEST)).headers["location"]
        assert (await author.post(here + "/edit", FORM | TEST | {"arms": "0"})).status_code == 303
    what = from_dict(await stored(house, here))
    assert (what.variant, what.test) == ([], None)


FAULTS = [
    ({"arm_name_2": "A"}, "arm_name_2", ("Another version", "另一个版本")),
    ({"arm_name_2": "a b"}, "arm_name_2", ("Letters, digits", "字母")),
    ({"arm_subject_2": "", "arm_share_2": ""}, "arm_subject_2", ("The same as version A", "版本 A")),
    ({"arm_hour_3": "20"}, "arm_hour_3", ("09:00-17:00", "09:00-17:00")),
    ({"arm_mailbox_3": "export"}, "arm_mailbox_3", ("Tick this mailbox", "勾选")),
    ({"test_share": "a fifth"}, "test_share", ("from 1 to 100", "1 到 100")),
    ({"pilot_team": "li.na"}, "pilot_team", ("li.na is no e-mail address", "li.na 不是")),
    ({"pilot_share": "0", "pilot_team": "li.na@example.com"}, "pilot_share", ("percent", "百分")),
    ({"step_days_1": "soon"}, "step_days_1", ("from 0 to 365", "0 到 365")),
]


@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_a_fault_stands_at_its_field_in_the_readers_language(house: House, lang: str) -> None:
    async with house.visitor("li.na", lang) as author:
        for wrong, field, told in FAULTS:
            answer = await author.post("/campaigns/new", FORM | TEST | wrong)
            assert answer.status_code == 422, wrong
            assert told[lang == "zh"] in answer.text.split(f'id="fault-{field}"')[1].split("</span>")[0]
            assert f'href="#{field}"' in answer.text
            for value in wrong.values():
                assert value in answer.text, "what was typed is shown again"


async def test_the_form_says_how_many_people_a_version_needs(house: House) -> None:
    async with house.visitor("li.na") as author:
        form = FORM | TEST | {"test_share": "100", "arms": "2"}
        part = (await author.post("/campaigns/test-size", form)).text
        assert "Each version needs" in part
        assert "With this audience each gets about" in part
        assert "Too few" in part
        easy = (await author.post("/campaigns/test-size", form | {"test_lift": "1000", "segment": "email is set"})).text
        assert "Each version needs" in easy
        assert (await author.post("/campaigns/test-size", form | {"arms": "0"})).text.strip() == ""

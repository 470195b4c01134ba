"""The content part of the campaign form: follow-ups, the versions of an A/B test, the pilot's team, and its faults.

Reads the form into the very keys of a campaign file, so that a file and the form are one thing. Fields that the form
does not show are kept from what was stored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any

from fastapi.responses import Response
from starlette.datastructures import FormData

from outreach.access.roles import Permission
from outreach.app import ab_test
from outreach.app import campaigns as work
from outreach.audience.segment import SegmentError
from outreach.campaigns.definition import MOST_STEPS, MOST_TEAM, MOST_VARIANTS, Test, is_address, read_window
from outreach.web.data.scope import counted
from outreach.web.i18n import N_
from outreach.web.routing import Pages, Staff

router = Pages()
NUMBER = re.compile(r"^\d{1,9}(\.\d{1,3})?$")
#: Rows of follow-ups that are always offered.
LEAST_STEPS = 3
NAMES = ("A", "B", "C", "D", "E")
ARM = re.compile(r"^[A-Za-z0-9_-]{1,20}$")
#: A test's numbers: key of the file → field, smallest, largest, what the field's number is divided by.
TEST_NUMBERS: Mapping[str, tuple[str, float, float, float]] = {
    "share": ("test_share", 1, 100, 100),
    "lift": ("test_lift", 1, 1000, 100),
    "minimum": ("test_minimum", 10, 1_000_000, 1),
    "wait_hours": ("test_wait", 0, 720, 1),
}


#: What a test's rules are where nothing is said.
RULES: Mapping[str, Any] = Test().model_dump()


BLANK: Mapping[str, Any] = dict.fromkeys(("subject", "template", "mailbox", "hour", "share"))


@dataclass(frozen=True)
class Fault:
    """What is wrong with a field, in the person's language."""

    field: str
    text: str


class Reader:
    """Reads fields and notes what is wrong with them."""

    def __init__(self, staff: Staff, form: FormData) -> None:
        self.staff, self.form = staff, form
        self.faults: list[Fault] = []

    def words(self, name: str, most: int = 400) -> str:
        """The field's text, trimmed."""
        return str(self.form.get(name, "")).strip()[:most]

    def fault(self, field: str, text: str, **values: object) -> None:
        """Note a fault; the first of a field is the one that is shown."""
        if field not in {one.field for one in self.faults}:
            self.faults.append(Fault(field, self.staff.say(text, **values)))

    def number(self, field: str, low: float, high: float, default: float) -> float:
        """The field's number; empty is the default."""
        given = self.words(field, 20).replace(",", ".").removesuffix("%").strip()
        if not given:
            return default
        if not NUMBER.match(given) or not low <= float(given) <= high:
            self.fault(field, N_("A number from %(low)s to %(high)s."), low=f"{low:g}", high=f"{high:g}")
            return default
        return float(given)


def read_content(reader: Reader, mailboxes: Sequence[str], window: str | None) -> dict[str, Any]:
    """The keys step, variant, test and pilot of the file that the form describes."""
    variants = _variants(reader, mailboxes, window)
    return {
        "step": _steps(reader),
        "variant": variants,
        "test": _test(reader) if variants else None,
        "pilot": _pilot(reader),
    }


def _steps(reader: Reader) -> list[dict[str, Any]]:
    numbers = (n for n in range(1, MOST_STEPS + 1) if reader.words(f"step_template_{n}", 100))
    return [
        {
            "template": reader.words(f"step_template_{n}", 100),
            "after_days": reader.number(f"step_days_{n}", 0, 365, 4),
            "only_if": reader.words(f"step_if_{n}") or "no reply",
            "subject": reader.words(f"step_subject_{n}") or None,
            "same_thread": reader.form.get(f"step_thread_{n}") == "1",
        }
        for n in numbers
    ]


def _variants(reader: Reader, mailboxes: Sequence[str], window: str | None) -> list[dict[str, Any]]:
    count = reader.words("arms", 2)
    number = min(int(count), MOST_VARIANTS) if count.isdecimal() else 0
    found = [_variant(reader, n, mailboxes, window) for n in range(1, number + 1)]
    for n, one in enumerate(found, 1):
        earlier = found[: n - 1]
        if one["name"] in {other["name"] for other in earlier}:
            reader.fault(f"arm_name_{n}", N_("Another version has that name."))
        same = [other["name"] for other in earlier if _changes(other) == _changes(one)]
        if same:
            reader.fault(
                f"arm_subject_{n}", N_("The same as version %(name)s: change something to compare."), name=same[0]
            )
    return found


def _changes(variant: Mapping[str, Any]) -> dict[str, Any]:
    return {key: variant[key] for key in ("subject", "template", "mailbox", "hour")}


def _variant(reader: Reader, n: int, mailboxes: Sequence[str], window: str | None) -> dict[str, Any]:
    name = reader.words(f"arm_name_{n}", 20) or NAMES[n - 1]
    if not ARM.match(name):
        reader.fault(f"arm_name_{n}", N_("Letters, digits, - and _ only, at most 20."))
    box = reader.words(f"arm_mailbox_{n}", 100) or None
    if box and box not in mailboxes:
        reader.fault(f"arm_mailbox_{n}", N_("Tick this mailbox among those of the campaign too."))
    given = reader.words(f"arm_hour_{n}", 2)
    hour = int(given) if given.isdecimal() else None
    if hour is not None and not _open(window, hour):
        reader.fault(f"arm_hour_{n}", N_("Outside the hours in which mail may leave (%(window)s)."), window=window)
    share = reader.number(f"arm_share_{n}", 0, 100, 0)
    subject, template = reader.words(f"arm_subject_{n}"), reader.words(f"arm_template_{n}", 100)
    return {
        "name": name, "subject": subject or None, "template": template or None, "mailbox": box, "hour": hour,
        "share": share / 100 or None,
    }  # fmt: skip


def _open(window: str | None, hour: int) -> bool:
    try:
        first, last = read_window(window) if window else (time(0), time(23, 59, 59))
    except ValueError:  # told at the window's own field
        return True
    return hour < 24 and first <= time(hour) < last


def _test(reader: Reader) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, (field, low, high, by) in TEST_NUMBERS.items():
        default = float(RULES[key])
        found[key] = reader.number(field, low, high, default * by) / by
    found["minimum"] = int(found["minimum"])
    for key, allowed in (
        ("metric", ("click", "reply", "open")),
        ("release", ("winner", "ask")),
        ("otherwise", ("ask", "first")),
    ):
        given = reader.words(f"test_{key}", 10)
        found[key] = given if given in allowed else allowed[0]
    return found


def _pilot(reader: Reader) -> dict[str, Any] | None:
    share = reader.number("pilot_share", 0, 50, 0)
    team = [one for one in re.split(r"[\s;,，；]+", reader.words("pilot_team", 6000)) if one]
    wrong = [one for one in team if not is_address(one)]
    if wrong:
        reader.fault("pilot_team", N_("%(address)s is no e-mail address."), address=wrong[0][:80])
    if len(team) > MOST_TEAM:
        reader.fault("pilot_team", N_("At most %(most)s addresses: the team, not a list."), most=MOST_TEAM)
    if team and not share:
        reader.fault("pilot_team", N_("Take the addresses out, or let a share of the people try it too."))
        reader.fault("pilot_share", N_("The team gets it with the pilot: say how many percent of the people try it."))
    if not share:
        return None
    return {
        "share": share / 100,
        "wait_hours": reader.number("pilot_wait", 0, 720, 24),
        "team": list(dict.fromkeys(team)),
    }


# -- how it is shown ---------------------------------------------------------------------------------------------------


def shown(given: Mapping[str, Any]) -> dict[str, Any]:
    """What the form's template needs beside `given`: rows of versions and of follow-ups, the test's rules."""
    variants = list(given.get("variant") or [])
    steps = list(given.get("step") or [])
    rows = min(MOST_STEPS, max(LEAST_STEPS, len(steps) + 1))
    return {
        "arms": len(variants),
        "versions": [
            {**BLANK, "name": NAMES[n], **(variants[n] if n < len(variants) else {})} for n in range(MOST_VARIANTS)
        ],
        # versions without a [test] are tried on everybody
        "test": given.get("test") or ({**RULES, "share": 1.0} if variants else RULES),
        "follow_ups": [steps[n] if n < len(steps) else {} for n in range(rows)],
    }


def faulty(reader: Reader | None) -> dict[str, dict[str, str]]:
    """Each faulty field's text, and what was typed there, which is shown again as it was."""
    faults = {one.field: one.text for one in reader.faults} if reader else {}
    return {"faults": faults, "typed": {field: reader.words(field, 6000) for field in faults} if reader else {}}


@router.action("/campaigns/test-size", Permission.CAMPAIGNS_EDIT, changes=False)
async def test_size(staff: Staff) -> Response:
    """How many people each version needs to show the wished rise, and how many it would have."""
    reader = Reader(staff, await staff.form())
    arms = reader.words("arms", 2)
    number = int(arms) if arms.isdecimal() else 0
    if not 2 <= number <= MOST_VARIANTS:
        return await staff.render("part_test_size.html", size=None)
    rules = _test(reader)
    try:
        people = await staff.app.audience.count(reader.words("segment", 8000), staff.now, counted(staff))
    except SegmentError:
        people = None
    size = await ab_test.wished_size(staff.app, rules["metric"], rules["lift"], number)
    have = None if people is None else int(people * rules["share"] / number)
    return await staff.render(
        "part_test_size.html", size=size, have=have, people=people, arms=number, rules=rules,
        enough=_enough(size["needed_per_arm"] * number, people), shows=work.smallest_lift(size["base_rate"], have or 0, number),
    )  # fmt: skip


def _enough(needed: int, people: int | None) -> int | None:
    """The share of the audience, in percent, that would be enough; None where even all are too few."""
    if not people or needed > people:
        return None
    return min(100, -(-100 * needed // people))


__all__ = ["Fault", "Reader", "faulty", "read_content", "router", "shown"]

"""What is wrong in the campaign's form outside its content, each at its field. Pure; the words are marked for translation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from starlette.datastructures import FormData

from outreach.campaigns.definition import read_window
from outreach.web.i18n import N_

#: The steps of the form, in order; preflight and submit stand on the campaign's own page.
STEPS = {
    "audience": N_("Audience"),
    "content": N_("Content"),
    "pace": N_("Mailboxes and pace"),
    "schedule": N_("Schedule"),
}
#: Which step a field stands in; those of the follow-up mails are content.
STEP_OF = {
    "name": "audience", "budget": "audience", "segment": "audience", "template": "content", "mailbox": "pace",
    "pilot_share": "pace", "pilot_wait": "pace", "pilot_team": "pace", "start": "schedule", "window": "schedule",
}  # fmt: skip
NUMBER = re.compile(r"^\d{1,9}(\.\d{1,2})?$")


def faults(form: FormData) -> dict[str, str]:
    """Return field → what to do about it, empty when the form can be read."""
    typed = {name: str(value).strip() for name, value in form.items()}
    found = {
        field: words
        for field, words in (
            ("name", N_("Give it a name.")),
            ("segment", N_("Say who gets it: a condition, or a stored segment from the list.")),
            ("template", N_("Choose a template.")),
            ("mailbox", N_("Choose at least one mailbox.")),
        )
        if not typed.get(field)
    }
    return found | _numbers(typed) | _times(typed)


def _numbers(typed: Mapping[str, str]) -> dict[str, str]:
    given = typed.get("budget")
    return {"budget": N_("A number, such as 3000 or 2.5.")} if given and not NUMBER.match(given) else {}


def _times(typed: Mapping[str, str]) -> dict[str, str]:
    found = {}
    try:
        datetime.fromisoformat(typed.get("start") or "2000-01-01")
    except ValueError:
        found["start"] = N_("A day and a time, such as 2026-12-01 09:00.")
    try:
        read_window(typed.get("window") or "0:00-24:00")
    except ValueError:
        found["window"] = N_("Two times such as 09:00-17:00, the first one earlier.")
    return found


def steps_of(fields: Iterable[str]) -> set[str]:
    """Which steps have a fault."""
    return {STEP_OF.get(field, "content") for field in fields}

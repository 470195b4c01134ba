"""The country rules in force: what each asks for, on whose word, and whether it is the company's own."""

from __future__ import annotations

from typing import Any

from fastapi.responses import Response

from outreach.access.roles import Permission
from outreach.content.gates import Gate, gates
from outreach.web.i18n import N_
from outreach.web.pages.settings import tabs
from outreach.web.routing import Pages, Staff

router = Pages()
#: Legal basis → what people call it.
BASES = {
    "consent": N_("consent"),
    "customer": N_("customer"),
    "inquiry": N_("inquiry"),
    "public-business": N_("published business address"),
    "none": N_("none"),
}


@router.page("/settings/country-rules", Permission.CAMPAIGNS_VIEW)
async def show(staff: Staff) -> Response:
    """Every rule, with its source."""
    shipped = set(gates())
    rules = [{"rule": rule, "own": rule not in shipped, "asks": _asks(staff, rule)} for rule in staff.app.gates]
    return await staff.render("country_rules.html", tabs=tabs(staff), rules=rules, file=staff.app.settings.paths.gates)


def _asks(staff: Staff, rule: Gate) -> list[str]:
    asks: list[Any] = []
    if rule.basis is not None:
        names = staff.say(N_(", ")).join(_basis(staff, rule, name) for name in BASES if name in rule.basis)
        asks.append(staff.say(N_("Recorded basis: %(names)s"), names=names))
    if rule.subject_marks:
        asks.append(staff.say(N_("Subject begins with %(marks)s"), marks=" / ".join(rule.subject_marks[:2])))
    if rule.postal_address:
        asks.append(staff.say(N_("Postal address in the mail")))
    if not rule.pixel:
        asks.append(staff.say(N_("No open pixel")))
    if not rule.clicks:
        asks.append(staff.say(N_("No counting of clicks")))
    return asks


def _basis(staff: Staff, rule: Gate, name: str) -> str:
    days = rule.max_age_days.get(name)
    word = staff.say(BASES[name])
    return staff.say(N_("%(basis)s (%(days)s days)"), basis=word, days=days) if days else word

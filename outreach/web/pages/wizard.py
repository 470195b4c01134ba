"""Writing a campaign in steps: who, what, from where and how fast, when."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from fastapi.responses import Response

from outreach.access.roles import Permission
from outreach.app import campaigns as work
from outreach.audience.segment import SegmentError
from outreach.campaigns.definition import DefinitionError, from_dict
from outreach.campaigns.state import IllegalTransition
from outreach.campaigns.store import CampaignError
from outreach.config import ConfigError
from outreach.content.problem import ContentProblem
from outreach.web.campaign_faults import NUMBER, STEPS, faults, steps_of
from outreach.web.data import campaigns as data
from outreach.web.data.scope import counted, counts_some
from outreach.web.format import zone
from outreach.web.i18n import N_, in_words
from outreach.web.pages.campaign_content import Reader, faulty, read_content, shown
from outreach.web.pages.campaigns import found
from outreach.web.routing import Pages, Staff

router = Pages()
CONDITIONS = {
    "no reply": N_("nobody replied"),
    "no open": N_("it was not opened"),
    "no click": N_("nothing was clicked"),
    "opened": N_("it was opened"),
    "clicked": N_("something was clicked"),
    "always": N_("in any case"),
}


@router.page("/campaigns/new", Permission.CAMPAIGNS_EDIT)
async def new(staff: Staff) -> Response:
    """An empty campaign."""
    params = staff.request.query_params
    text = params.get("expression", "")[:4000]
    if params.get("segment", "").isdecimal():
        stored = {row["id"]: row["expression"] for row in await staff.app.audience.segments()}
        text = stored.get(int(params["segment"]), "")
    given = {
        "segment": text,
        "template": params.get("template", ""),
        "schedule": {"window": "09:00-17:00"},
        "pilot": {"share": 0.05, "wait_hours": 24},
    }
    return await _form(staff, None, given)


@router.page("/campaigns/{campaign_id:int}/edit", Permission.CAMPAIGNS_EDIT)
async def edit(staff: Staff, campaign_id: int) -> Response:
    """A campaign's settings; saving makes it a draft again."""
    row = await found(staff, campaign_id, Permission.CAMPAIGNS_EDIT)
    return await _form(staff, row, row.definition)


async def _form(
    staff: Staff, row: Any, given: dict[str, Any], error: str = "", status: int = 200, reader: Reader | None = None
) -> Response:
    titles = []
    for name in staff.app.template_names():
        try:
            source = staff.app.template(name)
            language = staff.lang if staff.lang in source.languages else source.fallback_language
            titles.append((name, source.title(language), language))
        except ContentProblem:
            continue
    async with staff.app.db.read() as conn:
        boxes = await data.mailbox_names(conn)
    start = (given.get("schedule") or {}).get("start")
    local = datetime.fromisoformat(str(start)).astimezone(zone(staff.tz)).strftime("%Y-%m-%dT%H:%M") if start else ""
    bad = steps_of(one.field for one in reader.faults) if reader else set()
    return await staff.render(
        "campaign_form.html", status=status, topics=[(one.key, one.text("", staff.lang)) for one in staff.app.topics], row=row, given=given, error=error, titles=titles, boxes=boxes, start=local,
        segments=await staff.app.audience.segments(), conditions=CONDITIONS, bad=bad, wiz_steps=STEPS,
        seen=_fingerprint(row) if row else "", wiz_at=next((step for step in STEPS if step in bad), "audience"),
        paces={box.name: box.limits for box in staff.app.settings.mailbox}, **shown(given), **faulty(reader),
    )  # fmt: skip


@router.action("/campaigns/count", Permission.CAMPAIGNS_EDIT, changes=False)
async def count(staff: Staff) -> Response:
    """How many the segment text has, while it is typed."""
    text = str((await staff.form()).get("segment", "")).strip()[:8000]
    if not text:
        return await staff.render("part_count.html", count=None, reach={}, fault="")
    try:
        number = await staff.app.audience.count(text, staff.now, counted(staff))
        reach = await staff.app.audience.reach(text, staff.now, counted(staff))
    except SegmentError as error:
        return await staff.render(
            "part_count.html", count=None, reach={}, fault=f"{error.message(staff.lang)}\n{error.pointer()}"
        )
    return await staff.render("part_count.html", count=number, reach=reach, fault="", some=counts_some(staff))


@router.action("/campaigns/new", Permission.CAMPAIGNS_EDIT)
async def create(staff: Staff) -> Response:
    """Store a draft."""
    return await _save(staff, None)


@router.action("/campaigns/{campaign_id:int}/edit", Permission.CAMPAIGNS_EDIT)
async def change(staff: Staff, campaign_id: int) -> Response:
    """Store the changes; every approval is void."""
    return await _save(staff, await found(staff, campaign_id, Permission.CAMPAIGNS_EDIT))


async def _save(staff: Staff, row: Any) -> Response:
    form = await staff.form()
    reader = Reader(staff, form)
    for field, words in faults(form).items():
        reader.fault(field, words)
    raw = raw_of(staff, reader, row)
    if row is not None and form.get("seen") and form.get("seen") != _fingerprint(row):
        told = staff.say(N_("It was changed after you opened it. What you typed is here: compare it with the campaign's page in another tab, then save again to replace that."))  # fmt: skip
        return await _form(staff, row, raw, told, 409, reader)
    if reader.faults:
        return await _form(staff, row, raw, status=422, reader=reader)
    try:
        what = from_dict(raw)
        if row is None:
            number = await work.create(staff.app, what, staff.actor, staff.now)
        else:
            number = row.id
            await work.edit(staff.app, number, what, staff.actor, staff.now)
    except SegmentError as error:
        reader.fault("segment", f"{error.message(staff.lang)}\n{error.pointer()}")
        return await _form(staff, row, raw, status=422, reader=reader)
    except (DefinitionError, CampaignError, IllegalTransition, ConfigError, ContentProblem) as error:
        told = in_words(error, staff.lang)
        return await _form(staff, row, raw, told, 422)
    return staff.done(f"/campaigns/{number}", N_("Saved as a draft. The preflight below says who gets it."))


def _fingerprint(row: Any) -> str:
    """What the campaign says now, so that a form that was opened before another change can tell."""
    return hashlib.sha256(json.dumps(row.definition, sort_keys=True).encode()).hexdigest()[:16]


def raw_of(staff: Staff, reader: Reader, row: Any) -> dict[str, Any]:
    """The campaign file that the form describes; what the form does not show is kept from the old one."""
    form, text = reader.form, reader.words
    raw: dict[str, Any] = dict(row.definition) if row is not None else {}
    raw |= {
        "name": text("name", 200), "goal": text("goal"), "theme": text("theme", 200),
        "segment": text("segment", 8000), "template": text("template"),
        "subject": text("subject") or None, "mailboxes": [str(box)[:100] for box in form.getlist("mailbox")],
    }  # fmt: skip
    raw.setdefault("owner", staff.actor.name)
    raw |= _chosen(form, raw)
    amount = text("budget")
    raw["budget"] = {"amount": float(amount), "currency": text("currency") or "CNY"} if NUMBER.match(amount) else None
    raw["schedule"] = {
        **(raw.get("schedule") or {}),
        "start": _moment(text("start"), staff.tz), "window": text("window") or None, "local_time": form.get("local_time") == "1",
        "skip_holidays": form.get("skip_holidays") == "1",
    }  # fmt: skip
    return raw | read_content(reader, raw["mailboxes"], raw["schedule"]["window"])


def _chosen(form: Any, raw: dict[str, Any]) -> dict[str, Any]:
    """Topic and ticks. A tick that is taken out sends nothing, so the form says that it showed them."""
    if form.get("ticks") != "1":
        return {}
    counted = {name: form.get(f"count_{name}") == "1" for name in ("opens", "clicks")}
    return {
        "topic": str(form.get("topic", ""))[:40] or None,
        "tracking": {**(raw.get("tracking") or {}), **counted},
        "stop_colleagues": form.get("stop_colleagues") == "1",
    }


def _moment(text: str, tz: str) -> str | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone(tz)).isoformat() if text else None
    except ValueError:
        return None

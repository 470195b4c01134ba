"""Campaigns: the list, the page of one (funnel, ledger), what can be done with it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from fastapi import HTTPException
from fastapi.responses import RedirectResponse, Response

from outreach.access.roles import AccessDenied, Held, Permission
from outreach.app import campaigns as work
from outreach.app.doubt import settle_one
from outreach.app.progress import Ahead, Progress, look_ahead, progress
from outreach.campaigns.state import IllegalTransition
from outreach.campaigns.store import CampaignError
from outreach.outbox.reconcile.store import NotInDoubt
from outreach.web.campaign_faults import STEPS
from outreach.web.data import campaigns as data
from outreach.web.data import today
from outreach.web.data.people import full_name
from outreach.web.data.tables import MESSAGE
from outreach.web.format import weekday
from outreach.web.i18n import N_, in_words
from outreach.web.kept import PATIENCE
from outreach.web.routing import Pages, Staff
from outreach.web.security import local_path

router = Pages()

#: A preflight that takes longer begins anew.
LONGEST_CHECK = timedelta(minutes=10)

#: In these states mail leaves, or waits for somebody to let it.
UNDER_WAY = ("pilot", "running", "paused")

STATES = {
    "": N_("All"),
    "running": N_("Sending"),
    "waiting": N_("Waiting"),
    "draft": N_("Drafts"),
    "finished": N_("Finished"),
}


@dataclass(frozen=True)
class StepLine:
    """One dot of the line of steps: `cls` done, now, back or nothing."""

    cls: str
    name: str
    who: str = ""
    when: str = ""


@router.page("/campaigns", Permission.CAMPAIGNS_VIEW)
async def listing(staff: Staff) -> Response:
    """All campaigns."""
    params = staff.request.query_params
    state, search = params.get("state", ""), params.get("q", "").strip()[:200]
    offset = _offset(staff)
    async with staff.app.db.read() as conn:
        rows, total = await data.listing(conn, staff, state, search, offset)
    return await staff.render(
        "campaigns.html", rows=rows, total=total, state=state, states=STATES, search=search, offset=offset,
        limit=data.PAGE, url=lambda **more: _url("/campaigns", {"state": state, "q": search} | more),
    )  # fmt: skip


def _offset(staff: Staff) -> int:
    given = staff.request.query_params.get("offset", "0")
    return int(given) if given.isdecimal() and len(given) < 8 else 0


def _url(path: str, values: dict[str, Any]) -> str:
    kept = {key: value for key, value in values.items() if value not in ("", 0, None)}
    return f"{path}?{urlencode(kept)}" if kept else path


async def found(staff: Staff, campaign_id: int, permission: Permission) -> Any:
    """The campaign, if it is there and may be seen."""
    async with staff.app.db.read() as conn:
        row = await data.one(conn, campaign_id)
    if row is None:
        raise HTTPException(404)
    staff.need(permission, Held(row.owner_id, row.owner_team))
    return row


@router.page("/campaigns/{campaign_id:int}", Permission.CAMPAIGNS_VIEW)
async def show(staff: Staff, campaign_id: int) -> Response:
    """One campaign: steps, progress, funnel, ledger, hours."""
    row = await found(staff, campaign_id, Permission.CAMPAIGNS_VIEW)
    if row.kind != "campaign":
        home = {"sequence": "/sequences", "occasion": "/greetings/programmes"}[row.kind]
        return RedirectResponse(f"{home}/{campaign_id}", status_code=303)
    context, hours = await asyncio.gather(_live(staff, row), _hours(staff, campaign_id))
    context |= await _ledger(staff, row, context["figures"])
    return await staff.render("campaign.html", **context, chart=_chart(staff, hours), wiz_steps=STEPS, bad=())


async def _hours(staff: Staff, campaign_id: int) -> dict[str, Any] | None:
    async with staff.app.db.read() as conn:
        return await data.hours(conn, staff, campaign_id)


@router.page("/campaigns/{campaign_id:int}/live", Permission.CAMPAIGNS_VIEW)
async def live(staff: Staff, campaign_id: int) -> Response:
    """The part that changes while it is being sent."""
    row = await found(staff, campaign_id, Permission.CAMPAIGNS_VIEW)
    return await staff.render("part_campaign_live.html", **await _live(staff, row), stage=_stage(staff))


async def _live(staff: Staff, row: Any) -> dict[str, Any]:
    async with staff.app.db.read() as conn:
        figures = await data.figures(conn, row.id)
        counts = today.counted(figures.by_state)
        approvals = await data.approvals(conn, row.id)
        pace = await today.pace(conn, row.id, staff.now)
        last_due, last_tz = await today.last_due(conn, row.id)
        results = await work.results(conn, row)
    under_way = await _under_way(staff, row) if row.state in UNDER_WAY else None
    ends_at = under_way.ends_at if under_way and under_way.ends_at else last_due
    held = Held(row.owner_id, row.owner_team)
    return {
        **results,
        "row": row,
        "figures": figures,
        "counts": counts,
        "steps": _steps(staff, row, figures, approvals, ends_at, last_tz),
        "pace": pace,
        "last_due": last_due,
        "last_tz": last_tz,
        "limits": _pace_limit(staff, row),
        "under_way": under_way,
        "stages": data.STAGES,
        "funnel": data.FUNNEL,
        "may_send": staff.may(Permission.CAMPAIGNS_SEND, held),
        "may_pause": staff.may(Permission.CAMPAIGNS_PAUSE, held),
        "may_edit": staff.may(Permission.CAMPAIGNS_EDIT, held),
        "may_resolve": staff.may(Permission.MESSAGES_RESOLVE, held),
        "returned": next((a for a in reversed(approvals) if a.decision == "reject"), None),
    }


async def _under_way(staff: Staff, row: Any) -> Progress:
    """What the mailboxes do now; when they will have done is an estimate of seconds ago.

    A page that looks again by itself does not wait for the first one: it is there three seconds later.
    """
    patience = None if row.state == "paused" else PATIENCE
    key, now = ("ahead", row.id), staff.now
    told = await staff.kept.soon(key, now, lambda: look_ahead(staff.app, row.id, now), patience=patience)
    return await progress(staff.app, row.id, now, told.value if told else Ahead())


def _pace_limit(staff: Staff, row: Any) -> int:
    """The mailboxes' limits a minute together; 0: none."""
    names = set(row.definition.get("mailboxes", []))
    limits = [box.limits.per_minute for box in staff.app.settings.mailbox if box.name in names]
    return 0 if 0 in limits else sum(limits)


def _steps(
    staff: Staff, row: Any, figures: data.Figures, approvals: Sequence[Any], ends_at: Any, last_tz: Any
) -> list[StepLine]:
    """Draft → preflight → an approval for each role → pilot → sending → finished, with names and times."""
    lines = [*_prepared(staff, row, figures), *_reviewed(staff, row, approvals)]
    if row.definition.get("pilot"):
        done = row.pilot_released and row.started_at
        lines.append(StepLine("now" if row.state == "pilot" else "done" if done else "", staff.say(N_("Pilot"))))
    running = row.state in ("running", "paused")
    cls = "now" if running else "done" if row.state == "finished" else ""
    lines.append(StepLine(cls, staff.say(N_("Sending")), "", _at(staff, row.started_at)))
    end = _at(staff, row.finished_at)
    if not end and ends_at and row.state in ("running", "pilot"):
        end = staff.moment(ends_at, last_tz)
    over = row.state in ("finished", "cancelled")
    lines.append(StepLine("done" if over else "", staff.word("campaign", row.state if over else "finished"), "", end))
    return lines


def _at(staff: Staff, value: Any) -> str:
    return staff.moment(value) if value else ""


def _prepared(staff: Staff, row: Any, figures: data.Figures) -> list[StepLine]:
    """Draft and preflight."""
    drafting = "now" if row.state == "draft" else "done"
    lines = [StepLine(drafting, staff.say(N_("Draft")), row.author or "", _at(staff, row.created_at))]
    if row.submitted_at is None or row.state == "draft":
        return [*lines, StepLine("", staff.say(N_("Preflight")))]
    people, skipped = f"{figures['planned']:,}", f"{figures['skipped']:,}"
    size = staff.say(N_("%(people)s people, %(skipped)s skipped"), people=people, skipped=skipped)
    return [*lines, StepLine("done", staff.say(N_("Preflight")), size, _at(staff, row.submitted_at))]


def _reviewed(staff: Staff, row: Any, approvals: Sequence[Any]) -> list[StepLine]:
    """One dot for each role that has to approve; only words on the present version count."""
    counting = [
        a for a in approvals if a.decision == "approve" and a.voided_at is None and a.hash == row.submitted_hash
    ]
    given = {approval.role: approval for approval in counting}
    lines = []
    for role in map(str, staff.app.settings.approval.roles):
        approval = given.get(role)
        cls = "done" if approval or row.approved_hash is not None else "now" if row.state == "review" else ""
        who, when = (approval.who, _at(staff, approval.at)) if approval else ("", "")
        lines.append(StepLine(cls, staff.word("role", role), who, when))
    return lines


def _stage(staff: Staff) -> str:
    stage = staff.request.query_params.get("stage", "")
    return stage if stage in data.STAGES else ""


async def _ledger(staff: Staff, row: Any, figures: data.Figures) -> dict[str, Any]:
    stage = _stage(staff) or ("replied" if figures["replied"] else "sent" if figures["sent"] else "planned")
    if figures["planned"] and not sum(figures[s] for s in ("sent", "queued")) and not _stage(staff):
        stage = "skipped" if figures["skipped"] else "planned"
    search = staff.request.query_params.get("q", "").strip()[:200]
    offset = _offset(staff)
    async with staff.app.db.read() as conn:
        rows, total = await data.ledger(conn, row.id, stage, search, offset)
    return {
        "stage": stage, "ledger": rows, "total": total, "search": search, "offset": offset, "limit": data.PAGE,
        "full_name": full_name,
        "page_url": lambda n: _url(f"/campaigns/{row.id}", {"stage": stage, "q": search, "offset": n}) + "#ledger",
    }  # fmt: skip


@router.page("/campaigns/{campaign_id:int}/preflight", Permission.CAMPAIGNS_VIEW)
async def preflight(staff: Staff, campaign_id: int) -> Response:
    """Who would get it and why others would not; it takes seconds for a large audience: the part asks until it is there.

    Who opens the page sees what holds then, never what was found before.
    """
    row = await found(staff, campaign_id, Permission.CAMPAIGNS_VIEW)
    since, key = _since(staff), ("preflight", campaign_id, staff.lang)

    async def check() -> Any:
        told = work.preflight
        walked = partial(staff.kept.note, key)
        return await told(staff.app, campaign_id, staff.now, lang=staff.lang, walked=walked)

    told = await staff.kept.asked(key, since, staff.now, check)
    may_edit = staff.may(Permission.CAMPAIGNS_EDIT, Held(row.owner_id, row.owner_team))
    return await staff.render(
        "part_preflight.html", row=row, told=told.value if told else None, may_edit=may_edit,
        since=int(since.timestamp()), walked=staff.kept.progress(key),
    )  # fmt: skip


def _since(staff: Staff) -> datetime:
    """The second in which the page was opened that asks; now, where the part does not say, or says something odd."""
    given, now = staff.request.query_params.get("since", ""), staff.now.replace(microsecond=0)
    if not given.isdecimal() or len(given) > 12:
        return now
    moment = datetime.fromtimestamp(int(given), UTC)
    return moment if now - LONGEST_CHECK < moment <= now else now


DONE = {
    "submit": N_("Submitted: the approvers see it now."),
    "start": N_("It is on its way."),
    "pause": N_("Paused. What is on the wire finishes, the rest stays queued."),
    "resume": N_("It goes on."),
    "cancel": N_("Cancelled. What has not left never will."),
    "release_variant": N_("The rest gets this variant now."),
}
NEEDS = {
    "submit": Permission.CAMPAIGNS_EDIT,
    "start": Permission.CAMPAIGNS_SEND,
    "pause": Permission.CAMPAIGNS_PAUSE,
    "resume": Permission.CAMPAIGNS_SEND,
    "cancel": Permission.CAMPAIGNS_PAUSE,
    "release_variant": Permission.CAMPAIGNS_SEND,
}


async def _act(staff: Staff, campaign_id: int, action: str, **more: Any) -> Response:
    await found(staff, campaign_id, NEEDS[action])
    try:
        await getattr(work, action)(staff.app, campaign_id, staff.actor, staff.now, **more)
    except (CampaignError, IllegalTransition) as error:
        raise HTTPException(409, in_words(error, staff.lang)) from error
    form = await staff.form()
    return staff.done(local_path(str(form.get("next", "")), f"/campaigns/{campaign_id}"), DONE[action])


@router.action("/campaigns/{campaign_id:int}/submit", Permission.CAMPAIGNS_EDIT)
async def submit(staff: Staff, campaign_id: int) -> Response:
    """Put a draft before its approvers."""
    return await _act(staff, campaign_id, "submit", lang=staff.lang)


@router.action("/campaigns/{campaign_id:int}/start", Permission.CAMPAIGNS_SEND)
async def start(staff: Staff, campaign_id: int) -> Response:
    """Start an approved campaign (with its pilot), or release the rest of one in pilot."""
    whole = (await staff.form()).get("whole") == "1"
    return await _act(staff, campaign_id, "start", whole=whole)


@router.action("/campaigns/{campaign_id:int}/variant", Permission.CAMPAIGNS_SEND)
async def release_variant(staff: Staff, campaign_id: int) -> Response:
    """Send one variant of an A/B test to everybody who waits for its result."""
    variant = str((await staff.form()).get("variant", ""))[:20]
    return await _act(staff, campaign_id, "release_variant", variant=variant)


@router.action("/campaigns/{campaign_id:int}/pause", Permission.CAMPAIGNS_PAUSE)
async def pause(staff: Staff, campaign_id: int) -> Response:
    """Stop at once."""
    return await _act(staff, campaign_id, "pause")


@router.action("/campaigns/{campaign_id:int}/resume", Permission.CAMPAIGNS_SEND)
async def resume(staff: Staff, campaign_id: int) -> Response:
    """Go on."""
    return await _act(staff, campaign_id, "resume")


@router.action("/campaigns/{campaign_id:int}/cancel", Permission.CAMPAIGNS_PAUSE)
async def cancel(staff: Staff, campaign_id: int) -> Response:
    """End it."""
    return await _act(staff, campaign_id, "cancel")


@router.action("/campaigns/{campaign_id:int}/messages/{message_id:int}/resolve", Permission.MESSAGES_RESOLVE)
async def resolve(staff: Staff, campaign_id: int, message_id: int) -> Response:
    """Settle a mail in doubt by hand."""
    await found(staff, campaign_id, Permission.MESSAGES_RESOLVE)
    answer = str((await staff.form()).get("answer", ""))
    if answer not in ("sent", "retry", "failed"):
        raise HTTPException(404)
    if answer == "retry":
        staff.need(Permission.CAMPAIGNS_SEND)
    async with staff.app.db.read() as conn:
        await _belongs(conn, message_id, campaign_id)
    try:
        await settle_one(staff.app, message_id, answer, staff.actor, staff.now)
    except NotInDoubt as error:
        raise HTTPException(409, in_words(error, staff.lang)) from error
    return staff.done(f"/campaigns/{campaign_id}?stage=in_doubt#ledger", N_("Settled."))


async def _belongs(conn: Any, message_id: int, campaign_id: int) -> None:
    from sqlalchemy import select

    query = select(MESSAGE.c.campaign_id).where(MESSAGE.c.id == message_id)
    if (await conn.execute(query)).scalar_one_or_none() != campaign_id:
        raise HTTPException(404)


def _chart(staff: Staff, hours: dict[str, Any] | None) -> dict[str, Any] | None:
    if hours is None:
        return None
    names = [f"{weekday(slot, staff.lang)} {slot:%H}:00" for slot in hours["slots"]]
    return {
        "hours": names, "done": hours["done"], "plan": hours["plan"], "now": hours["now"],
        "now_name": staff.say(N_("now")), "done_name": staff.say(N_("sent")), "plan_name": staff.say(N_("planned")),
    }  # fmt: skip


__all__ = ["AccessDenied", "router"]

"""Segments: the text, the same as lines with what each costs in people, who is in, who would be left out."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import Any

from fastapi import HTTPException
from fastapi.responses import Response
from sqlalchemy import func, select
from starlette.datastructures import FormData

from outreach.access.roles import Held, Permission
from outreach.access.store import append_audit
from outreach.audience import segment
from outreach.web import tree
from outreach.web.data.people import full_name, user_names
from outreach.web.data.scope import counted, counts_some, held
from outreach.web.data.tables import CAMPAIGN, CONTACT, SEGMENT
from outreach.web.i18n import N_
from outreach.web.routing import Pages, Staff
from outreach.web.undos import undoes

router = Pages()
SAMPLE = 12

#: Operators as people say them; the value that is sent is the language's own.
OPERATORS = {
    "=": N_("is"),
    "!=": N_("is not"),
    "in": N_("is one of"),
    "not in": N_("is none of"),
    "contains": N_("contains"),
    "not contains": N_("does not contain"),
    "<": N_("less than"),
    "<=": N_("at most"),
    ">": N_("more than"),
    ">=": N_("at least"),
    "within": N_("within the last … days"),
    "not within": N_("longer ago than … days"),
    "before": N_("before the day"),
    "after": N_("after the day"),
    "empty": N_("is empty"),
    "not empty": N_("is not empty"),
    "is": N_("yes"),
}


@router.page("/segments", Permission.SEGMENTS_VIEW)
async def listing(staff: Staff) -> Response:
    """Stored segments; how many are in each comes after the page, one by one: each count walks over the contacts."""
    rows = await staff.app.audience.segments()
    async with staff.app.db.read() as conn:
        names = await user_names(conn)
        counted = await conn.execute(select(CAMPAIGN.c.segment, func.count().label("n")).group_by(CAMPAIGN.c.segment))
        used = {row.segment: row.n for row in counted}
    return await staff.render("segments.html", rows=rows, names=names, used=used)


@router.page("/segments/new", Permission.SEGMENTS_EDIT)
async def new(staff: Staff) -> Response:
    """An empty segment, or one from a list's filter."""
    text = staff.request.query_params.get("expression", "")[:4000]
    return await _editor(staff, None, text)


@router.page("/segments/{segment_id:int}", Permission.SEGMENTS_VIEW)
async def show(staff: Staff, segment_id: int) -> Response:
    """One stored segment in the builder."""
    row = await _stored(staff, segment_id)
    return await _editor(staff, row, row["expression"])


@router.page("/segments/{segment_id:int}/size", Permission.SEGMENTS_VIEW)
async def size(staff: Staff, segment_id: int) -> Response:
    """How many are in a stored segment now, for its line in the list."""
    row = await _stored(staff, segment_id)
    try:
        count = await staff.app.audience.count(row["expression"], staff.now, counted(staff))
    except segment.SegmentError:
        count = None
    return await staff.render("part_segment_size.html", row=row, count=count)


async def _stored(staff: Staff, segment_id: int) -> dict[str, Any]:
    async with staff.app.db.read() as conn:
        row = (await conn.execute(select(SEGMENT).where(SEGMENT.c.id == segment_id))).one_or_none()
    if row is None:
        raise HTTPException(404)
    return dict(row._mapping)


async def _editor(
    staff: Staff, row: dict[str, Any] | None, text: str, error: str = "", status: int = 200, name: str | None = None
) -> Response:
    owner = await held(staff, row["owner_id"]) if row else Held(staff.actor.id, staff.actor.team)
    editable = staff.may(Permission.SEGMENTS_EDIT, owner)
    return await staff.render(
        "segment.html", status=status, row=row, error=error, editable=editable, **await examined(staff, text),
        name=(row["name"] if row else "") if name is None else name,
    )  # fmt: skip


async def examined(staff: Staff, text: str) -> dict[str, Any]:
    """Everything that the builder shows of a text; a fault in it shows its place instead."""
    base: dict[str, Any] = {
        "text": text, "fields": segment.FIELDS, "operators": OPERATORS, "full_name": full_name, "fault": "", "lines": [],
        "ops": {"": "and"}, "count": 0, "reach": {}, "people": [], "took": 0.0, "regions": [],
        "some": counts_some(staff),
    }  # fmt: skip
    began = perf_counter()
    try:
        node = segment.parse(text) if text.strip() else segment.Everyone()
        chosen = segment.to_text(node) if text.strip() else ""
        base["ops"] = tree.ops_at(segment.to_json(node))
        if not chosen:
            base["count"] = base["total"] = await _everyone(staff)
            return base | {"took": perf_counter() - began}
        return base | await _parts(staff, node, chosen)
    except segment.SegmentError as error:
        fault = f"{error.message(staff.lang)}\n{error.pointer()}"
        return base | {"total": await _everyone(staff), "ops": {"": "and"}, "fault": fault}


async def _parts(staff: Staff, node: segment.Node, text: str) -> dict[str, Any]:
    """Each walks over the contacts: side by side they take both processors. `took`: until the count was there."""
    audience, now, within = staff.app.audience, staff.now, counted(staff)

    async def lines() -> tuple[Any, float]:
        began = perf_counter()
        return await audience.examine(text, now, within), perf_counter() - began

    (found, took), reach, regions, people = await asyncio.gather(
        lines(), audience.reach(text, now, within), _regions(staff, node),
        audience.sample(text, now, SAMPLE if staff.may(Permission.CONTACTS_VIEW) else 0, within=within),
    )  # fmt: skip
    return {
        "total": found.total, "count": found.count, "lines": found.lines, "took": took, "reach": reach,
        "regions": regions, "people": people,
    }  # fmt: skip


async def _everyone(staff: Staff) -> int:
    async with staff.app.db.read() as conn:
        query = select(func.count()).select_from(CONTACT).where(CONTACT.c.erased_at.is_(None), counted(staff))
        return int((await conn.execute(query)).scalar_one())


async def _regions(staff: Staff, node: Any) -> list[tuple[str, int]]:
    # as an expression: in the order of its index SQLite would jump through the whole table
    region = func.coalesce(CONTACT.c.region, "").label("region")
    query = select(region, func.count().label("n")).where(
        segment.condition(node, staff.now), CONTACT.c.erased_at.is_(None), counted(staff)
    )
    async with staff.app.db.read() as conn:
        rows = await conn.execute(query.group_by(region).order_by(func.count().desc()))
        return [(row.region, row.n) for row in rows]


@router.action("/segments/examine", Permission.SEGMENTS_VIEW, changes=False)
async def examine(staff: Staff) -> Response:
    """The builder after a change: of the text, or of a line."""
    form = await staff.form()
    text = str(form.get("expression", ""))[:8000]
    try:
        text = _changed(text, form)
    except (segment.SegmentError, LookupError) as error:
        told = error.message(staff.lang) if isinstance(error, segment.SegmentError) else str(error)
        context = await examined(staff, text)
        return await staff.render("part_segment.html", editable=True, **(context | {"fault": context["fault"] or told}))
    return await staff.render("part_segment.html", editable=True, **await examined(staff, text))


def _changed(text: str, form: FormData) -> str:
    """The text after the builder's action. Raises SegmentError, LookupError."""
    action, path = str(form.get("do", "")), str(form.get("path", ""))
    if not action:
        return text
    now = segment.to_json(segment.parse(text)) if text.strip() else {"op": "all"}
    changes = {"remove": tree.remove, "switch": tree.switch, "negate": tree.negate}
    if action in changes:
        now = changes[action](now, path)
    elif action in ("add", "add_group"):
        grow = tree.add if action == "add" else tree.add_group
        now = grow(now, path, _condition(form))
    node = segment.from_json(now)
    return "" if isinstance(node, segment.Everyone) else segment.to_text(node)


def _condition(form: FormData) -> dict[str, Any]:
    """The condition of the row "add": words are read by the language itself, so that it means the same."""
    field, op, value = (str(form.get(key, "")).strip() for key in ("field", "op", "value"))
    if op in ("empty", "not empty"):
        text = f"{field} is {op}"
    elif op == "is":
        text = field
    elif op in ("within", "not within"):
        text = f"{field} {op} {value or '30'} days"
    elif op in ("in", "not in"):
        text = f"{field} {op} ({value})"
    else:
        text = f"{field} {op} {_quoted(value)}"
    return segment.to_json(segment.parse(text))


def _quoted(value: str) -> str:
    plain = value.replace(".", "").replace("-", "")
    return value if plain.isalnum() and plain.isascii() else '"' + value.replace('"', "") + '"'


@router.action("/segments/save", Permission.SEGMENTS_EDIT)
async def save(staff: Staff) -> Response:
    """Store a segment under a name; another one of that name is never replaced by the way."""
    form = await staff.form()
    name, text = str(form.get("name", "")).strip()[:120], str(form.get("expression", "")).strip()[:8000]
    known = await staff.app.audience.segment_named(name) if name else None
    if known:
        staff.need(Permission.SEGMENTS_EDIT, await held(staff, known["owner_id"]))
    shown = await _shown(staff, str(form.get("id", "")))
    if not name or not text:
        return await _refused(staff, shown, name, text, staff.say(N_("Give it a name and at least one condition.")))
    if known and "id" in form and (shown is None or shown["id"] != known["id"]):
        told = staff.say(
            N_("There is a segment of this name already. Choose another name, or open that one and change it.")
        )
        return await _refused(staff, shown, name, text, told)
    try:
        owner = known["owner_id"] if known else staff.actor.id
        number = await staff.app.audience.save_segment(name, text, owner, staff.now)
    except segment.SegmentError as error:
        return await _refused(staff, shown, name, text, error.message(staff.lang))
    async with staff.app.db.write() as conn:
        before, after = {"expression": known["expression"]} if known else None, {"expression": text}
        await append_audit(
            conn, staff.actor, "segment.saved", "segment", number, now=staff.now, before=before, after=after
        )
    undo = _way_back(known) if known else None
    return staff.done(f"/segments/{number}", N_("Saved. Campaigns that were submitted keep their people."), undo=undo)


async def _shown(staff: Staff, given: str) -> dict[str, Any] | None:
    """The segment whose page was open; None for a new one."""
    if not given.isdecimal() or len(given) > 12:
        return None
    async with staff.app.db.read() as conn:
        row = (await conn.execute(select(SEGMENT).where(SEGMENT.c.id == int(given)))).one_or_none()
    return dict(row._mapping) if row else None


async def _refused(staff: Staff, shown: dict[str, Any] | None, name: str, text: str, why: str) -> Response:
    return await _editor(staff, shown, text, why, 422, name=name)


def _way_back(row: dict[str, Any]) -> dict[str, Any]:
    return {"do": "segment", **{key: row[key] for key in ("id", "name", "expression", "owner_id")}}


@undoes("segment")
async def put_back(staff: Staff, told: dict[str, Any]) -> None:
    """The conditions that it had, also of one that was deleted."""
    staff.need(Permission.SEGMENTS_EDIT, await held(staff, told["owner_id"]))
    number = await staff.app.audience.save_segment(told["name"], told["expression"], told["owner_id"], staff.now)
    async with staff.app.db.write() as conn:
        after = {"expression": told["expression"]}
        await append_audit(conn, staff.actor, "segment.restored", "segment", number, now=staff.now, after=after)


@router.action("/segments/{segment_id:int}/delete", Permission.SEGMENTS_EDIT)
async def delete(staff: Staff, segment_id: int) -> Response:
    """Delete a stored segment; campaigns keep the text that they were made with."""
    row = await _stored(staff, segment_id)
    staff.need(Permission.SEGMENTS_EDIT, await held(staff, row["owner_id"]))
    await staff.app.audience.delete_segment(row["name"])
    async with staff.app.db.write() as conn:
        before = {"expression": row["expression"]}
        await append_audit(conn, staff.actor, "segment.deleted", "segment", segment_id, now=staff.now, before=before)
    return staff.done("/segments", N_("Deleted."), undo=_way_back(row))

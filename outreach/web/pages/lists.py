"""The lists of customers and contacts: filter, saved views, columns, and changing many at once, with a way back."""

from __future__ import annotations

from typing import Any

from fastapi import HTTPException
from fastapi.responses import Response
from sqlalchemy import Table, select
from starlette.datastructures import FormData

from outreach.access.roles import Permission
from outreach.audience import segment
from outreach.web.assignee import assignee
from outreach.web.data import contacts as data
from outreach.web.data import views
from outreach.web.data.people import full_name
from outreach.web.data.scope import held, owned
from outreach.web.data.tables import COMPANY, CONTACT
from outreach.web.i18n import N_
from outreach.web.ids import id_of
from outreach.web.routing import Pages, Staff
from outreach.web.security import local_path

router = Pages()

#: Rows changed at once by ticks: what a page holds.
MOST_TICKED = 200
#: Rows changed at once by "all that match": one transaction of seconds.
MOST_MATCHED = 100_000
PATHS = {"/contacts": views.CONTACT_VIEWS, "/customers": views.COMPANY_VIEWS}


@router.page("/customers", Permission.CONTACTS_VIEW)
async def companies(staff: Staff) -> Response:
    """The list of companies."""
    wanted = data.Wanted.of(staff, "name", data.COMPANY_SORTS)
    if "add" in staff.request.query_params:
        return await _add_filter(staff, "/customers", wanted)
    async with staff.app.db.read() as conn:
        rows, total, error = await _guarded(staff, data.companies, conn, wanted)
        assignees = await data.assignees(conn)
    context = _around(staff, "/customers", wanted) | {"assignees": assignees}
    return await staff.render(
        "customers.html", rows=rows, total=total, wanted=wanted, error=error, limit=data.PAGE, **context
    )


@router.page("/contacts", Permission.CONTACTS_VIEW)
async def contacts(staff: Staff) -> Response:
    """The list of contacts."""
    wanted = data.Wanted.of(staff)
    if "add" in staff.request.query_params:
        return await _add_filter(staff, "/contacts", wanted)
    async with staff.app.db.read() as conn:
        rows, total, error = await _guarded(staff, data.contacts, conn, wanted)
        tags = await data.tags_of(conn, [row.id for row in rows])
        context: dict[str, Any] = {"known_tags": await data.all_tags(conn), "assignees": await data.assignees(conn)}
    context |= _around(staff, "/contacts", wanted) | {"columns": views.columns(staff), "all_columns": views.COLUMNS}
    return await staff.render(
        "contacts.html", rows=rows, total=total, wanted=wanted, error=error, tags=tags, limit=data.PAGE,
        full_name=full_name, **context,
    )  # fmt: skip


def _around(staff: Staff, path: str, wanted: data.Wanted) -> dict[str, Any]:
    """What stands above a list: views, chips, the menu of filters."""
    fields = {name: segment.FIELDS[name] for name in views.QUICK}
    return {
        "views": views.views(staff, path, wanted, PATHS[path]),
        "chips": views.chips(wanted, path, staff.lang),
        "quick": {name: field.zh if staff.lang == "zh" else field.en for name, field in fields.items()},
        "choices": {name: field.choices(staff.lang) for name, field in fields.items()},
    }


async def _add_filter(staff: Staff, path: str, wanted: data.Wanted) -> Response:
    """One more condition from the menu: back to the list with the longer text."""
    params = staff.request.query_params
    try:
        text = views.narrowed(wanted.segment, params["add"], params.get("value", "").strip()[:120])
    except segment.SegmentError:
        text = wanted.segment
    return staff.done(wanted.url(path, segment=text, offset=0))


async def _guarded(staff: Staff, query: Any, conn: Any, wanted: data.Wanted) -> tuple[Any, int, str]:
    """A segment text with a fault shows an empty list and where the fault is."""
    try:
        rows, total = await query(conn, staff, wanted)
    except segment.SegmentError as error:
        return [], 0, f"{error.message(staff.lang)}\n{error.pointer()}"
    return rows, total, ""


# ---- views and columns


@router.action("/views", Permission.CONTACTS_VIEW)
async def keep_view(staff: Staff) -> Response:
    """Keep the list as it is filtered and sorted now under a name; or forget one."""
    form = await staff.form()
    path, name = str(form.get("path", "")), str(form.get("name", "")).strip()[:60]
    if path not in PATHS or not name:
        raise HTTPException(404)
    settings = dict(staff.visit.user.settings or {})
    rest = [v for v in settings.get("views", []) if (v.get("path"), v.get("name")) != (path, name)]
    to = local_path(str(form.get("next", "")), path)
    if form.get("forget"):
        settings["views"], text, to = rest, N_("View removed."), path
    else:
        query = to.partition("?")[2][:4000]
        settings["views"] = [*rest[-views.MOST_KEPT + 1 :], {"path": path, "name": name, "query": query}]
        text = N_("View kept: it stands above the list.")
    await _remember(staff, settings)
    staff.record(after={"path": path})
    return staff.done(to, text)


@router.action("/columns", Permission.CONTACTS_VIEW)
async def choose_columns(staff: Staff) -> Response:
    """Which columns the list of contacts shows; remembered."""
    form = await staff.form()
    chosen = [key for key in views.COLUMNS if key in set(map(str, form.getlist("column")))]
    await _remember(staff, dict(staff.visit.user.settings or {}) | {"columns": chosen})
    staff.record(after={"columns": chosen})
    return staff.done(local_path(str(form.get("next", "")), "/contacts"))


async def _remember(staff: Staff, settings: dict[str, Any]) -> None:
    await staff.app.access.remember(staff.actor.id, settings)


# ---- many at once


@router.action("/contacts/bulk/tag", Permission.CONTACTS_EDIT)
async def tag(staff: Staff) -> Response:
    """Tag or untag the ticked contacts, or all that match."""
    form = await staff.form()
    ids = await _chosen(staff, form, CONTACT, Permission.CONTACTS_EDIT)
    names = [name.strip() for name in str(form.get("tag", "")).replace("；", ";").split(";") if name.strip()][:20]
    to = local_path(str(form.get("next", "")), "/contacts")
    if not ids or not names:
        return staff.done(to)
    away = form.get("how") == "untag"
    have = await staff.app.audience.tagged(ids, names)
    items = [[name, have[name] if away else sorted(set(ids) - set(have[name]))] for name in have]
    count = len({number for _, numbers in items for number in numbers})
    if not count:
        return staff.done(to, N_("Nobody of them has this tag.") if away else N_("All of them have this tag already."))
    undo = {"do": "tag" if away else "untag", "items": items}  # only of those who had it, or had it not
    if away:
        await staff.app.audience.untag(ids, names)
        staff.record(before=_told(form, ids) | {"tags": names})
        return staff.done(to, N_("Tag removed from %(count)s people."), undo=undo, count=f"{count:,}")
    await staff.app.audience.tag(ids, names)
    staff.record(after=_told(form, ids) | {"tags": names})
    return staff.done(to, N_("%(count)s people tagged."), undo=undo, count=f"{count:,}")


def _told(form: FormData, ids: list[int]) -> dict[str, Any]:
    """For the trail: the ids, or for a whole filter its text and how many."""
    if len(ids) <= MOST_TICKED:
        return {"ids": ids}
    return {"count": len(ids), "segment": str(form.get("segment", ""))[:400]}


@router.action("/contacts/bulk/assign", Permission.CONTACTS_ASSIGN)
async def assign(staff: Staff) -> Response:
    """Give the chosen contacts to an owner."""
    return await _assign(staff, CONTACT, staff.app.audience.assign, N_("%(count)s people assigned."), "assign")


@router.action("/customers/bulk/assign", Permission.CONTACTS_ASSIGN)
async def assign_companies(staff: Staff) -> Response:
    """Give the chosen companies, with their contacts, to an owner."""
    give = staff.app.audience.assign_companies
    return await _assign(
        staff, COMPANY, give, N_("%(count)s customers assigned, their people with them."), "company.assign"
    )


async def _assign(staff: Staff, which: Table, give: Any, text: str, way_back: str) -> Response:
    form = await staff.form()
    ids = await _chosen(staff, form, which, Permission.CONTACTS_ASSIGN)
    to = local_path(str(form.get("next", "")), "/contacts" if which is CONTACT else "/customers")
    owner = str(form.get("owner", ""))
    if not ids or not owner:
        return staff.done(to)
    new_owner = await assignee(staff, owner)
    before: dict[int | None, list[int]] = {}
    for number, was in (await _owners(staff, which, ids)).items():
        before.setdefault(was, []).append(number)
    people = await _people_owners(staff, ids) if which is COMPANY else []
    await give(ids, new_owner, staff.now)
    owners = [[was, numbers] for was, numbers in before.items()]
    few = len(ids) <= MOST_TICKED
    staff.record(before={"owners": owners} if few else {"count": len(ids)}, after={"owner_id": new_owner})
    undo = {"do": way_back, "owners": owners, "people": people}
    return staff.done(to, text, undo=undo, count=f"{len(ids):,}")


async def _owners(staff: Staff, which: Table, ids: list[int]) -> dict[int, int | None]:
    found: dict[int, int | None] = {}
    async with staff.app.db.read() as conn:
        for begin in range(0, len(ids), 500):
            part = ids[begin : begin + 500]
            rows = await conn.execute(select(which.c.id, which.c.owner_id).where(which.c.id.in_(part)))
            found |= {row.id: row.owner_id for row in rows}
    return found


async def _people_owners(staff: Staff, companies: list[int]) -> list[list[Any]]:
    """Whose the people of companies were, so that giving them back gives each to the right one."""
    found: dict[int | None, list[int]] = {}
    async with staff.app.db.read() as conn:
        for begin in range(0, len(companies), 500):
            part = companies[begin : begin + 500]
            query = select(CONTACT.c.id, CONTACT.c.owner_id).where(CONTACT.c.company_id.in_(part))
            for row in await conn.execute(query):
                found.setdefault(row.owner_id, []).append(row.id)
    return [[was, numbers] for was, numbers in found.items()]


async def _chosen(staff: Staff, form: FormData, which: Table, permission: Permission) -> list[int]:
    """The ticked rows, each checked: one that may not be changed refuses them all. Or all that match the filter."""
    if form.get("all") == "1":
        return await _matching(staff, form, which, permission)
    ids = sorted({number for value in form.getlist("id") if (number := id_of(value)) is not None})[:MOST_TICKED]
    for owner in set((await _owners(staff, which, ids)).values()):
        staff.need(permission, await held(staff, owner))
    return ids


async def _matching(staff: Staff, form: FormData, which: Table, permission: Permission) -> list[int]:
    """Every row of the filter that this person may change."""
    wanted = data.Wanted(search=str(form.get("q", ""))[:200], segment=str(form.get("segment", ""))[:4000])
    try:
        listed = data.contact_filter if which is CONTACT else data.company_filter
        query = select(which.c.id).where(listed(staff, wanted), owned(staff, permission, which.c.owner_id))
    except segment.SegmentError as error:
        raise HTTPException(422, error.message(staff.lang)) from error
    async with staff.app.db.read() as conn:
        return list((await conn.execute(query.order_by(which.c.id).limit(MOST_MATCHED))).scalars())

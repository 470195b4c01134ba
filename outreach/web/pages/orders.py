"""Orders: the list, an import from another system's list, the day of delivery."""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import HTTPException
from fastapi.responses import Response
from sqlalchemy import func, select
from starlette.datastructures import UploadFile

from outreach.access.roles import Permission
from outreach.app import surveys as asking
from outreach.audience.table import ReadError
from outreach.crm.survey.store import AskedAlready
from outreach.web.data.customer import surveys, visible_company
from outreach.web.data.matching import says
from outreach.web.data.tables import COMPANY, ORDER
from outreach.web.i18n import N_
from outreach.web.pages.deals import region_of
from outreach.web.reasons import not_sent
from outreach.web.routing import Pages, Staff
from outreach.web.security import local_path
from outreach.web.undos import undoes
from outreach.web.words import word

router = Pages()
PAGE = 100
ENDINGS = (".csv", ".xlsx", ".txt")


@router.page("/customers/orders", Permission.CONTACTS_VIEW)
async def listing(staff: Staff) -> Response:
    """Orders of the customers that may be seen, newest first."""
    return await _listing(staff)


async def _listing(staff: Staff, done: Any = None, error: str = "", status: int = 200) -> Response:
    params = staff.request.query_params
    search = params.get("q", "").strip()[:100]
    offset = int(params["offset"]) if params.get("offset", "").isdecimal() and len(params["offset"]) < 7 else 0
    region, days = region_of(staff), params.get("days", "")
    joined = ORDER.join(COMPANY, COMPANY.c.id == ORDER.c.company_id)
    where = [visible_company(staff)]
    if region:
        where.append(COMPANY.c.region == region)
    if days.isdecimal() and len(days) < 5:
        where.append(ORDER.c.ordered_on >= (staff.now - timedelta(days=int(days))).date())
    if search:
        where.append(says(search, ORDER.c.number, COMPANY.c.name))
    kept = {"q": search, "region": region, "days": days}
    query = select(ORDER, COMPANY.c.name.label("company"), COMPANY.c.country).select_from(joined).where(*where)
    async with staff.app.db.read() as conn:
        total = (await conn.execute(select(func.count()).select_from(joined).where(*where))).scalar_one()
        rows = (
            await conn.execute(query.order_by(ORDER.c.ordered_on.desc(), ORDER.c.id.desc()).limit(PAGE).offset(offset))
        ).all()
        asked = await surveys(conn, [row.id for row in rows])
    return await staff.render(
        "orders.html", status=status, rows=rows, surveys=asked, total=total, search=search, offset=offset, limit=PAGE, done=done, error=error,
        page_url=lambda to: "/customers/orders?" + urlencode({**kept, "offset": to}), region=region, days=days,
    )  # fmt: skip


@router.action("/customers/orders/import", Permission.ORDERS_IMPORT)
async def import_list(staff: Staff) -> Response:
    """Read a list of orders; what was refused is named line by line."""
    given = (await staff.form()).get("file")
    ending = Path(given.filename or "").suffix.lower() if isinstance(given, UploadFile) else ""
    if not isinstance(given, UploadFile) or ending not in ENDINGS:
        return await _listing(staff, error=staff.say(N_("Choose a CSV or XLSX file.")), status=422)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"orders{ending}"
        with path.open("wb") as out:
            while chunk := await given.read(1 << 20):
                out.write(chunk)
        await given.close()
        try:
            done = await staff.app.orders.import_file(path, staff.actor, staff.now)
        except ReadError as error:
            return await _listing(staff, error=error.message(staff.lang), status=422)
        except ValueError:
            told = N_("The list needs columns for number, date, amount, and company or e-mail.")
            return await _listing(staff, error=staff.say(told), status=422)
    return await _listing(staff, done=done)


@router.action("/customers/orders/{order_id:int}/delivered", Permission.CONTACTS_EDIT)
async def delivered(staff: Staff, order_id: int) -> Response:
    """Note the day on which the goods arrived: a week later the quality is asked after."""
    await _may(staff, order_id)
    form = await staff.form()
    try:
        given = str(form.get("day", ""))
        day = date.fromisoformat(given) if given else None
    except ValueError as error:
        raise HTTPException(422) from error
    was = await staff.app.orders.deliver(order_id, day, staff.actor, staff.now)
    undo = {"do": "order.delivered", "id": order_id, "was": was.isoformat() if was else ""}
    return staff.done(local_path(str(form.get("next", "")), "/customers/orders"), N_("Noted."), undo=undo)


@router.action("/customers/orders/{order_id:int}/survey", Permission.CONTACTS_EDIT)
async def survey(staff: Staff, order_id: int) -> Response:
    """Ask the customer by mail how content they are with a delivered order; once."""
    await _may(staff, order_id)
    staff.need(Permission.INBOX_ANSWER)
    to = local_path(str((await staff.form()).get("next", "")), "/customers/orders")
    shown = staff.visit.user.display_name
    try:
        posted = await asking.ask_after_order(staff.app, order_id, staff.actor, staff.now, sender=shown)
    except asking.AskRefused as refused:
        return staff.done(to, word("survey_error", refused.code)[0])
    except AskedAlready:
        return staff.done(to, word("survey_error", "asked")[0])
    if posted.outcome == "refused":
        return staff.done(to, not_sent(staff, posted))
    if posted.outcome == "in_doubt":
        return staff.done(to, N_("The server hung up: nobody knows whether the question arrived. Look into Sent."))
    return staff.done(to, N_("Asked; the answer comes into the customer's file."))


async def _may(staff: Staff, order_id: int) -> None:
    from outreach.web.pages.company import found

    async with staff.app.db.read() as conn:
        company = await conn.scalar(select(ORDER.c.company_id).where(ORDER.c.id == order_id))
    if company is None:
        raise HTTPException(404)
    await found(staff, company, Permission.CONTACTS_EDIT)


@undoes("order.delivered")
async def undo_delivered(staff: Staff, told: dict[str, Any]) -> None:
    """Put the day back."""
    await _may(staff, told["id"])
    day = date.fromisoformat(told["was"]) if told["was"] else None
    await staff.app.orders.deliver(told["id"], day, staff.actor, staff.now)

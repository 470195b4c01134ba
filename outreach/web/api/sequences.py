"""Sequences for scripts: what there is, where people stand, one put in, one taken out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import or_, select

from outreach.access.roles import Permission
from outreach.app.sequences import use as work
from outreach.campaigns.store import CampaignError
from outreach.crm.enrolment.state import IllegalMove
from outreach.web.api.app import Script, allow
from outreach.web.api.record import RecordedRoute
from outreach.web.api.routes import After, Id, Limit, Listing, plain, read_page
from outreach.web.api.shape import item, listing
from outreach.web.data.scope import held, owned
from outreach.web.data.sequences import ENROLMENT
from outreach.web.data.tables import CAMPAIGN, CONTACT

router = APIRouter(route_class=RecordedRoute)
P = Permission
NAMES = ("id", "name", "goal", "state", "owner_id", "started_at", "created_at")
Sequence = item("Sequence", (CAMPAIGN.c[name] for name in NAMES), "A sequence of mails and tasks.")
PLACES = ("id", "contact_id", "state", "reason", "via", "step", "due_at", "paused_until", "enrolled_at", "ended_at")
Place = item("Place", (ENROLMENT.c[name] for name in PLACES), "Where a person stands in a sequence.")


class Enrolled(BaseModel):
    """Who came in. `refused` says why somebody was left out, by contact id."""

    enrolled: list[int]
    refused: dict[str, str]


class Person(BaseModel):
    """The contact to enrol."""

    model_config = ConfigDict(extra="forbid")

    contact_id: Annotated[int, Field(ge=1, le=2_147_483_647)]


@router.get("/sequences", response_model=listing(Sequence))
async def sequences(script: Script = allow(P.CAMPAIGNS_VIEW), after: After = 0, limit: Limit = 50) -> Listing:
    """Sequences: one's own, and all that run."""
    seen = or_(owned(script, P.CAMPAIGNS_VIEW, CAMPAIGN.c.owner_id), CAMPAIGN.c.state == "running")
    query = select(*(CAMPAIGN.c[name] for name in NAMES))
    return await read_page(script, query, CAMPAIGN, after, limit, CAMPAIGN.c.kind == "sequence", seen)


async def _sequence(script: Script, sequence_id: int) -> Any:
    query = select(*(CAMPAIGN.c[name] for name in (*NAMES, "definition")))
    async with script.app.db.read() as conn:
        found = await conn.execute(query.where(CAMPAIGN.c.id == sequence_id, CAMPAIGN.c.kind == "sequence"))
        row = found.one_or_none()
    if row is None:
        raise HTTPException(404, "there is no such sequence")
    if row.state != "running":
        script.need(P.CAMPAIGNS_VIEW, await held(script, row.owner_id))
    return row


@router.get("/sequences/{sequence_id}", response_model=dict[str, Any])
async def sequence(sequence_id: Id, script: Script = allow(P.CAMPAIGNS_VIEW)) -> dict[str, Any]:
    """One sequence: its steps, how many people stand where, why it ended for the others."""
    row = await _sequence(script, sequence_id)
    told = await work.status(script.app, sequence_id)
    rules = row.definition["sequence"]
    facts = {name: value for name, value in plain(row).items() if name != "definition"}
    return facts | {
        "steps": rules["steps"],
        "enrol": rules["enrol"],
        "people": told["people"],
        "ended": told["stopped"],
    }


@router.get("/sequences/{sequence_id}/people", response_model=listing(Place))
async def people(
    sequence_id: Id, script: Script = allow(P.CONTACTS_VIEW), after: After = 0, limit: Limit = 50
) -> Listing:
    """Who is or was in it, of those who may be seen: state, reason, next step and when."""
    script.need(P.CAMPAIGNS_VIEW)
    await _sequence(script, sequence_id)
    seen = select(CONTACT.c.id).where(owned(script, P.CONTACTS_VIEW, CONTACT.c.owner_id))
    where = (ENROLMENT.c.campaign_id == sequence_id, ENROLMENT.c.contact_id.in_(seen))
    return await read_page(script, select(*(ENROLMENT.c[name] for name in PLACES)), ENROLMENT, after, limit, *where)


@router.post("/sequences/{sequence_id}/people", response_model=Enrolled)
async def enrol(sequence_id: Id, body: Person, script: Script = allow(P.CAMPAIGNS_SEND)) -> dict[str, Any]:
    """Put a contact into a running sequence. One who may not be written to, or is in another, is refused with the reason."""
    await _sequence(script, sequence_id)
    query = select(CONTACT.c.id).where(CONTACT.c.id == body.contact_id, CONTACT.c.erased_at.is_(None))
    async with script.app.db.read() as conn:
        if await conn.scalar(query) is None:
            raise HTTPException(404, "there is no such contact")
    try:
        told = await work.enrol(script.app, sequence_id, [body.contact_id], script.actor, script.now)
    except CampaignError as error:
        raise HTTPException(409, str(error)) from error
    return {"enrolled": told["enrolled"], "refused": {str(key): why for key, why in told["refused"].items()}}


@router.post("/sequences/{sequence_id}/people/{contact_id}/stop", response_model=dict[str, bool])
async def stop(sequence_id: Id, contact_id: Id, script: Script = allow(P.CONTACTS_EDIT)) -> dict[str, bool]:
    """End the sequence for a contact; what waits never leaves."""
    script.need(P.CAMPAIGNS_VIEW)
    await _sequence(script, sequence_id)
    try:
        await work.stop_person(script.app, sequence_id, contact_id, script.actor, script.now)
    except (CampaignError, IllegalMove) as error:
        raise HTTPException(409, str(error)) from error
    return {"stopped": True}

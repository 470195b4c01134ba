"""A contact's addresses, one of them primary, and accounts elsewhere. Functions join the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, insert, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.audience.hygiene import AddressRefused, check_address
from outreach.model import Campaign, CampaignRecipient, Contact, EmailAddress, Message, Suppression
from outreach.model.base import table
from outreach.model.keys import address_key

ADDRESS, CONTACT, SUPPRESSION = table(EmailAddress), table(Contact), table(Suppression)
RECIPIENT, CAMPAIGN, MESSAGE = table(CampaignRecipient), table(Campaign), table(Message)

#: A campaign in one of these sends nothing any more.
OVER = ("finished", "cancelled")
#: A message in one of these may still leave, or nobody knows whether it did.
UNDER_WAY = ("planned", "queued", "claimed", "handing_over", "deferred", "in_doubt")


class AddressTaken(AddressRefused):
    """Another contact has the address: `contact_id` is who."""

    def __init__(self, contact_id: int) -> None:
        self.contact_id = contact_id
        super().__init__("address_taken")


async def add(
    conn: AsyncConnection, contact_id: int, text: str, secret: bytes, roles: frozenset[str], now: datetime
) -> int:
    """Give a contact one more address; the first becomes the primary one. Return its id.

    Raises AddressRefused (AddressTaken where somebody has it), LookupError.
    """
    found = check_address(text)
    person = await conn.scalar(select(CONTACT.c.id).where(CONTACT.c.id == contact_id, CONTACT.c.erased_at.is_(None)))
    if person is None:
        raise LookupError(f"there is no contact {contact_id}")
    holder = await conn.scalar(select(ADDRESS.c.contact_id).where(ADDRESS.c.normal == found.normal))
    if holder is not None:
        raise AddressTaken(int(holder))
    key = address_key(found.normal, secret)
    erased = select(SUPPRESSION.c.id).where(SUPPRESSION.c.key == key, SUPPRESSION.c.reason == "erased")
    if await conn.scalar(erased) is not None:
        raise AddressRefused("erased")
    has_one = await conn.scalar(select(exists().where(ADDRESS.c.contact_id == contact_id, ADDRESS.c.is_primary)))
    values: dict[str, Any] = {"contact_id": contact_id, "address": found.address, "normal": found.normal}
    values |= {"domain": found.domain, "key": key, "is_primary": not has_one, "mx": "unknown", "soft_bounces": 0}
    values |= {"is_role": found.normal.partition("@")[0] in roles, "created_at": now}
    made = insert(ADDRESS).values(**values).returning(ADDRESS.c.id)
    return int((await conn.execute(made)).scalar_one())


async def make_primary(conn: AsyncConnection, contact_id: int, address_id: int) -> int | None:
    """Let mail go to this address from now on; return the id of the one that was primary. Raises LookupError."""
    await _own(conn, contact_id, address_id)
    primary = (ADDRESS.c.contact_id == contact_id) & ADDRESS.c.is_primary
    was: int | None = await conn.scalar(select(ADDRESS.c.id).where(primary))
    await conn.execute(update(ADDRESS).where(primary).values(is_primary=False))
    await conn.execute(update(ADDRESS).where(ADDRESS.c.id == address_id).values(is_primary=True))
    return was


async def remove(conn: AsyncConnection, contact_id: int, address_id: int) -> dict[str, Any]:
    """Take an address away; the oldest other one becomes primary. Return its row, which `restore` takes.

    What the address was suppressed for holds on: the list keeps its key. Raises AddressRefused while mail to it is
    under way (an approved audience is frozen), LookupError.
    """
    row = await _own(conn, contact_id, address_id)
    if await conn.scalar(select(_in_use(row))):
        raise AddressRefused("address_in_use")
    kept = dict(row._mapping)
    pointing = update(RECIPIENT).where(RECIPIENT.c.address_id == address_id)
    await conn.execute(pointing.values(address_id=None))  # its own words name the address already
    await conn.execute(delete(ADDRESS).where(ADDRESS.c.id == address_id))
    if row.is_primary:
        rest = select(ADDRESS.c.id).where(ADDRESS.c.contact_id == contact_id).order_by(ADDRESS.c.id).limit(1)
        following = await conn.scalar(rest)
        if following is not None:
            await conn.execute(update(ADDRESS).where(ADDRESS.c.id == following).values(is_primary=True))
    return kept


async def restore(conn: AsyncConnection, kept: Mapping[str, Any]) -> None:
    """Undo `remove`. Raises AddressTaken where somebody else got the address in between."""
    holder = await conn.scalar(select(ADDRESS.c.contact_id).where(ADDRESS.c.normal == kept["normal"]))
    if holder is not None:
        raise AddressTaken(int(holder))
    if kept["is_primary"]:
        mine = ADDRESS.c.contact_id == kept["contact_id"]
        await conn.execute(update(ADDRESS).where(mine).values(is_primary=False))
    values = {column.name: kept[column.name] for column in ADDRESS.c if column.name in kept}
    await conn.execute(insert(ADDRESS).values(**values))


def _in_use(row: Row[Any]) -> Any:
    """Whether an approved audience or a mail that may still leave names the address."""
    frozen = RECIPIENT.join(CAMPAIGN, CAMPAIGN.c.id == RECIPIENT.c.campaign_id)
    waits = select(RECIPIENT.c.id).select_from(frozen).where(
        RECIPIENT.c.address_id == row.id, RECIPIENT.c.skip_reason.is_(None), CAMPAIGN.c.state.not_in(OVER),
        CAMPAIGN.c.kind == "campaign", ~exists().where(
            MESSAGE.c.campaign_id == RECIPIENT.c.campaign_id, MESSAGE.c.contact_id == RECIPIENT.c.contact_id,
        ),
    )  # fmt: skip
    leaves = select(MESSAGE.c.id).where(
        MESSAGE.c.contact_id == row.contact_id, MESSAGE.c.address_key == row.key, MESSAGE.c.state.in_(UNDER_WAY)
    )
    return waits.exists() | leaves.exists()


async def _own(conn: AsyncConnection, contact_id: int, address_id: int) -> Row[Any]:
    query = select(ADDRESS).where(ADDRESS.c.id == address_id, ADDRESS.c.contact_id == contact_id)
    row = (await conn.execute(query)).one_or_none()
    if row is None:
        raise LookupError(f"contact {contact_id} has no address {address_id}")
    return row


async def set_attribute(
    conn: AsyncConnection, contact_id: int, name: str, value: str | None, now: datetime
) -> str | None:
    """Set one of a contact's attributes, None takes it away; return what stood there. Raises LookupError."""
    query = select(CONTACT.c.attributes).where(CONTACT.c.id == contact_id, CONTACT.c.erased_at.is_(None))
    row = (await conn.execute(query.with_for_update())).one_or_none()
    if row is None:
        raise LookupError(f"there is no contact {contact_id}")
    attributes = dict(row.attributes or {})
    before = attributes.pop(name, None)
    if value:
        attributes[name] = value
    change = update(CONTACT).where(CONTACT.c.id == contact_id)
    await conn.execute(change.values(attributes=attributes, updated_at=now))
    return None if before is None else str(before)

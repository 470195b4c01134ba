"""The closed vocabulary of happenings, and of the changes that may follow from one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

#: What a reply asks for when it is an inquiry (询盘).
INQUIRY_INTENTS = frozenset({"price", "sample", "catalogue", "meeting", "order"})


class EventKind(StrEnum):
    """What the world told us. An *open* is a picture that was fetched: nobody knows who read."""

    SENT = "sent"
    DELAY = "delay"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"
    REPLY = "reply"
    AUTOREPLY = "autoreply"
    CHALLENGE = "challenge"
    OPEN = "open"
    CLICK = "click"
    PREFERENCE = "preference"
    CONVERSION = "conversion"


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A happening that was just learnt of.

    `key` makes it count once, `at` (aware, UTC) is when it happened. With `message_id` (the row's id) the contact,
    company, campaign and address come from the message; without, `contact_id` or ``data["address"]`` says who.
    """

    kind: EventKind
    key: str
    at: datetime
    message_id: int | None = None
    contact_id: int | None = None
    campaign_id: int | None = None
    inbound_id: int | None = None
    machine: bool = False
    why: str | None = None
    data: dict[str, Any] = field(default_factory=dict)


#: The field that says most about a change, where it has one.
DETAILS = ("field", "why", "reason", "kind")


@dataclass(frozen=True, slots=True)
class Change:
    """Something that follows from an event. Applying it a second time changes nothing."""

    @property
    def note(self) -> str:
        """What the event keeps of it: the name and its one word of detail, never a person's data."""
        detail = next((getattr(self, name) for name in DETAILS if hasattr(self, name)), None)
        return f"{type(self).__name__}:{detail}" if detail else type(self).__name__


@dataclass(frozen=True, slots=True)
class MarkMessage(Change):
    """Set a ``*_at`` column of a message where it is still empty. `hard` goes with ``bounced_at`` only."""

    message_id: int
    field: str
    at: datetime
    hard: bool | None = None


@dataclass(frozen=True, slots=True)
class UnmarkMessage(Change):
    """A verdict was wrong: empty a ``*_at`` column that holds just this moment (see tracking/machine.py)."""

    message_id: int
    field: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SettleInDoubt(Change):
    """What came back proves that the message had left: an in-doubt row becomes sent."""

    message_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class TouchContact(Change):
    """Move ``last_opened``, ``last_clicked`` or ``last_replied`` of a contact forward."""

    contact_id: int
    field: str
    at: datetime


@dataclass(frozen=True, slots=True)
class UntouchContact(Change):
    """A verdict was wrong: where the date is one of these moments, it becomes what the messages' marks say."""

    contact_id: int
    field: str
    moments: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class Suppress(Change):
    """Never mail this address again. A weaker reason never replaces a stronger one."""

    key: str
    address: str | None
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class Unsuppress(Change):
    """The person took an unsubscription back. Holds only where `reason` is still why the address is listed."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class StopMessages(Change):
    """Cancel what has not left yet, of a contact or of a whole company; `follow_ups_only` spares first mails."""

    why: str
    contact_id: int | None = None
    company_id: int | None = None
    campaign_id: int | None = None
    follow_ups_only: bool = False


@dataclass(frozen=True, slots=True)
class PauseContact(Change):
    """No mail to the contact before `until`."""

    contact_id: int
    until: datetime


@dataclass(frozen=True, slots=True)
class EndPause(Change):
    """The contact may be written to again; mail that waited for the pause's end comes forward."""

    contact_id: int


@dataclass(frozen=True, slots=True)
class LeftCompany(Change):
    """The contact does not work there any more."""

    contact_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class CountSoftBounce(Change):
    """One more soft bounce of an address (normalised)."""

    address: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AddressAlive(Change):
    """A sign of life: soft bounces of the address are forgotten."""

    address: str


@dataclass(frozen=True, slots=True)
class MarkAddressBounced(Change):
    """The address (normalised) is dead."""

    address: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SetPreference(Change):
    """What the recipient chose on the preference page."""

    contact_id: int
    topics_off: tuple[str, ...]
    mails_per_month: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class SetTracking(Change):
    """Whether this person's opens and clicks are counted from the next mail on."""

    contact_id: int
    counted: bool


@dataclass(frozen=True, slots=True)
class CreateTask(Change):
    """Work for a person. `due` is a hint that the crm turns into an hour of the owner's working day."""

    kind: str
    title: str
    contact_id: int | None
    company_id: int | None
    owner_id: int | None
    due: str = "same_working_day"
    inbound_id: int | None = None
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FinishTasks(Change):
    """What a received mail asked for has been done."""

    inbound_id: int
    outcome: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AddActivity(Change):
    """A line of the customer's timeline; `user_id`: the colleague who did it, None where it is nobody's deed."""

    kind: str
    at: datetime
    contact_id: int | None
    company_id: int | None
    text: str
    data: dict[str, Any] = field(default_factory=dict)
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class AddConversion(Change):
    """An inquiry, quotation or order that a campaign led to."""

    kind: str
    at: datetime
    campaign_id: int | None
    message_id: int | None
    contact_id: int | None
    amount: float | None
    currency: str | None
    external_id: str | None


@dataclass(frozen=True, slots=True)
class PauseCampaign(Change):
    """The campaign does harm: no more of it leaves until a person has looked (A8)."""

    campaign_id: int
    reason: str

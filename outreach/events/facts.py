"""What an effect needs to know about the people and the message that an event speaks of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

#: A customer by these is worth a telephone call when mail does not reach them (A7); a cold address is not.
KNOWN_BASES = frozenset({"customer", "inquiry"})
KNOWN_GRADES = frozenset({"A", "B"})


@dataclass(frozen=True, slots=True)
class AddressFacts:
    """An address of the contact: as written, normalised, its suppression key, and its soft bounces so far."""

    address: str
    normal: str
    key: str
    soft_bounces: int = 0
    first_soft_bounce_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that the effects ask for, read in the transaction that records the event.

    `address` is the one that the message went to (or the one that the event names); `addresses` are all of the
    contact's. `recent_hard` counts hard bounces among the campaign's last 100 sent messages; `sent` and `complaints`
    are the campaign's sums. `bounced`: the message has come back before. `zone`:
    the person's time zone (IANA), the message's where it was planned for one; None where the country is unknown.
    """

    message_id: int | None = None
    campaign_id: int | None = None
    contact_id: int | None = None
    company_id: int | None = None
    owner_id: int | None = None
    contact_name: str = ""
    company_name: str = ""
    address: AddressFacts | None = None
    addresses: tuple[AddressFacts, ...] = ()
    basis: str = "none"
    grade: str | None = None
    ever_replied: bool = False
    in_doubt: bool = False
    bounced: bool = False
    first_open_at: datetime | None = None
    sent_at: datetime | None = None
    stop_colleagues: bool = False
    campaign_sending: bool = False
    recent_hard: int = 0
    sent: int = 0
    complaints: int = 0
    zone: str | None = None

    @property
    def who(self) -> str:
        """How a task or timeline names the person: name, company, else the address."""
        names = [name for name in (self.contact_name, self.company_name) if name]
        return " · ".join(names) or (self.address.address if self.address else "?")

    @property
    def is_known(self) -> bool:
        """Whether somebody should ring the person up when mail fails."""
        return self.basis in KNOWN_BASES or self.grade in KNOWN_GRADES or self.ever_replied

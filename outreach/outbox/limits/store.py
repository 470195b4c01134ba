"""What several mailboxes or campaigns share is counted where no two of them can count at the same time.

The plan of a campaign knows what stands in the outbox when it is made; two campaigns that are planned side by side do
not know each other. So the caps are counted again here, from what was handed over, in the transaction that hands over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Text, and_, bindparam, func, or_, select, text
from sqlalchemy.dialects import postgresql

from outreach.db.hot import HotList
from outreach.model.types import UtcDateTime
from outreach.outbox.message import Mark, Quota, Refused
from outreach.outbox.tables import GOT, attempt, campaign, letter, message
from outreach.outbox.voice.store import Voices

#: What a recipient chose on the preference page is counted over so many days.
MONTH_DAYS = 30
#: Attempts that reached the server without leaving `handed_at` on their message: they count for quotas too.
REACHED_SERVER = and_(
    text("attempt.outcome <> 'accept'"),  # literal: so it is the condition of ix_attempt_tried
    or_(
        and_(attempt.c.outcome.in_(("defer", "release")), attempt.c.phase.in_(("mail", "rcpt", "data", "body", "dot"))),
        and_(attempt.c.outcome == "fail", attempt.c.phase.in_(("mail", "rcpt", "data"))),
    ),
)


def over_limit(
    conn: Connection, quota: Quota, now: datetime, marks: Sequence[Mark], wishes: Mapping[int, int]
) -> dict[int, Refused]:
    """Return the marks that a shared limit forbids, by message id. wishes: contact → mails a month that they want."""
    if not marks or (quota.none and not wishes):
        return {}
    _lock(conn, _names(quota, marks, wishes))
    caps = Caps(conn, quota, now, marks, wishes)
    room = _room(conn, quota, now)
    in_domain: Counter[str] = Counter()
    refused: dict[int, Refused] = {}
    for mark in marks:
        verdict = caps.judge(mark)
        if verdict is None and room is not None and room <= 0:
            verdict = Refused("release", "quota", now + timedelta(minutes=1))
        domain = mark.message.domain
        if verdict is None and quota.domain_per_minute and not _domain_has_room(conn, quota, domain, now, in_domain):
            verdict = Refused("release", "domain pace", now + timedelta(minutes=1))
        if verdict is not None:
            refused[mark.message.id] = verdict
            continue
        caps.take(mark)
        in_domain[domain] += 1
        room = room - 1 if room is not None else None
    return refused


def over_cap(
    conn: Connection, quota: Quota, now: datetime, marks: Sequence[Mark], wishes: Mapping[int, int]
) -> dict[int, Refused]:
    """Return the marks whose person or customer has had enough by now, whatever else of these will leave."""
    if not marks or (not quota.caps and not wishes):
        return {}
    caps = Caps(conn, quota, now, marks, wishes)
    judged = ((mark.message.id, caps.judge(mark)) for mark in marks)
    return {key: verdict for key, verdict in judged if verdict is not None}


def _names(quota: Quota, marks: Sequence[Mark], wishes: Mapping[int, int]) -> set[str]:
    """Name what is counted, for the locks."""
    names = {f"quota:{min(quota.mailboxes)}"} if quota.mailboxes and quota.windows else set()
    if quota.domain_per_minute:
        names |= {f"domain:{mark.message.domain}" for mark in marks}
    if quota.per_company_mails[0] or quota.one_voice:
        names |= {f"company:{mark.message.company_id}" for mark in marks if mark.message.company_id is not None}
    capped = {mark.message.contact_id for mark in marks} if quota.per_contact_mails[0] else set(wishes)
    return names | {f"contact:{number}" for number in capped}


def _lock(conn: Connection, names: Iterable[str]) -> None:
    """Let workers on other connections that count the same things wait. SQLite has one writer anyway.

    In one order everywhere: two workers that each hold what the other wants would wait for ever.
    """
    wanted = sorted(names)
    if conn.dialect.name != "postgresql" or not wanted:
        return
    listed = bindparam(None, wanted, type_=postgresql.ARRAY(Text))
    keys = select(func.hashtext(func.unnest(listed)).label("key")).order_by("key").subquery()
    conn.execute(select(func.pg_advisory_xact_lock(keys.c.key)))


# -- people and customers ---------------------------------------------------------------------------------------------


@dataclass
class Cap:
    """At most so many mails in so many days; `seen`: how many each got."""

    reason: str
    column: Any
    mails: int
    days: int
    seen: Counter[int] = field(default_factory=Counter)


class Caps:
    """How many mails each person and each customer company of these marks got lately."""

    def __init__(
        self, conn: Connection, quota: Quota, now: datetime, marks: Sequence[Mark], wishes: Mapping[int, int]
    ) -> None:
        self._conn, self._now, self._wishes = conn, now, wishes
        people = {mark.message.contact_id for mark in marks}
        firms = {mark.message.company_id for mark in marks if mark.message.company_id is not None}
        self._contact = Cap("contact_cap", message.c.contact_id, *quota.per_contact_mails)
        self._company = Cap("company_cap", message.c.company_id, *quota.per_company_mails)
        self._wish = Cap("wish", message.c.contact_id, 0, MONTH_DAYS)
        if self._contact.mails:
            self._contact.seen = _got(conn, PERSON_GOT, people, now - timedelta(days=self._contact.days))
        if self._company.mails:
            self._company.seen = _got(conn, COMPANY_GOT, firms, now - timedelta(days=self._company.days))
        self._voices = Voices(conn, now - timedelta(days=quota.one_voice), marks) if quota.one_voice else None
        self._silence = timedelta(days=quota.one_voice)
        if wishes:
            self._wish.seen = _got(conn, PERSON_GOT, set(wishes), now - timedelta(days=MONTH_DAYS))

    def judge(self, mark: Mark) -> Refused | None:
        """Return why this mail may not go to this person now."""
        person, firm = mark.message.contact_id, mark.message.company_id
        wanted = self._wishes.get(person)
        if wanted is not None and self._wish.seen[person] >= wanted:
            return self._full(mark, self._wish, person)
        if self._contact.mails and self._contact.seen[person] >= self._contact.mails:
            return self._full(mark, self._contact, person)
        if firm is not None and self._company.mails and self._company.seen[firm] >= self._company.mails:
            return self._full(mark, self._company, firm)
        spoke = self._voices.other(mark) if self._voices is not None else None
        return self._later(mark, "colleague_cap", spoke + self._silence) if spoke is not None else None

    def take(self, mark: Mark) -> None:
        """Count a mark that is granted: the next one of the group sees it."""
        self._contact.seen[mark.message.contact_id] += 1
        self._wish.seen[mark.message.contact_id] += 1
        if mark.message.company_id is not None:
            self._company.seen[mark.message.company_id] += 1

    def _full(self, mark: Mark, cap: Cap, who: int) -> Refused:
        since, wait = self._now - timedelta(days=cap.days), timedelta(days=cap.days)
        oldest = self._conn.scalar(
            select(func.min(message.c.handed_at)).where(cap.column == who, message.c.handed_at > since, GOT)
        )
        return self._later(mark, cap.reason, (oldest or self._now) + wait)

    def _later(self, mark: Mark, reason: str, moment: datetime) -> Refused:
        """A first mail is left out, as a plan would have done; what goes on with something waits until there is room.

        A sequence's first mail waits, too: its person stays in it. A greeting never does: its day would be over.
        """
        kind = self._conn.scalar(select(campaign.c.kind).where(campaign.c.id == mark.message.campaign_id))
        waits = kind == "sequence" or (kind != "occasion" and mark.message.step > 0)
        return Refused("release", reason, moment) if waits else Refused("skip", reason)


def _got(conn: Connection, count: HotList, ids: set[int], since: datetime) -> Counter[int]:
    return Counter(dict(count.execute(conn, sorted(ids), {"since": since}))) if ids else Counter()


def _counted(column: Any) -> HotList:
    return HotList(
        lambda ids: (
            select(column, func.count())
            .where(column.in_(ids), message.c.handed_at > bindparam("since", None, type_=UtcDateTime()), GOT)
            .group_by(column)
        )
    )


PERSON_GOT = _counted(message.c.contact_id)
COMPANY_GOT = _counted(message.c.company_id)


# -- quotas -----------------------------------------------------------------------------------------------------------


def _room(conn: Connection, quota: Quota, now: datetime) -> int | None:
    """How many more messages the shared quota allows, None if there is none."""
    if not quota.mailboxes or not quota.windows:
        return None
    shared = message.c.mailbox_id.in_(quota.mailboxes)
    tried = attempt.c.mailbox_id.in_(quota.mailboxes)
    written = letter.c.mailbox_id.in_(quota.mailboxes)
    return min(limit - _handed(conn, shared, tried, written, now - timedelta(seconds=s)) for limit, s in quota.windows)


def _domain_has_room(conn: Connection, quota: Quota, domain: str, now: datetime, ahead: Counter[str]) -> bool:
    since = now - timedelta(minutes=1)
    handed = select(func.count()).where(message.c.domain == domain, message.c.handed_at > since)
    tried = select(func.count()).join_from(attempt, message, message.c.id == attempt.c.message_id)
    tried = tried.where(message.c.domain == domain, attempt.c.at > since, REACHED_SERVER)
    used = int(conn.scalar(handed) or 0) + int(conn.scalar(tried) or 0)
    return used + ahead[domain] < quota.domain_per_minute


def _handed(conn: Connection, shared: Any, tried: Any, written: Any, since: datetime) -> int:
    handed = conn.scalar(select(func.count()).where(shared, message.c.handed_at > since))
    attempts = conn.scalar(select(func.count()).where(tried, attempt.c.at > since, REACHED_SERVER))
    letters = conn.scalar(select(func.count()).where(written, letter.c.at > since))
    return int(handed or 0) + int(attempts or 0) + int(letters or 0)


# -- history ----------------------------------------------------------------------------------------------------------


def handed_since(conn: Connection, mailboxes: Sequence[int], since: datetime) -> list[datetime]:
    """Return when mail of these mailboxes reached their server since then, oldest first: messages, tries, letters."""
    handed = select(message.c.handed_at).where(message.c.mailbox_id.in_(mailboxes), message.c.handed_at > since)
    tried = select(attempt.c.at).where(attempt.c.mailbox_id.in_(mailboxes), attempt.c.at > since, REACHED_SERVER)
    letters = select(letter.c.at).where(letter.c.mailbox_id.in_(mailboxes), letter.c.at > since)
    return sorted([*conn.scalars(handed), *conn.scalars(tried), *conn.scalars(letters)])


def letters_since(conn: Connection, mailbox_id: int, since: datetime) -> list[datetime]:
    """Return when letters (mail outside of the outbox) left through the mailbox since then."""
    return list(conn.scalars(select(letter.c.at).where(letter.c.mailbox_id == mailbox_id, letter.c.at > since)))


def domains_since(conn: Connection, since: datetime) -> list[tuple[str, datetime]]:
    """Return (recipient domain, when) of what reached a server since then, from any mailbox."""
    handed = select(message.c.domain, message.c.handed_at).where(message.c.handed_at > since)
    tried = select(message.c.domain, attempt.c.at).join_from(attempt, message, message.c.id == attempt.c.message_id)
    tried = tried.where(attempt.c.at > since, REACHED_SERVER)
    return [(row[0], row[1]) for query in (handed, tried) for row in conn.execute(query)]

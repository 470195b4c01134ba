"""From an audience to a plan: who gets it, from which mailbox, when, or why not. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import NamedTuple

from outreach.campaigns.calendar import Hours
from outreach.campaigns.definition import Definition
from outreach.content.gates import CampaignFacts, ContactFacts, Gate, gate


class Candidate(NamedTuple):
    """A contact of the audience with all that decides whether and how to write.

    A tuple: a plan makes one for each of a million people, and a frozen dataclass takes four times as long.
    """

    contact_id: int
    company_id: int | None
    address_id: int | None
    address: str | None
    address_key: str | None
    domain: str | None
    country: str | None
    city: str | None
    language: str | None
    basis: str | None
    basis_date: date | None
    source: str | None
    owner_id: int | None
    mailbox_id: int | None
    mx: str | None
    bounced: bool
    paused_until: datetime | None
    left: bool
    suppressed: str | None
    recent: int = 0
    topics_off: frozenset[str] = frozenset()
    per_month: int | None = None
    recent_month: int = 0
    open_elsewhere: bool = False


@dataclass(frozen=True)
class MailboxChoice:
    """A mailbox that the campaign may use."""

    id: int
    name: str
    owner_id: int | None = None


@dataclass(frozen=True)
class Rules:
    """The rules of one preflight. `subjects_of`: every subject that may reach a person, of all steps and variants."""

    now: datetime
    per_contact: int
    per_company: int
    postal_address: str
    subjects_of: Callable[[Candidate], Iterable[str]]
    policy: Callable[[str], str | None] = lambda address: None
    gates: tuple[Gate, ...] | None = None
    topic: str | None = None


@dataclass
class CompanyCount:
    """How many mails each company got lately, with those planned here."""

    counts: dict[int, int] = field(default_factory=dict)

    def take(self, company_id: int | None, cap: int) -> bool:
        """Count one more mail to the company; False when its cap is reached. A cap of 0 is none."""
        if company_id is None or cap == 0:
            return True
        count = self.counts.get(company_id, 0)
        if count >= cap:
            return False
        self.counts[company_id] = count + 1
        return True


@dataclass
class Voices:
    """Whose own mailboxes each company heard lately (users by company), with those planned here."""

    heard: dict[int, set[int]] = field(default_factory=dict)

    def refused(self, company_id: int | None, owner: int | None) -> str | None:
        """Why `owner`'s mailbox does not write to this company now; a shared mailbox (None) always may."""
        if owner is None or company_id is None:
            return None
        return "colleague_cap" if self.heard.get(company_id, set()) - {owner} else None

    def count(self, company_id: int | None, owner: int | None) -> None:
        """Remember a mail that was planned: the next one of this plan sees it."""
        if owner is not None and company_id is not None:
            self.heard.setdefault(company_id, set()).add(owner)


def skip_reason(person: Candidate, rules: Rules, companies: CompanyCount) -> str | None:
    """Return why this person is left out, None for a recipient. The first reason that holds counts."""
    if not person.address or not person.domain:
        return "no_address"
    if person.suppressed:
        return f"suppressed:{person.suppressed}"
    if person.left:
        return "left_company"
    if person.bounced:
        return "bounced"
    if person.mx == "none":
        return "no_mail_server"
    if person.paused_until and person.paused_until > rules.now:
        return "paused"
    if rules.topic is not None and rules.topic in person.topics_off:
        return "topic_off"
    refused = rules.policy(person.address)
    if refused:
        return f"policy:{refused}"
    return _gate(person, rules) or _caps(person, rules, companies)


def _gate(person: Candidate, rules: Rules) -> str | None:
    """Every subject that this person may see must pass: who waits for a test's result may get any of them."""
    contact = ContactFacts(person.country, person.basis, person.source, person.basis_date)
    for subject in rules.subjects_of(person):
        facts = CampaignFacts(subject, rules.postal_address, today=rules.now.date())
        refusals = gate(contact, facts, rules.gates)
        if refusals:
            return f"gate:{refusals[0].rule}"
    return None


def _caps(person: Candidate, rules: Rules, companies: CompanyCount) -> str | None:
    if person.per_month is not None and person.recent_month >= person.per_month:
        return "wish"
    if rules.per_contact and person.recent >= rules.per_contact:
        return "contact_cap"
    if not companies.take(person.company_id, rules.per_company):
        return "company_cap"
    return None


def choose_mailbox(person: Candidate, mailboxes: Sequence[MailboxChoice]) -> int:
    """Return the mailbox that writes to this person: the one that always did, the owner's own, else by share.

    A person hears from one mailbox; the share is a stable hash, so a second plan gives the same.
    """
    ids = [box.id for box in mailboxes]
    if person.mailbox_id in ids:
        return int(person.mailbox_id or 0)
    for box in mailboxes:
        if box.owner_id is not None and box.owner_id == person.owner_id:
            return box.id
    shared = [box.id for box in mailboxes if box.owner_id is None] or ids
    return shared[stable_share(str(person.contact_id), "mailbox") % len(shared)]


def stable_share(key: str, salt: str) -> int:
    """Return a number below 2**32 that depends on key and salt alone: the same today and after a restart."""
    return int.from_bytes(hashlib.blake2b(f"{salt}:{key}".encode(), digest_size=4).digest())


def in_pilot(contact_id: int, campaign: str, share: float) -> bool:
    """Whether the contact belongs to the pilot's share of the audience."""
    return stable_share(str(contact_id), f"pilot:{campaign}") < share * 2**32


def hours_for(
    definition: Definition, country: str | None, zone: str | None, office: str, hour: int | None = None
) -> Hours:
    """Return when this recipient may get mail under the campaign's schedule; `hour`: the one that a test tries."""
    schedule = definition.schedule
    weekends = schedule.skip_weekends if schedule.skip_weekends is not None else schedule.window is not None
    own = schedule.timezone or office
    return Hours(
        zone=(zone or own) if schedule.local_time else own,
        country=country,
        window=schedule.hours if hour is None else (time(hour), time(hour, 59, 59)),
        skip_weekends=weekends,
        skip_holidays=schedule.skip_holidays,
    )


def count_reasons(reasons: Iterable[str | None]) -> tuple[int, Mapping[str, int]]:
    """Return (recipients, skipped by reason), most frequent first."""
    counts: dict[str, int] = {}
    recipients = 0
    for reason in reasons:
        if reason is None:
            recipients += 1
        else:
            counts[reason] = counts.get(reason, 0) + 1
    return recipients, dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


#: What a skip reason means to staff; a reason with a colon is looked up by what stands before it.
SKIP_TEXTS: dict[str, tuple[str, str]] = {
    "no_address": ("没有邮箱地址", "has no e-mail address"),
    "suppressed": ("在禁发名单上", "is on the suppression list"),
    "left_company": ("已离职", "has left the company"),
    "bounced": ("地址已硬退信", "the address has bounced for good"),
    "no_mail_server": ("域名没有邮件服务器", "the domain has no mail server"),
    "paused": ("暂停联系中（休假或本人要求）", "is paused (away, or asked for it)"),
    "policy": ("公司名单规则不允许", "a company policy list refuses it"),
    "gate": ("所在国家的规则不允许", "the rule of the country refuses it"),
    "contact_cap": ("近期已收到足够多的邮件", "got enough mails lately"),
    "company_cap": ("该客户近期已收到足够多的邮件", "the customer got enough mails lately"),
    "left": ("已离职", "has left the company"),
    "erased": ("资料已按本人要求删除", "was erased on request"),
    "topic_off": ("本人不想收到这个主题", "does not want to hear about this topic"),
    "wish": ("本人只愿每月收到几封，已达上限", "asked for fewer mails a month"),
    "condition": ("不满足本步骤的条件", "the step's condition does not hold"),
    "replied": ("已回复", "has replied"),
    "in_sequence": ("已在或曾在跟进序列中", "is in a sequence, or was in this one"),
    "colleague_cap": ("同事近期正在联系该客户", "hears from a colleague of ours these days"),
    "before_start": ("启动前已符合条件", "matched before the sequence began"),
    "unknown": ("没有这位联系人", "is no contact of ours"),
}


def explain_skip(reason: str, language: str = "zh") -> str:
    """Put a skip reason in words, with its detail."""
    head, _, detail = reason.partition(":")
    words = SKIP_TEXTS.get(head, (head, head))[0 if language == "zh" else 1]
    return f"{words} ({detail})" if detail else words

"""Makes the letter of a claimed message: approved texts, the recipient's facts, signed links.

The seam between content, tracking and sending, which do not know each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.app.facts import Facts, load_facts, sender_facts
from outreach.campaigns import store as campaigns
from outreach.campaigns.definition import VARIANT_STEP, Definition
from outreach.campaigns.thread import FRESH, chain, root_of, subject_for
from outreach.campaigns.variants import content_step
from outreach.config import MailboxSettings, Settings
from outreach.content.compose import Compiled, Composed, compile_content, stand_ins
from outreach.content.envelope import Identity, Urls
from outreach.content.gates import Gate, clicks_allowed, pixel_allowed
from outreach.content.store import version_source
from outreach.content.template import TemplateSource
from outreach.db.session import Database
from outreach.model import Message
from outreach.model.base import table
from outreach.outbox.message import Claimed
from outreach.tracking.machine import HONEYPOT
from outreach.tracking.tokens import UrlBuilder

MESSAGES = table(Message)

#: Compiled texts in hand: a campaign has steps x languages x variants, each about a megabyte.
MOST_COMPILED = 64
#: The first header of a mail to the team.
TEST_MARK = b"X-Outreach-Test: pilot\r\n"
#: Recipients in hand: twenty batches of sending's claims, a few megabytes.
MOST_PEOPLE = 4_000


@dataclass
class Person:
    """What a letter says about its recipient."""

    context: dict[str, Any]
    name: str
    tracking: bool
    thread: tuple[str, ...] = ()


@dataclass
class Texts:
    """A campaign's approved content: the sources by (step, variant), and what was compiled of them."""

    definition: Definition
    sources: dict[int, TemplateSource]
    variants: dict[str, TemplateSource] = field(default_factory=dict)


class CampaignComposer:
    """Composes for one mailbox (the `Composer` that sending asks for). Loads in sets, keeps texts compiled."""

    def __init__(
        self,
        db: Database,
        settings: Settings,
        box: MailboxSettings,
        urls: UrlBuilder,
        gates: tuple[Gate, ...] | None = None,
    ) -> None:
        self.db, self.settings, self.box, self.urls, self.gates = db, settings, box, urls, gates
        self.sender = sender_facts(settings, box)
        self.media_url = f"{box.tracking_base_url or settings.tracking.base_url}/m"
        self._texts: dict[tuple[int, str | None], Texts] = {}
        self._compiled: dict[tuple[int, str | None, int, str, str | None], Compiled] = {}
        self._people: dict[int, Person] = {}
        self._builders: dict[tuple[bool, bool], Callable[[int], Urls]] = {}

    async def prepare(self, batch: Sequence[Claimed]) -> None:
        """Load what the letters of these messages need."""
        async with self.db.read() as conn:
            for key in {(m.campaign_id, m.approved_hash) for m in batch}:
                if key not in self._texts:
                    self._texts[key] = await load_texts(conn, key[0])
            self._remember(await self._load_people(conn, batch))
        new = self._compile_missing(batch)
        if new:
            async with self.db.write() as conn:
                await campaigns.add_links(conn, new)

    def _remember(self, people: dict[int, Person]) -> None:
        """A batch is prepared while the one before is still on its way, so people are kept for a while."""
        self._people.update(people)
        for known in list(self._people)[: max(0, len(self._people) - MOST_PEOPLE)]:
            del self._people[known]

    def compose(self, message: Claimed) -> Composed:
        """Return the letter; the same bytes each time."""
        person = self._people[message.id]
        compiled = self._compiled[self._key(message)]
        return compiled.compose(self._identity(message, person), person.context, self._urls(message, person))

    def compose_test(self, message: Claimed, to_name: str, to_address: str) -> Composed:
        """Return the letter as a mail to a colleague: the same words, marked as a test."""
        person = self._people[message.id]
        urls = replace(self._urls(message, person), unsubscribe_mailto=None)
        identity = replace(self._identity(message, person), to_name=to_name, to_address=to_address)
        letter = self._compiled[self._key(message)].compose(identity, person.context, urls)
        return replace(letter, data=TEST_MARK + letter.data)

    def _key(self, message: Claimed) -> tuple[int, str | None, int, str, str | None]:
        return message.campaign_id, message.approved_hash, message.step, message.language, message.variant

    def _compile_missing(self, batch: Iterable[Claimed]) -> list[dict[str, Any]]:
        """Compile what is not yet; return rows for the links that are new."""
        links: list[dict[str, Any]] = []
        for message in batch:
            key = self._key(message)
            if key in self._compiled:
                continue
            texts = self._texts[key[:2]]
            compiled = compile_for(texts, message.step, message.language, message.variant, self.media_url)
            while len(self._compiled) >= MOST_COMPILED:
                self._compiled.pop(next(iter(self._compiled)))
            self._compiled[key] = compiled
            step = content_step(texts.definition.variant, message.step, message.variant)
            place = {"campaign_id": message.campaign_id, "step": step, "language": message.language}
            links += [{**place, "number": link.number, "url": link.url, "label": link.text} for link in compiled.links]
        return links

    def _urls(self, message: Claimed, person: Person) -> Urls:
        what = self._texts[(message.campaign_id, message.approved_hash)].definition.tracking
        wanted = self.settings.tracking
        opens = person.tracking and what.opens and wanted.opens and pixel_allowed(message.country, rules=self.gates)
        clicks = person.tracking and what.clicks and wanted.clicks and clicks_allowed(message.country, self.gates)
        tracked = self.urls.urls(message.id, opens=opens, clicks=clicks)
        return Urls(
            unsubscribe=tracked.unsubscribe,
            preferences=tracked.preferences,
            open=tracked.open if opens else None,
            click=tracked.click if clicks else None,
            unsubscribe_mailto=self._mailto(tracked.unsubscribe),
            # numbers of a template's links begin at 1
            trap=tracked.click(HONEYPOT, "") if clicks else None,
        )

    def _mailto(self, unsubscribe: str) -> str | None:
        """A wish by mail reaches us only where the mailbox is read."""
        if self.box.imap is None:
            return None
        return f"mailto:{self.box.address}?subject=unsubscribe%20{unsubscribe.rpartition('/')[2]}"

    def _identity(self, message: Claimed, person: Person) -> Identity:
        what = self._texts[(message.campaign_id, message.approved_hash)].definition
        return Identity(
            uid=message.uid,
            message_id=message.message_id,
            from_name=self.box.from_name or self.settings.sender.company,
            from_address=self.box.address,
            to_name=person.name,
            to_address=message.address,
            reply_to=what.reply_to,
            date=message.composed_at,
            list_id=f"campaign-{message.campaign_id}.{self.box.domain}",
            in_reply_to=person.thread[-1] if person.thread else None,
            references=person.thread,
        )

    async def _load_people(self, conn: AsyncConnection, batch: Sequence[Claimed]) -> dict[int, Person]:
        people = await load_facts(conn, sorted({message.contact_id for message in batch}))
        threads = await _threads(conn, batch, self._texts)
        return {m.id: self._person(m, people[m.contact_id], threads.get(m.id, ())) for m in batch}

    def _person(self, message: Claimed, facts: Facts, thread: tuple[str, ...]) -> Person:
        texts = self._texts[(message.campaign_id, message.approved_hash)]
        context = facts.context(
            sender=self.sender,
            today=message.composed_at.date(),
            language=message.language,
            address=message.address,
            campaign=texts.definition.name,
        )
        return Person(context, str(context.get("full_name") or ""), bool(facts.contact["tracking"]), thread)


async def _threads(
    conn: AsyncConnection, batch: Sequence[Claimed], texts: Mapping[tuple[int, str | None], Texts]
) -> dict[int, tuple[str, ...]]:
    """For mails that go on with a thread: the Message-IDs of the mails before, oldest first (RFC 5322, 3.6.4)."""
    m, found = MESSAGES.c, {}
    for message in batch:
        what = texts[(message.campaign_id, message.approved_hash)].definition
        if not what.in_thread(message.step):
            continue
        before = select(m.step, m.message_id).where(
            m.campaign_id == message.campaign_id, m.contact_id == message.contact_id, m.sent_at.is_not(None)
        )
        sent = [(row.step, row.message_id) for row in await conn.execute(before.order_by(m.sent_at, m.id))]
        found[message.id] = chain(what, [one for one in sent if one[0] != message.step], message.step)
    return found


async def load_texts(conn: AsyncConnection, campaign_id: int) -> Texts:
    """Read a campaign's stored content: what was approved, never the folder on disk."""
    row = await campaigns.get(conn, campaign_id)
    what = Definition.model_validate(row.definition)
    steps = await campaigns.steps_of(conn, campaign_id)
    sources = {step.number: await version_source(conn, step.version_id) for step in steps}
    variants = {v.name: sources.get(VARIANT_STEP + i, sources[0]) for i, v in enumerate(what.variant)}
    return Texts(what, sources, variants)


def compile_for(texts: Texts, step: int, language: str, variant: str | None, media_url: str | None = None) -> Compiled:
    """Compile one step in one language, with the subject of its step or variant where it has one.

    `media_url`: where pictures are served, for templates that want them served.
    """
    what = texts.definition
    content = what.content_step(step)
    source, subject = texts.sources[content], what.subject_of(content)
    if what.sequence:
        return _of_sequence(texts, content, language, media_url, fresh=variant == FRESH)
    if what.occasion:
        words = what.occasion.words.get(variant or "", {})
        return _compile(source, language, subject, media_url, words)
    if step == 0 and variant:
        source = texts.variants.get(variant, source)
        subject = next((v.subject for v in what.variant if v.name == variant and v.subject), subject)
    return _compile(source, language, subject, media_url, {})


def _of_sequence(texts: Texts, step: int, language: str, media_url: str | None, *, fresh: bool) -> Compiled:
    """A step of a sequence: within a thread its subject is the first mail's, whose fixed words come along."""

    def of_template(number: int) -> str:
        source = texts.sources[number]
        return source.subject(language if language in source.languages else source.fallback_language)

    what, source = texts.definition, texts.sources[step]
    first = texts.sources[root_of(what, step)]
    words = stand_ins(first.values, language, first.fallback_language)
    more = {name: value for name, value in words.items() if name not in source.values}
    subject = subject_for(what, step, of_template, fresh=fresh)
    return _compile(source, language, subject, media_url, more)


def _compile(
    source: TemplateSource, language: str, subject: str | None, media_url: str | None, values: Mapping[str, Any]
) -> Compiled:
    served = media_url if source.manifest.served else None
    return compile_content(source, language, subject=subject, values=values, media_url=served)

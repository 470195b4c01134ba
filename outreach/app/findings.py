"""What a preflight says about a campaign's texts, seen together with those who would get them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.app.clock import utc_now
from outreach.app.composing import Texts
from outreach.app.facts import load_facts
from outreach.app.outside import everything
from outreach.content.compose import Compiled, compile_content
from outreach.content.envelope import PREVIEW_URLS, Identity
from outreach.content.kept import compiled_once
from outreach.content.languages import babel_locale, base_language
from outreach.content.lint import (
    ALIKE,
    findings,
    has,
    lacks,
    repeats,
    sample,
    too_similar,
    unprotected,
    untranslated,
)
from outreach.content.problem import Both, ContentProblem, Where
from outreach.content.store import version_source
from outreach.content.template import TemplateSource, choose_language
from outreach.model import Campaign, CampaignStep, Message, MessageState
from outreach.model.base import table

CAMPAIGNS, STEPS, MESSAGES = table(Campaign), table(CampaignStep), table(Message)
#: People whose facts are in hand at once while those who lack a value are counted.
CHUNK = 1_000
#: A mail that somebody got longer ago is not remembered; more campaigns than these are not compared.
REMEMBERED, MOST_CAMPAIGNS = timedelta(days=180), 20
#: Languages that are named one by one; the rest is one finding.
MOST_LANGUAGES = 5


@dataclass(frozen=True)
class Wording:
    """One text that may reach people: of which step, and with which subject if not the template's own."""

    step: int
    source: TemplateSource
    subject: str | None = None

    def subject_in(self, language: str) -> str:
        """The subject as it is written; raises ContentProblem where the language has none."""
        return self.subject or self.source.subject(language)

    def compiled(self, language: str) -> Compiled:
        """Ready to be filled in; raises ContentProblem."""
        return compiled_once(self.source, language, self.subject)


@dataclass
class Audience:
    """Who would get it: wishes for a language by (language, country), and the contacts in order of their ids."""

    wishes: Counter[tuple[str | None, str | None]] = field(default_factory=Counter)
    contacts: list[int] = field(default_factory=list)

    def add(self, contact_id: int, language: str | None, country: str | None) -> None:
        self.wishes[(language, country)] += 1
        self.contacts.append(contact_id)

    def languages(self, source: TemplateSource) -> list[str]:
        """The languages of a template that somebody would get; its fallback where there is nobody."""
        chosen = {choose_language(source, *wish) for wish in self.wishes}
        return [one for one in source.languages if one in chosen] or [source.fallback_language]


def wordings(texts: Texts) -> list[Wording]:
    """Every text of a campaign: the first mail and its variants, then the follow-ups."""
    what = texts.definition
    if what.sequence:
        mails = [step for step in what.sequence.steps if step.template]
        return [Wording(place, texts.sources[mail.number], mail.subject) for place, mail in enumerate(mails)]
    first = [Wording(0, texts.sources[0], what.subject)] if not what.variant else []
    tested = [Wording(0, texts.variants[v.name], v.subject or what.subject) for v in what.variant]
    later = [Wording(n, texts.sources[n], step.subject) for n, step in enumerate(what.step, 1)]
    return [*first, *tested, *later]


def of_texts(texts: Sequence[Wording], audience: Audience, sender: Mapping[str, Any]) -> list[ContentProblem]:
    """The lint of every text, follow-ups that repeat an earlier mail, and languages that are missing."""
    found: list[ContentProblem] = []
    several = len({text.source.name for text in texts}) > 1
    for text in dict.fromkeys(texts):
        problems = findings(text.source, subject=text.subject, sender=sender)
        found += [_named(problem, text.source.name) if several else problem for problem in problems]
    if not any(problem.severity == "error" for problem in found):
        found += _repeats(texts, audience, sender)
    return [*found, *_missing(texts, audience)]


def _named(problem: ContentProblem, name: str) -> ContentProblem:
    """The place with its template's name in front."""
    place = Where(f"{name}/{problem.file}" if problem.file else name, problem.line, problem.column)
    return ContentProblem(problem.code, place, **problem.details)


def _repeats(texts: Sequence[Wording], audience: Audience, sender: Mapping[str, Any]) -> Iterator[ContentProblem]:
    """Each follow-up against the mails before it, in every language that both have."""
    first = [text for text in texts if text.step == 0]
    later = [text for text in texts if text.step > 0]
    for one in first if later else []:
        for language in audience.languages(one.source):
            same = [text for text in later if language in text.source.languages]
            mails = [text.compiled(language).render(sample(text.source, language, sender)) for text in (one, *same)]
            yield from repeats(mails)


def _missing(texts: Sequence[Wording], audience: Audience) -> Iterator[ContentProblem]:
    for source in {text.source.name: text.source for text in texts}.values():
        wanted = untranslated(source, audience.wishes.elements())
        spoken = {base_language(one) for one in source.languages}
        for code, count in list(wanted.items())[:MOST_LANGUAGES]:
            if code not in spoken:
                yield _untranslated(source, code, count)


def _untranslated(source: TemplateSource, code: str, count: int) -> ContentProblem:
    return ContentProblem(
        "language.untranslated",
        count=count,
        language=_named_language(code),
        fallback=_named_language(source.fallback_language),
        name=source.name,
        file=f"body.{code}.mjml",
    )


def _named_language(code: str) -> Both:
    """ "German (de)", "德语 (de)"."""
    names = (babel_locale(lang).languages.get(code, code) for lang in ("en", "zh"))
    return Both(*(f"{name} ({code})" for name in names))


async def lacking(
    conn: AsyncConnection, texts: Sequence[Wording], audience: Audience, sender: Mapping[str, Any], today: Any
) -> list[ContentProblem]:
    """Who lacks a value that a text prints and that has no fallback; nobody is loaded where there is none."""
    wanted = {key: names for key, names in _unprotected(texts, audience) if names}
    if not wanted:
        return []
    sources = {text.source.name: text.source for text in texts}
    counts: Counter[tuple[str, str, str]] = Counter()
    totals: Counter[tuple[str, str]] = Counter()
    for start in range(0, len(audience.contacts), CHUNK):
        people = await load_facts(conn, audience.contacts[start : start + CHUNK])
        for facts in people.values():
            for name, source in sources.items():
                language = choose_language(source, facts.contact["language"], facts.contact["country"])
                values = facts.context(sender=sender, today=today, language=language)
                totals[(name, language)] += 1
                counts.update((name, language, one) for one in wanted.get((name, language), ()) if not has(values, one))
    return [lacks(one, count, totals[(name, language)], language) for (name, language, one), count in counts.items()]


def _unprotected(texts: Sequence[Wording], audience: Audience) -> Iterator[tuple[tuple[str, str], set[str]]]:
    found: dict[tuple[str, str], set[str]] = {}
    for text in texts:
        for language in audience.languages(text.source):
            names = found.setdefault((text.source.name, language), set())
            names |= unprotected(text.source, text.compiled(language))
    yield from found.items()


async def got_before(
    conn: AsyncConnection, campaign_id: int, texts: Sequence[Wording], audience: Audience, now: Any
) -> list[ContentProblem]:
    """Earlier campaigns that told some of these people nearly the same."""
    found = []
    people = set(audience.contacts)
    for row in await _earlier(conn, campaign_id, now):
        source = await version_source(conn, row.template_version_id)
        percent = _likeness(texts, source)
        if percent < ALIKE:
            continue
        query = select(MESSAGES.c.contact_id).where(
            MESSAGES.c.campaign_id == row.id, MESSAGES.c.step == 0, MESSAGES.c.state == MessageState.SENT.value
        )
        count = sum(1 for contact in await conn.scalars(query) if contact in people)
        if count:
            date = Both(f"{row.last.day} {row.last:%b %Y}", f"{row.last.year}年{row.last.month}月{row.last.day}日")
            found.append(
                ContentProblem("wording.again", count=count, campaign=row.name, date=date, percent=round(100 * percent))
            )
    return found


async def _earlier(conn: AsyncConnection, campaign_id: int, now: Any) -> Sequence[Any]:
    query = (
        select(CAMPAIGNS.c.id, CAMPAIGNS.c.name, STEPS.c.template_version_id, CAMPAIGNS.c.started_at.label("last"))
        .join(STEPS, (STEPS.c.campaign_id == CAMPAIGNS.c.id) & (STEPS.c.number == 0))
        .where(CAMPAIGNS.c.id != campaign_id, CAMPAIGNS.c.started_at > now - REMEMBERED)
        .order_by(CAMPAIGNS.c.started_at.desc())
        .limit(MOST_CAMPAIGNS)
    )
    return (await conn.execute(query)).all()


def _likeness(texts: Sequence[Wording], earlier: TemplateSource) -> float:
    """How alike the first mail and an earlier one are, by their words with a sample recipient."""
    best = 0.0
    for text in (text for text in texts if text.step == 0):
        if text.source.digest() == earlier.digest():
            return 1.0
        for language in (one for one in text.source.languages if one in earlier.languages):
            try:
                pair = [compiled_once(one, language).render(sample(one, language)) for one in (text.source, earlier)]
            except ContentProblem:  # an old wording that today's rules refuse
                continue
            best = max(best, too_similar(*pair))
    return best


async def from_outside(app: Any, boxes: Iterable[Any], texts: Sequence[Wording], sender: Mapping[str, Any]) -> Any:
    """Dead links, the mailboxes' DNS, the spam filter's score. Only for texts that compile."""
    boxes = list(boxes)
    compiled = [text.compiled(language) for text in texts for language in text.source.languages]
    ours = app.settings.tracking.base_url
    urls = [link.url for one in compiled for link in one.links if not link.url.startswith(ours)]
    raw = _raw(texts[0], sender, boxes[0].address) if boxes and app.settings.web.spamd else None
    return await everything(app.outside, app.settings, boxes, urls, raw)


def _raw(text: Wording, sender: Mapping[str, Any], address: str) -> bytes:
    """A whole mail to the sample recipient, as the spam filter would get it."""
    language, domain = text.source.fallback_language, address.rpartition("@")[2]
    values = sample(text.source, language, sender)
    name, to = str(values.get("full_name") or ""), str(values.get("email") or "sample@example.com")
    company = str(values["sender"]["company"])
    identity = Identity(
        "preflight", f"preflight@{domain}", company, address, name, to, utc_now(), list_id=f"preflight.{domain}"
    )
    return compile_content(text.source, language, subject=text.subject).compose(identity, values, PREVIEW_URLS).data

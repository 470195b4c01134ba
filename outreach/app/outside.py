"""What the preflight and the doctor learn from outside: dead links, the sending domain's DNS, a spam filter's score.

Everything here has a limit of time, is asked once in ten minutes, and where nobody answers it says so as a
warning: silence is no verdict.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import dns.asyncresolver

from outreach.config import MailboxSettings, Settings
from outreach.content.client import (
    LIFETIME,
    NO_NAME,
    Asker,
    Connector,
    LinkVerdict,
    SpamScore,
    check_links,
    domain_report,
    link_problems,
    public,
    reserved,
    resolve,
    spam_score,
)
from outreach.content.deliverability import DomainFacts, judge
from outreach.content.problem import ContentProblem

#: An answer is believed for so long: a page that is opened again asks nobody. Silence is believed for a minute.
KEPT_SECONDS, SILENT_SECONDS = 600.0, 60.0
#: Links are asked eight at a time; the whole look outside ends after so long.
LINK_SECONDS, WHOLE_SECONDS = 5.0, 15.0
#: More links than a mail should have; the rest is not asked.
MOST_LINKS = 60
#: Names under which keys usually stand, for a mailbox of which nothing is known.
USUAL_SELECTORS = ("default", "dkim", "mail", "s1", "s2", "k1", "selector1", "selector2", "google")


@dataclass
class Outside:
    """Asks, and remembers for a while. `patience`: seconds for one question to the DNS."""

    resolver: dns.asyncresolver.Resolver | None = None
    connector: Connector | None = None
    patience: float = LIFETIME
    clock: Callable[[], float] = time.monotonic
    _kept: dict[object, tuple[float, Any]] = field(default_factory=dict, repr=False)

    async def links(self, urls: Iterable[str]) -> list[ContentProblem]:
        """Findings about the addresses of a mail, each looked up and asked without touching what is not public."""
        wanted = list(dict.fromkeys(urls))[:MOST_LINKS]
        known = {url: verdict for url in wanted if (verdict := self._fresh(("link", url)))}
        missing = [url for url in wanted if url not in known]
        if missing:
            known |= self._keep_links(await self._ask_links(missing))
        return link_problems({url: known[url] for url in wanted})

    async def _ask_links(self, urls: Sequence[str]) -> dict[str, LinkVerdict]:
        found = await check_links(urls, timeout=LINK_SECONDS, resolver=self._resolve, connector=self.connector)
        if any(verdict.detail == NO_NAME for verdict in found.values()) and not await self._root_answers():
            silent = LinkVerdict(None, 0, "the resolver does not answer")
            found = {url: silent if verdict.detail == NO_NAME else verdict for url, verdict in found.items()}
        return found

    def _keep_links(self, found: dict[str, LinkVerdict]) -> dict[str, LinkVerdict]:
        for url, verdict in found.items():
            self._keep(("link", url), verdict, SILENT_SECONDS if verdict.ok is None else KEPT_SECONDS)
        return found

    async def _resolve(self, host: str, port: int) -> Sequence[str]:
        return await resolve(host, port, self.resolver, self.patience)

    async def _root_answers(self) -> bool:
        """Whether the resolver sees the Internet: one that knows no root calls every name unknown."""
        return bool(await Asker(self.resolver, self.patience).ask(".", "NS"))

    async def domain(self, box: MailboxSettings) -> list[ContentProblem]:
        """Findings about the domain that a mailbox sends from; nothing for domains of trials."""
        if reserved(box.domain):
            return []
        signed = (box.dkim_domain, box.bounce_domain, *box.dkim_selectors)
        key = ("domain", box.domain, box.smtp.host, signed)
        kept: list[ContentProblem] | None = self._fresh(key)
        if kept is not None:
            return kept
        facts = await self._facts(box)
        found = [*judge(_guessed(facts, box)), *_unseen(facts, box), *_silent(facts)]
        self._keep(key, found, KEPT_SECONDS if facts.spf or facts.mx else SILENT_SECONDS)
        return found

    async def _facts(self, box: MailboxSettings) -> DomainFacts:
        return await domain_report(
            box.domain,
            selectors=box.dkim_selectors or USUAL_SELECTORS,
            provider_spf=box.spf_include,
            mail_from=box.bounce_domain,
            dkim_domain=box.dkim_domain,
            relay_address=await self._relay(box),
            resolver=self.resolver,
            timeout=self.patience,
        )

    async def _relay(self, box: MailboxSettings) -> str:
        """The address of a company's own relay, whose name others look at; a provider looks after its own."""
        if box.provider not in (None, "generic") or box.loopback:
            return ""
        try:
            found = await self._resolve(box.smtp.host, box.smtp.port)
        except OSError:
            return ""
        return next((one for one in found if public(one)), "")

    async def score(self, raw: bytes, address: str) -> list[ContentProblem]:
        """What a SpamAssassin daemon at HOST:PORT says of a mail."""
        host, _, port = address.rpartition(":")
        told = await spam_score(raw, host=host.strip("[]") or "127.0.0.1", port=int(port) if port.isdigit() else 783)
        return [_scored(told) if told else ContentProblem("spamd.silent", address=address)]

    def _fresh(self, key: object) -> Any:
        until, value = self._kept.get(key, (0.0, None))
        return value if value is not None and self.clock() < until else None

    def _keep(self, key: object, value: Any, seconds: float) -> None:
        self._kept[key] = (self.clock() + seconds, value)
        while len(self._kept) > 10 * MOST_LINKS:
            self._kept.pop(next(iter(self._kept)))


def _scored(told: SpamScore) -> ContentProblem:
    code = "spamd.spam" if told.score >= told.limit else "spamd.score"
    return ContentProblem(code, score=told.score, limit=told.limit, rules=", ".join(told.rules) or "–")


def _guessed(facts: DomainFacts, box: MailboxSettings) -> DomainFacts:
    """Without named selectors, a key that was not found is no finding of its own: it may stand elsewhere."""
    if box.dkim_selectors or _has_key(facts):
        return facts
    return replace(facts, dkim={})


def _has_key(facts: DomainFacts) -> bool:
    return any("p=" in text for texts in facts.dkim.values() for text in texts or ())


def _unseen(facts: DomainFacts, box: MailboxSettings) -> list[ContentProblem]:
    answered = [name for name, texts in facts.dkim.items() if texts is not None]
    if box.dkim_selectors or _has_key(facts) or not answered:
        return []
    return [ContentProblem("dns.dkim_unseen", domain=facts.domain, selectors=", ".join(answered))]


def _silent(facts: DomainFacts) -> list[ContentProblem]:
    answers = {"SPF": facts.spf, "DMARC": facts.dmarc.get(facts.domain), "MX": facts.mx}
    what = [name for name, answer in answers.items() if answer is None]
    return [ContentProblem("dns.silent", domain=facts.domain, what=", ".join(what))] if what else []


async def everything(
    outside: Outside, settings: Settings, boxes: Sequence[MailboxSettings], urls: Iterable[str], raw: bytes | None
) -> list[ContentProblem]:
    """All that can be learned from outside about a campaign, within `WHOLE_SECONDS`."""
    domains = {box.domain: box for box in boxes}
    jobs: list[Awaitable[list[ContentProblem]]] = [outside.domain(box) for box in domains.values()]
    jobs.append(outside.links(urls))
    if settings.web.spamd and raw:
        jobs.append(outside.score(raw, settings.web.spamd))
    return [problem for found in await asyncio.gather(*map(_in_time, jobs)) for problem in found]


async def _in_time(job: Awaitable[list[ContentProblem]]) -> list[ContentProblem]:
    try:
        return await asyncio.wait_for(job, WHOLE_SECONDS)
    except TimeoutError:
        return [ContentProblem("outside.slow", seconds=round(WHOLE_SECONDS))]

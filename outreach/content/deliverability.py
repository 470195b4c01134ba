"""What a sending domain's DNS says: SPF (RFC 7208), DKIM keys (RFC 6376), DMARC with its tree walk (RFC 9989).

Pure: records in, findings out. client.py asks the resolver. A question that was not answered is None and
never a finding, because a resolver that is silent says nothing about the domain.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from outreach.content.problem import ContentProblem

LOOKUPS = 10  # RFC 7208 4.6.4: more than ten terms that ask the DNS are an error
_SIZES = ((120, 512), (200, 1024), (240, 1536), (330, 2048), (450, 3072))  # bytes of an RSA key below, its bits
LABELS = 8  # RFC 9989 4.10: a longer name is first cut to seven labels
Texts = Sequence[str]


@dataclass(frozen=True)
class Spf:
    """An SPF record: its terms in order; `all` is the qualifier of the last resort ("" where there is none)."""

    record: str
    terms: tuple[str, ...]
    all: str = ""

    @property
    def includes(self) -> tuple[str, ...]:
        """Domains that it includes or hands over to."""
        found = (re.match(r"[+?~-]?include:(.+)|redirect=(.+)", term, re.IGNORECASE) for term in self.terms)
        return tuple((match[1] or match[2]).lower().rstrip(".") for match in found if match)

    @property
    def own_lookups(self) -> int:
        """Terms of this record that ask the DNS; those of included records come on top."""
        return sum(bool(re.match(r"[+?~-]?(?:include:|a\b|mx\b|ptr\b|exists:)|redirect=", term)) for term in self.terms)


@dataclass(frozen=True)
class Dkim:
    """A DKIM key record; bits 0 where the key cannot be measured (ed25519)."""

    kind: str
    bits: int
    revoked: bool


@dataclass(frozen=True)
class Dmarc:
    """A DMARC record. psd: y, n or u; policies are none, quarantine or reject."""

    policy: str
    subdomain_policy: str
    psd: str
    strict_spf: bool
    strict_dkim: bool
    reports: tuple[str, ...] = ()


@dataclass(frozen=True)
class DomainFacts:
    """What was found for a mailbox's domain; None: no answer. dmarc: name → TXT texts, along the tree walk."""

    domain: str
    spf: Texts | None = None
    spf_lookups: int | None = None
    dkim: Mapping[str, Texts | None] = field(default_factory=dict)
    dmarc: Mapping[str, Texts | None] = field(default_factory=dict)
    mx: Sequence[str] | None = None
    ptr: str | None = None  # of the relay's own address; "" where it has no name
    mail_from: str = ""  # domain of the envelope sender
    dkim_domain: str = ""  # d= that the relay signs with
    provider_spf: str = ""  # what the provider asks to include


def parse_spf(texts: Texts) -> list[Spf]:
    """Every SPF record among the TXT texts; two are an error (RFC 7208 4.5)."""
    return [_spf(text) for text in texts if re.match(r"v=spf1(?: |$)", text, re.IGNORECASE)]


def _spf(record: str) -> Spf:
    terms = tuple(record.split()[1:])
    final = next((term for term in terms if re.fullmatch(r"[+?~-]?all", term, re.IGNORECASE)), "")
    return Spf(record, terms, (final[0] if final[:1] in "+?~-" else "+") if final else "")


def tags_of(text: str) -> dict[str, str]:
    """`v=DMARC1; p=none` → a dict, names in lower case."""
    pairs = (part.partition("=") for part in text.split(";") if "=" in part)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def parse_dkim(texts: Texts) -> Dkim | None:
    """The first DKIM key among the TXT texts."""
    for text in texts:
        found = tags_of(text)
        if found.get("v", "DKIM1") == "DKIM1" and "p" in found:
            key = re.sub(r"\s", "", found["p"])
            return Dkim(found.get("k", "rsa").lower(), _bits(key, found.get("k", "rsa").lower()), not key)
    return None


def _bits(key: str, kind: str) -> int:
    """Length of an RSA key from its DER size: a 1024-bit key is 162 bytes, 2048 is 294, 4096 is 550."""
    if kind != "rsa" or not key:
        return 0
    try:
        size = len(b64decode(key, validate=True))
    except (Base64Error, ValueError):
        return 0
    return next(
        (bits for limit, bits in ((120, 512), (200, 1024), (240, 1536), (330, 2048), (450, 3072)) if size < limit), 4096
    )


def parse_dmarc(texts: Texts) -> Dmarc | None:
    """The DMARC record among the TXT texts; none where there is not exactly one (RFC 9989 4.10)."""
    records = [text for text in texts if re.match(r"v\s*=\s*DMARC1\s*(?:;|$)", text)]
    if len(records) != 1:
        return None
    found = tags_of(records[0])
    policy = found.get("p", "none").lower()
    policy = policy if policy in ("none", "quarantine", "reject") else "none"
    reports = tuple(part.strip() for part in found.get("rua", "").split(",") if part.strip())
    return Dmarc(
        policy,
        found.get("sp", policy).lower(),
        found.get("psd", "u").lower(),
        found.get("aspf", "r").lower() == "s",
        found.get("adkim", "r").lower() == "s",
        reports,
    )


def tree_walk(domain: str) -> tuple[str, ...]:
    """The domains that are asked for a DMARC record, from the domain itself upwards (RFC 9989 4.10)."""
    labels = domain.lower().rstrip(".").split(".")
    names = [".".join(labels)]
    if len(labels) >= LABELS:
        labels = labels[-(LABELS - 1) :]
        names.append(".".join(labels))
    while len(labels) > 1:
        labels = labels[1:]
        names.append(".".join(labels))
    return tuple(names)


def organizational_domain(domain: str, records: Mapping[str, Dmarc | None]) -> str:
    """The domain that counts for relaxed alignment (RFC 9989 4.10.2); records by domain."""
    walked = tree_walk(domain)
    found = [name for name in walked if records.get(name) is not None]
    for index, name in enumerate(walked):
        record = records.get(name)
        if record is not None and record.psd == "n":
            return name
        if record is not None and record.psd == "y" and index > 0:
            return ".".join(walked[0].split(".")[-(name.count(".") + 2) :])
    return found[-1] if found else walked[0]


def policy_of(domain: str, records: Mapping[str, Dmarc | None]) -> tuple[str, Dmarc] | None:
    """(where it stands, the record) that holds for mail from a domain; None where there is none."""
    own = organizational_domain(domain, records)
    for name in dict.fromkeys((domain.lower().rstrip("."), own, *tree_walk(domain)[1:])):
        record = records.get(name)
        if record is not None:
            return name, record
    return None


def aligned(from_domain: str, other: str, strict: bool, records: Mapping[str, Dmarc | None]) -> bool:
    """Whether an SPF or DKIM domain counts for the From domain."""
    first, second = from_domain.lower().rstrip("."), other.lower().rstrip(".")
    if strict or first == second:
        return first == second
    return organizational_domain(first, records) == organizational_domain(second, records)


def judge(facts: DomainFacts) -> list[ContentProblem]:
    """Findings about a sending domain, each with its fix."""
    return [*_judge_spf(facts), *_judge_dkim(facts), *_judge_dmarc(facts), *_judge_hosts(facts)]


def _judge_spf(facts: DomainFacts) -> Iterator[ContentProblem]:
    if facts.spf is None:
        return
    records = parse_spf(facts.spf)
    if len(records) != 1:
        code = "dns.spf_missing" if not records else "dns.spf_twice"
        yield ContentProblem(code, domain=facts.domain, include=facts.provider_spf or "…")
        return
    record = records[0]
    if record.all == "+":
        yield ContentProblem("dns.spf_open", domain=facts.domain)
    if (facts.spf_lookups or record.own_lookups) > LOOKUPS:
        yield ContentProblem("dns.spf_lookups", domain=facts.domain, count=facts.spf_lookups or record.own_lookups)
    if facts.provider_spf and facts.provider_spf.lower() not in record.includes:
        yield ContentProblem("dns.spf_provider", domain=facts.domain, include=facts.provider_spf)


def _judge_dkim(facts: DomainFacts) -> Iterator[ContentProblem]:
    answered = {selector: texts for selector, texts in facts.dkim.items() if texts is not None}
    keys = {selector: parse_dkim(texts) for selector, texts in answered.items()}
    found = {selector: key for selector, key in keys.items() if key and not key.revoked}
    if answered and not found:
        yield ContentProblem("dns.dkim_missing", domain=facts.domain, selectors=", ".join(answered))
    for selector, key in found.items():
        if 0 < key.bits < 1024:
            yield ContentProblem("dns.dkim_short", domain=facts.domain, selector=selector, bits=key.bits)


def _judge_dmarc(facts: DomainFacts) -> Iterator[ContentProblem]:
    if not facts.dmarc or facts.dmarc.get(facts.domain) is None:
        return
    records = {name: parse_dmarc(texts or ()) for name, texts in facts.dmarc.items()}
    held = policy_of(facts.domain, records)
    if held is None:
        if None not in facts.dmarc.values():
            yield ContentProblem("dns.dmarc_missing", domain=facts.domain)
        return
    name, record = held
    if record.policy == "none" and not record.reports:
        yield ContentProblem("dns.dmarc_blind", domain=name)
    by_spf = aligned(facts.domain, facts.mail_from or facts.domain, record.strict_spf, records)
    by_dkim = bool(facts.dkim_domain) and aligned(facts.domain, facts.dkim_domain, record.strict_dkim, records)
    if not by_spf and not by_dkim:
        yield ContentProblem(
            "dns.dmarc_unaligned", domain=facts.domain, mail_from=facts.mail_from, signed=facts.dkim_domain or "–"
        )


def _judge_hosts(facts: DomainFacts) -> Iterator[ContentProblem]:
    if facts.mx is not None and not facts.mx:
        yield ContentProblem("dns.mx_missing", domain=facts.domain)
    if facts.mx and tuple(host.rstrip(".") for host in facts.mx) == ("",):
        yield ContentProblem("dns.mx_null", domain=facts.domain)
    if facts.ptr == "":
        yield ContentProblem("dns.ptr_missing", domain=facts.domain)

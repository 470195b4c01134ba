"""Whether an address is suppressed: by the policy files, by its key or by its domain."""

from __future__ import annotations

from dataclasses import dataclass

from outreach.model.enums import SuppressionReason
from outreach.model.keys import address_key, domain_key, normalise_address
from outreach.model.refusal import InTwo
from outreach.model.suppressed import PARENTS, is_suppressed

#: The test as SQL over an address's key and domain columns, for segments, plans and the outbox.
suppressed_clause = is_suppressed

#: What a person or their mail system told us: it holds for ever and for every list (reliability.md, "Sending rules").
#: Removing it needs force and a reason.
FOR_EVER = frozenset({SuppressionReason.UNSUBSCRIBED, SuppressionReason.COMPLAINED, SuppressionReason.ERASED})

#: When two reasons meet, the one that stands further left stays: a bounce must not soften a complaint.
STRENGTH: tuple[SuppressionReason, ...] = (
    SuppressionReason.ERASED,
    SuppressionReason.COMPLAINED,
    SuppressionReason.UNSUBSCRIBED,
    SuppressionReason.MANUAL,
    SuppressionReason.HARD_BOUNCE,
    SuppressionReason.POLICY,
    SuppressionReason.SOFT_BOUNCES,
)


def weaker_than(reason: SuppressionReason) -> tuple[str, ...]:
    """Return the reasons that this one replaces."""
    return tuple(str(weak) for weak in STRENGTH[STRENGTH.index(reason) + 1 :])


def parents_of(domain: str) -> tuple[str, ...]:
    """Return the domain and those above it whose listing covers it, nearest first."""
    labels = domain.strip().lower().rstrip(".").split(".")
    return tuple(".".join(labels[start:]) for start in range(min(len(labels), PARENTS + 1)))


class EntryRefused(InTwo, ValueError):
    """What was given is no line of the list."""


def keys_for(address: str, secret: bytes) -> tuple[str, ...]:
    """Return every key under which an address may be suppressed: its own, its domain's, the domains' above."""
    domain = normalise_address(address).rpartition("@")[2]
    return (address_key(address, secret), *(domain_key(parent) for parent in parents_of(domain)))


def key_of(entry: str, secret: bytes) -> str:
    """Return the key of an address (``a@b.example``) or of a domain (``b.example``, ``@b.example``).

    Raises EntryRefused on what is neither.
    """
    entry = normalise_address(entry)
    local, at, domain = entry.rpartition("@")
    if " " in entry or "." not in domain or domain.startswith(".") or domain.endswith("."):
        raise EntryRefused(f"{entry!r} is neither an address nor a domain", f"“{entry}”既不是邮箱地址，也不是域名")
    return address_key(entry, secret) if at and local else domain_key(domain)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the policy refuses an address. `rule` names the file and entry."""

    code: str
    rule: str
    en: str
    zh: str

    def message(self, language: str = "en") -> str:
        """Return the reason for people, "en" or "zh"."""
        return self.zh if language.startswith("zh") else self.en


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy files, read. All entries are in lower case."""

    domains: frozenset[str] = frozenset()
    disposable: frozenset[str] = frozenset()
    never_roles: frozenset[str] = frozenset()
    flagged_roles: frozenset[str] = frozenset()

    def verdict(self, address: str) -> Refusal | None:
        """Return why the address may not be mailed, None where the policy allows it."""
        local, _, domain = normalise_address(address).rpartition("@")
        # every parent counts here, not only PARENTS of them: a set look-up costs nothing
        labels = domain.rstrip(".").split(".")
        for parent in (".".join(labels[start:]) for start in range(len(labels))):
            if parent in self.domains:
                return Refusal("policy", f"domains.txt: {parent}", f"{parent} is never mailed (domains.txt).",
                               f"禁发策略不允许给 {parent} 发信（domains.txt）。")  # fmt: skip
            if parent in self.disposable:
                return Refusal("disposable", f"disposable.txt: {parent}", f"{parent} gives out throw-away addresses.",
                               f"{parent} 是一次性邮箱。")  # fmt: skip
        if local.split("+", 1)[0] in self.never_roles:
            return Refusal("role", f"roles.txt: {local}", f"{local}@ belongs to the mail system or to machines.",
                           f"{local}@ 是邮件系统或机器的地址。")  # fmt: skip
        return None

    def is_role(self, address: str) -> bool:
        """Return whether the address belongs to a function rather than to a person."""
        local = normalise_address(address).rpartition("@")[0].split("+", 1)[0]
        return local in self.flagged_roles or local in self.never_roles

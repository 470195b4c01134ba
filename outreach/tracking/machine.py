"""Tells what a machine fetched from what a person opened or clicked, and says why.

What a machine fetched steers no sequence, what a person did only where a step asks for it. In doubt an open is a
person's (it is a weak sign anyway, and the report says so); a click that no person can have made in that time or
manner is a machine's. A later click of a person corrects the picture, because people and machines are marked apart.
"""

from __future__ import annotations

import tomllib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, lru_cache
from importlib import resources
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

#: Nobody opens, reads and clicks within five seconds of the server's "250 accepted"; scanners do, before delivery.
#: https://check.live-direct-marketing.online/blog/bot-clicks-security-scanners-detect
CLICK_TOO_SOON = timedelta(seconds=5)
#: A picture is fetched by a person after the mail was delivered, shown and noticed.
OPEN_TOO_SOON = timedelta(seconds=2)
#: Gmail samples pictures of fresh mail through the same proxy that serves people.
PROXY_TOO_SOON = timedelta(seconds=10)

#: From a cloud within so long of the hand-over: a sandbox. Later it may be a person behind a company's web gateway.
CLOUD_SOON = timedelta(minutes=10)

#: A person follows one link, perhaps two; three different ones in three seconds, or two in one, is a list being walked.
BURST_WINDOW, BURST_LINKS = timedelta(seconds=3), 3
PAIR_WINDOW, PAIR_LINKS = timedelta(seconds=1), 2
#: What a scanner did shortly before or after it was found out is the scanner's too.
GUILT_WINDOW = timedelta(seconds=10)

#: One address that follows links of ten people's mails within a minute is their gateway, not ten people at one desk.
GATEWAY_WINDOW, GATEWAY_MESSAGES = timedelta(minutes=1), 10

#: The link that no person sees (composed invisible): who follows it reads HTML, not mail.
HONEYPOT = 0

#: How many messages' and sources' recent hits are remembered: a burst lasts seconds, this is minutes at full load.
REMEMBERED = 50_000


@dataclass(frozen=True, slots=True)
class Hit:
    """A request for a picture (`kind` open) or a link (click, with its `number`); `key` is unique, for the event."""

    kind: str
    message_id: int
    at: datetime
    number: int = 0
    method: str = "GET"
    agent: str = ""
    ip: str = ""
    prefetch: bool = False
    key: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Machine or person, why, and the moments of earlier hits that are taken back with it."""

    machine: bool
    why: str
    corrects: tuple[datetime, ...] = ()


#: Nothing speaks against a person.
PERSON = Verdict(False, "person")


@dataclass(frozen=True, slots=True)
class _Agent:
    texts: tuple[str, ...]
    exact: bool
    kinds: frozenset[str]
    machine: bool
    why: str

    def matches(self, agent: str) -> bool:
        return agent in self.texts if self.exact else any(text in agent for text in self.texts)


Network = tuple[IPv4Network | IPv6Network, frozenset[str], str]


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """The tables of machines.toml. Compared by identity, so that verdicts can be remembered."""

    agents: tuple[_Agent, ...]
    networks: tuple[Network, ...]
    clouds: tuple[Network, ...] = ()

    def agent(self, kind: str, agent: str) -> Verdict | None:
        """What the User-Agent says, None if it says nothing."""
        return _said(self, kind, agent.strip().lower())

    def network(self, kind: str, ip: str) -> str | None:
        """The name of the scanner whose network `ip` is in, None if it is in none."""
        return _network(self, kind, ip)

    def cloud(self, kind: str, ip: str) -> str | None:
        """The name of the cloud that `ip` is rented from, None if from none that is listed."""
        return _cloud(self, kind, ip)


@lru_cache(maxsize=20_000)
def _said(rules: Rules, kind: str, agent: str) -> Verdict | None:
    if not agent:
        return Verdict(True, "no_agent")
    found = next((rule for rule in rules.agents if kind in rule.kinds and rule.matches(agent)), None)
    return Verdict(found.machine, found.why) if found else None


@lru_cache(maxsize=20_000)
def _network(rules: Rules, kind: str, ip: str) -> str | None:
    return _named(rules.networks, kind, ip)


@lru_cache(maxsize=20_000)
def _cloud(rules: Rules, kind: str, ip: str) -> str | None:
    return _named(rules.clouds, kind, ip)


def _named(networks: Sequence[Network], kind: str, ip: str) -> str | None:
    try:
        address = ip_address(ip)
    except ValueError:
        return None
    return next((why for net, kinds, why in networks if kind in kinds and address in net), None)


def read_rules(text: str) -> Rules:
    """Read the tables. Raises ValueError, KeyError or TOMLDecodeError on a bad file."""
    data: dict[str, Any] = tomllib.loads(text)
    agents = tuple(_agent(row) for row in data["agent"])
    scanners, clouds = (
        tuple(
            (ip_network(cidr), frozenset(row["kinds"]), row["why"])
            for row in data["network"]
            if row.get("cloud", False) is cloud
            for cidr in row["cidrs"]
        )
        for cloud in (False, True)
    )
    return Rules(agents, scanners, clouds)


def tables() -> dict[str, list[dict[str, Any]]]:
    """The rows of machines.toml as they stand: `agent` and `network`, each with its source."""
    found: dict[str, list[dict[str, Any]]] = tomllib.loads(_shipped())
    return found


def _agent(row: dict[str, Any]) -> _Agent:
    texts = tuple(row.get("any") or [row["text"]])
    return _Agent(texts, row["match"] == "exact", frozenset(row["kinds"]), row["machine"], row["why"])


@cache
def shipped_rules() -> Rules:
    """The tables as shipped."""
    return read_rules(_shipped())


def _shipped() -> str:
    return resources.files("outreach.tracking").joinpath("machines.toml").read_text("utf-8")


@lru_cache(maxsize=20_000)
def is_routable(ip: str) -> bool:
    """Whether an address is somebody's on the internet: behind a proxy that we do not trust all seem to be one."""
    try:
        return ip_address(ip).is_global
    except ValueError:
        return False


@dataclass(slots=True)
class _Past:
    """The recent clicks of one mail, each with whether a machine's, and until when all of them are."""

    hits: list[tuple[Hit, bool]] = field(default_factory=list)
    guilty_until: datetime | None = None


class Classifier:
    """Judges hits one after the other, remembering the last minute. No clock of its own: the hit brings its moment."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.rules = rules or shipped_rules()
        self._messages: OrderedDict[int, _Past] = OrderedDict()
        self._sources: OrderedDict[str, dict[int, datetime]] = OrderedDict()

    def judge(self, hit: Hit, sent_at: datetime | None) -> Verdict:
        """Return the verdict on one hit; `sent_at` is when our server accepted the mail for relaying.

        Only clicks are seen together: what a picture's fetch is depends on nothing but itself.
        """
        if hit.kind != "click":
            return self._alone(hit, sent_at) or PERSON
        past = _remembered(self._messages, hit.message_id, _Past)
        past.hits = [(old, machine) for old, machine in past.hits if hit.at - old.at <= GUILT_WINDOW]
        verdict = self._alone(hit, sent_at) or self._together(hit, past)
        past.hits.append((hit, verdict.machine))
        return verdict

    def _alone(self, hit: Hit, sent_at: datetime | None) -> Verdict | None:
        """What the request itself gives away; None if it may be a person's."""
        if hit.method != "GET":
            return Verdict(True, hit.method.lower())
        if hit.prefetch:
            return Verdict(True, "prefetch")
        said = self.rules.agent(hit.kind, hit.agent)
        if said is not None and said.machine:
            return said
        if name := self.rules.network(hit.kind, hit.ip):
            return Verdict(True, name)
        if sent_at is not None and hit.at - sent_at < CLOUD_SOON and (name := self.rules.cloud(hit.kind, hit.ip)):
            return Verdict(True, name)
        return _too_soon(hit, sent_at, proxied=said is not None)

    def _together(self, hit: Hit, past: _Past) -> Verdict:
        """What the requests around it give away."""
        if past.guilty_until is not None and hit.at <= past.guilty_until:
            return Verdict(True, "after_scanner")
        why = _walks(hit, past) or self._gateway(hit)
        if why is None:
            return PERSON
        past.guilty_until = hit.at + GUILT_WINDOW
        return Verdict(True, why, _taken_back(past, hit))

    def _gateway(self, hit: Hit) -> str | None:
        if not is_routable(hit.ip):
            return None
        seen = _remembered(self._sources, hit.ip, dict)
        seen[hit.message_id] = hit.at
        for message_id in [m for m, at in seen.items() if hit.at - at > GATEWAY_WINDOW]:
            del seen[message_id]
        return "gateway" if len(seen) >= GATEWAY_MESSAGES else None


def _remembered(memory: OrderedDict[Any, Any], key: Any, make: Any) -> Any:
    found = memory.get(key)
    if found is None:
        found = memory[key] = make()
        if len(memory) > REMEMBERED:
            memory.popitem(last=False)
    else:
        memory.move_to_end(key)
    return found


def _too_soon(hit: Hit, sent_at: datetime | None, *, proxied: bool) -> Verdict | None:
    if sent_at is None:
        return None
    limit = CLICK_TOO_SOON if hit.kind == "click" else PROXY_TOO_SOON if proxied else OPEN_TOO_SOON
    return Verdict(True, "too_soon") if hit.at - sent_at < limit else None


def _walks(hit: Hit, past: _Past) -> str | None:
    if hit.number == HONEYPOT:
        return "honeypot"
    clicks = [old for old, _ in past.hits]
    burst = _links(clicks, hit, BURST_WINDOW) >= BURST_LINKS or _links(clicks, hit, PAIR_WINDOW) >= PAIR_LINKS
    return "burst" if burst else None


def _links(clicks: Sequence[Hit], hit: Hit, window: timedelta) -> int:
    return len({old.number for old in clicks if hit.at - old.at <= window} | {hit.number})


def _taken_back(past: _Past, hit: Hit) -> tuple[datetime, ...]:
    """The clicks just before that had passed for a person's."""
    moments: Iterable[datetime] = (old.at for old, machine in past.hits if not machine)
    taken = tuple(sorted(moments))
    past.hits = [(old, True) for old, _ in past.hits]
    return taken

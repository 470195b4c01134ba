"""Reads what a visitor of a website posts. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

#: A field that people do not see and programs fill in.
HONEYPOT = "website"
#: Field of the form → the longest value that is kept; the names are the import's.
FIELDS: Mapping[str, int] = {"first_name": 120, "last_name": 120, "company": 200, "country": 80, "phone": 60}


@dataclass(frozen=True)
class Asked:
    """What was asked for. `address` as written; `robot`: the honeypot was filled."""

    address: str
    values: dict[str, str] = field(default_factory=dict)
    robot: bool = False


def read(form: Mapping[str, str], interests: Collection[str], chosen: Collection[str]) -> Asked:
    """Return the sign-up; unknown fields and interests that are not offered are left out."""
    values = {name: clean(form.get(name, ""))[:most] for name, most in FIELDS.items()}
    wanted = [name for name in interests if name in chosen]
    if wanted:
        values["interests"] = ";".join(wanted)
    kept = {name: value for name, value in values.items() if value}
    return Asked(clean(form.get("email", ""))[:320], kept, bool(form.get(HONEYPOT, "").strip()))


def clean(text: str) -> str:
    """Blanks for control characters: what is typed here comes to stand in a mail's header."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def network_of(ip: str) -> str:
    """Return the network that counts as one visitor: a /24, for IPv6 a /56 (what a household gets, RIPE-690)."""
    try:
        address = ip_address(ip.partition("%")[0])
    except ValueError:
        return "unknown"
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    return str(ip_network(f"{address}/{24 if address.version == 4 else 56}", strict=False))

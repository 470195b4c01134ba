"""Saved views of a list: the built-in ones, those that a person kept, and which columns they want to see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from outreach.audience import segment
from outreach.web import tree
from outreach.web.i18n import N_

if TYPE_CHECKING:
    from outreach.web.data.contacts import Wanted
    from outreach.web.routing import Staff

#: Views that every list of contacts begins with: name, condition, order. {me} is the reader's own name.
CONTACT_VIEWS: tuple[tuple[str, str, str], ...] = (
    (N_("Mine"), "owner = {me}", ""),
    (N_("Replied this month"), "last_replied within 30 days", "-replied"),
    (N_("Ordered within a year"), "last_order within 365 days", "-order"),
    (N_("Never contacted"), "last_contacted is empty", ""),
    (N_("Nobody's"), "owner is empty", ""),
    (N_("Bounced"), "bounced", ""),
)
COMPANY_VIEWS: tuple[tuple[str, str, str], ...] = (
    (N_("Mine"), "owner = {me}", ""),
    (N_("Replied this month"), "last_replied within 30 days", ""),
    (N_("Grade A and B"), "grade in (A, B)", ""),
    (N_("Nobody's"), "owner is empty", ""),
)
#: Kept views of one person and list; the oldest makes room.
MOST_KEPT = 20

#: Columns of the list of contacts: key → name; those that are shown when nothing was chosen.
COLUMNS: Mapping[str, str] = {
    "company": N_("Customer"), "grade": N_("Grade"), "intent": N_("Intent"), "tags": N_("Tags"), "country": N_("Country"),
    "industry": N_("Industry"), "replied": N_("Last reply"), "contacted": N_("Last contacted"), "order": N_("Last order"),
    "source": N_("Source"), "owner": N_("Owner"), "created": N_("Created"),
}  # fmt: skip
SHOWN = ("company", "grade", "tags", "replied", "order", "owner")

#: What can be filtered by from a menu; everything else through the condition's text.
QUICK = ("region", "country", "grade", "industry", "tag", "owner", "language", "source")


@dataclass(frozen=True)
class View:
    """One view; `key` only for those that the person kept and may delete."""

    name: str
    url: str
    current: bool
    key: str = ""


@dataclass(frozen=True)
class Chip:
    """One condition of the filter in people's words, and the address of the list without it."""

    text: str
    without: str


def _quoted(name: str) -> str:
    return '"' + name.replace('"', "") + '"'


def views(staff: Staff, path: str, wanted: Wanted, built_in: Sequence[tuple[str, str, str]]) -> list[View]:
    """The views of a list, the present one marked."""
    found = [View(staff.say(N_("All")), path, not (wanted.segment or wanted.search))]
    for name, text, sort in built_in:
        condition = text.format(me=_quoted(staff.actor.name))
        query = urlencode({"segment": condition} | ({"sort": sort} if sort else {}))
        found.append(View(staff.say(name), f"{path}?{query}", wanted.segment == condition))
    for kept in kept_views(staff, path):
        url = f"{path}?{kept['query']}" if kept["query"] else path
        found.append(View(kept["name"], url, url == wanted.url(path, offset=0), kept["name"]))
    return found


def kept_views(staff: Staff, path: str) -> list[dict[str, str]]:
    """What this person kept for a list."""
    return [view for view in (staff.visit.user.settings or {}).get("views", []) if view.get("path") == path]


def columns(staff: Staff) -> list[str]:
    """The columns of the list of contacts that this person wants to see."""
    chosen = (staff.visit.user.settings or {}).get("columns")
    known = [key for key in COLUMNS if key in chosen] if isinstance(chosen, list) else list(SHOWN)
    return known or list(SHOWN)


def chips(wanted: Wanted, path: str, lang: str) -> list[Chip]:
    """The filter's conditions one by one; a text that cannot be read gives none."""
    if not wanted.segment:
        return []
    try:
        whole = tree.as_group(segment.to_json(segment.parse(wanted.segment)))
    except segment.SegmentError:
        return []
    if whole["op"] == "or":
        return [Chip(said(whole, lang), wanted.url(path, segment="", offset=0))]
    found = []
    for number, item in enumerate(whole["items"]):
        rest = tree.remove(whole, str(number))
        left = segment.to_text(segment.from_json(rest)) if rest["items"] else ""
        found.append(Chip(said(item, lang), wanted.url(path, segment=left, offset=0)))
    return found


def said(item: dict[str, Any], lang: str) -> str:
    """A condition or group in people's words."""
    node = segment.from_json(item)
    if isinstance(node, segment.Condition):
        return segment.describe(node, lang)
    if isinstance(node, segment.Not) and isinstance(node.item, segment.Condition):
        return ("不是：" if lang == "zh" else "not: ") + segment.describe(node.item, lang)
    return segment.to_text(node)


def narrowed(text: str, field: str, value: str) -> str:
    """The filter with one more condition from the menu. Raises segment.SegmentError."""
    if field not in QUICK or not value:
        return text
    one = segment.to_json(segment.parse(f"{field} = {_quoted(value)}"))
    whole = tree.as_group(segment.to_json(segment.parse(text)) if text.strip() else {"op": "all"})
    if whole["op"] == "or":
        whole = {"op": "and", "items": [whole]}
    return segment.to_text(segment.from_json(tree.add(whole, "", one)))

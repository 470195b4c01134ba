"""Reads the few small forms that recipients and their mail clients post. RFC 8058 allows both encodings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

#: A one-click body is 26 bytes, the preference form under 1 kB.
MAX_BODY = 8192
MAX_FIELDS = 50

NAME = re.compile(rb'form-data;(?:[^\r\n]*;)?[ \t]*name="?([^";\r\n]{1,100})"?', re.IGNORECASE)
BOUNDARY = re.compile(r'boundary="?([0-9A-Za-z\'()+_,./:=? -]{1,70})"?', re.IGNORECASE)

#: RFC 8058, section 3.1: the pair that a mail client must send, exactly.
ONE_CLICK = ("List-Unsubscribe", "One-Click")

MAILS_PER_MONTH = {"4": 4, "1": 1}
PAUSE_DAYS = 90
REQUESTS = frozenset({"access", "erase", "complain"})

Fields = Mapping[str, tuple[str, ...]]


def read_form(content_type: str, body: bytes) -> Fields:
    """Return name → values; an unreadable body is an empty form."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        pairs = _multipart(content_type, body)
    elif kind == "application/x-www-form-urlencoded":
        pairs = _urlencoded(body)
    else:
        pairs = []
    form: dict[str, tuple[str, ...]] = {}
    for name, value in pairs[:MAX_FIELDS]:
        form[name] = (*form.get(name, ()), value)
    return form


def _urlencoded(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        return []


def _multipart(content_type: str, body: bytes) -> list[tuple[str, str]]:
    found = BOUNDARY.search(content_type)
    if not found:
        return []
    pairs = []
    for part in (b"\r\n" + body).split(b"\r\n--" + found[1].rstrip().encode("ascii"))[1:]:
        head, empty, value = part.partition(b"\r\n\r\n")
        name = NAME.search(head)
        if name and empty:
            pairs.append((name[1].decode("utf-8", "replace"), value.decode("utf-8", "replace")))
    return pairs


def is_one_click(form: Fields) -> bool:
    """Whether a client or the page's button asks to unsubscribe. A bare POST of a scanner does not."""
    return ONE_CLICK[1] in form.get(ONE_CLICK[0], ())


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen on the preference page. `counted`: whether opens and clicks are, None where it was not asked.

    `request`: access, erase or complain, which a person answers."""

    saved: bool = False
    unsubscribe: bool = False
    undo: bool = False
    resume: bool = False
    topics: frozenset[str] = frozenset()
    mails_per_month: int | None = None
    pause_days: int | None = None
    counted: bool | None = None
    request: str | None = None


def read_choice(form: Fields, topics: frozenset[str]) -> Choice:
    """Return the choice; unknown topics and values are left out. An empty form chooses nothing."""
    asked = form.get("request", ("",))[0]
    return Choice(
        saved=form.get("save") == ("1",),
        unsubscribe=is_one_click(form),
        undo=form.get("undo") == ("1",),
        resume=form.get("resume") == ("1",),
        topics=frozenset(form.get("topic", ())) & topics,
        mails_per_month=MAILS_PER_MONTH.get(form.get("often", ("",))[0]),
        counted=form.get("count") == ("1",) if "counts" in form else None,
        pause_days=PAUSE_DAYS if str(PAUSE_DAYS) in form.get("pause", ()) else None,
        request=asked if asked in REQUESTS else None,
    )

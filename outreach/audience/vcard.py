"""vCard 2.1 to 4.0 (RFC 6350), as card scanners and address books write it."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from pathlib import Path

from outreach.audience.encoding import detect
from outreach.audience.table import RawRow, ReadError, Table

COLUMNS = ("email", "first_name", "last_name", "company", "phone", "city", "country", "birthday", "tags", "note",
           "attr.title", "attr.website")  # fmt: skip
_PLAIN = {"TEL": "phone", "BDAY": "birthday", "NOTE": "note", "TITLE": "attr.title", "URL": "attr.website"}
#: RFC 6350 3.4: what a backslash may precede.
_ESCAPED = re.compile(r"\\([\\,;nN])")


def open_vcard(path: Path) -> Table:
    """Open a file of vCards; every card is a row, its line that of BEGIN. Raises ReadError where there is none."""
    data = path.read_bytes()
    encoding = detect(iter((data,)))
    cards = list(_cards(data.decode(encoding, errors="replace")))
    if not cards:
        raise ReadError(0, "the file holds no vCard.", "文件里没有名片。")
    done = [0]

    def rows() -> Iterator[RawRow | ReadError]:
        for number, (line, card) in enumerate(cards, start=1):
            done[0] = number
            yield line, [card.get(column, "") for column in COLUMNS]

    return Table(COLUMNS, encoding, "", len(cards), rows, lambda: done[0])


def _cards(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    card: dict[str, str] | None = None
    begin = 0
    for number, line in _unfolded(text):
        upper = line.strip().upper()
        if upper == "BEGIN:VCARD":
            card, begin = {}, number
        elif upper == "END:VCARD" and card is not None:
            yield begin, card
            card = None
        elif card is not None and ":" in line:
            _read(line, card)


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Join folded lines (RFC 6350 3.2; quoted-printable's soft breaks of 2.1 too)."""
    current, begin = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        soft = current.endswith("=") and "QUOTED-PRINTABLE" in current.split(":", 1)[0].upper()
        if soft:
            current = current[:-1] + line.lstrip()
        elif line[:1] in (" ", "\t") and current:
            current += line[1:]
        else:
            if current:
                yield begin, current
            current, begin = line, number
    if current:
        yield begin, current


def _read(line: str, card: dict[str, str]) -> None:
    head, _, value = line.partition(":")
    name, *parameters = head.upper().split(";")
    name = name.rpartition(".")[2]  # item1.EMAIL
    if any("QUOTED-PRINTABLE" in parameter for parameter in parameters):
        value = _decoded(value, parameters)
    if name == "EMAIL":
        card["email"] = ";".join(filter(None, (card.get("email", ""), _plain(value))))
    elif name == "N":
        last, first = [*_parts(value), "", ""][:2]
        card |= {"last_name": last, "first_name": first}
    elif name == "FN" and not card.get("first_name") and not card.get("last_name"):
        card["first_name"] = _plain(value)
    elif name == "ORG":
        card["company"] = _parts(value)[0]
    elif name == "ADR":
        parts = [*_parts(value), "", "", "", "", "", "", ""]
        card |= {"city": parts[3], "country": parts[6]}
    elif name == "CATEGORIES":
        card["tags"] = _plain(value).replace(",", ";")
    elif name in _PLAIN:
        card.setdefault(_PLAIN[name], _plain(value).removeprefix("tel:"))


def _decoded(value: str, parameters: list[str]) -> str:
    charset = next((p.partition("=")[2] for p in parameters if p.startswith("CHARSET=")), "utf-8")
    raw = binascii.a2b_qp(value.encode("utf-8", errors="replace"))
    try:
        return raw.decode(charset, errors="replace")
    except LookupError:
        return raw.decode("utf-8", errors="replace")


def _plain(value: str) -> str:
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value).strip()


def _parts(value: str) -> list[str]:
    return [_plain(part) for part in re.split(r"(?<!\\);", value)]

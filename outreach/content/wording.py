"""The words of template.toml as fields of a form, one language at a time; writing them keeps comments and order. Pure.

A field's key names its place: ``subject``, ``values.event``, ``values.highlights.0.title``, ``variables.owner.name``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tomlkit

from outreach.content.manifest import Manifest, parse_manifest

#: Texts that every template has by language, in the order in which they are written.
TEXTS = ("title", "subject", "preview")
#: Rows of a list that a form may hold; a mail with more is no mail.
MOST_ROWS = 12
#: Above this length a text gets a field of several lines.
LONG = 60


@dataclass(frozen=True)
class Field:
    """A text to write. `other`: what the fallback language says, shown where this language has nothing yet."""

    key: str
    label: str
    text: str
    other: str = ""

    @property
    def long(self) -> bool:
        """Whether it needs several lines."""
        return max(len(self.text), len(self.other)) > LONG


@dataclass(frozen=True)
class Group:
    """A value: one field, or the rows of a list. `shared`: the same for every language."""

    key: str
    label: str
    rows: tuple[tuple[Field, ...], ...]
    shared: bool = False
    is_list: bool = False


def texts(manifest: Manifest, language: str) -> list[Field]:
    """Title, subject and preview text in a language."""
    tables = {key: getattr(manifest, key) for key in TEXTS}
    return [Field(key, key, table.get(language, ""), table.get(manifest.fallback, "")) for key, table in tables.items()]


def groups(manifest: Manifest, section: str, language: str, staff: str = "en") -> list[Group]:
    """The groups of ``values`` or ``variables`` in a language, named in `staff`'s; what is no text is left alone."""
    found: Mapping[str, Any] = getattr(manifest, section)
    made = (
        _group(f"{section}.{name}", manifest.label(name, staff), one.fallbacks, language, manifest.fallback)
        for name, one in found.items()
    )
    return [group for group in made if group]


def _group(key: str, label: str, by_language: Mapping[str, Any], language: str, fallback: str) -> Group | None:
    shared = "" in by_language
    mine = by_language.get("" if shared else language)
    other = mine if shared else by_language.get(fallback)
    model = mine if mine is not None else other
    if isinstance(model, str):
        return Group(key, label, ((Field(key, label, _text(mine), _text(other)),),), shared)
    if not isinstance(model, list) or not _all_words(model):
        return None
    return Group(key, label, tuple(_rows(key, model, mine or [], other or [])), shared, True)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _all_words(rows: Sequence[Any]) -> bool:
    """Whether a list holds texts alone, or tables of texts alone."""
    if all(isinstance(row, str) for row in rows):
        return True
    return all(isinstance(row, dict) and all(isinstance(item, str) for item in row.values()) for row in rows)


def _rows(key: str, model: Sequence[Any], mine: Sequence[Any], other: Sequence[Any]) -> Iterator[tuple[Field, ...]]:
    """One row more than there are, to add one."""
    names = list(dict.fromkeys(name for row in model if isinstance(row, dict) for name in row))
    for number in range(min(MOST_ROWS, max(len(mine), len(other)) + 1)):
        here, there = (rows[number] if number < len(rows) else None for rows in (mine, other))
        if names:
            yield tuple(
                Field(f"{key}.{number}.{name}", name, _text((here or {}).get(name)), _text((there or {}).get(name)))
                for name in names
            )
        else:
            yield (Field(f"{key}.{number}", "", _text(here), _text(there)),)


def written(text: str, language: str, given: Mapping[str, str]) -> str:
    """template.toml with the fields of a form in it; fields that are not given stay. Raises ContentProblem.

    An empty text takes the language's wording away (the fallback's stands in), an empty row leaves the list.
    """
    manifest = parse_manifest(text)
    document = tomlkit.parse(text)
    for field in texts(manifest, language):
        if field.key in given and given[field.key] != field.text:
            _put(_by_language(document, field.key, manifest.fallback), language, given[field.key])
    for section in ("values", "variables"):
        for group in groups(manifest, section, language):
            _write(document, group, "" if group.shared else language, given)
    return tomlkit.dumps(document)


def _by_language(document: Any, key: str, fallback: str) -> Any:
    """The table of a text by language; a bare text becomes one."""
    present = document.get(key)
    if not isinstance(present, Mapping):
        table = tomlkit.inline_table()
        if present is not None:
            table[fallback] = str(present)
        document[key] = table
    return document[key]


def _put(table: Any, key: str, text: str) -> None:
    if text:
        table[key] = text
    else:
        table.pop(key, None)


def _write(document: Any, group: Group, language: str, given: Mapping[str, str]) -> None:
    if not any(field.key in given for row in group.rows for field in row):
        return
    holder, key = _holder(document, group.key, language)
    if not group.is_list:
        if given[group.key] != group.rows[0][0].text:
            _put(holder, key, given[group.key])
        return
    old = [tuple(field.text for field in row) for row in group.rows]
    new = [tuple(given.get(field.key, field.text) for field in row) for row in group.rows]
    if new != old:
        _put_rows(holder, key, group, new)


def _holder(document: Any, dotted: str, language: str) -> tuple[Any, str]:
    """The table in which the value stands, and under which key."""
    *way, last = dotted.split(".")
    if language:
        way, last = [*way, last], language
    at = document
    for part in way:
        at = at[part]
    return at, last


def _put_rows(holder: Any, key: str, group: Group, rows: Sequence[tuple[str, ...]]) -> None:
    kept = [row for row in rows if any(row)]
    present = holder.get(key)
    if not kept:
        holder.pop(key, None)
        return
    if present is None or len(present) != len(kept):
        holder[key] = _array(group, kept)
        return
    for number, row in enumerate(kept):  # as many as before: each text in its place, so that comments stay
        for field, text in zip(group.rows[number], row, strict=True):
            if field.label:
                present[number][field.label] = text
            else:
                present[number] = text


def _array(group: Group, rows: Sequence[tuple[str, ...]]) -> Any:
    array = tomlkit.array()
    for row in rows:
        named = {field.label: text for field, text in zip(group.rows[0], row, strict=True)}
        if group.rows[0][0].label:
            table = tomlkit.inline_table()
            table.update(named)
            array.append(table)
        else:
            array.append(row[0])
    return array.multiline(True)


def lacking(manifest: Manifest, language: str) -> int:
    """How many texts a language has not got yet that the fallback has."""
    fields = [*texts(manifest, language)]
    for section in ("values", "variables"):
        fields += [field for group in groups(manifest, section, language) for row in group.rows for field in row]
    return sum(1 for field in fields if field.other and not field.text)

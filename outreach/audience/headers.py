"""Which column of a file is which field: guessed in English and Chinese, `--map` decides."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files

#: The columns of contract.md, plus the two that are taken apart or only looked at.
FIELDS: tuple[str, ...] = (
    "email", "first_name", "last_name", "full_name", "company", "country", "region", "city", "industry", "tags",
    "interests", "language", "grade", "intent", "phone", "birthday", "source", "basis", "basis_date", "owner",
    "last_order", "orders_total", "note", "email_status",
)  # fmt: skip

#: `--map Column=-` leaves a column out; `--map Column=attr.Name` keeps it under another name.
IGNORE = "-"
ATTRIBUTE = "attr."
MAX_ATTRIBUTES = 60

_NOISE = re.compile(r"[\s_\-./:：*（）()\[\]#'\"\\]+")


class HeaderError(ValueError):
    """The file's columns cannot be used: what is wrong, in English and Chinese.

    `code` is for who chooses the columns elsewhere than behind --map: map, email, doubled (`fields` are those) or many.
    """

    def __init__(self, en: str, zh: str, code: str = "map", fields: Sequence[str] = ()) -> None:
        self.en, self.zh, self.code, self.fields = en, zh, code, tuple(fields)
        super().__init__(en)

    def message(self, language: str = "en") -> str:
        """Return what happened and what to do."""
        return self.zh if language.startswith("zh") else self.en


def simple(header: str) -> str:
    """Return a header for comparison: NFKC, lower case, no spaces and signs."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", header).lower())


@lru_cache(maxsize=1)
def _known() -> dict[str, str]:
    table = tomllib.loads(files("outreach.audience.data").joinpath("headers.toml").read_text("utf-8"))
    known = {simple(called): field for field, names in table.items() for called in names}
    return known | {simple(field): field for field in FIELDS}


def attribute_name(header: str) -> str:
    """Return the name under which an unknown column is kept: NFKC, no quotes or control characters, 80 at most."""
    folded = unicodedata.normalize("NFKC", header)
    plain = "".join(" " if unicodedata.category(char)[0] == "C" or char in "\"'\\" else char for char in folded)
    return " ".join(plain.split())[:80].strip()


def guess(headers: Sequence[str], mapping: Mapping[str, str] | None = None) -> tuple[str | None, ...]:
    """Return for each column its field, ``attr.NAME``, or None (left out).

    `mapping` is column → field and wins. The first column that looks like a field is it; a second one becomes an
    attribute. Raises HeaderError on a wrong mapping or where no column holds addresses.
    """
    result = supposed(headers, mapping)
    if fault := unusable(result, headers):
        raise fault
    return result


def supposed(headers: Sequence[str], mapping: Mapping[str, str] | None = None) -> tuple[str | None, ...]:
    """Do the same where `unusable` is asked afterwards: a person may still choose other columns."""
    wanted = _checked(headers, mapping or {})
    taken = {field for field in wanted.values() if field in FIELDS}
    result: list[str | None] = []
    for header in headers:
        field = wanted.get(simple(header)) or _known().get(simple(header))
        if simple(header) not in wanted:
            if header.startswith(ATTRIBUTE):
                field = _unlike(result, header.removeprefix(ATTRIBUTE))
            elif field in taken or field is None:
                field = _unlike(result, header)
            elif field in FIELDS:
                taken.add(field)
        result.append(None if field == IGNORE else field)
    return tuple(result)


def chosen(headers: Sequence[str], choices: Sequence[str]) -> tuple[str | None, ...]:
    """Return the same where a person chose for each column: a field, IGNORE, or anything else for an attribute.

    They are chosen by their place, because two columns may have one name.
    """
    result: list[str | None] = []
    for header, choice in zip(headers, choices, strict=True):
        field = choice if choice in FIELDS else IGNORE if choice == IGNORE else _unlike(result, header)
        result.append(None if field == IGNORE else field)
    return tuple(result)


def _unlike(before: Sequence[str | None], header: str) -> str:
    """The attribute of a column; the second one of a name has a number behind it."""
    name = attribute_name(header.removeprefix(ATTRIBUTE))
    if not name:
        return IGNORE
    field, number = ATTRIBUTE + name, 2
    while field in before:
        field, number = f"{ATTRIBUTE}{name} {number}", number + 1
    return field


def _checked(headers: Sequence[str], mapping: Mapping[str, str]) -> dict[str, str]:
    present = {simple(header) for header in headers}
    wanted: dict[str, str] = {}
    listed, fields = ", ".join(headers), ", ".join(FIELDS)
    for column, field in mapping.items():
        said = f"--map {column}={field}"
        if simple(column) not in present:
            raise HeaderError(
                f"{said}: the file has no column “{column}”; it has: {listed}.",
                f"{said}：文件里没有“{column}”这一列；现有：{listed}。",
            )
        own = field.startswith(ATTRIBUTE) and attribute_name(field.removeprefix(ATTRIBUTE))
        if field not in FIELDS and field != IGNORE and not own:
            raise HeaderError(
                f"{said}: there is no field “{field}”; there are: {fields}, attr.NAME, -.",
                f"{said}：没有“{field}”这个字段；可用：{fields}、attr.名称、-。",
            )
        wanted[simple(column)] = ATTRIBUTE + own if own else field
    return wanted


def unusable(result: Sequence[str | None], headers: Sequence[str]) -> HeaderError | None:
    """Why a list cannot be imported with these fields, or None."""
    if "email" not in result:
        return HeaderError(
            f"no column holds e-mail addresses; say which with --map COLUMN=email. Columns: {', '.join(headers)}.",
            f"没有找到邮箱列；请用 --map 列名=email 指明。现有列：{'、'.join(headers)}。",
            "email",
        )
    doubled = sorted({field for field in result if field and result.count(field) > 1})
    if doubled:
        named = ", ".join(doubled)
        return HeaderError(f"two columns are mapped to {named}.", f"有两列都对应 {named}。", "doubled", doubled)
    if sum(1 for field in result if field and field.startswith(ATTRIBUTE)) > MAX_ATTRIBUTES:
        return HeaderError(
            f"more than {MAX_ATTRIBUTES} unknown columns; leave some out with --map COLUMN=-.",
            f"未知列超过 {MAX_ATTRIBUTES} 个；请用 --map 列名=- 去掉一些。",
            "many",
        )
    return None

"""A body with its `<mj-include path="…"/>` filled in, which still knows where each character came from."""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from outreach.content.languages import base_language
from outreach.content.problem import ContentProblem, Where

DEPTH = 8  # includes within includes: layouts are two or three deep
LIMIT = 1_000_000  # characters of the whole: as for a single file, so that includes cannot multiply
_INCLUDE = re.compile(r"<mj-include\b(?P<attributes>[^<>]*?)/?>(?:\s*</mj-include\s*>)?")
_PATH = re.compile(r"""\bpath\s*=\s*(?:"([^"]*)"|'([^']*)')""")


@dataclass(frozen=True)
class Piece:
    """From `start` in the expanded text on, characters come from `file` at `offset`."""

    start: int
    file: str
    offset: int


@dataclass(frozen=True)
class Expanded:
    """The text after includes, with its pieces in order."""

    text: str
    pieces: tuple[Piece, ...]
    files: Mapping[str, str]

    def where(self, offset: int) -> Where:
        """File, line and column of a character of the expanded text."""
        index = bisect_right([piece.start for piece in self.pieces], offset) - 1
        piece = self.pieces[max(index, 0)]
        return place(piece.file, self.files[piece.file], piece.offset + offset - piece.start)


def place(file: str, text: str, offset: int) -> Where:
    """Line and column (from 1) of an offset in a file's text."""
    before = text[:offset]
    return Where(file, before.count("\n") + 1, offset - before.rfind("\n"))


def single(file: str, text: str) -> Expanded:
    """A text without includes."""
    return Expanded(text, (Piece(0, file, 0),), {file: text})


def expand(files: Mapping[str, str], file: str, language: str) -> Expanded:
    """Fill in includes, the variant of the language first; raises ContentProblem."""
    texts: list[str] = []
    pieces: list[Piece] = []
    _expand(files, file, language, texts, pieces, 0)
    return Expanded("".join(texts), tuple(pieces), files)


def _expand(
    files: Mapping[str, str], file: str, language: str, texts: list[str], pieces: list[Piece], depth: int
) -> None:
    source, position = files[file], 0
    comments = list(_comments(source))
    for match in _INCLUDE.finditer(source):
        if any(start <= match.start() < end for start, end in comments):
            continue
        where = place(file, source, match.start())
        _add(texts, pieces, source, file, position, match.start(), where)
        if depth >= DEPTH:
            raise ContentProblem("include.depth", where, limit=DEPTH)
        wanted = _PATH.search(match["attributes"])
        target = find(files, (wanted[1] or wanted[2] or "") if wanted else "", language, file)
        if target is None:
            name = (wanted[1] or wanted[2]) if wanted else ""
            raise ContentProblem("include.missing", where, path=name, available=_available(files))
        _expand(files, target, language, texts, pieces, depth + 1)
        position = match.end()
    _add(texts, pieces, source, file, position, len(source), Where(file))


def _comments(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    while (begin := text.find("<!--", start)) >= 0:
        start = text.find("-->", begin)
        if start < 0:
            return
        yield begin, start


def _add(texts: list[str], pieces: list[Piece], source: str, file: str, start: int, end: int, where: Where) -> None:
    length = sum(map(len, texts)) + end - start
    if length > LIMIT:
        raise ContentProblem("template.size", where, file=file, limit=LIMIT)
    if end > start:
        pieces.append(Piece(length - (end - start), file, start))
        texts.append(source[start:end])
    elif not pieces:
        pieces.append(Piece(0, file, start))


def find(files: Mapping[str, str], path: str, language: str, beside: str = "") -> str | None:
    """The file that an include names: `_layout/footer` → `_layout/footer.zh.mjml`, `_layout/footer.mjml`."""
    stem = path.removesuffix(".mjml")
    folder = posixpath.dirname(beside)
    for root in dict.fromkeys((stem, posixpath.normpath(posixpath.join(folder, stem)))):
        for name in (f"{root}.{language}.mjml", f"{root}.{base_language(language)}.mjml", f"{root}.mjml"):
            if name in files:
                return name
    return None


def _available(files: Mapping[str, str]) -> str:
    parts = sorted(name for name in files if name.endswith(".mjml") and not name.startswith("body."))
    return ", ".join(parts) or "–"

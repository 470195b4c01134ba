"""The lint's rules for words: subject, preview text, wording, capitals, punctuation."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from unicodedata import east_asian_width

from outreach.content.envelope import Rendered
from outreach.content.problem import ContentProblem, Where
from outreach.content.template import TemplateSource

SUBJECT = 60  # columns that desktop clients show (Outlook, Gmail: 60 to 70); phones show 33 to 43
PREVIEW = (30, 110)  # columns: Gmail shows up to 110 after a short subject, Apple Mail on phones about 80
_CAPITALS = re.compile(r"\b[A-Z]{4,}\b")
_MARKS = re.compile(r"[!?！？]{2,}|\${2,}|￥{2,}|¥{2,}|\.{4,}|!.*!.*!|！.*！.*！")
_REPLY = re.compile(r"\s*((?:re|fwd?|aw|wg|sv|tr|回复|答复|转发)\s*[:：])", re.IGNORECASE)
_HOLE = re.compile(r"\(\s*\)|（\s*）|\s[,，!！:：](?=\s|$)|^[,，:：]|[,，]\s*[,，.。!！]|[“\"]\s*[”\"]|\{\{")
_KNOWN = frozenset(
    {"HTTP", "HTTPS", "INCOTERMS", "IATA", "ENEC", "ROHS", "REACH", "DIALUX", "GMBH", "VESA", "HDMI", "NEMA", "ASTM"}
)  # words of trade that are written so


@cache
def words() -> dict[str, list[str]]:
    """words.toml: phrases by language, and the hosts of link shorteners."""
    with Path(__file__).with_name("words.toml").open("rb") as file:
        return tomllib.load(file)


def width(text: str) -> int:
    """Columns on a screen: Chinese, Japanese, Korean letters and emoji take two."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def check_words(
    source: TemplateSource, language: str, rendered: Rendered, subject: Where | None = None
) -> Iterator[ContentProblem]:
    """Findings in what a recipient reads; `subject` is the place of a subject that is not the template's."""
    subject = subject or Where("template.toml", *_line(source, "subject", language))
    preview = Where("template.toml", *_line(source, "preview", language))
    yield from check_subject(rendered.subject, subject)
    yield from _preview(rendered, preview)
    body = Where(source.body_file(language))
    yield from spam_words(f"{rendered.subject}\n{rendered.preview}", subject)
    yield from spam_words(rendered.text, body)
    yield from _body(rendered.text, body)


def check_subject(subject: str, where: Where) -> Iterator[ContentProblem]:
    """Findings in one subject as a recipient sees it; for A/B variants as well."""
    if not subject.strip():
        yield ContentProblem("subject.empty", where)
        return
    if width(subject) > SUBJECT:
        yield ContentProblem("subject.long", where, width=width(subject))
    shouted = [word for word in _CAPITALS.findall(subject) if word not in _KNOWN]
    if len(shouted) > 1 or (shouted and len(subject.split()) <= 2):
        yield ContentProblem("subject.capitals", where, words=", ".join(shouted))
    if marks := _MARKS.search(subject):
        yield ContentProblem("subject.punctuation", where, found=marks[0])
    if reply := _REPLY.match(subject):
        yield ContentProblem("subject.fake_reply", where, found=reply[1])
    if hole := _HOLE.search(subject):
        yield ContentProblem("subject.hole", where, part="subject", found=subject[: hole.end() + 10])


def _preview(rendered: Rendered, where: Where) -> Iterator[ContentProblem]:
    text = rendered.preview
    if not text:
        yield ContentProblem("preview.missing", where)
        return
    if not PREVIEW[0] <= width(text) <= PREVIEW[1]:
        yield ContentProblem("preview.length", where, width=width(text))
    if text.strip().casefold() == rendered.subject.strip().casefold():
        yield ContentProblem("preview.same", where)
    if hole := _HOLE.search(text):
        yield ContentProblem("subject.hole", where, part="preview", found=text[: hole.end() + 10])


@cache
def _spam() -> re.Pattern[str]:
    english = "|".join(re.escape(phrase) for phrase in sorted(words()["en"], key=len, reverse=True))
    chinese = "|".join(re.escape(phrase) for phrase in sorted(words()["zh"], key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{english})(?!\w)|{chinese}", re.IGNORECASE)


def spam_words(text: str, where: Where) -> Iterator[ContentProblem]:
    """Phrases that filters know; one finding that lists them."""
    found = dict.fromkeys(match[0].lower() for match in _spam().finditer(text))
    if found:
        yield ContentProblem("spam.words", where, words=", ".join(found))


def _body(text: str, where: Where) -> Iterator[ContentProblem]:
    plain = re.sub(r"https?://\S+", "", text)
    long_words = re.findall(r"[A-Za-z]{4,}", plain)
    shouted = [word for word in long_words if word.isupper() and word not in _KNOWN]
    if len(long_words) > 20 and len(shouted) / len(long_words) > 0.2:
        yield ContentProblem("body.capitals", where, percent=round(100 * len(shouted) / len(long_words)))
    if marks := re.search(r"[!！]{2,}|[?？]{2,}|\${3,}", plain):
        yield ContentProblem("body.punctuation", where, found=marks[0])


def _line(source: TemplateSource, table: str, language: str) -> tuple[int, int]:
    """Where a language's entry of [subject] or [preview] stands in template.toml."""
    inside = False
    own = re.compile(rf"\s*\"?{re.escape(language)}\"?\s*=")
    for number, line in enumerate(source.files.get("template.toml", "").splitlines(), 1):
        if line.strip().startswith("["):
            inside = line.strip() == f"[{table}]"
        elif own.match(line) if inside else re.match(rf"\s*{table}\s*=", line):
            return number, 1
    return 0, 0

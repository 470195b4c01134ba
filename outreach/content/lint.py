"""Everything that would hurt a mail, told before it is sent: each finding with a severity, a reason, a fix.

Pure: no network. Dead links and the sender's DNS are checked in client.py; country rules in gates.py.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rapidfuzz import fuzz

from outreach.content.compose import Compiled, compile_content
from outreach.content.envelope import Rendered
from outreach.content.footer import missing
from outreach.content.languages import base_language, language_of_country
from outreach.content.lint_html import check_html
from outreach.content.lint_words import check_words
from outreach.content.mjml import faults
from outreach.content.problem import ContentProblem, Problem, Where
from outreach.content.sourcemap import Expanded, expand
from outreach.content.template import TemplateSource

ALIKE = 0.85  # of two mails' own words: above it, a reader takes the second for the first
SENDER = {"company": "Example Co., Ltd.", "postal_address": "1 Example Road, Example City"}
_ORDER = {"error": 0, "warning": 1, "info": 2}
_SAFE = re.compile(r"\{\{-?\s*([\w.]+)\s*\|\s*safe\b")
# Values that nobody lacks. The sender's name and postal address are asked for before anything leaves.
_ALWAYS = frozenset(
    {"unsubscribe_url", "preferences_url", "email", "today", "language", "campaign.name"}
    | {"sender.company", "sender.postal_address", "sender.email"}
)


def check(
    source: TemplateSource,
    language: str | None = None,
    *,
    lang: str = "en",
    sender: Mapping[str, Any] | None = None,
    contexts: Sequence[Mapping[str, Any]] = (),
) -> list[Problem]:
    """All findings, the worst first; `lang` is the reader's language, `language` the template's (None: all).

    `contexts` are recipients, for counting who lacks which value.
    """
    return told(findings(source, language, sender=sender, contexts=contexts), lang)


def told(found: Iterable[ContentProblem], lang: str = "en") -> list[Problem]:
    """Findings in the reader's language, each once, the worst first."""
    unique = {(item.code, item.file, item.line, item.column, item.en): item for item in found}
    problems = [Problem.of(item, lang) for item in unique.values()]
    return sorted(problems, key=lambda item: (_ORDER[item.severity], item.file, item.line, item.column))


def findings(
    source: TemplateSource,
    language: str | None = None,
    *,
    subject: str | None = None,
    sender: Mapping[str, Any] | None = None,
    contexts: Sequence[Mapping[str, Any]] = (),
) -> list[ContentProblem]:
    """What `check` tells, in both languages; `subject` is a campaign's or a variant's own."""
    found = [*_languages(source), *_left_behind(source)]
    for one in [language] if language else source.languages:
        found += _one_language(source, one, subject, sender, contexts)
    return found


def _languages(source: TemplateSource) -> Iterator[ContentProblem]:
    for language in source.manifest.subject:
        if language not in source.languages:
            place = Where("template.toml")
            yield ContentProblem("language.subject_only", place, language=language, fallback=source.fallback_language)


def _left_behind(source: TemplateSource) -> Iterator[ContentProblem]:
    for name in source.ignored:
        yield ContentProblem("attachment.ignored", Where(name), file=name)


def _one_language(
    source: TemplateSource,
    language: str,
    subject: str | None,
    sender: Mapping[str, Any] | None,
    contexts: Sequence[Mapping[str, Any]],
) -> list[ContentProblem]:
    try:
        expanded = expand(source.files, source.body_file(language), language)
        structure = list(faults(expanded))
        if structure:
            return structure
        compiled = compile_content(source, language, subject=subject)
        rendered = compiled.render(sample(source, language, sender))
    except ContentProblem as problem:
        return [problem]
    return [
        *check_words(source, language, rendered, Where("subject") if subject else None),
        *check_html(source, expanded, rendered),
        *_template(compiled, expanded),
        *_variables(source, compiled, contexts, {"sender": sender or {}}),
    ]


def sample(source: TemplateSource, language: str, sender: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The context of previews: the template's sample recipient, our sender."""
    values = source.sample_for(language)
    given = {key: value for key, value in (sender or {}).items() if value}
    return values | {"sender": SENDER | dict(values.get("sender") or {}) | given}


def _template(compiled: Compiled, expanded: Expanded) -> Iterator[ContentProblem]:
    for name in missing(expanded.text):
        yield ContentProblem(f"footer.{name.split('_')[0]}" if "unsub" in name else "footer.postal_address")
    for match in _SAFE.finditer(expanded.text):
        yield ContentProblem("jinja.safe", expanded.where(match.start()), what=match[1])


def _variables(
    source: TemplateSource, compiled: Compiled, contexts: Sequence[Mapping[str, Any]], ours: Mapping[str, Any]
) -> Iterator[ContentProblem]:
    """Where there are no recipients yet, what is the same for all (`ours`) is looked at all the same."""
    place, language = Where("template.toml"), compiled.language
    counts = _count_lacking(source, compiled, contexts)
    for name in sorted(unprotected(source, compiled)):
        if not contexts and not has(ours, name):
            yield ContentProblem("variable.no_fallback", place, name=name, language=language)
        elif counts.get(name):
            yield lacks(name, counts[name], len(contexts), language)


def unprotected(source: TemplateSource, compiled: Compiled) -> set[str]:
    """Variables that are printed and have no fallback; what is only printed under its own condition is not meant."""
    covered = {
        name
        for name, variable in source.variables.items()
        if variable.fallback(compiled.language, source.fallback_language) is not None
    }
    return set(compiled.exposed) - covered - _ALWAYS


def lacks(name: str, count: int, total: int, language: str) -> ContentProblem:
    """The finding that some recipients lack a value that has no fallback."""
    place = Where("template.toml")
    return ContentProblem("variable.lacking", place, name=name, count=count, total=total, language=language)


def untranslated(source: TemplateSource, people: Iterable[tuple[str | None, str | None]]) -> dict[str, int]:
    """Languages that recipients would like (theirs, else their country's) and the template lacks, with numbers.

    `people` are (language, country) pairs; whoever is fine with the fallback language is not counted.
    """
    known = {base_language(language) for language in source.languages}
    wishes = Counter(base_language(language or language_of_country(country) or "") for language, country in people)
    return {language: count for language, count in wishes.most_common() if language and language not in known}


def variables_used(source: TemplateSource, language: str) -> frozenset[str]:
    """Dotted names of the variables that a language of a template reads; raises ContentProblem."""
    return compile_content(source, language).variables


def lacking(source: TemplateSource, language: str, contexts: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Variable without fallback → how many of the recipients lack it; raises ContentProblem."""
    compiled = compile_content(source, language)
    return _count_lacking(source, compiled, contexts)


def _count_lacking(source: TemplateSource, compiled: Compiled, contexts: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    counts = {name: sum(1 for values in contexts if not has(values, name)) for name in unprotected(source, compiled)}
    return {name: count for name, count in counts.items() if count}


def has(values: Mapping[str, Any], name: str) -> bool:
    """Whether a recipient's context holds a value to print."""
    return value_of(values, name) not in (None, "", [], {})


def value_of(values: Mapping[str, Any], name: str) -> Any:
    """`owner.phone` of a context; None where any part is missing."""
    current: Any = values
    for part in name.split("."):
        current = current.get(part) if isinstance(current, Mapping) else None
    return current


def too_similar(one: Rendered | str, other: Rendered | str) -> float:
    """0 (nothing in common) to 1 (the same words); refuse from ALIKE on.

    What both share at their beginning and end (the company's header, signature and footer) does not count.
    """
    first, second = _own_words(one), _own_words(other)
    while first and second and first[-1] == second[-1] and min(len(first), len(second)) > 1:
        first, second = first[:-1], second[:-1]
    while first and second and first[0] == second[0] and min(len(first), len(second)) > 1:
        first, second = first[1:], second[1:]
    return fuzz.ratio("\n".join(first), "\n".join(second)) / 100


def check_sequence(mails: Sequence[Rendered], lang: str = "en") -> list[Problem]:
    """Findings about a campaign's steps, rendered for the same person in order: none repeats an earlier one."""
    return [Problem.of(problem, lang) for problem in repeats(mails)]


def repeats(mails: Sequence[Rendered]) -> Iterator[ContentProblem]:
    """What `check_sequence` tells, in both languages."""
    for index, mail in enumerate(mails):
        alike = max((too_similar(earlier, mail) for earlier in mails[:index]), default=0.0)
        if alike >= ALIKE:
            yield ContentProblem("wording.same", percent=round(100 * alike))


def _own_words(mail: Rendered | str) -> list[str]:
    text = mail if isinstance(mail, str) else mail.text
    lines = (re.sub(r"https?://\S+|\d+", "", line).strip().lower() for line in text.splitlines())
    return [line for line in lines if line]

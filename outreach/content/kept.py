"""Compiled contents kept for previews and checks: compiling takes about 50 ms, and one mail is looked at often."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from outreach.content.compose import Compiled, compile_content
from outreach.content.lint import findings
from outreach.content.problem import ContentProblem
from outreach.content.template import TemplateSource

#: A reviewer looks at a few languages and variants of one campaign; each is about a megabyte.
KEPT = 32


class _Keyed:
    """A source whose equality is its digest: files are dictionaries and cannot be hashed."""

    def __init__(self, source: TemplateSource) -> None:
        self.source, self.digest = source, source.digest()

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Keyed) and other.digest == self.digest


@lru_cache(maxsize=KEPT)
def _compile(keyed: _Keyed, language: str, subject: str | None) -> Compiled:
    return compile_content(keyed.source, language, subject=subject)


@lru_cache(maxsize=KEPT)
def _found(keyed: _Keyed, sender: str) -> tuple[ContentProblem, ...]:
    return tuple(findings(keyed.source, sender=json.loads(sender)))


def findings_once(source: TemplateSource, sender: Mapping[str, Any]) -> tuple[ContentProblem, ...]:
    """What `check` tells of all languages of a content: looking anew takes 60 ms a language."""
    return _found(_Keyed(source), json.dumps(dict(sender), sort_keys=True))


def compiled_once(source: TemplateSource, language: str, subject: str | None = None) -> Compiled:
    """A content to `render` (not to `compose`: see compose.py). Raises ContentProblem."""
    return _compile(_Keyed(source), language, subject)

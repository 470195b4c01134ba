"""A template folder → TemplateSource: the frozen texts that are reviewed, hashed and sent.

`files` is everything: a source can be rebuilt from that dict alone, so a campaign stores its snapshot
as JSON and is not touched by later edits of the folder.

    template.toml           titles, subjects, preview texts, variables with their fallbacks
    body.mjml               the body in the fallback language; body.<lang>.mjml in others
    body.txt                optional text part, body.<lang>.txt in others; made from the body where missing
    sample.json             a made-up recipient for previews (no part of the digest)
    _layout/…               the company's header, footer, signature, legal lines and snippets
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from outreach.content.languages import base_language, language_of_country
from outreach.content.manifest import Manifest, Variable, parse_manifest
from outreach.content.problem import ContentProblem, Where

LIMIT = 1_000_000  # characters a file: ten times what Gmail shows of a mail (102 kB)
_BODY = re.compile(r"body(?:\.([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})?))?\.mjml$")
_TEXT = (".mjml", ".txt", ".toml", ".json", ".css", ".svg")
LAYOUT = "_layout/"
_IMAGES = (".png", ".jpg", ".jpeg", ".gif")


@dataclass(frozen=True)
class TemplateSource:
    """A template as texts. Equal files, equal digest, equal mail."""

    name: str
    files: Mapping[str, str] = field(hash=False)
    ignored: tuple[str, ...] = field(default=(), hash=False, compare=False)  # files of the folder that no mail takes

    @classmethod
    def from_files(cls, name: str, files: Mapping[str, str]) -> TemplateSource:
        """Rebuild from a snapshot; raises ContentProblem where it could not be used."""
        source = cls(name, dict(files))
        _check_sizes(source.files)
        if "body.mjml" not in source.files:
            raise ContentProblem("template.no_body", language="en", file="body.mjml")
        source.manifest  # noqa: B018  (parsed now, so that a broken file is refused now)
        return source

    @cached_property
    def manifest(self) -> Manifest:
        """template.toml, checked."""
        return parse_manifest(self.files.get("template.toml", ""))

    @property
    def fallback_language(self) -> str:
        """The language of body.mjml."""
        return self.manifest.fallback

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The languages that have a body, the fallback first."""
        found = {match[1] for match in map(_BODY.match, self.files) if match and match[1]}
        return (self.fallback_language, *sorted(found - {self.fallback_language}))

    @property
    def variables(self) -> Mapping[str, Variable]:
        """Declared variables by (dotted) name, with their fallbacks."""
        return self.manifest.variables

    @property
    def values(self) -> Mapping[str, Variable]:
        """Values that are the same for all recipients."""
        return self.manifest.values

    def title(self, language: str) -> str:
        """What staff call it."""
        return pick(self.manifest.title, language, self.fallback_language) or self.name

    def subject(self, language: str) -> str:
        """The subject in that very language; raises ContentProblem where there is none."""
        subject = self.manifest.subject.get(language) or self.manifest.subject.get(base_language(language))
        if not subject:
            raise ContentProblem("template.no_subject", Where("template.toml"), language=language)
        return subject

    def preview(self, language: str) -> str:
        """The line that inboxes show after the subject; may be empty."""
        return self.manifest.preview.get(language) or self.manifest.preview.get(base_language(language), "")

    def body_file(self, language: str) -> str:
        """Name of the body in that language; raises ContentProblem where there is none."""
        name = "body.mjml" if language == self.fallback_language else f"body.{language}.mjml"
        if name not in self.files:
            raise ContentProblem("template.no_body", Where(name), language=language, file=name)
        return name

    def text_file(self, language: str) -> str | None:
        """Name of the written text part, None where it is to be made from the body."""
        name = "body.txt" if language == self.fallback_language else f"body.{language}.txt"
        return name if name in self.files else None

    @cached_property
    def sample(self) -> dict[str, Any]:
        """The made-up recipient of previews."""
        try:
            sample = json.loads(self.files.get("sample.json", "{}"))
        except ValueError as error:
            raise ContentProblem("template.sample", Where("sample.json"), detail=error) from error
        if not isinstance(sample, dict):
            raise ContentProblem("template.sample", Where("sample.json", 1, 1), detail="no object")
        return sample

    def sample_for(self, language: str) -> dict[str, Any]:
        """The made-up recipient of a language: `sample.json` may hold a table for it beside the common values."""
        common = {key: value for key, value in self.sample.items() if key not in self.languages}
        own = self.sample.get(language)
        return common | (own if isinstance(own, dict) else {})

    def digest(self) -> str:
        """SHA-256 (hex) over all that can reach a recipient; what an approval is bound to."""
        sent = sorted((name, text) for name, text in self.files.items() if name != "sample.json")
        return hashlib.sha256(json.dumps(sent, ensure_ascii=False).encode()).hexdigest()


def pick(texts: Mapping[str, str], language: str, fallback: str) -> str:
    """The text in the language, its base language, the fallback, or any."""
    for key in (language, base_language(language), fallback):
        if texts.get(key):
            return texts[key]
    return next(iter(texts.values()), "")


def choose_language(source: TemplateSource, contact_language: str | None, country: str | None) -> str:
    """The contact's language, else one spoken in the country, else the template's fallback."""
    by_country = source.manifest.countries.get((country or "").upper())
    for wish in (contact_language, by_country, language_of_country(country)):
        match = _match(source.languages, wish)
        if match:
            return match
    return source.fallback_language


def _match(languages: tuple[str, ...], wish: str | None) -> str | None:
    wish = (wish or "").replace("_", "-").strip().lower()
    if not wish:
        return None
    exact = [language for language in languages if language.lower() == wish]
    base = [language for language in languages if base_language(language) == base_language(wish)]
    return next(iter(exact + base), None)


def load_template(folder: Path, *layouts: Path) -> TemplateSource:
    """Read a template's folder and the company layout, each folder of it over the one before; raises ContentProblem.

    Without layouts: the one beside the folder. Of the layout's pictures only those are taken that a text names.
    """
    if not (folder / "template.toml").is_file() and not (folder / "body.mjml").is_file():
        raise ContentProblem("template.missing", path=folder.name)
    files, ignored = _read_folder(folder, "")
    if folder.name != "_layout":
        files |= _named(read_layout(*(layouts or (folder.parent / "_layout",))), files)
    return replace(TemplateSource.from_files(folder.name, files), ignored=tuple(ignored))


def read_layout(*layouts: Path) -> dict[str, str]:
    """The files of the company layout, each folder over the one before."""
    files: dict[str, str] = {}
    for layout in layouts:
        if layout.is_dir():
            files |= _read_folder(layout, LAYOUT)[0]
    return files


def _named(layout: dict[str, str], files: Mapping[str, str]) -> dict[str, str]:
    texts = "\n".join(text for part in (files, layout) for text in part.values() if not text.startswith("base64:"))
    return {name: text for name, text in layout.items() if not text.startswith("base64:") or name in texts}


def list_templates(root: Path) -> list[str]:
    """Names of the templates below a folder; `_layout` and hidden folders are none."""
    folders = (path.parent for path in root.glob("*/template.toml"))
    return sorted(folder.name for folder in folders if folder.name[0] not in "_.")


def _read_folder(folder: Path, prefix: str) -> tuple[dict[str, str], list[str]]:
    """The folder's texts and images by name, and the names of what is neither."""
    root = folder.resolve()
    files: dict[str, str] = {}
    ignored: list[str] = []
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        inside = path.resolve().is_relative_to(root)  # a symbolic link must not publish other files
        if inside and path.is_file() and not name.startswith("."):
            text = _read(path, prefix + name)
            if text is None:
                ignored.append(name)
            else:
                files[prefix + name] = text
    return files, ignored


def _read(path: Path, name: str) -> str | None:
    suffix = path.suffix.lower()
    if suffix in _IMAGES:
        return "base64:" + base64.b64encode(path.read_bytes()).decode()
    if suffix not in _TEXT:
        return None
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ContentProblem("template.file", Where(name), file=name) from error


def _check_sizes(files: Mapping[str, str]) -> None:
    for name, text in files.items():
        if len(text) > LIMIT and not text.startswith("base64:"):
            raise ContentProblem("template.size", Where(name), file=name, limit=LIMIT)

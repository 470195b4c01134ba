"""What people do with templates: write, preview, compare, put back, add pictures, send a test to themselves.

The company's own files lie in its own folder; a shipped template that is changed is copied there. The same files are
read by the command line, so an editor on disk and the pages are one thing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Actor
from outreach.access.store import append_audit
from outreach.app.build import SHIPPED, App
from outreach.config import ConfigError
from outreach.content import versions
from outreach.content.images import Picture, pictures
from outreach.content.picture.prepare import Prepared, prepare
from outreach.content.problem import ContentProblem, Where
from outreach.content.store import snapshot
from outreach.content.template import LAYOUT, TemplateSource, read_layout
from outreach.model import TemplateVersion, User
from outreach.model.base import table

VERSIONS, USERS = table(TemplateVersion), table(User)
#: Names made by our own rule: no path can be built from one (CVE-2026-33656).
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
FILE = re.compile(r"(?:snippets/)?[a-z0-9][\w.-]{0,80}\.(?:mjml|txt|toml|json)")
LAYOUT_NAME = "_layout"
IMAGES = f"{LAYOUT}images/"
SNIPPETS = "snippets/"


class AuthoringError(Exception):
    """What was asked for cannot be done; `code` names why: name, taken, file, missing, language."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Version:
    """A stored wording: its number, when, by whom, with which remark."""

    id: int
    number: int
    at: datetime
    author: str
    comment: str
    current: bool = False


# -- files ------------------------------------------------------------------------------------------------------------


def own_folder(app: App) -> Path:
    """Where the company's own templates are."""
    return Path(app.settings.folder, app.settings.paths.templates)


def is_own(app: App, name: str) -> bool:
    """Whether the company has files of its own for it."""
    return own_folder(app).resolve() != (SHIPPED / "templates").resolve() and (own_folder(app) / name).is_dir()


def texts(app: App, name: str) -> dict[str, str]:
    """The text files of a template, or of the company layout. Raises AuthoringError where there is no such thing."""
    if name == LAYOUT_NAME:
        files = read_layout(*app.layout_folders())
        files = {file.removeprefix(LAYOUT): text for file, text in files.items()}
    else:
        files = {file: text for file, text in _source(app, name).files.items() if not file.startswith(LAYOUT)}
    return {file: text for file, text in sorted(files.items()) if FILE.fullmatch(file)}


def _source(app: App, name: str) -> TemplateSource:
    if not NAME.fullmatch(name):
        raise AuthoringError("missing")
    try:
        return app.template(name)
    except ConfigError as error:
        raise AuthoringError("missing") from error


def tried(app: App, name: str, file: str, text: str) -> TemplateSource:
    """The template as it would be with one file changed; raises ContentProblem, AuthoringError."""
    shown = _shown_with(app) if name == LAYOUT_NAME else name
    base = _source(app, shown)
    inside = f"{LAYOUT}{file}" if name == LAYOUT_NAME else file
    if not FILE.fullmatch(file):
        raise AuthoringError("file")
    return TemplateSource.from_files(shown, {**base.files, **_library(app, text), inside: text})


def _library(app: App, text: str) -> dict[str, str]:
    """Pictures that a text has just begun to name."""
    layout = read_layout(*app.layout_folders()) if IMAGES in text else {}
    return {name: content for name, content in layout.items() if name.startswith(IMAGES) and name in text}


def _shown_with(app: App) -> str:
    """The template that the layout is looked at with."""
    names = app.template_names()
    return "product-launch" if "product-launch" in names else names[0]


async def save(app: App, name: str, file: str, text: str, actor: Actor, now: datetime, comment: str = "") -> int:
    """Write one file; the wording is kept as a version, whose number is returned. Raises ContentProblem.

    What cannot even be read (a broken template.toml or sample.json) is not saved; the lint tells the rest.
    """
    source = tried(app, name, file, text)
    source.sample  # noqa: B018  (parsed now, so that a broken file is refused now)
    target = own_folder(app) / name
    if name == LAYOUT_NAME:
        _write(target, {file: text})
    else:
        own = {known: content for known, content in source.files.items() if not known.startswith(LAYOUT)}
        versions.restore(target, own)
    return await _record(app, name, actor, now, comment, "template.saved")


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for file, text in files.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")


async def _record(app: App, name: str, actor: Actor, now: datetime, comment: str, action: str) -> int:
    if name == LAYOUT_NAME:
        source = TemplateSource(name, read_layout(*app.layout_folders()))
    else:
        source = app.template(name)
    async with app.db.write() as conn:
        version, digest = await snapshot(conn, source, now, author_id=actor.id, comment=comment)
        after = {"version_id": version, "sha256": digest}
        await append_audit(conn, actor, action, "template", name, now=now, after=after)
        number = await conn.scalar(select(VERSIONS.c.version).where(VERSIONS.c.id == version))
    return int(number or 0)


async def copy(app: App, base: str, name: str, title: str, actor: Actor, now: datetime) -> None:
    """A new template that begins as a copy of another. Raises AuthoringError."""
    if not NAME.fullmatch(name):
        raise AuthoringError("name")
    if name in app.template_names() or (own_folder(app) / name).is_dir():
        raise AuthoringError("taken")
    files = {file: text for file, text in _source(app, base).files.items() if not file.startswith(LAYOUT)}
    if title:
        files["template.toml"] = _titled(files.get("template.toml", ""), title)
    versions.restore(own_folder(app) / name, files)
    await _record(app, name, actor, now, f"copy of {base}", "template.created")


def _titled(manifest: str, title: str) -> str:
    """template.toml with one title for all languages, its comments and order kept."""
    import tomlkit

    document = tomlkit.parse(manifest)
    old = document.get("title")
    names = list(old) if isinstance(old, Mapping) else [str(document.get("fallback", "en"))]
    document["title"] = dict.fromkeys(names, title)
    return tomlkit.dumps(document)


async def add_language(app: App, name: str, language: str, actor: Actor, now: datetime) -> str:
    """Begin a translation: the body and the subject copied, to be translated. Returns the new file's name."""
    import tomlkit

    source = _source(app, name)
    if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?", language):
        raise AuthoringError("language")
    if language in source.languages:
        raise AuthoringError("taken")
    fallback = source.fallback_language
    document = tomlkit.parse(source.files.get("template.toml", ""))
    for key, text in (("subject", source.subject(fallback)), ("preview", source.preview(fallback))):
        present = document.get(key)
        document[key] = {**(present if isinstance(present, Mapping) else {fallback: text}), language: text}
    own = {file: text for file, text in source.files.items() if not file.startswith(LAYOUT)}
    file = f"body.{language}.mjml"
    own |= {file: own[source.body_file(fallback)], "template.toml": tomlkit.dumps(document)}
    TemplateSource.from_files(name, own)
    versions.restore(own_folder(app) / name, own)
    await _record(app, name, actor, now, f"begin {language}", "template.saved")
    return file


# -- versions ---------------------------------------------------------------------------------------------------------


async def history(app: App, name: str) -> list[Version]:
    """The stored wordings, the newest first; `current` is the one that the files say now."""
    digest = _digest(app, name)
    query = (
        select(VERSIONS, USERS.c.display_name, USERS.c.name.label("login"))
        .outerjoin(USERS, USERS.c.id == VERSIONS.c.author_id)
        .where(VERSIONS.c.name == name)
        .order_by(VERSIONS.c.version.desc())
        .limit(200)
    )
    async with app.db.read() as conn:
        rows = (await conn.execute(query)).all()
    return [
        Version(r.id, r.version, r.created_at, r.display_name or r.login or "", r.comment or "", r.sha256 == digest)
        for r in rows
    ]


def _digest(app: App, name: str) -> str:
    try:
        if name == LAYOUT_NAME:
            return TemplateSource(name, read_layout(*app.layout_folders())).digest()
        return _source(app, name).digest()
    except ContentProblem:  # a broken template has versions all the same
        return ""


async def files_of(conn: AsyncConnection, name: str, number: int) -> dict[str, str]:
    """The files of a stored version. Raises AuthoringError where there is none."""
    query = select(VERSIONS.c.files).where(VERSIONS.c.name == name, VERSIONS.c.version == number)
    files: dict[str, str] | None = await conn.scalar(query)
    if files is None:
        raise AuthoringError("missing")
    return files


async def compare(app: App, name: str, old: int, new: int) -> list[versions.FileChange]:
    """What changed from one version to another; 0 stands for nothing before the first."""
    async with app.db.read() as conn:
        before = await files_of(conn, name, old) if old else {}
        return versions.diff(before, await files_of(conn, name, new))


async def restore(app: App, name: str, number: int, actor: Actor, now: datetime) -> int:
    """Put a version back into the folder; the company layout stays as it is. Returns the version's number."""
    async with app.db.read() as conn:
        files = await files_of(conn, name, number)
    if name == LAYOUT_NAME:
        own = {file.removeprefix(LAYOUT): text for file, text in files.items() if not file.startswith(IMAGES)}
        _write(own_folder(app) / name, own)
    else:
        versions.restore(own_folder(app) / name, files)
    return await _record(app, name, actor, now, f"version {number} put back", "template.restored")


# -- pictures and snippets --------------------------------------------------------------------------------------------


def library(app: App) -> list[Picture]:
    """The company's pictures, by name."""
    layout = read_layout(*app.layout_folders())
    found = pictures({name: text for name, text in layout.items() if name.startswith(IMAGES)})
    return sorted(found.values(), key=lambda picture: picture.name)


async def add_picture(app: App, name: str, data: bytes, actor: Actor, now: datetime) -> Prepared:
    """Check an upload, make it smaller and put it beside the layout. Raises ContentProblem."""
    import asyncio

    made = await asyncio.to_thread(prepare, name, data)
    path = own_folder(app) / LAYOUT_NAME / "images" / made.name
    if path.exists() and path.read_bytes() != made.data:
        raise ContentProblem("picture.taken", Where(made.name), name=made.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(made.data)
    after = {"name": made.name, "bytes": len(made.data), "width": made.width, "height": made.height}
    async with app.db.write() as conn:
        await append_audit(conn, actor, "picture.added", "picture", made.name, now=now, after=after)
    return made


async def remove_picture(app: App, name: str, actor: Actor, now: datetime) -> None:
    """Remove a picture that no template shows; what was sent keeps its own copy. Raises ContentProblem."""
    known = next((one for one in library(app) if one.name == f"{IMAGES}{name}"), None)
    path = own_folder(app) / LAYOUT_NAME / "images" / name
    if known is None or not path.is_file():
        raise AuthoringError("missing")
    for template in app.template_names():
        if _uses(app, template, known.name):
            raise ContentProblem("picture.used", Where(name), name=name, template=template)
    path.unlink()
    async with app.db.write() as conn:
        await append_audit(conn, actor, "picture.removed", "picture", name, now=now)


def _uses(app: App, template: str, picture: str) -> bool:
    try:
        return picture in app.template(template).files
    except ContentProblem:
        return False


async def add_snippet(app: App, name: str, caption: str, text: str, actor: Actor, now: datetime) -> str:
    """A new snippet of the company's; returns its file. Raises AuthoringError, ContentProblem."""
    if not NAME.fullmatch(name):
        raise AuthoringError("name")
    file = f"{SNIPPETS}{name}.mjml"
    if file in texts(app, LAYOUT_NAME):
        raise AuthoringError("taken")
    words = re.sub(r"[-<>|]+", " ", caption).strip() or name
    await save(app, LAYOUT_NAME, file, f"<!-- en: {words} | zh: {words} -->\n{text}", actor, now)
    return file


async def remove_snippet(app: App, file: str, actor: Actor, now: datetime) -> None:
    """Remove a snippet of the company's own; a shipped one comes back as it was shipped."""
    path = own_folder(app) / LAYOUT_NAME / file
    if not FILE.fullmatch(file) or not file.startswith(SNIPPETS) or not path.is_file():
        raise AuthoringError("missing")
    path.unlink()
    await _record(app, LAYOUT_NAME, actor, now, f"{file} removed", "template.saved")


def own_layout_files(app: App) -> Sequence[str]:
    """Which files of the layout are the company's own."""
    folder = own_folder(app) / LAYOUT_NAME
    if not is_own(app, LAYOUT_NAME):
        return []
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())

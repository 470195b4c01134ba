"""Template versions: every wording that was ever used stays, and is found by its SHA-256."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.content.images import pictures
from outreach.content.picture.store import keep
from outreach.content.problem import ContentProblem
from outreach.content.template import TemplateSource
from outreach.model import TemplateVersion
from outreach.model.base import table

VERSIONS = table(TemplateVersion)


async def snapshot(
    conn: AsyncConnection, source: TemplateSource, now: datetime, *, author_id: int | None = None, comment: str = ""
) -> tuple[int, str]:
    """Store a template's texts as a version, once for each wording. Returns (version id, SHA-256)."""
    digest = source.digest()
    known = await conn.execute(select(VERSIONS.c.id).where(VERSIONS.c.name == source.name, VERSIONS.c.sha256 == digest))
    found = known.scalar()
    if found is not None:
        return int(found), digest
    newest = await conn.scalar(select(func.max(VERSIONS.c.version)).where(VERSIONS.c.name == source.name))
    values = {
        "name": source.name,
        "version": (newest or 0) + 1,
        "sha256": digest,
        "files": dict(source.files),
        "author_id": author_id,
        "comment": comment or None,
        "created_at": now,
    }
    if source.manifest.served:
        await keep(conn, pictures(source.files).values(), now)
    result = await conn.execute(insert(VERSIONS).values(**values).returning(VERSIONS.c.id))
    return int(result.scalar_one()), digest


async def version_source(conn: AsyncConnection, version_id: int) -> TemplateSource:
    """Rebuild a stored version. Raises LookupError if there is none, ContentProblem if it was tampered with."""
    query = select(VERSIONS.c.name, VERSIONS.c.files, VERSIONS.c.sha256).where(VERSIONS.c.id == version_id)
    row = (await conn.execute(query)).one_or_none()
    if row is None:
        raise LookupError(f"there is no template version {version_id}")
    source = TemplateSource.from_files(row.name, row.files)
    if source.digest() != row.sha256:
        raise ContentProblem("template.tampered", name=row.name)
    return source


async def version_label(conn: AsyncConnection, version_id: int) -> str:
    """Return ``name v3`` for a stored version."""
    row = (await conn.execute(select(VERSIONS.c.name, VERSIONS.c.version).where(VERSIONS.c.id == version_id))).one()
    return f"{row.name} v{row.version}"

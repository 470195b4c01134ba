"""Template versions: every wording that was ever used stays, and is found by its SHA-256."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.content.template import TemplateSource
from outreach.model import TemplateVersion


async def snapshot(
    conn: AsyncConnection, source: TemplateSource, now: datetime, *, author_id: int | None = None, comment: str = ""
) -> tuple[int, str]:
    """Store a template's texts as a version, once for each wording. Returns (version id, SHA-256)."""
    digest = source.digest()
    known = await conn.execute(
        select(TemplateVersion.id).where(TemplateVersion.name == source.name, TemplateVersion.sha256 == digest)
    )
    found = known.scalar()
    if found is not None:
        return int(found), digest
    newest = await conn.scalar(select(func.max(TemplateVersion.version)).where(TemplateVersion.name == source.name))
    values = {
        "name": source.name,
        "version": (newest or 0) + 1,
        "sha256": digest,
        "files": dict(source.files),
        "author_id": author_id,
        "comment": comment or None,
        "created_at": now,
    }
    result = await conn.execute(insert(TemplateVersion).values(**values).returning(TemplateVersion.id))
    return int(result.scalar_one()), digest


async def version_source(conn: AsyncConnection, version_id: int) -> TemplateSource:
    """Rebuild a stored version. Raises LookupError if there is none, ContentProblem if it was tampered with."""
    row = (
        await conn.execute(select(TemplateVersion.name, TemplateVersion.files).where(TemplateVersion.id == version_id))
    ).one_or_none()
    if row is None:
        raise LookupError(f"there is no template version {version_id}")
    return TemplateSource.from_files(row.name, row.files)


async def version_label(conn: AsyncConnection, version_id: int) -> str:
    """Return ``name v3`` for a stored version."""
    row = (
        await conn.execute(
            select(TemplateVersion.name, TemplateVersion.version).where(TemplateVersion.id == version_id)
        )
    ).one()
    return f"{row.name} v{row.version}"

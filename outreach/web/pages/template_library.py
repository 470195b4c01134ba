"""What all templates share: the company's pictures, its layout and its snippets."""

from __future__ import annotations

from typing import Any

from fastapi import HTTPException
from fastapi.responses import Response
from starlette.datastructures import UploadFile

from outreach.access.roles import Permission
from outreach.app import authoring
from outreach.content.picture.prepare import MOST_BYTES
from outreach.content.problem import ContentProblem
from outreach.content.snippets import snippets
from outreach.web.i18n import N_
from outreach.web.pages.templates import REFUSED
from outreach.web.routing import Pages, Staff

router = Pages()
#: What the layout's files are for.
LAYOUT = {
    "header": N_("Top of every mail: the company's mark and name"),
    "footer": N_("Bottom of every mail: sender, postal address, unsubscribe"),
    "signature": N_("The salesperson who writes"),
    "legal": N_("What the law of the recipient's country asks for"),
    "style": N_("Colours, sizes, dark mode"),
}


@router.page("/template-pictures", Permission.TEMPLATES_VIEW)
async def pictures(staff: Staff) -> Response:
    """The company's pictures."""
    return await _pictures(staff)


async def _pictures(staff: Staff, error: str = "", fix: str = "", status: int = 200) -> Response:
    rows = [_shown(picture) for picture in authoring.library(staff.app)]
    return await staff.render("template_pictures.html", status=status, pictures=rows, error=error, fix=fix)


def _shown(picture: Any) -> dict[str, Any]:
    width, height = picture.size or (0, 0)
    name = picture.name.rpartition("/")[2]
    tag = f'<mj-image src="{picture.name}" alt="" width="{min(width, 520)}px" />'
    return {"name": name, "bytes": len(picture.data), "width": width, "height": height, "tag": tag}


@router.page("/template-pictures/{file}", Permission.TEMPLATES_VIEW)
async def picture(staff: Staff, file: str) -> Response:
    """One picture, for these pages."""
    found = next((one for one in authoring.library(staff.app) if one.name.rpartition("/")[2] == file), None)
    if found is None:
        raise HTTPException(404)
    headers = {"content-security-policy": "default-src 'none'; sandbox", "cache-control": "private, max-age=60"}
    return Response(found.data, media_type=found.kind, headers=headers)


@router.action("/template-pictures", Permission.TEMPLATES_EDIT)
async def upload(staff: Staff) -> Response:
    """Add pictures: each is checked, made smaller and written anew."""
    given = [one for one in (await staff.form()).getlist("file") if isinstance(one, UploadFile) and one.filename]
    if not given:
        return await _pictures(staff, staff.say(N_("Choose a file first.")), status=422)
    read = [(one.filename or "", await one.read(MOST_BYTES + 1)) for one in given[:20]]
    for one in given:
        await one.close()
    for filename, data in read:
        try:
            await authoring.add_picture(staff.app, filename, data, staff.actor, staff.now)
        except ContentProblem as problem:
            return await _pictures(staff, problem.message(staff.lang), problem.fix(staff.lang), 422)
    return staff.done("/template-pictures", N_("Added. Put them in from the editor."))


@router.action("/template-pictures/{file}/remove", Permission.TEMPLATES_EDIT)
async def remove_picture(staff: Staff, file: str) -> Response:
    """Remove a picture that no template shows."""
    try:
        await authoring.remove_picture(staff.app, file, staff.actor, staff.now)
    except ContentProblem as problem:
        return await _pictures(staff, problem.message(staff.lang), problem.fix(staff.lang), 409)
    except authoring.AuthoringError as error:
        raise HTTPException(404) from error
    return staff.done("/template-pictures", N_("Removed. Mails that were sent keep it."))


@router.page("/template-layout", Permission.TEMPLATES_VIEW)
async def layout(staff: Staff) -> Response:
    """The company layout and the snippets."""
    return await _layout(staff)


async def _layout(staff: Staff, error: str = "", status: int = 200, **typed: str) -> Response:
    name = authoring.LAYOUT_NAME
    files = authoring.texts(staff.app, name)
    pieces = snippets({f"_layout/{file}": text for file, text in files.items()})
    parts = [file for file in files if not file.startswith(authoring.SNIPPETS)]
    return await staff.render(
        "template_layout.html", status=status, name=name, parts=parts, about=LAYOUT, pieces=pieces, error=error,
        own=authoring.own_layout_files(staff.app), versions=await authoring.history(staff.app, name), typed=typed,
    )  # fmt: skip


@router.action("/template-layout/snippets", Permission.TEMPLATES_EDIT)
async def add_snippet(staff: Staff) -> Response:
    """A new snippet of the company's own."""
    form = await staff.form()
    name, caption = str(form.get("name", "")).strip().lower(), str(form.get("caption", "")).strip()[:120]
    text = str(form.get("text", "")).replace("\r\n", "\n")[:50_000]
    try:
        file = await authoring.add_snippet(staff.app, name, caption, text, staff.actor, staff.now)
    except ContentProblem as problem:
        return await _layout(staff, problem.message(staff.lang), 422, name=name, caption=caption, text=text)
    except authoring.AuthoringError as error:
        return await _layout(staff, staff.say(REFUSED[error.code]), 422, name=name, caption=caption, text=text)
    return staff.done(f"/templates/_layout/edit?file={file}", N_("Added. Put it in from the editor of a template."))


@router.action("/template-layout/snippets/{file}/remove", Permission.TEMPLATES_EDIT)
async def remove_snippet(staff: Staff, file: str) -> Response:
    """Remove an own snippet; a shipped one comes back as it was."""
    path = f"{authoring.SNIPPETS}{file}"
    try:
        await authoring.remove_snippet(staff.app, path, staff.actor, staff.now)
    except authoring.AuthoringError as error:
        raise HTTPException(404) from error
    return staff.done("/template-layout", N_("Removed."))

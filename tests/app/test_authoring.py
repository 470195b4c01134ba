"""Writing templates: files of the company's own over the shipped ones, versions, pictures, snippets, a test to oneself."""

from __future__ import annotations

from email import message_from_bytes, policy
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from outreach.access.roles import OPERATOR
from outreach.app import authoring
from outreach.app.authoring import AuthoringError
from outreach.app.build import App
from outreach.app.trial_mail import send_trial
from outreach.content.compose import compile_content
from outreach.content.lint import sample
from outreach.content.picture.prepare import WIDEST, prepare
from outreach.content.problem import ContentProblem
from tests.app.test_preflight import add
from tests.flow.house import START, Clock, approved, installed, work


def picture(width: int = 40, height: int = 30, kind: str = "PNG", **more: Any) -> bytes:
    out = BytesIO()
    Image.new("RGB", (width, height), "#0b7285").save(out, kind, **more)
    return out.getvalue()


async def test_a_changed_file_lies_in_the_own_folder_and_is_a_version(tmp_path: Path) -> None:
    async with installed(tmp_path, 1) as app:
        before = app.template("follow-up")
        assert not authoring.is_own(app, "follow-up")
        text = before.files["body.mjml"].replace("A reply with one letter", "One letter as a reply")
        assert await authoring.save(app, "follow-up", "body.mjml", text, OPERATOR, START, "clearer") == 1
        assert (tmp_path / "templates/follow-up/body.zh.mjml").is_file()
        assert "One letter as a reply" in compile_content(app.template("follow-up"), "en").html_template
        more = text.replace("One letter as a reply", "A single letter")
        await authoring.save(app, "follow-up", "body.mjml", more, OPERATOR, START)
        versions = await authoring.history(app, "follow-up")
        assert [(one.number, one.comment, one.current) for one in versions] == [(2, "", True), (1, "clearer", False)]
        change = next(iter(await authoring.compare(app, "follow-up", 1, 2)))
        assert change.name == "body.mjml"
        assert any(line.startswith("+") and "A single letter" in line for line in change.lines)
        await authoring.restore(app, "follow-up", 1, OPERATOR, START)
        assert app.template("follow-up").files["body.mjml"] == text
        assert (await authoring.history(app, "follow-up"))[1].current


async def test_the_layout_is_changed_for_all_templates(tmp_path: Path) -> None:
    async with installed(tmp_path, 1) as app:
        text = authoring.texts(app, "_layout")["header.mjml"].replace("</mj-table>", "</mj-table><!-- ours -->")
        await authoring.save(app, "_layout", "header.mjml", text.replace("700", "600"), OPERATOR, START)
        assert authoring.own_layout_files(app) == ["header.mjml"]
        for name in app.template_names():
            assert "ours" in app.template(name).files["_layout/header.mjml"]
            assert "_layout/footer.mjml" in app.template(name).files  # the shipped one
        assert [one.number for one in await authoring.history(app, "_layout")] == [1]


async def test_what_cannot_be_read_is_not_saved(tmp_path: Path) -> None:
    async with installed(tmp_path, 1) as app:
        for file, text in (("template.toml", "subject = "), ("sample.json", "{"), ("sample.json", "[]")):
            with pytest.raises(ContentProblem):
                await authoring.save(app, "follow-up", file, text, OPERATOR, START)
        assert not (tmp_path / "templates/follow-up").exists()


def found_below(folder: Path) -> list[Path]:
    return list(folder.rglob("*.mjml"))


@pytest.mark.parametrize("file", ["../x.mjml", "/etc/x.txt", "snippets/../../x.mjml", "x.py", ".x.txt", "a/b.mjml", ""])
async def test_no_name_leads_outside(tmp_path: Path, file: str) -> None:
    async with installed(tmp_path, 1) as app:
        with pytest.raises(AuthoringError):
            await authoring.save(app, "follow-up", file, "x", OPERATOR, START)
        with pytest.raises(AuthoringError):
            await authoring.save(app, f"../{file}", "body.mjml", "x", OPERATOR, START)
    assert not found_below(tmp_path)


async def test_a_copy_and_a_translation_are_begun(tmp_path: Path) -> None:
    async with installed(tmp_path, 1) as app:
        await authoring.copy(app, "follow-up", "gentle-reminder", "Gentle reminder", OPERATOR, START)
        assert app.template("gentle-reminder").title("zh") == "Gentle reminder"
        with pytest.raises(AuthoringError, match="taken"):
            await authoring.copy(app, "follow-up", "gentle-reminder", "", OPERATOR, START)
        with pytest.raises(AuthoringError, match="name"):
            await authoring.copy(app, "follow-up", "../x", "", OPERATOR, START)
        assert await authoring.add_language(app, "gentle-reminder", "fr", OPERATOR, START) == "body.fr.mjml"
        source = app.template("gentle-reminder")
        assert source.languages == ("en", "fr", "zh")
        assert source.subject("fr") == source.subject("en")
        assert "# " in app.template("product-launch").files["template.toml"]
        with pytest.raises(AuthoringError, match="taken"):
            await authoring.add_language(app, "gentle-reminder", "fr", OPERATOR, START)


async def test_a_picture_is_made_smaller_and_forgets_where_it_was_taken(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "CanaryCam"
    raw = picture(3000, 2000, "JPEG", exif=exif)
    assert b"CanaryCam" in raw
    async with installed(tmp_path, 1) as app:
        made = await authoring.add_picture(app, "../产品 图 (1).JPEG", raw, OPERATOR, START)
        assert (made.name, made.width, made.height) == ("产品-图-1.jpg", WIDEST, 800)
        assert b"CanaryCam" not in made.data
        assert [one.name for one in authoring.library(app)] == ["_layout/images/产品-图-1.jpg"]
        await authoring.add_picture(app, "产品 图 (1).jpg", raw, OPERATOR, START)  # again: the same
        with pytest.raises(ContentProblem, match="already"):
            await authoring.add_picture(app, "产品 图 (1).jpg", picture(kind="JPEG"), OPERATOR, START)


@pytest.mark.parametrize(
    "data",
    [b"", b"GIF89a", b"<svg onload='x'/>", b"\x89PNG\r\n\x1a\n" + b"x" * 50, picture()[:60], b"MZ" + b"\0" * 99],
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(ContentProblem, match=r"not a PNG|PNG, JPEG"):
        prepare("x.png", data)


def test_bombs_and_large_files_are_refused() -> None:
    bomb = bytearray(picture())
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2
    with pytest.raises(ContentProblem):
        prepare("bomb.png", bytes(bomb))
    with pytest.raises(ContentProblem, match="10 MB"):
        prepare("large.png", b"x" * 10_000_001)


def test_animations_and_transparency_survive() -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    out = BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=80)
    made = prepare("Blink.gif", out.getvalue())
    assert made.name == "blink.gif"
    assert getattr(Image.open(BytesIO(made.data)), "n_frames", 1) == 2
    clear = BytesIO()
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(clear, "PNG")
    assert prepare("logo.png", clear.getvalue()).alpha


async def illustrated(app: App, how: str) -> None:
    """The follow-up with a picture of the library in it."""
    await authoring.add_picture(app, "lamp.png", picture(), OPERATOR, START)
    source = app.template("follow-up")
    tag = '<mj-image src="_layout/images/lamp.png" alt="A lamp" width="40px" /><mj-text mj-class="subtitle"'
    body = source.files["body.mjml"].replace('<mj-text mj-class="subtitle"', tag, 1)
    await authoring.save(app, "follow-up", "body.mjml", body, OPERATOR, START)
    manifest = f'images = "{how}"\n{source.files["template.toml"]}'
    await authoring.save(app, "follow-up", "template.toml", manifest, OPERATOR, START)


@pytest.mark.parametrize("how", ["embedded", "served"])
async def test_a_picture_travels_inside_the_mail_or_is_served_for_ever(
    tmp_path: Path, smtp_sink: Any, how: str
) -> None:
    from outreach.app import campaigns as use
    from outreach.tracking.views import PublicApp

    clock = Clock()
    async with installed(tmp_path, smtp_sink.port) as app:
        await illustrated(app, how)
        with pytest.raises(ContentProblem, match="follow-up"):
            await authoring.remove_picture(app, "lamp.png", OPERATOR, START)
        await add(app, tmp_path, "a@a.example,Ann,A,GB,customer")
        campaign = await approved(app, clock, template="follow-up")
        await use.start(app, campaign, OPERATOR, clock())
        await work(app, clock)
        mail = message_from_bytes(smtp_sink.messages()[0].data, policy=policy.default)
        body = mail.get_body(("html",))
        assert body is not None
        html = body.get_content()
        name = authoring.library(app)[0].public
        if how == "embedded":
            assert f'src="cid:{name.partition(".")[0]}@outreach"' in html
            return
        assert f'src="http://127.0.0.1:8000/m/{name}"' in html
        transport = httpx.ASGITransport(app=PublicApp(None, app.public_services(clock)))  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://t.test") as client:
            answer = await client.get(f"/m/{name}")
            assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
            assert "immutable" in answer.headers["cache-control"]
            assert answer.content == authoring.library(app)[0].data
            assert (await client.head(f"/m/{name}")).headers["content-length"] == str(len(answer.content))
            for other in (f"/m/{'0' * 32}.png", "/m/..%2fsecret.png", "/m/"):
                assert (await client.get(other)).status_code == 404
            assert (await client.post(f"/m/{name}")).status_code == 405


async def test_only_pictures_that_are_shown_belong_to_a_template(tmp_path: Path) -> None:
    async with installed(tmp_path, 1) as app:
        before = app.template("follow-up").digest()
        await authoring.add_picture(app, "unused.png", picture(), OPERATOR, START)
        assert app.template("follow-up").digest() == before
        await authoring.remove_picture(app, "unused.png", OPERATOR, START)
        assert authoring.library(app) == []


async def test_snippets_are_added_put_in_and_removed(tmp_path: Path) -> None:
    text = '<mj-section><mj-column><mj-text padding="0">CE and RoHS</mj-text></mj-column></mj-section>'
    async with installed(tmp_path, 1) as app:
        await authoring.add_snippet(app, "certificates", "Certificates | <x>", text, OPERATOR, START)
        source = app.template("follow-up")
        body = source.files["body.mjml"].replace("signature", "snippets/certificates", 1)
        changed = authoring.tried(app, "follow-up", "body.mjml", body)
        assert "CE and RoHS" in compile_content(changed, "en").render(sample(changed, "en")).html
        with pytest.raises(AuthoringError, match="taken"):
            await authoring.add_snippet(app, "certificates", "x", text, OPERATOR, START)
        await authoring.remove_snippet(app, "snippets/certificates.mjml", OPERATOR, START)
        with pytest.raises(AuthoringError, match="missing"):
            await authoring.remove_snippet(app, "snippets/note.mjml", OPERATOR, START)  # shipped


async def test_a_test_mail_goes_to_oneself_and_counts_nowhere(tmp_path: Path, smtp_sink: Any) -> None:
    async with installed(tmp_path, smtp_sink.port) as app:
        await add(app, tmp_path, "a@a.example,Ann,Lumen,GB,customer")
        source = app.template("product-launch")
        posted = await send_trial(app, source, "me@mingxu.example", OPERATOR, START, contact="a@a.example", lang="zh")
        assert posted.outcome == "sent"
        sunk = smtp_sink.messages()[0]
        mail = message_from_bytes(sunk.data, policy=policy.default)
        assert smtp_sink.recipients() == ["me@mingxu.example"]
        assert mail["To"] == "me@mingxu.example"
        assert mail["Subject"] == "【测试】Ann, meet the new Aurora P2 floodlight"
        body = mail.get_body(("plain",))
        assert body is not None
        assert "Lumen" in body.get_content()
        async with app.db.read() as conn:
            from sqlalchemy import text

            assert (await conn.execute(text("SELECT count(*) FROM message"))).scalar() == 0

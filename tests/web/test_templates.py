"""Templates in the pages: looked at through anybody's eyes, edited, compared, put back, illustrated, tried."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.web.house import House, open_house


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[House]:
    """A house whose own templates lie in a folder of the test."""
    house = await open_house(f"sqlite:///{tmp_path}/house.db")
    house.outreach.settings = house.outreach.settings.model_copy(update={"folder": tmp_path})
    yield house
    await house.db.close()


def png(width: int = 30) -> bytes:
    out = BytesIO()
    Image.new("RGB", (width, 20), "#8fd3de").save(out, "PNG")
    return out.getvalue()


async def test_a_mail_is_looked_at_under_every_condition(desk: House) -> None:
    async with desk.visitor("li.na") as author:
        here = "/templates/product-launch"
        for view, sign in (
            ("dark", "@media all"),
            ("light", "@media not all"),
            ("text", "<pre"),
            ("off", "@media not all"),
        ):
            page = await author.get(f"{here}/mail?language=en&view={view}")
            assert sign in page.text, view
            assert "script-src" not in page.headers["content-security-policy"]
        page = await author.get(f"{here}?view=dark&language=zh")
        assert "view=dark" in page.text
        assert 'lang="zh"' in (await author.get(f"{here}/mail?language=zh")).text


async def test_through_the_eyes_of_a_contact_that_one_may_see(desk: House) -> None:
    async with desk.db.read() as conn:
        from sqlalchemy import text

        query = (
            "SELECT e.address, c.first_name FROM email_address e JOIN contact c ON c.id = e.contact_id WHERE c.id = {}"
        )
        first = (await conn.execute(text(query.format(2)))).one()
    async with desk.visitor("li.na") as author:
        page = await author.get(f"/templates/follow-up?language=en&contact={first.address}")
        assert "No contact of yours" not in page.text
        body = (await author.get(f"/templates/follow-up/mail?language=en&contact={first.address}")).text
        assert "Anna" not in body
        assert "No contact of yours" in (await author.get("/templates/follow-up?contact=no@body.example")).text
    async with desk.visitor("zhou.yang") as other:  # contact 2 is not his
        assert "No contact of yours" in (await other.get(f"/templates/follow-up?contact={first.address}")).text


async def test_edited_compared_and_put_back(desk: House) -> None:
    async with desk.visitor("li.na") as author:
        page = await author.get("/templates/follow-up/edit?file=body.mjml")
        assert "data-insert" in page.text
        text = (desk.outreach.template("follow-up")).files["body.mjml"]
        changed = {
            "file": "body.mjml",
            "text": text.replace("Where do you stand?", "How is it going?"),
            "comment": "warmer",
        }
        part = await author.post("/templates/follow-up/preview", {**changed, "view": "dark", "device": "phone"})
        assert 'data-device="phone"' in part.text
        key = re.search(r"/templates/previews/([\w-]+)", part.text)
        assert key is not None
        assert "How is it going?" in (await author.get(f"/templates/previews/{key[1]}")).text
        assert (await author.post("/templates/follow-up/save", changed)).status_code == 303
        again = {**changed, "text": text.replace("Where do you stand?", "Any news?"), "comment": ""}
        await author.post("/templates/follow-up/save", again)
        page = await author.get("/templates/follow-up/versions/2")
        assert "Any news?" in page.text
        assert "How is it going?" in page.text
        assert (await author.post("/templates/follow-up/versions/1/restore")).status_code == 303
        assert "How is it going?" in (await author.get("/templates/follow-up/mail?language=en")).text
        assert "warmer" in (await author.get("/templates/follow-up")).text


async def test_a_slip_is_shown_with_its_place_before_it_is_saved(desk: House) -> None:
    async with desk.visitor("li.na", "zh") as author:
        text = desk.outreach.template("follow-up").files["body.mjml"].replace("<mj-button ", "<mj-buton ", 1)
        part = await author.post("/templates/follow-up/preview", {"file": "body.mjml", "text": text})
        assert "mj-buton" in part.text
        assert "&#34;line&#34;: 2" in part.text or "&quot;line&quot;: 2" in part.text
        assert "不是 MJML 标签" in part.text
        answer = await author.post("/templates/follow-up/save", {"file": "template.toml", "text": "subject = "})
        assert answer.status_code == 422
        assert (await author.post("/templates/follow-up/save", {"file": "../x.mjml", "text": "x"})).status_code == 404


async def test_the_layout_is_previewed_in_a_mail(desk: House) -> None:
    async with desk.visitor("li.na") as author:
        assert "header.mjml" in (await author.get("/template-layout")).text
        text = (
            desk.outreach.template("follow-up")
            .files["_layout/footer.mjml"]
            .replace("</mj-column>", "<mj-text>Est. 1998</mj-text></mj-column>")
        )
        part = await author.post("/templates/_layout/preview", {"file": "footer.mjml", "text": text})
        key = re.search(r"/templates/previews/([\w-]+)", part.text)
        assert key is not None
        assert "Est. 1998" in (await author.get(f"/templates/previews/{key[1]}")).text
        assert (await author.post("/templates/_layout/save", {"file": "footer.mjml", "text": text})).status_code == 303
        assert "Est. 1998" in (await author.get("/templates/holiday-greeting/mail?language=en")).text
        assert "your own" in (await author.get("/template-layout")).text
        snippet = {
            "name": "terms",
            "caption": "Our terms",
            "text": "<mj-section><mj-column><mj-text>FOB</mj-text></mj-column></mj-section>",
        }
        assert (await author.post("/template-layout/snippets", snippet)).status_code == 303
        assert "Our terms" in (await author.get("/templates/follow-up/edit")).text
        assert (await author.post("/template-layout/snippets", snippet)).status_code == 422
        assert (await author.post("/template-layout/snippets/terms.mjml/remove")).status_code == 303
        assert "Our terms" not in (await author.get("/template-layout")).text


async def test_pictures_are_added_shown_and_removed(desk: House) -> None:
    async with desk.visitor("li.na") as author:
        files: Any = [("file", ("Lamp One.png", png(), "image/png"))]
        assert (await author.post("/template-pictures", files=files)).status_code == 303
        page = await author.get("/template-pictures")
        assert "lamp-one.png" in page.text
        shown = await author.get("/template-pictures/lamp-one.png")
        assert shown.headers["content-type"] == "image/png"
        assert "lamp-one.png" in (await author.get("/templates/follow-up/edit")).text
        bad: Any = [("file", ("x.png", b"<svg/>", "image/png"))]
        answer = await author.post("/template-pictures", files=bad)
        assert answer.status_code == 422
        assert "not a PNG" in answer.text
        body = desk.outreach.template("follow-up").files["body.mjml"]
        tag = '<mj-image src="_layout/images/lamp-one.png" alt="Lamp" width="30px" /><mj-button '
        part = await author.post(
            "/templates/follow-up/preview", {"file": "body.mjml", "text": body.replace("<mj-button ", tag, 1)}
        )
        key = re.search(r"/templates/previews/([\w-]+)", part.text)
        assert key is not None
        assert "data:image/png;base64," in (await author.get(f"/templates/previews/{key[1]}")).text
        assert (await author.post("/template-pictures/lamp-one.png/remove")).status_code == 303
        assert (await author.get("/template-pictures/lamp-one.png")).status_code == 404


async def test_a_copy_and_a_translation_are_begun_from_the_page(desk: House) -> None:
    async with desk.visitor("li.na") as author:
        answer = await author.post("/templates/follow-up/copy", {"new": "reminder", "title": "Reminder"})
        assert answer.headers["location"] == "/templates/reminder/edit"
        assert "Reminder" in (await author.get("/templates")).text
        assert (await author.post("/templates/follow-up/copy", {"new": "reminder"})).status_code == 422
        assert (await author.post("/templates/reminder/language", {"code": "ar"})).status_code == 303
        assert 'dir="rtl"' in (await author.get("/templates/reminder/mail?language=ar")).text
        assert (await author.post("/templates/reminder/language", {"code": "../x"})).status_code == 422


async def test_a_test_mail_needs_ones_own_address(desk: House) -> None:
    async with desk.visitor("li.na") as author:
        assert (await author.post("/templates/follow-up/test")).status_code == 422
        card = {"email": "li.na@minxu-lighting.example", "phone": "+86 760 5550 1", "title": "Export sales"}
        assert (await author.post("/account/signature", {**card, "email": "nonsense"})).status_code == 422
        assert (await author.post("/account/signature", card)).status_code == 303
        answer = await author.post("/templates/follow-up/test", {"language": "en"})
        assert answer.status_code == 502  # nobody listens at the house's mail server
        assert "refused the test mail" in answer.text


async def test_words_are_written_in_a_form_and_the_file_keeps_its_comments(desk: House) -> None:
    here = "/templates/product-launch"
    async with desk.visitor("li.na", "zh") as author:
        page = (await author.get(f"{here}/words?language=zh")).text
        assert "产品名称" in page
        assert "极光 P2 投光灯" in page
        form = {
            "language": "zh",
            "w.values.product": "晨星 P3",
            "w.subject": "{{ company }}：{{ product }} 新品",
            "w.values.reasons.0.title": "更省电",
        }
        part = await author.post(f"{here}/words/preview", form)
        assert "晨星 P3 新品" in part.text
        key = re.search(r"/templates/previews/([\w-]+)", part.text)
        assert key is not None
        assert "更省电" in (await author.get(f"/templates/previews/{key[1]}")).text
        assert "晨星" not in desk.outreach.template("product-launch").files["template.toml"], "looking saves nothing"
        assert (await author.post(f"{here}/words", form)).status_code == 303
        text = desk.outreach.template("product-launch").files["template.toml"]
        assert "# The same for every recipient: write your product here." in text
        assert 'product = { en = "Aurora P2 floodlight", zh = "晨星 P3" }' in text
        assert "更省电" in (await author.get(f"{here}/mail?language=zh")).text


async def test_words_that_are_missing_in_a_language_are_counted(desk: House) -> None:
    async with desk.visitor("li.na") as author:
        await author.post("/templates/follow-up/language", {"code": "de"})
        page = (await author.get("/templates/follow-up/words?language=de")).text
        assert re.search(r"German.{0,80}\d+ missing", page)
        assert 'placeholder="Send me a quotation"' in page


async def test_hostile_words_stay_words(desk: House) -> None:
    async with desk.visitor("li.na") as author:
        form = {"language": "en", "w.values.product": "<script>alert(1)</script>", "w.values.__class__": "x", "w.": "y"}
        assert (await author.post("/templates/product-launch/words", form)).status_code == 303
        page = (await author.get("/templates/product-launch/words?language=en")).text
        assert "<script>alert(1)" not in page
        assert "<script>alert(1)" not in (await author.get("/templates/product-launch/mail?language=en")).text
        broken = await author.post("/templates/product-launch/words", {"language": "en", "w.subject": "{{ 1 + }}"})
        assert broken.status_code in (303, 422)
        assert (await author.get("/templates/nothing/words")).status_code == 404
    async with desk.visitor("wu.hao") as nobody:
        assert (await nobody.get("/templates/product-launch/words")).status_code in (303, 403)

"""Pictures of the folder: inside the mail or served, always with their width."""

from __future__ import annotations

import struct
from base64 import b64encode
from email import message_from_bytes
from email.policy import SMTP
from typing import Any
from zlib import compress, crc32

import pytest

from outreach.app.composing import Texts, compile_for
from outreach.campaigns.definition import from_dict
from outreach.content.compose import Compiled, compile_content
from outreach.content.images import pictures, size_of
from outreach.content.template import TemplateSource
from tests.content.test_compose import URLS, identity


def png(width: int, height: int) -> bytes:
    """A real PNG of that size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = compress((b"\0" + b"\x7f" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


RECIPIENT: dict[str, Any] = {"email": "a@x.example", "sender": {"company": "A", "postal_address": "B"}}
LAMP = png(320, 40)


def pictured() -> TemplateSource:
    body = (
        '<mjml><mj-body><mj-section><mj-column><mj-text>Hi <img src="images/lamp.png" alt="Lamp"/></mj-text>'
        '<mj-image src="images/lamp.png" alt="Again" width="100px" /></mj-column></mj-section></mj-body></mjml>'
    )
    files = {
        "body.mjml": body,
        "template.toml": '[subject]\nen = "x"\n',
        "images/lamp.png": "base64:" + b64encode(LAMP).decode(),
        "images/unused.png": "base64:" + b64encode(png(1, 1)).decode(),
    }
    return TemplateSource.from_files("t", files)


def compiled(media_url: str | None = None) -> Compiled:
    return compile_content(pictured(), "en", media_url=media_url)


@pytest.mark.parametrize(("how", "public"), [("embedded", False), ("served", True)])
def test_a_greeting_keeps_its_pictures_as_its_template_says(how: str, public: bool) -> None:
    source = pictured()
    manifest = f'images = "{how}"\n{source.files["template.toml"]}'
    source = TemplateSource.from_files("t", {**source.files, "template.toml": manifest})
    rules = {"kind": "holiday", "words": {}}
    what = from_dict({"name": "G", "segment": "", "template": "t", "mailboxes": ["a"], "occasion": rules})
    mail = compile_for(Texts(what, {0: source}, {}), 0, "en", None, media_url="https://t.example/m")
    data = mail.compose(identity(), RECIPIENT, URLS).data
    assert (b"https://t.example/m/" in data, b"cid:" in data) == (public, not public)


def test_embedded_once_and_shown_twice() -> None:
    data = compiled().compose(identity(), RECIPIENT, URLS).data
    message = message_from_bytes(data, policy=SMTP)
    assert not message.defects
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
    ]
    page = message.get_body(("html",))
    assert page is not None
    picture = next(part for part in message.walk() if part.get_content_type() == "image/png")
    assert picture.get_content() == LAMP
    assert picture.get_filename() == "lamp.png"
    html = page.get_content()
    assert html.count(f"cid:{picture['Content-ID'][1:-1]}") == 2
    assert 'width="320"' in html
    assert not any(row.startswith(b".") for row in data.split(b"\r\n"))


def test_hosted() -> None:
    one = compiled("https://t.example/m/")
    public = pictures({"a.png": "base64:" + b64encode(LAMP).decode()})["a.png"].public
    page = one.render(RECIPIENT).html
    assert page.count(f"https://t.example/m/{public}") == 2
    assert b"image/png" not in one.compose(identity(), RECIPIENT, URLS).data


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (png(7, 9), (7, 9)),
        (b"GIF89a" + struct.pack("<HH", 3, 4), (3, 4)),
        (b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x0b\x08" + struct.pack(">HH", 5, 6) + b"\x01\x11\x00", (6, 5)),
        (b"\xff\xd8\xff", None),
        (b"\x89PNG\r\n\x1a\n", None),
        (b"", None),
        (b"<svg>", None),
    ],
)
def test_sizes(data: bytes, size: tuple[int, int] | None) -> None:
    assert size_of(data) == size

"""Images of a template's folder: inside the mail (`cid:`, RFC 2392), or served once from our own address.

`src="images/lamp.png"` names a file of the template. Without a media address it becomes a part of the
message, encoded once a campaign; with one it becomes `https://…/m/HASH.png`, the same for ever. An image
without width gets its own, because Outlook goes by nothing else.
"""

from __future__ import annotations

import struct
from base64 import b64decode, encodebytes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from outreach.content.headers import parameter
from outreach.content.markup import Tag, tags

RELATED = "=_outreach_related"
WIDEST = 600  # pixels of a mail's column
TYPES = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif"}


@dataclass(frozen=True)
class Images:
    """What stands before the HTML part's own header and after its body, boundaries included."""

    before: str
    after: str


@dataclass(frozen=True)
class Picture:
    """One image file: `public` is its name under the media address, made from its content."""

    name: str
    public: str
    data: bytes

    @property
    def kind(self) -> str:
        """MIME type by the file's name."""
        return TYPES.get(self.name.rpartition(".")[2].lower(), "application/octet-stream")

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height in pixels, None where they cannot be read."""
        return size_of(self.data)


def pictures(files: Mapping[str, str]) -> dict[str, Picture]:
    """The images among a template's files, by name."""
    return {name: _picture(name, text) for name, text in files.items() if text.startswith("base64:")}


def _picture(name: str, text: str) -> Picture:
    data = b64decode(text.removeprefix("base64:"))
    return Picture(name, f"{sha256(data).hexdigest()[:32]}.{name.rpartition('.')[2].lower()}", data)


def place(html: str, files: Mapping[str, str], boundary: str, media_url: str | None = None) -> tuple[str, Images]:
    """HTML whose images of the folder are found, and the parts that travel with it."""
    known = pictures(files)
    used: dict[str, Picture] = {}
    pieces, after = [], 0
    for tag in tags(html):
        for start, end, text in _changes(tag, known, used, media_url):
            pieces += [html[after:start], text]
            after = end
    html = "".join(pieces) + html[after:]
    between = f"\r\n--{boundary}\r\n"
    if not used or media_url:
        return html, Images(between, f"\r\n--{boundary}--\r\n")
    parts = "".join(map(_part, used.values()))
    before = f'{between}Content-Type: multipart/related; boundary="{RELATED}"\r\n\r\n--{RELATED}\r\n'
    return html, Images(before, f"{parts}\r\n--{RELATED}--\r\n\r\n--{boundary}--\r\n")


def _changes(
    tag: Tag, known: Mapping[str, Picture], used: dict[str, Picture], media_url: str | None
) -> Iterator[tuple[int, int, str]]:
    for attribute in tag.attributes:
        picture = known.get(attribute.value.removeprefix("cid:").removeprefix("./"))
        if attribute.name in ("src", "background") and picture is not None:
            used[picture.name] = picture
            address = f"{media_url.rstrip('/')}/{picture.public}" if media_url else f"cid:{content_id(picture)}"
            hint = "" if tag.get("width") or tag.name != "img" or not picture.size else _width(picture.size[0])
            yield attribute.start, attribute.end, address + hint


def _width(pixels: int) -> str:
    return f'" width="{min(pixels, WIDEST)}'


def content_id(picture: Picture) -> str:
    """What stands after `cid:` where the picture travels inside the mail."""
    return f"{picture.public.partition('.')[0]}@outreach"


def _part(picture: Picture) -> str:
    body = encodebytes(picture.data).decode("ascii").replace("\n", "\r\n")
    filename = parameter("filename", picture.name.rpartition("/")[2])
    return (
        f"\r\n--{RELATED}\r\nContent-Type: {picture.kind}\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-ID: <{content_id(picture)}>\r\nContent-Disposition: inline{filename}\r\n\r\n{body}"
    )


def size_of(data: bytes) -> tuple[int, int] | None:
    """Width and height from a PNG, GIF or JPEG header; None for anything else or a cut file."""
    try:
        if data[:8] == b"\x89PNG\r\n\x1a\n":
            return struct.unpack(">II", data[16:24])
        if data[:6] in (b"GIF87a", b"GIF89a"):
            return struct.unpack("<HH", data[6:10])
        return _jpeg_size(data) if data[:2] == b"\xff\xd8" else None
    except (struct.error, IndexError):
        return None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """The first start-of-frame segment (ITU-T T.81 B.2.2) holds height and width."""
    position = 2
    while position + 9 < len(data) and data[position] == 0xFF:
        marker, length = data[position + 1], struct.unpack(">H", data[position + 2 : position + 4])[0]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[position + 5 : position + 9])
            return width, height
        position += 2 + length
    return None

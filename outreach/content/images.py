"""Images that travel inside the mail: `src="images/lamp.png"` of a template folder becomes a part with a
Content-ID (RFC 2392). Encoded once a campaign.
"""

from __future__ import annotations

import re
from base64 import b64decode, encodebytes
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from outreach.content.headers import parameter
from outreach.content.markup import tags

RELATED = "=_outreach_related"
_TYPES = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif"}
_SOURCE = re.compile(r"""\b(?:src|background)\s*=\s*["']$""")


@dataclass(frozen=True)
class Images:
    """What stands before the HTML part's own header and after its body, boundaries included."""

    before: str
    after: str


def embed(html: str, files: Mapping[str, str], boundary: str) -> tuple[str, Images]:
    """HTML whose local images are `cid:` addresses, and the parts; names resolve below the template."""
    wanted: dict[str, str] = {}
    pieces, after = [], 0
    for tag in tags(html):
        for attribute in tag.attributes:
            name = attribute.value.removeprefix("cid:").removeprefix("./")
            if attribute.name in ("src", "background") and files.get(name, "").startswith("base64:"):
                wanted[name] = f"{sha256(files[name].encode()).hexdigest()[:24]}@outreach"
                pieces += [html[after : attribute.start], f"cid:{wanted[name]}"]
                after = attribute.end
    html = "".join(pieces) + html[after:]
    between = f"\r\n--{boundary}\r\n"
    if not wanted:
        return html, Images(between, f"\r\n--{boundary}--\r\n")
    parts = "".join(_part(name, cid, files[name]) for name, cid in wanted.items())
    before = f'{between}Content-Type: multipart/related; boundary="{RELATED}"\r\n\r\n--{RELATED}\r\n'
    return html, Images(before, f"{parts}\r\n--{RELATED}--\r\n\r\n--{boundary}--\r\n")


def _part(name: str, cid: str, text: str) -> str:
    data = b64decode(text.removeprefix("base64:"))
    kind = _TYPES.get(name.rpartition(".")[2].lower(), "application/octet-stream")
    body = encodebytes(data).decode().replace("\n", "\r\n")
    filename = parameter("filename", name.rpartition("/")[2])
    return (
        f"\r\n--{RELATED}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-ID: <{cid}>\r\nContent-Disposition: inline{filename}\r\n\r\n{body}"
    )

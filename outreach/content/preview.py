"""A mail as it is seen under other conditions: dark mode, images off. For previews; nothing of this is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from outreach.content.images import content_id, pictures
from outreach.content.markup import tags

Scheme = Literal["light", "dark"]
_QUERY = re.compile(r"@media\s*\(\s*prefers-color-scheme\s*:\s*(light|dark)\s*\)", re.IGNORECASE)
_SCHEME = re.compile(r"(:root\s*\{\s*)?color-scheme\s*:\s*light dark", re.IGNORECASE)
# What a client shows in an image's place: its words in a grey frame.
_BLOCKED = "background:#e9eef0;color:#44545a;outline:1px dashed #9fb0b7;outline-offset:-1px;"


def in_scheme(html: str, scheme: Scheme) -> str:
    """The page as a client in that scheme shows it, whatever the scheme of the screen it is previewed on."""
    html = _QUERY.sub(lambda query: "@media all" if query[1].lower() == scheme else "@media not all", html)
    return _SCHEME.sub(lambda found: f"{found[1] or ''}color-scheme: {scheme}", html)


def without_images(html: str) -> str:
    """The page with images blocked, as most company mailboxes show it first: alternative texts in grey frames."""
    pieces, after = [], 0
    for tag in tags(html):
        for attribute in tag.attributes:
            if (tag.name == "img" and attribute.name in ("src", "srcset")) or attribute.name == "background":
                pieces += [html[after : attribute.start], ""]
                after = attribute.end
            elif tag.name == "img" and attribute.name == "style":
                pieces += [html[after : attribute.start], _BLOCKED + attribute.value]
                after = attribute.end
    html = "".join(pieces) + html[after:]
    return re.sub(r"url\([^)]*\)", "none", html)


def with_pictures(html: str, files: Mapping[str, str]) -> str:
    """The page with the template's pictures in it, so that a frame that may load nothing shows them."""
    for picture in pictures(files).values():
        address = f"data:{picture.kind};base64,{files[picture.name].removeprefix('base64:')}"
        html = html.replace(f"cid:{content_id(picture)}", address)
    return html

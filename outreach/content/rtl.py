"""Pages for Arabic, Hebrew, Persian: the layout mirrored, so that one template serves both directions.

MJML lays out from left to right. What it wrote into style and align attributes is turned round here:
left and right change places, columns run from the right. Text is not touched; the browser's own
bidirectional algorithm sets numbers and Latin names. What has a direction of its own keeps it: an element
with a dir attribute (telephone numbers, addresses in the company layout), or with `unicode-bidi` in its style.
"""

from __future__ import annotations

import re

from outreach.content.markup import tags

_SIDE = re.compile(r"(?<![\w-])((?:text-align|float|clear)\s*:\s*)(left|right)\b", re.IGNORECASE)
_EDGE = re.compile(r"(?<![\w-])((?:padding|margin|border)-|border-(?:top|bottom)-)?(left|right)(?=[\w-]*\s*:)")
_FOUR = re.compile(r"(?<![\w-])((?:padding|margin|mso-padding-alt|border-width|border-color)\s*:\s*)([^;\"{}]+)")
_CORNERS = re.compile(r"(?<![\w-])(border-radius\s*:\s*)([^;\"{}]+)")
_DIRECTION = re.compile(r"(?<![\w-])direction\s*:\s*ltr")
_STYLE_BLOCK = re.compile(r"(<style\b[^>]*>)(.*?)(</style>)", re.DOTALL | re.IGNORECASE)
_OTHER = {"left": "right", "right": "left"}


def mirror(html: str) -> str:
    """HTML laid out from left to right → from right to left."""
    pieces, after = [], 0
    for tag in tags(html):
        for attribute in tag.attributes:
            turned = _attribute(attribute.name, attribute.value)
            if turned != attribute.value:
                pieces += [html[after : attribute.start], turned]
                after = attribute.end
    html = "".join(pieces) + html[after:]
    return _STYLE_BLOCK.sub(lambda block: block[1] + _style(block[2]) + block[3], html)


def _attribute(name: str, value: str) -> str:
    if name == "style":
        return _style(value)
    if name == "align":
        return _OTHER.get(value.lower(), value)
    return value


def _style(style: str) -> str:
    style = _EDGE.sub(lambda match: (match[1] or "") + _OTHER[match[2]], style)
    style = _SIDE.sub(lambda match: match[1] + _OTHER[match[2].lower()], style)
    style = _FOUR.sub(lambda match: match[1] + _turn(match[2], (0, 3, 2, 1)), style)
    style = _CORNERS.sub(lambda match: match[1] + _turn(match[2], (1, 0, 3, 2)), style)
    return style if "unicode-bidi" in style else _DIRECTION.sub("direction:rtl", style)


def _turn(values: str, order: tuple[int, int, int, int]) -> str:
    """Four values clockwise (from the top, or from the top left corner), turned round."""
    important = " !important" if "!important" in values else ""
    parts = values.replace("!important", "").split()
    return " ".join(parts[index] for index in order) + important if len(parts) == 4 else values

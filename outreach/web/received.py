"""The HTML of a received mail, made harmless: nothing runs, nothing is loaded, nothing leaves the frame."""

from __future__ import annotations

import nh3
from markupsafe import escape

#: What mails are made of. Neither script, form, frame, link nor style elements; images only as data (none are kept).
TAGS = frozenset(
    [
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "caption",
        "center",
        "code",
        "col",
        "colgroup",
        "dd",
        "del",
        "div",
        "dl",
        "dt",
        "em",
        "font",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "ins",
        "li",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "u",
        "ul",
    ]
)
ATTRIBUTES = {
    "*": {"align", "dir", "lang", "title", "valign", "width", "height", "bgcolor", "color", "style"},
    "a": {"href"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
#: CSS that cannot load anything or leave the frame.
STYLES = frozenset(
    {
        "background-color", "border", "border-bottom", "border-collapse", "border-color", "border-left", "border-right",
        "border-style", "border-top", "border-width", "color", "font-family", "font-size", "font-style", "font-weight",
        "line-height", "margin", "margin-bottom", "margin-left", "margin-right", "margin-top", "max-width", "padding",
        "padding-bottom", "padding-left", "padding-right", "padding-top", "text-align", "text-decoration", "text-indent",
        "vertical-align", "white-space", "width",
    }
)  # fmt: skip
#: A mail of more is cut: the parser keeps 25 MB, a page needs none of it.
MOST = 400_000


def harmless(html: str, *, links: bool = True) -> str:
    """Return the mail's HTML without anything that acts, loads or names a place to post to; `links`: with its links."""
    return nh3.clean(
        html[:MOST],
        tags=set(TAGS),
        clean_content_tags={
            "script",
            "style",
            "title",
            "head",
            "svg",
            "math",
            "iframe",
            "object",
            "template",
            "noscript",
        },
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items() if links or tag != "a"},
        filter_style_properties=set(STYLES),
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="noopener noreferrer nofollow",
        strip_comments=True,
    )


def page(html: str, plain: str, *, links: bool = True) -> str:
    """Return the frame's document: the cleaned HTML, or the plain text where there is none.

    Its language is the sender's, which nobody has said: a screen reader is told so rather than something wrong.
    """
    body = harmless(html, links=links) if html.strip() else f"<pre>{escape(plain)}</pre>"
    return (
        '<!doctype html><html lang="und"><head><meta charset="utf-8"><base target="_blank"><title>mail</title><style>'
        "body{margin:16px;font:14px/1.55 Arial,'PingFang SC','Microsoft YaHei','Noto Sans SC',sans-serif;color:#222;"
        "background:#fff;overflow-wrap:anywhere}pre{white-space:pre-wrap;font:inherit}img{display:none}</style></head>"
        f"<body><main>{body}</main></body></html>"
    )

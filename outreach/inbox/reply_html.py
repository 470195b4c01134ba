"""HTML answers as text in which quotations look as they do in plain mail: "> " before quoted lines, a divider before headers."""

from __future__ import annotations

from html import escape

from selectolax.lexbor import LexborHTMLParser as HTMLParser
from selectolax.lexbor import LexborNode as Node

from outreach.inbox.plain import html_to_text

DIVIDER = "-----Original Message-----"
# What stands directly before (or around) the whole quoted message, by the program that writes it.
_BEFORE = (
    "#divRplyFwdMsg, #appendonsend, #OLK_SRC_BODY_SECTION, .OutlookMessageHeader, .yahoo_quoted, .protonmail_quote, "
    ".zmail_extra, #isReplyContent, .lark-mail-quote, .history-quote-wrapper, #reply-intro, .moz-forward-container, "
    "#mail-editor-reference-message-container, #orgmail, .ntes_quote_wrapper"
)
_SIGNATURE = (
    ".gmail_signature, [data-smartmail=gmail_signature], .moz-signature, #AppleMailSignature, #Signature, "
    "#ms-outlook-mobile-signature, .protonmail_signature_block, .mail-signature, #lark-mail-signature, .wps_signature"
)
# Selectors cost tags × depth: 100,000 open <div> would take minutes. The longest newsletters have about 5,000 tags.
MOST_TAGS = 20_000
# Outlook for Windows draws this line over the header of the message it quotes.
_LINES = ("border-top:solid #e1e1e1", "border-top:solid #b5c4df", "border-top: 1pt solid", "border-top:1pt solid")


def reply_source(source: str) -> str:
    """Text of an HTML body; signatures that are marked as such are left out."""
    if source.count("<") > MOST_TAGS:
        return html_to_text(source)
    tree = HTMLParser(source)
    for node in tree.css(_SIGNATURE):
        node.decompose()
    for node in tree.css(_BEFORE):
        node.insert_before(_fragment(DIVIDER))
    for node in tree.css("div[style]"):
        style = (node.attributes.get("style") or "").lower()
        if any(line in style for line in _LINES):
            node.insert_before(_fragment(DIVIDER))
    for node in reversed(tree.css("blockquote")):
        _mark(node)
    return html_to_text(tree.html or "")


def _fragment(content: str) -> Node:
    """A div of its own that can be put into the tree."""
    body = HTMLParser(f"<div>{content}</div>").body
    assert body is not None  # the parser makes one for any input
    child = body.child
    assert child is not None
    return child


def _mark(node: Node) -> None:
    if "border:none" in (node.attributes.get("style") or "").replace(" ", "").lower():
        return  # Gmail's and Apple's way to indent, no quotation
    lines = html_to_text(node.html or "").split("\n")
    marked = "<br>".join(escape(f"> {line}") for line in lines)
    node.replace_with(_fragment(marked))

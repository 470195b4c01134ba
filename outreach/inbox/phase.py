"""At which SMTP command a server refused, read from a notice.

"connect", "ehlo", "mail", "rcpt", "data" (the DATA command itself) or "end" (after the message was sent).
"""

from __future__ import annotations

import re

_SAID = re.compile(
    r"in reply to (?:the )?(?P<postfix>end of data|data|rcpt to|mail from|ehlo|helo)"
    r"|\bafter (?P<exim>(?:pipelined )?(?:end of data|data|rcpt|mail from|ehlo|helo|initial connection"
    r"|sending data block))"
    r"|did not like our (?P<dma>final data|data|rcpt to|mail from|ehlo|helo)"
    r"|\[(?P<yahoo>rcpt_to|mail_from|data|connect)\]"
    r"|smtp command (?P<mfilter>data|rcpt|mail|ehlo|helo|\.)"
    r"|smtp:(?P<x3>rcpt|mail|data)\b"
    r"|(?P<qmail>does not like recipient|failed after i sent the message|failed on data command|does not like sender"
    r"|but my name was rejected|but greeting failed|but sender was rejected)"
    r"|while (?P<greeting>receiving the initial server greeting"
    r"|sending (?:rcpt to|mail from|end of data|data|ehlo|helo))"
    r"|refused to (?P<talk>talk) to me"
    r"|\b(?P<chinese>rcpt) (?:to: ?[45]\d\d|error)"
    r"|rejected (?P<x6>recipient) <"
    r"|following (?P<netscape>recipients) was rejected by a remote"
    r"|(?P<said>rcpt) to:? ?<[^>]{1,200}>[^<>]{0,40}(?:replied|said|<--|<<<|received >>>):? ?[45]\d\d".replace(
        " ", r"\s+"
    ).replace(r"\s+?", r"\s*")
)
_SENDMAIL = re.compile(r"^>>> (?P<command>DATA|RCPT|MAIL|EHLO|HELO|\.)[^\n]*\n<<< [45]", re.M | re.I)
_MEANING = (
    ("my name", "ehlo"), ("end of data", "end"), ("final data", "end"), ("sent the message", "end"),
    ("rcpt", "rcpt"), ("recipient", "rcpt"), ("mail", "mail"), ("sender", "mail"), ("initial", "connect"),
    ("talk", "connect"), ("connect", "connect"), ("greeting", "connect"), ("ehlo", "ehlo"), ("helo", "ehlo"),
    ("data", "data"), (".", "end"),
)  # fmt: skip


def phase_in(text: str) -> str:
    """The refused command, "" where the text does not say."""
    found = _SENDMAIL.search(text) if ">>>" in text else None
    found = found or _SAID.search(text.lower())
    if found is None:
        return ""
    word = next(value for value in found.groupdict().values() if value).lower()
    return next((meaning for sign, meaning in _MEANING if sign in word), "")

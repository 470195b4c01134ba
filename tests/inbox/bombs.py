"""Mails made to hurt their reader. Each is built when asked for; together they would fill the memory they test."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import partial

HEAD = b"From: a@b.example\nTo: c@d.example\nSubject: x\nMIME-Version: 1.0\n"
DAEMON = (
    b"From: MAILER-DAEMON@x.example\nTo: c@d.example\nSubject: Undelivered Mail Returned to Sender\nReturn-Path: <>\n"
)
REPORT = (
    b"From: MAILER-DAEMON@x.example\nSubject: Undelivered\nMIME-Version: 1.0\n"
    b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n--b\n\nx\n--b\n'
    b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n%s\n--b\nContent-Type: text/rfc822-headers\n\nSubject: x\n--b--\n"
)
HTML = b"Content-Type: text/html\n\n"


def _prefixed_boundaries() -> bytes:
    """132-byte boundaries, each the beginning of the next one."""
    out = HEAD + b'Content-Type: multipart/mixed; boundary="%s"\n\n' % (b"x" * 132)
    for i in range(1000):
        mark = b"x" * 132 + b"y" * i
        out += b'--%s\nContent-Type: multipart/mixed; boundary="%sy"\n\n' % (mark, mark)
    return out


def _nested_multiparts() -> bytes:
    levels = (b"--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n" % (i, i + 1) for i in range(2000))
    return HEAD + b"Content-Type: multipart/mixed; boundary=b0\n\n" + b"".join(levels)


def _encoded_messages() -> bytes:
    out = b"text"
    for _ in range(28):
        out = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(out)
    return HEAD + out


BOMBS: dict[str, Callable[[], bytes]] = {
    "a thousand messages within each other": lambda: HEAD + b"Content-Type: message/rfc822\n\n" * 1000 + b"text",
    "a hundred thousand of them": lambda: HEAD + b"Content-Type: message/rfc822\n\n" * 100_000 + b"text",
    "100,000 empty parts": lambda: HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * 100_000,
    "2,000 multiparts within each other": _nested_multiparts,
    "boundaries that begin alike": _prefixed_boundaries,
    "messages in base64 within each other": _encoded_messages,
    "a digest of 100,000": lambda: HEAD + b"Content-Type: multipart/digest; boundary=b\n\n" + b"--b\n\nFrom: x\n\ny\n" * 100_000,
    "nested comments": lambda: b"From: " + b"(" * 200_000 + b"\nTo: " + b"(" * 99_999 + b"a@b" + b")" * 99_999 + b"\n\nhi",
    "a million headers": lambda: HEAD + b"X-A: a\n" * 1_000_000 + b"\nhi",
    "one header of 5 MB": lambda: HEAD + b"X: " + b"a " * 2_500_000 + b"\n\nhi",
    "a header of a million lines": lambda: HEAD + b"X: a\n" + b" b\n" * 1_000_000 + b"\nhi",
    "100,000 encoded words": lambda: HEAD + b"Subject: " + b"=?utf-8?q?a?= " * 100_000 + b"\n\nhi",
    "encoded words that never end": lambda: HEAD + b"Subject: " + b"=?utf-8?q?" * 100_000 + b"\n\nhi",
    "100,000 parameters": lambda: HEAD + b"Content-Type: text/plain;" + b" a=b;" * 100_000 + b"\n\nhi",
    "a quote that never ends": lambda: HEAD + b'Content-Type: text/plain; a="' + b'\\"' * 100_000 + b"\n\nhi",
    "two million <": lambda: HEAD + HTML + b"<" * 2_000_000,
    "comments that never end": lambda: HEAD + HTML + b"<!--" * 500_000,
    "scripts that never end": lambda: HEAD + HTML + b"<script>" * 300_000,
    "attributes that never end": lambda: HEAD + HTML + b"<div a='" * 200_000,
    "two million @": lambda: DAEMON + b"\n" + b"@" * 2_000_000,
    "an address of a megabyte": lambda: DAEMON + b"\n" + b"a" * 1_000_000 + b"@" + b"b." * 500_000,
    "three million blanks": lambda: DAEMON + b"\n" + b" " * 3_000_000,
    "three million empty lines": lambda: DAEMON + b"\n" + b"\n" * 3_000_000,
    "blanks and lines": lambda: DAEMON + b"\n" + b" \n" * 1_000_000,
    "a million quotation marks": lambda: DAEMON + b"\n" + b">" * 1_000_000 + b"\n>" * 300_000,
    "100,000 failed addresses": lambda: DAEMON + b"\nThe following addresses failed:\n\n" + b"<a@b.example>: x\n" * 100_000,
    "100,000 echoes": lambda: DAEMON + b"\n" + b"rcpt to: <a@b.example> " * 100_000,
    "100,000 beginnings of a sentence": lambda: DAEMON + b"\n" + b"could not be delivered to " * 100_000,
    "200,000 expansions": lambda: DAEMON + b"\n" + b"(expanded from " * 200_000,
    "50,000 recipients": lambda: REPORT % (b"Final-Recipient: rfc822; a@b.example\nAction: failed\n\n" * 50_000),
    "50,000 in one group": lambda: REPORT % (b"Final-Recipient: rfc822; a@b.example\nAction: failed\n" * 50_000),
    "a diagnostic of 2 MB": lambda: REPORT % (b"Final-Recipient: rfc822; a@b.example\nDiagnostic-Code: smtp; " + b"a " * 1_000_000),
    "JSON within JSON": lambda: HEAD + b'\n{"notificationType":"Bounce",' + b'"a":[' * 200_000,
    "a charset that is none": lambda: HEAD + b"Content-Type: text/plain; charset=punycode\n\n" + b"a-" * 200_000,
    "shifts without end": lambda: HEAD + b"Content-Type: text/plain; charset=iso-2022-jp\n\n" + b"\x1b$B" * 300_000,
    "24 MB of base64": lambda: HEAD + b"Content-Transfer-Encoding: base64\nContent-Type: text/plain\n\n" + b"QUJD" * 6_000_000,
    "24 MB of escapes": lambda: HEAD + b"Content-Transfer-Encoding: quoted-printable\nContent-Type: text/html\n\n" + b"=3C=41" * 4_000_000,
    "carriage returns alone": lambda: HEAD.replace(b"\n", b"\r") + b"\r" + b"a\r" * 1_000_000,
    "three million NUL": lambda: b"\0" * 3_000_000,
    "nothing": lambda: b"",
    "lines": lambda: b"\n" * 1_000_000,
    "colons": lambda: b":" * 3_000_000,
    "a name and blanks": lambda: (b"A" * 199 + b" " * 3000) * 500,
    "mbox lines": lambda: b"From x\n" * 300_000,
    "30 MB": lambda: HEAD + b"\n" + b"x" * 30_000_000,
}  # fmt: skip

#: Sizes and charsets of `many`: small enough that all of them take seconds, large enough for a square to show.
SIZES = (40, 1_500, 12_000)
CHARSETS = (b"utf-8", b"gb18030", b"iso-2022-jp", b"utf-16", b"utf-7", b"x-unheard-of")
#: Half characters, escapes without an end, NUL and marks of byte order, as bytes of any charset.
TORN = b"\xff\xfe\x81\x1b$B\x00=\xe4\xbd\xa0\xe5&2D3-+AGE-\x8f\xa2 "


def _boundary(number: int) -> bytes:
    """132 bytes, twice what RFC 2046 allows, that differ in the last ones only."""
    return b"x" * 126 + b"%06d" % number


def _nested(size: int, charset: bytes) -> bytes:
    levels = (
        b"--%b\nContent-Type: multipart/mixed; charset=%b; boundary=%b\n\n" % (_boundary(n), charset, _boundary(n + 1))
        for n in range(size // 10)
    )
    return HEAD + b"Content-Type: multipart/mixed; boundary=%b\n\n" % _boundary(0) + b"".join(levels)


def _parts(size: int, charset: bytes) -> bytes:
    part = b"--%b\nContent-Type: text/plain; charset=%b\n\n%b\n" % (_boundary(0), charset, TORN)
    return HEAD + b"Content-Type: multipart/mixed; boundary=%b\n\n" % _boundary(0) + part * (size // 5)


def _files(size: int, charset: bytes) -> bytes:
    name = b"filename*0*=%b''%%FF%%81; filename*1*=%%1B$B; filename*2=x" % charset
    part = b"--b\nContent-Type: application/pdf\nContent-Disposition: attachment; %b\n\nx\n" % name
    return HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + part * (size // 10)


def _report(size: int, charset: bytes) -> bytes:
    group = b"Final-Recipient: utf-8; =?%b?q?a=FF=81?=@b.example\nDiagnostic-Code: smtp; 550 %b\n\n" % (
        charset,
        TORN[5:],
    )
    return REPORT % (group * (size // 10))


def _typed(kind: bytes, body: bytes, charset: bytes, encoding: bytes = b"8bit") -> bytes:
    fields = b"Content-Type: %b; charset=%b\nContent-Transfer-Encoding: %b\n\n" % (kind, charset, encoding)
    return HEAD + fields + body


#: What is built in each size and each charset.
KINDS: dict[str, Callable[[int, bytes], bytes]] = {
    "multiparts within each other": _nested,
    "parts": _parts,
    "files with names in pieces": _files,
    "recipients of a report": _report,
    "messages within each other": lambda n, c: HEAD + b"Content-Type: message/rfc822; charset=%b\n\n" % c * n + TORN,
    "headers": lambda n, c: HEAD + b"X-A: =?%b?b?/4E=?=\n" % c * n + b"\nhi",
    "encoded words": lambda n, c: HEAD + b"Subject: " + b"=?%b?q?=FF=81=1B$B?= " % c * n + b"\n\nhi",
    "parameters": lambda n, c: HEAD + b"Content-Type: text/plain; charset*0*=%b'';" % c + b" a*0*=%FF;" * n + b"\n\nhi",
    "torn text": lambda n, c: _typed(b"text/plain", TORN * n, c),
    "torn HTML": lambda n, c: _typed(b"text/html", b"<div a='" + TORN + b"<!--" * (n // 10) + b"<p>" * n, c),
    "base64 that ends anywhere": lambda n, c: _typed(b"text/plain", base64.encodebytes(TORN * n)[:-3] + b"=\n=", c, b"base64"),
    "escapes that end anywhere": lambda n, c: _typed(b"text/html", b"=FF=8=\n=1B=3C" * n + b"=", c, b"quoted-printable"),
    "a notice": lambda n, c: DAEMON + b"Content-Type: text/plain; charset=%b\n\n" % c + b"550 <a@b.example>: " * n + TORN,
}  # fmt: skip


def many() -> dict[str, Callable[[], bytes]]:
    """Every kind in every size and charset, by name."""
    return {
        f"{size} {kind} in {charset.decode()}": partial(make, size, charset)
        for kind, make in KINDS.items()
        for size in SIZES
        for charset in CHARSETS
    }

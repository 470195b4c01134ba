"""One-off mails without a template: reports to staff, answers written by hand, confirmations."""

from __future__ import annotations

from base64 import encodebytes
from collections.abc import Sequence
from typing import NamedTuple

from outreach.content.envelope import Identity, Urls, head
from outreach.content.headers import clean, parameter
from outreach.content.problem import ContentProblem
from outreach.content.quoted import encode, finish, lines

Attachment = tuple[str, str, bytes]  # file name, MIME type, content


class Part(NamedTuple):
    """A MIME part: its header fields (with their line ends) and its body."""

    head: str
    body: str

    def __str__(self) -> str:
        return f"{self.head}\r\n{self.body}"


def plain_message(
    identity: Identity,
    subject: str,
    text: str,
    html: str | None = None,
    urls: Urls | None = None,
    attachments: Sequence[Attachment] = (),
) -> bytes:
    """A complete message: CRLF, 7 bit, no line begins with a dot; raises ContentProblem.

    `urls` adds List-Unsubscribe. An attachment that the HTML shows as `cid:FILENAME` travels inside it.
    """
    shown = [item for item in attachments if html is not None and f"cid:{item[0]}" in html]
    part = _words("plain", text)
    if html is not None:
        page = _words("html", html)
        part = _multipart("alternative", [part, _multipart("related", [page, *map(_inline, shown)]) if shown else page])
    others = [_attached(item) for item in attachments if item not in shown]
    if others:
        part = _multipart("mixed", [part, *others])
    return f"{head(identity, subject, urls)}MIME-Version: 1.0\r\n{part}".encode("ascii")


def _words(kind: str, text: str) -> Part:
    fields = f"Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"
    return Part(fields, finish(encode(lines(text))))


def _multipart(kind: str, parts: list[Part]) -> Part:
    boundary = f"=_outreach_{kind}"  # "=_" occurs in neither quoted-printable nor base64
    body = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    return Part(f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n', f"{body}--{boundary}--\r\n")


def _inline(item: Attachment) -> Part:
    return _file(item, f"Content-ID: <{clean('Content-ID', item[0])}>\r\nContent-Disposition: inline")


def _attached(item: Attachment) -> Part:
    return _file(item, "Content-Disposition: attachment")


def _file(item: Attachment, disposition: str) -> Part:
    name, kind, data = item
    if not kind.isascii() or kind.count("/") != 1 or set(kind) & set(" ;\r\n\0"):
        raise ContentProblem("header.injection", header="Content-Type", value=ascii(kind[:60]))
    fields = (
        f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n{disposition}{parameter('filename', name)}\r\n"
    )
    return Part(fields, encodebytes(data).decode("ascii").replace("\n", "\r\n"))

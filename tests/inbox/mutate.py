"""Broken mails from whole ones: what a line, a disk or an attacker may do to them."""

from __future__ import annotations

from random import Random

WORDS = (
    b"\n", b"\n\n", b"\r\n", b"\0", b"--", b"\xff\xfe", b"=?utf-8?B?", b"?=", b"Content-Type: message/rfc822\n\n", b"@", b"<", b">", b'"', b"(",
    b"Content-Type: multipart/mixed; boundary=", b"boundary", b"base64", b"Final-Recipient: rfc822; ", b"Action: failed\n", b"\xe5\xa4", b"5.1.1",
    b"550 ", b"mailbox full", b"From: MAILER-DAEMON@x\n", b"{", b"charset=utf-7", b"+", b";", b":", b"Received: ",
)  # fmt: skip


def mutate(data: bytes, chance: Random) -> bytes:
    """`data` with one to eight wounds."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(out) + 1)
        to = min(len(out), at + chance.choice((1, 1, 4, 40, 400)))
        match chance.randrange(6):
            case 0:
                del out[at:to]
            case 1:
                out[at:at] = chance.choice(WORDS) * chance.choice((1, 1, 3, 50))
            case 2:
                out[at:at] = out[at:to] * chance.choice((1, 2, 20))
            case 3:
                out[at:to] = chance.randbytes(to - at)
            case 4:
                out[at:to] = chance.choice(WORDS)
            case _:
                source = chance.randrange(len(out) + 1)
                out[at:to] = out[source : source + to - at]
    return bytes(out)

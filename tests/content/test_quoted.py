"""Quoted-printable pieces: whatever the text, they decode to it, in any order, on lawful lines."""

from __future__ import annotations

import random
from binascii import a2b_qp

import pytest

from outreach.content.quoted import encode, encode_link, finish, lines

ALPHABETS = (
    ".",
    ".=",
    ". ",
    " \t",
    "a.",
    "中.",
    "ab =.\t\n",
    "é\n",
    "abcdefgh",
    "=\n",
    "😀. ",
    ".\n",
    "\u2028\x85\x0c\x0b",
)


def lawful(coded: str) -> None:
    assert coded == "" or coded.endswith("\r\n")
    for row in coded[:-2].split("\r\n"):
        assert len(row) <= 76, row
        assert not row.startswith("."), row
        assert not row.endswith((" ", "\t")), row
        assert "\r" not in row
        assert "\n" not in row


def decoded(coded: str) -> str:
    return a2b_qp(coded.encode("ascii")).decode().replace("\r\n", "\n")


@pytest.mark.parametrize("seed", range(8))
def test_pieces_decode_to_their_texts_joined(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(2500):
        letters = "".join(rng.sample(ALPHABETS, rng.randint(1, 3)))
        texts = [
            "".join(rng.choice(letters) for _ in range(rng.choice((0, 1, 3, 24, 25, 72, 73, 74, 75, 76, 77, 150, 152))))
            for _ in range(rng.randint(1, 4))
        ]
        pieces = [encode(text) for text in texts if text]
        for piece in pieces:
            lawful(piece)
        assert decoded("".join(pieces)) == "".join(texts)
        body = finish("".join(pieces))
        lawful(body)
        whole = "".join(texts)
        assert decoded(body) == (whole if whole.endswith("\n") else whole + "\n")


@pytest.mark.parametrize("length", range(60, 90))
@pytest.mark.parametrize("end", [".", "..", "...", " ", "=", "中", ".中", " .", "a"])
def test_every_length_around_the_edge(length: int, end: str) -> None:
    for start in ("a", "a b", "é", "."):
        text = (start * length)[: length - len(end)] + end
        lawful(encode(text))
        assert decoded(encode(text)) == text


@pytest.mark.parametrize(
    "url",
    ["https://t.example/c/abc", "https://t.example/" + "x" * 90, "https://x.example/?a=1&b='2'\"<>", "https://x/ü"],
)
def test_links_for_both_parts(url: str) -> None:
    text, html = encode_link(url)
    assert decoded(text) == url
    assert decoded(html) == url.replace("&", "&amp;").replace("'", "&#39;").replace('"', "&#34;").replace(
        "<", "&lt;"
    ).replace(">", "&gt;")


def test_lone_surrogates_do_not_stop_a_mail() -> None:
    assert decoded(encode("a\ud800b")) == "a?b"


def test_line_ends() -> None:
    assert lines("a\r\nb\rc\nd\r\r\n") == "a\nb\nc\nd\n\n"
    assert finish("") == "\r\n"

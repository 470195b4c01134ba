"""One-off mails: text alone, with HTML, with files."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from outreach.content.compose import Identity, Urls, plain_message
from outreach.content.problem import ContentProblem

DATE = datetime(2026, 11, 22, tzinfo=UTC)
WHO = Identity("u1", "m1@x.example", "Outreach", "robot@x.example", "李娜", "li@x.example", DATE)
URLS = Urls("https://t.example/u", "https://t.example/p")


def read(data: bytes) -> EmailMessage:
    assert data.isascii()
    assert not any(row.startswith(b".") for row in data.split(b"\r\n"))
    return message_from_bytes(data, policy=SMTP)


def test_text_alone() -> None:
    message = read(plain_message(WHO, "周报", "第一行\n.second\n..\n"))
    assert message.get_content_type() == "text/plain"
    assert message.get_content().replace("\r\n", "\n") == "第一行\n.second\n..\n"
    assert message["Subject"] == "周报"
    assert message["List-Unsubscribe"] is None


def test_html_with_a_shown_picture_and_a_file() -> None:
    files = [("chart.png", "image/png", b"\x89PNG" * 99), ("周报.xlsx", "application/vnd.ms-excel", b"PK" * 999)]
    html = '<p>图</p><img src="cid:chart.png">'
    message = read(plain_message(WHO, "Report", "text", html, URLS, files))
    assert not message.defects
    kinds = [part.get_content_type() for part in message.walk()]
    assert kinds == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
        "application/vnd.ms-excel",
    ]
    attached = [(part.get_filename(), part.get_content()) for part in message.iter_attachments()]
    assert attached == [("周报.xlsx", b"PK" * 999)]
    assert message["List-Unsubscribe"] == "<https://t.example/u>"
    picture = next(part for part in message.walk() if part.get_content_type() == "image/png")
    assert picture["Content-ID"] == "<chart.png>"
    assert picture.get_content() == b"\x89PNG" * 99


@pytest.mark.parametrize("name", ["a\r\nb.png", "a\0b"])
def test_file_names_cannot_smuggle_headers(name: str) -> None:
    with pytest.raises(ContentProblem):
        plain_message(WHO, "x", "y", attachments=[(name, "image/png", b"x")])


def test_a_long_name_is_split_and_read_back() -> None:
    name = "很长的文件名" * 12 + ".pdf"
    message = read(plain_message(WHO, "x", "y", attachments=[(name, "application/pdf", b"x")]))
    assert [part.get_filename() for part in message.iter_attachments()] == [name]

"""The labelled sets of tests/corpus/human as mails.

`_look` halves were open to whoever wrote the rules; `_test` halves were written first and are only scored.
"""

from __future__ import annotations

import json
from email.header import Header
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "corpus" / "human"
HEADERS = {
    "X": "X-Auto-Response-Suppress: All\nAuto-Submitted: auto-generated\n",
    "A": "Auto-Submitted: auto-replied\n",
    "Y": "X-Autoreply: yes\n",
    "P": "Precedence: auto_reply\n",
    "R": "In-Reply-To: <1@senders.example>\nReferences: <1@senders.example>\n",
    "-": "",
    "": "",
}


def load(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def mail(body: str, subject: str = "Re: Offer", headers: str = "", day: str = "2026-11-20") -> bytes:
    """A plain mail in UTF-8 as a customer's server delivers it."""
    year, month, date = day.split("-")
    name = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][int(month) - 1]
    head = (
        f"From: customer@buyer.example\nTo: li.na@senders.example\n{headers}"
        f"Subject: {Header(subject, 'utf-8').encode()}\nDate: {int(date)} {name} {year} 09:12:00 +0000\n"
        "Message-ID: <m@buyer.example>\nMIME-Version: 1.0\n"
        "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
    )
    return (head + body + "\n").encode()


def mail_of_auto(case: dict[str, Any]) -> bytes:
    return mail(case["body"], case["subject"], HEADERS[case["headers"]], case["date"])


def mail_of_wish(case: dict[str, Any]) -> bytes:
    replies = ":" in case["subject"][:10]
    return mail(case["body"], case["subject"], HEADERS["R"] if replies else "")

"""Strings in a received mail that may be signed tokens of ours: in returned bodies, in addresses, in a subject. Pure.

Nothing is believed here: who can read the key decides (tracking/tokens.py).
"""

from __future__ import annotations

import re

from outreach.inbox.parse import Mail

#: Characters of each part that are searched: our links stand in the first kilobytes, and the footer's in the last.
LOOK = 65_536
MOST = 40
_TOKEN = r"([A-Za-z0-9_-]{20,64})"
#: /u/TOKEN and the like.
_IN_URL = re.compile(rf"/[ocup]/{_TOKEN}\b")
#: The subject of a List-Unsubscribe mail.
_IN_SUBJECT = re.compile(rf"\bunsubscribe[ :+]+{_TOKEN}\b", re.I)
#: sales+TOKEN@…, bounce-TOKEN@…, bounces+TOKEN=buyer.example@…
_IN_ADDRESS = re.compile(rf"[+=-]{_TOKEN}(?==[^@\s]*)?@")
_ADDRESSED = ("To", "Delivered-To", "X-Original-To", "Envelope-To")


def tokens_in(mail: Mail) -> tuple[str, ...]:
    """Return the candidates, each once: subject, addresses, then links in any part, returned messages included."""
    found = _IN_SUBJECT.findall(mail.subject[:1_000])
    for name in _ADDRESSED:
        found += [token for value in mail.get_all(name)[:5] for token in _IN_ADDRESS.findall(value[:2_000])]
    for part in mail.leaves:
        if len(found) >= MOST:
            break
        if part.content_type.startswith("text/"):
            text = part.text
            found += _IN_URL.findall(text[:LOOK]) + _IN_URL.findall(text[LOOK:][-LOOK:])
    return tuple(dict.fromkeys(found))[:MOST]

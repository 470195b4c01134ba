"""Where a letter ends: the delimiter, the closing formula, the telephone's advertisement, the contact block."""

from __future__ import annotations

import re
from functools import cache

from outreach.inbox.fold import fold
from outreach.inbox.phrases import any_of

_DELIMITER = re.compile(r"^\s*(?:[-—_+=~ᐧ]+|[-—_+=~*#,]{2,}|-- ?\S.{0,60}|\|[\s|]*\|)\s*$")
_DEVICE = re.compile(
    r"iphone|ipad|ipod|android|samsung|galaxy|blackberry|outlook|mail|mobile|phone|handy|smartphone|windows|yahoo|proton"
    r"|huawei|honor|xiaomi|redmi|oppo|vivo|oneplus|nokia|lenovo|motorola|sony|htc|pixel|tablet|telefon|telefoon"
    r"|thunderbird|spark|zimbra|aol|телефон|яндекс|手机|手機|邮箱|邮件|郵件|スマ|携帯|스마트|아이폰|هاتف|جوال|אייפון"
)
_CONTACT = re.compile(
    r"\+?\(?\d[\d ()./-]{7,}|\b(?:tel|phone|mob|mobile|cell|fax|telefon|wechat|whatsapp|skype)\b|www\.|https?://"
    r"|[^\s@]+@[^\s@]+\.\w|电话|手机|传真|電話|전화"
)
_MINE = re.compile(
    r"^\W*(?:sent from my|envoye de mon|envoye depuis mon|von mein\w+ .* gesendet|enviado desde mi|enviado do meu"
    r"|inviato dal? mio|verstuurd vanaf mijn|skickat fran min|wyslane z moj|发自我的|從我的)"
)
_SHORT = 60  # a name and a post fit; a sentence rarely does


@cache
def _closing() -> re.Pattern[str]:
    return any_of("signature", "closing", r"^(?:{})[\s,.!;:~-]*$")


@cache
def _closing_named() -> re.Pattern[str]:
    return any_of("signature", "closing", r"^(?:{})\s*[,!-]\s*(?:[^\W\d][\w.'-]*\s*){1,4}$")


@cache
def _device() -> re.Pattern[str]:
    return any_of("signature", "device", r"^[\s*_\[(]*(?:{})")


def is_delimiter(line: str) -> bool:
    """ "-- " and the lines of dashes and underscores that people put instead."""
    return bool(_DELIMITER.match(line))


def is_device(line: str) -> bool:
    """ "Sent from my iPhone" in any language: short, and it names a device or program before any comma."""
    if not line.strip() or len(line) > 160:
        return False
    low = fold(line).strip()
    found = _device().match(low)
    if not found or ((clause := re.split(r"[,;]", low)[0]) != low and len(low) > len(clause) + 24):
        return False
    words = re.sub(r"<[^>]*>|\([^)]*\)|\[[^\]]*\]", "", clause)
    return len(words.split()) <= 10 and bool(_DEVICE.search(words) or (_MINE.match(words) and len(words.split()) <= 7))


def is_closing(line: str) -> bool:
    """A line that is nothing but a closing formula, perhaps with the name behind it."""
    low = fold(line[:200]).strip(" *_-\t")
    return bool(low) and bool(_closing().match(low) or _closing_named().match(low))


def contact_block(lines: list[str], sender: str) -> int:
    """Index where a bare signature begins at the end of the letter, len(lines) when there is none.

    It is the last paragraph, and it begins with the sender's name or holds two lines of telephone, web or mail.
    """
    start = _last_paragraph(lines)
    block = [line for line in lines[start:] if line.strip()]
    if start == 0 or not block or len(block[0]) > _SHORT:
        return len(lines)
    named = _is_name(block[0], sender) and all(len(line) <= 120 for line in block)
    contacts = sum(bool(_CONTACT.search(fold(line))) for line in block)
    quiet = not re.search(r"[.?!。？！]\s*$", block[0])
    return start if named or (contacts >= 2 and quiet) else len(lines)


def _last_paragraph(lines: list[str]) -> int:
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    start = end
    while start and lines[start - 1].strip():
        start -= 1
    return start


def _is_name(line: str, sender: str) -> bool:
    words = fold(line).strip(" ,.-").split()
    wanted = fold(sender).replace('"', "").replace(",", " ").split()
    return bool(words) and bool(wanted) and set(words) <= set(wanted)

"""Telephone numbers: as people dial them and as they can be compared (E.164). Pure."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat


@lru_cache(maxsize=16384)
def _parsed(text: str, country: str | None) -> phonenumbers.PhoneNumber | None:
    cleaned = text.strip()
    if cleaned.startswith("00"):
        cleaned = "+" + cleaned[2:]
    try:
        number = phonenumbers.parse(cleaned, country)
    except NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None


def normal_number(text: str | None, country: str | None = None) -> str | None:
    """Return a number as E.164 (+4930123456) for comparison and tel: links; None where it is no number.

    `country` is where a number without +49 or 0049 is dialled.
    """
    number = _parsed(text, country) if text else None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164) if number else None


def shown_number(text: str | None, country: str | None = None) -> str:
    """Return a number as it is read (+49 30 123456), with its extension; what cannot be read stays as written."""
    number = _parsed(text, country) if text else None
    return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL) if number else (text or "")


def tel_link(text: str | None, country: str | None = None) -> str | None:
    """Return the tel: address of RFC 3966, None where it is no number."""
    number = _parsed(text, country) if text else None
    return phonenumbers.format_number(number, PhoneNumberFormat.RFC3966) if number else None


def channel_link(channel: str, value: str, country: str | None = None) -> str | None:
    """Return where a click on a person's account in another channel leads; None where it can only be noted (WeChat)."""
    text = value.strip()
    if channel == "whatsapp":
        number = normal_number(text, country)
        return f"https://wa.me/{number.removeprefix('+')}" if number else None
    if channel == "linkedin":
        name = text.rstrip("/").rsplit("/", 1)[-1]
        plain = all(char.isalnum() or char in "-_%." for char in name)
        return f"https://www.linkedin.com/in/{name}" if name and plain else None
    return None


#: Accounts that are kept beside the telephone number, as attributes of the contact.
CHANNELS = ("whatsapp", "wechat", "linkedin")
#: What Tencent allows: begins with a letter, six to twenty signs; people are also found by telephone or QQ number.
_WECHAT, _QQ = re.compile(r"[A-Za-z][A-Za-z0-9_-]{5,19}"), re.compile(r"[1-9]\d{4,11}")
_LINKEDIN = re.compile(r"(?:https?://)?(?:[a-z]{2,3}\.)?linkedin\.com/in/([^/?#\s]+)/?(?:[?#].*)?", re.IGNORECASE)
_SLUG = re.compile(r"[\w%.-]{3,100}")


class ChannelRefused(ValueError):
    """A number or account that cannot be one; `code`: number, country_code, wechat, linkedin."""

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        super().__init__(text)


def channel_value(channel: str, text: str, country: str | None = None) -> str:
    """Return a number or account as it is stored: numbers with their country code, LinkedIn by its page's name.

    `channel` is phone or one of CHANNELS; blank stays blank. Raises ChannelRefused.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if not plain:
        return ""
    if channel in ("phone", "whatsapp"):
        return _number(plain, country)
    if channel == "wechat":
        if _WECHAT.fullmatch(plain) or _QQ.fullmatch(plain):
            return plain
        if normal_number(plain, country):
            return shown_number(plain, country)
        raise ChannelRefused("wechat", "a WeChat ID begins with a letter and has 6 to 20 letters, digits, - or _")
    page = _LINKEDIN.fullmatch(plain)
    name = page[1] if page else plain
    if not _SLUG.fullmatch(name):
        raise ChannelRefused("linkedin", "give the address of the person's page: linkedin.com/in/NAME")
    return name


def _number(text: str, country: str | None) -> str:
    if normal_number(text, country):
        return shown_number(text, country)
    if not country and not text.startswith(("+", "00")):
        raise ChannelRefused("country_code", "write the number with its country code, such as +49 30 123456")
    raise ChannelRefused("number", "this is no telephone number")

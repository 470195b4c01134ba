"""Telephone numbers: as people dial them and as they can be compared (E.164). Pure."""

from __future__ import annotations

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

"""Spelling set aside: people write "recu" for "reçu", capitals, full-width marks and curly quotes as they like."""

from __future__ import annotations

import unicodedata

_LETTERS = {
    "ı": "i", "đ": "d", "ł": "l", "ø": "o", "æ": "ae", "œ": "oe",
    "ى": "ي", "ة": "ه", "ـ": "", "؟": "?", "،": ",", "؛": ";",
    "’": "'", "‘": "'", "ʼ": "'", "´": "'", "`": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
    "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-",
    "。": ".", "、": ",", "「": '"', "」": '"',
    "\u200b": "", "\u200c": "", "\u200d": "", "\u200e": "", "\u200f": "", "\u00ad": "", "\ufeff": "",
    "\u202a": "", "\u202b": "", "\u202c": "", "\u2060": "",
}  # fmt: skip
_TABLE = str.maketrans(_LETTERS | {chr(base + n): str(n) for base in (0x0660, 0x06F0, 0x0966) for n in range(10)})
_MARKS = [(0x0300, 0x036F), (0x0610, 0x061A), (0x064B, 0x065F), (0x0670, 0x0670)]
_NO_MARKS = {code: None for first, last in _MARKS for code in range(first, last + 1)}


def fold(text: str) -> str:
    """`text` for comparing: compatibility forms, lower case, no accents or Arabic vowel signs, ASCII digits and quotes.

    Lines stay lines. Kana keep their voicing marks, Hangul its syllables.
    """
    if text.isascii():
        return text.lower().replace("`", "'")
    low = unicodedata.normalize("NFKC", text).casefold().translate(_TABLE)
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", low).translate(_NO_MARKS)).translate(_TABLE)

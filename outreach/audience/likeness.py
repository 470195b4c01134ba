"""How much two company names are alike: their own words in their order, spelling errors allowed. Pure.

`Vega Nova Wholesale` and `Nova Vega Wholesale` are two companies, as are `Cobalt Solis Furniture` and `Solis Alta
Furniture`; `Lichtwerk Brandt GmbH` and `Lichtwerk Brand` are one. So order counts for the words that tell which company
it is. What a name says of trade, place and form (data/trade_words.txt) weighs a quarter and may stand anywhere:
different companies of one market share it, and one company writes it now here, now there. Where both say it and say
something else (Acme Lighting, Acme Furniture), they are two. What one name alone says of its trade may be left out in
the other, or tell another company of the house (Siemens, Siemens Energy): such a pair is asked about, no more. A slip
of the ear or the finger in a word of trade (Hafen Lichd) makes no own word of it. Legal forms weigh nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

from rapidfuzz import fuzz

from outreach.audience.dedupe import folded, normal_name

#: Of 100; below this two names are of two companies more often than of one.
ALIKE = 88.0
#: In another country the names must be nearly equal: a sister company, not a namesake.
ABROAD = 98.0
#: Two domains with the same first part (acme.de, acme.fr) need less of a name in common.
SISTER = 60.0
#: What the own words, joined, must have in common before two names are measured at all (a quick look in C).
LIKELY = 75.0

#: A word of trade, place or form against an own word, where both names have it, and where one alone has it.
#: What one alone says it deals in weighs as much as what both say.
_TRADE, _ONE_SIDED = 0.25, 0.1
#: Letters from which on a word that sounds like a word of trade is taken for it.
_LONG = 5
_ALIKE_SOUNDS = str.maketrans("dpgcqzvwyjm", "tbkkksffiin")
#: One word, spelt twice: Brandt and Brand (91), Aurora and Auroras (92). Nova and Vega share nothing (25).
_ONE_WORD = 75.0
#: Where each name has a word that the other lacks: never alike, however long the rest.
_APART = 80.0
#: Own words written together here and apart there (Nord Lys, Nordlys).
_JOINED = 95.0
_HAN = re.compile("[\u3400-\u9fff]")
_DIGITS = re.compile(r"\D+")
#: Letters that Unicode does not take apart, and how ä, ö, ü are written without them.
_PLAIN = str.maketrans({"ł": "l", "ø": "o", "ı": "i", "đ": "d", "ß": "ss", "æ": "a", "œ": "o", "þ": "th"})
_UMLAUTS = re.compile("(?<=[aou])e")


class Words(NamedTuple):
    """A name's own words in their order, its words of trade, and its numbers."""

    own: tuple[str, ...]
    trade: tuple[str, ...]
    numbers: str

    @property
    def core(self) -> str:
        """The own words without spaces: what names are found by."""
        return "".join(self.own)


class Vocabulary(NamedTuple):
    """Words of trade, place and form; which of them say what a company deals in; legal forms; Chinese parts of names.

    `heard`: the longer words of trade by their sound, for those that are misspelt or foreign (Licht, Light).
    """

    trading: frozenset[str]
    sectors: frozenset[str]
    forms: frozenset[str]
    inside: re.Pattern[str]
    heard: dict[str, str]


@lru_cache(maxsize=1)
def _vocabulary() -> Vocabulary:
    text = files("outreach.audience.data").joinpath("trade_words.txt").read_text("utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    words, _, rest = lines.partition("[sectors]")
    deals, _, rest = rest.partition("[forms]")
    forms, _, inside = rest.partition("[inside]")
    longest_first = sorted(inside.split(), key=len, reverse=True)
    kind, sectors, dropped = (frozenset(folded(listed).translate(_PLAIN).split()) for listed in (words, deals, forms))
    heard = {_heard(word): word for word in sorted(kind | sectors) if len(word) >= _LONG}
    return Vocabulary(kind | sectors, sectors, dropped, re.compile("(" + "|".join(longest_first) + ")"), heard)


def _heard(word: str) -> str:
    """Return how a word sounds at a trade fair: its first letter, then letters that are taken for one another as one.

    Two of a kind count once (Beleuchttung); the first letter is where nobody slips.
    """
    return word[:1] + re.sub(r"(.)\1+", r"\1", word[1:].translate(_ALIKE_SOUNDS))


@lru_cache(maxsize=4096)
def words_of(name: str) -> Words:
    """Take a name apart. Where there is no word of its own (China Lighting Trading), its words of trade stand in."""
    trading, _, forms, inside, heard = _vocabulary()
    normal = normal_name(name).translate(_PLAIN)
    own: list[str] = []
    trade: list[str] = []
    for word in [word for word in normal.split() if word not in forms] or normal.split():
        if len(word) >= _LONG and (meant := heard.get(_heard(word))):
            trade.append(meant)
        elif word in trading or (len(word) == 1 and word.isascii() and word.isalpha()):  # A/S, S A
            trade.append(word)
        elif _HAN.search(word):
            parts = inside.split(word)
            own += [part for part in parts[::2] if part]
            trade += parts[1::2]
        else:
            own.append(_UMLAUTS.sub("", word))
    numbers = " ".join(_DIGITS.sub(" ", normal).split())
    return Words(tuple(own), tuple(trade), numbers) if own else Words(tuple(trade), (), numbers)


def likeness(left: Words, right: Words) -> float:
    """Return 0 (nothing in common) to 100 (the same). Factory 12 and Factory 13 are two: other numbers give 0."""
    if left.numbers != right.numbers:
        return 0.0
    shared, apart = set(left.trade) & set(right.trade), set(left.trade) ^ set(right.trade)
    common = 2 * _TRADE * len(shared)
    sectors = len(apart & _vocabulary().sectors)
    beside = common + _TRADE * sectors + _ONE_SIDED * (len(apart) - sectors)
    together, own = _in_order(left.own, right.own), len(left.own) + len(right.own)
    score = 100 * (2 * sum(together) + common) / (own + beside) if own else 0.0
    if len(left.own) != len(right.own) and (joined := fuzz.ratio(left.core, right.core)) >= _JOINED:
        score = max(score, 100 * (joined / 50 + common) / (2 + beside))
    elif len(together) < min(len(left.own), len(right.own)):
        score = min(score, _APART)
    if len(shared) < min(len(set(left.trade)), len(set(right.trade))):
        score = min(score, _APART)
    return min(score, 100.0)


def _in_order(left: tuple[str, ...], right: tuple[str, ...]) -> list[float]:
    """Return how much the words agree that both names have in the same order, each 0 to 1: the best such choice."""
    if left == right:
        return [1.0] * len(left)
    best: list[list[float]] = [[] for _ in range(len(right) + 1)]
    for one in left:
        before = best
        best = [[]]
        for index, other in enumerate(right):
            agreed = 1.0 if one == other else fuzz.ratio(one, other, score_cutoff=_ONE_WORD) / 100
            ways = [before[index + 1], best[index]]
            if agreed:
                ways.append([*before[index], agreed])
            best.append(max(ways, key=sum))
    return best[-1]

"""Which rows are one company: by its own mail domain, else by name and country; free-mail providers are nobody's."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import tldextract
from rapidfuzz import fuzz, process

#: The Public Suffix List that comes with the package: no network, no file in a home folder.
_SUFFIXES = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)

#: Of 100; below this two names are of two companies more often than of one.
ALIKE = 88.0
#: In another country the names must be nearly equal: a sister company, not a namesake.
ABROAD = 98.0

#: Legal forms say nothing about which company it is.
_FORMS = frozenset(
    word
    for line in (
        "gmbh ag kg ohg ug se mbh co ltd limited llc llp lp inc incorporated corp corporation company",
        "sa sas sarl spa srl sl slu bv nv ab as asa aps oy oyj kft zrt doo sro spzoo zoo pty plc pvt private bhd sdn",
        "ltda eireli me jsc ojsc pjsc ooo zao fze fzco fzc wll est the and und et y e",
    )
    for word in line.split()
)
_FORMS_ZH = re.compile(r"(?:有限责任公司|股份有限公司|集团有限公司|有限公司|股份公司|集团公司|集团|公司)$")


@lru_cache(maxsize=1)
def _free_mail() -> tuple[frozenset[str], frozenset[str]]:
    text = files("outreach.audience.data").joinpath("freemail.txt").read_text("utf-8")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    exact = frozenset(line for line in lines if not line.endswith(".*"))
    return exact, frozenset(line.removesuffix(".*") for line in lines if line.endswith(".*"))


def is_free_mail(domain: str) -> bool:
    """Return whether the domain is a provider's, so that it tells no company."""
    exact, families = _free_mail()
    return domain in exact or domain.split(".", 1)[0] in families


@lru_cache(maxsize=65536)
def company_domain(domain: str) -> str | None:
    """Return the domain that stands for the company (mail.acme.co.uk → acme.co.uk); None for free mail."""
    if is_free_mail(domain):
        return None
    if domain.count(".") == 1:  # the usual case needs no list: there is nothing to cut off
        return domain
    found = _SUFFIXES.extract_str(domain, include_psl_private_domains=False)
    registrable = found.top_domain_under_public_suffix
    registrable = registrable or ".".join(domain.split(".")[-2:])  # .example and other names without a public suffix
    return None if is_free_mail(registrable) else registrable


@lru_cache(maxsize=65536)
def normal_name(name: str) -> str:
    """Return a company's name for comparison: no accents, signs, legal form or case."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name)).lower()
    letters = "".join(char for char in folded if not unicodedata.combining(char))
    # S.A., G.m.b.H., B.V.: letters with dots between them are one word
    letters = re.sub(r"\b((?:\w\.){1,5}\w?)", lambda found: found[1].replace(".", ""), letters)
    words = re.sub(r"[^\w]+", " ", letters).split()
    kept = [word for word in words if word not in _FORMS] or words
    joined = " ".join(kept)
    return unicodedata.normalize("NFC", _FORMS_ZH.sub("", joined) or joined)


def folded_name(name: str) -> str:
    """Return a company's name for measuring likeness: its words in a fixed order."""
    return " ".join(sorted(normal_name(name).split()))


def company_key(domain: str, name: str, country: str | None) -> str | None:
    """Return how the company of a row is found: ``d:domain``, else ``n:name|country``, None where nothing tells it."""
    own = company_domain(domain)
    if own is not None:
        return "d:" + own
    normal = normal_name(name) if name else ""
    return f"n:{normal}|{country or ''}" if normal else None


@dataclass(frozen=True, slots=True)
class Similar:
    """Two companies that may be one. `score` 0 to 100."""

    left: int
    right: int
    score: float


def similar_companies(names: Iterable[tuple[int, str]], cutoff: float = 90.0, limit: int = 200) -> list[Similar]:
    """Return pairs of (id, name) whose names are nearly the same, the most alike first.

    Names are compared within blocks of the same first three letters and their sorted words: all against all would
    take hours at a hundred thousand.
    """
    blocks: dict[str, list[tuple[int, str]]] = {}
    for number, name in names:
        normal = folded_name(name)
        if normal:
            blocks.setdefault(normal[:3], []).append((number, normal))
    pairs = [pair for block in blocks.values() if len(block) > 1 for pair in _within(block[:2000], cutoff)]
    return sorted(pairs, key=lambda pair: (-pair.score, pair.left, pair.right))[:limit]


def _within(block: list[tuple[int, str]], cutoff: float) -> list[Similar]:
    texts = [normal for _, normal in block]
    pairs = []
    for index, (number, normal) in enumerate(block[:-1]):
        for _, score, offset in process.extract(
            normal, texts[index + 1 :], scorer=fuzz.ratio, score_cutoff=cutoff, limit=20
        ):
            pairs.append(Similar(number, block[index + 1 + offset][0], round(float(score), 1)))
    return pairs

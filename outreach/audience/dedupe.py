"""Which rows are one company: by its own mail domain, else by name and country; free-mail providers are nobody's."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from importlib.resources import files

import tldextract

#: The Public Suffix List that comes with the package: no network, no file in a home folder.
_SUFFIXES = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)

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


#: A shorter part of a domain is chance more often than a name.
LABEL = 5
#: Domains and names that are remembered: rows of one company mostly stand close together.
REMEMBERED = 8_192


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


@lru_cache(maxsize=REMEMBERED)
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


def domain_label(domain: str | None) -> str | None:
    """Return the first part of the company's domain (acme of mail.acme.co.uk), where it is long enough to be a name."""
    own = company_domain(domain) if domain else None
    label = own.split(".", 1)[0] if own else ""
    return label if len(label) >= LABEL else None


def folded(text: str) -> str:
    """Return the text in lower case without accents (é, й), in NFKD."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text)).lower()
    return "".join(char for char in plain if not unicodedata.combining(char))


@lru_cache(maxsize=REMEMBERED)
def normal_name(name: str) -> str:
    """Return a company's name for comparison: no accents, signs, legal form or case."""
    letters = folded(name)
    # S.A., G.m.b.H., B.V.: letters with dots between them are one word
    letters = re.sub(r"\b((?:\w\.){1,5}\w?)", lambda found: found[1].replace(".", ""), letters)
    words = re.sub(r"[^\w]+", " ", letters).split()
    kept = [word for word in words if word not in _FORMS] or words
    joined = " ".join(kept)
    return unicodedata.normalize("NFC", _FORMS_ZH.sub("", joined) or joined)


def company_key(domain: str, name: str, country: str | None) -> str | None:
    """Return how the company of a row is found: ``d:domain``, else ``n:name|country``, None where nothing tells it."""
    own = company_domain(domain)
    if own is not None:
        return "d:" + own
    normal = normal_name(name) if name else ""
    return f"n:{normal}|{country or ''}" if normal else None

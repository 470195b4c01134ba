"""What happened to one recipient, and what a whole report amounts to."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from outreach.inbox.codes import best_status, is_vague, reason_of_reply, reason_of_status, reply_in
from outreach.inbox.phase import phase_in
from outreach.inbox.reasons import BARE, HIDDEN, SENTENCE, WEAK_SIGNS, explain, reason_in
from outreach.inbox.verdict import Finding, Ids, Kind, Verdict

# The address is dead, whatever the class of the reply. A host that takes no mail at all (RFC 7505) is dead for us too,
# but only when it says so for good.
DEAD = frozenset({"userunknown", "hostunknown", "hasmoved"})
# Reasons so general that a telling status code knows better.
GENERAL = frozenset({"systemerror", "securityerror", "syntaxerror", "networkerror", "expired", "policyviolation"})


# Words that mean the sender when they are the answer to MAIL FROM.
ABOUT_SENDER_AT_MAIL = frozenset({"userunknown", "hostunknown", "notaccept"})
# What a sentence of a content filter may sound like.
ABOUT_NOBODY = frozenset({"rejected", "policyviolation", "syntaxerror", "systemerror", "speeding"})
# Words that mean our own host when it was refused before it could name anybody.
REFUSED_AT_THE_DOOR = frozenset({None, "systemerror", "securityerror", "rejected", "syntaxerror"})
# What else a server says of us before it knows anything but our host, though the words are commonly said of others.
SAID_OF_HOSTS = frozenset({"networkerror", "mailboxfull", "suspend", "filtered"})
# ... unless the server speaks of its own troubles.
_OWN_TROUBLE = re.compile(
    r"\b(?:over)?load\b|overload|shutting down|maintenance|lookup|resolving|resources|memory|disk"
)

#: Characters of a reply, its status and its server's name, whose judgement is remembered without the address.
LONGEST_KEPT = 1000
STAND_IN = "x@x"
_BARE = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,55}")


def _silent() -> str:
    return ""


@dataclass(frozen=True)
class Outcome:
    """One recipient of a report.

    text: the server's words. notice: gives the prose around them, asked only where the words do not suffice, for
    finding it costs more than all the rest. stage: the SMTP command that was refused, where the caller knows it.
    """

    recipient: str
    text: str = ""
    status: str | None = None
    delayed: bool = False
    stage: str = ""
    notice: Callable[[], str] = _silent
    host: str = ""  # the server that refused
    looked_up: bool = False  # the mail system that reports did itself look the address up

    @cached_property
    def context(self) -> str:
        return self.notice()

    @cached_property
    def phase(self) -> str:
        """connect, ehlo, mail, rcpt, data, end or "" (phase.py)."""
        return self.told or phase_in(self.context)

    @cached_property
    def told(self) -> str:
        """The phase as far as the caller and the server's own words tell."""
        return self.stage or phase_in(self.text)


class _AsksNotice(Exception):
    """The words alone do not settle it."""


def judge(outcome: Outcome) -> Finding:
    """What became of one recipient: by the server's words where they suffice, else with the notice around them.

    Bounces of one campaign repeat the same few sentences; without the address they are equal, and judged once.
    """
    words, host = outcome.text, outcome.host
    if len(words) + len(outcome.status or "") + len(host) <= LONGEST_KEPT:
        if _BARE.fullmatch(outcome.recipient):
            words = words.replace(outcome.recipient, STAND_IN)
        looked_up = outcome.looked_up or _names_looker(host)
        known = _by_words(words, outcome.status, outcome.delayed, outcome.stage, looked_up)
        if known is not None:
            return Finding(outcome.recipient, *known, outcome.delayed, outcome.text)
    return Finding(outcome.recipient, *_judge(outcome), outcome.delayed, outcome.text)


@lru_cache(maxsize=4096)
def _by_words(
    text: str, status: str | None, delayed: bool, stage: str, looked_up: bool
) -> tuple[str | None, str | None, bool | None] | None:
    try:
        return _judge(Outcome("", text, status, delayed, stage, _ask_notice, looked_up=looked_up))
    except _AsksNotice:
        return None


def _ask_notice() -> str:
    raise _AsksNotice


def _judge(outcome: Outcome) -> tuple[str | None, str | None, bool | None]:
    """(status, reason, hard)."""
    status = best_status(outcome.status, outcome.text)
    if is_vague(status):
        status = best_status(status, outcome.context)
    reason = _reason(outcome, status)
    return status, reason, hardness(reason, status, outcome)


def _reason(outcome: Outcome, status: str | None) -> str | None:
    """The server's words, unless they are general and the status or the notice around them is not."""
    found = explain(outcome.text) if outcome.text else None
    said = found[0] if found else None
    by_status = reason_of_status(status)
    if found and (better := _better(outcome, found, status, by_status)):
        return better
    if said in _STRICT:
        return _STRICT[said](outcome, status)
    if (said in SAID_OF_HOSTS or said in REFUSED_AT_THE_DOOR) and _at_the_door(outcome, said):
        return "blocked"  # only our host's name and address were known to the server: a domain it rejects is ours
    if (found is None or (said == "securityerror" and found[1] in BARE)) and outcome.phase == "mail":
        return "rejected"  # nothing but the sender was known to the server yet
    if said and (said not in GENERAL or by_status is None):
        return said
    if by_status == "filtered" and status and status[0] == "4" and said:
        return said  # "another mailbox status" for now: the words say which
    weighed = _weigh(said, None if said else _around(outcome, status), by_status)
    return weighed or ("expired" if outcome.delayed else reason_of_reply(reply_in(outcome.text), outcome.phase))


def _at_the_door(outcome: Outcome, said: str | None) -> bool:
    """A server refused our host. It said so itself: a connection that failed is the network's trouble."""
    if (outcome.told if said in SAID_OF_HOSTS else outcome.phase) not in ("connect", "ehlo"):
        return False
    if said == "networkerror":
        return (reply_in(outcome.text) or "")[:1] == "5"
    return said != "systemerror" or not _OWN_TROUBLE.search(outcome.text.lower())


def _better(outcome: Outcome, found: tuple[str, str], status: str | None, by_status: str | None) -> str | None:
    """What the refused command or a telling status knows better than these words."""
    said, sign = found
    if sign in WEAK_SIGNS and outcome.told in ("connect", "ehlo"):
        return "blocked"
    if said in ABOUT_SENDER_AT_MAIL and outcome.told == "mail":
        return "rejected"  # no recipient was named yet
    if said == "notaccept" and status == "4.3.2":
        return "systemerror"  # RFC 3463 3.3: shutting down, or too busy
    if sign == HIDDEN and by_status in GENERAL:  # refused for a cause, and the status says: not for the address
        return "rejected" if by_status == "securityerror" else by_status
    if by_status and _outweighs(by_status, said, sign):
        return _STRICT[by_status](outcome, status) if by_status in _STRICT else by_status
    return None


def _outweighs(by_status: str, said: str, sign: str) -> bool:
    """Whether the status is surer than the words."""
    if by_status == "mailboxfull" and said in ("mesgtoobig", "exceedlimit", "systemfull", "speeding", *GENERAL):
        return True
    if sign in WEAK_SIGNS:
        return by_status not in (*GENERAL, "filtered", "rejected")
    if sign != SENTENCE:
        return False
    return (by_status == "contenterror" and said in ABOUT_NOBODY) or (
        by_status in ("hostunknown", "hasmoved") and said == "userunknown"
    )


def _weigh(said: str | None, around: str | None, by_status: str | None) -> str | None:
    if around and (around not in GENERAL or by_status in (None, "expired")):
        return around
    if by_status and (said is None or by_status not in (*GENERAL, "mailererror")):
        return by_status
    return said or around or by_status


def _around(outcome: Outcome, status: str | None) -> str | None:
    found = reason_in(outcome.context) if outcome.context else None
    return _user_unknown(outcome, status) if found == "userunknown" else found


def _user_unknown(outcome: Outcome, status: str | None) -> str:
    return "userunknown" if _confirmed(outcome, status) else "filtered"


def _host_unknown(outcome: Outcome, status: str | None) -> str:
    """With a temporary status the DNS did not answer, which is not the same as its answer "no such domain"."""
    if is_vague(status) and outcome.phase in ("connect", "ehlo"):
        return "blocked"
    return "networkerror" if status and status[0] == "4" else "hostunknown"


_STRICT = {"userunknown": _user_unknown, "hostunknown": _host_unknown}

# Said by a mail system that looked the address up itself, not by a server whose stage we do not know.
LOOKED_UP = (
    "not listed in", "unknown user: \"", "name is not recognized", "resolver.adr.", "unrouteable", "unroutable",
    "unknown local", "suppression list", "p=nosuchuser", "不存在", "查无此人", "查無此人", "无此用户",
    "存在しません", "見つかりません", "не найден", "не существует", "존재하지", "nicht gefunden", "unbekannt",
    "inconnu", "répertorié", "addresses were unknown", "desconocid", "desconhecid", "sconosciut", "no existe",
    "onbekend", "nie istnieje", "bulunamadı", "غير موجود", "không tồn tại", "inexistente", "inesistente", "inexistant",
    "introuvable", "nicht vorhanden", "mevcut değil", "finns inte", "findes ikke", "finnes ikke", "neexistuje", "ไม่พบ",
    "no encontrad", "não encontrad", "non trovat", "niet gevonden", "찾을 수 없", "無此", "沒有此", "没有此", "n'existe pas",
    "existiert nicht", "não existe", "non esiste", "bestaat niet", "nie ma takiego", "нет такого", "неизвестен",
    "because the address couldn't be found", "wasn't found at", "unknown to address", "has suppressed sending",
    "nie znalez", "nebyl nalezen", "nem talál", "hittades inte", "blev ikke fundet", "ble ikke funnet", "ei löyt",
    "nu a fost găsit", "не удалось найти", "не знайден", "δεν βρέθηκε", "لم يتم العثور", "לא נמצא", "tidak ditemukan",
    "no se encontró", "no se ha encontrado", "non è stato trovato", "nu există", "δεν υπάρχει", "नहीं मिला",
    "not registered", "no mailbox for", "nicht registriert", "no está registrad", "cadastrad", "не зарегистрир", "登録されて",
    "등록되지", "未注册", "未登记", "non è presente", "kayıtlı değil", "(user) unknown user name",
    "yahoodns.net",  # Yahoo looks recipients up only after DATA
)  # fmt: skip


def _confirmed(outcome: Outcome, status: str | None) -> bool:
    """The words "user unknown" prove a dead address only with a second sign, for many filters say them after DATA.

    The signs: the server refused at RCPT, the status is about the address (X.1.X), or the mail system that wrote the
    notice looked the address up itself. Notices in other languages than English are such systems' own words.
    """
    if outcome.looked_up or (not is_vague(status) and status is not None and not status[1:].startswith(".2.")):
        return True
    words = f"{outcome.text} {outcome.host} {outcome.context}".lower()
    return outcome.phase == "rcpt" or any(sign in words for sign in LOOKED_UP)


@lru_cache(maxsize=4096)
def _names_looker(host: str) -> bool:
    """Whether the refusing server's name is itself such a sign."""
    return any(sign in host.lower() for sign in LOOKED_UP)


def hardness(reason: str | None, status: str | None, outcome: Outcome) -> bool:
    """True: the address is dead. False: it may live, which is also the answer where nobody knows why it failed.

    An address is called dead only by what proves it: a failure without a known reason counts as a soft one.
    """
    if outcome.delayed:
        return False
    if reason in DEAD:
        return True
    if reason == "notaccept":
        temporary = status[0] == "4" if status else (reply_in(outcome.text) or "5")[0] == "4"
        return not temporary
    return False


def summarise(outcomes: list[Outcome], detector: str, ids: Ids = ((), ())) -> Verdict:
    """A bounce's verdict from the outcomes of its recipients (at least one, failed or delayed)."""
    findings = [judge(outcome) for outcome in outcomes]
    lead = _lead(findings)
    recipients = tuple(dict.fromkeys(f.recipient for f in findings if f.recipient))
    return Verdict(
        kind=Kind.BOUNCE,
        recipients=recipients,
        status=lead.status,
        hard=lead.hard if len({f.hard for f in findings}) == 1 else None,
        reason=lead.reason,
        delayed=all(f.delayed for f in findings),
        diagnostic=" ".join(lead.text.split())[:1000] or None,
        findings=tuple(findings),
        original_ids=ids[0],
        own_uids=ids[1],
        detector=detector,
    )


def _lead(findings: list[Finding]) -> Finding:
    """The finding that stands for all: a dead address, else the first with a reason. All are in `findings`."""
    explained = [f for f in findings if f.reason and not f.delayed]
    return next((f for f in explained if f.hard), next(iter(explained), findings[0]))

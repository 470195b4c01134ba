"""Wishes to be left alone, in the person's own words or by a List-Unsubscribe mail (RFC 2369)."""

from __future__ import annotations

import re

from outreach.inbox.fold import fold
from outreach.inbox.human_words import pattern
from outreach.inbox.parse import Mail
from outreach.inbox.reply_text import reply_text
from outreach.inbox.verdict import Kind, Verdict

#: Only the letter's beginning is read: a wish stands there; what follows are terms, footers, forgotten quotations.
READ = 700
_SUBJECT = re.compile(
    r"^\s*(?:(?:re|aw|sv|回复|答复)\s*[:：]\s*)*(?:unsubscribe|退订|退訂|remove(?: me)?|abmelden|desinscription|desabonnement|baja|darse de baja|cancelar|disiscrizione|отписаться|отписка|الغاء الاشتراك|abonelik iptali|配信停止|수신 ?거부|huy dang ky)\b[\s!.:]*(?:[A-Za-z0-9_-]{16,80}|request|please|me|from list)?\s*$",
    re.I,
)
_ALONE = re.compile(
    r"^\W*(?:unsubscribe|unsubscribed|remove|plz remove|please remove|opt out|optout|stop|t|td|退订|退訂|拒收|取消|baja|отписка|stop please)\W*(?:please|me|pls)?\W*$",
    re.I,
)
# What looks like a wish and is a question, an order, or a newsletter's own footer.
_NOT = re.compile(
    r"\b(?:how many|rate|study|feature|button|function|your (?:system|software|service|platform)|customers? can|link (?:does|is) not|does not work)\b|"
    r"(?:to|for|um sich|pour vous|para|per) (?:unsubscribe|abzumelden|desinscrire|desabonner|darse de baja|cancelar|disiscriver\w+)\b.{0,40}(?:click|klick|cliqu|haga|clique|clicca)|"
    r"unsubscribe from (?:receipts|this list click|these)|you (?:are receiving|received) this|如需退订|若要退訂|要退订|退订(?:功能|率|链接|按钮|回复|请)|(?:支持|有没有|是否有)(?:\S{0,4})退订|"
    r"(?:receive|recibir|recevoir|receber|ricevere|получать) (?:the |any |las |los |les |os |as |le |i |gli )?(?:goods|samples?|parcel|shipment|delivery|muestras|echantillons|amostras|campioni|образц\w+|mercanc\w+|merce|invoice|factur\w+)|"
    r"(?:发票|發票|样品|樣品|货|貨|快递|快遞)\S{0,6}(?:不要|别|請勿|请勿)|(?:不要|别|请勿|請勿)(?:再)?(?:寄|发|發)\S{0,4}(?:发票|發票|样品|樣品|货|貨|到)|(?:campioni|muestras|amostras|echantillons|samples|muster)\b"
)


def detect(mail: Mail) -> Verdict | None:
    """An unsubscribe wish; a question about unsubscribing or a newsletter's footer is none."""
    if mail.get("List-Id") or mail.get("List-Unsubscribe"):
        return None
    text = reply_text(mail)
    low = fold(text[:READ])
    subject = fold(mail.subject)
    if _SUBJECT.match(subject) or _ALONE.match(low.strip()) or _wishes(low):
        return Verdict(Kind.UNSUBSCRIBE, reply_text=text or None, detector="unsubscribe")
    return None


def _wishes(low: str) -> bool:
    return bool(pattern("UNSUBSCRIBE").search(low)) and not _NOT.search(low)

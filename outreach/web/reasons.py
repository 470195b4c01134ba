"""Why a mail did not leave, in the words of who reads the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outreach.app.post import Posted
from outreach.sending import texts
from outreach.web.i18n import N_
from outreach.web.retold import retold

if TYPE_CHECKING:
    from outreach.web.routing import Staff


def explain(reason: str, lang: str) -> str:
    """What sending says about a reason code; the code itself where it says nothing."""
    return " ".join(explained(reason, lang)).strip()


def explained(reason: str, lang: str, detail: str = "") -> tuple[str, str]:
    """The same in two parts: what happened, and what to do. `detail` stands for a code that has no words."""
    told = texts.explain(reason, lang, detail)
    return told.what, told.do


def not_sent(staff: Staff, posted: Posted, *, kept: bool = False) -> str:
    """Say that a mail was not taken, and by whom. `kept`: what was written stands below, in the form."""
    if posted.held:
        words = N_("Not sent: %(reply)s. Your text is below.") if kept else N_("Not sent: %(reply)s")
    elif kept:
        words = N_("The mail server refused it: %(reply)s. Nothing was sent; your text is below.")
    else:
        words = N_("The mail server refused it: %(reply)s. Nothing was sent.")
    return staff.say(words, reply=retold(posted.told(staff.lang), staff.lang))

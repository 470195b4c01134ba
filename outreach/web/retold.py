"""What the program wrote down in English, for its log and for scripts, said again to who reads a page.

Such a text is stored with a mailbox, a delivery, a campaign or a version, long before anybody looks. Each is told by its
own English words; what stands in its gaps (names, and what servers said) stays as it is. Pure.
"""

from __future__ import annotations

import re
from functools import lru_cache

from outreach.web.i18n import N_, translate

#: A gap holds anything, but for those of one word.
ONE_WORD = frozenset({"where", "who", "host", "path", "file", "number", "code", "n", "all", "url"})
TEXTS: tuple[str, ...] = (
    # inbox/client.py, inbox/imap, inbox/quota: why a mailbox cannot be read
    N_("%(where)s does not answer: %(why)s"),
    N_("%(where)s does not greet as an IMAP server: %(why)s"),
    N_("%(host)s does not encrypt (STARTTLS): %(why)s"),
    N_("%(who)s's access token was refused twice: give consent again"),
    N_("%(who)s was refused: %(why)s"),
    N_("%(who)s was refused"),
    N_("the server is not ready: %(why)s"),
    N_("folder %(name)s cannot be opened: %(why)s"),
    N_("the folder cannot be listed: %(why)s"),
    N_("mails cannot be fetched: %(why)s"),
    N_("IDLE is offered and refused: %(why)s"),
    N_("the connection was lost: %(why)s"),
    N_("the connection was lost"),
    N_("the server hung up: %(why)s"),
    N_("the server's answer cannot be used: %(why)s"),
    N_("it answers what nobody asked"),
    N_("the server stopped answering"),
    N_("the server took too long for one command"),
    N_("the server spoke on before the handshake"),
    N_("no encrypted connection: %(why)s"),
    N_("not connected"),
    # config/mailbox.py, app/oauth.py: why it cannot be entered
    N_("the environment variable %(name)s is not set: set it to the mailbox's password or code"),
    N_("the secret file %(path)s cannot be read: %(why)s"),
    N_("%(path)s can be read by others: run  chmod 600 %(path)s"),
    N_("the keyring has no entry %(name)s of service outreach: keyring set outreach %(user)s"),
    N_("%(url)s gave no access token: %(why)s. Log in to it again"),
    N_("%(url)s gave no access token: consent may have been withdrawn"),
    # sending/client.py: why a mail server cannot be used
    N_("the server closed the connection"),
    N_("the server does not offer STARTTLS"),
    N_("the server does not offer XOAUTH2"),
    N_("the server offers no way to log in that we know"),
    N_("plain text after the answer to STARTTLS"),
    N_("plain text is for loopback only"),
    # webhooks: what came of a delivery
    N_("bad certificate: %(why)s"),
    N_("no answer in time"),
    N_("no HTTP answer"),
    N_("no such name"),
    N_("the name has no address"),
    N_("there is no webhook %(number)s"),
    N_("its secret cannot be read with this installation's key: give it a new one"),
    # app/pilot.py, app/tick.py, app/campaigns.py, campaigns: why a campaign or a pilot stands
    N_("the program ended while the mail was in hand"),
    N_("pilot: %(n)s of %(all)s bounced"),
    N_("pilot: %(n)s of %(all)s complained"),
    N_("the campaign is not approved: submit it, then have it approved"),
    N_("the campaign was changed after it was approved: its approvals are void; submit it again"),
    N_("the campaign was changed after it was submitted: submit it again, then approve"),
    N_("somebody changed the campaign at the same moment: look again, then repeat"),
    N_("by hand"),
    N_("edited"),
    # crm/orders: why a row is no order
    N_("the order has no number"),
    N_("the order has no date"),
    N_("the row names no customer: give a company or an address"),
    N_("%(value)s is no amount of an order"),
    N_("%(value)s is no amount"),
    N_("%(value)s is no date: write YYYY-MM-DD"),
    N_("%(value)s is no currency: write its ISO code, such as USD, EUR or CNY"),
    N_("nobody has the address %(where)s: add them first"),
    N_("no customer is called %(name)s: give the address of a contact"),
    N_("several are called %(name)s: give the address of a contact"),
    # app/authoring.py: what a version of a template came from
    N_("copy of %(file)s"),
    N_("begin %(code)s"),
    N_("version %(number)s put back"),
    N_("%(file)s removed"),
)
#: The phase that sending/client.py puts before the words, and the words of its library and the operating system.
FOREIGN: tuple[str, ...] = (
    N_("connect: Error connecting to %(host)s on port %(number)s: %(why)s"),
    N_("connect: Timed out connecting to %(host)s on port %(number)s"),
    N_("connect: %(why)s"),
    N_("greeting: %(why)s"),
    N_("ehlo: %(why)s"),
    N_("starttls: %(why)s"),
    N_("auth: %(why)s"),
    N_("[Errno %(code)s] Connection refused"),
    N_("[Errno %(code)s] Connect call failed %(what)s"),
)
#: What the program adds to a line of the timeline, beside what people wrote there → its words.
NOTED: tuple[tuple[str, str], ...] = (
    ("successor: %(value)s", N_("Has left; the successor was entered: %(value)s")),
    ("moved: %(value)s", N_("New address entered: %(value)s")),
    ("wrong_person: %(value)s", N_("Was not the right person: %(value)s")),
    ("colleague: %(value)s", N_("A colleague was entered: %(value)s")),
    ("another_address: %(value)s", N_("Another address was entered: %(value)s")),
    ("%(value)s (in doubt)", N_("%(value)s (in doubt)")),
)
#: What is stored as a code → its words.
CODES: dict[str, str] = {
    "not_configured": N_("It does not stand in the configuration any more."),
    "handed_over": N_("Its owner has left; the work was handed over."),
    "refused: scheme": N_("The address must begin with https://."),
    "refused: user": N_("Leave name and password out of the address: each delivery is signed instead."),
    "refused: port": N_("Use port 443 or 8443."),
    "refused: name": N_("This is no address. It looks like https://erp.example.com/outreach."),
    "refused: private": N_("The address leads into an inner network: nothing is sent there."),
    "ConnectionRefusedError": N_("the connection was refused"),
    "ConnectionResetError": N_("the connection was lost"),
    "BrokenPipeError": N_("the connection was lost"),
    "OSError": N_("the connection failed"),
    "ValueError": N_("the connection failed"),
}


def retold(text: str | None, lang: str) -> str:
    """Return a stored text in the reader's language; what a person or a server wrote as it is."""
    if not text:
        return ""
    if text in CODES:
        return translate(lang, CODES[text])
    for pattern, words in _patterns():
        if found := pattern.fullmatch(text):
            return translate(lang, words, **{name: retold(value, lang) for name, value in found.groupdict().items()})
    head, colon, tail = text.partition("：")  # a Chinese sentence of the doctor's that quotes an English one
    return f"{head}{colon}{retold(tail, lang)}" if colon else text


def noted(text: str | None, lang: str) -> str:
    """Return a line of the timeline with what the program wrote into it in the reader's language."""
    for words, said in NOTED:
        if text and (found := re.fullmatch(_pattern(words), text, re.S)):
            return translate(lang, said, value=found["value"])
    return text or ""


@lru_cache(maxsize=1)
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(_pattern(words), re.S), words) for words in TEXTS + FOREIGN]


@lru_cache
def _pattern(words: str) -> str:
    """The English words as a pattern: its gaps as groups; one that comes again has to say the same."""
    told, known = "", set[str]()
    for place, piece in enumerate(re.split(r"%\((\w+)\)s", words)):
        if place % 2 == 0:
            told += re.escape(piece)
        elif piece in known:
            told += f"(?P={piece})"
        else:
            told += rf"(?P<{piece}>\S+)" if piece in ONE_WORD else f"(?P<{piece}>.+)"
            known.add(piece)
    return told

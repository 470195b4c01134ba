"""Which folders are Sent and Junk: by their special use, else by the names that providers and mail programs give them.

Names as documented or shown by the providers: QQ and Exmail ("Sent Messages", "Junk"), NetEase (已发送, 垃圾邮件),
Aliyun (已发送, 垃圾邮件), Exchange in many languages ("Sent Items", "Junk Email"), Gmail ("[Gmail]/…"), Dovecot, Courier.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

SENT = (
    *("sent", "sent messages", "sent items", "sent mail", "sent-mail", "[gmail]/sent mail", "inbox.sent", "inbox/sent"),
    *(
        "已发送",
        "已发送邮件",
        "已发邮件",
        "发件箱",
        "寄件備份",
        "寄件备份",
        "已傳送的郵件",
        "已寄出郵件",
        "[gmail]/已发邮件",
    ),
    *(
        "gesendet",
        "gesendete elemente",
        "envoyés",
        "éléments envoyés",
        "enviados",
        "elementos enviados",
        "posta inviata",
    ),
    *("itens enviados", "отправленные", "送信済み", "送信済みアイテム", "보낸 편지함", "wysłane", "verzonden items"),
)
JUNK = (
    *(
        "junk",
        "spam",
        "junk email",
        "junk e-mail",
        "bulk mail",
        "[gmail]/spam",
        "inbox.junk",
        "inbox.spam",
        "inbox/junk",
    ),
    *("垃圾邮件", "垃圾箱", "垃圾郵件", "广告邮件", "[gmail]/垃圾邮件"),
    *("junk-e-mail", "spamverdacht", "courrier indésirable", "indésirables", "correo no deseado", "posta indesiderata"),
    *("lixo eletrônico", "спам", "нежелательная почта", "迷惑メール", "스팸 메일함", "정크 메일", "ongewenste e-mail"),
)


@dataclass(frozen=True)
class Folders:
    """Names as people read them; None: there is none. `every`: all that can be opened."""

    sent: str | None = None
    junk: str | None = None
    every: tuple[str, ...] = ()


def choose(found: Iterable[tuple[frozenset[str], str]]) -> Folders:
    """Choose among (flags in lower case, name)."""
    usable = [(flags, name) for flags, name in found if "\\noselect" not in flags and "\\nonexistent" not in flags]
    return Folders(
        sent=_one(usable, ("\\sent",), SENT),
        junk=_one(usable, ("\\junk", "\\spam"), JUNK),
        every=tuple(name for _, name in usable),
    )


def _one(usable: list[tuple[frozenset[str], str]], uses: tuple[str, ...], names: tuple[str, ...]) -> str | None:
    for flags, name in usable:
        if flags.intersection(uses):
            return name
    by_name = {name.lower(): name for _, name in reversed(usable)}
    return next((by_name[name] for name in names if name in by_name), None)

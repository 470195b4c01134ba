"""The visitor's pages and the confirmation mail, in the languages of the preference page. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from importlib import resources

from outreach.tracking.pages import Pages
from outreach.tracking.signup.form import HONEYPOT

Words = Mapping[str, str]


@cache
def words() -> Mapping[str, Words]:
    """Language → words, English first."""
    found: dict[str, Words] = tomllib.loads(resources.files(__package__).joinpath("words.toml").read_text("utf-8"))
    return found


class SignUpPages:
    """Builds them in the frame of the recipients' pages. `interests`: what may be ticked."""

    def __init__(self, frame: Pages, interests: Sequence[str] = ()) -> None:
        self.frame, self.interests = frame, tuple(interests)

    def form(self, lang: str, error: str = "", values: Mapping[str, str] | None = None) -> str:
        """What to fill in."""
        w, given = words()[lang], values or {}
        head = f"<h1>{_e(self._said(w['title']))}</h1><p>{_e(w['intro'])}</p>"
        if error:
            head += f'<p class="err" role="alert">{_e(w[error])}</p>'
        fields = [
            _field("email", w["email"], given, 'type="email" required autocomplete="email" maxlength="320"'),
            _field("first_name", w["first_name"], given, 'autocomplete="given-name" maxlength="120"'),
            _field("last_name", w["last_name"], given, 'autocomplete="family-name" maxlength="120"'),
            _field("company", w["company"], given, 'autocomplete="organization" maxlength="200"'),
        ]
        boxes = "".join(
            f'<label><input type="checkbox" name="interest" value="{_e(name)}"><span>{_e(name)}</span></label>'
            for name in self.interests
        )
        if boxes:
            fields.append(f"<fieldset><legend>{_e(w['interests'])}</legend>{boxes}</fieldset>")
        trap = f'<p class="hp" aria-hidden="true"><input name="{HONEYPOT}" tabindex="-1" autocomplete="off"></p>'
        button = f'<button type="submit" class="wide">{_e(w["button"])}</button>'
        small = f'<p class="small">{_e(self._said(w["consent"]))}</p>'
        inner = f'<form method="post" action="/j/?lang={lang}">{"".join(fields)}{trap}{small}{button}</form>'
        return self.frame.whole(lang, f'{head}<section class="box">{inner}</section>')

    def asked(self, lang: str) -> str:
        """After the form: look into your mailbox. The same for every address."""
        return self._told(lang, "asked")

    def confirm(self, lang: str, token: str) -> str:
        """The link of the mail: a button, because scanners follow every link."""
        w = words()[lang]
        button = f'<button type="submit" class="wide">{_e(w["confirm_button"])}</button>'
        inner = f'<form method="post" action="/j/{token}?lang={lang}">{button}</form>'
        head = f"<h1>{_e(w['confirm'])}</h1><p>{_e(self._said(w['confirm_text']))}</p>"
        return self.frame.whole(lang, f'{head}<section class="box">{inner}</section>')

    def done(self, lang: str) -> str:
        """Confirmed."""
        return self._told(lang, "done")

    def expired(self, lang: str) -> str:
        """A link that is too old or none of ours."""
        w = words()[lang]
        again = f'<p><a href="/j/?lang={lang}">{_e(w["again"])}</a></p>'
        return self.frame.whole(lang, f"<h1>{_e(w['expired'])}</h1><p>{_e(w['expired_text'])}</p>{again}")

    def consent_text(self, lang: str) -> str:
        """What was agreed to, word by word: it is kept as evidence."""
        return self._said(words()[lang]["consent"])

    def mail(self, lang: str, link: str) -> tuple[str, str]:
        """Subject and text of the confirmation mail."""
        w = words()[lang]
        sender = f"{self.frame.sender.company}\n{self.frame.sender.postal_address}".strip()
        lines = [self._said(w["mail_text"]), link, w["mail_not_you"], sender]
        return self._said(w["mail_subject"]), "\n\n".join(lines) + "\n"

    def _told(self, lang: str, what: str) -> str:
        w = words()[lang]
        text = f"<h1>{_e(w[what])}</h1><p>{_e(self._said(w[what + '_text']))}</p>"
        return self.frame.whole(lang, f'<section class="box done" role="status">{text}</section>')

    def _said(self, text: str) -> str:
        return text.replace("{company}", self.frame.sender.company)


def _e(text: str) -> str:
    return escape(text, quote=True)


def _field(name: str, label: str, given: Mapping[str, str], more: str) -> str:
    value = _e(given.get(name, ""))
    return f'<label class="f"><span>{_e(label)}</span><input name="{name}" value="{value}" {more}></label>'

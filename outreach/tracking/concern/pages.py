"""The outsiders' pages: a report in confidence, its receipt, its answer. No script, no cookie, no name asked. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from html import escape
from importlib import resources

from outreach.tracking.pages import Pages

Words = Mapping[str, str]
#: What a report can be about, in the order of the page.
ABOUT = ("mailing", "data", "content", "conduct", "other")
#: A field that people do not see and programs fill in.
HONEYPOT = "website"


@cache
def words() -> Mapping[str, Words]:
    """Language → words, English first."""
    found: dict[str, Words] = tomllib.loads(resources.files(__package__).joinpath("words.toml").read_text("utf-8"))
    return found


class ConcernPages:
    """Builds them in the frame of the recipients' pages."""

    def __init__(self, frame: Pages) -> None:
        self.frame = frame

    def form(self, lang: str, error: str = "", about: str = "", text: str = "") -> str:
        """What to fill in; what was typed stays there after an error."""
        w = words()[lang]
        head = f"<h1>{_e(w['title'])}</h1><p>{_e(self._said(w['intro']))}</p>"
        if error:
            head += f'<p class="err" role="alert">{_e(w[error])}</p>'
        options = "".join(
            f'<option value="{key}"{" selected" if key == about else ""}>{_e(w[key])}</option>' for key in ABOUT
        )
        fields = (
            f'<label class="f"><span>{_e(w["about"])}</span><select name="about">{options}</select></label>'
            f'<label class="f"><span>{_e(w["text"])}</span>'
            f'<textarea name="text" rows="8" maxlength="10000" required>{_e(text)}</textarea></label>'
            f'<p class="hp" aria-hidden="true"><input name="{HONEYPOT}" tabindex="-1" autocomplete="off"></p>'
            f'<button type="submit" class="wide">{_e(w["button"])}</button>'
        )
        form = f'<form method="post" action="/v/?lang={lang}">{fields}</form>'
        return self.frame.whole(lang, f'{head}<section class="box">{form}</section>{self._look(lang)}')

    def done(self, lang: str, receipt: str) -> str:
        """The receipt, shown this once."""
        w = words()[lang]
        told = f"<h1>{_e(w['done'])}</h1><p>{_e(w['done_text'])}</p>"
        number = f'<p class="receipt">{_e(w["receipt"])} <b dir="ltr">{_e(receipt)}</b></p>'
        return self.frame.whole(lang, f'<section class="box done" role="status">{told}{number}</section>')

    def answer(self, lang: str, text: str | None, *, known: bool) -> str:
        """What the auditors answered, that they have not yet, or that there is no such report."""
        w = words()[lang]
        told = (text or w["waiting"]) if known else w["unknown"]
        lines = "<br>".join(_e(line) for line in told.splitlines())
        box = f'<section class="box" role="status"><h1>{_e(w["look"])}</h1><p>{lines}</p></section>'
        return self.frame.whole(lang, box + self._look(lang))

    def _look(self, lang: str) -> str:
        w = words()[lang]
        field = (
            f'<label class="f"><span>{_e(w["receipt"])}</span>'
            f'<input name="receipt" required maxlength="40" autocomplete="off" dir="ltr"></label>'
        )
        button = f'<button type="submit" class="q">{_e(w["look_button"])}</button>'
        form = f'<form method="post" action="/v/answer?lang={lang}">{field}{button}</form>'
        return f'<section class="box"><h2>{_e(w["look"])}</h2>{form}</section>'

    def _said(self, text: str) -> str:
        return text.replace("{company}", self.frame.sender.company)


def _e(text: str) -> str:
    return escape(text, quote=True)

"""How one would write it on a quiet day: Jinja, a regular expression over the links, EmailMessage.

The baseline of benchmarks/compose.py, and what tests/content/test_compose.py compares with: same template,
same recipient, another road.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from html import unescape
from typing import Any

from jinja2 import ChainableUndefined, Environment, Template
from markupsafe import escape

from outreach.content.compose import Compiled, Identity, Urls

_SLOT = re.compile("\ue000(\\w+)\ue001")


class Straightforward:
    """One content; `message` makes one recipient's EmailMessage."""

    def __init__(self, compiled: Compiled, subject: str, preview: str, filters: Mapping[str, Any] | None = None):
        self.compiled = compiled
        self.dynamic: dict[str, int] = {}
        self.click: Callable[[int, str], str] | None = None
        html, text = _environment(True, filters), _environment(False, filters)
        html.filters["_dyn"] = lambda href: self._link(unescape(str(href)).strip())
        text.filters["_dyn"] = lambda href: self._link(str(href).strip())
        self.html = html.from_string(_SLOT.sub(r"{{ \1 }}", compiled.html_template))
        self.text = text.from_string(_SLOT.sub(r"{{ \1 }}", compiled.text_template))
        self.subject, self.preview = text.from_string(subject), text.from_string(preview)

    def message(self, identity: Identity, context: Mapping[str, Any], urls: Urls) -> EmailMessage:
        """The same mail, the slow way."""
        self.dynamic, self.click = {}, urls.click
        values = {**context, "unsubscribe_url": urls.unsubscribe, "preferences_url": urls.preferences}
        message = EmailMessage(policy=SMTP)
        self._head(message, identity, self.subject.render(values).strip(), urls)
        values["_preview"] = self.preview.render(values).strip()
        message.set_content(self._fill(self.text, values, html=False), cte="quoted-printable")
        html = self._fill(self.html, values, html=True)
        if urls.open:
            html = html.replace(
                "</body>",
                f'<img src="{escape(urls.open)}" width="1" height="1" alt="" '
                'style="display:block;width:1px;height:1px;border:0;overflow:hidden;"></body>',
            )
        message.add_alternative(html, subtype="html", cte="quoted-printable")
        return message

    def _fill(self, template: Template, values: Mapping[str, Any], *, html: bool) -> str:
        links = {}
        for link in self.compiled.links:
            url = self.click(link.number, link.url) if self.click else link.url
            links[f"_l{link.number}"], links[f"_t{link.number}"] = escape(url), url
        return template.render({**values, **links})

    def _link(self, url: str) -> str:
        if not re.match("https?:", url):
            return url
        number = self.dynamic.setdefault(url, len(self.compiled.links) + len(self.dynamic) + 1)
        return self.click(number, url) if self.click else url

    @staticmethod
    def _head(message: EmailMessage, who: Identity, subject: str, urls: Urls) -> None:
        message["From"] = Address(who.from_name, addr_spec=who.from_address)
        message["To"] = Address(who.to_name, addr_spec=who.to_address)
        if who.reply_to:
            message["Reply-To"] = who.reply_to
        message["Subject"] = subject
        message["Date"] = who.date
        message["Message-ID"] = f"<{who.message_id}>"
        if who.in_reply_to:
            message["In-Reply-To"] = f"<{who.in_reply_to}>"
        if who.references:
            message["References"] = " ".join(f"<{one}>" for one in who.references)
        message["List-Id"] = f"<{who.list_id}>"
        mailto = f", <mailto:{urls.unsubscribe_mailto}>" if urls.unsubscribe_mailto else ""
        message["List-Unsubscribe"] = f"<{urls.unsubscribe}>{mailto}"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message["X-Outreach-Message"] = who.uid


def _environment(autoescape: bool, filters: Mapping[str, Any] | None) -> Environment:
    environment = Environment(autoescape=autoescape, keep_trailing_newline=True, undefined=ChainableUndefined)
    environment.filters.update(filters or {})
    return environment

"""What every bulk mail carries, put in where the template forgot it: sender, postal address, unsubscribe.

Sources: RFC 8058 (one-click needs a visible way as well), CAN-SPAM 16 CFR 316 (postal address),
ePrivacy directive art. 13(4) (an address to object to).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from jinja2 import TemplateSyntaxError, nodes

from outreach.content.languages import base_language, direction
from outreach.content.names import dotted
from outreach.content.sandbox import Sandbox

PIXEL = (
    '{% if _open %}<img src="{{ _open }}" width="1" height="1" alt="" '
    'style="display:block;width:1px;height:1px;border:0;overflow:hidden;">{% endif %}'
)
#: A link that no person sees or reaches with a keyboard or screen reader: who follows it reads HTML, not mail.
TRAP = '{% if _trap %}<a href="{{ _trap }}" style="display:none;" tabindex="-1" aria-hidden="true"></a>{% endif %}'


@cache
def phrases(language: str) -> dict[str, str]:
    """The words of the footer in a language, English where there are none."""
    with Path(__file__).with_name("phrases.toml").open("rb") as file:
        table: dict[str, dict[str, str]] = tomllib.load(file)
    return table.get(base_language(language), table["en"])


def missing(template: str) -> list[str]:
    """Which of unsubscribe_url and sender.postal_address a template does not print to everybody.

    Only what is printed outside conditions, loops and macros counts.
    """
    try:
        tree = Sandbox(autoescape=False).parse(template)
    except (TemplateSyntaxError, RecursionError):
        return []  # reported with its place when the template is compiled
    printed = set(_printed(tree.body))
    return [name for name in ("unsubscribe_url", "sender.postal_address") if name not in printed]


def _printed(body: list[nodes.Node]) -> Iterator[str]:
    for node in body:
        if isinstance(node, nodes.Output):
            for child in node.nodes:
                inner = child.node if isinstance(child, nodes.Filter) else child
                yield dotted(inner) if inner is not None else ""


def html_footer(lacks: list[str], language: str) -> str:
    """Jinja and HTML to stand before </body>."""
    words, rows = phrases(language), []
    if "sender.postal_address" in lacks:
        rows.append("{{ sender.company }} · {{ sender.postal_address }}")
    if "unsubscribe_url" in lacks:
        style = "color:#5b6770;text-decoration:underline;"
        leave = f'<a href="{{{{ unsubscribe_url }}}}" style="{style}">{words["unsubscribe"]}</a>'
        choose = f'<a href="{{{{ preferences_url }}}}" style="{style}">{words["preferences"]}</a>'
        rows += [f'{words["sent_to"]} <span dir="ltr">{{{{ email }}}}</span>', f"{leave} · {choose}"]
    text = "<br>".join(rows)
    return (
        f'<div dir="{direction(language)}" style="max-width:600px;margin:0 auto;padding:16px 24px;'
        f'font-family:Arial,sans-serif;font-size:12px;line-height:18px;color:#5b6770;text-align:center;">{text}</div>'
    )


def text_footer(lacks: list[str], language: str) -> str:
    """The same for the text part."""
    words, rows = phrases(language), ["", "--"]
    if "sender.postal_address" in lacks:
        rows.append("{{ sender.company }}, {{ sender.postal_address }}")
    if "unsubscribe_url" in lacks:
        rows.append(f"{words['unsubscribe']}: {{{{ unsubscribe_url }}}}")
        rows.append(f"{words['preferences']}: {{{{ preferences_url }}}}")
    return "\n".join(rows) + "\n"


def before_body_end(html: str, addition: str) -> str:
    """Put something in at the end of the visible page."""
    head, found, tail = html.rpartition("</body>")
    return f"{head}{addition}{found}{tail}" if found else html + addition

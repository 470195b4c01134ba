"""Composing one message against the straightforward way, in the same run (docs/performance.md).

    .venv/bin/python -m benchmarks.compose [ROUNDS] [--json]

A mail of about 30 kB of HTML with 16 links and 10 variables. Rounds alternate A B A B; the figure is the
median of the rounds' ratios. Cost at 1×, 4× and 16× the length shows that it grows linearly.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from benchmarks.straightforward import Straightforward
from outreach.content.compose import Compiled, Identity, Urls, compile_content
from outreach.content.template import TemplateSource

NAMES = ("first_name", "last_name", "company", "region", "city", "manager", "offer", "discount", "expires", "code")
SUBJECT, PREVIEW = "{{ first_name }}, an offer for {{ company }}", "Prepared for {{ city }}"
GOAL = 20


def body(sections: int) -> str:
    """Picture, paragraph, button; one variable and one or two links a section."""
    section = """
<mj-section background-color="#ffffff" padding="10px"><mj-column width="50%">
<mj-image src="https://cdn.example/img/{i}.png" alt="Item {i}" href="https://shop.example/item-{i}?utm_source=mail&amp;utm_campaign=spring"/>
</mj-column><mj-column width="50%"><mj-text font-size="16px" line-height="24px">Dear <b>{{{{ {name} }}}}</b>,
предложение месяца номер {i}: durable equipment for your plant, delivered from the nearest warehouse.</mj-text>
</mj-column></mj-section>"""
    button = '<mj-button href="https://shop.example/order/{i}?utm_source=mail">Order {i}</mj-button>'
    sections_text = "".join(section.format(i=i, name=NAMES[i % len(NAMES)]) for i in range(sections))
    buttons = "".join(button.format(i=i) for i in range(sections * 6 // 10))
    end = f"<mj-section><mj-column>{buttons}</mj-column></mj-section>"
    return f"<mjml><mj-body>{sections_text}{end}</mj-body></mjml>"


def content(sections: int = 10) -> Compiled:
    """The benchmark's template, compiled."""
    own = "".join(f'{name} = {{ en = "" }}\n' for name in NAMES[5:])
    manifest = f'[subject]\nen = "{SUBJECT}"\n[preview]\nen = "{PREVIEW}"\n[variables]\n{own}'
    source = TemplateSource.from_files("bench", {"body.mjml": body(sections), "template.toml": manifest})
    return compile_content(source, "en")


def recipient(number: int) -> tuple[Identity, dict[str, Any], Urls]:
    """One of many; names differ, companies repeat."""
    values: dict[str, Any] = {name: f"{name} {number % 50} Иванов" for name in NAMES}
    values |= {"first_name": f"Анна{number}", "email": f"a{number}@x.example"}
    values["sender"] = {"company": "Aurora", "postal_address": "8 Harbour Road"}
    who = Identity(
        f"uid{number:012}",
        f"{number}.abc@x.example",
        "Li Na",
        "li@x.example",
        f"Анна {number}",
        f"a{number}@x.example",
        datetime(2026, 11, 22, tzinfo=UTC),
        list_id="campaign-1.x.example",
    )
    token = f"{number:048}"
    urls = Urls(
        f"https://t.example/u/{token}",
        f"https://t.example/p/{token}",
        open=f"https://t.example/o/{token}.gif",
        click=lambda n, url: f"https://t.example/c/{token}{n}",
    )
    return who, values, urls


def seconds(work: Callable[[int], object], times: int) -> float:
    """For one message, over so many."""
    start = perf_counter()
    for number in range(times):
        work(number)
    return (perf_counter() - start) / times


def compare(sections: int, rounds: int) -> dict[str, float]:
    """Median cost of both ways and the median of the rounds' ratios."""
    compiled = content(sections)
    slow = Straightforward(compiled, SUBJECT, PREVIEW)
    fast_costs, slow_costs = [], []
    for _ in range(rounds):
        fast_costs.append(seconds(lambda n: compiled.compose(*recipient(n)).data, 400))
        slow_costs.append(seconds(lambda n: slow.message(*recipient(n)).as_bytes(), max(4, 40 * 10 // sections)))
    ratios = [slow / fast for slow, fast in zip(slow_costs, fast_costs, strict=True)]
    return {
        "html_bytes": len(compiled.render(recipient(1)[1], recipient(1)[2]).html.encode()),
        "links": len(compiled.links),
        "microseconds": round(statistics.median(fast_costs) * 1e6, 1),
        "baseline_microseconds": round(statistics.median(slow_costs) * 1e6, 1),
        "ratio": round(statistics.median(ratios), 1),
        "ratio_least": round(min(ratios), 1),
    }


def run(rounds: int = 5) -> dict[str, Any]:
    """All figures; `ok` says whether the goal is met."""
    sizes = {f"{factor}x": compare(10 * factor, rounds if factor == 1 else 2) for factor in (1, 4, 16)}
    ratio = sizes["1x"]["ratio"]
    return {"name": "compose", "goal": GOAL, "ratio": ratio, "ok": ratio >= GOAL, "sizes": sizes}


def main() -> None:
    """Print a table, or JSON."""
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    result = run(*numbers[:1])
    if "--json" in sys.argv:
        print(json.dumps(result))
        return
    for name, row in result["sizes"].items():
        print(
            f"{name:>4}  {row['html_bytes']:>8} B  {row['links']:>3} links  {row['microseconds']:>8} µs  "
            f"EmailMessage {row['baseline_microseconds']:>9} µs  {row['ratio']}× (least {row['ratio_least']}×)"
        )
    print(f"composing: {result['ratio']}× the straightforward way, goal {GOAL}×: {'met' if result['ok'] else 'MISSED'}")


if __name__ == "__main__":
    main()

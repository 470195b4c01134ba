"""The trend as a picture: SVG for the page and paper, PNG for the mail. Everything else is bars of plain HTML."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import vl_convert as vl

from outreach.reports.metrics import NO_RATE, Trend
from outreach.reports.words import Lang, say

ACCENT, GREY, INK, OCHRE = "#0b7285", "#b9d7dc", "#6b645d", "#c98a1b"
FACES = "Noto Sans SC, Noto Sans CJK SC, sans-serif"
WIDTH, HEIGHT = 700, 84
FONTS = Path(__file__).resolve().parent / "fonts"


@cache
def register_fonts() -> None:
    """Make the shipped face known; without it the system's Noto Sans CJK stands in."""
    if FONTS.is_dir():
        vl.register_font_directory(str(FONTS))


def trend_spec(trend: Sequence[Trend], lang: Lang) -> dict[str, Any]:
    """Bars of what was sent with the number above, and the reply rate in words: labels at the data, no legend."""
    rows = [
        {
            "label": item.label,
            "sent": item.sent,
            "shown": f"{item.sent:,}" if item.sent else "",
            "rate": f"{item.replied / item.sent:.1%}" if item.sent >= NO_RATE else "",
            "now": index == len(trend) - 1,
        }
        for index, item in enumerate(trend)
    ]
    text = {"type": "text", "font": FACES, "fontSize": 10}
    across: dict[str, Any] = {"field": "label", "type": "ordinal", "sort": None, "title": None}
    axis = {
        "labelAngle": 0,
        "labelFont": FACES,
        "labelFontSize": 10,
        "labelColor": INK,
        "domainColor": "#cdc6bd",
        "ticks": False,
    }
    height = {"field": "sent", "type": "quantitative", "axis": None, "scale": {"domainMin": 0}}
    colour = {"condition": {"test": "datum.now", "value": ACCENT}, "value": GREY}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": WIDTH,
        "height": HEIGHT,
        "background": None,
        "padding": {"left": 0, "right": 0, "top": 2, "bottom": 0},
        "data": {"values": rows},
        "encoding": {"x": {**across, "axis": {**axis, "domainColor": "#cdc6bd"}}},
        "layer": [
            {"mark": {"type": "bar", "width": 46}, "encoding": {"y": height, "color": colour}},
            {
                "mark": {**text, "dy": -7, "color": "#1f1d1a"},
                "encoding": {"y": height, "text": {"field": "shown"}},
            },
            {
                "mark": {**text, "dx": 44, "dy": -7, "color": "#0a6374", "fontWeight": 600},
                "encoding": {"y": height, "text": {"field": "rate"}},
            },
        ],
        "config": {"view": {"stroke": None}},
        "usermeta": {"title": say("trend", lang, n=len(trend))},
    }


def trend_svg(trend: Sequence[Trend], lang: Lang) -> str:
    """The chart as SVG text."""
    register_fonts()
    return str(vl.vegalite_to_svg(json.dumps(trend_spec(trend, lang))))


def trend_png(trend: Sequence[Trend], lang: Lang) -> bytes:
    """The chart as PNG at twice its size, for sharp screens."""
    register_fonts()
    return bytes(vl.vegalite_to_png(json.dumps({**trend_spec(trend, lang), "background": "#ffffff"}), scale=2))

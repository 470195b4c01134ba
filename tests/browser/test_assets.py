"""The bundles that the hook builds do their work in a browser, under the pages' content security policy."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from outreach.web.security import PAGE_POLICY

STATIC = Path(__file__).resolve().parents[2] / "outreach" / "web" / "static"
PAGE = """<!doctype html><html><head><link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/vendor/tabler.min.css">
<script src="/static/vendor/htmx.min.js" defer></script>
<script src="/static/vendor/echarts.min.js" defer></script></head>
<body><svg class="icon"><use href="/static/vendor/icons.svg#send"></use></svg>
<textarea id="source" name="body">&lt;mj-text&gt;{{ first_name }}&lt;/mj-text&gt;</textarea>
<div id="chart" data-size></div><button hx-get="/part" hx-target="#chart">go</button></body></html>"""


#: What the templates put into class="…", words of their conditions included.
CLASSES = re.compile(r'class="((?:\{\{.*?\}\}|\{%.*?%\}|[^"])*)"')


def test_no_page_uses_a_class_whose_rules_are_not_loaded():
    left_out = set(json.loads((STATIC / "vendor" / "manifest.json").read_text())["left_out"])
    used = set()
    for page in (STATIC.parent / "html").glob("*.html"):
        for words in CLASSES.findall(page.read_text("utf-8")):
            used |= set(re.findall(r"[\w-]+", words))
    assert {"btn-primary", "card"} <= used, "the templates are read"
    assert not used & left_out, "these must stand in outreach/web/assets/classes.txt"


async def front(request):
    return HTMLResponse(PAGE, headers={"content-security-policy": PAGE_POLICY})


async def part(request):
    return HTMLResponse("<b>fetched</b>")


@pytest.fixture
def site(serve, page):
    routes = [Route("/", front), Route("/part", part), Mount("/static", StaticFiles(directory=STATIC))]
    page.goto(serve(Starlette(routes=routes)))
    return page


def test_the_editor_keeps_the_field_in_step(site):
    site.evaluate(
        """async () => {
            const { edit } = await import("/static/vendor/editor.js");
            window.editor = edit(document.querySelector("#source"), { language: "mjml", label: "body" });
        }"""
    )
    assert site.locator("#source").is_hidden()
    assert site.locator(".cm-line span").count() >= 3, "the markup is coloured"
    site.locator(".cm-content").press("Control+End")
    site.keyboard.type("!")
    assert site.evaluate("document.querySelector('#source').value").endswith("</mj-text>!")
    site.evaluate("editor.problems([{ line: 1, column: 2, message: 'unknown tag' }])")
    assert site.locator(".cm-lintRange-error").count() == 1
    site.evaluate("editor.destroy()")
    assert site.locator("#source").is_visible()


def test_charts_are_drawn_as_svg(site):
    site.evaluate(
        """() => {
            const box = document.querySelector("#chart");
            const chart = echarts.init(box, null, { renderer: "svg", width: 300, height: 100 });
            chart.setOption({ animation: false, xAxis: { type: "category", data: ["a", "b"] }, yAxis: {},
                series: [{ type: "bar", data: [1, 2] }, { type: "line", data: [2, 1] }] });
        }"""
    )
    assert site.locator("#chart svg path").count() > 4


def test_htmx_swaps_a_part(site):
    site.click("button")
    site.wait_for_selector("#chart b")


def test_icons_come_from_the_sprite(site):
    box = site.locator("svg.icon use").bounding_box()
    assert box
    assert box["width"] > 5

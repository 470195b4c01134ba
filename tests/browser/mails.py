"""Pictures of the shipped templates as mail clients show them: ``python -m tests.browser.mails [--out DIR] [NAME …]``.

Each in both languages, at 600 and 375 pixels, light and dark.
"""

from __future__ import annotations

import argparse
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from outreach.content.compose import compile_content
from outreach.content.lint import sample
from outreach.content.preview import in_scheme, with_pictures
from outreach.content.template import TemplateSource, list_templates, load_template
from tests.fakes.browser import running_chromium

ROOT = Path(__file__).resolve().parents[2] / "templates"
#: Width of the screen → its name.
WIDTHS = {600: "600", 375: "375"}


def page_of(source: TemplateSource, language: str, scheme: Any) -> str:
    """The mail to the sample recipient, in one colour scheme, its pictures in it."""
    html = compile_content(source, language).render(sample(source, language)).html
    return with_pictures(in_scheme(html, scheme), source.files)


def shoot(browser: Any, html: str, width: int) -> Image.Image:
    """The whole page at a width."""
    context = browser.new_context(viewport={"width": width, "height": 900}, device_scale_factor=1)
    try:
        page = context.new_page()
        page.set_content(html)
        page.wait_for_timeout(150)
        return Image.open(BytesIO(page.screenshot(full_page=True))).convert("RGB")
    finally:
        context.close()


def sheet(pictures: list[Image.Image]) -> Image.Image:
    """Several mails side by side on one ground."""
    gap, height = 28, max(one.height for one in pictures)
    whole = Image.new(
        "RGB", (sum(one.width for one in pictures) + gap * (len(pictures) + 1), height + 2 * gap), "#d9d4cc"
    )
    left = gap
    for one in pictures:
        whole.paste(one, (left, gap))
        left += one.width + gap
    return whole


def main() -> None:
    """One sheet for each template and language: 600 light, 600 dark, 375 light, 375 dark."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--out", default="docs/images")
    arguments.add_argument("names", nargs="*")
    given = arguments.parse_args()
    with running_chromium() as browser:
        for name in given.names or list_templates(ROOT):
            source = load_template(ROOT / name)
            for language in source.languages:
                pages = [(page_of(source, language, scheme), width) for width in WIDTHS for scheme in ("light", "dark")]
                made = sheet([shoot(browser, html, width) for html, width in pages])
                made.thumbnail((1680, 4000))
                made.save(Path(given.out, f"mail-{name}-{language}.jpg"), quality=74, optimize=True, progressive=True)


if __name__ == "__main__":
    main()

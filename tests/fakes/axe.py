"""axe, the checker of accessibility, in a page that a test holds open."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT


def violations(page: Any, **options: Any) -> list[dict[str, Any]]:
    """What axe finds wrong with the page as it stands: rule, impact, nodes.

    Its half a megabyte of script goes into a page once, however often it is asked there; what passes is not written down.
    """
    if not page.evaluate("typeof window.axe === 'object'"):
        page.evaluate(AXE_SCRIPT)
    given = {"resultTypes": ["violations"], **options}
    found: list[dict[str, Any]] = page.evaluate("options => axe.run(options).then(said => said.violations)", given)
    return found

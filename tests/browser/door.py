"""The way into a seeded house, for tests and pictures."""

from __future__ import annotations

from typing import Any

import httpx

from tests.web.seed import PASSWORD


class Door:
    """The way into a house. test_day.py and test_journey.py log in by the page; here it is paid once for each person."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.kept: dict[str, list[dict[str, str]]] = {}

    def cookies(self, name: str) -> list[dict[str, str]]:
        """What the login gives to the browser; nothing for nobody."""
        if name and name not in self.kept:
            with httpx.Client(base_url=self.base) as client:
                answer = client.post("/login", data={"name": name, "password": PASSWORD})
                assert answer.status_code == 303, answer.text
                kept = [{"name": c.name, "value": str(c.value), "url": self.base} for c in client.cookies.jar]
            self.kept[name] = kept
        return self.kept.get(name, [])

    def enter(self, context: Any, name: str, lang: str = "en") -> None:
        """Be this person from the next page on."""
        context.clear_cookies()
        context.add_cookies([*self.cookies(name), {"name": "outreach_lang", "value": lang, "url": self.base}])

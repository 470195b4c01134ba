"""Access tokens for XOAUTH2: fetched with the refresh token, kept until 80% of their life is over."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field

from outreach.config.mailbox import ConfigError, OAuth2Settings
from outreach.sending.client import TokenTrouble

#: A token is renewed when so much of its life is over: a clock that is off by minutes does no harm then.
RENEW_AT = 0.8
TIMEOUT_SECONDS = 20.0


class ConsentNeeded(ConfigError, TokenTrouble):
    """The provider refuses: a person must give consent again. The mailbox pauses, and people are told."""


@dataclass
class TokenSource:
    """The tokens of one mailbox. `token(True)` asks for a fresh one (the server refused the last)."""

    settings: OAuth2Settings
    clock: Callable[[], float] = time.monotonic
    _token: str = field(default="", repr=False)
    _renew_at: float = 0.0
    _ends_at: float = 0.0
    _refresh_token: str = field(default="", repr=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def token(self, fresh: bool = False) -> str:
        """Return an access token. Raises ConfigError in words when the provider gives none, ConsentNeeded for its no.

        A provider that is away while the last token still lives does no harm.
        """
        async with self._lock:
            if fresh or not self._token or self.clock() >= self._renew_at:
                try:
                    await self._refresh()
                except ConsentNeeded:
                    raise
                except ConfigError:
                    if fresh or self.clock() >= self._ends_at:
                        raise
            return self._token

    async def _refresh(self) -> None:
        answer = await asyncio.to_thread(self._ask)
        life = float(str(answer.get("expires_in", 3600)))
        self._token = str(answer["access_token"])
        self._renew_at, self._ends_at = self.clock() + life * RENEW_AT, self.clock() + life
        # Microsoft gives a new refresh token with each access token; the old one lives on for its 90 days
        self._refresh_token = str(answer.get("refresh_token") or self._refresh_token)

    def _ask(self) -> dict[str, object]:
        form = {
            "grant_type": "refresh_token",
            "client_id": self.settings.client_id,
            "refresh_token": self._refresh_token or self.settings.refresh_token.read(),
        }
        if self.settings.client_secret:
            form["client_secret"] = self.settings.client_secret.read()
        if self.settings.scope:
            form["scope"] = self.settings.scope
        request = urllib.request.Request(self.settings.token_url, urllib.parse.urlencode(form).encode())
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
                found: dict[str, object] = json.load(response)
        except urllib.error.HTTPError as error:
            # RFC 6749 5.2: 400 or 401 is the provider's no; whatever else it says may pass
            kind = ConsentNeeded if error.code in (400, 401, 403) else ConfigError
            raise kind(*_no_token(self.settings.token_url, error)) from error
        except (urllib.error.URLError, TimeoutError, ValueError) as error:
            raise ConfigError(*_no_token(self.settings.token_url, error)) from error
        if "access_token" not in found:
            raise ConsentNeeded(
                f"{self.settings.token_url} gave no access token: consent may have been withdrawn",
                f"{self.settings.token_url} 没有给出访问令牌：授权可能已被撤回",
            )
        return found


def _no_token(url: str, error: Exception) -> tuple[str, str]:
    return (
        f"{url} gave no access token: {error}. Log in to it again",
        f"{url} 没有给出访问令牌：{error}。请重新登录授权",
    )

"""Log in with the company's own accounts: OpenID Connect Core 1.0, authorization code with PKCE (RFC 7636).

Only people who are users here already may come in; roles and the dated authorisation stay ours. The second factor is the
provider's affair. Needs the packages of the extra `oidc`.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus, urlencode

from outreach.config import ConfigError
from outreach.config.settings import OidcSettings

#: What an ID token may be signed with: asymmetric only, so that a public key is never taken for a shared secret.
ALGORITHMS = ["RS256", "ES256", "PS256", "EdDSA"]
TIMEOUT = 10.0
#: Clocks of two machines (OpenID Connect Core 3.1.3.7 leaves it to us).
LEEWAY = 60
SCOPE = "openid email profile"
DISCOVERY = "/.well-known/openid-configuration"


class OidcRefused(Exception):
    """The provider's answer does not let anybody in. `code` is for the log, never for the visitor's eyes."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True)
class Started:
    """Where to send the visitor, and what must come back: kept in a signed cookie."""

    url: str
    kept: dict[str, str]


@dataclass(frozen=True)
class Person:
    """Whom the provider vouches for; `value` is the claim that config.toml names."""

    value: str


def available() -> bool:
    """Whether the extra's packages are installed."""
    from importlib.util import find_spec

    return find_spec("joserfc") is not None and find_spec("httpx") is not None


class Oidc:
    """One provider. `back`: our address that it answers to."""

    def __init__(self, settings: OidcSettings, back: str) -> None:
        if not available():
            raise ConfigError("logging in with OpenID Connect needs more packages: pip install 'outreach[oidc]'")
        self.settings, self.back = settings, back
        self._found: dict[str, Any] | None = None

    def _client(self) -> Any:
        import httpx

        return httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False)

    async def _discover(self, client: Any) -> dict[str, Any]:
        if self._found is None:
            answer = await client.get(self.settings.issuer.rstrip("/") + DISCOVERY)
            answer.raise_for_status()
            found: dict[str, Any] = answer.json()
            if found.get("issuer", "").rstrip("/") != self.settings.issuer.rstrip("/"):
                raise OidcRefused("issuer")  # Discovery 4.3: it must be exactly the one that was asked
            self._found = found
        return self._found

    async def start(self) -> Started:
        """Begin a login. Raises OidcRefused when the provider does not answer as it should."""
        kept = {"state": secrets.token_urlsafe(24), "nonce": secrets.token_urlsafe(24)}
        kept["verifier"] = secrets.token_urlsafe(48)
        try:
            async with self._client() as client:
                found = await self._discover(client)
                endpoint = str(found["authorization_endpoint"])
        except OidcRefused:
            raise
        except Exception as trouble:  # whatever a foreign server does: nobody comes in
            raise OidcRefused(f"discovery: {type(trouble).__name__}") from trouble
        challenge = urlsafe_b64encode(hashlib.sha256(kept["verifier"].encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code", "client_id": self.settings.client_id, "redirect_uri": self.back, "scope": SCOPE,
            "state": kept["state"], "nonce": kept["nonce"], "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        return Started(f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}", kept)

    async def finish(self, query: dict[str, str], kept: dict[str, str], now: datetime) -> Person:
        """Check the provider's answer. Raises OidcRefused."""
        if not kept or not secrets.compare_digest(query.get("state", ""), kept["state"]):
            raise OidcRefused("state")
        if "error" in query or not query.get("code"):
            raise OidcRefused("no code")
        try:
            async with self._client() as client:
                found = await self._discover(client)
                token = await self._token(client, str(found["token_endpoint"]), query["code"], kept["verifier"])
                keys = (await client.get(found["jwks_uri"])).raise_for_status().json()
            claims = self._claims(token, keys)
        except OidcRefused:
            raise
        except Exception as trouble:
            raise OidcRefused(f"token: {type(trouble).__name__}") from trouble
        self._check(claims, kept["nonce"], now)
        return Person(self._who(claims))

    async def _token(self, client: Any, endpoint: str, code: str, verifier: str) -> str:
        """Exchange the code for an ID token (RFC 6749 4.1.3, RFC 7636 4.5)."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.back, "code_verifier": verifier}
        secret = self.settings.client_secret
        if secret is None:
            answer = await client.post(endpoint, data=form | {"client_id": self.settings.client_id})
        else:
            # RFC 6749 2.3.1: both are encoded as forms are before they become Basic
            who = quote_plus(self.settings.client_id), quote_plus(secret.read())
            answer = await client.post(endpoint, data=form, auth=who)
        return str(answer.raise_for_status().json()["id_token"])

    def _claims(self, token: str, keys: Any) -> dict[str, Any]:
        from joserfc import jwt
        from joserfc.jwk import KeySet

        return dict(jwt.decode(token, KeySet.import_key_set(keys), algorithms=ALGORITHMS).claims)

    def _check(self, claims: dict[str, Any], nonce: str, now: datetime) -> None:
        """OpenID Connect Core 3.1.3.7."""
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if claims.get("iss", "").rstrip("/") != self.settings.issuer.rstrip("/"):
            raise OidcRefused("issuer")
        if self.settings.client_id not in audiences or (
            len(audiences) > 1 and claims.get("azp") != self.settings.client_id
        ):
            raise OidcRefused("audience")
        if not isinstance(claims.get("exp"), int | float) or claims["exp"] + LEEWAY < now.timestamp():
            raise OidcRefused("expired")
        if not secrets.compare_digest(str(claims.get("nonce", "")), nonce):
            raise OidcRefused("nonce")

    def _who(self, claims: dict[str, Any]) -> str:
        claim = self.settings.claim
        value = claims.get(claim)
        if not isinstance(value, str) or not value.strip():
            raise OidcRefused("claim")
        if claim == "email" and claims.get("email_verified") is False:
            raise OidcRefused("email not verified")
        return value.strip()

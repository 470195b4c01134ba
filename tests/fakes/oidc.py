"""An OpenID provider on loopback: signs real tokens, and lies where it is told to."""

from __future__ import annotations

import hashlib
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route


@dataclass
class Provider:
    """`claims` overrides what stands in the token; `lie`: hs256, other_key, no_token, other_issuer."""

    base: str = ""
    client_id: str = "outreach"
    claims: dict[str, Any] = field(default_factory=dict)
    lie: str = ""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k1"}))

    def app(self) -> Starlette:
        """The provider as ASGI."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.discovery),
                Route("/authorize", self.authorize),
                Route("/token", self.token, methods=["POST"]),
                Route("/keys", self.keys),
            ]
        )

    async def discovery(self, request: Request) -> JSONResponse:
        """What is where."""
        issuer = "https://evil.example" if self.lie == "other_issuer" else self.base
        places = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        return JSONResponse({"issuer": issuer, **{name: f"{self.base}/{path}" for name, path in places.items()}})

    async def authorize(self, request: Request) -> RedirectResponse:
        """Everybody is let in at once."""
        code = f"code{len(self.codes)}"
        self.codes[code] = dict(request.query_params)
        query = urlencode({"code": code, "state": request.query_params["state"]})
        return RedirectResponse(f"{request.query_params['redirect_uri']}?{query}")

    async def token(self, request: Request) -> JSONResponse:
        """The code against a token, once, and only with the verifier of PKCE."""
        form = await request.form()
        asked = self.codes.pop(str(form.get("code")), None)
        verifier = hashlib.sha256(str(form.get("code_verifier", "")).encode()).digest()
        if asked is None or urlsafe_b64encode(verifier).rstrip(b"=").decode() != asked["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        now = int(time.time())
        claims = {
            "iss": self.base,
            "aud": self.client_id,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            "sub": "7",
        }
        answer = {"access_token": "a", "token_type": "Bearer", "id_token": self._signed(claims | self.claims)}
        if self.lie == "no_token":
            answer.pop("id_token")
        return JSONResponse(answer)

    def _signed(self, claims: dict[str, Any]) -> str:
        if self.lie == "hs256":
            return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key("k" * 32))
        key = RSAKey.generate_key(2048) if self.lie == "other_key" else self.key
        return jwt.encode({"alg": "RS256", "kid": "k1"}, claims, key)

    async def keys(self, request: Request) -> JSONResponse:
        """The public half."""
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

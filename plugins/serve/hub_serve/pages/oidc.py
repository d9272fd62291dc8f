"""Signing in by a company's own OpenID Connect: the authorisation code with PKCE, a state and a nonce."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from hub import ConfigError, MissingExtra, mark, speaking, tr
from hub_serve.app import place_of
from hub_serve.door import keep_session
from hub_serve.pages.entry import Entry, local
from hub_serve.tokens import Reader

if TYPE_CHECKING:
    from hub_serve.place import ServePlace, SignInBy

COOKIE = "pm_hub_oidc"
"""The browser that began to sign in is the one that ends it."""
PATIENCE_S = 600
MOST = 1000
"""People who sign in at one moment."""
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
LEEWAY_S = 60
HOW = 'pip install "pm-hub[oidc]"'
_FAILED = mark("Your company's account could not sign you in: {why}.")
log = logging.getLogger("pm_hub.serve")


class Refused(Exception):
    """The issuer, or what it said, cannot be relied on."""


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in that somebody began."""

    browser: str
    nonce: str
    verifier: str
    to: str
    until: float


class OpenIdConnect:
    """The way in by a company's account."""

    def __init__(self, entry: Entry) -> None:
        """Draw problems with *entry*."""
        self.entry = entry
        self._begun: dict[str, Begun] = {}
        self._lock = threading.Lock()

    def routes(self) -> list[BaseRoute]:
        """Return the routes to the issuer and back."""
        return [
            Route("/oidc/start", _in_language(self.start)),
            Route("/oidc/callback", _in_language(self.come_back)),
        ]

    def start(self, request: Request) -> Response:
        """Send the browser to the issuer."""
        place = place_of(request)
        if place.oidc is None:
            return RedirectResponse("/signin", 303)
        browser, state = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        begun = Begun(
            browser=browser,
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            to=local(request.query_params.get("to", "/")),
            until=time.monotonic() + PATIENCE_S,
        )
        try:
            facts = discovered(place.oidc)
            with _client(place) as client:
                to, _ = client.create_authorization_url(
                    facts["authorization_endpoint"],
                    state=state,
                    nonce=begun.nonce,
                    code_verifier=begun.verifier,
                )
        except (Refused, MissingExtra, ConfigError) as exc:
            return self._problem(request, exc)
        with self._lock:
            now = time.monotonic()
            waiting = [(key, one) for key, one in self._begun.items() if one.until > now]
            self._begun = {**dict(waiting[-MOST:]), state: begun}
        answer = RedirectResponse(to, 303)
        answer.set_cookie(
            COOKIE,
            browser,
            max_age=PATIENCE_S,
            path="/oidc",
            httponly=True,
            samesite="lax",
            secure=place.speaks_tls,
        )
        return answer

    def come_back(self, request: Request) -> Response:
        """Take what the issuer said of who came back, and open a session for that person."""
        place = place_of(request)
        if place.oidc is None:
            return RedirectResponse("/signin", 303)
        with self._lock:
            begun = self._begun.pop(request.query_params.get("state", ""), None)
        try:
            if begun is None or begun.until <= time.monotonic():
                raise Refused(tr("it took too long, or was not begun here"))
            if not secrets.compare_digest(begun.browser, request.cookies.get(COOKIE, "")):
                raise Refused(tr("another browser began it"))
            if "error" in request.query_params:
                raise Refused(tr("the issuer refused it"))
            person = self._person(place, begun, request.query_params.get("code", ""))
        except (Refused, MissingExtra, ConfigError) as exc:
            return self._problem(request, exc)
        reader = Reader(name=person, level=place.privacy, person=person)
        answer = RedirectResponse(begun.to, 303)
        keep_session(answer, request.app.state.sessions.of(reader), place)
        answer.delete_cookie(COOKIE, path="/oidc")
        return answer

    def _person(self, place: ServePlace, begun: Begun, code: str) -> str:
        """Return the address of access.csv that the issuer vouches for."""
        import httpx
        from authlib.common.errors import AuthlibBaseError
        from joserfc.errors import JoseError

        settings = place.oidc
        assert settings is not None
        facts = discovered(settings)
        try:
            with _client(place) as client:
                answer = client.fetch_token(
                    facts["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=begun.verifier,
                )
            claims = self._claims(settings, facts, str(answer.get("id_token", "")), begun.nonce)
        except (AuthlibBaseError, JoseError, httpx.HTTPError, ValueError, KeyError) as exc:
            log.warning("signing in by %s: %s", settings.issuer, type(exc).__name__)
            raise Refused(tr("what the issuer answered is not in order")) from exc
        person = claims.get(settings.claim)
        if not isinstance(person, str) or not person.strip():
            raise Refused(tr("the issuer does not say {claim}", claim=settings.claim))
        if settings.claim == "email" and claims.get("email_verified") not in {True, "true"}:
            raise Refused(tr("the issuer has not verified your e-mail address"))
        return person.strip().lower()

    def _claims(self, settings: SignInBy, facts: dict[str, Any], token: str, nonce: str) -> dict[str, Any]:
        """Return what an id token says, once its signature, issuer, audience, time and nonce are right."""
        from joserfc import jwt
        from joserfc.jwk import KeySet

        published: Any = _asked(facts["jwks_uri"])
        keys = KeySet.import_key_set(published)
        found = jwt.decode(token, keys, algorithms=ALGORITHMS)
        jwt.JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": settings.issuer},
            aud={"essential": True, "value": settings.client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        ).validate(found.claims)
        if found.claims.get("azp", settings.client_id) != settings.client_id:
            raise ValueError("azp")
        return dict(found.claims)

    def _problem(self, request: Request, exc: Exception) -> Response:
        return self.entry.form(request, tr(_FAILED, why=str(exc)), 403 if isinstance(exc, Refused) else 503)


def _in_language(handler: Callable[[Request], Response]) -> Callable[[Request], Response]:
    def speaks(request: Request) -> Response:
        from hub_serve.pages.routing import language_of

        with speaking(language_of(request, "en")):
            return handler(request)

    return speaks


def _client(place: ServePlace) -> Any:
    """Return the client of the issuer, which sends a challenge of PKCE by itself."""
    try:
        from authlib.integrations.httpx_client import OAuth2Client
    except ImportError as exc:
        raise MissingExtra(tr("Signing in by a company's account needs authlib: {how}.", how=HOW)) from exc
    settings = place.oidc
    assert settings is not None
    return OAuth2Client(
        settings.client_id,
        settings.client_secret.reveal(),
        scope="openid email profile",
        redirect_uri=f"{place.root}/oidc/callback",
        code_challenge_method="S256",
        timeout=10.0,
    )


def discovered(settings: SignInBy) -> dict[str, Any]:
    """Return what the issuer says of itself. Raises `Refused`."""
    import httpx

    address = settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
    try:
        facts = _asked(address)
        if facts["issuer"] != settings.issuer:
            raise Refused(tr("the issuer calls itself otherwise than hub.toml does"))
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not isinstance(facts[name], str):
                raise TypeError(name)
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as exc:
        raise Refused(tr("the issuer does not answer as OpenID Connect does")) from exc
    return facts


def _asked(address: str) -> dict[str, Any]:
    import httpx

    answer = httpx.get(address, timeout=10.0, follow_redirects=False)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found

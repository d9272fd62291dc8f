"""Signing in and out: by a token typed into a form, or by the company's OpenID Connect."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from hub import ConfigError, Lang, mark, speaking, tr
from hub_serve.app import feeds_of, place_of
from hub_serve.door import COOKIE, cookie_of, keep_session

if TYPE_CHECKING:
    from hub_serve.pages.routing import Pages

_NOT_VALID = mark("This token is not valid, or not any more.")
MOST_BYTES = 4096
"""A form with a token is short."""


class Entry:
    """The pages before all others."""

    def __init__(self, pages: Pages) -> None:
        """Draw with *pages*."""
        self.pages = pages

    def routes(self) -> list[BaseRoute]:
        """Return the routes to sign in and out."""
        return [
            Route("/signin", self.show, methods=["GET"]),
            Route("/signin", self.take, methods=["POST"]),
            Route("/signout", self.leave, methods=["POST"]),
        ]

    def show(self, request: Request) -> Response:
        """Show the form."""
        refused = request.query_params.get("refused") is not None
        return self.form(request, _NOT_VALID if refused else "")

    def form(self, request: Request, problem: str = "", status: int = 200) -> Response:
        """Return the page with the form, and what was wrong."""
        from hub_serve.pages.routing import language_of

        lang: Lang = language_of(request, "en")
        with speaking(lang):
            return self.pages.bare(
                request,
                "signin.html",
                lang,
                status=status,
                to=local(request.query_params.get("to", "/")),
                problem=tr(problem),
                by_company=place_of(request).oidc is not None,
                has_feed=_has_feed(request),
            )

    async def take(self, request: Request) -> Response:
        """Read the form and open a session for its token."""
        if not same_site(request):
            return RedirectResponse("/signin", 303)
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                return await run_in_threadpool(self.form, request, _NOT_VALID, 413)
        asked = parse_qs(body.decode("utf-8", "replace"))
        return await run_in_threadpool(
            self._opened, request, asked.get("token", [""])[0].strip(), local(asked.get("to", ["/"])[0])
        )

    def _opened(self, request: Request, token: str, to: str) -> Response:
        session = request.app.state.sessions.begin(token) if token else None
        if session is None:
            if token:
                request.app.state.patience.wrong(request.client.host if request.client else "?")
            return self.form(request, _NOT_VALID, 401)
        answer = RedirectResponse(to, 303)
        keep_session(answer, session, place_of(request))
        return answer

    def leave(self, request: Request) -> Response:
        """End the session."""
        answer = RedirectResponse("/signin", 303)
        if same_site(request):
            if name := cookie_of(request.headers):
                request.app.state.sessions.end(name)
            answer.delete_cookie(COOKIE)
        return answer


def local(address: str) -> str:
    """Return *address* where it is one of this server, else that of the portfolio."""
    parts = urlsplit(address)
    plain = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if plain and not parts.scheme and not parts.netloc else "/"


def same_site(request: Request) -> bool:
    """Say whether a form was sent by a page of this server, as far as a browser tells."""
    return request.headers.get("sec-fetch-site", "none") in {"same-origin", "none"}


def _has_feed(request: Request) -> bool:
    try:
        feeds_of(request).current()
    except ConfigError:
        return False
    return True

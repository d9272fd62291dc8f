"""The door: who asks, whether they may, how often, and what every answer says to a browser."""

from __future__ import annotations

import base64
import binascii
import logging
import secrets
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from hub import tr
from hub_serve.tokens import Reader, Tokens

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from hub_serve.place import ServePlace

COOKIE = "pm_hub"
SESSION_S = 12 * 3600
FAILURES, FAILURES_S = 10, 300
"""So many wrong tokens from one address in so many seconds, and it is refused for as long."""
OPEN_PATHS = ("/healthz", "/signin", "/oidc", "/static/")
_FEEDS = ("/odata", "/_api", "/mcp", "/metrics")
"""Paths that programs ask: they get a challenge instead of a page to sign in on."""
CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
log = logging.getLogger("pm_hub.serve")


class Session(msgspec.Struct, kw_only=True):
    """A browser that signed in: by a token, by the address that `hub serve` printed, or by the company."""

    reader: Reader
    until: float
    token: str | None = None


class Sessions:
    """Browsers that signed in, and the address that opens the first one; nothing of it is written down."""

    def __init__(self, tokens: Tokens) -> None:
        """Ask *tokens* at each request whether a session's token is still valid."""
        self._tokens = tokens
        self._open: dict[str, Session] = {}
        self._once: dict[str, Reader] = {}
        self._lock = threading.Lock()

    def once(self, reader: Reader) -> str:
        """Return a key that signs *reader* in one time."""
        key = secrets.token_urlsafe(32)
        self._once[key] = reader
        return key

    def begin(self, given: str) -> str | None:
        """Return the session that the token or key *given* opens, or None where it is neither."""
        reader = self._once.pop(given, None)
        if reader is not None:
            return self.of(reader)
        token = self._tokens.holder(given)
        return self.of(token.reader, token=token.id) if token else None

    def of(self, reader: Reader, *, token: str | None = None) -> str:
        """Open a session for *reader*, which ends with its *token*, else by itself."""
        name = secrets.token_urlsafe(32)
        now = time.monotonic()
        with self._lock:
            self._open = {key: one for key, one in self._open.items() if one.until > now}
            self._open[name] = Session(reader=reader, until=now + SESSION_S, token=token)
        return name

    def reader(self, name: str) -> Reader | None:
        """Return who the session *name* belongs to, or None where it is over."""
        found = self._open.get(name)
        if found is None or found.until <= time.monotonic():
            return None
        if found.token is not None and self._tokens.still(found.token) is None:
            self.end(name)
            return None
        return found.reader

    def end(self, name: str) -> None:
        """Forget the session *name*."""
        self._open.pop(name, None)


class Patience:
    """How often each reader asked, and how often each address was wrong."""

    def __init__(self, per_minute: int, *, now: Callable[[], float] = time.monotonic) -> None:
        """Let a reader ask *per_minute* times a minute; *now* tells seconds."""
        self._most, self._now = per_minute, now
        self._asked: dict[str, deque[float]] = defaultdict(deque)
        self._wrong: dict[str, deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()

    def wait(self, who: str) -> int:
        """Count one request of *who* and return the seconds to wait, 0 where there is no need."""
        return self._look(self._asked, who, self._most, 60.0, count=True)

    def locked(self, address: str) -> int:
        """Return the seconds that *address* has to wait after wrong tokens, 0 where there were few."""
        return self._look(self._wrong, address, FAILURES, FAILURES_S, count=False)

    def wrong(self, address: str) -> None:
        """Count a wrong token from *address*."""
        self._look(self._wrong, address, FAILURES + 1, FAILURES_S, count=True)

    def _look(self, book: dict[str, deque[float]], who: str, most: int, window: float, *, count: bool) -> int:
        now = self._now()
        with self._lock:
            times = book[who]
            while times and times[0] <= now - window:
                times.popleft()
            if len(times) >= most:
                return max(1, int(times[0] + window - now + 1))
            if count:
                times.append(now)
            if not times:
                del book[who]
            if len(book) > 10_000:  # of addresses that ask once and never again
                for key in [key for key, past in book.items() if not past or past[-1] <= now - window]:
                    del book[key]
        return 0


class Door:
    """What stands in front of every route: it lets in who may, and says who came."""

    def __init__(
        self, app: ASGIApp, *, place: ServePlace, tokens: Tokens, sessions: Sessions, patience: Patience
    ) -> None:
        """Stand before *app*."""
        self.app, self.place = app, place
        self.tokens, self.sessions, self.patience = tokens, sessions, patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or refuse one request, and log it without its question, which may hold a token."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, sent = time.perf_counter(), {"status": 500, "bytes": 0}
        request = Request(scope, receive)

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent["status"] = message["status"]
                self._dress(MutableHeaders(scope=message))
            elif message["type"] == "http.response.body":
                sent["bytes"] += len(message.get("body", b""))
            await send(message)

        reader: Reader | None = None
        try:
            found = await self._who(request)
            if isinstance(found, Response):
                await found(scope, receive, dressed)
                return
            reader = found
            if reader is not None:
                scope.setdefault("state", {})["reader"] = reader
            await self.app(scope, receive, dressed)
        finally:
            log.info(
                "%s %s %s %s %d bytes %.0f ms", _plain(reader.name) if reader else "-", request.method,
                _plain(request.url.path), sent["status"], sent["bytes"],
                (time.perf_counter() - begun) * 1000,
            )  # fmt: skip

    def _dress(self, headers: MutableHeaders) -> None:
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        headers.setdefault("cache-control", "private, no-cache")
        if self.place.speaks_tls:
            headers.setdefault("strict-transport-security", "max-age=31536000")
        del headers["server"]

    async def _who(self, request: Request) -> Reader | Response | None:
        """Return who asks, None on an open path, or the answer that refuses."""
        path, headers = request.url.path, request.headers
        if path != "/healthz" and _host(headers) not in self.place.hosts:
            return PlainTextResponse(tr("This address is not one of this server."), 421)
        address = address_of(request)
        if wait := self.patience.locked(address):
            return later(wait, tr("Too many wrong tokens: wait and try again."))
        query = parse_qsl(request.url.query, keep_blank_values=True)
        given = _given(headers, query)
        if given is None and (name := cookie_of(headers)):
            found = self.sessions.reader(name)
            if found is not None:
                return self._counted(found, address)
        if given is not None and request.method == "GET" and _wants_page(path, query):
            return self._signed_in(request, given, query, address)
        if given is not None:
            token = self.tokens.holder(given)
            if token is not None:
                return self._counted(token.reader, address)
            self.patience.wrong(address)
        if any(path == open_ or path.startswith(open_.rstrip("/") + "/") for open_ in OPEN_PATHS):
            return None
        if path.startswith(_FEEDS) or given is not None:
            return PlainTextResponse(
                tr("This needs a token that is valid: `hub token create` makes one."), 401,
                {"www-authenticate": 'Basic realm="pm-hub", charset="UTF-8"'},
            )  # fmt: skip
        wanted = path if not request.url.query else f"{path}?{request.url.query}"
        ask = request.method == "GET" and wanted not in {"/", ""}
        return RedirectResponse(f"/signin?{urlencode({'to': wanted})}" if ask else "/signin", 303)

    def _counted(self, reader: Reader, address: str) -> Reader | Response:
        wait = self.patience.wait(who(reader, address))
        return later(wait, tr("Too many requests: wait and try again.")) if wait else reader

    def _signed_in(
        self, request: Request, given: str, query: list[tuple[str, str]], address: str
    ) -> Response:
        """Open a session for the token in an address, and take it out of the address."""
        name = self.sessions.begin(given)
        if name is None:
            self.patience.wrong(address)
            return RedirectResponse("/signin?refused=1", 303)
        rest = urlencode([(key, value) for key, value in query if key != "token"])
        path = "/" + request.url.path.lstrip("/")  # never another host's
        answer = RedirectResponse(f"{path}?{rest}" if rest else path, 303)
        keep_session(answer, name, self.place)
        return answer


def keep_session(answer: Response, session: str, place: ServePlace) -> None:
    """Let a browser keep *session*."""
    answer.set_cookie(
        COOKIE, session, max_age=SESSION_S, httponly=True, samesite="lax", secure=place.speaks_tls
    )


def _given(headers: Headers, query: list[tuple[str, str]]) -> str | None:
    """Return the token of a request: bearer, the password of Basic, or in the address."""
    kind, _, rest = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return rest.strip()
    if kind.lower() == "basic":
        try:
            return base64.b64decode(rest, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return next((value for key, value in query if key == "token"), None)


def _wants_page(path: str, query: list[tuple[str, str]]) -> bool:
    return not path.startswith(_FEEDS) and any(key == "token" for key, _ in query)


def cookie_of(headers: Headers) -> str | None:
    """Return the session that the browser keeps."""
    try:
        found: Any = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return found.value if found else None


def _host(headers: Headers) -> str:
    host = headers.get("host", "").lower()
    return host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host.partition(":")[0]


def _plain(text: str) -> str:
    """Return *text* on one line of a log."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:200]


def who(reader: Reader, address: str) -> str:
    """Return by what the questions of *reader* from *address* are counted."""
    return f"{reader.name}\n{reader.person}\n{address}"


def address_of(request: Request) -> str:
    """Return where a request comes from."""
    return request.client.host if request.client else "?"


def later(seconds: int, why: str) -> Response:
    """Return the answer that asks to wait for some *seconds*."""
    return PlainTextResponse(why, 429, {"retry-after": str(seconds)})

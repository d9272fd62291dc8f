"""The application: routes of every kind behind one door, each request with one feed from begin to end."""

from __future__ import annotations

import hashlib
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from hub import ConfigError, FeedView, HubError, MissingExtra, feed_gauges, openmetrics, source_gauges, tr
from hub_serve import projectdata
from hub_serve.door import Door, Patience, Sessions, address_of, who
from hub_serve.feeds import Feeds, TooLong
from hub_serve.tokens import Reader, Tokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from starlette.requests import Request

    from hub_serve.assistant.server import Hall
    from hub_serve.pages import Pages
    from hub_serve.place import ServePlace


def build(place: ServePlace, feeds: Feeds, tokens: Tokens, sessions: Sessions) -> Door:
    """Return the application of *place* on *feeds*: the door, and behind it every route.

    Request handlers find the reader in ``request.state.reader`` and the feed by `view_of`.
    """
    hall = _hall(feeds)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with hall.open() if hall else nullcontext():
            yield
        feeds.close()

    patience, pages = Patience(place.requests_per_minute), _pages()
    app = Starlette(
        routes=[*_routes(), *pages.routes(), *([Route("/mcp", hall)] if hall else [])],
        middleware=[Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)],
        exception_handlers={
            TooLong: _too_long,
            ConfigError: _not_there,
            HubError: _not_there,
            404: pages.unknown,
        },
        lifespan=lifespan,
    )
    app.state.place, app.state.feeds, app.state.sessions = place, feeds, sessions
    app.state.patience = patience
    # outside all else, so that it dresses the answer to what nobody foresaw too
    return Door(app, place=place, tokens=tokens, sessions=sessions, patience=patience)


def view_of(request: Request, feed_id: str | None = None) -> AbstractContextManager[FeedView]:
    """Show the one who asks the current feed, or the kept one with *feed_id*, as it may see it.

    A part of a batch sees the feed of its batch.

    Its connection belongs to the block: questions of several threads need a block each. Raises `ConfigError`
    where the feed is not kept any more.
    """
    return feeds_of(request).view(reader_of(request), feed_id or getattr(request.state, "feed", None))


def reader_of(request: Request) -> Reader:
    """Return who asks."""
    reader: Reader = request.state.reader
    return reader


def feeds_of(request: Request) -> Feeds:
    """Return the feeds that are shown."""
    feeds: Feeds = request.app.state.feeds
    return feeds


def patience_of(request: Request) -> int:
    """Count one more question of the one who asks; return the seconds to wait, 0 where there is no need."""
    patience: Patience = request.app.state.patience
    return patience.wait(who(reader_of(request), address_of(request)))


def place_of(request: Request) -> ServePlace:
    """Return the settings of the server."""
    place: ServePlace = request.app.state.place
    return place


def etag(request: Request, feed_id: str, *more: Any) -> str:
    """Return the entity tag of what this request shows of *feed_id*: another reader has another one."""
    reader = reader_of(request)
    asked = sorted((key, value) for key, value in request.query_params.multi_items() if key != "token")
    what = (
        feed_id,
        reader.level,
        reader.person,
        request.url.path,
        asked,
        request.headers.get("accept"),
        more,
    )
    return f'"{hashlib.sha256(repr(what).encode()).hexdigest()[:24]}"'


def unchanged(request: Request, tag: str) -> Response | None:
    """Return the answer that what the one who asks has is still right, None where it is not."""
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    return Response(status_code=304, headers={"etag": tag}) if known & {tag, "*"} else None


def _pages() -> Pages:
    from hub_serve.pages import Pages  # it asks this room who reads what

    return Pages()


def _hall(feeds: Feeds) -> Hall | None:
    """Return the door of assistants, None where the extra is not installed."""
    from hub_serve.assistant.server import Hall

    try:
        return Hall(feeds)
    except MissingExtra:
        return None


def _routes() -> list[BaseRoute]:
    from hub_serve import odata

    return [
        Route("/healthz", healthz), Route("/metrics", metrics), *odata.routes(), *projectdata.routes(),
    ]  # fmt: skip


def healthz(request: Request) -> Response:
    """Say that the server answers, and whether it has a feed; nothing of the feed."""
    try:
        feeds_of(request).current()
    except ConfigError:
        return JSONResponse({"status": "no feed"}, 503)
    return JSONResponse({"status": "ok"})


def metrics(request: Request) -> Response:
    """Give the feed's freshness as the hub's own metrics file does; rows are those that the reader sees."""
    with view_of(request) as feed:
        rows: list[tuple[Mapping[str, str], float]] = [
            ({"table": name}, feed.connection.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0])
            for name in sorted(feed.manifest["tables"])
        ]
        families = [
            *feed_gauges(feed.manifest), *source_gauges(feed.manifest),
            ("pm_hub_feed_rows", "", "Rows of a table that this reader sees", rows),
        ]  # fmt: skip
    return Response(
        openmetrics(families), media_type="application/openmetrics-text; version=1.0.0; charset=utf-8"
    )


def _too_long(request: Request, exc: Exception) -> Response:
    seconds = place_of(request).seconds
    return PlainTextResponse(tr("This took longer than {seconds:g} s: ask for less.", seconds=seconds), 503)


def _not_there(_: Request, exc: Exception) -> Response:
    return PlainTextResponse(str(exc), 503)

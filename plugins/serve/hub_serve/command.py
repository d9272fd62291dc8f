"""`hub serve` and `hub token`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hub import Privacy, day, tr
from hub_serve.place import ServePlace
from hub_serve.tokens import Reader, Tokens

if TYPE_CHECKING:
    from hub_serve.feeds import Feeds


def place_of(app: Any) -> ServePlace:
    """Return the destination of kind serve, or what stands for it where none is configured."""
    return next(
        (one for one in app.settings.destinations.values() if isinstance(one, ServePlace)),
        ServePlace(name="serve"),
    )


def tokens_of(app: Any, place: ServePlace) -> Tokens:
    """Return the tokens of *place*."""
    return Tokens(Path(app.settings.base) / place.path)


def run(app: Any, *, host: str | None, port: int | None) -> int:
    """Serve until somebody stops it; gives the exit code. Raises `ConfigError` where it would be unsafe."""
    import uvicorn

    place = place_of(app)
    given = {key: value for key, value in (("host", host), ("port", port)) if value is not None}
    place = msgspec.structs.replace(place, **given)
    place.must_be_safe()
    application, sessions = application_of(app, place)
    base = Path(app.settings.base)
    server = uvicorn.Server(
        uvicorn.Config(
            application, host=place.host, port=place.port, access_log=False, server_header=False,
            log_level="warning", h11_max_incomplete_event_size=32_768,
            timeout_graceful_shutdown=int(place.seconds) + 5,  # as long as an answer may take, and its end
            proxy_headers=bool(place.proxies), forwarded_allow_ips=list(place.proxies) or None,
            ssl_certfile=str(base / place.certificate) if place.certificate else None,
            ssl_keyfile=str(base / place.key) if place.key else None,
        )
    )  # fmt: skip
    logging.getLogger("pm_hub.serve").setLevel(logging.INFO)
    if place.is_local:
        key = sessions.once(Reader(name="here", level=place.privacy))
        app.say(tr("Open {address} (it works once).", address=f"{place.root}/?token={key}"))
    else:
        app.say(tr("Serving {address}.", address=place.root))
    app.say(tr("OData: {address}. Stop with Ctrl+C.", address=f"{place.root}/odata/v4/"))
    server.run()
    return 0 if server.started else 1


def application_of(app: Any, place: ServePlace) -> tuple[Any, Any]:
    """Return the application of *place* on the feeds of *app*, and the sessions of its browsers."""
    from hub_serve.app import build
    from hub_serve.door import Sessions

    feeds = feeds_of(app, place)
    feeds.current()
    tokens = tokens_of(app, place)
    sessions = Sessions(tokens)
    return build(place, feeds, tokens, sessions), sessions


def feeds_of(app: Any, place: ServePlace) -> Feeds:
    """Return the feeds of *app*; a question to them may take the seconds of *place*."""
    from hub_serve.feeds import Feeds

    root = Path(app.settings.feed)

    def current() -> str | None:
        try:
            name = (root / "CURRENT").read_text(encoding="utf-8").strip()
        except OSError:
            return None
        return name or None

    return Feeds(
        lambda level, person, feed: app.feed_view(level, person=person, feed=feed), current,
        seconds=place.seconds, may_show=app.may_show,
        is_kept=lambda feed: (root / feed / "manifest.json").exists(),
    )  # fmt: skip


def create_token(app: Any, *, name: str, person: str | None, level: Privacy, days: int, as_json: bool) -> int:
    """Make a token and print it, once."""
    place = place_of(app)
    token = tokens_of(app, place).create(name, level=level, days=days, person=person)
    if as_json:
        app.as_json({"name": name, "token": token})
        return 0
    app.say(token)
    app.err.print(
        tr("It is shown this once: keep it where secrets are kept. It is the password of {address}.",
           address=f"{place.root}/odata/v4/")
    )  # fmt: skip
    return 0


def list_tokens(app: Any, *, as_json: bool) -> int:
    """Print the tokens, without what is secret."""
    found = tokens_of(app, place_of(app)).all()
    if as_json:
        app.as_json(
            [
                {
                    "name": one.name, "level": one.level, "person": one.person, "created_at": one.created_at,
                    "expires_at": one.expires_at, "last_used_at": one.last_used_at,
                }
                for one in found
            ]
        )  # fmt: skip
        return 0
    if not found:
        app.say(tr("There is no token: `hub token create NAME` makes one."))
    for one in found:
        app.say(
            tr(
                "{name}: {level}, {person}, until {until}, last used {used}",
                name=one.name, level=one.level, person=one.person or tr("all rows"),
                until=day(one.expires_at.date()),
                used=day(one.last_used_at.date()) if one.last_used_at else tr("never"),
            )
        )  # fmt: skip
    return 0


def revoke_token(app: Any, name: str) -> int:
    """Take the token *name* back."""
    tokens_of(app, place_of(app)).revoke(name)
    app.say(tr("{name} is refused from now on.", name=name))
    return 0

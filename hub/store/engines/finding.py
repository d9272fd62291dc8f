"""From the address of a store to its engine."""

from __future__ import annotations

from pathlib import Path

from hub.errors import ConfigError, MissingExtra
from hub.secrets import Secret
from hub.store.engines.engine import Engine
from hub.store.engines.sqlite import Sqlite
from hub.words import tr


def engine_of(
    url: str | Path | Engine, *, base: Path | None = None, password: Secret | None = None
) -> Engine:
    """Return the engine of ``sqlite:///path`` (or a path), ``sqlite://`` (in memory) or ``postgresql://…``.

    Relative paths start at *base*. Raises `ConfigError` for another kind of address.
    """
    if isinstance(url, Engine):
        return url
    text = str(url)
    if text in {"sqlite://", ":memory:"}:
        return Sqlite(None)
    if text.startswith(("postgresql://", "postgres://")):
        try:
            from hub.store.engines.postgresql import Postgresql
        except ImportError as exc:
            raise MissingExtra(
                tr(
                    "A store in PostgreSQL needs the package psycopg: install pm-hub with its extra "
                    "postgresql, `pip install 'pm-hub[postgresql]'`."
                )
            ) from exc
        return Postgresql(text, base=base or Path.cwd(), password=password)
    if text.startswith("sqlite:///"):
        text = text.removeprefix("sqlite:///")
    elif "://" in text:
        raise ConfigError(
            tr(
                "store = {scheme}://…: a store lives at sqlite:///path, or at "
                "postgresql://account@host/database.",
                scheme=text.partition("://")[0],
            )
        )
    return Sqlite((base or Path.cwd()) / Path(text))

"""What a worker of a cluster syncs a source with: the configuration, which it reads itself."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hub.cli.app import App

if TYPE_CHECKING:
    from hub.sync import Options
    from hub.sync.spread import Make, Room


def spreads(app: App, options: Options) -> bool:
    """Say whether workers read the sources: not into a file, and not for a run that is taken back."""
    return app.settings.engine.cluster is not None and app.engine.path is None and not options.dry_run


def maker(app: App, options: Options) -> Make:
    """Return what makes, on a worker, the room of one source; it says where the configuration lies."""
    flags = {name: getattr(options, name) for name in ("jobs", "full", "census", "since")}
    return functools.partial(room, str(app.config.resolve()), flags)


@contextmanager
def room(config: str, flags: dict[str, Any], name: str) -> Iterator[Room]:
    """Open what the source *name* of the configuration *config* needs here."""
    from hub.cli.building import hooks_of, sync_options
    from hub.sync.spread import Room

    app = App(config, logs=False)
    (source,) = app.sources((name,))
    with app.reachable():
        yield Room(engine=app.engine, source=source, options=sync_options(app, **flags), hooks=hooks_of(app))

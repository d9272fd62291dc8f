"""What a command leaves for who looks from outside: metrics and lineage, where the configuration asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub import clock
from hub.cli.app import App
from hub.cli.telling import missed_runs
from hub.words import tr

if TYPE_CHECKING:
    from hub.publish import PublishReport
    from hub.store import Store
    from hub.sync import SyncReport


def leave(
    app: App, store: Store, code: int, seconds: float, *, synced: SyncReport | None = None,
    published: PublishReport | None = None,
) -> None:  # fmt: skip
    """Write what is asked for; what cannot be written costs a warning, not the run."""
    try:
        if app.settings.metrics:
            _metrics(app, store, app.settings.metrics, code, seconds)
        if app.settings.lineage:
            from hub import lineage

            lineage.append(app.settings.lineage, _events(app, synced, published))
    except OSError as exc:
        app.err.print(
            tr("Warning: {problem}", problem=f"{exc.filename or ''}: {exc.strerror or exc}"), style="yellow"
        )


def _metrics(app: App, store: Store, path: Path, code: int, seconds: float) -> None:
    from hub import metrics
    from hub.feed import load_manifest
    from hub.notify import states
    from hub.publish import current

    folder = current(app.settings.feed)
    missed = missed_runs(app, store)
    metrics.write(
        path, store, states=states(store), exit_code=code, seconds=seconds,
        feed=load_manifest(folder) if folder else None, missed=missed.count if missed else 0,
        environment=app.settings.environment,
    )  # fmt: skip


_ENDS = {"ok": "COMPLETE", "partial": "COMPLETE", "failed": "FAIL", "interrupted": "ABORT"}


def _events(app: App, synced: SyncReport | None, published: PublishReport | None) -> Iterator[dict[str, Any]]:
    from hub.lineage import dataset, event

    settings = app.settings
    namespace = f"pm-hub.{settings.environment}" if settings.environment else "pm-hub"
    store = dataset(namespace, "store")
    at = f"{clock.now():%Y-%m-%dT%H:%M:%S.%fZ}"
    for one in synced.sources if synced else ():
        source = settings.sources.get(one.source_id)
        address = (source.address if source else None) or one.source_id
        yield event(
            f"sync.{one.source_id}", _ENDS[one.verdict], at, namespace=namespace, error=one.error,
            inputs=[dataset(one.kind, address)], outputs=[store],
        )  # fmt: skip
    if published is None:
        return
    feed = dataset(namespace, "feed")
    blocked = not published.current
    yield event(
        "publish", "FAIL" if blocked else "COMPLETE", at, namespace=namespace, inputs=[store],
        outputs=[] if blocked else [feed],
        error="; ".join(found.text for found in published.findings if found.blocks) if blocked else None,
    )  # fmt: skip
    for delivery in published.deliveries:
        yield event(
            f"deliver.{delivery.name}", "FAIL" if delivery.error else "COMPLETE", at, namespace=namespace,
            inputs=[feed], outputs=[dataset(delivery.kind, delivery.where or delivery.name)],
            error=delivery.error,
        )  # fmt: skip

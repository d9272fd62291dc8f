"""Make what runs are started with from the configuration and the plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from hub import clock
from hub.cli.app import App
from hub.records import Record
from hub.reference import Known
from hub.source import Source
from hub.words import tr

if TYPE_CHECKING:
    from hub.feed import BuildOptions
    from hub.publish import PublishOptions
    from hub.reference import Known
    from hub.store import Store
    from hub.sync import Hooks, Options


def hooks_of(app: App) -> Hooks:
    """Return what plugins add to a sync.

    It is None where no plugin implements the hook, so that nobody pays for it.
    """
    from hub.sync import Hooks

    caller = app.plugins.hook
    # pluggy's own order of calling: who is registered last is asked first, tryfirst and trylast apart
    maps = [*reversed(caller.map_record.get_hookimpls())]
    statuses = caller.categorize_status.get_hookimpls()
    transform = None
    if maps or statuses:

        def transform(source: Source, record: Record) -> Record:
            for rule in maps:
                given = {"source": source, "record": record}
                record = rule.function(*(given[name] for name in rule.argnames)) or record
            raw = getattr(record, "status_raw", None)
            if statuses and raw and record.status_native is None:  # type: ignore[attr-defined]
                category = caller.categorize_status(source=source, status=raw)
                if category:
                    record = msgspec.structs.replace(record, status_native=category)
            return record

    finished = None
    if caller.run_finished.get_hookimpls():

        def finished(run: Any) -> None:
            try:
                caller.run_finished(run=run)
            except (Exception, SystemExit) as exc:  # noqa: BLE001 - who only listens must not stop the run
                app.err.print(
                    tr(
                        "Warning: a plugin failed in run_finished: {error_type}: {error}",
                        error_type=type(exc).__name__,
                        error=exc,
                    ),
                )

    return Hooks(transform=transform, run_finished=finished)


def known_names(app: App, store: Store | None) -> Known:
    """Return what the reference data may name: sources, KPIs, and what *store* holds."""
    from hub.feed.kpi import catalogue
    from hub.reference import Known
    from hub.store import questions

    kpis = frozenset(f"{kpi.code}.{one.name}" for kpi in catalogue().values() for one in kpi.measures)
    held = questions.names(store) if store is not None else {}
    return Known(sources=frozenset(app.settings.sources), kpis=kpis, **held)


def build_options(app: App, *, as_of: str | None = None) -> BuildOptions:
    """Return the options of a feed from the configuration; *as_of* is a stamp of the store."""
    from hub.feed import BuildOptions

    s = app.settings
    return BuildOptions(
        lang=s.lang, country=s.country, currency=s.currency, as_of=as_of, memory_mb=s.engine.memory_mb,
        cluster=s.engine.cluster,
    )  # fmt: skip


def publish_options(
    app: App,
    *,
    as_of: str | None = None,
    vs: str | None = None,
    force: str | None = None,
    dry_run: bool = False,
    strict: bool = False,
) -> PublishOptions:
    """Return the options of a publish from the configuration."""
    from hub.context import Readers
    from hub.publish import PublishOptions

    s = app.settings
    return PublishOptions(
        base=s.base,
        build=build_options(app, as_of=as_of),
        vs=vs,
        secret=s.privacy.key.reveal().encode() if s.privacy.key else None,
        k=s.privacy.k,
        freshness=s.gate.freshness,
        failed_sources=s.gate.failed_sources,
        min_quality=s.gate.min_quality,
        max_unmapped=s.gate.max_unmapped if not strict else s.gate.max_unmapped or 0.0,
        keep=s.gate.keep_feeds,
        force=force,
        dry_run=dry_run,
        network=s.engine.network,
        readers=Readers(group=s.delivery.group, mode=s.delivery.bits),
        next_committee=s.committee.next(clock.now().date()),
    )


def sync_options(app: App, *, jobs: int | None = None, **flags: Any) -> Options:
    """Return the options of a sync from the configuration."""
    from hub.sync import Options

    engine = app.settings.engine
    return Options(
        base=app.settings.base,
        jobs=jobs or engine.jobs,
        network=engine.network,
        currency=app.settings.currency,
        fields=app.chosen_fields,
        silence_s=engine.max_silence_s,
        source_s=engine.max_source_s,
        **flags,
    )

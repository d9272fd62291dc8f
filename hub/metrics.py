"""How the hub is, as numbers for a monitor: OpenMetrics text in a file that a node exporter reads."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from hub import clock
from hub.files import write_atomically
from hub.store import Store, questions, rejections
from hub.version import release

Sample = tuple[Mapping[str, str], float]
Family = tuple[str, str, str, list[Sample]]
VERDICTS = ("ok", "partial", "failed", "interrupted", "stale", "running", "never")
READABLE = 0o644
"""A node exporter is another account; the file names sources and destinations, and nobody."""


def write(
    path: Path, store: Store, *, states: Mapping[str, tuple[str, str]], exit_code: int,
    feed: Mapping[str, Any] | None, missed: int = 0, seconds: float = 0.0, environment: str | None = None,
) -> None:  # fmt: skip
    """Write the metrics of *store* and of its last run to *path*, whole or not at all. Raises OSError.

    *states* are those of `hub.notify.states`, *feed* is the manifest of what readers see, *missed* counts
    the runs that never started.
    """
    families = [
        *_of_run(exit_code, missed, seconds, environment, store),
        *_of_sources(store, states),
        *_of_feed(feed, store),
    ]
    with write_atomically(path, mode=READABLE) as file:
        file.write(openmetrics(families).encode())


def openmetrics(families: Iterable[Family]) -> str:
    """Return OpenMetrics 1.0 of gauges: name, unit (or nothing), help and samples of each."""
    lines = []
    for name, unit, described, samples in families:
        if not samples:
            continue
        lines.append(f"# TYPE {name} gauge")
        if unit:
            lines.append(f"# UNIT {name} {unit}")
        lines.append(f"# HELP {name} {_escaped(described)}")
        for labels, value in samples:
            shown = ",".join(f'{key}="{_escaped(one)}"' for key, one in labels.items())
            lines.append(f"{name}{{{shown}}} {value:.17g}" if shown else f"{name} {value:.17g}")
    return "\n".join([*lines, "# EOF", ""])


def _escaped(text_: str) -> str:
    return text_.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _seconds(stamp: str | None) -> float | None:
    return datetime.fromisoformat(stamp).timestamp() if stamp else None


def _of_run(
    exit_code: int, missed: int, seconds: float, environment: str | None, store: Store
) -> Iterator[Family]:
    labels = {"version": release(), "environment": environment or ""}
    yield "pm_hub_build", "", "Which hub this is", [(labels, 1)]
    yield (
        "pm_hub_last_run_timestamp_seconds",
        "seconds",
        "When the last run ended",
        [({}, clock.now().timestamp())],
    )
    yield "pm_hub_last_run_exit_code", "", "How it ended: 0 is complete", [({}, exit_code)]
    yield "pm_hub_last_run_duration_seconds", "seconds", "How long it took", [({}, seconds)]
    yield "pm_hub_missed_runs", "", "Runs that were due and never started", [({}, missed)]
    path = store.engine.path
    if path is not None and path.exists():
        yield "pm_hub_store_size_bytes", "bytes", "Size of the store", [({}, path.stat().st_size)]
        yield (
            "pm_hub_disk_free_bytes",
            "bytes",
            "Room on the disk of the store",
            [({}, shutil.disk_usage(path.parent).free)],
        )


def _of_sources(store: Store, states: Mapping[str, tuple[str, str]]) -> Iterator[Family]:
    lacks = rejections.lacks(store)
    held = store.held()
    names = [row["id"] for row in questions.sources(store)]
    last = {name: runs[0] for name in names if (runs := store.runs(name, limit=1))}

    def each(value: Any) -> list[Sample]:
        return [({"source": name}, float(found)) for name in names if (found := value(name)) is not None]

    def counted(field: str) -> list[Sample]:
        return each(lambda name: getattr(last[name], field) if name in last else None)

    yield _states({name: states[name][0] for name in names if name in states})
    yield _completes({name: store.last_success(name) for name in names})
    yield (
        "pm_hub_source_last_run_timestamp_seconds",
        "seconds",
        "When a source was asked last",
        each(lambda name: _seconds(last[name].started_at) if name in last else None),
    )
    yield "pm_hub_source_read_rows", "", "Rows that the last run read", counted("read")
    yield "pm_hub_source_changed_rows", "", "Rows that the last run changed", counted("updated")
    yield "pm_hub_source_new_rows", "", "Rows that the last run brought", counted("inserted")
    yield "pm_hub_source_requests", "", "Requests of the last run", counted("requests")
    yield "pm_hub_source_retries", "", "Requests of the last run that were tried again", counted("retries")
    yield (
        "pm_hub_source_rejected_things",
        "",
        "Things that cannot be taken",
        each(lambda name: lacks[name].open if name in lacks else 0),
    )
    yield (
        "pm_hub_source_held_rows",
        "",
        "Rows that are held until somebody decides",
        each(lambda name: sum(stake.rows for stake in held if stake.source_id == name)),
    )


def _states(states: Mapping[str, str]) -> Family:
    return "pm_hub_source_state", "", "1 for the state that a source is in", [
        ({"source": name, "state": state}, float(found == state))
        for name, found in states.items() for state in VERDICTS
    ]  # fmt: skip


def _completes(stamps: Mapping[str, str | None]) -> Family:
    return (
        "pm_hub_source_last_complete_timestamp_seconds",
        "seconds",
        "When a source was read completely",
        [({"source": name}, at) for name, stamp in stamps.items() if (at := _seconds(stamp)) is not None],
    )


def feed_gauges(manifest: Mapping[str, Any]) -> Iterator[Family]:
    """Yield what the manifest of a feed says of it and of its sources, as they were when it was built."""
    yield (
        "pm_hub_feed_built_timestamp_seconds",
        "seconds",
        "When the feed that readers see was built",
        [({}, _seconds(manifest.get("built_at")) or 0.0)],
    )
    yield (
        "pm_hub_feed_complete",
        "",
        "1 where nothing is missing in it",
        [({}, float(bool(manifest.get("complete"))))],
    )


def source_gauges(manifest: Mapping[str, Any]) -> Iterator[Family]:
    """Yield the state of each source and when it was read completely, as the manifest of a feed says it."""
    sources = manifest.get("sources", ())
    yield _states({one["name"]: one["verdict"] for one in sources})
    yield _completes({one["name"]: one["last_success_at"] for one in sources})


def _of_feed(feed: Mapping[str, Any] | None, store: Store) -> Iterator[Family]:
    if feed is not None:
        yield from feed_gauges(feed)
    published = questions.publications(store)
    yield (
        "pm_hub_delivery_ok",
        "",
        "1 where a destination got the last feed",
        [({"destination": row["destination"]}, float(row["state"] == "published")) for row in published],
    )
    yield (
        "pm_hub_delivery_timestamp_seconds",
        "seconds",
        "When a destination was last delivered to",
        [({"destination": row["destination"]}, _seconds(row["at"]) or 0.0) for row in published],
    )

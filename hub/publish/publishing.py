"""Build a feed, let it through the gate, make it current in one step, deliver it where it is wanted."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from hub import clock
from hub.context import DeliveryContext, Network, Readers
from hub.destination import Delivery, Destination, FeedView
from hub.errors import ConfigError, DeliveryError, FeedError, HubError
from hub.feed import (
    BuildOptions,
    Finding,
    Snapshot,
    build,
    changes,
    check,
    levels_of,
    load_manifest,
    model,
    open_feed,
    project_to,
    projection_folder,
)
from hub.feed.build import SPILL, save_manifest, table_glob, told_limits
from hub.feed.fields import fields_of, use_fields
from hub.feed.questions import status_moves
from hub.files import write_atomically
from hub.publish.cuts import cuts_for, redact
from hub.publish.periods import post
from hub.source import Check
from hub.store import Store, endings, rejections
from hub.store.publications import in_use, last_published, note
from hub.store.questions import sources as known_sources
from hub.words import tr

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

log = logging.getLogger("hub.publish")
CURRENT = "CURRENT"
_SHARED = ("sources", "complete", "findings", "forced", "next_committee")
CHECK_PATIENCE_S = 20.0
"""A person waits for the answer of `check_destination`."""


class PublishOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to publish; *force* is the reason to go past a closed gate, written inside the feed.

    *vs* is the moment to tell moves from: the label of a cut, a date, ``now``; None is the last committee.
    *next_committee* is the day of the next one, where it is known. *secret* is the key of pseudonyms, *k* of
    how many people a published sum is made at least, *network* how destinations are asked. *session* makes
    the HTTP sessions of destinations; None for patient ones. *readers* may read delivered files that name
    nobody.
    """

    base: Path
    build: BuildOptions
    freshness: Literal["warn", "block"] = "warn"
    failed_sources: Literal["warn", "block"] = "warn"
    min_quality: float | None = None
    max_unmapped: float | None = None
    keep: int = 10
    force: str | None = None
    dry_run: bool = False
    vs: str | None = None
    next_committee: date | None = None
    secret: bytes | None = None
    network: Network = Network()
    k: int = 5
    session: Callable[[], Any] | None = None
    readers: Readers = Readers()


class DeliveryReport(msgspec.Struct, kw_only=True):
    """What happened at one destination."""

    name: str
    kind: str
    state: Literal["published", "unchanged", "failed"]
    where: str = ""
    rows: dict[str, int] = {}
    open_next: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    error: str | None = None


class StatusMove(msgspec.Struct, frozen=True, kw_only=True):
    """What a dry run would move from one status to another: tasks, and the person-days of them.

    Those are the days spent on them, and the days estimated.
    """

    before: str
    after: str
    tasks: int
    spent_days: float
    estimate_days: float


class PublishReport(msgspec.Struct, kw_only=True):
    """What a publish did; *current* says whether its feed became the one that readers see."""

    feed_id: str = ""
    folder: str = ""
    current: bool = False
    findings: list[Finding] = []
    deliveries: list[DeliveryReport] = []
    rows: dict[str, int] = {}
    excluded: list[dict[str, Any]] = []
    status_moves: list[StatusMove] = []
    timings: dict[str, float] = {}

    @property
    def exit_code(self) -> int:
        """Return 1 when a delivery failed, 4 when the gate kept the last good feed, else 0."""
        if any(delivery.state == "failed" for delivery in self.deliveries):
            return 1
        return 4 if any(finding.blocks for finding in self.findings) and not self.current else 0


def current(root: Path) -> Path | None:
    """Return the folder of the feed that readers see, or None where there is none yet."""
    try:
        name = (root / CURRENT).read_text(encoding="utf-8").strip()
    except OSError:
        return None
    folder = root / name
    return folder if name and (folder / "manifest.json").exists() else None


def publish(
    store: Store,
    root: Path,
    destinations: list[Destination],
    options: PublishOptions,
    *,
    sources: Mapping[str, str] | None = None,
    progress: Callable[[str], None] | None = None,
) -> PublishReport:
    """Build a feed of *store* under *root*, verify it, make it current, deliver it.

    *sources* maps each source to its last verdict, for the manifest. A closed gate leaves everything as it
    was.
    """
    say = progress or (lambda _: None)
    now = clock.now()
    if not store.engine.exists():
        raise FeedError(tr("The store {where} does not exist yet: run `hub sync` first.", where=store.where))
    store.verify()
    with _room_to_write(root):
        return _publish(store, root, destinations, options, sources or {}, say, now)


@contextmanager
def _room_to_write(root: Path) -> Iterator[None]:
    """Say what is wrong where the feed's folder cannot be written."""
    try:
        yield
    except OSError as exc:
        raise FeedError(
            tr(
                "The feed cannot be written under {root}: {reason}. Free some space, or give this "
                "account the right to write there; the last good feed stays.",
                root=root,
                reason=exc.strerror or exc,
            )
        ) from exc


def _publish(
    store: Store, root: Path, destinations: list[Destination], options: PublishOptions,
    sources: Mapping[str, str], say: Callable[[str], None], now: datetime,
) -> PublishReport:  # fmt: skip
    _sweep(root)
    redact(store, root)
    say(tr("building the feed"))
    cuts, vs = cuts_for(store, root, as_of=options.build.as_of, vs=options.vs)
    snapshot = build(store.engine, root, msgspec.structs.replace(options.build, cuts=cuts, vs=vs), now=now)
    say(tr("checking it"))
    try:
        findings = check(
            store,
            snapshot,
            freshness=options.freshness,
            failed_sources=options.failed_sources,
            now=now,
            min_quality=options.min_quality,
            max_unmapped=options.max_unmapped,
            memory_mb=options.build.memory_mb,
        )
    except BaseException:
        shutil.rmtree(snapshot.folder, ignore_errors=True)  # nobody knows whether it is right
        raise
    report = PublishReport(
        feed_id=snapshot.feed_id,
        folder=str(snapshot.folder),
        findings=findings,
        rows={name: table["rows"] for name, table in snapshot.manifest["tables"].items()},
        excluded=snapshot.manifest["excluded"],
        timings=snapshot.timings,
    )
    blocked = any(finding.blocks for finding in findings)
    if options.dry_run:
        report.status_moves = _status_moves(current(root), snapshot.folder)
    for finding in findings:
        log.log(
            logging.ERROR if finding.blocks else logging.WARNING, "gate: %s: %s", finding.kind, finding.text
        )
    if options.dry_run or (blocked and not options.force):
        shutil.rmtree(snapshot.folder, ignore_errors=True)
        return report
    _finish_manifest(store, snapshot, findings, options, sources)
    if options.build.as_of is None:
        post(store, snapshot.late, moment=snapshot.manifest["moment"])
        make_current(root, snapshot.feed_id)
    report.current = True
    log.info("feed %s: %d tables, %d rows", report.feed_id, len(report.rows), sum(report.rows.values()))
    report.deliveries = _hand_out(store, root, snapshot, destinations, options, say)
    retire(retired(store, root, keep=options.keep))
    return report


def deliver_current(
    store: Store, root: Path, destinations: list[Destination], options: PublishOptions
) -> PublishReport:
    """Deliver the feed under *root* that readers see, as `publish` does with the one that it built."""
    folder = current(root)
    if folder is None:
        raise ConfigError(tr("There is no feed in {root} yet: run `hub publish` first.", root=root))
    use_fields(fields_of(store.engine))
    manifest = load_manifest(folder)
    snapshot = Snapshot(feed_id=folder.name, folder=folder, manifest=manifest, timings={})
    return PublishReport(
        feed_id=folder.name,
        folder=str(folder),
        current=True,
        deliveries=_hand_out(store, root, snapshot, destinations, options, lambda _: None),
    )


def _hand_out(
    store: Store, root: Path, snapshot: Snapshot, destinations: list[Destination], options: PublishOptions,
    say: Callable[[str], None],
) -> list[DeliveryReport]:  # fmt: skip
    deliveries = []
    for destination in destinations:
        say(tr("delivering to {name}", name=destination.name))
        if store.erasures() and (
            destination.privacy in {"nominative-line", "pseudonym-week"} or destination.addresses
        ):
            deliveries.append(
                DeliveryReport(
                    name=destination.name,
                    kind=destination.kind,
                    state="failed",
                    error=tr(
                        "{name} is given persons, and an erasure is not finished: run `hub privacy erase "
                        "--resume` first.",
                        name=destination.name,
                    ),
                )
            )
            continue
        deliveries.append(_deliver(store, root, snapshot, destination, options))
    return deliveries


def _status_moves(old: Path | None, new: Path) -> list[StatusMove]:
    if old is None:
        return []
    return [
        StatusMove(before=before, after=after, tasks=tasks, spent_days=spent, estimate_days=estimate)
        for before, after, tasks, spent, estimate in status_moves(old, new)
    ]


def make_current(root: Path, feed_id: str) -> None:
    """Switch readers to *feed_id* in one atomic step."""
    with write_atomically(root / CURRENT) as file:
        file.write(feed_id.encode())


def _finish_manifest(
    store: Store,
    snapshot: Snapshot,
    findings: list[Finding],
    options: PublishOptions,
    verdicts: Mapping[str, str],
) -> None:
    manifest = snapshot.manifest
    sources = []
    all_held, lacks = store.held(), rejections.lacks(store)
    for row in known_sources(store):
        runs = store.runs(row["id"], limit=1)
        held = [stake for stake in all_held if stake.source_id == row["id"]]
        lack = lacks.get(row["id"])
        sources.append(
            {
                "name": row["id"],
                "plugin": row["kind"],
                "last_success_at": store.last_success(row["id"]),
                "freshness_max_s": row["freshness_max_s"],
                "verdict": verdicts.get(row["id"]) or (runs[0].verdict if runs else "never"),
                "missing": msgspec.json.decode(runs[0].missing) if runs and runs[0].missing else [],
                "held_rows": sum(stake.rows for stake in held),
                "held_hours": sum(stake.seconds for stake in held) / 3600,
                "rejected": lack.count if lack else 0,
                "rejected_hours": lack.seconds / 3600 if lack else 0,
                "rejected_amount_minor": lack.amount_minor if lack else 0,
            }
        )
    manifest["sources"] = sources
    manifest["complete"] = all(source["verdict"] == "ok" for source in sources)
    manifest["findings"] = msgspec.to_builtins(findings)
    manifest["forced"] = options.force
    manifest["next_committee"] = options.next_committee.isoformat() if options.next_committee else None
    manifest["k"] = options.k
    save_manifest(snapshot.folder, manifest)


def _deliver(
    store: Store, root: Path, snapshot: Snapshot, destination: Destination, options: PublishOptions
) -> DeliveryReport:
    report = DeliveryReport(name=destination.name, kind=destination.kind, state="failed")
    context = DeliveryContext(
        base=options.base,
        name=destination.name,
        session=options.session or options.network.session,
        readers=options.readers if _names_nobody(destination) else None,
    )
    connection = None
    try:
        folder = project_to(
            destination.privacy,
            snapshot.folder,
            root / "projections",
            secret=options.secret,
            k=options.k,
            addresses=destination.addresses,
            memory_mb=options.build.memory_mb,
        )
        connection = open_feed(folder, memory_mb=options.build.memory_mb)
        since = _last_published(store, root, destination)
        note(store, destination.name, snapshot.feed_id, "started")
        view = _view(folder, connection, snapshot.manifest, options.build.lang, since)
        with told_limits(root):
            delivery: Delivery = destination.deliver(context, view)
        note(store, destination.name, snapshot.feed_id, "published", detail=delivery.where)
        report.state = "published"
        report.where, report.rows = delivery.where, delivery.rows
        report.open_next, report.notes = delivery.open_next, delivery.notes
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - one destination's failure stops no other
        error = (
            exc
            if isinstance(exc, HubError)
            else DeliveryError(
                tr("unexpected {error_type}: {error}", error_type=type(exc).__name__, error=exc)
            )
        )
        report.error = str(error)
        note(store, destination.name, snapshot.feed_id, "failed", detail=report.error)
    finally:
        context.close()
        if connection is not None:
            connection.close()
    report.notes += tuple(sorted(one.sentence for one in context.endings if one.is_told))
    endings.keep(store, destination.name, context.endings, context.asked)
    if report.error:
        log.error("%s: %s", destination.name, report.error)
    else:
        log.info("%s: %s, %d rows", destination.name, report.state, sum(report.rows.values()))
    return report


def _names_nobody(destination: Destination) -> bool:
    return destination.privacy in {"project", "team-week"} and not destination.addresses


def _view(
    folder: Path, connection: DuckDBPyConnection, manifest: dict[str, Any], lang: str, since: Path | None
) -> FeedView:
    return FeedView(
        feed_id=manifest["feed_id"],
        folder=folder,
        manifest=load_manifest(folder) | {key: manifest[key] for key in _SHARED if key in manifest},
        tables={name: table_glob(folder, name) for name in model().tables},
        lang=lang,
        connection=connection,
        changes=lambda table: changes(connection, table, folder, since),
    )


@contextmanager
def shown(
    root: Path, privacy: str, options: PublishOptions, *, person: str | None = None, feed: str | None = None
) -> Iterator[FeedView]:
    """Open the feed that readers see, at the level *privacy*.

    *person* sees the rows that access.csv allows it, and has no folder to read past them; *feed* is the id
    of an earlier feed that is still kept. Raises `ConfigError` where there is none.
    """
    folder = current(root) if feed is None else kept(root, feed)
    if folder is None:
        raise ConfigError(
            tr("There is no feed in {root} yet: run `hub publish` first.", root=root)
            if feed is None
            else tr("The feed {feed} is not kept any more: begin again with the current one.", feed=feed)
        )
    level = project_to(
        privacy, folder, root / "projections", secret=options.secret, k=options.k,
        addresses=person is not None, memory_mb=options.build.memory_mb,
    )  # fmt: skip
    connection = open_feed(level, person=person, memory_mb=options.build.memory_mb)
    try:
        view = _view(level, connection, load_manifest(folder), options.build.lang, None)
        yield view if person is None else _for_person(view)
    finally:
        connection.close()


def _for_person(view: FeedView) -> FeedView:
    """Take from *view* what tells of the whole portfolio: its files, and what its manifest says in words."""
    told = ("name", "plugin", "last_success_at", "freshness_max_s", "verdict")
    narrowed: dict[str, Any] = {
        "sources": [
            {name: one[name] for name in told} | {"missing": []} for one in view.manifest.get("sources", [])
        ],
        **{name: [] for name in ("unmapped", "excluded", "findings") if name in view.manifest},
    }
    return msgspec.structs.replace(view, tables={}, manifest=view.manifest | narrowed)


def kept(root: Path, feed: str) -> Path | None:
    """Return the folder of the feed with the id *feed*, or None where it is not kept."""
    if not feed or not all(letter.isalnum() or letter in "-_" for letter in feed):
        return None
    folder = root / feed
    return folder if (folder / "manifest.json").exists() else None


def check_destination(destination: Destination, base: Path, *, network: Network | None = None) -> list[Check]:
    """Return what *destination* found when asked how it is.

    Whatever it raises is a failed check with its sentence.
    """
    context = DeliveryContext(
        base=base,
        name=destination.name,
        session=partial((network or Network()).session, patience_s=CHECK_PATIENCE_S),
    )
    try:
        return list(destination.check(context))
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - a foreign destination may fail in any way
        return [Check(name="check", state="failed", detail=str(exc))]
    finally:
        context.close()


def _last_published(store: Store, root: Path, destination: Destination) -> Path | None:
    feed_id = last_published(store, destination.name)
    if feed_id is None:
        return None
    levels = root / "projections"
    above = (
        root
        if destination.privacy == "nominative-line"
        else projection_folder(levels, destination.privacy, addresses=destination.addresses)
    )
    folder = above / feed_id
    return folder if (folder / "manifest.json").exists() else None


def _sweep(root: Path) -> None:
    """Remove what an interrupted build left: folders without a manifest, and scratch."""
    if not root.is_dir():
        return
    for path in root.iterdir():
        kept = path.name in ("projections", SPILL) or (path / "manifest.json").exists()
        if path.is_dir() and not kept:
            shutil.rmtree(path, ignore_errors=True)


def retired(store: Store, root: Path, *, keep: int) -> list[Path]:
    """Return the oldest snapshots beyond *keep* with their levels, and levels whose snapshot is gone.

    The current one and what a destination has are never among them.
    """
    if not root.is_dir():
        return []
    needed = in_use(store)
    now = current(root)
    feeds = sorted((p for p in root.iterdir() if (p / "manifest.json").exists()), key=lambda p: p.name)
    old = [p for p in feeds[: max(0, len(feeds) - max(1, keep))] if p != now and p.name not in needed]
    kept = {path.name for path in feeds} - {path.name for path in old}
    return [*old, *(path for path in levels_of(root / "projections") if path.name not in kept)]


def retire(paths: list[Path]) -> None:
    """Remove what `retired` found."""
    for path in paths:
        shutil.rmtree(path, ignore_errors=True)

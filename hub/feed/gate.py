"""The gate: a snapshot becomes current only when its contract and its totals hold."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import msgspec

from hub.feed.build import Snapshot, columns_in, open_feed, told_limits
from hub.feed.model import model
from hub.store import Store, rejections
from hub.store.store import as_of_sql
from hub.words import tr, trn

if TYPE_CHECKING:
    import duckdb


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing the gate found; *blocks* keeps the last good feed."""

    kind: Literal["contract", "conservation", "freshness", "missing", "quality", "unmapped"]
    text: str
    blocks: bool


def check(
    store: Store, snapshot: Snapshot, *, freshness: str, failed_sources: str, now: datetime,
    min_quality: float | None = None,
    max_unmapped: float | None = None,
    memory_mb: int | None = None,
) -> list[Finding]:  # fmt: skip
    """Read *snapshot* as a reader would and compare it with its contract, with the store and with the clock.

    Contract and conservation always block; stale and incomplete sources block where the setting says
    ``block``; a project below *min_quality* and a share of unmapped statuses above *max_unmapped* block when
    those are set. Raises `FeedError` when it cannot be read within *memory_mb*.
    """
    root = snapshot.folder.parent
    with told_limits(root), closing(open_feed(snapshot.folder, memory_mb=memory_mb)) as feed:
        return [
            *_contract(snapshot, feed),
            *_conservation(store, snapshot, feed),
            *_sources(store, snapshot, freshness=freshness, failed=failed_sources, now=now),
            *_quality(snapshot, feed, min_quality, max_unmapped),
        ]


def _quality(
    snapshot: Snapshot, feed: duckdb.DuckDBPyConnection, least: float | None, most_unmapped: float | None
) -> list[Finding]:
    findings = []
    if least is not None:
        low = feed.execute(
            "SELECT scope_label, value FROM fact_kpi WHERE cut_key = 0 AND kpi = 'DQ_SCORE' "
            "AND scope_kind = 'project' AND project_key <> -1 AND value < ? "
            "ORDER BY value", [least],
        ).fetchall()  # fmt: skip
        findings += [
            Finding(
                kind="quality", blocks=True,
                text=tr(
                    "{code}: quality {score:.1f} is below {least:g}", code=code, score=score, least=least
                ),
            )
            for code, score in low
        ]  # fmt: skip
    checked = feed.execute("SELECT count(*) FROM fact_task_snapshot WHERE cut_key = 0").fetchall()[0][0]
    failed = sum(one["tasks"] for one in snapshot.manifest["unmapped"])
    if failed:
        named = ", ".join(
            tr(
                "{status!r} of {source} ({count} {count:task|tasks})",
                status=one["status"],
                source=one["source"],
                count=one["tasks"],
            )
            for one in snapshot.manifest["unmapped"][:3]
        )
        share = failed / checked
        findings.append(
            Finding(
                kind="unmapped", blocks=most_unmapped is not None and share > most_unmapped,
                text=tr(
                    "{failed} of {checked} tasks ({share:.1%}) have a status that means nothing yet: "
                    "{named}; say it in statuses.csv",
                    failed=failed, checked=checked, share=share, named=named,
                ),
            )
        )  # fmt: skip
    return findings


def _contract(snapshot: Snapshot, feed: duckdb.DuckDBPyConnection) -> list[Finding]:
    findings = []

    def bad(text: str) -> None:
        findings.append(Finding(kind="contract", text=text, blocks=True))

    files = columns_in(feed, snapshot.folder, model().tables)
    for name, table in model().tables.items():
        found = files[name]
        wanted = {
            c: column.type.replace("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE")
            for c, column in table.columns.items()
        }
        if found != wanted:
            wrong = sorted(set(found.items()) ^ set(wanted.items()))
            bad(tr("{name}: columns or types differ from the model: {wrong}", name=name, wrong=wrong))
        keys = ", ".join(table.key)
        known = {column: facts.ref for column, facts in table.columns.items() if facts.ref}
        no_key = " OR ".join(f"{key} IS NULL" for key in table.key)
        lost_if = [
            f"{column} IS NULL OR {column} NOT IN (SELECT {model().tables[ref].key[0]} FROM {ref})"
            for column, ref in known.items()
        ]
        # one question a table: planning costs more than counting
        counts = ", ".join(f"count(*) FILTER (WHERE {bad_row})" for bad_row in (no_key, *lost_if))
        (row,) = feed.execute(
            f"SELECT (SELECT count(*) FROM (SELECT 1 FROM {name} GROUP BY {keys} HAVING count(*) > 1)), "
            f"{counts} FROM {name}"
        ).fetchall()
        doubles, empty, *lost_of = row
        if doubles:
            bad(
                tr(
                    "{name}: {count} {count:key|keys} ({keys}) {count:occurs|occur} more than once",
                    name=name,
                    count=doubles,
                    keys=keys,
                )
            )
        if empty:
            bad(
                tr(
                    "{name}: {count} {count:row has|rows have} an empty key ({keys})",
                    name=name,
                    count=empty,
                    keys=keys,
                )
            )
        for (column, ref), lost in zip(known.items(), lost_of, strict=True):
            if lost:
                bad(
                    tr(
                        "{name}: {count} {count:row has|rows have} a {column} that {ref} does not know",
                        name=name, count=lost, column=column, ref=ref,
                    )
                )  # fmt: skip
    return findings


def _conservation(store: Store, snapshot: Snapshot, feed: duckdb.DuckDBPyConnection) -> list[Finding]:
    moment = str(snapshot.manifest["as_of"])
    # read straight from the store, not through the builder's own path: two ways to the same total
    said = {
        "seconds": store.rows(
            f"SELECT coalesce(sum(seconds), 0) AS n FROM ({as_of_sql('worklog', moment)}) w"
        )[0]["n"],
        "tasks": store.rows(f"SELECT count(*) AS n FROM ({as_of_sql('task', moment)}) t")[0]["n"],
        "amount_minor": store.rows(
            f"SELECT coalesce(sum(amount_minor), 0) AS n FROM ({as_of_sql('budget_line', moment)}) b"
        )[0]["n"],
        "rejections": rejections.count(store, moment),
    }
    kinds = ("baseline", "revised", "committed", "consumed", "forecast")
    total = " + ".join(f"coalesce(sum({kind}_amount), 0)" for kind in kinds)
    held = {
        "seconds": feed.execute("SELECT coalesce(sum(seconds), 0)::BIGINT FROM fact_worklog").fetchall()[0][
            0
        ],
        # a deleted task that stays in its baseline has left all the same
        "tasks": feed.execute(
            "SELECT count(*) FROM fact_task_snapshot JOIN dim_task USING (task_key) "
            "WHERE cut_key = 0 AND is_deleted = 0"
        ).fetchall()[0][0],
        "amount_minor": int(
            feed.execute(
                f"SELECT round(({total}) * 100)::BIGINT FROM fact_budget WHERE cut_key = 0"
            ).fetchall()[0][0]
        ),
        "rejections": feed.execute("SELECT count(*) FROM fact_rejection").fetchall()[0][0],
    }
    findings = []
    for measure, expected in said.items():
        left_out = sum(
            line["amount"]
            for line in snapshot.manifest["excluded"]
            if line["measure"] == measure and not line.get("in_feed")
        )
        if held[measure] + left_out != expected:
            findings.append(
                Finding(
                    kind="conservation", blocks=True,
                    text=tr(
                        "{measure}: the store has {expected}, the feed {held} and its listed exclusions "
                        "{left_out}: {lost} are lost or doubled",
                        measure=measure, expected=expected, held=held[measure], left_out=left_out,
                        lost=expected - held[measure] - left_out,
                    ),
                )
            )  # fmt: skip
    return findings


def _sources(
    store: Store, snapshot: Snapshot, *, freshness: str, failed: str, now: datetime
) -> list[Finding]:
    findings = []
    lacks = rejections.lacks(store)
    for source in store.rows("SELECT id, freshness_max_s FROM source ORDER BY id"):
        runs = store.runs(source["id"], limit=1)
        last = store.last_success(source["id"])
        # what could not be taken row by row is counted as missing below, and keeps no feed back
        read_all = bool(runs) and runs[0].verdict == "partial" and runs[0].missing is None
        if runs and runs[0].verdict in {"failed", "partial", "interrupted"} and not read_all:
            findings.append(
                Finding(
                    kind="missing",
                    text=tr(
                        "{source}: its last run was {verdict}",
                        source=source["id"],
                        verdict=tr(runs[0].verdict),
                    ),
                    blocks=failed == "block",
                )
            )
        if lack := lacks.get(source["id"]):
            findings.append(
                Finding(
                    kind="missing",
                    text=trn(
                        "{source}: {n} thing could not be taken ({hours:g} h, {amount:,.2f} in amounts)",
                        "{source}: {n} things could not be taken ({hours:g} h, {amount:,.2f} in amounts)",
                        lack.count,
                        source=source["id"],
                        hours=lack.seconds / 3600,
                        amount=lack.amount_minor / 100,
                    ),
                    blocks=False,
                )
            )
        if source["id"] == "config":
            continue
        age = (now - datetime.fromisoformat(last)).total_seconds() if last else None
        if age is None or age > source["freshness_max_s"]:
            since = tr("{hours:.0f} h ago", hours=age / 3600) if age is not None else tr("never")
            findings.append(
                Finding(
                    kind="freshness",
                    text=tr("{source}: last complete sync {since}", source=source["id"], since=since),
                    blocks=freshness == "block",
                )
            )
    return findings

"""What commands ask a published feed; each question is written once, here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hub.errors import FeedError
from hub.feed.build import open_feed, table_glob
from hub.words import tr

if TYPE_CHECKING:
    import duckdb


@contextmanager
def _feed(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = open_feed(folder)
    try:
        yield connection
    finally:
        connection.close()


class Red(msgspec.Struct, frozen=True, kw_only=True):
    """A KPI that makes a project's weather red: its value, and what the committee last said of the project.

    *said* is None where it said nothing.
    """

    project: str
    measure: str
    value: float
    said: str | None


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """A check that costs a project points of its quality: how many rows failed of those it looked at."""

    check: str
    failed: int
    checked: int
    points: float


class Lowest(msgspec.Struct, frozen=True, kw_only=True):
    """A project of low quality: its score (0 to 100), and the checks that cost most."""

    project: str
    score: float
    costs: list[Cost]


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The quality score (0 to 100) of every source, the three lowest of projects, and what is red."""

    sources: dict[str, float]
    lowest: list[Lowest]
    red: list[Red]


def health(folder: Path) -> Health:
    """Return what `hub status` says of the feed in *folder*.

    Raises `FeedError` for a feed of another version of the hub, which has no answer to all of it.
    """
    import duckdb

    try:
        return _health(folder)
    except (duckdb.Error, OSError) as exc:
        raise FeedError(
            tr(
                "The feed {feed_id} cannot be asked ({error}): it was built by another version of pm-hub, or "
                "a file of it is damaged. The next `hub publish` builds a new one.",
                feed_id=folder.name,
                error=str(exc).splitlines()[0],
            )
        ) from exc


def _health(folder: Path) -> Health:
    with _feed(folder) as feed:
        scores = feed.execute(
            "SELECT scope_label, value FROM fact_kpi "
            "WHERE cut_key = 0 AND kpi = 'DQ_SOURCE' AND scope_kind = 'source'"
        ).fetchall()
        low = feed.execute(
            "SELECT scope_label, value, project_key FROM fact_kpi WHERE cut_key = 0 AND kpi = 'DQ_SCORE' "
            "AND scope_kind = 'project' AND project_key <> -1 ORDER BY value, 1 LIMIT 3"
        ).fetchall()
        lowest = [Lowest(project=label, score=score, costs=_costs(feed, key)) for label, score, key in low]
        red = feed.execute(
            "SELECT k.scope_label, k.kpi || '.' || k.measure, k.value, a.declared FROM fact_kpi k "
            "LEFT JOIN fact_weather a ON a.cut_key = 0 AND a.project_key = k.project_key "
            "JOIN dim_project p ON p.project_key = k.project_key "
            "WHERE k.cut_key = 0 AND k.rag = 'red' AND k.scope_kind = 'project' AND p.state <> 'closed' "
            "AND k.is_last_period = 1 AND coalesce(k.is_in_weather, 1) = 1 ORDER BY 1, 2"
        ).fetchall()
    return Health(
        sources=dict(scores),
        lowest=lowest,
        red=[
            Red(project=project, measure=measure, value=value, said=said)
            for project, measure, value, said in red
        ],
    )


def _costs(feed: duckdb.DuckDBPyConnection, project: int) -> list[Cost]:
    """Return the three checks that cost *project* most, in points of its score."""
    rows = feed.execute(
        "WITH c AS (SELECT check_code, max(weight) AS weight, sum(n_checked)::BIGINT AS checked, "
        "sum(n_failed)::BIGINT AS failed FROM fact_quality "
        "WHERE cut_key = 0 AND project_key = ? GROUP BY 1 HAVING sum(n_checked) > 0) "
        "SELECT check_code, failed, checked, 100.0 * weight * failed / checked / (SELECT sum(weight) FROM c) "
        "FROM c WHERE failed > 0 ORDER BY 4 DESC, 1 LIMIT 3",
        [project],
    ).fetchall()
    return [
        Cost(check=check, failed=failed, checked=checked, points=points)
        for check, failed, checked, points in rows
    ]


def project_key(feed: duckdb.DuckDBPyConnection, code: str) -> int | None:
    """Return the key of the project *code* in an open *feed*, or None where there is no such project."""
    row = feed.execute("SELECT project_key FROM dim_project WHERE code = ?", [code]).fetchone()
    return row[0] if row else None


def moves(folder: Path) -> tuple[str | None, list[tuple[Any, ...]]]:
    """Return the label of the moment that the feed in *folder* tells moves from, and what moved since.

    A row is cause, topic, project, what, unit, values before and after, dates before and after, change.
    """
    with _feed(folder) as feed:
        rows = feed.execute(
            "SELECT m.cause, m.topic, p.code, "
            "CASE WHEN m.topic = 'effort' THEN m.measure ELSE m.item || ', ' || m.measure END, m.unit, "
            "m.before_value, m.after_value, m.before_date, m.after_date, m.delta "
            "FROM fact_move m JOIN dim_project p USING (project_key) WHERE m.cut_key = 0 "
            "ORDER BY list_position(['milestone', 'effort', 'risk', 'budget', 'scope'], m.topic), p.code, "
            "m.cause DESC, m.item, m.measure"
        ).fetchall()
        label = feed.execute(
            "SELECT c.label FROM fact_move m JOIN dim_cut c ON c.cut_key = m.vs_cut_key "
            "WHERE m.cut_key = 0 LIMIT 1"
        ).fetchone()
    return (label[0] if label else None), rows


def status_moves(old: Path, new: Path) -> list[tuple[Any, ...]]:
    """Return what has another status in the feed *new* than in *old*, most tasks first.

    A row is the category before and after, tasks, person-days spent and estimated on them.
    """
    place = table_glob(old, "fact_task_snapshot").replace("'", "''")
    with _feed(new) as feed:
        return feed.execute(
            "SELECT a.category, b.category, count(*), coalesce(sum("
            "(SELECT sum(w.days) FROM fact_worklog w WHERE w.task_key = n.task_key)), 0), "
            "coalesce(sum(coalesce(n.estimate_days, n.reported_days)), 0) FROM fact_task_snapshot n "
            f"JOIN read_parquet('{place}', hive_partitioning = false) o "
            "ON o.task_key = n.task_key AND o.cut_key = 0 "
            "JOIN dim_status a ON a.status_key = o.status_key "
            "JOIN dim_status b ON b.status_key = n.status_key "
            "WHERE n.cut_key = 0 AND o.status_key <> n.status_key GROUP BY ALL ORDER BY 3 DESC"
        ).fetchall()

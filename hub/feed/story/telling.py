"""Tell the story of one cut from a feed: its figures, projects, moves, milestones, decisions, load."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from hub.errors import ConfigError
from hub.feed.kpi.catalogue import catalogue, prepare, rows
from hub.feed.model import model
from hub.feed.story.shapes import (
    Driver,
    Figure,
    Forecast,
    Load,
    Milestone,
    Month,
    Move,
    Point,
    Project,
    RegisterEntry,
    Rejection,
    Sla,
    Span,
    Story,
)
from hub.feed.story.synthesis import synthesis
from hub.words import Lang, day, speaking, tr

if TYPE_CHECKING:
    import duckdb

    from hub.destination import FeedView

T = TypeVar("T", bound=msgspec.Struct)
MONTH = timedelta(days=31)
"""How far the next committee is thought to be where nobody said when it meets."""


def tell(view: FeedView, *, cut: str | None = None, lang: Lang | None = None) -> Story:
    """Return the story of the cut called *cut* in the feed of *view*; of now without one.

    It is told of what *view*'s level of detail shows, and of a closed cut from what that kept. Raises
    `ConfigError` naming the cuts there are.
    """
    spoken: Lang = lang or ("fr" if view.lang == "fr" else "en")
    connection, manifest = view.connection, view.manifest
    key, label, as_of, before = cut_named(connection, cut)
    prepare(connection, cut=key, day=as_of)
    connection.execute("SET VARIABLE lang = ?", [spoken])
    connection.execute("SET VARIABLE sums = ?", [manifest["privacy"] != "nominative-line"])
    figures = _figures(connection, spoken)
    said = manifest.get("next_committee") if key == 0 else _next(connection, key)
    upcoming = date.fromisoformat(said) if said else as_of + MONTH
    register = _rows(connection, "register", RegisterEntry)
    late = _late(connection, key)
    with speaking(spoken):
        story = Story(
            lang=spoken, feed_id=view.feed_id, currency=manifest["currency"], privacy=manifest["privacy"],
            label=label, as_of=as_of, is_now=key == 0, before=before, next_committee=upcoming,
            is_next_known=bool(said),
            complete=bool(manifest.get("complete")) if key == 0 else not late,
            missing=_missing(manifest) if key == 0 else late,
            sources=_sources(manifest) if key == 0 else (),
            totals=figures.pop(None, {}),
            projects=tuple(
                Project(**row, figures=figures.get(row["key"], {})) for row in _projects(connection)
            ),
            moves=_rows(connection, "moves", Move),
            milestones=_milestones(connection, as_of),
            register=register,
            decisions=tuple(
                one for one in register
                if one.kind == "decision" and (one.asked_of or (one.due_date and one.due_date <= upcoming))
            ),
            load=_rows(connection, "load", Load),
            slips=tuple(
                Point(project_key=one, series="slip", date=day, label=name, value=value)
                for one, day, name, value in _ask(connection, "slips")
            ),
            curve=_rows(connection, "curve", Point),
            burn=tuple(
                Point(project_key=one, series=series, date=day, value=value)
                for one, day, done, scope in _ask(connection, "burn")
                for series, value in (("done", done), ("scope", scope)) if value is not None
            ),
            sla=_rows(connection, "sla", Sla),
            roadmap=_rows(connection, "roadmap", Span),
            months=_rows(connection, "months", Month),
            rejections=_rows(connection, "rejections", Rejection),
            forecasts=_rows(connection, "forecasts", Forecast),
            drivers=_rows(connection, "drivers", Driver),
        )  # fmt: skip
        return msgspec.structs.replace(story, synthesis=tuple(synthesis(story)))


def _ask(connection: duckdb.DuckDBPyConnection, name: str) -> list[tuple[Any, ...]]:
    return connection.execute(_sql(name)).fetchall()


def _sql(name: str) -> str:
    return (files("hub.feed.story") / f"{name}.sql").read_text(encoding="utf-8")


def _dicts(connection: duckdb.DuckDBPyConnection, name: str) -> list[dict[str, Any]]:
    found = connection.execute(_sql(name))
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _rows(connection: duckdb.DuckDBPyConnection, name: str, shape: type[T]) -> tuple[T, ...]:
    return tuple(shape(**row) for row in _dicts(connection, name))


def cut_named(connection: duckdb.DuckDBPyConnection, label: str | None) -> tuple[int, str, date, str | None]:
    """Return key, label and day of the cut *label*, and the label of the committee before it."""
    found = connection.execute(
        "SELECT c.cut_key, c.label, c.as_of, (SELECT b.label FROM fact_move m JOIN dim_cut b "
        "ON b.cut_key = m.vs_cut_key WHERE m.cut_key = c.cut_key LIMIT 1), p.label FROM dim_cut c "
        "LEFT JOIN dim_cut p ON p.ordinal = c.previous_ordinal ORDER BY c.ordinal"
    ).fetchall()
    for key, name, as_of, moved, before in found:
        if name == label or (label is None and key == 0):
            return key, name, as_of, moved or before
    labels = ", ".join(repr(one[1]) for one in found if one[0] != 0)
    raise ConfigError(
        tr("There is no cut {label!r}; known: {labels}.", label=label, labels=labels or tr("none"))
    )


def _next(connection: duckdb.DuckDBPyConnection, key: int) -> str | None:
    """Return the day of the committee that came after the cut *key*, as a text."""
    found = connection.execute(
        "SELECT min(n.as_of)::VARCHAR FROM dim_cut n JOIN dim_cut c ON c.cut_key = ? "
        "WHERE n.kind = 'copil' AND n.as_of > c.as_of",
        [key],
    ).fetchone()
    return found[0] if found else None


def _projects(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    found = _dicts(connection, "projects")
    own = [name for name in model().tables["dim_project"].columns if name.startswith("x_")]
    fields = {
        key: dict(zip(own, said, strict=True))
        for key, *said in connection.execute(
            f"SELECT {', '.join(['project_key', *own])} FROM dim_project"
        ).fetchall()
    }
    for row in found:
        row["key"] = row.pop("project_key")
        row["fields"] = fields[row["key"]]
    return found


def _figures(connection: duckdb.DuckDBPyConnection, lang: Lang) -> dict[int | None, dict[str, Figure]]:
    captions = {
        (code, measure.name): getattr(measure, lang) for code, kpi in catalogue().items()
        for measure in kpi.measures
    }  # fmt: skip
    found: dict[int | None, dict[str, Figure]] = defaultdict(dict)
    for row in _dicts(connection, "figures"):
        project, name = row.pop("project"), f"{row['kpi']}.{row['measure']}"
        plain, _, split = row["measure"].partition(".")
        caption = captions.get((row["kpi"], plain), name) + (f" ({split})" if split else "")
        found[project][name] = Figure(caption=caption, **row)
    return found


def _milestones(connection: duckdb.DuckDBPyConnection, as_of: date) -> tuple[Milestone, ...]:
    """Return the milestones with the forecast and slip of MILESTONE_SLIP, the earliest first."""
    urls = dict(
        connection.execute(
            "SELECT task_key, url FROM dim_task WHERE kind = 'milestone' AND url IS NOT NULL"
        ).fetchall()
    )
    found = []
    for row in rows(connection, "MILESTONE_SLIP"):
        if row["category"] == "cancelled" or row["project_key"] == -1:
            continue
        is_done = row["category"] == "done"
        said = row["said_finish"]
        found.append(Milestone(
            project_key=row["project_key"], title=row["title"], baseline=row["baseline_finish"],
            finish=row["forecast"], slip_days=row["slip_days"],
            state="done" if is_done else "late" if said and said < as_of else "open",
            url=urls.get(row["task_key"]),
        ))  # fmt: skip
    return tuple(sorted(found, key=lambda one: (one.finish or date.max, one.project_key, one.title)))


def _sources(manifest: dict[str, Any]) -> tuple[str, ...]:
    """Return each source with its kind and the day of its last complete sync."""
    return tuple(
        f"{source['name']} ({source['plugin']}), {day(source['last_success_at']) or '–'}"
        for source in manifest.get("sources", [])
    )


def _late(connection: duckdb.DuckDBPyConnection, key: int) -> tuple[str, ...]:
    """Return the sources that were late at the cut: what it kept of whether its data was whole."""
    found = connection.execute(
        "SELECT scope_label FROM fact_kpi WHERE cut_key = ? AND kpi = 'FRESHNESS' AND measure = 'fresh' "
        "AND value = 0 ORDER BY 1",
        [key],
    ).fetchall()
    return tuple(name for (name,) in found)


def _missing(manifest: dict[str, Any]) -> tuple[str, ...]:
    return tuple(
        f"{source['name']}: {text}" for source in manifest.get("sources", [])
        for text in (source["missing"] or ([source["verdict"]] if source["verdict"] != "ok" else []))
    )  # fmt: skip

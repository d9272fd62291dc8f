"""What pages list beside the committee's story: each question is one file in ``lists/``."""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from hub.feed.kpi.catalogue import prepare
from hub.feed.story.telling import cut_named

if TYPE_CHECKING:
    import duckdb

    from hub.destination import FeedView

LISTS = (
    "allocation", "assessments", "breaches", "budget", "checks", "course", "crew", "cuts", "demand", "pairs",
    "rejections", "sources", "sprints", "stays", "targets", "tasks", "throughput", "values", "weeks", "wip",
)  # fmt: skip
"""The lists there are; what one looks at is said in the first line of its file."""


def listed(
    view: FeedView, name: str, *, cut: str | None = None, project: int | None = None, kpi: str = "",
    open_only: bool = False, most: int = 1_000_000, skip: int = 0,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return the rows of the list *name* at the cut called *cut* (now without one), by its columns' names.

    *project* is the key of a project and *kpi* a code, where the list is of one. Lists that may be long tell
    in ``n`` how many rows there are; *most* of them are given, after *skip*. Raises `ConfigError` for an
    unknown cut and `KeyError` for an unknown list.
    """
    if name not in LISTS:
        raise KeyError(name)
    connection = view.connection
    key, as_of = _cut(connection, cut)
    prepare(connection, cut=key, day=as_of)
    for variable, value in (
        ("project", project), ("kpi", kpi), ("open", open_only), ("most", most), ("skip", skip),
        ("persons", view.manifest["privacy"] == "nominative-line"),
    ):  # fmt: skip
        connection.execute(f"SET VARIABLE {variable} = ?", [value])
    found = connection.execute(
        (files("hub.feed.story") / "lists" / f"{name}.sql").read_text(encoding="utf-8")
    )
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _cut(connection: duckdb.DuckDBPyConnection, label: str | None) -> tuple[int, date]:
    """Return key and day of the cut *label*; of now without one."""
    asked = "cut_key = 0" if label is None else "label = ?"
    found = connection.execute(
        f"SELECT cut_key, as_of FROM dim_cut WHERE {asked}", [] if label is None else [label]
    ).fetchone()
    if found is None:
        key, _, as_of, _ = cut_named(connection, label)  # it says which there are
        return key, as_of
    return found[0], found[1]

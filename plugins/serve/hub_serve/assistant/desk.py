"""What an assistant may ask: each question is written here, its answer is bounded and says what it left out.

No question is SQL and nothing is written. The feed is opened as one reader may see it, so that no answer has
a row, a person or an amount that the reader's token does not show.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date, datetime
from importlib.resources import files
from math import isfinite
from typing import TYPE_CHECKING, Any

from hub import (
    ConfigError,
    FeedView,
    Lang,
    Move,
    catalogue,
    evaluate,
    language,
    receipt,
    speaking,
    tr,
    what_moved,
    written,
)
from hub_serve.moves import moved

if TYPE_CHECKING:
    import duckdb

Answer = dict[str, Any]
BOUND = 20_000
"""Letters of one answer at most, as JSON."""
SHOWN = 200
"""Rows of a kind behind a KPI at most."""
CELL = 200
"""Letters of one text at most."""


class Desk:
    """Answers the questions of a reader; *opened* shows the feed as the one who asks may see it.

    *is_all* says whether the reader sees all rows of its level: what a source said of its last run may name
    things of other projects, and is told only then. *lang* gives the language that the one who asks speaks,
    None for that of the feed.
    """

    def __init__(
        self, opened: Callable[[], AbstractContextManager[FeedView]], *, is_all: Callable[[], bool],
        lang: Callable[[], Lang | None] = lambda: None,
    ) -> None:  # fmt: skip
        """Open nothing yet."""
        self._feed, self._is_all, self._lang = opened, is_all, lang
        self._one = threading.Lock()

    @contextmanager
    def _opened(self) -> Iterator[FeedView]:
        with self._feed() as feed, speaking(self._lang() or ("fr" if feed.lang == "fr" else "en")):
            yield feed

    def list_projects(self) -> Answer:
        """Return the projects that the reader sees, the reddest first."""
        with self._opened() as feed:
            rows = _rows(feed.connection, "projects", [language()])
            return fit({**_of(feed), "projects": rows}, "projects")

    def figure(self, kpi: str, project: str = "", measure: str = "") -> Answer:
        """Return a KPI of a project, else of the whole portfolio: definition, values, trend over the cuts."""
        with self._opened() as feed:
            one = _kpi(kpi)
            scope, key = _scope(feed.connection, project)
            rows = _rows(feed.connection, "figure", [one.code, scope, key])
            known = {each.name: each for each in one.measures}
            if measure and measure not in known:
                raise ConfigError(
                    tr("{kpi} has no measure {measure!r}; it has: {known}.",
                       kpi=one.code, measure=measure, known=", ".join(known))
                )  # fmt: skip
            currency = feed.manifest["currency"]
            values = [
                {"caption": _caption(known.get(row["measure"]), language()), **row,
                 "written": written(row["value"], row["unit"], currency)}
                for row in rows if not measure or row["measure"] == measure
            ]  # fmt: skip
            trend = _rows(feed.connection, "trend", [one.code, measure or one.headline, scope, key])
            return fit(
                {
                    **_of(feed), "kpi": one.code, "name": one.fr if language() == "fr" else one.en,
                    "project": project or tr("the whole portfolio"), "definition": tr(one.definition),
                    "edge_cases": tr(one.edge_cases) if one.edge_cases else "", "values": values,
                    "trend_of": measure or one.headline, "trend": trend,
                },
                "trend", "values",
            )  # fmt: skip

    def what_moved(self, project: str = "", since: str = "", until: str = "") -> Answer:
        """Return what moved between two cuts, the weightiest of each topic first.

        *until* is now and *since* the committee before it unless their labels are given.
        """
        with self._opened() as feed:
            key = _scope(feed.connection, project)[1] if project else None
            found = moved(feed.connection, until=until or None, since=since or None)
            if found is None and (since or until):
                raise ConfigError(
                    tr(
                        "No way leads through committees from one of these two cuts to the other: ask for "
                        "cuts that are committees."
                    )
                )
            if found is None:
                return {**_of(feed), "since": None, "until": None, "moves": []}
            codes = dict(feed.connection.execute("SELECT project_key, code FROM dim_project").fetchall())
            moves = [
                _shown({"project": codes[one.project_key], "what": what_moved(one), **_told(one)})
                for one in found.moves if key is None or one.project_key == key
            ]  # fmt: skip
            ends = {
                name: _shown({"label": one.label, "as_of": one.as_of})
                for name, one in (("since", found.since), ("until", found.until))
            }
            return fit({**_of(feed), **ends, "moves": moves}, "moves")

    def why(self, kpi: str, project: str) -> Answer:
        """Return what a KPI of a project is made of: how many rows, their sums, and the first of them."""
        with self._opened() as feed, self._one:  # what it stands on is made on the connection
            one = _kpi(kpi)
            scope, key = _scope(feed.connection, project)
            evaluate(feed.connection, None, (one.code,))
            rows = {}
            for kind in one.receipt:
                found = receipt(feed.connection, kind, key, most=SHOWN)
                sums = {name: round(value, 2) for name, value in found.sums.items()}
                rows[kind] = {"count": found.n, "sums": sums, "rows": [_shown(row) for row in found.rows]}
            return _fit_receipts(
                {**_of(feed), "kpi": one.code, "project": project, "definition": tr(one.definition),
                 "figure": _rows(feed.connection, "figure", [one.code, scope, key])[:40], "made_of": rows}
            )  # fmt: skip

    def source_status(self) -> Answer:
        """Return how fresh each source is, and how its last run ended."""
        with self._opened() as feed:
            rows = _rows(feed.connection, "sources", [])
            said = {one["name"]: one.get("missing") or [] for one in feed.manifest.get("sources", [])}
            open_level = self._is_all() and feed.manifest["privacy"] == "nominative-line"
            sources = []
            for row in rows:
                missing = said.get(row["name"], [])
                told: Answer = {**row, "missing_things": len(missing)}
                if open_level and missing:
                    told["missing"] = [_text(text) for text in missing[:10]]
                sources.append(told)
            return fit(
                {**_of(feed), "complete": bool(feed.manifest.get("complete")), "sources": sources}, "sources"
            )


def _of(feed: FeedView) -> Answer:
    """Return what every answer begins with: which feed it is of, of when, and at what level of detail."""
    return {
        "feed": feed.feed_id, "moment": feed.manifest["moment"], "level": feed.manifest["privacy"],
        "currency": feed.manifest["currency"],
    }  # fmt: skip


def _kpi(code: str) -> Any:
    known = catalogue()
    found = known.get(code.strip().upper())
    if found is None:
        raise ConfigError(
            tr("There is no KPI {code!r}; known: {known}.", code=_text(code), known=", ".join(known))
        )
    return found


def _scope(connection: duckdb.DuckDBPyConnection, project: str) -> tuple[str, int]:
    """Return the scope of *project*, by its code, else by its name; of the whole portfolio without one."""
    if not project.strip():
        return "portfolio", -1
    asked = project.strip()
    found = connection.execute(_sql("project"), [asked, asked, asked]).fetchall()
    if not found:
        raise ConfigError(tr("There is no project {project!r} in the feed.", project=_text(asked)))
    return "project", int(found[0][0])


def _told(move: Move) -> Answer:
    names = ("topic", "cause", "item", "measure", "unit", "before_value", "after_value", "before_date",
             "after_date", "delta")  # fmt: skip
    return {name: getattr(move, name) for name in names}


def _caption(measure: Any, lang: str) -> str:
    if measure is None:
        return ""
    return str((measure.fr if lang == "fr" else measure.en) or measure.name)


def _sql(name: str) -> str:
    return (files("hub_serve.assistant") / f"{name}.sql").read_text(encoding="utf-8")


def _rows(connection: duckdb.DuckDBPyConnection, name: str, values: list[Any]) -> list[Answer]:
    found = connection.execute(_sql(name), values)
    names = [column[0] for column in found.description or ()]
    return [_shown(dict(zip(names, row, strict=True))) for row in found.fetchall()]


def _shown(row: Answer) -> Answer:
    """Return *row* for JSON: without keys of machines, days and instants as ISO 8601, long texts cut."""
    return {name: _value(value) for name, value in row.items() if not name.startswith("_")}


def _value(value: Any) -> Any:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, (bool, int)):
        return value
    number = float(value) if hasattr(value, "__float__") else None
    if number is None:
        return _text(str(value))
    return round(number, 4) if isfinite(number) else None


def _text(text: str) -> str:
    return text if len(text) <= CELL else f"{text[: CELL - 1]}…"


def fit(answer: Answer, *lists: str) -> Answer:
    """Return *answer* within the bound: rows at the ends of *lists* go, and it says how many.

    The first of *lists* loses its rows first.
    """
    for name in lists:
        rows = answer[name]
        if size(answer) <= BOUND:
            break
        answer = {**answer, name: _fitting(answer, name, rows)}
        left = len(rows) - len(answer[name])
        answer["left_out"] = {**answer.get("left_out", {}), name: left}
        answer["note"] = tr("The answer was cut: ask for one project or one measure to see the rest.")
    return answer


def _fitting(answer: Answer, name: str, rows: list[Answer]) -> list[Answer]:
    low, high = 0, len(rows)
    while low < high:
        middle = (low + high + 1) // 2
        if size({**answer, name: rows[:middle]}) <= BOUND - 300:  # room for what is said of the cut
            low = middle
        else:
            high = middle - 1
    return rows[:low]


def _fit_receipts(answer: Answer) -> Answer:
    """Return a receipt within the bound: each kind of row keeps as many rows, and counts and sums stay."""
    kinds = answer["made_of"]
    most = max((len(one["rows"]) for one in kinds.values()), default=0)

    def cut(rows: int) -> Answer:
        made = {
            kind: {**one, "rows": one["rows"][:rows], "left_out": max(0, one["count"] - rows)}
            for kind, one in kinds.items()
        }
        return {**answer, "made_of": made}

    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if size(cut(middle)) <= BOUND:
            low = middle
        else:
            high = middle - 1
    return cut(low)


def size(answer: Answer) -> int:
    """Return how many letters *answer* has as JSON."""
    return len(text_of(answer))


def text_of(answer: Answer) -> str:
    """Return *answer* as JSON."""
    return json.dumps(answer, ensure_ascii=False)

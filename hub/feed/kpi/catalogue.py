"""The KPI catalogue: one SQL file a KPI with its definition."""

from __future__ import annotations

import functools
import re
from datetime import UTC, date, datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from hub.errors import ConfigError
from hub.words import tr

if TYPE_CHECKING:
    import duckdb


SCOPES = ("project", "source", "team", "person", "task", "calendar")


class Measure(msgspec.Struct, frozen=True):
    """One number of a KPI.

    *unit* is days, amount, hours, ratio, share, count, points, score, flag or duration. Days of work can be
    added up; a duration is in days too, and of several projects there is no sum. A share is a part of a
    whole, shown in percent. A *text* and a *moment* (which grows by the second) stay out of `fact_kpi`. *fr*
    and *en* are what it is called. A *stock* is so at a moment: of several periods there is no sum.
    One that stands *alone* is of one project: chances of several do not add up. Of several projects it is
    summed over those that have the measure *beside* it, to which it is compared.
    """

    name: str
    unit: str
    numerator: str | None = None
    denominator: str | None = None
    fr: str = ""
    en: str = ""
    stock: bool = False
    alone: bool = False
    beside: str | None = None


class Kpi(msgspec.Struct, frozen=True, kw_only=True):
    """One KPI of the catalogue.

    *scope* is what one row is about; *period* and *split* name the columns that tell rows of one scope apart.
    *last* says which period is shown unless others are asked for: the last that has *begun* at the day of the
    cut, or that has *ended* by then.
    *rollup* (scope, select list) makes a KPI of a wider scope from rows about persons or tasks. *headline*
    is the measure to show first; *coverage* and *method* name columns, *covered* the measures the coverage is
    of (all where empty); *receipt* names the rows behind it. *version* rises when the same rows would give
    another value: such values are no move.
    """

    code: str
    fr: str
    en: str
    scope: str
    definition: str
    sql: str
    measures: tuple[Measure, ...]
    headline: str
    period: str | None = None
    last: Literal["begun", "ended"] = "begun"
    split: str | None = None
    rollup: tuple[str, str] | None = None
    coverage: str | None = None
    covered: tuple[str, ...] = ()
    method: str | None = None
    receipt: tuple[str, ...] = ()
    edge_cases: str = ""
    source: str = ""
    version: int = 1
    nominative: bool = False
    """Whether no level of sums shows it, because it may single somebody out."""

    @property
    def scope_kept(self) -> str:
        """Return the scope under which `fact_kpi` holds the KPI, if it does.

        It is that of the roll-up, where there is one.
        """
        return self.rollup[0] if self.rollup else self.scope

    def coverage_of(self, measure: str) -> str | None:
        """Return the column with the coverage of *measure*, or None where it has none."""
        return self.coverage if not self.covered or measure in self.covered else None


def _kpi(code: str, text: str) -> Kpi:
    head = [line[2:].rstrip() for line in text.splitlines() if line.startswith("--")]
    fr, _, en = head[0].partition("|")
    facts: dict[str, str] = {}
    last = ""
    for line in head[1:]:
        key, found, value = line.strip().partition(": ")
        if found and not line.startswith("   ") and re.fullmatch("[a-z ]+", key):
            facts[key] = value
            last = key
        elif last:
            facts[last] += " " + line.strip()
    captions = {}
    for part in facts["captions"].split("; ") if "captions" in facts else ():
        name, _, called = part.partition(" ")
        captions[name] = tuple(one.strip() for one in called.split(" | "))
    stocks, alone = (facts[one].split(", ") if one in facts else () for one in ("stocks", "alone"))
    beside = dict(part.split(" to ") for part in facts["compared"].split(", ")) if "compared" in facts else {}
    measures = []
    for part in facts["measures"].split(", "):
        name, unit, *ratio = part.split(" ")
        numerator, denominator = (ratio[1], ratio[3]) if ratio else (None, None)
        in_french, in_english = captions.get(name, (f"{code} {name}",) * 2)
        kinds = (name in stocks, name in alone)
        measures.append(
            Measure(name, unit, numerator, denominator, in_french, in_english, *kinds, beside.get(name))
        )
    if (last := facts.get("last", "begun")) not in {"begun", "ended"}:
        raise ValueError(f"last: {last}")
    scope, _, select = facts.get("rollup", "").partition(" | ")
    coverage, _, covered = facts.get("coverage", "").partition(" of ")
    return Kpi(
        code=code, fr=fr.strip(), en=en.strip(), scope=facts["scope"], definition=facts["definition"],
        sql=text, measures=tuple(measures),
        headline=facts.get("headline", measures[0].name), period=facts.get("period"),
        last="ended" if last == "ended" else "begun", split=facts.get("split"),
        rollup=(scope, select) if select else None, coverage=coverage or None,
        covered=tuple(covered.split(", ")) if covered else (), method=facts.get("method"),
        receipt=tuple(facts["receipt"].split(", ")) if "receipt" in facts else (),
        edge_cases=facts.get("edge cases", ""),
        source=facts.get("source", ""), version=int(facts.get("version", "1")),
        nominative=facts.get("levels") == "nominative",
    )  # fmt: skip


_MORE: dict[str, Kpi] = {}


def register(code: str, text: str) -> None:
    """Add a KPI to the catalogue: *text* is its SQL with the header.

    Raises `ConfigError` for a taken code or a header that lacks something.
    """
    if not re.fullmatch("[A-Z][A-Z0-9_]*", code) or code in _shipped():
        raise ConfigError(
            tr(
                "The KPI {code!r} cannot be added: its code is capital letters, digits and _, and "
                "not one that the catalogue has.",
                code=code,
            )
        )
    try:
        found = _kpi(code, text)
    except (KeyError, IndexError, ValueError) as exc:
        raise ConfigError(
            tr(
                "The KPI {code!r} cannot be added: its header needs a title, scope, measures and "
                "definition ({error}).",
                code=code,
                error=exc,
            )
        ) from exc
    if found.scope not in SCOPES:
        raise ConfigError(
            tr(
                "The KPI {code!r} cannot be added: its scope {scope!r} is not one of {scopes}.",
                code=code,
                scope=found.scope,
                scopes=", ".join(SCOPES),
            )
        )
    _MORE[code] = found


def catalogue() -> dict[str, Kpi]:
    """Return every KPI by its code, those of plugins last."""
    return {**_shipped(), **_MORE}


@functools.cache
def _shipped() -> dict[str, Kpi]:
    folder = files("hub.feed") / "kpis"
    found = {}
    for path in sorted(folder.iterdir(), key=lambda one: one.name):
        if path.name.endswith(".sql") and path.name != "base.sql":
            code = path.name.removesuffix(".sql")
            found[code] = _kpi(code, path.read_text(encoding="utf-8"))
    return found


def prepare(
    connection: duckdb.DuckDBPyConnection,
    *,
    cut: int,
    day: date,
    at: datetime | None = None,
    keep: bool = False,
) -> None:
    """Point the KPIs at *cut* and *day*, which is inclusive.

    The day ends in UTC unless the instant *at* says otherwise. *keep* computes what several KPIs stand on
    once, for who computes them all.
    """
    moment = at or datetime(day.year, day.month, day.day, 23, 59, 59, 999999, tzinfo=UTC)
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET VARIABLE cut = ?::BIGINT", [cut])
    connection.execute("SET VARIABLE as_of = ?::DATE", [day])
    connection.execute("SET VARIABLE as_of_at = ?::TIMESTAMPTZ", [moment])
    if not keep and connection.execute("SELECT getvariable('kpi_views')").fetchall()[0][0]:
        return  # they ask the variables
    connection.execute("SET VARIABLE kpi_views = ?", [not keep])
    for statement in (files("hub.feed") / "kpis" / "base.sql").read_text(encoding="utf-8").split(";\n"):
        if keep and "VIEW kpi_work" not in statement:  # a million rows need no second copy
            statement = statement.replace("TEMP VIEW", "TABLE")
        if statement.strip():
            connection.execute(statement)


def rows(connection: duckdb.DuckDBPyConnection, code: str) -> list[dict[str, Any]]:
    """Return the rows of the KPI *code*, on a connection that was prepared."""
    found = connection.execute(catalogue()[code].sql)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

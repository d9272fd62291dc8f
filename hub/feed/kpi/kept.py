"""The KPIs of a cut as `fact_kpi` keeps them, in the form in which the catalogue computes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hub.feed.kpi.catalogue import Kpi, rows
from hub.words import tr

if TYPE_CHECKING:
    import duckdb


_KINDS = {"project": ("project",), "source": ("source",), "team": ("team", "portfolio")}
_ROWS = (
    "SELECT scope_kind, scope_key, scope_label, period, measure, value, numerator, denominator, coverage, "
    "method FROM fact_kpi "
    "WHERE cut_key = ? AND kpi = ? AND list_contains(?, scope_kind) ORDER BY scope_label, scope_key, period, "
    "measure"
)


def is_kept(kpi: Kpi) -> bool:
    """Say whether a cut keeps *kpi*: no curves, nor what people and tasks do."""
    return kpi.scope_kept in _KINDS and kpi.period != "date"


def kept_rows(connection: duckdb.DuckDBPyConnection, kpi: Kpi, cut: int) -> list[dict[str, Any]]:
    """Return the rows of *kpi* that `fact_kpi` holds of *cut*; the periods are those of the cut's own day."""
    scope = kpi.scope_kept
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for kind, key, label, period, name, value, over, under, coverage, method in connection.execute(
        _ROWS, [cut, kpi.code, list(_KINDS[scope])]
    ).fetchall():
        measure, _, split = name.partition(".") if kpi.split else (name, "", "")
        row = found.setdefault((kind, key, label, period, split), {
            **_scope(scope, kind, key, label),
            **({kpi.period: period} if kpi.period else {}),
            **({kpi.split: split} if kpi.split else {}),
            **{one.name: None for one in kpi.measures if one.unit not in {"text", "moment"}},
        })  # fmt: skip
        part = next((one for one in kpi.measures if one.name == measure), None)
        if part and part.numerator and part.denominator:
            row[part.numerator] = over if row.get(part.numerator) is None else row[part.numerator]
            row[part.denominator] = under if row.get(part.denominator) is None else row[part.denominator]
        row[measure] = value
        if kpi.coverage and (not kpi.covered or measure in kpi.covered):
            row[kpi.coverage] = coverage
        if kpi.method:
            row[kpi.method] = method
    return list(found.values())


def redefined(connection: duckdb.DuckDBPyConnection, kpi: Kpi, cut: int) -> str | None:
    """Return the sentence that *kpi* was defined otherwise when *cut* was taken; None where it was not."""
    found = connection.execute(
        "SELECT DISTINCT coalesce(method_version, 1) FROM fact_kpi WHERE cut_key = ? AND kpi = ?",
        [cut, kpi.code],
    ).fetchall()
    if not found or found[0][0] == kpi.version:
        return None
    return tr(
        "The definition of {code} changed since: version {before} then, {version} now.",
        code=kpi.code,
        before=found[0][0],
        version=kpi.version,
    )


def _scope(scope: str, kind: str, key: int, label: str) -> dict[str, Any]:
    if scope == "project":
        return {"project_key": key}
    if scope == "source":
        return {"source_key": key, "name": label}
    return {"team": label if kind == "team" else None}


def corrected_since(
    connection: duckdb.DuckDBPyConnection, kpi: Kpi, kept: list[dict[str, Any]], project_key: int
) -> dict[str, tuple[float | None, float | None]]:
    """Return the measures of a project that the rows known now would give another value.

    Each comes with what the cut keeps and what the rows give. The connection is one that `evaluate` has
    pointed at the cut.
    """
    if kpi.scope != "project" or kpi.rollup:
        return {}
    names = [name for name in (kpi.period, kpi.split) if name]
    now = {
        tuple(str(row[name]) for name in names): row
        for row in rows(connection, kpi.code)
        if row["project_key"] == project_key
    }
    found: dict[str, tuple[float | None, float | None]] = {}
    for row in kept:
        if row.get("project_key") != project_key:
            continue
        place = tuple(str(row[name]) for name in names)
        for part in kpi.measures:
            before, after = row.get(part.name), now.get(place, {}).get(part.name)
            if (before is None) != (after is None) or abs((before or 0) - float(after or 0)) > 1e-6:
                found[" ".join((part.name, *place))] = (before, after)
    return found

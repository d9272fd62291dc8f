"""The feed as a destination may see it: what is personal is blank, time is summed to its level."""

from __future__ import annotations

import hashlib
import hmac
import shutil
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hub.errors import ConfigError
from hub.feed.access import BRIDGE, bridge_sql
from hub.feed.build import describe, load_manifest, open_feed, save_manifest, told_limits, write_parquet
from hub.feed.groups import group, keep, rows_of_file, run_file, salt_of
from hub.feed.kpi import catalogue
from hub.feed.kpi.table import mark_periods
from hub.feed.model import Table, model
from hub.words import tr

if TYPE_CHECKING:
    import duckdb


K = 5
"""Of how many people a sum that shows a team or a week is made, unless `[privacy] k` says otherwise."""
_LEDGER = "groups"
_TEXTS = {
    "fr": {"hidden": "(Équipe non montrée)", "none": "(Sans équipe)", "several": "(Plusieurs sources)"},
    "en": {"hidden": "(Team not shown)", "none": "(No team)", "several": "(Several sources)"},
}


def pseudonym(person_id: str, secret: bytes) -> str:
    """Return the name under which a person appears.

    It is an HMAC-SHA256 of the id with a key that no store holds.
    """
    return "P-" + hmac.new(secret, person_id.encode(), hashlib.sha256).hexdigest()[:12].upper()


def projection_folder(root: Path, level: str, *, addresses: bool = False) -> Path:
    """Return where under *root* the projections of *level* lie; those with *addresses* lie apart."""
    return root / (f"{level}+access" if addresses and level != "nominative-line" else level)


def forget_projections(root: Path, *, keep: str | None) -> None:
    """Remove every projection under *root* but those of the feed *keep*; the ledger stays."""
    for path in levels_of(root):
        if path.name != keep:
            shutil.rmtree(path, ignore_errors=True)


def levels_of(root: Path) -> list[Path]:
    """Return the folder of every projection under *root*; each is called after its feed."""
    return [path for path in sorted(root.glob("*/[!.]*")) if path.parent.name != _LEDGER and path.is_dir()]


def project_to(
    level: str,
    snapshot: Path,
    root: Path,
    *,
    secret: bytes | None = None,
    k: int = K,
    addresses: bool = False,
    memory_mb: int | None = None,
) -> Path:
    """Return the folder of the feed in *snapshot* at privacy *level*; totals are those of the feed itself.

    ``nominative-line`` is the feed as it is; ``pseudonym-week`` needs *secret*, the key of `pseudonym`.
    At the others a sum that shows a team or a week is made of *k* people or more (`hub.feed.groups`).
    *addresses* leaves those of access.csv in, for row-level security, and what their rights reach. Built
    once per snapshot under *root*, then reused, with *memory_mb* as in `open_feed`. Raises `ConfigError` when
    the key is missing, `FeedError` when memory or disk are too small.
    """
    if level == "nominative-line":
        return snapshot
    if level == "pseudonym-week" and not secret:
        raise ConfigError(
            tr(
                'privacy = "pseudonym-week" needs a key outside the store: add [privacy] key = { env '
                '= "PM_HUB_KEY" }.'
            )
        )
    target = projection_folder(root, level, addresses=addresses) / snapshot.name
    if (target / "manifest.json").exists():
        return target
    from filelock import FileLock

    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(str(root / ".lock"), mode=0o600):  # a run and a server may want the same one at once
        if not (target / "manifest.json").exists():
            with told_limits(root):
                _build(
                    level, snapshot, root, target, secret=secret, k=k, addresses=addresses,
                    memory_mb=memory_mb,
                )  # fmt: skip
    return target


def _build(
    level: str, snapshot: Path, root: Path, target: Path, *, secret: bytes | None, k: int, addresses: bool,
    memory_mb: int | None,
) -> None:  # fmt: skip
    """Write into *target* what `project_to` says."""
    shutil.rmtree(target, ignore_errors=True)
    manifest = load_manifest(snapshot)
    view = open_feed(snapshot, memory_mb=memory_mb)
    try:
        view.execute("CREATE SCHEMA feed")
        for name in model().tables:
            view.execute(f"CREATE VIEW feed.{name} AS SELECT * FROM main.{name}")
        view.execute("CREATE SCHEMA narrowed")
        view.execute("USE narrowed")
        if level == "pseudonym-week":
            assert secret is not None
            _pseudonyms(view, secret)
        else:
            day = date.fromisoformat(manifest["moment"][:10])
            group(view, root / _LEDGER, snapshot.name, day, k)
            _sums(view, level, manifest["lang"])
            _figures(view, level, k)
        if not addresses:
            for name in ("dim_access", BRIDGE):
                view.execute(f"CREATE TABLE {name} AS SELECT * FROM feed.{name} WHERE false")
        made = {
            row[0]
            for row in view.execute(
                "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'narrowed'"
            ).fetchall()
        }
        for name in model().tables.keys() - made - {BRIDGE}:
            view.execute(f"CREATE VIEW {name} AS SELECT * FROM feed.{name}")
        if addresses:  # from what goes out, so that it says no more
            view.execute(f"CREATE TABLE {BRIDGE} AS {bridge_sql()}")
        view.execute("CREATE SCHEMA typed")
        for name, table in model().tables.items():
            view.execute(
                f"CREATE VIEW typed.{name} AS SELECT "
                f"{', '.join(_columns(name, table, salt_of(root / _LEDGER)))} FROM narrowed.{name} t"
            )
        view.execute("USE typed")
        target.mkdir(parents=True, mode=0o700)
        write_parquet(view, target)
        if level != "pseudonym-week":
            keep(view, root / _LEDGER, snapshot.name)
        # a delivery needs the manifest: whatever anybody was given is in the ledger
        save_manifest(target, {**manifest, "privacy": level, "k": k, "tables": describe(target, view)})
    finally:
        view.close()


_MADE = ("dim_person", "fact_worklog", "dim_access")


def _columns(name: str, table: Table, salt: str) -> Iterator[str]:
    """Yield the select list of *name*: what is declared personal goes blank, a key becomes a hash."""
    for column, facts in table.columns.items():
        if column.startswith("x_") and name in {"fact_worklog", "dim_person"}:
            yield f"NULL::{facts.type} AS {column}"  # sums of lines and groups of people have none
        elif name in _MADE or not facts.goes_blank:
            yield f"t.{column}::{facts.type} AS {column}"
        elif column in table.key:
            yield f"md5('{salt}' || t.{column})::{facts.type} AS {column}"
        else:
            yield f"NULL::{facts.type} AS {column}"


def _pseudonyms(view: duckdb.DuckDBPyConnection, secret: bytes) -> None:
    """Fill the tables that speak of persons with pseudonyms, week by week."""
    people = view.execute(
        "SELECT person_key, team, person_label FROM feed.dim_person ORDER BY person_key"
    ).fetchall()
    names = {key: pseudonym(f"{key}", secret) for key, _, _ in people if key != -1}
    keys = {name: -2 - place for place, name in enumerate(sorted(names.values()))}
    view.execute("CREATE TABLE crew_key (person_key BIGINT, team_key BIGINT, team VARCHAR, label VARCHAR)")
    view.executemany(
        "INSERT INTO crew_key VALUES (?, ?, ?, ?)",
        [[key, keys.get(names.get(key, ""), -1), team, names.get(key, label)] for key, team, label in people],
    )
    run_file(view, "pseudonyms")


def _sums(view: duckdb.DuckDBPyConnection, level: str, lang: str) -> None:
    """Fill the tables of time: cells with their team and week, the rest as project and month."""
    for name, text in _TEXTS[lang].items():
        view.execute(f"SET VARIABLE {name} = ?", [text])
    if level == "project":
        run_file(view, "whole")
    else:
        view.execute("CREATE TABLE part AS SELECT * FROM published")
    run_file(view, "sums")


def _figures(view: duckdb.DuckDBPyConnection, level: str, k: int) -> None:
    """Fill ``fact_kpi``: KPIs of projects, of natures as the cells show them, of teams as they may."""
    of_teams = [
        code for code, kpi in catalogue().items() if (kpi.rollup[0] if kpi.rollup else kpi.scope) == "team"
    ]
    view.execute("SET VARIABLE team_kpis = ?", [of_teams])
    shown = [code for code in of_teams if not catalogue()[code].nominative]
    view.execute("SET VARIABLE shown_team_kpis = ?", [shown])
    run_file(view, "figures")
    if level == "team-week":
        view.execute("CREATE TABLE load AS SELECT * FROM was.figure WHERE false")
        _choose(view, k)
        view.execute(
            "INSERT INTO fact_kpi SELECT f.* REPLACE (w.value AS value, w.numerator AS numerator, "
            "w.denominator AS denominator) FROM feed.fact_kpi f "
            "JOIN (SELECT * FROM was.figure UNION ALL SELECT * FROM load) w USING (scope_kind, scope_key, "
            "scope_label, kpi, measure, period) WHERE "
            "f.cut_key = 0"
        )
    mark_periods(view, cuts="feed.dim_cut")  # a period of a team that is not shown is not the last


class _TeamFigure(NamedTuple):
    kpi: str
    period: str
    scope: str
    label: str
    people: int
    whole: bool
    known: bool
    is_over: bool


def _choose(view: duckdb.DuckDBPyConnection, k: int) -> None:
    """Add to the ledger the KPIs of teams that go out from now on, all of one period at once.

    Another team beside them later could be subtracted; so can what is beside the teams in the KPI of
    everybody.
    """
    periods: dict[tuple[str, str], list[_TeamFigure]] = defaultdict(list)
    for row in rows_of_file(view, "team_figures"):
        one = _TeamFigure(*row)
        if not one.known or not one.is_over:
            periods[one.kpi, one.period].append(one)
    for found in periods.values():
        fit = [one for one in found if one.people >= k and one.whole]
        teams = sorted((one for one in fit if one.scope == "team"), key=lambda one: (-one.people, one.label))
        others = [one for one in fit if one.scope != "team"]
        for whole in others:
            while teams and 0 < whole.people - sum(one.people for one in teams) < k:
                teams.pop()
        for one in (*teams, *others):
            # a load of weeks to come changes with the plans
            view.execute(
                f"INSERT INTO {'was.figure' if one.is_over else 'load'} SELECT scope_kind, "
                "scope_key, scope_label, "
                "kpi, measure, period, value, numerator, denominator FROM feed.fact_kpi WHERE cut_key = 0 "
                "AND kpi = ? AND period = ? AND scope_kind = ? AND scope_label = ?",
                [one.kpi, one.period, one.scope, one.label],
            )

"""Which sums of people's time go out below the nominative levels: those of at least k contributors, else whole project-months.

A *block* is what is always given: the hours of one category of one project in one month (rejected ones apart), its planned work,
and the capacity of everybody in one month. Once the month is over a block is cut, once and for ever, into *cells* that show a week,
a team or a nature, and a rest; each has k contributors or more, the rest none or as many. A later correction changes the rest only,
and where there is no rest a cell goes into it: what readers can subtract is therefore never more than a change of the block.

A publication during the month has given its total already, so that contributors count per publication that brought their hours (and
per part of the month that a cut tells apart): between any two cells there is a chain of cells, each with k contributors
whom one and the same publication brought. What was published before is kept in a ledger, as team sums.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from hub.files import write_atomically

_BLOCK = "kind, project_key, month, category, rejected"
_PARTS = "team, week, source_key, is_billable, approval, sealed_month, nature"
_SUMS = "m1, m2, m3, m4"
_CELL = (
    "kind VARCHAR, project_key BIGINT, month VARCHAR, category VARCHAR, rejected BOOLEAN, level INTEGER, team VARCHAR, week DATE, source_key BIGINT, "
    "is_billable BIGINT, approval VARCHAR, sealed_month VARCHAR, nature VARCHAR, people INTEGER, m1 BIGINT, m2 DOUBLE, m3 DECIMAL(18,2), m4 DOUBLE"
)
_LEDGER = {
    "meta": "feed_id VARCHAR, night BIGINT",
    "last": "id VARCHAR, month VARCHAR, m1 BIGINT, m3 DECIMAL(18,2)",
    "change": "id VARCHAR, month VARCHAR, night BIGINT, ahead BOOLEAN",
    "block": "kind VARCHAR, project_key BIGINT, month VARCHAR, category VARCHAR, rejected BOOLEAN, people INTEGER, m1 BIGINT, m3 DECIMAL(18,2)",
    "cell": _CELL,
    "figure": "scope_kind VARCHAR, scope_key BIGINT, scope_label VARCHAR, kpi VARCHAR, measure VARCHAR, period VARCHAR, value DOUBLE, numerator DOUBLE, "
    "denominator DOUBLE",
}
# the hours of a person and day, what is planned of a person and week, and what a person has: the finest that is ever summed
_ATOMS = """
CREATE TABLE atom AS
WITH logged AS (
    SELECT date_trunc('week', work_date)::DATE AS week_start, person_key, sum(days) AS days FROM feed.fact_worklog
    WHERE category <> 'absence' AND approval <> 'rejected' GROUP BY ALL
), planned AS (SELECT week_start, person_key, sum(planned_s) AS seconds FROM feed.fact_allocation_week GROUP BY ALL
), found AS (
    SELECT 'worklog' AS kind, w.project_key, strftime(w.work_date, '%Y-%m') AS month, w.category, w.approval IS NOT DISTINCT FROM 'rejected' AS rejected,
        p.team, greatest(date_trunc('week', w.work_date), date_trunc('month', w.work_date))::DATE AS week, w.source_key, w.is_billable, w.approval,
        w.sealed_month, CASE WHEN w.task_key = -1 OR k.task_key IS NULL THEN 'unassigned' ELSE coalesce(k.nature, 'unknown') END AS nature,
        w.person_key, w.work_date AS day, sum(w.seconds)::BIGINT AS m1, sum(w.days) AS m2, sum(w.amount)::DECIMAL(18,2) AS m3,
        -- in hours of the person's own calendar, as the capacity is
        sum(CASE WHEN w.category <> 'absence' AND w.approval <> 'rejected' THEN w.days * c.logged_s / nullif(l.days, 0) END) AS m4
    FROM feed.fact_worklog w LEFT JOIN feed.dim_person p USING (person_key) LEFT JOIN feed.dim_task k USING (task_key)
        LEFT JOIN logged l ON l.person_key = w.person_key AND l.week_start = date_trunc('week', w.work_date)
        LEFT JOIN feed.fact_capacity_week c ON c.person_key = w.person_key AND c.week_start = l.week_start
    GROUP BY ALL
    UNION ALL BY NAME
    SELECT 'plan' AS kind, f.project_key, strftime(f.week_start, '%Y-%m') AS month, '' AS category, false AS rejected, p.team, f.week_start AS week,
        -1 AS source_key, '' AS approval, '' AS nature, f.person_key, f.week_start AS day, f.planned_s AS m1,
        f.planned_s * c.allocated_s / nullif(q.seconds, 0) AS m4
    FROM feed.fact_allocation_week f LEFT JOIN feed.dim_person p USING (person_key) LEFT JOIN planned q USING (week_start, person_key)
        LEFT JOIN feed.fact_capacity_week c USING (week_start, person_key)
    WHERE f.planned_s <> 0
    UNION ALL BY NAME
    SELECT 'capacity' AS kind, -1 AS project_key, strftime(c.week_start, '%Y-%m') AS month, '' AS category, false AS rejected, p.team,
        c.week_start AS week, -1 AS source_key, '' AS approval, '' AS nature, c.person_key, c.week_start AS day,
        c.capacity_s - c.absence_s AS m1, c.absence_s AS m2
    FROM feed.fact_capacity_week c LEFT JOIN feed.dim_person p USING (person_key) WHERE c.capacity_s <> 0 OR c.absence_s <> 0
)
SELECT *, md5(concat_ws('|', kind, project_key, month, category, rejected, coalesce(team, '-'), week, source_key, coalesce(is_billable, -1),
    approval, coalesce(sealed_month, '-'), nature, person_key, day)) AS id FROM found"""


class Row(msgspec.Struct, frozen=True):
    """What one person has in the finest cell of a block: its *parts*, sums, and the *classes* (publications) that brought it."""

    parts: tuple[Any, ...]
    person: int
    sums: tuple[Any, ...]
    classes: tuple[int, ...]


class Cell(msgspec.Struct, frozen=True):
    """A sum that goes out: its *level* (0 week and team, 1 team, 2 nature), what it shows, and its contributors."""

    level: int
    parts: tuple[Any, ...]
    people: int
    sums: tuple[Any, ...]


def _shown(level: int, parts: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return *parts* as a cell of *level* shows them."""
    team, week, source, billable, approval, sealed, nature = parts
    return (
        team if level < 2 else None, week if level == 0 else None, source, billable, approval, sealed, nature if level == 2 else None,
    )  # fmt: skip


def contributors(rows: Sequence[Row]) -> dict[int, int]:
    """Return, per class, how many persons contribute to the sum of *rows*: of the hours, and of the money where there is any."""
    total: dict[int, list[Any]] = defaultdict(lambda: [0, 0])
    brought: dict[int, set[int]] = defaultdict(set)
    for row in rows:
        mine = total[row.person]
        mine[0] += row.sums[0] or 0
        mine[1] += row.sums[2] or 0
        for one in row.classes:
            brought[one].add(row.person)
    priced = any(money for _, money in total.values())
    return {
        one: min(
            sum(1 for p in people if total[p][0] or (priced and total[p][1])),
            sum(1 for p in people if total[p][1]) if priced else len(people),
        )
        for one, people in brought.items()
    }


def settle(rows: Sequence[Row], k: int, *, net: bool = False) -> tuple[list[Cell], int]:
    """Cut a block into cells of at least *k* contributors; gives them and the contributors of the rest, which are none or as many.

    *net* says that the first sum is what the second was taken off from (absence), which stands apart where nobody or *k* people have any.
    """
    kept: dict[tuple[int, tuple[Any, ...]], list[Row]] = {}
    pool = list(rows)
    for level in (0, 1, 2):
        if level == 2 and kept:
            break  # two ways to cut one block could be subtracted from one another
        groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
        for row in pool:
            groups[_shown(level, row.parts)].append(row)
        pool = []
        for parts, mine in groups.items():
            if max(contributors(mine).values(), default=0) >= k:
                kept[level, parts] = mine
            else:
                pool += mine
    sizes = {key: contributors(mine) for key, mine in kept.items()}
    while kept:
        rest = contributors(pool)
        real = any(rest.values())
        linked = _linked({**sizes, None: rest} if real else sizes, k)
        if len(linked) == 1 and (not real or max(rest.values()) >= k):
            break
        home = next((one for one in linked if None in one), max(linked, key=len))
        alone = [key for one in linked if one is not home for key in one if key is not None]
        # the one that fewest people make; a week before a team
        worst = min(alone or kept, key=lambda key: (max(sizes[key].values()), key[0], str(key[1])))
        pool += kept.pop(worst)
        del sizes[worst]
    cells = [
        Cell(level, parts, max(sizes[level, parts].values()), _total(mine, k) if net else _total(mine))
        for (level, parts), mine in sorted(kept.items(), key=str)
    ]
    return cells, max(contributors(pool).values(), default=0)


def _linked(sizes: dict[Any, dict[int, int]], k: int) -> list[set[Any]]:
    """Return the groups of cells between which a chain of cells leads, neighbours having *k* contributors of one class each."""
    by_class: dict[int, list[Any]] = defaultdict(list)
    for key, found in sizes.items():
        for one, size in found.items():
            if size >= k:
                by_class[one].append(key)
    groups: list[set[Any]] = []
    for keys in [*by_class.values(), *([key] for key in sizes)]:
        mine = set(keys)
        for other in [group for group in groups if group & mine]:
            groups.remove(other)
            mine |= other
        groups.append(mine)
    return groups


def _total(rows: Sequence[Row], k: int = 0) -> tuple[Any, ...]:
    """Return the sums of *rows*; the second is None where it is that of fewer than *k* people, but of somebody."""
    found: list[Any] = [None, None, None, None]
    for row in rows:
        for place, value in enumerate(row.sums):
            if value is not None:
                found[place] = value if found[place] is None else found[place] + value
    if 0 < len({row.person for row in rows if row.sums[1]}) < k:
        found[1] = None
    return tuple(found)


def group(view: duckdb.DuckDBPyConnection, ledger: Path, feed_id: str, day: date, k: int) -> None:
    """Make the tables ``atom`` and ``published`` of the feed in the schema ``feed`` of *view*.

    *ledger* is the folder that remembers what was published; *day* is that of the feed. One feed is decided once.
    """
    view.execute(_ATOMS)
    ledger.mkdir(parents=True, exist_ok=True, mode=0o700)
    before = _current(ledger)
    view.execute("CREATE SCHEMA was")
    if before:
        view.execute(f"ATTACH '{_quoted(before)}' AS ledger (READ_ONLY)")
    for name, columns in _LEDGER.items():
        view.execute(f"CREATE TABLE was.{name} ({columns})")
        if before:
            view.execute(f"INSERT INTO was.{name} SELECT * FROM ledger.{name}")
    if before:
        view.execute("DETACH ledger")
    found = view.execute("SELECT feed_id, night FROM was.meta").fetchone()
    last, night = found if found else ("", 0)
    if last != feed_id:
        _decide(view, night + 1, day, k)
        view.execute("DELETE FROM was.meta")
        view.execute("INSERT INTO was.meta VALUES (?, ?)", [feed_id, night + 1])
    _publish(view)


def salt_of(ledger: Path) -> str:
    """Return what ids are hashed with, so that nobody can try names: made once, kept in *ledger*."""
    place = ledger / "salt"
    if not place.exists():
        ledger.mkdir(parents=True, exist_ok=True, mode=0o700)
        with write_atomically(place, mode=0o600) as file:
            file.write(secrets.token_hex(16).encode())
    return place.read_text(encoding="ascii")


def keep(view: duckdb.DuckDBPyConnection, ledger: Path, feed_id: str) -> None:
    """Write what *view* decided as the ledger, in one step, before anybody is given the feed."""
    path = ledger / f"{feed_id}.duckdb"
    path.unlink(missing_ok=True)
    view.execute(f"ATTACH '{_quoted(path)}' AS ledger")
    for name in _LEDGER:
        view.execute(f"CREATE TABLE ledger.{name} AS SELECT * FROM was.{name}")
    view.execute("DETACH ledger")
    path.chmod(0o600)
    with write_atomically(ledger / "CURRENT") as file:
        file.write(path.name.encode())
    for old in ledger.glob("*.duckdb"):
        if old != path:
            old.unlink(missing_ok=True)


def _current(ledger: Path) -> Path | None:
    try:
        path = ledger / (ledger / "CURRENT").read_text(encoding="utf-8").strip()
    except OSError:
        return None
    return path if path.is_file() else None


def _quoted(path: Path) -> str:
    return path.as_posix().replace("'", "''")


def _decide(view: duckdb.DuckDBPyConnection, night: int, day: date, k: int) -> None:
    """Bring the ledger up to this feed: note what it changes in months that go on, cut those that are over, mend those cut before."""
    run = view.execute
    open_from = f"{day:%Y-%m}"
    run(
        "INSERT INTO was.change SELECT a.id, a.month, ?, a.day > ? FROM atom a ANTI JOIN was.block b USING (kind, project_key, month, category, rejected) "
        "LEFT JOIN was.last l ON l.id = a.id WHERE l.id IS NULL OR l.m1 IS DISTINCT FROM a.m1 OR l.m3 IS DISTINCT FROM a.m3",
        [night, day],
    )
    run("DELETE FROM was.last")
    run("INSERT INTO was.last SELECT id, month, m1, m3 FROM atom WHERE month >= ?", [open_from])
    _mend(view, k)
    rows = run(
        f"""WITH cuts AS (SELECT list(DISTINCT as_of) AS days FROM feed.dim_cut WHERE cut_key <> 0), fresh AS (
            SELECT * FROM atom ANTI JOIN was.block b USING ({_BLOCK}) WHERE month < ?
        ), many AS (SELECT {_BLOCK} FROM fresh GROUP BY ALL HAVING count(DISTINCT person_key) >= ?
        ), brought AS (
            SELECT a.*, (2 * c.night + c.ahead::INTEGER) * 1000
                + coalesce(len(list_filter(cuts.days, lambda d: d < a.day)), 0) * (a.kind = 'worklog')::INTEGER AS class
            FROM fresh a SEMI JOIN many USING ({_BLOCK}) JOIN was.change c ON c.id = a.id, cuts
        ), summed AS (
            SELECT {_BLOCK}, {_PARTS}, person_key, sum(m1)::BIGINT, sum(m2), sum(m3), sum(m4)
            FROM fresh SEMI JOIN many USING ({_BLOCK}) GROUP BY ALL
        ), classes AS (SELECT {_BLOCK}, {_PARTS}, person_key, list_sort(list(DISTINCT class)) AS classes FROM brought GROUP BY ALL)
        SELECT s.*, c.classes FROM summed s JOIN classes c ON {_same("s", "c")} ORDER BY ALL""",
        [open_from, k],
    ).fetchall()
    blocks: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        blocks[row[:5]].append(Row(row[5:12], row[12], row[13:17], tuple(row[17])))
    cells, rests = [], []
    for block, mine in blocks.items():
        found, people = settle(mine, k, net=block[0] == "capacity")
        cells += [(*block, one.level, *one.parts, one.people, *one.sums) for one in found]
        rests.append((*block, people))
    _insert(view, "was.cell", _LEDGER["cell"], cells)
    run(
        "CREATE TABLE rest_people (kind VARCHAR, project_key BIGINT, month VARCHAR, category VARCHAR, rejected BOOLEAN, people INTEGER)"
    )
    _insert(
        view,
        "rest_people",
        "kind VARCHAR, project_key BIGINT, month VARCHAR, category VARCHAR, rejected BOOLEAN, people INTEGER",
        rests,
    )
    run(
        f"""INSERT INTO was.block WITH given AS (SELECT {_BLOCK}, sum(m1)::BIGINT AS m1, sum(m3) AS m3 FROM was.cell GROUP BY ALL)
        SELECT {_BLOCK}, coalesce(any_value(p.people), 0), sum(a.m1)::BIGINT - coalesce(any_value(g.m1), 0), sum(a.m3) - coalesce(any_value(g.m3), 0)
        FROM atom a ANTI JOIN was.block b USING ({_BLOCK}) LEFT JOIN given g USING ({_BLOCK}) LEFT JOIN rest_people p USING ({_BLOCK})
        WHERE month < ? GROUP BY {_BLOCK}""",
        [open_from],
    )
    run("DELETE FROM was.change WHERE month < ?", [open_from])


def _mend(view: duckdb.DuckDBPyConnection, k: int) -> None:
    """Take cells of earlier publications back into the rest where a correction, or a higher *k*, would leave a rest that tells too much."""
    run = view.execute
    rows = run(
        f"""WITH now AS (SELECT {_BLOCK}, sum(m1)::BIGINT AS m1, sum(m3) AS m3 FROM atom GROUP BY ALL),
        given AS (SELECT {_BLOCK}, sum(m1)::BIGINT AS m1, sum(m3) AS m3, min(people) AS fewest FROM was.cell GROUP BY ALL)
        SELECT {_BLOCK}, b.people, n.kind IS NOT NULL AS here, coalesce(n.m1, 0) - g.m1 AS rest, coalesce(n.m3, 0) - coalesce(g.m3, 0) AS money,
            (coalesce(n.m1, 0) - g.m1 IS DISTINCT FROM coalesce(b.m1, 0) OR coalesce(n.m3, 0) - coalesce(g.m3, 0) <> coalesce(b.m3, 0)) AS moved
        FROM was.block b JOIN given g USING ({_BLOCK}) LEFT JOIN now n USING ({_BLOCK})
        WHERE n.kind IS NULL OR moved OR g.fewest < ? OR (b.people BETWEEN 1 AND ? - 1)""",
        [k, k],
    ).fetchall()
    for *block, people, here, rest, money, moved in rows:
        where = "kind = ? AND project_key = ? AND month = ? AND category = ? AND rejected = ?"
        cells = run(
            f"SELECT rowid, people, m1, coalesce(m3, 0) FROM was.cell WHERE {where} ORDER BY people, m1, rowid",
            block,
        ).fetchall()
        gone = []
        while cells and (
            not here or cells[0][1] < k or rest < 0 or money < 0 or (moved and people < k) or 0 < people < k
        ):
            row = cells.pop(0)
            gone.append(row[0])
            people, rest, money = max(people, row[1]), rest + row[2], money + row[3]
        run(f"DELETE FROM was.cell WHERE rowid IN ({', '.join(map(str, gone)) or 'NULL'})")
        run(f"UPDATE was.block SET people = ?, m1 = ?, m3 = ? WHERE {where}", [people, rest, money, *block])


def _publish(view: duckdb.DuckDBPyConnection) -> None:
    """Make ``published``: the cells of the ledger, and for every block of this feed what remains beside them (level 3)."""
    view.execute(
        f"""CREATE TABLE published AS WITH whole AS (
            SELECT {_BLOCK}, sum(m1)::BIGINT AS m1, sum(m2) AS m2, sum(m3) AS m3, sum(m4) AS m4, count(DISTINCT source_key) AS sources,
                any_value(source_key) AS source_key FROM atom GROUP BY {_BLOCK}
        ), given AS (SELECT {_BLOCK}, sum(m1)::BIGINT AS m1, sum(m2) AS m2, sum(m3) AS m3, sum(m4) AS m4 FROM was.cell GROUP BY {_BLOCK})
        SELECT {_BLOCK}, level, {_PARTS}, people, {_SUMS} FROM was.cell SEMI JOIN whole USING ({_BLOCK})
        UNION ALL
        SELECT {_BLOCK}, 3, NULL, NULL, CASE WHEN w.sources = 1 THEN w.source_key ELSE -1 END, NULL,
            CASE WHEN w.rejected THEN 'rejected' ELSE 'unknown' END, NULL, NULL, NULL, w.m1 - coalesce(g.m1, 0),
            CASE WHEN kind <> 'capacity' THEN w.m2 - coalesce(g.m2, 0) END, w.m3 - coalesce(g.m3, 0), w.m4 - coalesce(g.m4, 0)
        FROM whole w LEFT JOIN given g USING ({_BLOCK})
        WHERE g.kind IS NULL OR w.m1 <> g.m1 OR (kind <> 'capacity' AND abs(coalesce(w.m2, 0) - coalesce(g.m2, 0)) > 1e-6) OR coalesce(w.m3, 0) <> coalesce(g.m3, 0)"""
    )


def _same(left: str, right: str) -> str:
    names = [*_BLOCK.split(", "), *_PARTS.split(", "), "person_key"]
    return " AND ".join(f"{left}.{name} IS NOT DISTINCT FROM {right}.{name}" for name in names)


def _insert(view: duckdb.DuckDBPyConnection, table: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
    """Insert many *rows* by one statement: DuckDB is slow row by row."""
    if not rows:
        return
    types = [part.strip().split(" ", 1)[1] for part in columns.replace("(18,2)", "(18.2)").split(",")]
    listed = ", ".join(f"unnest(?::{one.replace('(18.2)', '(18,2)')}[])" for one in types)
    view.execute(f"INSERT INTO {table} SELECT {listed}", [list(column) for column in zip(*rows, strict=True)])

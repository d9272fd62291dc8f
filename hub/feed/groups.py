"""Which sums of people's time go out: those of k contributors or more, else whole project-months.

A *block* is what is always given: the hours of one category of one project in one month (rejected ones
apart), its planned work, and the capacity of everybody in one month. Once the month is over a block is cut,
once and for ever, into *cells* that show a week, a team or a nature, and a rest; each cell has k contributors
or more, the rest none or as many. A later correction changes the rest only, and where there is no rest a cell
goes into it: what readers can subtract is never more than a change of the block. Plans and capacity of months
that go on are cut anew each time: a plan that changes is seen to change.

A publication during the month has given the total of its hours already. So contributors count per publication
that brought their hours (and per part of the month that a cut tells apart): between any two cells leads a
chain of cells, neighbours having k contributors each whom one and the same publication brought. What was
published is kept in a ledger of sums.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hub.files import write_atomically

if TYPE_CHECKING:
    import duckdb


_BLOCK = {
    "kind": "VARCHAR", "project_key": "BIGINT", "month": "VARCHAR", "category": "VARCHAR",
    "rejected": "BOOLEAN",
}  # fmt: skip
_PARTS = {
    "team": "VARCHAR", "week": "DATE", "source_key": "BIGINT", "is_billable": "BIGINT", "approval": "VARCHAR",
    "sealed_month": "VARCHAR", "nature": "VARCHAR",
}  # fmt: skip
_SUMS = {"m1": "BIGINT", "m2": "DOUBLE", "m3": "DECIMAL(18,2)", "m4": "DOUBLE"}
_CELL = {**_BLOCK, "level": "INTEGER", **_PARTS, "people": "INTEGER", **_SUMS}
_REST = {**_BLOCK, "people": "INTEGER"}
_LEDGER = {
    "meta": {"feed_id": "VARCHAR", "night": "BIGINT"},
    "last": {"id": "VARCHAR", "month": "VARCHAR", "m1": "BIGINT", "m3": "DECIMAL(18,2)"},
    "change": {"id": "VARCHAR", "month": "VARCHAR", "night": "BIGINT", "ahead": "BOOLEAN"},
    "block": {**_REST, "m1": "BIGINT", "m3": "DECIMAL(18,2)"},
    "cell": _CELL,
    "figure": {
        "scope_kind": "VARCHAR", "scope_key": "BIGINT", "scope_label": "VARCHAR", "kpi": "VARCHAR",
        "measure": "VARCHAR",
        "period": "VARCHAR", "value": "DOUBLE", "numerator": "DOUBLE", "denominator": "DOUBLE",
    },
}  # fmt: skip
_THIS_BLOCK = " AND ".join(f"{name} = ?" for name in _BLOCK)


class Row(msgspec.Struct, frozen=True):
    """What one person has in the finest cell of a block, and the *classes* that brought it."""

    parts: tuple[Any, ...]
    person: int
    sums: tuple[Any, ...]
    classes: tuple[int, ...]


class Cell(msgspec.Struct, frozen=True):
    """A sum that goes out: *level* 0 shows week and team, 1 team, 2 nature."""

    level: int
    parts: tuple[Any, ...]
    people: int
    sums: tuple[Any, ...]


# ---------- cutting one block ----------


def contributors(rows: Sequence[Row]) -> dict[int, int]:
    """Return, per class, how many persons make the hours of *rows*, and the money where there is any."""
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
    """Cut a block into cells of *k* contributors; gives them and those of the rest: none, or as many.

    *net* says that the second sum was taken off the first (absence): it stands apart where nobody or *k*
    people have any.
    """
    kept, pool = _candidates(rows, k)
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
        Cell(level, parts, max(sizes[level, parts].values()), _total(mine, k if net else 0))
        for (level, parts), mine in sorted(kept.items(), key=str)
    ]
    return cells, max(contributors(pool).values(), default=0)


def _candidates(
    rows: Sequence[Row], k: int
) -> tuple[dict[tuple[int, tuple[Any, ...]], list[Row]], list[Row]]:
    """Return the cells that *k* people make, the finest first, and the rows that are in none."""
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
    return kept, pool


def _shown(level: int, parts: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return *parts* as a cell of *level* shows them."""
    team, week, *plain, nature = parts
    return (team if level < 2 else None, week if level == 0 else None, *plain, nature if level == 2 else None)


def _linked(sizes: dict[Any, dict[int, int]], k: int) -> list[set[Any]]:
    """Return the groups of cells in which a chain leads, neighbours having *k* contributors of one class."""
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


def _total(rows: Sequence[Row], k: int) -> tuple[Any, ...]:
    """Return the sums of *rows*; the second is None where it is of somebody, but of fewer than *k* people."""
    found: list[Any] = [None, None, None, None]
    for row in rows:
        for place, value in enumerate(row.sums):
            if value is not None:
                found[place] = value if found[place] is None else found[place] + value
    if 0 < len({row.person for row in rows if row.sums[1]}) < k:
        found[1] = None
    return tuple(found)


# ---------- the ledger ----------


def group(view: duckdb.DuckDBPyConnection, ledger: Path, feed_id: str, day: date, k: int) -> None:
    """Make the tables ``atom`` and ``published`` of the feed in the schema ``feed`` of *view*.

    *ledger* is the folder that remembers what was published; *day* is that of the feed. One feed is
    decided once.
    """
    view.execute("SET VARIABLE k = ?", [k])
    view.execute("SET VARIABLE day = ?", [day])
    view.execute("SET VARIABLE drafting = false")
    view.execute("SET VARIABLE open_month = ?", [f"{day:%Y-%m}"])
    run_file(view, "atom")
    _recall(view, ledger)
    found = view.execute("SELECT feed_id, night FROM was.meta").fetchone()
    last, night = found if found else ("", 0)
    if last != feed_id:
        view.execute("SET VARIABLE night = ?", [night + 1])
        _decide(view, k)
        view.execute("DELETE FROM was.meta")
        view.execute("INSERT INTO was.meta VALUES (?, ?)", [feed_id, night + 1])
    view.execute("SET VARIABLE drafting = true")
    view.execute(f"CREATE TABLE draft ({_listed(_CELL)})")
    _insert(view, "draft", _CELL, _cut(view, k)[0])
    run_file(view, "published")


def run_file(view: duckdb.DuckDBPyConnection, name: str) -> None:
    """Run the statements of a file of SQL of this room."""
    for statement in _sql(name).split(";\n"):
        view.execute(statement)


def rows_of_file(view: duckdb.DuckDBPyConnection, name: str) -> list[tuple[Any, ...]]:
    """Return the rows of the one query of a file of SQL of this room."""
    return view.execute(_sql(name)).fetchall()


def _sql(name: str) -> str:
    return (files("hub.feed") / "projected" / f"{name}.sql").read_text(encoding="utf-8")


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


def _recall(view: duckdb.DuckDBPyConnection, ledger: Path) -> None:
    """Make the tables of the ledger in the schema ``was``, as they were left."""
    ledger.mkdir(parents=True, exist_ok=True, mode=0o700)
    before = _current(ledger)
    view.execute("CREATE SCHEMA was")
    if before:
        view.execute(f"ATTACH '{_quoted(before)}' AS ledger (READ_ONLY)")
    for name, columns in _LEDGER.items():
        view.execute(f"CREATE TABLE was.{name} ({_listed(columns)})")
        if before:
            view.execute(f"INSERT INTO was.{name} SELECT * FROM ledger.{name}")
    if before:
        view.execute("DETACH ledger")


def _current(ledger: Path) -> Path | None:
    try:
        path = ledger / (ledger / "CURRENT").read_text(encoding="utf-8").strip()
    except OSError:
        return None
    return path if path.is_file() else None


def _quoted(path: Path) -> str:
    return path.as_posix().replace("'", "''")


def _listed(columns: dict[str, str]) -> str:
    return ", ".join(f"{name} {type_}" for name, type_ in columns.items())


def _decide(view: duckdb.DuckDBPyConnection, k: int) -> None:
    """Note what this feed changes in open months, mend the blocks that were cut, cut those that are over."""
    run_file(view, "change")
    _mend(view, k)
    cells, rests = _cut(view, k)
    _insert(view, "was.cell", _CELL, cells)
    view.execute(f"CREATE TABLE rest_people ({_listed(_REST)})")
    _insert(view, "rest_people", _REST, rests)
    run_file(view, "block")


def _cut(view: duckdb.DuckDBPyConnection, k: int) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Cut every block that is to be cut; gives the cells, and of how many people the rests are."""
    cells, rests = [], []
    for block, rows in _fresh(view):
        found, people = settle(rows, k, net=block[0] == "capacity")
        cells += [(*block, one.level, *one.parts, one.people, *one.sums) for one in found]
        rests.append((*block, people))
    return cells, rests


def _fresh(view: duckdb.DuckDBPyConnection) -> Iterator[tuple[tuple[Any, ...], list[Row]]]:
    """Yield every block that is to be cut, with its rows."""
    blocks: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    first, second = len(_BLOCK), len(_BLOCK) + len(_PARTS)
    for row in rows_of_file(view, "fresh"):
        blocks[row[:first]].append(
            Row(row[first:second], row[second], row[second + 1 : second + 1 + len(_SUMS)], tuple(row[-1]))
        )
    yield from blocks.items()


def _mend(view: duckdb.DuckDBPyConnection, k: int) -> None:
    """Take cells into the rest where a correction, or a higher *k*, would leave one that tells too much."""
    for *block, people, here, rest, money, moved in rows_of_file(view, "moved"):
        cells = view.execute(
            f"SELECT rowid, people, m1, coalesce(m3, 0) FROM was.cell WHERE {_THIS_BLOCK} ORDER BY "
            "people, m1, rowid",
            block,
        ).fetchall()
        gone = []
        while cells and (
            not here or cells[0][1] < k or rest < 0 or money < 0 or (moved and people < k) or 0 < people < k
        ):
            row, most, seconds, amount = cells.pop(0)
            gone.append(row)
            people, rest, money = max(people, most), rest + seconds, money + amount
        view.execute(f"DELETE FROM was.cell WHERE rowid IN ({', '.join(map(str, gone)) or 'NULL'})")
        view.execute(
            f"UPDATE was.block SET people = ?, m1 = ?, m3 = ? WHERE {_THIS_BLOCK}",
            [people, rest, money, *block],
        )


def _insert(
    view: duckdb.DuckDBPyConnection, table: str, columns: dict[str, str], rows: list[tuple[Any, ...]]
) -> None:
    """Insert many *rows* by one statement: DuckDB is slow row by row."""
    if rows:
        listed = ", ".join(f"unnest(?::{type_}[])" for type_ in columns.values())
        view.execute(f"INSERT INTO {table} SELECT {listed}", [list(one) for one in zip(*rows, strict=True)])

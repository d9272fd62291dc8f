"""The rows of a cut: written once when it closes, computed again while it is open, placed into every feed."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from hub.feed.model import model, plain_model

if TYPE_CHECKING:
    import duckdb


CUT_TABLES = (
    "fact_task_snapshot", "fact_budget", "fact_register", "fact_checklist", "fact_assessment", "fact_quality",
    "fact_kpi", "fact_move",
)  # fmt: skip
_TARGETS = {
    "fact_project_snapshot": "cut_project_snapshot", "fact_evm_month": "cut_evm_month",
    "dim_project": "cut_project", "dim_task": "cut_task", "dim_iteration": "cut_iteration",
}  # fmt: skip


AD_HOC = 999_999
"""The key of a moment that somebody tells moves from, and nobody took a cut of."""


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """A cut besides cut 0: what the store knew at the stamp *as_of*.

    *folder* holds the rows of a closed one; those of an open one are computed.
    """

    key: int
    as_of: str
    kind: str
    label: str
    folder: Path | None = None


def cut_folder(root: Path, cut_id: int) -> Path:
    """Return the folder of a closed cut: ``cuts/<id>`` beside the feed's folder *root*."""
    return root.parent / "cuts" / str(cut_id)


def rewritten(folder: Path) -> Path:
    """Return where a closed cut that is written again lies until it takes the place of *folder*."""
    return folder.with_name(f".redacted-{folder.name}")


def write_cut(connection: duckdb.DuckDBPyConnection, folder: Path, cut: Cut, *, names: bool = False) -> None:
    """Write the rows of *cut* from a filled feed into *folder*, one Parquet file a table, ordered by key.

    *names* adds the tasks and sprints it speaks of, for a feed of an earlier moment that does not know them
    all.
    """
    day = cut.as_of[:10].replace("-", "")
    for name in (*CUT_TABLES, "fact_evm_month"):
        _copy(
            connection,
            f"{_nobody(name)} FROM {name} WHERE cut_key = {cut.key}",
            name,
            folder,
        )
    _copy(
        connection,
        f"{_nobody('fact_project_snapshot')} FROM fact_project_snapshot WHERE date_key = {day}",
        "fact_project_snapshot",
        folder,
    )
    _copy(
        connection,
        f"{_nobody('dim_project')} FROM dim_project WHERE project_key <> -1",
        "dim_project",
        folder,
    )
    if names:
        _copy(connection, f"{_nobody('dim_task')} FROM dim_task WHERE task_key <> -1", "dim_task", folder)
        _copy(
            connection,
            f"{_nobody('dim_iteration')} FROM dim_iteration WHERE iteration_key <> -1",
            "dim_iteration",
            folder,
        )


def _nobody(table: str, columns: Iterable[str] | None = None) -> str:
    """Return the SELECT of *table* with nobody in it: what is personal is blank, but for keys of rows."""
    shape = model().tables[table]
    listed = []
    for name in columns or shape.columns:
        facts = shape.columns.get(name)
        if name == "person_key":
            listed.append("-1::BIGINT AS person_key")
        elif facts and facts.goes_blank and name not in shape.key:
            listed.append(f"NULL::{facts.type} AS {name}")
        else:
            listed.append(name)
    return f"SELECT {', '.join(listed)}"


def redact_cut(folder: Path, target: Path, rewrite: Callable[[str, bool], str]) -> None:
    """Write the closed cut in *folder* again into *target*, with nobody in it.

    *rewrite* gives what a text becomes; it is told whether that is an id.
    """
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True, mode=0o700)
    import duckdb

    connection = duckdb.connect()
    try:
        connection.execute("SET TimeZone = 'UTC'")
        for path in sorted(folder.glob("*.parquet")):
            place = path.as_posix().replace("'", "''")
            connection.execute(f"CREATE OR REPLACE TABLE was AS SELECT * FROM read_parquet('{place}')")
            kinds = {row[0]: row[1] for row in connection.execute("DESCRIBE was").fetchall()}
            shape = model().tables[path.stem]
            connection.execute(f"CREATE OR REPLACE TABLE now AS {_nobody(path.stem, kinds)} FROM was")
            for name in (name for name, kind in kinds.items() if kind == "VARCHAR"):
                facts = shape.columns.get(name)
                is_id = facts is not None and facts.personal == "login"
                texts = [
                    row[0]
                    for row in connection.execute(
                        f"SELECT DISTINCT {name} FROM now WHERE {name} IS NOT NULL"
                    ).fetchall()
                ]
                for text in texts:
                    if (new := rewrite(text, is_id)) != text:
                        connection.execute(f"UPDATE now SET {name} = ? WHERE {name} = ?", [new, text])
            _copy(
                connection,
                "SELECT * FROM now",
                path.stem,
                target,
                order=[key for key in shape.key if key in kinds],
            )
    finally:
        connection.close()


def _copy(
    connection: duckdb.DuckDBPyConnection, query: str, name: str, folder: Path, *, order: Sequence[str] = ()
) -> None:
    place = (folder / f"{name}.parquet").as_posix().replace("'", "''")
    by = ", ".join(order or model().tables[name].key)
    connection.execute(f"COPY ({query} ORDER BY {by}) TO '{place}' (FORMAT parquet, COMPRESSION zstd)")
    (folder / f"{name}.parquet").chmod(0o600)


def digest(folder: Path) -> str:
    """Return one sha256 over the files of a cut, by name."""
    total = hashlib.sha256()
    for path in sorted(folder.glob("*.parquet")):
        total.update(path.name.encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def place_cuts(connection: duckdb.DuckDBPyConnection, cuts: Sequence[tuple[Cut, Path]]) -> None:
    """Make ``other_cut`` and, per table, ``cut_<table>`` with the rows of all *cuts*.

    It does not matter which hub wrote them.
    """
    connection.execute("CREATE TABLE other_cut (cut_key BIGINT, as_of VARCHAR, kind VARCHAR, label VARCHAR)")
    for cut, _ in cuts:
        connection.execute(
            "INSERT INTO other_cut VALUES (?, ?, ?, ?)", [cut.key, cut.as_of[:10], cut.kind, cut.label]
        )
    for name in (*CUT_TABLES, *_TARGETS):
        shape = plain_model().tables[name]  # a field of the site is told of what is there now
        target = _TARGETS.get(name, f"cut_{name}")
        columns = ", ".join(f"{column} {facts.type}" for column, facts in shape.columns.items())
        connection.execute(f"CREATE TABLE {target} ({columns})")
        key = shape.key[0]
        # a name is said by the newest cut that knows it
        new = f" WHERE {key} NOT IN (SELECT {key} FROM {target})" if name.startswith("dim_") else ""
        for _, folder in reversed(cuts):
            file = folder / f"{name}.parquet"
            if not file.exists():  # a table the hub did not have yet
                continue
            quoted = file.as_posix().replace("'", "''")
            place = f"read_parquet('{quoted}')"
            there = {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {place}").fetchall()}
            connection.execute(
                f"INSERT INTO {target} SELECT * FROM (SELECT {shape.read_as(there)} FROM {place}){new}"
            )


def latest_cut(cuts: Sequence[tuple[Cut, Path]], day: str) -> int | None:
    """Return the key of the last committee (else of any cut) up to *day*, to tell moves from."""
    known = [cut for cut, _ in cuts if cut.as_of[:10] <= day]
    committees = [cut for cut in known if cut.kind == "copil"] or known
    return max(committees, key=lambda cut: (cut.as_of, cut.key)).key if committees else None

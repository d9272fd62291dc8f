"""Build a snapshot of the feed beside the current one: tables, Parquet, manifest."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from hub.errors import ConfigError, FeedError
from hub.feed.model import model, table_sql
from hub.feed.stage import Staged
from hub.files import write_atomically

MANIFEST = "manifest.json"
_TEXTS = {
    "fr": {"no_project": "(Non rattaché)", "no_person": "(Inconnu)", "no_task": "(Sans tâche)", "now_label": "Maintenant"},
    "en": {"no_project": "(No project)", "no_person": "(Unknown)", "no_task": "(No task)", "now_label": "Now"},
}


class BuildOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to build: *as_of* is a UTC instant or None for now; *memory_mb* bounds DuckDB."""

    lang: str = "en"
    country: str = "FR"
    currency: str = "EUR"
    as_of: str | None = None
    memory_mb: int = 1024


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A built feed: its folder and manifest; *timings* are seconds per step, *outside* those outside DuckDB."""

    feed_id: str
    folder: Path
    manifest: dict[str, Any]
    timings: dict[str, float]


def instant(text: str) -> str:
    """Turn ``2026-10-31`` (the end of that day) or an instant into the store's form. Raises `ConfigError`."""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            date.fromisoformat(text)
            return f"{text}T23:59:59.999999Z"
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise ConfigError(f"{text!r} is not a date such as 2026-10-31 or an instant such as 2026-10-31T18:00:00Z.") from exc
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def build(store: Path, root: Path, options: BuildOptions, *, now: datetime | None = None) -> Snapshot:
    """Build a snapshot of *store* under *root*, as known at ``options.as_of``. Nobody reads it before it is made current."""
    moment = now or datetime.now(UTC)
    feed_id = f"{moment:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    folder = root / feed_id
    timings: dict[str, float] = {}
    try:
        folder.mkdir(parents=True, mode=0o700)
        staged = _timed(timings, "read the store", lambda: Staged(
            store, as_of=options.as_of, scratch=root / f".scratch-{feed_id}", memory_mb=options.memory_mb))  # fmt: skip
        try:
            _timed(timings, "resolve", lambda: _derive(staged, options, moment))
            for table in model().tables:
                _timed(timings, table, lambda table=table: _fill(staged.connection, table))
            _timed(timings, "write Parquet", lambda: write_parquet(staged.connection, folder))
            manifest = _timed(timings, "manifest", lambda: _manifest(staged, folder, feed_id, options, moment))
            timings["outside DuckDB"] = staged.outside_s
        finally:
            staged.close()
    except OSError as exc:
        shutil.rmtree(folder, ignore_errors=True)
        raise FeedError(
            f"The feed cannot be written under {root}: {exc.strerror or exc}. The last good feed stays."
        ) from exc
    except duckdb.Error as exc:
        shutil.rmtree(folder, ignore_errors=True)
        raise FeedError(f"The feed could not be built: {str(exc).splitlines()[0]} The last good feed stays.") from exc
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        shutil.rmtree(root / f".scratch-{feed_id}", ignore_errors=True)
    return Snapshot(feed_id=feed_id, folder=folder, manifest=manifest, timings=timings)


def _timed(timings: dict[str, float], name: str, step: Any) -> Any:
    began = time.perf_counter()
    result = step()
    timings[name] = time.perf_counter() - began
    return result


def _derive(staged: Staged, options: BuildOptions, moment: datetime) -> None:
    day = options.as_of[:10] if options.as_of else moment.date().isoformat()
    staged.derive(variables={**_TEXTS[options.lang], "currency": options.currency, "as_of_day": day})
    staged.calendar(country=options.country, lang=options.lang, today=date.fromisoformat(day))
    labels = []
    for name, table in model().tables.items():
        for lang in ("fr", "en"):
            labels.append((name, "", lang, getattr(table, lang), table.description))
            labels.extend((name, c, lang, getattr(column, lang), column.description) for c, column in table.columns.items())
    staged.connection.execute(
        "CREATE TABLE label (object VARCHAR, column_name VARCHAR, lang VARCHAR, label VARCHAR, description VARCHAR)"
    )
    staged.connection.executemany("INSERT INTO label VALUES (?, ?, ?, ?, ?)", labels)


def _fill(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    columns = ", ".join(f"{name} {column.type}" for name, column in model().tables[table].columns.items())
    connection.execute(f"CREATE TABLE {table} ({columns})")
    connection.execute(f"INSERT INTO {table} BY NAME {table_sql(table)}")


def write_parquet(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Write every table of the model from *connection* into *folder*, ordered by key."""
    for name, table in model().tables.items():
        target = folder / name
        target.mkdir()
        columns = "*"
        partition = ""
        if name == "fact_worklog":
            columns, partition = (
                "*, strftime(work_date, '%Y-%m') AS year_month",
                ", PARTITION_BY (year_month), OVERWRITE_OR_IGNORE",
            )
            rows = connection.execute("SELECT count(*) FROM fact_worklog").fetchone()
            if rows is None or rows[0] == 0:
                columns, partition = "*", ""
        place = str(target if partition else target / "data_0.parquet").replace("'", "''")
        connection.execute(
            f"COPY (SELECT {columns} FROM {name} ORDER BY {', '.join(table.key)}) TO '{place}' "
            f"(FORMAT parquet, COMPRESSION zstd{partition})"
        )
    for path in folder.rglob("*.parquet"):
        os.chmod(path, 0o600)


def table_glob(folder: Path, table: str) -> str:
    """Give the Parquet glob of *table* in a feed's folder."""
    return (folder / table).as_posix() + "/**/*.parquet"


def open_feed(folder: Path) -> duckdb.DuckDBPyConnection:
    """Open a feed's folder: every table of the model is a view; a partition column of the path is left out."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for name, table in model().tables.items():
        listed = ", ".join(table.columns)
        place = table_glob(folder, name).replace("'", "''")
        connection.execute(f"CREATE VIEW {name} AS SELECT {listed} FROM read_parquet('{place}', hive_partitioning = false)")
    return connection


def describe(folder: Path, connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Give rows, columns, control sums and sha256 of every table in *folder*."""
    tables: dict[str, Any] = {}
    for name, table in model().tables.items():
        sums = [c for c, column in table.columns.items() if column.additive]
        row = connection.execute(f"SELECT count(*){''.join(f', sum({c})' for c in sums)} FROM {name}").fetchone()
        assert row is not None
        tables[name] = {
            "rows": row[0],
            "columns": {c: column.type for c, column in table.columns.items()},
            "sums": {c: float(value) if value is not None else None for c, value in zip(sums, row[1:], strict=True)},
            "files": {
                path.relative_to(folder).as_posix(): _sha256(path) for path in sorted((folder / name).rglob("*.parquet"))
            },
        }
    return tables


def _manifest(staged: Staged, folder: Path, feed_id: str, options: BuildOptions, moment: datetime) -> dict[str, Any]:
    feed = open_feed(folder)
    try:
        tables = describe(folder, feed)
    finally:
        feed.close()
    excluded = staged.connection.execute("SELECT measure, reason, n, amount FROM excluded ORDER BY ALL").fetchall()
    manifest = {
        "feed_id": feed_id,
        "contract": model().contract,
        "privacy": "nominative-line",
        "lang": options.lang,
        "currency": options.currency,
        "as_of": options.as_of or staged.moment,
        "built_at": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "tables": tables,
        "excluded": [{"measure": m, "reason": r, "rows": n, "amount": a} for m, r, n, a in excluded],
    }
    save_manifest(folder, manifest)
    return manifest


def save_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest of the feed in *folder*, whole or not at all."""
    with write_atomically(folder / MANIFEST) as file:
        file.write(json.dumps(manifest, ensure_ascii=False, indent=1).encode())


def load_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of the feed in *folder*. Raises `FeedError` when there is none."""
    try:
        found: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise FeedError(f"{folder} holds no readable feed: its {MANIFEST} is missing or damaged.") from exc
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""Build a snapshot of the feed beside the current one: tables, Parquet, manifest."""

from __future__ import annotations

import errno
import functools
import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hub import clock
from hub.errors import FeedError
from hub.feed.access import BRIDGE, bridge_sql, shows_sql
from hub.feed.cuts import AD_HOC, CUT_TABLES, Cut, cut_folder, digest, latest_cut, place_cuts, write_cut
from hub.feed.fields import Field, fields_in_use, fields_of, pivot, use_fields, with_fields
from hub.feed.forecast import forecast_rows
from hub.feed.kept import keep, kept, key_of, place_of
from hub.feed.kpi import Kpi, catalogue, prepare
from hub.feed.kpi.table import fill_table, mark_periods, mend_terms
from hub.feed.model import model, table_sql
from hub.feed.parts import Parts, waits_for
from hub.feed.runner import Runner, connected
from hub.feed.sealed import late_lines, month_lines
from hub.feed.stage import Staged, reads_hubs
from hub.files import replace, write_atomically
from hub.store.engines import StoreAt, engine_of
from hub.version import release
from hub.words import LANGS, speaking, tr

if TYPE_CHECKING:
    import duckdb


MANIFEST = "manifest.json"
_TEXTS = {
    "fr": {
        "no_project": "(Non rattaché)",
        "no_person": "(Inconnu)",
        "no_task": "(Sans tâche)",
        "now_label": "Maintenant",
    },
    "en": {
        "no_project": "(No project)",
        "no_person": "(Unknown)",
        "no_task": "(No task)",
        "now_label": "Now",
    },
}


# a value as a sentence writes it: 0,85 in French, 0.85 in English, a share in percent, money whole
_WRITTEN = """
CREATE MACRO money(value, gap) AS replace(format('{:,.0f}', value), ',', gap) || ' '
    || CASE getvariable('currency') WHEN 'EUR' THEN '€' ELSE getvariable('currency') END;
CREATE MACRO written(value, unit, lang) AS CASE lang WHEN 'fr'
    THEN CASE unit WHEN 'amount' THEN money(value, chr(8239)) ELSE
        replace(CASE unit WHEN 'share' THEN format('{:.0f} %', 100 * value)
        WHEN 'ratio' THEN format('{:.2f}', value) ELSE format('{:.10g}', round(value, 1)) END, '.', ',') END
    ELSE CASE unit WHEN 'share' THEN format('{:.0f}%', 100 * value) WHEN 'amount' THEN money(value, ',')
        WHEN 'ratio' THEN format('{:.2f}', value) ELSE format('{:.10g}', round(value, 1)) END END
"""


class BuildOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to build: *as_of* is a UTC instant or None for now.

    *vs* is the key of the cut to tell moves from; *memory_mb* bounds DuckDB. *cluster* is the address of a
    Dask scheduler whose workers take their share of the work.
    """

    lang: str = "en"
    country: str = "FR"
    currency: str = "EUR"
    as_of: str | None = None
    memory_mb: int = 1024
    cuts: tuple[Cut, ...] = ()
    vs: int | None = None
    cluster: str | None = None


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A built feed: its folder and manifest; *timings* are seconds per step, *outside* those outside DuckDB.

    *late* are the corrections of sealed months that this feed is the first to show, as rows of
    ``period_variance``.
    """

    feed_id: str
    folder: Path
    manifest: dict[str, Any]
    timings: dict[str, float]
    late: list[dict[str, Any]] = []


def build(
    store: StoreAt, root: Path, options: BuildOptions, *, now: datetime | None = None,
    runner: Runner | None = None,
) -> Snapshot:  # fmt: skip
    """Build a snapshot of *store* under *root*, as known at ``options.as_of``.

    Nobody reads it before it is made current. *runner* does the heavy part in shares; None is the cluster of
    the options, where there is one.
    """
    if runner is None and options.cluster is not None:
        with connected(options.cluster) as found:
            return build(store, root, options, now=now, runner=found)
    use_fields(fields_of(store))
    moment = now or clock.now()
    feed_id = f"{moment:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    folder = root / feed_id
    scratch = root / f".scratch-{feed_id}"
    timings: dict[str, float] = {}
    with _clean_failure(root, folder, scratch):
        folder.mkdir(parents=True, mode=0o700)
        kept_in = cut_folder(root, 0).parent
        cuts = _timed(
            timings, "other cuts",
            lambda: _other_cuts(store, scratch, options, moment, kept_in=kept_in, runner=runner),
        )  # fmt: skip
        staged, parts = _compute(
            store, scratch, options, moment, timings, cuts=cuts, runner=runner, hours_to=folder
        )
        try:
            _timed(
                timings, "write Parquet",
                lambda: write_parquet(staged.connection, folder, without=parts.written() if parts else ()),
            )  # fmt: skip
            late = late_lines(staged.connection)
            manifest = _timed(
                timings, "manifest", lambda: _manifest(staged, folder, feed_id, options, moment)
            )
            timings["outside DuckDB"] = staged.outside_s
        finally:
            staged.close()
    return Snapshot(feed_id=feed_id, folder=folder, manifest=manifest, timings=timings, late=late)


def keep_cut(
    store: StoreAt, folder: Path, cut: Cut, options: BuildOptions, *, now: datetime | None = None
) -> str:
    """Write the rows of *cut* into *folder*, with nobody below team level; gives the digest of the files.

    What had moved since the last committee before it, one of the earlier ``options.cuts``, is kept with them.
    """
    scratch = folder.parent / f".scratch-{folder.name}"
    shutil.rmtree(scratch, ignore_errors=True)  # left by one that was killed
    with _clean_failure(folder.parent, folder, scratch):
        moment = now or clock.now()
        before = [one for one in options.cuts if one.as_of < cut.as_of and one.key != cut.key]
        last = latest_cut([(one, folder) for one in before], cut.as_of[:10])
        chosen = tuple(one for one in before if one.key == last)
        before_it = msgspec.structs.replace(options, cuts=chosen)
        target = scratch / f"cut-{cut.key}"
        with connected(options.cluster) as runner:
            earlier = _other_cuts(store, scratch, before_it, moment, kept_in=folder.parent, runner=runner)
            _write_open_cut(store, scratch, options, moment, cut, target, earlier=earlier, runner=runner)
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace(target, folder)
    return digest(folder)


_FULL = (os.strerror(errno.ENOSPC), "not enough space on the disk")
"""What DuckDB says where a disk is full, on Windows too."""


@contextmanager
def _clean_failure(root: Path, folder: Path, scratch: Path) -> Iterator[None]:
    """Leave nothing half-built behind, and say what went wrong."""
    import duckdb

    try:
        with told_limits(root):
            yield
    except OSError as exc:
        shutil.rmtree(folder, ignore_errors=True)
        raise FeedError(
            tr(
                "The feed cannot be written under {root}: {reason}. The last good feed stays.",
                root=root,
                reason=exc.strerror or exc,
            )
        ) from exc
    except duckdb.Error as exc:
        shutil.rmtree(folder, ignore_errors=True)
        raise FeedError(
            tr(
                "The feed could not be built: {answer} The last good feed stays.",
                answer=str(exc).splitlines()[0],
            )
        ) from exc
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def told_limits(root: Path) -> Iterator[None]:
    """Raise `FeedError` with a sentence where DuckDB has no more memory, or no more disk at *root*."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException as exc:
        raise FeedError(_too_large(root, str(exc))) from exc
    except duckdb.Error as exc:
        if any(said in str(exc) for said in _FULL):
            raise FeedError(
                tr(
                    "The disk of {root} is full: free space there, or raise memory_mb in [engine], so that "
                    "less is written. The last good feed stays.",
                    root=root,
                )
            ) from exc
        raise


def _too_large(root: Path, said: str) -> str:
    """Say which of the two ended: the disk that memory is spilled to, or memory where it cannot be."""
    if "offload" in said:
        return tr(
            "The feed does not fit into the memory it may take, nor what lacks onto the disk of {root}: free "
            "space there, or raise memory_mb in [engine]. The last good feed stays.",
            root=root,
        )
    return tr(
        "The feed needs more memory than memory_mb in [engine] allows: raise it. The last good feed stays."
    )


def _other_cuts(
    store: StoreAt,
    scratch: Path,
    options: BuildOptions,
    moment: datetime,
    *,
    kept_in: Path,
    runner: Runner | None,
) -> list[tuple[Cut, Path]]:
    """Return every cut with the folder of its rows.

    A closed cut has its own folder; an open one is computed as of its moment, and kept below *kept_in* as
    long as nothing that makes it changes.
    """
    found = []
    for cut in options.cuts:
        if cut.folder is not None:
            found.append((cut, cut.folder))
            continue
        # a feed of an earlier moment needs the names of a later cut too, and a moment of the day has no name
        lasting = cut.key != AD_HOC and (options.as_of is None or cut.as_of <= options.as_of)
        place = place_of(kept_in, cut)
        key = key_of(store, cut, options) if lasting else ""
        if lasting and kept(place, key):
            found.append((cut, place))
            continue
        folder = scratch / f"cut-{cut.key}"
        _write_open_cut(store, scratch, options, moment, cut, folder, runner=runner)
        found.append((cut, keep(folder, place, key) if lasting else folder))
    return found


def _write_open_cut(
    store: StoreAt, scratch: Path, options: BuildOptions, moment: datetime, cut: Cut, folder: Path, *,
    earlier: Sequence[tuple[Cut, Path]] = (),
    runner: Runner | None,
) -> None:  # fmt: skip
    """Compute *cut* as of its moment, with what moved since the *earlier* one, and write its rows."""
    plain = msgspec.structs.replace(options, as_of=cut.as_of, cuts=(), vs=None)
    staged, _ = _compute(store, scratch, plain, moment, {}, cut=cut, cuts=list(earlier), runner=runner)
    try:
        folder.mkdir(parents=True, mode=0o700)
        # told from a later moment: the feed itself may not know what that one speaks of
        write_cut(
            staged.connection, folder, cut, names=options.as_of is not None and cut.as_of > options.as_of
        )
    finally:
        staged.close()


def lines_of_month(store: StoreAt, scratch: Path, month: str, options: BuildOptions) -> list[tuple[Any, ...]]:
    """Return what *month* (``YYYY-MM``) is sealed with: rows of ``period_line``, as the store knows them."""
    import duckdb

    try:
        staged = _resolved(store, scratch, options, clock.now(), {}, 0, [])
        try:
            return month_lines(staged.connection, month)
        finally:
            staged.close()
    except duckdb.Error as exc:
        raise FeedError(
            tr(
                "The month {month} could not be summed: {answer}",
                month=month,
                answer=str(exc).splitlines()[0],
            )
        ) from exc
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _resolved(
    store: StoreAt,
    scratch: Path,
    options: BuildOptions,
    moment: datetime,
    timings: dict[str, float],
    key: int,
    cuts: list[tuple[Cut, Path]],
    parts: Parts | None = None,
) -> Staged:
    staged: Staged = _timed(timings, "read the store", lambda: Staged(
        store, as_of=options.as_of, scratch=scratch / f"duckdb-{key}",
        memory_mb=options.memory_mb, apart=parts))  # fmt: skip
    try:
        at = options.as_of or moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        place_cuts(staged.connection, cuts)
        variables = {
            **_TEXTS[options.lang], "currency": options.currency, "as_of_day": at[:10], "moment": at,
            "cut_key": key,
            "vs_cut": options.vs if options.vs is not None else latest_cut(cuts, at[:10]),
        }  # fmt: skip
        _timed(
            timings,
            "resolve",
            lambda: staged.resolve(variables=variables, country=options.country, lang=options.lang),
        )
        pivot(staged.connection, fields_in_use())
    except BaseException:
        staged.close()
        raise
    return staged


def _compute(
    store: StoreAt, scratch: Path, options: BuildOptions, moment: datetime, timings: dict[str, float], *,
    cut: Cut | None = None,
    cuts: list[tuple[Cut, Path]] | None = None,
    runner: Runner | None = None,
    hours_to: Path | None = None,
) -> tuple[Staged, Parts | None]:  # fmt: skip
    """Fill the tables of the feed; with a *runner* in shares, which write the hours below *hours_to*."""
    key = cut.key if cut else 0
    parts = None
    engine = engine_of(store)
    if runner is not None and engine.shared and not reads_hubs(store):
        parts = Parts(runner, engine, scratch / f"parts-{key}", memory_mb=options.memory_mb)
    staged = _resolved(store, scratch, options, moment, timings, key, cuts or [], parts)
    try:
        _labels(staged.connection)
        day = (options.as_of or moment.isoformat())[:10]
        # a task says since when it is started and done, which its stays in statuses tell
        tables = list(dict.fromkeys(("fact_status_interval", *model().tables)))
        if parts is not None:
            late = waits_for({table: table_sql(table) for table in tables})
            for table in tables:
                if table not in late:
                    _timed(
                        timings, table, lambda table=table: _fill(staged.connection, table, day, key, runner)
                    )
            together = parts.together
            _timed(timings, "fact_worklog", lambda: together(staged.connection, hours_to))
            tables = [table for table in late if table != "fact_worklog"]
        for table in tables:
            _timed(timings, table, lambda table=table: _fill(staged.connection, table, day, key, runner))
    except BaseException:
        staged.close()
        raise
    return staged, parts


def _timed(timings: dict[str, float], name: str, step: Any) -> Any:
    began = time.perf_counter()
    result = step()
    timings[name] = time.perf_counter() - began
    return result


def _labels(connection: duckdb.DuckDBPyConnection) -> None:
    labels, captions = _captions(fields_in_use(), tuple(catalogue().values()))
    connection.execute("CREATE TABLE kpi_caption (kpi VARCHAR, measure VARCHAR, fr VARCHAR, en VARCHAR)")
    connection.execute(
        "INSERT INTO kpi_caption SELECT " + ", ".join("unnest(?::VARCHAR[])" for _ in captions), captions
    )
    connection.execute(_WRITTEN)
    connection.execute(
        "CREATE TABLE label (object VARCHAR, column_name VARCHAR, lang VARCHAR, label VARCHAR, "
        "description VARCHAR)"
    )
    connection.execute(
        "INSERT INTO label SELECT " + ", ".join("unnest(?::VARCHAR[])" for _ in labels), labels
    )


@functools.lru_cache(maxsize=4)
def _captions(fields: tuple[Field, ...], kpis: tuple[Kpi, ...]) -> tuple[list[list[str]], list[list[str]]]:
    """Return the labels of the model with *fields* and of *kpis*, and the captions of measures: by column.

    Read once a process: every cut has the same, and each language reads its catalogues anew.
    """
    labels = []
    for lang in LANGS:
        with speaking(lang):
            for name, table in model().tables.items():
                labels.append((name, "", lang, getattr(table, lang), tr(table.description)))
                labels.extend(
                    (name, c, lang, getattr(column, lang), tr(column.description))
                    for c, column in table.columns.items()
                )
            for kpi in kpis:
                labels.append((f"kpi {kpi.code}", "", lang, getattr(kpi, lang), tr(kpi.definition)))
    captions = [(kpi.code, part.name, part.fr, part.en) for kpi in kpis for part in kpi.measures]
    return _by_column(labels), _by_column(captions)


def _by_column(rows: Sequence[tuple[str, ...]]) -> list[list[str]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _fill(
    connection: duckdb.DuckDBPyConnection, table: str, day: str, cut: int, runner: Runner | None
) -> None:
    shape = model().tables[table]
    if table == "fact_project_snapshot":
        prepare(connection, cut=cut, day=date.fromisoformat(day), keep=True)
        for code in ("EVM_DAYS", "EVM_AMOUNT"):
            connection.execute(f"CREATE TABLE kpi_{code.lower()} AS {catalogue()[code].sql}")
    if table == "fact_forecast":
        forecast_rows(connection, cut, date.fromisoformat(day), runner.each if runner else map)
    if table == "fact_kpi":
        fill_table(connection, cut=cut)
    if table == BRIDGE:
        connection.execute(f"CREATE TABLE access_row AS {bridge_sql()}")
    columns = ", ".join(f"{name} {column.type}" for name, column in shape.columns.items())
    connection.execute(f"CREATE TABLE {table} ({columns})")
    connection.execute(f"INSERT INTO {table} BY NAME {with_fields(table, table_sql(table))}")
    if table in CUT_TABLES:
        names = ", ".join(shape.columns)
        connection.execute(f"INSERT INTO {table} SELECT {names} FROM cut_{table}")
    if table == "fact_kpi":
        mend_terms(connection)
        mark_periods(connection)


def write_parquet(
    connection: duckdb.DuckDBPyConnection, folder: Path, *, without: Collection[str] = ()
) -> None:
    """Write every table of the model but *without* from *connection* into *folder*, ordered by key."""
    for name, table in model().tables.items():
        if name in without:
            continue
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
    """Return the Parquet glob of *table* in a feed's folder."""
    return (folder / table).as_posix() + "/**/*.parquet"


SPILL = ".spill"
"""The folder beside feeds where DuckDB writes what memory does not hold, and tidies up after the dead."""


def open_feed(
    folder: Path, *, person: str | None = None, memory_mb: int | None = None
) -> duckdb.DuckDBPyConnection:
    """Open a feed's folder: every table of the model is a view.

    A feed that an older hub built is read with what it has. A partition column of the path is left out.
    *memory_mb* is what questions may take (None: DuckDB's four fifths of the machine); what does not fit is
    written to `SPILL` beside the folder meanwhile, which nobody else can enter.
    *person*, an address of access.csv, sees the rows that its lines there allow (`hub.feed.access`): the
    folder is then that of a projection which kept the addresses.
    """
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET temp_directory = ?", [_spill_beside(folder)])
    if memory_mb is not None:
        connection.execute(f"SET memory_limit = '{int(memory_mb)}MB'")
    found = columns_in(connection, folder, model().tables)
    whole = "main." if person is None else "whole."
    if person is not None:
        connection.execute("CREATE SCHEMA whole")
    for name, table in model().tables.items():
        if not (there := found[name]):
            connection.execute(f"CREATE VIEW {whole}{name} AS SELECT {table.read_as(())} WHERE false")
            continue
        listed = ", ".join(table.columns) if there.keys() >= table.columns.keys() else table.read_as(there)
        place = table_glob(folder, name).replace("'", "''")
        connection.execute(
            f"CREATE VIEW {whole}{name} AS SELECT {listed} "
            f"FROM read_parquet('{place}', hive_partitioning = false)"
        )
    if person is not None:
        who = "'" + person.strip().lower().replace("'", "''") + "'"
        for name in model().tables:
            rule = shows_sql(name, user=who, schema=whole, alias="f.") or "true"
            connection.execute(f"CREATE VIEW {name} AS SELECT f.* FROM {whole}{name} f WHERE {rule}")
    return connection


def _spill_beside(folder: Path) -> str:
    """Return where to spill: by itself DuckDB writes to the working directory, for everybody to read.

    DuckDB makes the folder when it needs it and takes it away; where others could enter it, it is made here.
    """
    place = folder.resolve().parent / SPILL
    try:
        if os.name == "posix" and all(one.stat().st_mode & 0o077 for one in place.parents):
            place.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        return ""
    return str(place) if os.access(place.parent, os.W_OK) else ""  # else a feed that is only read


def columns_in(
    connection: duckdb.DuckDBPyConnection, folder: Path, tables: Collection[str]
) -> dict[str, dict[str, str]]:
    """Return by table the columns and types of its files in *folder*; none where there is no file.

    The first file of a table speaks for all of it, and all of *tables* are read in one question.
    """
    found: dict[str, dict[str, str]] = {name: {} for name in tables}
    table_of = {file: name for name in tables for file in sorted(_files(folder / name))[:1]}
    if table_of:
        query = "SELECT file_name, name, duckdb_type FROM parquet_schema(?) WHERE num_children IS NULL"
        for file, column, kind in connection.execute(query, [list(table_of)]).fetchall():
            found[table_of[file]][column] = kind
    return found


def _files(folder: Path) -> Iterator[str]:
    """Yield the Parquet files of a table's *folder*."""
    for place, _, names in os.walk(folder):
        yield from (Path(place, name).as_posix() for name in names if name.endswith(".parquet"))


def describe(folder: Path, connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Return rows, columns, control sums and sha256 of every table in *folder*."""
    tables: dict[str, Any] = {}
    for name, table in model().tables.items():
        sums = [c for c, column in table.columns.items() if column.additive]
        row = connection.execute(
            f"SELECT count(*){''.join(f', sum({c})' for c in sums)} FROM {name}"
        ).fetchone()
        assert row is not None
        tables[name] = {
            "rows": row[0],
            "columns": {c: column.type for c, column in table.columns.items()},
            "sums": {
                c: float(value) if value is not None else None for c, value in zip(sums, row[1:], strict=True)
            },
            "files": {
                path.relative_to(folder).as_posix(): _sha256(path)
                for path in sorted((folder / name).rglob("*.parquet"))
            },
        }
    return tables


def _manifest(
    staged: Staged, folder: Path, feed_id: str, options: BuildOptions, moment: datetime
) -> dict[str, Any]:
    feed = open_feed(folder)
    try:
        tables = describe(folder, feed)
    finally:
        feed.close()
    left_out = staged.connection.execute(
        (files("hub.feed") / "not_counted.sql").read_text(encoding="utf-8")
    ).fetchall()
    unmapped = staged.connection.execute(
        "SELECT t.source_id, t.status_raw, count(*) FROM task t JOIN task_status k ON k.task_id = t.id "
        "WHERE t.counted AND t.kind <> 'summary' "
        "AND k.status_key = -1 AND t.status_raw IS NOT NULL GROUP BY ALL ORDER BY 3 DESC, 1, 2"
    ).fetchall()
    manifest = {
        "feed_id": feed_id,
        "hub": release(),
        "contract": model().contract,
        "privacy": "nominative-line",
        "lang": options.lang,
        "currency": options.currency,
        "as_of": staged.moment,
        "moment": options.as_of or f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}",
        "built_at": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "closed_cuts": [
            {"label": cut.label, "kind": cut.kind, "as_of": cut.as_of[:10]}
            for cut in options.cuts
            if cut.folder is not None
        ],
        "tables": tables,
        "unmapped": [
            {"source": source, "status": status, "tasks": tasks} for source, status, tasks in unmapped
        ],
        "excluded": [
            {"measure": measure, "reason": reason, "rows": count, "amount": amount}
            | ({"in_feed": True} if in_feed else {})
            for measure, reason, count, amount, in_feed in left_out
        ],
    }
    save_manifest(folder, manifest)
    return manifest


def save_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest of the feed in *folder*, whole or not at all."""
    with write_atomically(folder / MANIFEST) as file:
        file.write(msgspec.json.format(msgspec.json.encode(manifest), indent=1))


def load_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of the feed in *folder*. Raises `FeedError` when there is none."""
    try:
        found: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise FeedError(
            tr(
                "{folder} holds no readable feed: its {manifest} is missing or damaged.",
                folder=folder,
                manifest=MANIFEST,
            )
        ) from exc
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""Sealed months: the hours and money of a month are kept, and what changes in it later is a line of its own."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import msgspec

from hub import clock
from hub.errors import ConfigError
from hub.feed import BuildOptions, lines_of_month
from hub.feed.sealed import METHOD, entered_row
from hub.store import Store


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """A sealed month: lines, seconds, person-days and money (minor units) it keeps, and the digest of its lines."""

    month: str
    lines: int
    seconds: int
    days: float
    labour_minor: int
    spent_minor: int
    digest: str


def seal(store: Store, root: Path, month: str, options: BuildOptions, *, actor: str) -> Seal:
    """Seal *month* (``YYYY-MM``), which must be over. Raises `ConfigError`."""
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        raise ConfigError(f"{month!r} is not a month such as 2026-10.")
    if month >= f"{clock.now():%Y-%m}":
        raise ConfigError(f"{month} is not over yet: a month is sealed once it is.")
    if store.rows("SELECT 1 FROM period_close WHERE month = ?", (month,)):
        raise ConfigError(
            f"{month} is sealed already: `hub close --list` shows the months and what was corrected since."
        )
    lines = lines_of_month(Path(store.where), root / f".scratch-{month}", month, options)
    text = json.dumps(lines, ensure_ascii=False, default=str)
    sealed = hashlib.sha256(text.encode()).hexdigest()
    with store.transaction():
        stamp = store.stamp()
        store.connection.executemany(f"INSERT INTO period_line VALUES ({', '.join('?' * 12)})", lines)
        store.connection.execute(
            "INSERT INTO period_close (month, sealed_at, actor, digest, method) VALUES (?, ?, ?, ?, ?)",
            (month, stamp, actor, sealed, METHOD),
        )
        store.audit("close", month, actor=actor, after=sealed)
        store.tick(stamp)
    hours = [line for line in lines if line[1] == "hours"]
    return Seal(
        month=month, lines=len(lines), seconds=sum(line[9] for line in hours), days=sum(line[10] for line in hours),
        labour_minor=sum(line[11] or 0 for line in hours), spent_minor=sum(line[11] or 0 for line in lines if line[1] == "budget"), digest=sealed,
    )  # fmt: skip


def post(store: Store, late: list[dict[str, Any]], *, moment: str) -> None:
    """Keep the corrections that a feed is the first to show, with the run that brought them."""
    if not late:
        return
    with store.transaction():
        for line in late:
            table = "worklog" if line["kind"] == "hours" else "budget_line"
            found = store.connection.execute(
                f"SELECT run_id FROM {table} WHERE id IN (?, ?)",
                (line["row_id"], entered_row(line["row_id"])),
            ).fetchone()
            values = {**line, "posted_at": moment, "run_id": found[0] if found else None}
            store.connection.execute(
                f"INSERT INTO period_variance ({', '.join(values)}) VALUES ({', '.join(':' + name for name in values)})",
                values,
            )


def months(store: Store) -> list[dict[str, Any]]:
    """Return every sealed month with what it keeps."""
    return store.rows(
        "SELECT c.month, c.sealed_at, c.actor, count(l.row_id) AS lines, coalesce(sum(l.seconds), 0) / 3600.0 AS hours, "
        "coalesce(sum(l.amount_minor), 0) / 100.0 AS amount FROM period_close c LEFT JOIN period_line l ON l.month = c.month GROUP BY c.month ORDER BY c.month"
    )


def corrections(store: Store) -> list[dict[str, Any]]:
    """Return every correction of a sealed month: what, whose, which project, and the run that brought it."""
    return store.rows(
        "SELECT v.sealed_month, v.posted_on, coalesce(p.code, c.code, '?') AS project, v.kind, v.row_id, a.display_name AS account, v.category, "
        "v.seconds / 3600.0 AS hours, v.days, v.amount_minor / 100.0 AS amount, v.reason, v.run_id, r.source_id AS source, r.started_at AS run_at "
        "FROM period_variance v LEFT JOIN project p ON p.key = v.project_key LEFT JOIN container c ON c.key = -1 - v.project_key "
        "LEFT JOIN worklog w ON w.id IN (v.row_id, CASE WHEN v.row_id GLOB :day THEN substr(v.row_id, 1, length(v.row_id) - 11) END) LEFT JOIN account a ON a.id = w.account_id LEFT JOIN sync_run r ON r.id = v.run_id ORDER BY v.seq",
        {"day": "*@[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"},
    )

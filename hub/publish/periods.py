"""Sealed months: the hours and money of a month stay, and what changes in it later is a line of its own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from hub import clock
from hub.errors import ConfigError
from hub.feed import BuildOptions, lines_of_month
from hub.feed.sealed import METHOD, entered_row
from hub.store import Store, seals
from hub.store import periods as rows
from hub.store.questions import brought
from hub.words import tr


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """A sealed month: what it keeps, and the digest of its lines.

    It counts lines, seconds, person-days and money in minor units.
    """

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
        raise ConfigError(tr("{month!r} is not a month such as 2026-10.", month=month))
    if month >= f"{clock.now():%Y-%m}":
        raise ConfigError(tr("{month} is not over yet: a month is sealed once it is.", month=month))
    if rows.is_sealed(store, month):
        raise ConfigError(
            tr(
                "{month} is sealed already: `hub close --list` shows the months and what was "
                "corrected since.",
                month=month,
            )
        )
    lines = lines_of_month(store.engine, root / f".scratch-{month}", month, options)
    sealed = seals.digest(lines)
    with store.transaction():
        stamp = store.stamp()
        rows.seal(store, month, lines, sealed_at=stamp, actor=actor, digest=sealed, method=METHOD)
        store.audit("close", month, actor=actor, after=sealed)
        store.tick(stamp)
    hours = [line for line in lines if line[1] == "hours"]
    return Seal(
        month=month,
        lines=len(lines),
        seconds=sum(line[9] for line in hours),
        days=sum(line[10] for line in hours),
        labour_minor=sum(line[11] or 0 for line in hours),
        spent_minor=sum(line[11] or 0 for line in lines if line[1] == "budget"),
        digest=sealed,
    )


def post(store: Store, late: list[dict[str, Any]], *, moment: str) -> None:
    """Keep the corrections that a feed is the first to show, with the run that brought them."""
    if not late:
        return
    with store.transaction():
        for line in late:
            table = "worklog" if line["kind"] == "hours" else "budget_line"
            found = brought(store, table, line["row_id"], entered_row(line["row_id"]))
            rows.add_correction(store, {**line, "posted_at": moment, "run_id": found[0] if found else None})

"""A folder of files as a destination: filled beside, switched last."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Literal

from hub import (
    FORMULA_STARTS,
    Check,
    Delivery,
    DeliveryContext,
    DeliveryError,
    Destination,
    FeedView,
    folder_check,
    mend_folder,
    model,
    replace_folder,
    tr,
)

LATEST = "latest"
WORKBOOK = "portfolio.xlsx"
DATA = "data.xlsx"


class FilesDestination(Destination, frozen=True, kw_only=True):
    """The feed as files in ``<path>/latest``: Parquet and CSV tables, the committee's workbook and its data.

    With *safe_csv* a text that a spreadsheet would run as a formula gets an apostrophe before it in the CSV
    files.
    """

    kind: ClassVar[str] = "files"

    path: str
    formats: tuple[Literal["parquet", "csv", "xlsx"], ...] = ("parquet", "csv", "xlsx")
    safe_csv: bool = True

    def check(self, ctx: DeliveryContext) -> Iterable[Check]:
        """Look whether the folder can be written."""
        yield folder_check(ctx.resolve(self.path))

    def deliver(self, ctx: DeliveryContext, feed: FeedView) -> Delivery:
        """Write a new folder, then let it take the place of the one that readers have."""
        root = ctx.resolve(self.path)
        fresh = root / f".{feed.feed_id}.new"
        try:
            root.mkdir(parents=True, exist_ok=True)
            mend_folder(root / LATEST)
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir(mode=0o700)
            rows, notes = self._write(feed, fresh)
            (fresh / "manifest.json").write_text(
                json.dumps(feed.manifest, ensure_ascii=False, indent=1), encoding="utf-8"
            )
            ctx.give(fresh)
            replace_folder(root / LATEST, fresh)
        except OSError as exc:
            shutil.rmtree(fresh, ignore_errors=True)
            raise DeliveryError(
                tr(
                    "{root} could not be replaced ({reason}): it is read-only, the disk is full, or a "
                    "file in it is open in another program such as Excel. Close it and publish again; "
                    "the files that were there are still there.",
                    root=root / LATEST,
                    reason=exc.strerror,
                )
            ) from exc
        latest = root / LATEST
        first = [str(latest / name) for name in (WORKBOOK, "csv", "parquet") if (latest / name).exists()]
        return Delivery(where=str(latest), rows=rows, open_next=tuple(first), notes=tuple(notes))

    def _write(self, feed: FeedView, folder: Path) -> tuple[dict[str, int], list[str]]:
        notes: list[str] = []
        if "parquet" in self.formats:
            for name in feed.tables:
                shutil.copytree(feed.folder / name, folder / "parquet" / name)
        if "csv" in self.formats:
            (folder / "csv").mkdir()
            for name in feed.tables:
                place = str(folder / "csv" / f"{name}.csv").replace("'", "''")
                facts = model().tables[name].columns
                columns = ", ".join(self._cell(column, facts[column].type) for column in facts)
                feed.connection.execute(
                    f"COPY (SELECT {columns} FROM {name}) TO '{place}' (HEADER, DELIMITER ',')"
                )
        if "xlsx" in self.formats:
            from hub_files.workbook import write_data, write_workbook  # only they need XlsxWriter

            write_workbook(folder / WORKBOOK, feed)
            notes.extend(write_data(folder / DATA, feed))
        rows = {name: _count(feed, name) for name in feed.tables}
        return rows, notes

    def _cell(self, column: str, kind: str) -> str:
        """Return the SQL of a cell: what begins like a formula (OWASP, CSV injection) becomes a text."""
        if not self.safe_csv or kind != "VARCHAR":
            return column
        risky = f"regexp_matches({column}, '^[{FORMULA_STARTS}]')"
        return f"CASE WHEN {risky} THEN '''' || {column} ELSE {column} END AS {column}"


def _count(feed: FeedView, table: str) -> int:
    row = feed.connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0

"""A destination of our own, and the same with one fault at a time: one JSON file a table, on a shelf."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from hub.destination import Delivery, DeliveryContext, Destination, FeedView
from hub.errors import DeliveryError
from hub.feed import model
from hub.source import Check
from hub.testing.kit import DestinationCertification, Place

NOW = "shelf.json"


class Shelf(Place):
    """What lies on the shelf."""

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        path = self.folder / "shelf" / NOW
        return json.loads(path.read_text()) if path.is_file() else {}

    @contextmanager
    def refusing(self) -> Iterator[None]:
        shelf, aside = self.folder / "shelf", self.folder / "aside"
        moved = shelf.exists()
        if moved:
            shelf.rename(aside)
        shelf.write_text("in the way")
        try:
            yield
        finally:
            shelf.unlink()
            if moved:
                aside.rename(shelf)


class ShelfDestination(Destination, frozen=True, kw_only=True):
    """Applies changes to what lies there; *bug* breaks one thing."""

    kind: ClassVar[str] = "shelf"

    path: str
    bug: str = ""

    def check(self, ctx: DeliveryContext) -> Iterable[Check]:
        well = self.bug == "check_is_always_ok" or not Path(self.path).is_file()
        yield Check(name="shelf", state="ok" if well else "failed", detail=self.path)

    def deliver(self, ctx: DeliveryContext, feed: FeedView) -> Delivery:
        if self.bug == "swallows_refusals" and Path(self.path).is_file():
            return Delivery(where=self.path, rows={})
        try:
            rows = self.put(feed)
        except OSError as exc:
            if self.bug == "raw_errors":
                raise
            raise DeliveryError(f"{self.path} cannot be written: {exc.strerror}. Make room.") from exc
        return Delivery(where=self.path, rows=rows)

    def put(self, feed: FeedView) -> dict[str, int]:
        folder = Path(self.path)
        folder.mkdir(parents=True, exist_ok=True)
        there = json.loads((folder / NOW).read_text()) if (folder / NOW).exists() else {}
        state = folder / "state.json"
        last = json.loads(state.read_text())["feed"] if state.exists() else None
        for name in feed.tables:
            if name == "fact_worklog" and self.bug == "leaves_a_table_out":
                continue
            there[name] = self.table(feed, name, there.get(name, []), whole=last is None)
            if self.bug == "writes_in_place":
                (folder / NOW).write_text(json.dumps(there))
        if self.bug == "leaks_names":
            store = (
                feed.folder.parents[2] / feed.feed_id if feed.folder.parent.name == "project" else feed.folder
            )
            people = feed.connection.execute(
                f"SELECT name FROM read_parquet('{store}/dim_person/**/*.parquet')"
            ).fetchall()
            (folder / "people.json").write_text(json.dumps(people))
        fresh = folder / "shelf.new"
        fresh.write_text(json.dumps(there))
        if self.bug == "state_first":
            state.write_text(json.dumps({"feed": feed.feed_id}))
        os.replace(fresh, folder / NOW)
        state.write_text(json.dumps({"feed": feed.feed_id}))
        return {name: len(rows) for name, rows in there.items()}

    def table(
        self, feed: FeedView, name: str, old: list[dict[str, Any]], *, whole: bool
    ) -> list[dict[str, Any]]:
        incremental = (
            self.bug in {"appends", "forgets_deletes", "trusts_the_last_state", "state_first"} and not whole
        )
        if not incremental:
            cursor = feed.connection.execute(f"SELECT * FROM {name}")
            names = [column[0] for column in cursor.description]
            return [{n: _plain(v) for n, v in zip(names, row, strict=True)} for row in cursor.fetchall()]
        changed = feed.changes(name)
        key = model().tables[name].key
        rows = {tuple(str(row[k]) for k in key): row for row in old}
        found = [
            {n: _plain(v) for n, v in zip(changed.columns, row, strict=True)} for row in changed.fetchall()
        ]
        if self.bug == "appends":
            return old + [
                {k: v for k, v in row.items() if k != "_change"}
                for row in found
                if row["_change"] != "delete"
            ]
        for row in found:
            change = row.pop("_change")
            if change == "delete" and self.bug != "forgets_deletes":
                rows.pop(tuple(str(row[k]) for k in key), None)
            elif change != "delete":
                rows[tuple(str(row[k]) for k in key)] = row
        return list(rows.values())


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (int, float, bool)) else str(value)


class ShelfCertification(DestinationCertification):
    """The destination's side of the table."""

    kind = "shelf"

    def __init__(self, bug: str = "") -> None:
        """Bring the destination with *bug*."""
        self.bug = bug

    def place(self, folder: Path) -> Place:
        return Shelf(folder)

    def destination(self, place: Place, *, privacy: str) -> Destination:
        return ShelfDestination(name="shelf", path=str(place.folder / "shelf"), privacy=privacy, bug=self.bug)

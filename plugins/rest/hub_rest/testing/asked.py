"""A tool that answers as a test says, read by a mapping again and again into one store."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from hub import Record
from hub.testing import sync_once
from hub.testing.kit import Request, Response, Simulator, SimulatorServer, faults
from hub_rest.source import RestSource

OPEN: list[SimulatorServer] = []
"""The tools of one test, ended with it."""


class Asked(Simulator):
    """A tool that answers as *say* says, and its source by a mapping, read again and again into one store."""

    def __init__(self, store: Any, folder: Path, mapping: str, say: Callable[[Request], Any]) -> None:
        """Begin to answer."""
        self.store, self.folder, self.mapping, self.say = store, folder, mapping, say
        self.requests: list[Request] = []
        self.site = SimulatorServer(self)
        OPEN.append(self.site)

    def show(self, records: Iterable[Record], now: datetime) -> None:
        """Hold nothing: a test says what it answers."""
        raise NotImplementedError

    def answer(self, request: Request) -> Response:
        """Answer as the test says."""
        said = self.say(request)
        return said if isinstance(said, Response) else Response(body=said)

    def sync(self, **options: Any) -> Any:
        """Read it once."""
        path = self.folder / "desk.toml"
        if "[[list]]" in self.mapping:
            path.write_text(self.mapping, encoding="utf-8")
        settings: dict[str, Any] = {"mapping": str(path) if "[[list]]" in self.mapping else self.mapping}
        settings |= {"max_rejected": 0.9, "max_leave": 0.9} | options.pop("settings", {})
        self.site.asked.clear()
        asked = RestSource(name="d", url=self.site.url, **settings)
        report = sync_once(self.store, asked, session=faults.hurried, **options)
        self.requests = list(self.site.asked)
        return report

    def here(self, table: str = "task") -> set[str]:
        """Return the ids of the rows of a table that are there."""
        return {
            row["id"].partition(":")[2]
            for row in self.store.rows(f"SELECT id FROM {table} WHERE presence = 'present'")
        }

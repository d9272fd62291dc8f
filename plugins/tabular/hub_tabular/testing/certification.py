"""The certifications of `tabular`.

A table of tasks as a tool exports it, a table of hours as a French one does, and any mapping.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any, ClassVar

from hub import Account, Container, Record, Source, Task, Worklog
from hub.testing.kit import FOLDER, FileWorld, Item, Ledger, Log, SawNothing, SourceCertification
from hub_tabular.source import TabularSource

HERE = Path(__file__).parent
COMMENT = "a remark about a colleague"


def table(header: list[str], rows: list[list[Any]], *, encoding: str) -> bytes:
    """Return a CSV with semicolons."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


class Tasks(Ledger, FileWorld):
    """Two files of tasks, by odd and even number."""

    name = "tasks"
    header: ClassVar[list[str]] = ["No", "Key", "Project", "Title", "State", "Hours", "Remark"]

    def file(self, item: Item) -> str:
        """Return the file of an item."""
        return ("even.csv", "odd.csv")[item.native % 2]

    def task_id(self, item: Item) -> str:
        """Name a row by its file and number."""
        return f"{FOLDER}/{self.file(item)}/{item.native}"

    def container_id(self, native: str) -> str:
        """Name a container by the text in its column."""
        return f"Project {native}"

    def container_fields(self, native: str) -> dict[str, Any]:
        """Return what the store must hold: the text of the column, whatever it is asked for."""
        return {"kind": "table", "code": self.container_id(native), "name": self.container_id(native)}

    def rename_container(self) -> str:
        """Nothing: by another name it is another container."""
        raise SawNothing("a table knows containers by their names alone")

    def task_fields(self, item: Item) -> dict[str, Any]:
        """Leave out what the table does not hold; a title's spaces are as typed."""
        fields = super().task_fields(item)
        return {
            name: fields[name] for name in ("title", "code", "container_id", "estimate_s", "status_native")
        }

    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return the tasks and what they are in."""
        found = super().truth()
        return {"container": found["container"], "task": found["task"]}

    def files(self) -> dict[str, bytes]:
        """Write both files."""
        found: dict[str, list[list[Any]]] = {"even.csv": [], "odd.csv": []}
        for item in self.seen():
            found[self.file(item)].append(
                [
                    item.native,
                    item.key,
                    self.containers[item.container],
                    item.title,
                    "Terminé" if item.done else "À faire",
                    item.hours,
                    COMMENT,
                ]
            )
        return {name: table(self.header, rows, encoding="utf-8") for name, rows in found.items()}

    def columns(self) -> list[str]:
        """Return the columns of the mapping."""
        return self.header[:-1]


class TasksCertification(SourceCertification):
    """A table of tasks."""

    kind = "tabular tasks"
    capabilities = frozenset({"increments", "deletions", "containers", "renames", "columns"})
    private = (COMMENT,)
    records: ClassVar[tuple[type[Record], ...] | None] = (Container, Task)

    def world(self, seed: int, *, scale: int = 1) -> Tasks:
        """Make the tables."""
        return Tasks(seed, scale=scale)

    def source(self, place: str) -> Source:
        """Read them by the mapping beside this file."""
        return TabularSource(name="tasks", path=f"{place}/*.csv", mapping=str(HERE / "tasks.toml"))


class Hours(Tasks):
    """One file a month of hours, in French and in the code page of Windows.

    The verbs are about lines of hours.
    """

    name = "hours"
    main = "worklog"
    hours = (0.25, 1.1, 7.5, -0.5, 1 / 3)  # more than a day on one day is refused: nobody can have worked so
    header: ClassVar[list[str]] = ["Ligne", "Matricule", "Projet", "Date", "Heures", "Commentaire"]

    def rows(self) -> list[str]:
        """Return the lines' numbers."""
        return [str(number) for number in sorted(self.logs)]

    def stored_id(self, native: str) -> str:
        """Return a line's id."""
        return self.log_id(self.logs[int(native)])

    def add(self) -> str:
        """Log hours; items are only made while the world is filled."""
        if len(self.items) < self.count * self.scale:
            return super().add()
        self.log(self.random.choice(list(self.items)), self.random.randint(0, 99))
        return str(self.last)

    def edit(self, native: str | None = None) -> str:
        """Correct a line."""
        log = self.logs[int(native) if native else self.random.choice(list(self.logs))]
        log.hours = self.random.randint(1, 32) / 4
        return str(log.native)

    def delete(self, native: str | None = None) -> str:
        """Take a line out."""
        chosen = native or self.random.choice(self.rows())
        self.logs.pop(int(chosen), None)
        return chosen

    def move(self, native: str) -> None:
        """Book a line on another item."""
        self.logs[int(native)].item = self.random.choice(list(self.items))

    def month(self, log: Log) -> str:
        """Return the file of a line, which its number decides."""
        return f"heures_{1 + log.native % 3:02d}.csv"

    def log_id(self, log: Log) -> str:
        """Name a line by its file and number."""
        return f"{FOLDER}/{self.month(log)}/{log.native}"

    def log_fields(self, log: Log) -> dict[str, Any]:
        """Return seconds, day, account and container."""
        item = self.items[log.item]
        return {
            "seconds": round(log.hours * 3600),
            "day": log.started[:10],
            "account_id": f"hours:M{log.item % 7:03d}",
            "container_id": f"hours:{self.container_id(item.container)}",
        }

    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return the lines, and whom and what they name: there is nothing but the text of each."""
        lines = {self.log_id(log): self.log_fields(log) for log in self.logs.values()}
        people = {f"M{log.item % 7:03d}" for log in self.logs.values()}
        return {
            "worklog": lines,
            "container": {self.container_id(one): self.container_fields(one) for one in self.containers},
            "account": {one: {"display_name": one} for one in people},
        }

    def files(self) -> dict[str, bytes]:
        """Write a file a month."""
        found: dict[str, list[list[Any]]] = {f"heures_{number:02d}.csv": [] for number in (1, 2, 3)}
        for log in sorted(self.logs.values(), key=lambda log: log.native):
            year, month, day = log.started[:10].split("-")
            hours = repr(log.hours).replace(".", ",")
            found[self.month(log)].append(
                [
                    log.native,
                    f"M{log.item % 7:03d}",
                    self.container_id(self.items[log.item].container),
                    f"{day}/{month}/{year}",
                    hours,
                    COMMENT,
                ]
            )
        return {name: table(self.header, rows, encoding="cp1252") for name, rows in found.items()}


class HoursCertification(TasksCertification):
    """A table of hours."""

    kind = "tabular hours"
    capabilities = frozenset({"increments", "deletions", "worklogs", "containers", "columns"})
    records: ClassVar[tuple[type[Record], ...] | None] = (Account, Container, Worklog)

    def world(self, seed: int, *, scale: int = 1) -> Hours:
        """Make the tables."""
        return Hours(seed, scale=scale)

    def source(self, place: str) -> Source:
        """Read them by the mapping beside this file."""
        return TabularSource(name="hours", path=place, mapping=str(HERE / "hours.toml"))

"""Items and worklogs with all the verbs, for any simulator.

A connector's world only says how its tool shows them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import msgspec

from hub.testing.kit.certification import SawNothing, World

START = datetime(2024, 3, 31, 0, 50, tzinfo=UTC)
"""Ten minutes before Europe's clocks go forward: stamps, offsets and days cross that hour."""
TITLES = (
    "Plain",
    "Été à Orléans",
    "日本語の課題",
    "🌞 emoji",
    "x" * 5000,
    "'; DROP TABLE task; --",
    "\u202eright to left",
)
HOURS = (0.25, 1.1, 7.5, -0.5, 1 / 3, 31.5)
"""A correction, thirds of an hour, and more than a day in one entry."""
PEOPLE = {"aB1": "Engineer 1", "Ab1": "Engineer 2", "7": "Engineer 3", "07": "Engineer 4"}
"""Ids that differ by case only, or by a nought: as texts they are different people."""


class Item(msgspec.Struct, kw_only=True):
    """A piece of work; *created* has the server's offset, *updated* is UTC."""

    native: int
    key: str
    container: str
    title: str
    hours: float
    done: bool
    created: str
    updated: str
    parent: int | None = None
    people: tuple[str, ...] = ()


class Log(msgspec.Struct, kw_only=True):
    """Hours on an item; *started* has the author's offset, *updated* is UTC."""

    native: int
    item: int
    started: str
    hours: float
    updated: str
    person: str | None = None


class Change(msgspec.Struct, kw_only=True):
    """A line of an item's history: its title became another at *at*."""

    native: int
    item: int
    before: str
    after: str
    at: str

    @property
    def updated(self) -> str:
        """Return the stamp: a line of history never changes."""
        return self.at


class Gone(msgspec.Struct, kw_only=True):
    """A worklog that was deleted at *at*."""

    native: int
    at: str


class Ledger(World):
    """Three containers, items in them, worklogs on them.

    *name* is the source's; ids and fields follow the usual mapping.

    *history* says that the tool keeps the changes of titles and that the connector takes them, *nested* that
    items lie under others, four deep, *staffed* that nobody, one or several are on an item and hours have an
    author or none. *first* is the number before the first row: beyond 2**53 ids are no floats any more.
    *absent_fields* are those of items that the tool lacks. *precision_s* is the finest step of a stamp. Where
    a connector maps otherwise, its world overrides `task_id`, `log_id`, `container_id`, `task_fields`,
    `log_fields` and the like.
    """

    name: ClassVar[str]
    history: ClassVar[bool] = False
    nested: ClassVar[bool] = False
    staffed: ClassVar[bool] = False
    first: ClassVar[int] = 100
    absent_fields: ClassVar[tuple[str, ...]] = ()
    precision_s: ClassVar[int] = 1
    hours: ClassVar[tuple[float, ...]] = HOURS
    count: ClassVar[int] = 45
    logged: ClassVar[int] = 50

    def __init__(self, seed: int, *, scale: int = 1) -> None:
        """Fill it."""
        super().__init__(seed, scale=scale)
        self.now = START
        self.containers = {
            str(number): f"Project {number}" for number in range(1, self.container_count() + 1)
        }
        self.hidden: set[str] = set()
        self.items: dict[int, Item] = {}
        self.logs: dict[int, Log] = {}
        self.changes: list[Change] = []
        self.gone: list[Gone] = []
        self.last = self.first
        self.persons = dict(PEOPLE) if self.staffed else {}
        for _ in range(self.count * scale):
            self.add()
        for number in range(self.logged * scale):
            self.log(self.random.choice(list(self.items)), number)
        for _ in range(5 if self.history else 0):
            self.edit()

    def container_count(self) -> int:
        """Return the number of containers."""
        return 3

    # ---------- its clock ----------

    def tick(self) -> str:
        """Let some seconds pass and return the stamp."""
        self.now += timedelta(seconds=self.random.randint(1, 40))
        return self._stamp(self.now)

    def _stamp(self, moment: datetime) -> str:
        return stamp(moment - timedelta(seconds=moment.second % self.precision_s))

    def local(self) -> str:
        """Return now with the server's offset: summer time from 31 March, 01:00 UTC."""
        hours = 2 if self.now >= datetime(2024, 3, 31, 1, tzinfo=UTC) else 1
        return (self.now + timedelta(hours=hours)).strftime(f"%Y-%m-%dT%H:%M:%S+0{hours}:00")

    # ---------- what may happen ----------

    def add(self) -> str:
        """Make an item."""
        return self._add(self.tick())

    def add_behind(self, seconds: int) -> str:
        """Make an item stamped before the newest."""
        newest = max(item.updated for item in self.items.values())
        return self._add(self._stamp(datetime.fromisoformat(newest) - timedelta(seconds=seconds)))

    def _add(self, updated: str) -> str:
        self.last += 1
        n = self.last
        self.items[n] = Item(
            native=n,
            key=f"KEY-{n}",
            container=self.random.choice(list(self.containers)),
            title=f"{TITLES[n % len(TITLES)]} {n}",
            hours=(n % 9) / 2,
            done=n % 4 == 0,
            created=self.local(),
            updated=updated,
            parent=n - 1 if self.nested and n % 5 and n - 1 in self.items else None,
            people=tuple(self.persons)[: n % 4] if n % 3 else tuple(self.persons)[2 : 2 + n % 4],
        )
        return str(n)

    def log(self, item: int, number: int) -> None:
        """Log hours near midnight on the days around the change of the clocks."""
        self.last += 1
        hour = ("23:30", "00:15", "10:00")[number % 3]
        self.logs[self.last] = Log(
            native=self.last, item=item, hours=self.hours[number % len(self.hours)], updated=self.tick(),
            started=f"2024-03-{28 + number % 4}T{hour}:00+0{2 if number % 2 else 1}:00",
            person=[*self.persons, None][number % (len(self.persons) + 1)],
        )  # fmt: skip

    def edit(self, native: str | None = None) -> str:
        """Change a title."""
        n = int(native) if native and int(native) in self.items else self.random.choice(list(self.items))
        item = self.items[n]
        before, item.title, item.updated = item.title, f"edited {self.random.random()}", self.tick()
        self.last += 1
        self.changes.append(
            Change(native=self.last, item=n, before=before, after=item.title, at=item.updated)
        )
        return str(n)

    def delete(self, native: str | None = None) -> str:
        """Delete an item and its worklogs; what lay under it lies under nothing."""
        n = int(native) if native else self.random.choice(list(self.items))
        self.items.pop(n, None)
        for item in self.items.values():
            if item.parent == n:
                item.parent, item.updated = None, self.tick()
        for one in [log.native for log in self.logs.values() if log.item == n]:
            del self.logs[one]
            self.gone.append(Gone(native=one, at=self.tick()))
        return str(n)

    def edit_log(self) -> None:
        """Change the hours of a worklog; its item's stamp stays as it is."""
        log = self.random.choice(list(self.logs.values()))
        log.hours, log.updated = self.random.randint(1, 32) / 4, self.tick()

    def delete_log(self) -> None:
        """Delete a worklog alone."""
        native = self.random.choice(list(self.logs))
        del self.logs[native]
        self.gone.append(Gone(native=native, at=self.tick()))

    def rename(self, native: str) -> None:
        """Return an item another key."""
        item = self.items[int(native)]
        item.key, item.updated = f"NEW-{native}", self.tick()

    def move(self, native: str) -> None:
        """Put an item into the next container."""
        item = self.items[int(native)]
        item.container, item.updated = str(int(item.container) % len(self.containers) + 1), self.tick()

    def rename_container(self) -> str:
        """Give the first container another name; nothing else of it shows the change."""
        native = next(iter(self.containers))
        self.containers[native] += " renamed"
        return native

    def rename_person(self) -> str:
        """Give somebody another name."""
        if not self.persons:
            raise SawNothing("its world has no rename_person")
        native = next(iter(self.persons))
        self.persons[native] += " renamed"
        return native

    def hide(self) -> tuple[str, list[str]]:
        """Hide the second container."""
        self.hidden.add("2")
        return "2", [self.task_id(item) for item in self.items.values() if item.container == "2"]

    def rows(self) -> list[str]:
        """Return the items' native ids."""
        return [str(n) for n in sorted(self.items)]

    def stored_id(self, native: str) -> str:
        """Return an item's id."""
        return self.task_id(self.items[int(native)])

    # ---------- what is seen ----------

    def seen(self) -> list[Item]:
        """Return the items that may be read, by id."""
        return [item for _, item in sorted(self.items.items()) if item.container not in self.hidden]

    def seen_logs(self) -> list[Log]:
        """Return the worklogs that may be read, by id."""
        seen = {item.native for item in self.seen()}
        return [log for _, log in sorted(self.logs.items()) if log.item in seen]

    def seen_changes(self) -> list[Change]:
        """Return the history that may be read, in order."""
        seen = {item.native for item in self.seen()}
        return [change for change in self.changes if change.item in seen]

    # ---------- the answer sheet ----------

    def task_id(self, item: Item) -> str:
        """Return the id of an item without the source's prefix."""
        return str(item.native)

    def log_id(self, log: Log) -> str:
        """Return the id of a worklog without the source's prefix."""
        return f"w{log.native}"

    def container_id(self, native: str) -> str:
        """Return the id of a container without the source's prefix."""
        return f"p{native}"

    def account_id(self, native: str) -> str:
        """Return the id of an account without the source's prefix."""
        return f"u{native}"

    def container_fields(self, native: str) -> dict[str, Any]:
        """Return the fields that the store must hold of a container."""
        return {"kind": "project", "name": self.containers[native]}

    def task_fields(self, item: Item) -> dict[str, Any]:
        """Return the fields that the store must hold of an item; the first of its people is its assignee."""
        found: dict[str, Any] = {}
        if self.staffed:
            found["assignee_id"] = f"{self.name}:{self.account_id(item.people[0])}" if item.people else None
        if self.nested:
            above = self.items.get(item.parent or 0)
            found["parent_id"] = f"{self.name}:{self.task_id(above)}" if above else None
        found |= {
            "title": item.title,
            "code": item.key,
            "container_id": f"{self.name}:{self.container_id(item.container)}",
            "estimate_s": round(item.hours * 3600),
            "status_native": "done" if item.done else "todo",
            "created_at": stamp(datetime.fromisoformat(item.created)),
            "updated_at": item.updated,
        }
        return {name: value for name, value in found.items() if name not in self.absent_fields}

    def log_fields(self, log: Log) -> dict[str, Any]:
        """Return the fields that the store must hold of a worklog: its day is the author's."""
        task = self.task_id(self.items[log.item])
        by = {"account_id": f"{self.name}:{self.account_id(log.person)}" if log.person else None}
        return (by if self.staffed else {}) | {
            "seconds": round(log.hours * 3600),
            "day": log.started[:10],
            "task_id": f"{self.name}:{task}",
        }

    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return containers, tasks, worklogs and, when it is kept, history."""
        found = {
            "container": {
                self.container_id(one): self.container_fields(one)
                for one in self.containers
                if one not in self.hidden
            },
            "task": {self.task_id(item): self.task_fields(item) for item in self.seen()},
            "worklog": {self.log_id(log): self.log_fields(log) for log in self.seen_logs()},
        }
        if self.staffed:
            found["account"] = {
                self.account_id(one): {"display_name": name} for one, name in self.persons.items()
            }
            found["assignment"] = {
                f"{self.task_id(item)}/{one}": {
                    "task_id": f"{self.name}:{self.task_id(item)}",
                    "account_id": f"{self.name}:{self.account_id(one)}",
                }
                for item in self.seen()
                for one in item.people
            }
        if self.history:
            found["task_change"] = {
                f"c{c.native}": {
                    "task_id": f"{self.name}:{self.task_id(self.items[c.item])}",
                    "field": "title",
                    "from_value": c.before,
                    "to_value": c.after,
                    "at": c.at,
                }
                for c in self.seen_changes()
            }
        return found


def stamp(moment: datetime) -> str:
    """Return an instant in UTC with Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def page(rows: Iterable[Any], *, after: int, size: int) -> list[Any]:
    """Return the next *size* rows whose native id is above *after*."""
    return sorted((row for row in rows if row.native > after), key=lambda row: row.native)[:size]

"""The certification of any mapping.

A simulator that answers as the mapping says its tool does, filled with rows of a sample. Beside ``tool.toml``
lie ``tool.sample.json``, rows as the tool documents them by the name of their list, and
``tool.expected.json``, written by hand: table, then id without the source's prefix, then the fields that the
store must hold. A row of a list that is asked for once per row of another has ``_each``, the variables it
belongs to; ``_check`` is what the tool answers to who is signed in.
"""

from __future__ import annotations

import copy
import itertools
import json
import re
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hub import BY_TABLE, ConfigError, Source
from hub.testing.kit import HttpWorld, SourceCertification, credential
from hub_rest.mapping import PREFIXES, Field, Wanted, endings, load, plain
from hub_rest.paging import key_of
from hub_rest.paths import expression, simple
from hub_rest.source import RestSource
from hub_rest.testing.simulator import ACCOUNT, BY_KEYS, PARAMS, USER, RestSite, get_at, like, set_at, stored

SOURCE = "rest"
ZONE = "Europe/Paris"
START = datetime(2024, 3, 30, 21, 0, tzinfo=UTC)
PAGE = 20
COUNT = 45


def certification_of(path: Path) -> SourceCertification | None:
    """Return the certification of a mapping, or None when the TOML is of another kind.

    Raises `ConfigError` saying what lacks.
    """
    if "[[list]]" not in path.read_text(encoding="utf-8-sig"):
        return None
    sample, sheet = path.with_name(f"{path.stem}.sample.json"), path.with_name(f"{path.stem}.expected.json")
    if not sample.exists() or not sheet.exists():
        raise ConfigError(
            f"To certify {path.name}, lay beside it {sample.name}, "
            f"rows as the tool sends them by the name of their list, and {sheet.name}: "
            "table, then id, then the fields that the store must hold."
        )
    return MappingCertification(path)


def _question(path: str) -> str:
    """Return the pattern of what is asked at *path*: nothing that is stored rests on the answer."""
    plain = re.sub(r"[0-9]+", "N", path.partition("?")[0])
    return re.sub(r"\\{.*?\\}", "[^ ]+", re.escape(plain)) + "$"


class MappingCertification(SourceCertification):
    """A mapping, its sample and its answer sheet."""

    def __init__(self, path: Path) -> None:
        """Read the files.

        Raises `ConfigError` for a main list that cannot be edited: its id, title and stamp must be plain
        paths.
        """
        self.path = path.resolve()
        self.mapping = load(str(self.path), path.parent)
        self.sample: dict[str, list[dict[str, Any]]] = json.loads(
            path.with_name(f"{path.stem}.sample.json").read_text(encoding="utf-8")
        )
        self.account: Any = self.sample.pop(ACCOUNT, {"id": 1})
        given: dict[str, str] = dict(self.sample.pop(PARAMS, {}))
        self.by_keys = tuple(self.sample.pop(BY_KEYS, ()))
        self.expected: dict[str, dict[str, dict[str, Any]]] = json.loads(
            path.with_name(f"{path.stem}.expected.json").read_text(encoding="utf-8")
        )
        self.kind = path.stem  # type: ignore[misc]
        self.params = dict.fromkeys(self.mapping.needs, SOURCE) | given
        made = [(one, record) for one in self.mapping.list for record in one.record]
        self.main = next(
            (
                pair
                for table in ("task", "worklog")
                for pair in made
                if pair[1].table == table and self.sample.get(pair[0].name)
            ),
            made[-1],
        )
        one = self.main[0]
        known = {
            name
            for name, yes in {
                "increments": bool(one.cursor or one.paging.resume),
                "deletions": one.deletes.kind != "none",
                "containers": self.box() is not None and len(self.sample.get(self.boxes() or "", [])) > 1,
                "worklogs": any(record.table == "worklog" for _, record in made),
            }.items()
            if yes
        }
        self.capabilities = frozenset(known)  # type: ignore[misc, arg-type]
        of_main = [record for record in one.record if record.table == self.main[1].table]
        self.splits = len(of_main) > 1 or bool(of_main[0].of or of_main[0].spread)  # type: ignore[misc]
        self.cannot = frozenset() if one.paging.total else frozenset({"counts"})  # type: ignore[misc]
        self.records = tuple({BY_TABLE[record.table]: None for _, record in made})  # type: ignore[misc]

        told = (self.mapping.token, self.mapping.auth.end, "" if self.mapping.account else self.mapping.check)
        self.spared = tuple(_question(path) for path in told if path)  # type: ignore[misc]

    def look(self, name: str, take: str, key: str) -> Any:
        """Look a key up in the sample."""
        one = next(other for other in self.mapping.list if other.name == name)
        row = next((row for row in self.sample.get(name, []) if key_of(one, row) == key), None)
        return expression(take)(row) if row is not None else None

    def field(self, name: str) -> Field | None:
        """Return the mapping of a field of the main record."""
        found = self.main[1].fields.get(name)
        return plain(found) if found is not None else None

    def box(self) -> list[str] | None:
        """Return the path of a row's container, where it is a plain one."""
        field = self.field("container_id")
        return simple(field.path) if field and field.path else None

    def boxes(self) -> str | None:
        """Return the name of the list of containers."""
        return next(
            (
                one.name
                for one in self.mapping.list
                for made in one.record
                if made.table == "container" and one is not self.main[0]
            ),
            None,
        )

    def world(self, seed: int, *, scale: int = 1) -> RestWorld:
        """Make the tool."""
        return RestWorld(self, seed, scale=scale)

    def source(self, place: str) -> Source:
        """Read it by the mapping, in small pages."""
        word = credential()
        auth = self.mapping.auth
        words: dict[str, Any] = (
            {"token": word, "app_token": word}
            if auth.kind != "oauth2"
            else {"client_id": USER, "client_secret": word}
        )
        return RestSource(
            name=SOURCE,
            url=place,
            mapping=str(self.path),
            user=USER if (auth.kind == "basic" and auth.user is None) or auth.body is not None else None,
            password=word if auth.body is not None else None,
            params=self.params,
            page_size=PAGE,
            tz=ZONE,
            max_leave=0.4,
            **words,
        )


class RestWorld(RestSite, HttpWorld):
    """Rows of the sample, those of the main list many times over."""

    def __init__(self, certification: MappingCertification, seed: int, *, scale: int = 1) -> None:
        """Fill it."""
        super().__init__(seed, scale=scale)
        self.certification, self.mapping, (self.one, self.made) = (
            certification,
            certification.mapping,
            certification.main,
        )
        self.main = self.made.table  # type: ignore[misc]
        self.account, self.by_keys = certification.account, certification.by_keys
        self.bin: list[dict[str, Any]] = []
        self.now, self.last, self.revision = START, 100, 0
        self.zone: tzinfo = ZoneInfo(ZONE) if self.mapping.tz == "source" else ZoneInfo(self.mapping.tz)
        self.hidden: set[str] = set()
        self.lists = {name: copy.deepcopy(rows) for name, rows in certification.sample.items()}
        self.base = self.lists.pop(self.one.name)
        self.rows_of: dict[str, tuple[dict[str, Any], int]] = {}
        self.feed: list[tuple[int, dict[str, Any]]] = []
        id_ = certification.field("id")
        names = {
            "id": simple(id_.path or "") if id_ else None,
            "title": self._path("title"),
            "stamp": simple(self.one.cursor.field) if self.one.cursor else self._path("updated_at"),
        }
        if names["id"] is None:
            raise ConfigError(
                f"{certification.path.name}: the id of {self.main} is no plain path; "
                "then a mapping cannot be certified."
            )
        self.paths = names
        # the rows of the sample itself: other rows name them, and the sheet says all of them
        self.fixed = [(copy.deepcopy(row), number) for number, row in enumerate(self.base)]
        for row, _ in self.fixed:
            self._touch(row, self.tick())
        for _ in range(COUNT * scale):
            self.add()

    def _path(self, name: str) -> list[str] | None:
        field = self.certification.field(name)
        return simple(field.path) if field and field.path else None

    # ---------- what may happen ----------

    def tick(self) -> datetime:
        """Let some seconds pass."""
        # where only the day of a change can be asked for, changes are hours apart
        days = self.one.cursor is not None and not any(
            part in self.one.cursor.format for part in ("%H", "epoch")
        )
        self.now += timedelta(seconds=self.random.randint(1, 40) * (1800 if days else 1))
        return self.now

    def add(self) -> str:
        """Make a row like one of the sample."""
        return self._add(self.tick())

    def add_behind(self, seconds: int) -> str:
        """Make a row stamped before the newest."""
        return self._add(self.now - timedelta(seconds=seconds))

    def _add(self, at: datetime) -> str:
        taken = {get_at(row, self.paths["id"]) for row in self.base}
        self.last = next(n for n in itertools.count(self.last + 1) if n not in taken)
        number = self.last % len(self.base)
        row = copy.deepcopy(self.base[number])
        example = get_at(row, self.paths["id"])
        native: Any = self.last if isinstance(example, int) else f"{example}-{self.last}"
        set_at(row, self.paths["id"], native)
        self.rows_of[f"{native}"] = (row, number)
        self._touch(row, at, f"row {native} été 🌞")
        return f"{native}"

    def _touch(self, row: dict[str, Any], at: datetime, title: str | None = None) -> None:
        if title and self.paths["title"]:
            set_at(row, self.paths["title"], title)
        if self.paths["stamp"]:
            set_at(row, self.paths["stamp"], like(get_at(row, self.paths["stamp"]), at.astimezone(self.zone)))
        self._log(row)

    def _log(self, row: dict[str, Any]) -> None:
        self.revision += 1
        if "rev" in row:
            row["rev"] = self.revision
        if self.one.paging.resume:
            self.feed.append((self.revision, copy.deepcopy(row)))

    def edit(self, native: str | None = None) -> str:
        """Change a title, or where there is none, an effort."""
        native = native if native in self.rows_of else self.random.choice(list(self.rows_of))
        row = self.rows_of[native][0]
        if (
            self.paths["title"] is None
            and (path := self._path("seconds"))
            and isinstance(get_at(row, path), int | float)
        ):
            set_at(row, path, self.random.randint(1, 9) * 900 / self._seconds_in_one())
        self._touch(row, self.tick(), f"edited {self.random.random()}")
        return native

    def _seconds_in_one(self) -> float:
        """Return the seconds of one of what efforts are written in."""
        field = self.certification.field("seconds")
        return {"hours": 3600, "minutes": 60, "milliseconds": 0.001}.get((field and field.unit) or "", 1)

    def delete(self, native: str | None = None) -> str:
        """Take a row away, or set the flag that says so."""
        native = native if native in self.rows_of else self.random.choice(list(self.rows_of))
        row, _ = self.rows_of.pop(native)
        flag = self.one.deletes.field or self.one.deletes.trashed
        if flag and (path := simple(flag)):
            set_at(row, path, True)
            self._touch(row, self.tick())
            if self.one.deletes.kind == "probe":
                self.bin.append(row)
            elif not self.one.paging.resume:
                self.lists.setdefault("_trash", []).append(row)
        return native

    def destroy(self, native: str) -> None:
        """Take a row away without a trace: no feed tells of it any more."""
        row, _ = self.rows_of.pop(native)
        mine = get_at(row, self.paths["id"])
        self.feed = [pair for pair in self.feed if get_at(pair[1], self.paths["id"]) != mine]

    def binned(self, one: Wanted) -> list[dict[str, Any]]:
        """Return the rows that lie in the bin."""
        return self.bin if one is self.one else []

    def move(self, native: str) -> None:
        """Put a row into another container."""
        row, _ = self.rows_of[native]
        here, there = (
            get_at(row, self.certification.box()),
            [one for one in self._boxes() if one != self._box_of(row)],
        )
        set_at(
            row,
            self.certification.box(),
            re.sub(r"[^/]+$", there[0], here)
            if isinstance(here, str) and "/" in here
            else type(here)(there[0]),
        )
        self._touch(row, self.tick())

    def hide(self) -> tuple[str, list[str]]:
        """Take one container out of sight, with what is in it."""
        box = self._boxes()[-1]
        self.hidden.add(box)
        return box, [
            self.stored_id(native) for native, (row, _) in self.rows_of.items() if self._box_of(row) == box
        ]

    def _boxes(self) -> list[str]:
        one = next(one for one in self.mapping.list if one.name == self.certification.boxes())
        return [
            f"{expression(plain(one.record[0].fields['id']).path or '')(row)}" for row in self.lists[one.name]
        ]

    def _box_of(self, row: dict[str, Any]) -> str:
        path = self.certification.box()
        return f"{get_at(row, path)}".rsplit("/", 1)[-1] if path else ""

    def rows(self) -> list[str]:
        """Return the ids of the main rows."""
        return list(self.rows_of)

    def stored_id(self, native: str) -> str:
        """Return the id of a main row without the source's prefix."""
        field = self.certification.field("id")
        return f"{PREFIXES[self.main]}{field.prefix if field else ''}{native}"

    def requests(self) -> int:
        """Return the plan of a full reading and its census.

        The pages of each list, twice, one for what ends them, and signing in.
        """
        main = len(self.fixed) + len(self.rows_of) + len(self.feed)
        rows = [main, *(len(rows) for rows in self.lists.values())]
        return 4 + 2 * sum(2 + count // PAGE for count in rows)

    # ---------- what is seen ----------

    def shown(self, one: Wanted) -> list[dict[str, Any]]:
        """Return the rows of a list that are not out of sight."""
        if one is self.one:
            rows = [row for row, _ in [*self.fixed, *self.rows_of.values()]] + self.lists.get("_trash", [])
            return [row for row in rows if self._box_of(row) not in self.hidden] if self.hidden else rows
        if one.name == self.one.deletes.list:  # another list of the same rows, by their ids alone
            return [
                {one.key: get_at(row, self.paths["id"])}
                for row, _ in [*self.fixed, *self.rows_of.values()]
                if self._box_of(row) not in self.hidden
            ]
        rows = self.lists.get(one.name, [])
        if one.name == self.certification.boxes():
            find = expression(plain(one.record[0].fields["id"]).path or "")
            return [row for row in rows if f"{find(row)}" not in self.hidden]
        boxed = next(
            (plain(made.fields["container_id"]).path for made in one.record if "container_id" in made.fields),
            None,
        )
        if boxed:
            return [row for row in rows if f"{expression(boxed)(row)}".rsplit("/", 1)[-1] not in self.hidden]
        return rows

    def later(self, one: Wanted, mark: int) -> list[tuple[int, dict[str, Any]]]:
        """Return what was logged after *mark*."""
        return [
            (number, row)
            for number, row in self.feed
            if number > mark and self._box_of(row) not in self.hidden
        ]

    # ---------- the answer sheet ----------

    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return what the sheet says of the sample, of its main rows once for each that was made of them."""
        others = {made.table for one in self.mapping.list for made in one.record if one is not self.one}
        found = {
            table: {
                id_: fields
                for id_, fields in rows.items()
                if table != "container" or self._native_box(id_) not in self.hidden
            }
            for table, rows in self.certification.expected.items()
            if table in others - {self.main}
        }
        mine = self.certification.expected.get(self.main, {})
        parts = endings(self.one)  # what else a row becomes
        bases = {
            f"{self.stored_id(get_at(row, self.paths['id']))}{part}" for row in self.base for part in parts
        }
        found[self.main] = {id_: fields for id_, fields in mine.items() if id_ not in bases}
        for row, _ in self.fixed:
            for part in parts if self._box_of(row) not in self.hidden else ():
                id_ = f"{self.stored_id(get_at(row, self.paths['id']))}{part}"
                if id_ in mine:
                    found[self.main][id_] = mine[id_] | self._stamped(mine[id_], row)
        for native, (row, number) in self.rows_of.items():
            if self._box_of(row) in self.hidden:
                continue
            base = self.stored_id(f"{get_at(self.base[number], self.paths['id'])}")
            for part in parts[1:]:
                if f"{base}{part}" in mine:
                    found[self.main][f"{self.stored_id(native)}{part}"] = {
                        name: value for name, value in mine[f"{base}{part}"].items() if name != "updated_at"
                    }
            fields = dict(mine.get(base, {}))
            fields = {name: value for name, value in fields.items() if name not in {"code", "url"}}
            if self.paths["title"]:
                fields["title"] = get_at(row, self.paths["title"])
            fields |= self._stamped(fields, row)
            if (
                "seconds" in fields
                and self.paths["title"] is None
                and (path := self._path("seconds"))
                and isinstance(get_at(row, path), int | float)
            ):
                fields["seconds"] = round(get_at(row, path) * self._seconds_in_one())
            box = self.certification.field("container_id")
            if self.certification.box() and box and "container_id" in fields:
                fields["container_id"] = f"{SOURCE}:{PREFIXES['container']}{box.prefix}{self._box_of(row)}"
                if self._box_of(row) != self._box_of(
                    self.base[number]
                ):  # what an expression makes of it is not on the sheet
                    told = {name: plain(one).path for name, one in self.made.fields.items()}
                    fields = {
                        name: value
                        for name, value in fields.items()
                        if not told.get(name) or simple(told[name] or "")
                    }
            found[self.main][self.stored_id(native)] = fields
        for table in {made.table for made in self.one.record} - {self.main}:
            found[table] = found.get(table, {}) | self._beside(table)
        return found

    def _beside(self, table: str) -> dict[str, dict[str, Any]]:
        """Return what else the main rows become: on the sheet its ids name theirs, or nobody's."""
        sheet = self.certification.expected.get(table, {})
        ids = [f"{get_at(one, self.paths['id'])}" for one in self.base]
        named = {one: _naming(one) for one in ids}
        prefix = len(PREFIXES[table])
        found = {
            id_: fields for id_, fields in sheet.items()
            if not any(own.search(id_[prefix:]) for own in named.values())
        }  # fmt: skip
        for row, number in [*self.fixed, *self.rows_of.values()]:
            own = named[f"{get_at(self.base[number], self.paths['id'])}"]
            native = f"{get_at(row, self.paths['id'])}"
            if self._box_of(row) in self.hidden:
                continue
            for id_, fields in sheet.items():
                if own.search(id_[prefix:]):
                    found[id_[:prefix] + own.sub(native, id_[prefix:])] = {
                        name: own.sub(native, value) if isinstance(value, str) else value
                        for name, value in fields.items()
                    }
        return found

    def _stamped(self, fields: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
        """Return the stamp of the last change as the store must hold it, where the sheet says one."""
        if "updated_at" not in fields or not self.paths["stamp"]:
            return {}
        return {"updated_at": stored(get_at(row, self.paths["stamp"]), self.zone)}

    def _native_box(self, id_: str) -> str:
        """Return the native id of a container by the store's."""
        return id_.removeprefix(PREFIXES["container"])


def _naming(native: object) -> re.Pattern[str]:
    """Return what finds an id in a longer text, where it is not a part of another word."""
    return re.compile(rf"(?<![\w-]){re.escape(str(native))}(?!\w)")

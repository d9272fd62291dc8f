"""The exam of any mapping: a stand-in that answers as the mapping says its tool does, filled with rows of a sample.

Beside ``tool.toml`` lie ``tool.sample.json``, rows as the tool documents them by the name of their list, and ``tool.expected.json``, written by hand:
table, then id without the source's prefix, then the fields that the store must hold. A row of a list that is asked for once per row of another has
``_each``, the variables it belongs to.
"""

from __future__ import annotations

import base64
import copy
import json
import re
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hub import BY_TABLE, ConfigError, Source
from hub.testing.kit import SECRET, Exam, HttpWorld, Request, Response, credential
from hub_rest.mapping import NAME, PREFIXES, Field, Wanted, expression, load, plain, simple
from hub_rest.source import RestSource

SOURCE = "rest"
ZONE = "Europe/Paris"
USER = "kit"
START = datetime(2024, 3, 30, 21, 0, tzinfo=UTC)
PAGE = 20
COUNT = 45


def exam_of(path: Path) -> Exam | None:
    """Give the exam of a mapping, or None when the TOML is of another kind. Raises `ConfigError` saying what lacks."""
    if "[[list]]" not in path.read_text(encoding="utf-8-sig"):
        return None
    sample, sheet = path.with_name(f"{path.stem}.sample.json"), path.with_name(f"{path.stem}.expected.json")
    if not sample.exists() or not sheet.exists():
        raise ConfigError(
            f"To certify {path.name}, lay beside it {sample.name}, rows as the tool sends them by the name of their list, and {sheet.name}: "
            "table, then id, then the fields that the store must hold."
        )
    return MappingExam(path)


class MappingExam(Exam):
    """A mapping, its sample and its answer sheet."""

    def __init__(self, path: Path) -> None:
        """Read the files. Raises `ConfigError` for a main list that cannot be edited: its id, title and stamp must be plain paths."""
        self.path = path.resolve()
        self.mapping = load(str(self.path), path.parent)
        self.sample: dict[str, list[dict[str, Any]]] = json.loads(
            path.with_name(f"{path.stem}.sample.json").read_text(encoding="utf-8")
        )
        self.expected: dict[str, dict[str, dict[str, Any]]] = json.loads(
            path.with_name(f"{path.stem}.expected.json").read_text(encoding="utf-8")
        )
        self.kind = path.stem  # type: ignore[misc]
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
        known = {name for name, yes in {
            "increments": bool(one.cursor or one.paging.resume), "deletions": one.deletes.kind != "none",
            "containers": self.box() is not None and len(self.sample.get(self.boxes() or "", [])) > 1,
            "worklogs": any(record.table == "worklog" for _, record in made),
        }.items() if yes}  # fmt: skip
        self.capabilities = frozenset(known)  # type: ignore[misc, arg-type]
        self.cannot = frozenset() if one.paging.total else frozenset({"counts"})  # type: ignore[misc]
        self.records = tuple({BY_TABLE[record.table]: None for _, record in made})  # type: ignore[misc]

    def field(self, name: str) -> Field | None:
        """Give the mapping of a field of the main record."""
        found = self.main[1].fields.get(name)
        return plain(found) if found is not None else None

    def box(self) -> list[str] | None:
        """Give the path of a row's container, where it is a plain one."""
        field = self.field("container_id")
        return simple(field.path) if field and field.path else None

    def boxes(self) -> str | None:
        """Give the name of the list of containers."""
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
            {"token": word, "app_token": word} if auth.kind != "oauth2" else {"client_id": USER, "client_secret": word}
        )
        return RestSource(
            name=SOURCE, url=place, mapping=str(self.path), user=USER if auth.kind == "basic" and auth.user is None else None, params=dict.fromkeys(self.mapping.needs, SOURCE),
            page_size=PAGE, tz=ZONE, max_leave=0.4, **words,
        )  # fmt: skip


class RestWorld(HttpWorld):
    """Rows of the sample, those of the main list many times over."""

    def __init__(self, exam: MappingExam, seed: int, *, scale: int = 1) -> None:
        """Fill it."""
        super().__init__(seed, scale=scale)
        self.exam, self.mapping, (self.one, self.made) = exam, exam.mapping, exam.main
        self.main = self.made.table  # type: ignore[misc]
        self.now, self.last, self.revision = START, 100, 0
        self.zone: tzinfo = ZoneInfo(ZONE) if self.mapping.tz == "source" else ZoneInfo(self.mapping.tz)
        self.hidden: set[str] = set()
        self.lists = {name: copy.deepcopy(rows) for name, rows in exam.sample.items()}
        self.base = self.lists.pop(self.one.name)
        self.rows_of: dict[str, tuple[dict[str, Any], int]] = {}
        self.feed: list[tuple[int, dict[str, Any]]] = []
        id_ = exam.field("id")
        names = {
            "id": simple(id_.path or "") if id_ else None,
            "title": self._path("title"),
            "stamp": simple(self.one.cursor.field) if self.one.cursor else self._path("updated_at"),
        }
        if names["id"] is None:
            raise ConfigError(
                f"{exam.path.name}: the id of {self.main} is no plain path; then a mapping cannot be certified."
            )
        self.paths = names
        for _ in range(COUNT * scale):
            self.add()

    def _path(self, name: str) -> list[str] | None:
        field = self.exam.field(name)
        return simple(field.path) if field and field.path else None

    # ---------- what may happen ----------

    def tick(self) -> datetime:
        """Let some seconds pass."""
        # where only the day of a change can be asked for, changes are hours apart
        days = self.one.cursor is not None and not any(part in self.one.cursor.format for part in ("%H", "epoch"))
        self.now += timedelta(seconds=self.random.randint(1, 40) * (1800 if days else 1))
        return self.now

    def add(self) -> str:
        """Make a row like one of the sample."""
        return self._add(self.tick())

    def add_behind(self, seconds: int) -> str:
        """Make a row stamped before the newest."""
        return self._add(self.now - timedelta(seconds=seconds))

    def _add(self, at: datetime) -> str:
        self.last += 1
        number = self.last % len(self.base)
        row = copy.deepcopy(self.base[number])
        example = _get(row, self.paths["id"])
        native: Any = self.last if isinstance(example, int) else f"{example}-{self.last}"
        _set(row, self.paths["id"], native)
        self.rows_of[f"{native}"] = (row, number)
        self._touch(row, at, f"row {native} été 🌞")
        return f"{native}"

    def _touch(self, row: dict[str, Any], at: datetime, title: str | None = None) -> None:
        if title and self.paths["title"]:
            _set(row, self.paths["title"], title)
        if self.paths["stamp"]:
            _set(row, self.paths["stamp"], _like(_get(row, self.paths["stamp"]), at.astimezone(self.zone)))
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
        if self.paths["title"] is None and (path := self._path("seconds")) and isinstance(_get(row, path), int | float):
            _set(row, path, self.random.randint(1, 9) * 900)
        self._touch(row, self.tick(), f"edited {self.random.random()}")
        return native

    def delete(self, native: str | None = None) -> str:
        """Take a row away, or set the flag that says so."""
        native = native if native in self.rows_of else self.random.choice(list(self.rows_of))
        row, _ = self.rows_of.pop(native)
        if self.one.deletes.field and (path := simple(self.one.deletes.field)):
            _set(row, path, True)
            self._touch(row, self.tick())
            if not self.one.paging.resume:
                self.lists.setdefault("_trash", []).append(row)
        return native

    def move(self, native: str) -> None:
        """Put a row into another container."""
        row, _ = self.rows_of[native]
        here, there = _get(row, self.exam.box()), [one for one in self._boxes() if one != self._box_of(row)]
        _set(
            row,
            self.exam.box(),
            re.sub(r"[^/]+$", there[0], here) if isinstance(here, str) and "/" in here else type(here)(there[0]),
        )
        self._touch(row, self.tick())

    def hide(self) -> tuple[str, list[str]]:
        """Take one container out of sight, with what is in it."""
        box = self._boxes()[-1]
        self.hidden.add(box)
        return box, [self.stored_id(native) for native, (row, _) in self.rows_of.items() if self._box_of(row) == box]

    def _boxes(self) -> list[str]:
        one = next(one for one in self.mapping.list if one.name == self.exam.boxes())
        return [f"{expression(plain(one.record[0].fields['id']).path or '')(row)}" for row in self.lists[one.name]]

    def _box_of(self, row: dict[str, Any]) -> str:
        path = self.exam.box()
        return f"{_get(row, path)}".rsplit("/", 1)[-1] if path else ""

    def rows(self) -> list[str]:
        """Give the ids of the main rows."""
        return list(self.rows_of)

    def stored_id(self, native: str) -> str:
        """Give the id of a main row without the source's prefix."""
        field = self.exam.field("id")
        return f"{PREFIXES[self.main]}{field.prefix if field else ''}{native}"

    def requests(self) -> int:
        """Give the plan of a full reading and its census: the pages of each list, twice, one for what ends them, and signing in."""
        rows = [len(self.rows_of) + len(self.feed), *(len(rows) for rows in self.lists.values())]
        return 4 + 2 * sum(2 + count // PAGE for count in rows)

    # ---------- answering ----------

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        if refused := self._refused(request):
            return refused
        for one in self.mapping.list:
            if (found := self._asked(one, request)) is not None:
                return self._listed(one, found, request)
        for one in self.mapping.list:
            if one.deletes.probe and (match := _regex(one.deletes.probe).fullmatch(request.path)):
                return self._probed(one, match["id"])
        if self.mapping.check and request.path == f"/{self.mapping.check.lstrip('/').partition('?')[0]}":
            return Response(body={"id": 1})
        return Response(status=404, body={"message": "no such thing"})

    def _refused(self, request: Request) -> Response | None:
        auth, headers = self.mapping.auth, request.headers
        basic = "Basic " + base64.b64encode(f"{auth.user if auth.user is not None else USER}:{SECRET}".encode()).decode()
        if auth.kind in {"oauth2", "session"} and request.path == f"/{(auth.url or '').lstrip('/')}":
            body = dict(part.split("=") for part in request.body.decode().split("&") if "=" in part)
            good = (
                body.get("client_secret") == SECRET
                if auth.kind == "oauth2"
                else any(SECRET in value for value in headers.values())
            )
            return Response(body={auth.token or "access_token": SECRET}) if good else Response(status=401)
        wanted = {"basic": ("authorization", basic), "bearer": ("authorization", f"Bearer {SECRET}"), "oauth2": ("authorization", f"Bearer {SECRET}"),
                  "header": ((auth.header or "").lower(), SECRET), "session": ((auth.header or "").lower(), SECRET)}.get(auth.kind)  # fmt: skip
        return Response(status=401, body={"message": "sign in"}) if wanted and headers.get(wanted[0]) != wanted[1] else None

    def _asked(self, one: Wanted, request: Request) -> dict[str, str] | None:
        """Give the variables of a request for a list, or None when it is for something else."""
        match = _regex(one.path).fullmatch(request.path)
        if match is None or request.method != one.method:
            return None
        found = dict(match.groupdict())
        body = json.loads(request.body) if one.body is not None and request.body else {}
        given = [(one.params | one.incremental).get(name) for name in request.query]
        pairs = list(zip(given, request.query.values(), strict=True)) + (_pairs(one.body, body) if one.body else [])
        pairs += [
            (one.params[name], value)
            for name, value in request.query.items()
            if name in one.params and name in one.incremental
        ]
        for template, value in pairs:
            if template and (inside := _regex(template).fullmatch(value)):
                found |= inside.groupdict()
        return found

    def _visible(self, one: Wanted) -> list[dict[str, Any]]:
        if one is self.one:
            rows = [row for row, _ in self.rows_of.values()] + self.lists.get("_trash", [])
            return [row for row in rows if self._box_of(row) not in self.hidden]
        rows = self.lists.get(one.name, [])
        if one.name == self.exam.boxes():
            find = expression(plain(one.record[0].fields["id"]).path or "")
            return [row for row in rows if f"{find(row)}" not in self.hidden]
        boxed = next((plain(made.fields["container_id"]).path for made in one.record if "container_id" in made.fields), None)
        if boxed:
            return [row for row in rows if f"{expression(boxed)(row)}".rsplit("/", 1)[-1] not in self.hidden]
        return rows

    def _listed(self, one: Wanted, found: dict[str, str], request: Request) -> Response:
        rows = self._visible(one)
        own = set(one.each.set) if one.each else set()
        rows = [
            row for row in rows if all(f"{row.get('_each', {}).get(name)}" == found[name] for name in own & found.keys())
        ]
        if one.cursor and found.get("since"):
            since = _read(found["since"], one.cursor.format)
            find = expression(one.cursor.field)
            grain = 86400 if "%H" not in one.cursor.format and "epoch" not in one.cursor.format else 1
            rows = [
                row
                for row in rows
                if datetime.fromisoformat(_stored(find(row), self.zone)).timestamp() // grain >= since.timestamp() // grain
            ]
        paging, size = one.paging, min(int(found.get("size") or request.query.get("_size") or PAGE), PAGE)
        if paging.resume:
            after = int(found.get("token") or 0)
            later = [(number, row) for number, row in self.feed if number > after and self._box_of(row) not in self.hidden]
            page = [row for _, row in later[:size]]
            return self._shown(
                one,
                page,
                len(later),
                more=len(later) > size,
                token=str(later[:size][-1][0]) if later else str(after),
                request=request,
            )
        start = int(found.get("offset") or 0) if paging.kind == "offset" else 0
        if paging.kind == "page":
            start = (int(found.get("page") or paging.first) - paging.first) * size
        elif paging.kind in {"token", "next", "link"}:
            start = int(found.get("token") or request.query.get("next_from") or 0)
        elif paging.kind == "none":
            size = len(rows)
        page = rows[start : start + size]
        return self._shown(one, page, len(rows), more=start + size < len(rows), token=str(start + size), request=request)

    def _shown(
        self, one: Wanted, page: list[dict[str, Any]], total: int, *, more: bool, token: str, request: Request
    ) -> Response:
        paging = one.paging
        page = [{key: value for key, value in row.items() if key != "_each"} for row in page]
        body: Any = page
        if one.rows:
            body = {}
            _set(body, simple(one.rows), page)
        headers: dict[str, str] = {}
        if paging.total and paging.total.startswith("header:"):
            name = paging.total.removeprefix("header:")
            headers[name] = f"0-{len(page)}/{total}" if name == "Content-Range" else str(total)
        elif paging.total:
            _set(body, simple(paging.total), total)
        search = re.sub(r"(?:^|&)next_from=\d+", "", request.search)
        address = f"http://{request.headers['host']}{request.path}?{search}{'&' if search else ''}next_from={token}"
        if paging.kind == "link" and more:
            headers["Link"] = f'<{address}>; rel="next", <http://{request.headers["host"]}{request.path}>; rel="first"'
        if paging.next and (more or paging.resume or paging.more or paging.end):
            _set(body, simple(paging.next), token if paging.kind == "token" else address)
        if paging.end:
            _set(body, simple(paging.end), not more)
        if paging.more:
            _set(body, simple(paging.more), more)
        return Response(body=body, headers=headers)

    def _probed(self, one: Wanted, native: str) -> Response:
        find = expression(one.key)
        row = next((row for row in self._visible(one) if f"{find(row)}" == native), None)
        return Response(body=row) if row is not None else Response(status=404, body={"message": "not found"})

    # ---------- the answer sheet ----------

    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Give what the sheet says of the sample, of its main rows once for each that was made of them."""
        others = {made.table for one in self.mapping.list for made in one.record if one is not self.one} - {
            self.main,
            "container",
        }
        found = {table: dict(rows) for table, rows in self.exam.expected.items() if table in others}
        mine = self.exam.expected.get(self.main, {})
        bases = {self.stored_id(f"{_get(row, self.paths['id'])}") for row in self.base}
        found[self.main] = {id_: fields for id_, fields in mine.items() if id_ not in bases}
        for native, (row, number) in self.rows_of.items():
            if self._box_of(row) in self.hidden:
                continue
            fields = dict(mine.get(self.stored_id(f"{_get(self.base[number], self.paths['id'])}"), {}))
            fields = {name: value for name, value in fields.items() if name not in {"code", "url"}}
            if self.paths["title"]:
                fields["title"] = _get(row, self.paths["title"])
            if "updated_at" in fields and self.paths["stamp"]:
                fields["updated_at"] = _stored(_get(row, self.paths["stamp"]), self.zone)
            if (
                "seconds" in fields
                and self.paths["title"] is None
                and (path := self._path("seconds"))
                and isinstance(_get(row, path), int | float)
            ):
                fields["seconds"] = _get(row, path)
            box = self.exam.field("container_id")
            if self.exam.box() and box and "container_id" in fields:
                fields["container_id"] = f"{SOURCE}:{PREFIXES['container']}{box.prefix}{self._box_of(row)}"
                if self._box_of(row) != self._box_of(
                    self.base[number]
                ):  # what an expression makes of it is not on the sheet
                    told = {name: plain(one).path for name, one in self.made.fields.items()}
                    fields = {
                        name: value for name, value in fields.items() if not told.get(name) or simple(told[name] or "")
                    }
            found[self.main][self.stored_id(native)] = fields
        return found


def _regex(template: str) -> re.Pattern[str]:
    """Turn a path or parameter with variables into what finds them again."""
    parts = NAME.split(template)
    return re.compile("".join(f"(?P<{part}>[^/]*?)" if number % 2 else re.escape(part) for number, part in enumerate(parts)))


def _pairs(template: Any, value: Any) -> list[tuple[str | None, str]]:
    if isinstance(template, dict) and isinstance(value, dict):
        return [pair for name, one in template.items() if name in value for pair in _pairs(one, value[name])]
    return [(template, f"{value}")] if isinstance(template, str) else []


def _get(row: Any, path: list[str] | None) -> Any:
    for name in path or []:
        row = row.get(name) if isinstance(row, dict) else None
    return row


def _set(row: dict[str, Any], path: list[str] | None, value: Any) -> None:
    assert path is not None
    for name in path[:-1]:
        row = row.setdefault(name, {})
    row[path[-1]] = value


def _like(example: Any, at: datetime) -> Any:
    """Write a stamp as the sample does."""
    if isinstance(example, int):
        return int(at.timestamp() * (1000 if example > 1e11 else 1))
    text = f"{example}"
    if "T" not in text:
        return f"{at:%Y-%m-%d %H:%M:%S}"
    fraction = ".000" if "." in text else ""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}{fraction}" + ("Z" if text.endswith("Z") else "+00:00")


def _stored(value: Any, zone: tzinfo) -> str:
    if isinstance(value, int):
        moment = datetime.fromtimestamp(value / (1000 if value > 1e11 else 1), UTC)
    else:
        moment = datetime.fromisoformat(f"{value}")
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _read(text: str, form: str) -> datetime:
    if form.startswith("epoch"):
        return datetime.fromtimestamp(int(text) / (1000 if form == "epoch_ms" else 1), UTC)
    return datetime.strptime(text, form).replace(tzinfo=UTC)

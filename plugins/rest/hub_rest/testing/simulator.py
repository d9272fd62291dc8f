"""A tool that answers as a mapping says it does.

Signing in, lists with their filters and pages, single rows.
"""

from __future__ import annotations

import base64
import copy
import itertools
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from hub import Account, Container, Record, Task
from hub.testing.kit import SECRET, Request, Response, Simulator
from hub_rest import mappings
from hub_rest.mapping import ABOVE, NAME, Mapping, Wanted, load, plain
from hub_rest.paths import expression, simple
from hub_rest.tool import merged

USER = "kit"
ACCOUNT = "_check"
"""Where a sample says what the tool answers to the question who is signed in."""


PARAMS = "_params"
"""Where a sample says what the source is given; else each param that a mapping needs is ``rest``."""
BY_KEYS = "_cursors_by_keys"
"""Where a sample names the lists whose cursors name a row."""


class RestSite(ABC):
    """Answers for *mapping*; stamps without a zone are in *zone*, a page has *cap* rows at most."""

    mapping: Mapping
    zone: tzinfo
    cap = 20
    account: Any
    """What it answers to the question who is signed in."""
    by_keys: tuple[str, ...] = ()
    """The lists whose cursors name a row, as their tool documents, and not how many came before."""

    @abstractmethod
    def shown(self, one: Wanted) -> list[dict[str, Any]]:
        """Return the rows of a list that may be seen; ``_each`` are the variables that a row belongs to."""

    def later(self, one: Wanted, mark: int) -> list[tuple[int, dict[str, Any]]]:
        """Return the numbered rows of a list that is a feed, after *mark*."""
        return []

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        if refused := self._refused(request):
            return refused
        if self.mapping.auth.end and request.path == self.mapping.auth.end:
            return Response(body={})
        for one in self.mapping.list:
            if (found := self._asked(one, request)) is not None:
                return self._listed(one, found, request)
        if self.mapping.check and request.path == f"/{self.mapping.check.lstrip('/').partition('?')[0]}":
            return Response(body=self.account)
        for one in self.mapping.list:
            if one.deletes.probe and (match := _regex(one.deletes.probe).fullmatch(request.path)):
                return self._probed(one, match["id"])
        return Response(status=404, body={"message": "no such thing"})

    def _refused(self, request: Request) -> Response | None:
        auth, headers = self.mapping.auth, request.headers
        user = USER if auth.user is None else auth.user.replace("{token}", SECRET)
        word = SECRET if auth.password is None else auth.password
        basic = "Basic " + base64.b64encode(f"{user}:{word}".encode()).decode()
        if auth.kind == "session" and auth.body is not None:
            return self._signed_in(request)
        if auth.kind in {"oauth2", "session"} and request.path == f"/{(auth.url or '').lstrip('/')}":
            body = dict(part.split("=") for part in request.body.decode().split("&") if "=" in part)
            good = (
                body.get("client_secret") == SECRET
                if auth.kind == "oauth2"
                else any(SECRET in value for value in headers.values())
            )
            return Response(body={auth.token or "access_token": SECRET}) if good else Response(status=401)
        wanted = {
            "basic": ("authorization", basic),
            "bearer": ("authorization", f"Bearer {SECRET}"),
            "oauth2": ("authorization", f"Bearer {SECRET}"),
            "header": ((auth.header or "").lower(), SECRET),
            "session": ((auth.header or "").lower(), SECRET),
        }.get(auth.kind)
        return (
            Response(status=401, body={"message": "sign in"})
            if wanted and headers.get(wanted[0]) != wanted[1]
            else None
        )

    def _signed_in(self, request: Request) -> Response | None:
        """Answer the question that signs in by a body; None for another one that bears what that gave."""
        auth = self.mapping.auth
        if auth.encoding == "form":
            return self._signed_in_by_form(request)
        asked = json.loads(request.body) if request.body else {}
        found: dict[str, Any] = {}
        if request.path == f"/{(auth.url or '').lstrip('/')}" and _fits(auth.body, asked, found):
            body: dict[str, Any] = {}
            set_at(body, simple(auth.token or ""), SECRET if found.get("password") == SECRET else False)
            return Response(body=body)
        given = f"{asked} {request.headers.get((auth.header or '').lower())}"
        return None if SECRET in given else Response(status=401)

    def _signed_in_by_form(self, request: Request) -> Response | None:
        """Answer a form that signs in with user and password in a header."""
        auth, sent = self.mapping.auth, request.headers.get("authorization")
        if request.path != f"/{(auth.url or '').lstrip('/').partition('?')[0]}":
            return None if sent == f"{auth.scheme} {SECRET}".strip() else Response(status=401)
        basic = base64.b64encode(f"{USER}:{SECRET}".encode()).decode()
        told = {name.replace("{host}", request.headers["host"]) for name in (auth.url or "").split("?")[1:]}
        if sent != f"Basic {basic}" or dict(parse_qsl(request.body.decode())) != auth.body:
            return Response(status=401)
        if told and f"{request.search}".replace("%3A", ":").replace("%2F", "/") not in told:
            return Response(status=400, body={"message": "another scope"})
        return Response(body={auth.token or "": SECRET})

    def _asked(self, one: Wanted, request: Request) -> dict[str, str] | None:
        """Return the variables of a request for a list, or None when it is for something else."""
        match = _regex(one.path).fullmatch(request.path)
        if match is None or request.method != one.method:
            return None
        for name, value in request.query.items():
            # two lists of one path differ by what is always asked
            told = [template for made in (one.params, one.incremental) if (template := made.get(name))]
            if told and not any(_regex(template).fullmatch(value) for template in told):
                return None
        found: dict[str, Any] = dict(match.groupdict())
        given = [(one.params | one.incremental).get(name) for name in request.query]
        pairs = list(zip(given, request.query.values(), strict=True))
        pairs += [
            (one.params[name], value)
            for name, value in request.query.items()
            if name in one.params and name in one.incremental
        ]
        for template, value in pairs:
            if template and (inside := _regex(template).fullmatch(value)):
                found |= inside.groupdict()
        if one.body is not None:
            form = {name: _parsed(value) for name, value in parse_qsl(request.body.decode())}
            body = json.loads(request.body or "{}") if one.encoding == "json" else form
            if not _fits(merged(one.body, one.incremental_body or {}), body, found):
                return None
        return found

    def _listed(self, one: Wanted, found: dict[str, str], request: Request) -> Response:
        rows = self.shown(one)
        own = set(one.each.set) if one.each else set()
        rows = [
            row
            for row in rows
            if all(f"{row.get('_each', {}).get(name)}" == f"{found[name]}" for name in own & found.keys())
        ]
        if one.cursor and found.get("since"):
            since = _read(found["since"], one.cursor.format)
            find = expression(one.cursor.field)
            grain = 86400 if "%H" not in one.cursor.format and "epoch" not in one.cursor.format else 1
            rows = [
                row
                for row in rows
                if datetime.fromisoformat(stored(find(row), self.zone)).timestamp() // grain
                >= since.timestamp() // grain
            ]
        if one.cursor and one.cursor.descending and _is_incremental(one, request):
            stamp = expression(one.cursor.field)
            rows = sorted(rows, key=lambda row: stored(stamp(row), self.zone), reverse=True)
        paging, size = (
            one.paging,
            min(int(found.get("size") or request.query.get("_size") or self.cap), self.cap),
        )
        if paging.resume:
            after = int(found.get("token") or 0)
            later = self.later(one, after)
            page = [row for _, row in later[:size]]
            return self._shown(
                one,
                page,
                len(later),
                more=len(later) > size,
                token=str(later[:size][-1][0]) if later else str(after),
                request=request,
            )
        if paging.kind == "after":
            find = expression(one.key)
            rows = sorted((row for row in rows if find(row) > int(found.get("after") or 0)), key=find)
        if paging.kind == "before":  # the newest first, shown in an order of their own
            find, before = expression(one.key), found.get("before")
            earlier = [row for row in rows if before is None or _order(find(row)) < _order(before)]
            rows = sorted(earlier, key=lambda row: _order(find(row)), reverse=True)
            rows[:size] = rows[:size][::-1]
        if paging.kind == "token" and one.name in self.by_keys:
            return self._after_key(one, rows, found, size, request)
        start = int(found.get("offset") or 0) if paging.kind == "offset" else 0
        if paging.kind == "page":
            start = (int(found.get("page") or paging.first) - paging.first) * size
        elif paging.kind in {"token", "next", "link"}:
            start = int(found.get("token") or request.query.get("next_from") or 0)
        elif paging.kind == "none":
            size = len(rows)
        page = rows[start : start + size]
        return self._shown(
            one, page, len(rows), more=start + size < len(rows), token=str(start + size), request=request
        )

    def _after_key(
        self, one: Wanted, rows: list[dict[str, Any]], found: dict[str, Any], size: int, request: Request
    ) -> Response:
        """Answer a page that begins after the row that its cursor names, whatever went meanwhile."""
        keyed = sorted(
            ((f"{expression(one.key)(row)}", row) for row in rows), key=lambda pair: (len(pair[0]), pair[0])
        )
        after = found.get("token")
        if after is not None:
            keyed = [pair for pair in keyed if (len(pair[0]), pair[0]) > (len(f"{after}"), f"{after}")]
        page = keyed[:size]
        token = page[-1][0] if page else ""
        return self._shown(
            one, [row for _, row in page], len(rows), more=len(keyed) > size, token=token, request=request
        )

    def _shown(
        self, one: Wanted, page: list[dict[str, Any]], total: int, *, more: bool, token: str, request: Request
    ) -> Response:
        paging = one.paging
        page = [{key: value for key, value in row.items() if key != "_each"} for row in page]
        if len(one.steps) > 1:
            page = _folded(one.steps[1], page)
        body: Any = page
        if one.steps[0] == WHOLE:
            body = page[0] if page else {}
        elif one.steps[0]:
            body = {}
            set_at(body, steps_of(one.steps[0]), page)
        headers: dict[str, str] = {}
        if paging.total and paging.total.startswith("header:"):
            name = paging.total.removeprefix("header:")
            headers[name] = f"0-{len(page)}/{total}" if name == "Content-Range" else str(total)
        elif paging.total:
            set_at(body, steps_of(paging.total), total)
        search = re.sub(r"(?:^|&)next_from=\d+", "", request.search)
        address = (
            f"http://{request.headers['host']}{request.path}?{search}{'&' if search else ''}next_from={token}"
        )
        if paging.kind == "link" and more:
            headers["Link"] = (
                f'<{address}>; rel="next", <http://{request.headers["host"]}{request.path}>; rel="first"'
            )
        if paging.next and (more or paging.resume or paging.more or paging.end):
            named = token if paging.kind == "token" else address
            if paging.next.startswith("header:"):
                headers[paging.next.removeprefix("header:")] = named
            else:
                set_at(body, steps_of(paging.next), named)
        if paging.end:
            set_at(body, steps_of(paging.end), not more)
        if paging.more:
            set_at(body, steps_of(paging.more), more)
        return Response(body=body, headers=headers)

    def binned(self, one: Wanted) -> list[dict[str, Any]]:
        """Return the rows of a list that lie in the bin: no list shows them, and their address answers."""
        return []

    def _probed(self, one: Wanted, native: str) -> Response:
        find, rows = expression(one.key), self.shown(one) + self.binned(one)
        row = next((row for row in rows if f"{find(row)}" == native), None)
        return Response(body=row) if row is not None else Response(status=404, body={"message": "not found"})


class RestSimulator(RestSite, Simulator):
    """An OpenProject that holds records: projects, people and work packages.

    Ids are numbers; the status is `status_raw`.
    """

    settings: ClassVar[dict[str, Any]] = {"mapping": "openproject"}
    cap = 1000

    def __init__(self) -> None:
        """Hold nothing yet."""
        self.mapping, self.zone = load("openproject", Path()), ZoneInfo("UTC")
        sample = Path(mappings.__file__).with_name("openproject.sample.json")
        told = json.loads(sample.read_text(encoding="utf-8"))
        self.account = told.pop(ACCOUNT)
        self.like: dict[str, dict[str, Any]] = {name: rows[0] for name, rows in told.items()}
        self.rows: dict[str, list[dict[str, Any]]] = {}

    def show(self, records: Iterable[Record], now: datetime) -> None:
        """Hold *records*; *now* changes nothing here."""
        self.rows = {}
        for record in records:
            if not isinstance(record, Account | Container | Task):
                raise TypeError(f"the simulator of OpenProject does not hold {record.table}")
            one = next(
                one for one in self.mapping.list if any(made.table == record.table for made in one.record)
            )
            self.rows.setdefault(one.name, []).append(self._row(one, record))

    def _row(self, one: Wanted, record: Record) -> dict[str, Any]:
        """Write a record as a row of the sample, its values where the mapping looks for them."""
        row = copy.deepcopy(self.like[one.name])
        made = next(made for made in one.record if made.table == record.table)
        for name in sorted(made.fields, key=lambda name: name in {"status_native", "kind", "nature"}):
            field = plain(made.fields[name])
            path = simple(field.path) if field.path else None
            if path is None or field.values or name == "code":
                continue
            value = getattr(record, name)
            if field.unit == "iso" and value is not None:
                value = f"PT{value}S"
            elif field.last and value is not None:
                value = re.sub(r"[^/]+$", str(value), str(get_at(self.like[one.name], path)))
            elif name == "id":
                value = int(value)
            set_at(row, path, value)
        return row

    def shown(self, one: Wanted) -> list[dict[str, Any]]:
        """Return the rows of a list."""
        return self.rows.get(one.name, [])


WHOLE = "[@]"
"""The path by which an answer that is one object is the only row."""


def _folded(path: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows in what they stand in, as an answer has them."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        above = row.get(ABOVE, {})
        outer = found.setdefault(json.dumps(above, sort_keys=True), copy.deepcopy(above))
        inner = get_at(outer, simple(path)) or []
        set_at(outer, simple(path), [*inner, {name: value for name, value in row.items() if name != ABOVE}])
    return list(found.values())


def _regex(template: str) -> re.Pattern[str]:
    """Turn a path or parameter with variables into what finds them again."""
    parts = NAME.split(template)
    return re.compile(
        "".join(f"(?P<{part}>[^/]*?)" if number % 2 else re.escape(part) for number, part in enumerate(parts))
    )


def _fits(template: Any, value: Any, found: dict[str, Any]) -> bool:
    """Say whether a body is that of a list, and put the variables of it into *found*."""
    if isinstance(template, str):
        if whole := NAME.fullmatch(template):
            found[whole[1]] = value
            return True
        if (match := _regex(template).fullmatch(f"{value}")) is None:
            return False
        found |= match.groupdict()
        return True
    if isinstance(template, dict):
        return isinstance(value, dict) and all(
            name in template and _fits(template[name], one, found) for name, one in value.items()
        )
    if isinstance(template, list):
        if not isinstance(value, list):
            return False
        if len(value) == len(template):
            return all(_fits(one, other, found) for one, other in zip(template, value, strict=True))
        return all(any(_fits(one, other, found) for one in template) for other in value)
    return bool(template == value)


def _parsed(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def steps_of(path: str) -> list[str | int]:
    """Return the names and places of a path such as ``data.boards[0].cursor``."""
    return [
        int(place) if place else quoted or name
        for quoted, name, place in re.findall(r'"([^"]+)"|([A-Za-z_]\w*)|\[(\d+)\]', path)
    ]


def get_at(row: Any, path: list[str] | None) -> Any:
    """Return what stands at a path of names."""
    for name in path or []:
        row = row.get(name) if isinstance(row, dict) else None
    return row


def set_at(row: Any, path: Sequence[str | int] | None, value: Any) -> None:
    """Put something at a path of names, and of places in lists."""
    assert path is not None
    for name, after in itertools.pairwise(path):
        if isinstance(name, int):
            row += [{} for _ in range(name + 1 - len(row))]
            row = row[name]
        else:
            row = row.setdefault(name, [] if isinstance(after, int) else {})
    row[path[-1]] = value


def like(example: Any, at: datetime) -> Any:
    """Write a stamp as the sample does."""
    if isinstance(example, int):
        return int(at.timestamp() * (1000 if example > 1e11 else 1))
    text = f"{example}"
    if text.startswith("/Date("):
        return f"/Date({int(at.timestamp()) * 1000}+0000)/"
    if "T" not in text:
        return f"{at:%Y-%m-%d %H:%M:%S}"
    fraction = ".000" if "." in text else ""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}{fraction}" + ("Z" if text.endswith("Z") else "+00:00")


def stored(value: Any, zone: tzinfo) -> str:
    """Return a stamp as the store writes it."""
    if isinstance(value, int):
        moment = datetime.fromtimestamp(value / (1000 if value > 1e11 else 1), UTC)
    elif f"{value}".startswith("/Date("):
        moment = datetime.fromtimestamp(int(f"{value}"[6:].partition("+")[0]) / 1000, UTC)
    else:
        moment = datetime.fromisoformat(f"{value}")
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _is_incremental(one: Wanted, request: Request) -> bool:
    """Say whether a request asks for what changed last."""
    return all(request.query.get(name) == value for name, value in one.incremental.items())


def _order(key: Any) -> tuple[int, str]:
    """Return what keys stand in the order of: numbers, or texts of one length."""
    return len(f"{key}"), f"{key}"


def _read(text: str, form: str) -> datetime:
    if form.startswith("epoch"):
        return datetime.fromtimestamp(int(text) / (1000 if form == "epoch_ms" else 1), UTC)
    return datetime.strptime(text, form).replace(tzinfo=UTC)

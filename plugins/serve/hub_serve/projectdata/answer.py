"""``/_api/ProjectData``: questions of old reports, answered from the feed as the one who asks may see it.

A question has one feed from its first page to its last: the address of the next page names it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlencode, urlsplit

import msgspec
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hub import ConfigError, language, tr
from hub_serve.expressions import Values, condition
from hub_serve.projectdata.forms import Form, Page, model, refusal, service, written
from hub_serve.projectdata.scope import Columns
from hub_serve.projectdata.sets import EntitySet, prepare, rows_sql
from hub_serve.refusals import Refused

if TYPE_CHECKING:
    import duckdb
    from starlette.requests import Request

PAGE = 2000
"""Rows of one answer at most; the next ones are behind its link."""
_LANGUAGE = re.compile(r"\[[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\]")
_OPTIONS = {
    "$select",
    "$filter",
    "$orderby",
    "$top",
    "$skip",
    "$skiptoken",
    "$inlinecount",
    "$count",
    "$format",
}
_SEGMENT = re.compile(r"(\w+)(?:\((.*)\))?", re.DOTALL)
_TOKEN = re.compile(r"([A-Za-z0-9_-]{1,80})~(\d{1,12})~(\d{1,12})")


def routes() -> list[BaseRoute]:
    """Return the routes of the service."""
    return [Route("/_api/{rest:path}", answer)]


class Question(msgspec.Struct, kw_only=True):
    """What is asked of one entity set: *feed* is that of the page before, *left* what it left of $top."""

    set: EntitySet
    columns: list[str]
    values: Values
    where: list[str] = []
    order: list[str] = []
    skip: int = 0
    top: int | None = None
    counts: bool = False
    one: bool = False
    whole: bool = True


def answer(request: Request) -> Response:
    """Answer one question of the service."""
    form = Form()
    try:
        form = form_of(request)
        return _answered(request, form)
    except Refused as exc:
        body, kind = refusal(exc.status, str(exc), form)
        return Response(body, exc.status, form.headers, kind)


def _answered(request: Request, form: Form) -> Response:
    from hub_serve.app import etag, unchanged, view_of

    parts = [part for part in request.path_params["rest"].split("/") if part]
    if not parts or parts[0].lower() != "projectdata":
        raise Refused(404, tr("There is nothing at this address; ProjectData is at /_api/ProjectData."))
    told = [unquote(part) for part in parts[1:]]
    if told and _LANGUAGE.fullmatch(told[0]):
        told = told[1:]
    options = _options(request)
    start = _started(options.get("$skiptoken"))
    try:
        opened = view_of(request, start[0] if start else None)
        with opened as feed:
            tag = etag(request, feed.feed_id, form.version, form.kind, form.metadata)
            if same := unchanged(request, tag):
                return same
            sets = prepare(feed.connection, feed.manifest)
            body, kind = _body(request, form, told, options, sets, feed, start)
    except ConfigError as exc:
        if start is None:
            raise
        raise Refused(410, str(exc)) from exc
    return Response(body, 200, {**form.headers, "etag": tag}, kind)


def _body(
    request: Request,
    form: Form,
    told: list[str],
    options: Mapping[str, str],
    sets: Mapping[str, EntitySet],
    feed: Any,
    start: tuple[str, int, int | None] | None,
) -> tuple[bytes, str]:
    root = _root(request)
    if not told:
        return service(sets, root, form)
    if told[0] == "$metadata":
        return model(sets, form), "application/xml;charset=utf-8"
    if told[0] == "$unknown":
        return _unknown(sets).encode(), "text/html;charset=utf-8"
    asked, counted = _asked(told, options, sets)
    if start:
        asked.skip, asked.top = start[1], start[2]
    if counted:
        return str(_count(feed.connection, asked)).encode(), "text/plain;charset=utf-8"
    page = min(PAGE, asked.top if asked.top is not None else PAGE)
    rows = _rows(feed.connection, asked, page + 1)
    if asked.one and not rows:
        raise Refused(404, tr("There is no such row."))
    following = None
    if len(rows) > page and (asked.top is None or asked.top > page):
        following = _next(request, feed.feed_id, asked, page)
    answer = Page(
        set=asked.set,
        root=root,
        columns=asked.columns,
        rows=rows[:page],
        whole=asked.whole,
        next=following,
        count=_count(feed.connection, asked) if asked.counts else None,
        one=asked.one,
        updated=f"{feed.manifest['moment'][:19]}Z",
    )
    if form.kind == "atom" and asked.one:
        return written(answer, form), "application/atom+xml;type=entry;charset=utf-8"
    return written(answer, form), form.media_type


def _options(request: Request) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if not name.startswith("$"):
            continue
        if name not in _OPTIONS:
            raise Refused(501, tr("{name} is not supported here.", name=name))
        if name in found:
            raise Refused(400, tr("{name} is given twice.", name=name))
        found[name] = value
    return found


def form_of(request: Request) -> Form:
    """Return how the answer shall be written, by $format, else by what is accepted. Raises `Refused`."""
    headers = request.headers
    old = "maxdataserviceversion" in headers or "dataserviceversion" in headers
    new = "odata-version" in headers or "odata-maxversion" in headers
    given = request.query_params.get("$format")
    if given is not None:
        short = {
            "json": "application/json",
            "atom": "application/atom+xml",
            "verbosejson": "application/json;odata=verbose",
        }
        found = _form(short.get(given.lower(), given))
        if found is None:
            raise Refused(415, tr("$format is json or atom, not {given!r}.", given=given[:60]))
    else:
        accepted = [part.strip() for part in headers.get("accept", "").split(",") if part.strip()]
        ranked = sorted(accepted, key=_weight, reverse=True)
        found = next((form for one in ranked if (form := _form(one, old=old)) is not None), None)
        if found is None and not accepted:
            found = Form()
        if found is None:  # a client that names nothing we have
            raise Refused(406, tr("Accept names neither JSON nor Atom."))
    if old and not (given and found.version == 4):
        return msgspec.structs.replace(found, version=3)
    if new and not old and found.kind != "verbose":
        return msgspec.structs.replace(found, version=4, kind="light")
    return found


def _weight(accepted: str) -> float:
    found = re.search(r";\s*q=([0-9.]+)", accepted)
    try:
        return float(found[1]) if found else 1.0
    except ValueError:
        return 0.0


def _form(media: str, *, old: bool = False) -> Form | None:
    kind, *rest = [part.strip().lower() for part in media.split(";")]
    said = dict(part.partition("=")[::2] for part in rest)
    if kind == "application/json":
        if said.get("odata") == "verbose":
            return Form(kind="verbose")
        name = said.get("odata.metadata") or said.get("odata", "").removesuffix("metadata")
        name = {"": "minimal", "light": "minimal", "no": "none"}.get(name, name)
        if name not in {"none", "minimal", "full"}:
            return None
        return Form(version=4 if "odata.metadata" in said and not old else 3, kind="light", metadata=name)  # type: ignore[arg-type]
    atoms = {
        "application/atom+xml",
        "application/atomsvc+xml",
        "application/xml",
        "text/xml",
        "*/*",
        "application/*",
        "text/html",
    }
    return Form() if kind in atoms else None


def _root(request: Request) -> str:
    """Return the address of the service as the one who asks reaches it, with its segment of a language."""
    from hub_serve.app import place_of

    place = place_of(request)
    if place.address is not None:
        base = place.root
    else:
        parts = urlsplit(str(request.base_url))
        base = f"{parts.scheme}://{parts.netloc}"
    told = [part for part in request.path_params["rest"].split("/") if part]
    spoken = f"/{told[1]}" if len(told) > 1 and _LANGUAGE.fullmatch(unquote(told[1])) else ""
    return f"{base}/_api/ProjectData{spoken}"


def _next(request: Request, feed_id: str, asked: Question, page: int) -> str:
    left = "" if asked.top is None else str(asked.top - page)
    token = f"{feed_id}~{asked.skip + page}~{left or 10**12 - 1}"
    kept = [
        (name, value)
        for name, value in request.query_params.multi_items()
        if name not in {"$skiptoken", "$skip", "$top"}
    ]
    asks = urlencode([*kept, ("$skiptoken", token)], safe="$'(),~", quote_via=quote)
    told = [part for part in request.path_params["rest"].split("/") if part]
    rest = "/".join(told[2:] if len(told) > 2 and _LANGUAGE.fullmatch(unquote(told[1])) else told[1:])
    return f"{_root(request)}/{quote(rest, safe='/$(),=~')}?{asks}"


def _started(token: str | None) -> tuple[str, int, int | None] | None:
    if token is None:
        return None
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise Refused(400, tr("$skiptoken is what a page before gave, and this is not."))
    left = int(found[3])
    return found[1], int(found[2]), None if left == 10**12 - 1 else left


def _asked(
    told: list[str], options: Mapping[str, str], sets: Mapping[str, EntitySet]
) -> tuple[Question, bool]:
    """Return the question of a path, and whether it asks only how many rows there are."""
    segment = _SEGMENT.fullmatch(told[0])
    if segment is None or segment[1] not in sets:
        raise Refused(404, tr("There is no entity set {name}.", name=told[0][:60]))
    one, rest = sets[segment[1]], told[1:]
    values = Values()
    where = _key(one, segment[2], values) if segment[2] else []
    is_one = bool(where)
    if is_one and rest and rest[0] in sets:  # the tasks of a project, and the like
        other = sets[rest[0]]
        if one.name != "Projects" or "ProjectId" not in other.columns:
            raise Refused(501, tr("{name} is reached from a project only.", name=rest[0]))
        one, rest, is_one = other, rest[1:], False
    counted = rest == ["$count"] and not is_one
    if rest and not counted:
        raise Refused(501, tr("{path} is not supported here.", path="/".join(rest)[:60]))
    columns = _selected(one, options.get("$select"))
    asked = Question(
        set=one, columns=columns, values=values, where=where, one=is_one, whole="$select" not in options
    )
    if text := options.get("$filter"):
        asked.where.append(condition(text, Columns(one), values, "$filter", old=True))
    asked.order = _ordered(one, options.get("$orderby"))
    asked.skip = _whole(options, "$skip") or 0
    asked.top = _whole(options, "$top")
    asked.counts = _counts(options)
    return asked, counted


def _key(one: EntitySet, text: str, values: Values) -> list[str]:
    named = re.findall(r"(\w+)=((?:\w*'(?:[^']|'')*')|[^,']+)", text)
    pairs = dict(named) if named else {one.key[0]: text}
    if pairs.keys() != {*one.key}:
        raise Refused(400, tr("The key of {name} is {key}.", name=one.name, key=", ".join(one.key)))
    return [
        condition(f"{name} eq {value}", Columns(one), values, name, old=True) for name, value in pairs.items()
    ]


def _selected(one: EntitySet, text: str | None) -> list[str]:
    if text is None or text.strip() == "*":
        return [*one.columns]
    columns = list(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in columns:
        if name not in one.columns:
            raise Refused(
                501 if "/" in name else 400, tr("$select: {set} has no {name}.", set=one.name, name=name[:60])
            )
    return columns


def _ordered(one: EntitySet, text: str | None) -> list[str]:
    order = []
    for part in (text or "").split(","):
        name, _, way = part.strip().partition(" ")
        if not name:
            continue
        if name not in one.columns or way.strip() not in {"", "asc", "desc"}:
            raise Refused(400, tr("$orderby: {part!r} is no column of {set}.", part=part[:60], set=one.name))
        order.append(f'"{name}" {"DESC NULLS LAST" if way.strip() == "desc" else "ASC NULLS FIRST"}')
    return [*order, *(f'"{name}"' for name in one.key)]


def _whole(options: Mapping[str, str], name: str) -> int | None:
    if name not in options:
        return None
    if not re.fullmatch(r"\d{1,9}", options[name]):
        raise Refused(
            400, tr("{name} is a whole number, not {value!r}.", name=name, value=options[name][:40])
        )
    return int(options[name])


def _counts(options: Mapping[str, str]) -> bool:
    for name, known in (
        ("$inlinecount", {"allpages": True, "none": False}),
        ("$count", {"true": True, "false": False}),
    ):
        if name in options:
            if options[name] not in known:
                raise Refused(400, tr("{name} is {known}.", name=name, known=", ".join(known)))
            if known[options[name]]:
                return True
    return False


def _filtered(asked: Question) -> str:
    where = " AND ".join(f"({one})" for one in asked.where)
    return f"FROM ({rows_sql(asked.set)}) r" + (f" WHERE {where}" if where else "")


def _rows(connection: duckdb.DuckDBPyConnection, asked: Question, most: int) -> list[dict[str, Any]]:
    names = list(dict.fromkeys([*asked.columns, *asked.set.key]))  # the key names a row
    listed = ", ".join(f'"{name}"' for name in names)
    order = ", ".join(asked.order)
    sql = f"SELECT {listed} {_filtered(asked)} ORDER BY {order} LIMIT {most:d} OFFSET {asked.skip:d}"
    return [dict(zip(names, row, strict=True)) for row in _run(connection, sql, asked.values)]


def _count(connection: duckdb.DuckDBPyConnection, asked: Question) -> int:
    return int(_run(connection, f"SELECT count(*) {_filtered(asked)}", asked.values)[0][0])


def _run(connection: duckdb.DuckDBPyConnection, sql: str, values: Values) -> list[tuple[Any, ...]]:
    import duckdb

    try:
        return connection.execute(sql, values.of(sql)).fetchall()
    except (duckdb.ConversionException, duckdb.OutOfRangeException, duckdb.InvalidInputException) as exc:
        raise Refused(400, tr("A value of the question is too large, or of another kind.")) from exc


def _unknown(sets: Mapping[str, EntitySet]) -> str:
    """Return the page that lists what cannot be known, and why."""
    rows = "".join(
        f"<tr><td>{name}</td><td>{column}</td><td>{escape(one.reason(column))}</td></tr>"
        for name, one in sets.items()
        for column in one.columns
        if one.origin(column) == "unknown"
    )
    title = tr("Columns that cannot be known")
    heads = "".join(
        f'<th scope="col">{text}</th>' for text in (tr("Entity set"), tr("Column"), tr("Why it is empty"))
    )
    return (
        f'<!doctype html><html lang="{language()}"><head><meta charset="utf-8"><title>{title}</title></head>'
        f"<body><h1>{title}</h1>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></body></html>"
    )

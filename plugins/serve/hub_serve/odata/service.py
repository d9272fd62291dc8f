"""The service: resource paths, answers, and rows that stream from the feed as they are read."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Generator
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlencode

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from hub import ConfigError, FeedView, Lang, model, table_caption, tr
from hub_serve.app import etag, place_of, reader_of, unchanged, view_of
from hub_serve.feeds import TooLong
from hub_serve.odata import csdl
from hub_serve.odata.headers import Format, Kind, format_of, page_of, version_of
from hub_serve.odata.names import navigations
from hub_serve.odata.options import Asked, asked_of, parted
from hub_serve.odata.questions import Key, Place, Question
from hub_serve.odata.questions import place_of as place_in
from hub_serve.odata.refusals import Refused, as_answer, bad, unsupported
from hub_serve.odata.writing import Cell, csv_head, csv_row, json_row, json_value, plain_value

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

ROOT = "/odata/v4/"
PAGE = 250_000
"""Rows of a page unless less is asked for."""
CHUNK = 1000
"""Rows that are sent at once."""
MARKED, KNOWN_MARKS = 10_000, 200
"""From how many rows on pages are cut by keys looked up before, and of how many questions these are kept."""
_marks: dict[tuple[Any, ...], list[Key]] = {}
_AT_ONCE = threading.BoundedSemaphore(max(2, os.cpu_count() or 2))
"""Questions that are worked on at once: more would only share the processors, and need memory each."""
_ROWS = frozenset({"filter", "search", "apply"})
_SHOWN = frozenset({"select", "expand", "format"})


def answer(request: Request) -> Response:
    """Answer one request to the service."""
    import duckdb

    version = "4.01"
    try:
        version = version_of(request.headers)
        if request.method not in {"GET", "HEAD"}:
            raise Refused(405, tr("This service is read only."))
        response = _Answer(request, version).give()
    except Refused as exc:
        return as_answer(exc, version)
    except ConfigError as exc:  # there is no feed, or it must not be shown now
        return as_answer(Refused(503, str(exc)), version)
    except TooLong:
        seconds = place_of(request).seconds
        sentence = tr("This took longer than {seconds:g} s: ask for less.", seconds=seconds)
        return as_answer(Refused(503, sentence), version)
    except (duckdb.IOException, duckdb.OutOfMemoryException) as exc:
        if isinstance(exc, duckdb.IOException) and "skiptoken" in request.url.query:
            # its files were removed while it was open
            return as_answer(Refused(410, tr("This feed is not kept any more: begin again.")), version)
        busy = as_answer(Refused(503, tr("Too much is asked at once: wait and try again.")), version)
        busy.headers["retry-after"] = "2"
        return busy
    except (duckdb.DataError, duckdb.OutOfRangeException, duckdb.InvalidInputException) as exc:
        what = str(exc).partition("\n")[0][:200]
        return as_answer(bad(tr("A value is out of range: {what}", what=what)), version)
    response.headers["odata-version"] = version
    response.headers["vary"] = "accept, prefer, odata-maxversion, authorization, cookie"
    return response


class _Answer:
    """One request, its options and what it asks for."""

    def __init__(self, request: Request, version: str) -> None:
        self.request, self.version = request, version
        self.headers = request.headers
        self.asked: Asked = asked_of(request.url.query)
        self.root = root_of(request)

    def give(self) -> Response:
        """Return the answer of the resource that the path names. Raises `Refused`."""
        segments = _segments(self.request)
        match segments:
            case []:
                return self._service_document()
            case ["$metadata"]:
                return self._metadata()
            case ["$batch" | "$all" | "$entity", *_]:
                raise unsupported(
                    tr("{place}: {what} is not supported.", place="URL", what=segments[0]), segments[0]
                )
        if segments[0].startswith("$crossjoin"):
            raise unsupported(
                tr("{place}: {what} is not supported.", place="URL", what="$crossjoin"), "$crossjoin"
            )
        name, keys = _resource(segments[0])
        if keys is not None:
            return self._entity(name, keys, segments[1:], segments[0])
        if not segments[1:]:
            return self._collection(name)
        if segments[1:] == ["$count"]:
            return self._count(name)
        raise _not_found("/".join(segments))

    # what describes the service
    def _service_document(self) -> Response:
        self.asked.only({"format"})
        form = format_of(self.headers, self.asked.get("format"), ("json",))
        with view_of(self.request) as feed:
            if (found := self._same(feed)) is not None:
                return found
            sets = [
                {"name": name, "title": table_caption(name, feed.lang), "kind": "EntitySet", "url": name}
                for name in model().tables
            ]
            tag = self._tag(feed)
        body: dict[str, Any] = {"value": sets}
        if form.metadata != "none":
            body = {"@odata.context": f"{self.root}$metadata", **body}
        return Response(json.dumps(body, ensure_ascii=False), 200, {"etag": tag}, form.media_type)

    def _metadata(self) -> Response:
        self.asked.only({"format"})
        form = format_of(self.headers, self.asked.get("format"), ("xml", "json"))
        with view_of(self.request) as feed:
            if (found := self._same(feed)) is not None:
                return found
            lang: Lang = "fr" if feed.lang == "fr" else "en"
            tag = self._tag(feed)
        if form.kind == "json":
            return Response(
                json.dumps(csdl.as_json(lang), ensure_ascii=False), 200, {"etag": tag}, "application/json"
            )
        return Response(csdl.as_xml(lang, self.version), 200, {"etag": tag}, form.media_type)

    # what has rows
    def _count(self, name: str) -> Response:
        self.asked.only(_ROWS | {"format"})
        format_of(self.headers, self.asked.get("format"), ("text", "json", "xml"))
        question = Question(name, self.asked)
        with view_of(self.request) as feed:
            total = _one(feed, question, question.count_sql())[0]
        return Response(str(total), media_type="text/plain;charset=utf-8")

    def _collection(self, name: str) -> Response:
        form = format_of(self.headers, self.asked.get("format"), ("json", "csv"))
        question = Question(name, self.asked)
        token = self.asked.get("skiptoken")
        after = place_in(token) if token is not None else None
        pages = _Pages(self, name, question, form, after)
        try:
            sent = pages.begin()
        except ConfigError as exc:
            if after is None:
                raise
            raise Refused(410, str(exc), "$skiptoken") from exc
        if isinstance(sent, Response):
            return sent
        headers = {"etag": pages.tag} if pages.tag else {}
        if pages.preferred:
            headers["preference-applied"] = pages.preferred
        if form.kind == "csv":
            headers["content-disposition"] = f'attachment; filename="{name}.csv"'
        if self.request.method == "HEAD":
            sent.stream.close()
            return Response(None, 200, headers, form.media_type)
        return _Streamed(sent, 200, headers, form.media_type)

    def _entity(
        self, name: str, keys: tuple[tuple[str, str], ...], rest: list[str], segment: str
    ) -> Response:
        path: list[str] = []
        target = name
        while rest and rest[0] in navigations(target):
            path.append(rest[0])
            target = navigations(target)[rest[0]].target
            rest = rest[1:]
        if rest == ["$ref"] or (rest and rest[0] == "$links"):
            raise unsupported(tr("{place}: {what} is not supported.", place="URL", what="$ref"), rest[0])
        if rest and (rest[0] not in model().tables[target].columns or rest[1:] not in ([], ["$value"])):
            raise _not_found("/".join([segment, *path, *rest]))
        if path:
            name, keys = self._at(name, keys, path)
            if not keys:
                return Response(status_code=204)
        if not rest:
            return self._one_entity(name, keys, segment)
        return self._property(name, keys, rest, segment)

    def _at(
        self, name: str, keys: tuple[tuple[str, str], ...], path: list[str]
    ) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Return the entity at the end of *path* from another one; no keys where there is none."""
        question = Question(name, Asked(given={}), keys=keys)
        rows = question.rows
        target, _ = rows.reach(tuple(path))  # type: ignore[union-attr]
        key = model().tables[target].key[0]
        cell = Cell(name=key, column="v", type=model().tables[target].columns[key].type)
        question.columns = {"v": rows.find((*path, key))}
        with view_of(self.request) as feed:
            found = _one(feed, question, question.rows_sql(plain_value(cell), limit=1))
        if not found:
            raise _not_found(name)
        if found[0] is None:
            return target, ()
        literal = "'" + found[0].replace("'", "''") + "'" if cell.type == "VARCHAR" else found[0]
        return target, ((key, literal),)

    def _one_entity(self, name: str, keys: tuple[tuple[str, str], ...], segment: str) -> Response:
        self.asked.only(_SHOWN)
        form = format_of(self.headers, self.asked.get("format"), ("json",))
        question = Question(name, self.asked, keys=keys)
        with view_of(self.request) as feed:
            if (same := self._same(feed)) is not None:
                return same
            written = json_row(question.shape, form.metadata, as_text=form.as_text)
            found = _one(feed, question, question.rows_sql(written, limit=1))
            tag = self._tag(feed)
        if not found:
            raise _not_found(segment)
        context = f"{self.root}$metadata#{name}{question.wanted.context}/$entity"
        head = "" if form.metadata == "none" else f'"@odata.context":{json.dumps(context)},'
        body = "{" + head + found[0][1:]
        return Response(
            body.replace(",}", "}") if body.endswith(",}") else body, 200, {"etag": tag}, form.media_type
        )

    def _property(
        self, name: str, keys: tuple[tuple[str, str], ...], rest: list[str], segment: str
    ) -> Response:
        self.asked.only({"format"})
        is_raw = rest[1:] == ["$value"]
        offered: tuple[Kind, ...] = ("text",) if is_raw else ("json",)
        form = format_of(self.headers, self.asked.get("format"), offered)
        question = Question(name, Asked(given={}), keys=keys)
        one = question.rows.find((rest[0],))
        question.columns = {"v": one}
        cell = Cell(name=rest[0], column="v", type=one.type)
        written = plain_value(cell) if is_raw else json_value(cell, as_text=form.as_text)
        with view_of(self.request) as feed:
            found = _one(feed, question, question.rows_sql(written, limit=1))
            tag = self._tag(feed)
        if not found:
            raise _not_found(segment)
        if found[0] in (None, "null"):
            return Response(status_code=204)
        if is_raw:
            return Response(found[0], 200, {"etag": tag}, form.media_type)
        context = f'"@odata.context":{json.dumps(f"{self.root}$metadata#{segment}/{rest[0]}")},'
        head = "" if form.metadata == "none" else context
        return Response(f'{{{head}"value":{found[0]}}}', 200, {"etag": tag}, form.media_type)

    def _tag(self, feed: FeedView) -> str:
        prefer, version = self.headers.get("prefer"), self.version
        return etag(self.request, feed.feed_id, prefer, version, self.headers.get("host"))

    def _same(self, feed: FeedView) -> Response | None:
        return unchanged(self.request, self._tag(feed))


class _Begun(NamedTuple):
    """A stream of text of which the first part is there."""

    first: bytes
    stream: Generator[bytes | Response]


class _Streamed(StreamingResponse):
    """An answer that lets its feed go at its end, also where the one who asked hangs up before."""

    def __init__(self, begun: _Begun, status: int, headers: dict[str, str], media_type: str) -> None:
        parts = (part for part in begun.stream if isinstance(part, bytes))
        super().__init__(chain([begun.first], parts), status, headers, media_type)
        self._stream = begun.stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._stream.close()


class _Pages:
    """One page of a collection: its statement, and the text that streams while rows are read."""

    def __init__(
        self, asked: _Answer, name: str, question: Question, form: Format, after: Place | None
    ) -> None:
        self.asked, self.name, self.question, self.form, self.after = asked, name, question, form, after
        self.tag = ""
        size, self.preferred = page_of(asked.headers)
        place = place_of(asked.request)
        if after is not None and size is None:
            size = after.size
        self.prefers = size is not None
        self.size = min(size or PAGE, PAGE, place.rows)
        self.left = question.top if after is None else after.left
        if form.kind == "csv":
            self.size, self.prefers, self.preferred = place.rows, False, None

    def begin(self) -> Response | _Begun:
        """Ask, and return the stream once it has begun well, or that nothing changed."""
        stream = self._stream()
        first = next(stream)
        if not isinstance(first, bytes):
            stream.close()
            return first
        return _Begun(first, stream)

    def _stream(self) -> Generator[bytes | Response]:  # so that the feed is open until its end
        question, after = self.question, self.after
        with view_of(self.asked.request, after.feed if after else None) as feed:
            if "now(" not in self.asked.request.url.query:
                self.tag = self.asked._tag(feed)
                if (same := unchanged(self.asked.request, self.tag)) is not None:
                    yield same
                    return
            total = _one(feed, question, question.count_sql())[0] if question.is_counted else None
            upto = self._mark(feed)
            limit, sorts = (None, False) if upto is not None else self._bounds(feed)
            written = (
                csv_row(question.shape)
                if self.form.kind == "csv"
                else json_row(question.shape, self.form.metadata, as_text=self.form.as_text)
            )
            begin = after.values if after else None
            sql = question.rows_sql(written, limit=limit, after=begin, upto=upto, sorts=sorts)
            with _AT_ONCE:
                result = feed.connection.execute(sql, question.values.of(sql))
                rows = result.fetchmany(CHUNK)
            yield self._head(total)
            if self.form.kind == "csv":
                while rows:
                    yield "".join(row[0] for row in rows).encode()
                    rows = result.fetchmany(CHUNK)
                return
            given, last = 0, upto
            while rows:
                shown = rows[: self.size - given]
                if shown:
                    text = ",".join([row[0] for row in shown])
                    yield (f",{text}" if given else text).encode()
                    given += len(shown)
                    last = upto or shown[-1][1:]
                if len(shown) < len(rows):
                    yield self._tail(feed, last, given)
                    return
                rows = result.fetchmany(CHUNK)
            yield self._tail(feed, upto, given) if upto is not None and self.left is None else b"]}"

    def _mark(self, feed: FeedView) -> Key | None:
        """Return the last key of this page, where it is known without sorting the page's rows.

        The keys that end pages are looked up once for a question to a feed, then each page is a range of
        keys, which is read as it stands. None where another order or another part is asked for.
        """
        question, after = self.question, self.after
        size = self.size if self.left is None else self.left
        is_plain = not (question.skip or question.is_ordered or question.is_made) and self.form.kind == "json"
        fits = size >= MARKED if self.left is None else after is None and MARKED / 100 <= size <= self.size
        most = feed.manifest["tables"].get(self.name, {"rows": 0})["rows"]
        if not is_plain or not fits or not self.tag or most <= size:
            return None
        sql = question.marks_sql(size) + ("" if self.left is None else " LIMIT 1")
        values = question.values.of(sql)
        reader = reader_of(self.asked.request)
        about = (feed.feed_id, reader.level, reader.person, sql, repr(sorted(values.items())))
        marks = _marks.get(about)
        if marks is None:
            with _AT_ONCE:
                marks = [tuple(row) for row in feed.connection.execute(sql, values).fetchall()]
            while len(_marks) >= KNOWN_MARKS:
                _marks.pop(next(iter(_marks)), None)
            _marks[about] = marks
        if after is None:
            return marks[0] if marks else None
        at = marks.index(after.values) + 1 if after.values in marks else len(marks)
        return marks[at] if at < len(marks) else None

    def _bounds(self, feed: FeedView) -> tuple[int | None, bool]:
        """Return how many rows to ask for, and whether their order matters.

        It does where they may not all fit on the page, or where the one who asks said so.
        """
        question = self.question
        left = self.left
        if self.form.kind == "csv":
            return self._csv_bounds(feed)
        is_part = left is not None or question.skip > 0 or self.prefers or self.after is not None
        if not is_part:
            most = feed.manifest["tables"].get(self.name, {"rows": 0})["rows"]
            if 2 * most > self.size:
                is_part = _one(feed, question, question.count_sql())[0] > self.size
        if not is_part:
            return None, question.is_ordered
        return (self.size + 1 if left is None else min(left, self.size + 1)), True

    def _csv_bounds(self, feed: FeedView) -> tuple[int | None, bool]:
        question, left = self.question, self.left
        if left is None or left > self.size:
            total = _one(feed, question, question.count_sql())[0]
            if total > self.size:
                raise bad(
                    tr("CSV has {most} rows at most: ask for less, or for JSON.", most=self.size), "$format"
                )
        return left, question.is_ordered or left is not None or question.skip > 0

    def _head(self, total: int | None) -> bytes:
        if self.form.kind == "csv":
            return csv_head(self.question.shape).encode()
        parts = []
        if self.form.metadata != "none":
            context = f"{self.asked.root}$metadata#{self.name}{self._context()}"
            parts.append(f'"@odata.context":{json.dumps(context)}')
        if total is not None:
            value = f'"{total}"' if self.form.as_text else str(total)
            parts.append(f'"@odata.count":{value}')
        return ("{" + ",".join([*parts, '"value":['])).encode()

    def _context(self) -> str:
        question = self.question
        if question.is_made and question.wanted.names is None:
            names = [*dict.fromkeys([cell.name for cell in question.shape.cells] + [*question.shape.parts])]
            return f"({','.join(names)})"
        return question.wanted.context

    def _tail(self, feed: FeedView, last: Any, given: int) -> bytes:
        left = None if self.left is None else self.left - given
        place = Place(feed=feed.feed_id, size=self.size, left=left, values=tuple(last))
        options = self.asked.asked.without("skip", "skiptoken")
        query = urlencode([*options, ("$skiptoken", place.token())], safe="$")
        return f'],"@odata.nextLink":{json.dumps(f"{self.asked.root}{self.name}?{query}")}}}'.encode()


def root_of(request: Request) -> str:
    """Return the address of the service as the one who asks reaches it."""
    place = place_of(request)
    if place.address is not None:
        return place.root + ROOT
    scheme = "https" if place.speaks_tls else "http"
    return f"{scheme}://{request.headers.get('host', '')}{ROOT}"


def _segments(request: Request) -> list[str]:
    """Return the parts of the path behind the root; they are parted before they are decoded."""
    raw = request.scope.get("raw_path") or request.url.path.encode()
    path = raw.decode("ascii", "replace").partition("?")[0]
    rest = path[path.index(ROOT.rstrip("/")) + len(ROOT) - 1 :].strip("/")
    try:
        return [unquote(part, errors="strict") for part in rest.split("/")] if rest else []
    except UnicodeDecodeError as exc:
        raise bad(tr("{place} cannot be read: {text!r}.", place="URL", text=rest[:80])) from exc


def _resource(segment: str) -> tuple[str, tuple[tuple[str, str], ...] | None]:
    """Return the entity set that *segment* names, and the key in it, None where it has none."""
    found = re.fullmatch(r"(\w+)(?:\((.*)\))?", segment, re.DOTALL)
    if found is None or found[1] not in model().tables:
        raise _not_found(segment)
    name, inner = found[1], found[2]
    if inner is None or not inner.strip():
        if inner is not None:
            raise bad(tr("{place} cannot be read: {text!r}.", place="URL", text=segment[:80]), name)
        return name, None
    columns = model().tables[name].key
    keys: dict[str, str] = {}
    for _, part in parted(inner, ","):
        key, sign, value = part.partition("=")
        if not sign or key.strip().startswith("'"):
            key, value = columns[0], part
        keys[key.strip()] = value.strip()
    if set(keys) != set(columns) or len(keys) != len([*parted(inner, ",")]):
        raise bad(tr("The key of {table} is {columns}.", table=name, columns=", ".join(columns)), name)
    for key, value in keys.items():
        if not re.fullmatch(r"'(?:[^']|'')*'|[-+\w:.]+", value, re.DOTALL):
            raise bad(tr("{place} cannot be read: {text!r}.", place=key, text=value[:80]), key)
    return name, tuple(keys.items())


def _not_found(what: str) -> Refused:
    return Refused(404, tr("There is no {what}.", what=what[:200]), what[:200])


def _one(feed: FeedView, question: Question, sql: str) -> tuple[Any, ...]:
    """Return the one row of *sql*, an empty one where there is none."""
    with _AT_ONCE:
        found = feed.connection.execute(sql, question.values.of(sql)).fetchone()
    return tuple(found) if found else ()

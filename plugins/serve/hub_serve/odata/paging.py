"""One page of a collection: its statement, and its rows that stream from the feed as they are read."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from starlette.responses import Response, StreamingResponse

from hub import FeedView, tr
from hub_serve.app import place_of, reader_of, view_of
from hub_serve.odata.asking import AT_ONCE, Asking, one_row
from hub_serve.odata.headers import Format, page_of
from hub_serve.odata.questions import Key, Place, Question
from hub_serve.odata.writing import csv_head, csv_row
from hub_serve.refusals import bad, unsupported

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

PAGE = 250_000
"""Rows of a page unless less is asked for."""
CHUNK = 1000
"""Rows that are sent at once."""
FEW, LIGHT = 16, 1_000_000
"""So many times what one statement may hold is asked for where the rows before were light, in letters."""
LETTERS = 32_000_000
"""Of a page with the rows of collections beside its own: what is sent before it ends, whatever its size."""
MARKED, KNOWN_MARKS = 10_000, 200
"""From how many rows on pages are cut by keys looked up before, and of how many questions these are kept."""
_marks: dict[tuple[Any, ...], list[Key]] = {}
_looking: dict[tuple[Any, ...], threading.Lock] = {}
_lock = threading.Lock()


class Begun(NamedTuple):
    """A stream of text of which the first part is there."""

    first: bytes
    stream: Generator[bytes | Response]

    def parts(self) -> Iterator[bytes]:
        """Give all parts."""
        return chain([self.first], (part for part in self.stream if isinstance(part, bytes)))


class Streamed(StreamingResponse):
    """An answer that lets its feed go at its end, also where the one who asked hangs up before."""

    def __init__(self, begun: Begun, status: int, headers: dict[str, str], media_type: str) -> None:
        """Send what has *begun*."""
        super().__init__(begun.parts(), status, headers, media_type)
        self.begun = begun

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.begun.stream.close()


class Pages:
    """One page of a collection: its statement, and the text that streams while rows are read."""

    def __init__(
        self, asked: Asking, name: str, question: Question, form: Format, after: Place | None
    ) -> None:
        """Ask *question* of the set *name*, from the place *after*, None for the begin."""
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
            if question.behind:
                raise unsupported(
                    tr("{place}: {what} is not supported.", place="$format", what="$expand"), "$format"
                )
            self.size, self.prefers, self.preferred = place.rows, False, None

    def begin(self) -> Response | Begun:
        """Ask, and return the stream once it has begun well, or that nothing changed."""
        stream = self._stream()
        first = next(stream)
        if not isinstance(first, bytes):
            stream.close()
            return first
        return Begun(first, stream)

    def _stream(self) -> Generator[bytes | Response]:  # so that the feed is open until its end
        question, after = self.question, self.after
        with view_of(self.asked.request, after.feed if after else None) as feed:
            if "now(" not in self.asked.request.url.query:
                self.tag = self.asked.tag(feed)
                if (same := self.asked.same(feed)) is not None:
                    yield same
                    return
            total = one_row(feed, question, question.count_sql())[0] if question.is_counted else None
            upto = self._mark(feed)
            limit, sorts = (None, False) if upto is not None else self._bounds(feed)
            read = self._read(feed, limit, upto, sorts=sorts)
            rows = next(read, [])
            yield self._head(total)
            if self.form.kind == "csv":
                while rows:
                    yield "".join(row[0] for row in rows).encode()
                    rows = next(read, [])
                return
            given, letters, last = 0, 0, upto
            while rows:
                shown = rows[: self.size - given]
                if shown:
                    text = ",".join([row[0] for row in shown])
                    yield (f",{text}" if given else text).encode()
                    given += len(shown)
                    letters += len(text)
                    last = upto or shown[-1][1:]
                before, rows = rows, next(read, [])
                is_full = bool(rows) and question.at_once is not None and letters > LETTERS
                if len(shown) < len(before) or is_full:
                    yield self._tail(feed, last, given)
                    return
            yield self._tail(feed, upto, given) if upto is not None and self.left is None else b"]}"

    def _read(
        self, feed: FeedView, limit: int | None, upto: Key | None, *, sorts: bool
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Give the rows as text in parts, which are read as they are asked for."""
        question, after = self.question, self.after.values if self.after else None
        if question.at_once is not None:
            yield from self._read_few(feed, limit, after, question.at_once)
            return
        if self.form.kind == "csv":
            sql = question.rows_sql(csv_row(question.shape), limit=limit, after=after, upto=upto, sorts=sorts)
        else:
            how = self.asked.writing(self.form, feed)
            sql = question.json_sql(how, limit=limit, after=after, upto=upto, sorts=sorts)
        with AT_ONCE:
            result = feed.connection.execute(sql, question.values.of(sql))
            rows = result.fetchmany(CHUNK)
        while rows:
            yield rows
            rows = result.fetchmany(CHUNK)

    def _read_few(
        self, feed: FeedView, limit: int | None, after: Key | None, few: int
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Give the rows *few* at a time, more where they are light, each time by a statement of its own."""
        given, most, how = 0, min(few * FEW, CHUNK), self.asked.writing(self.form, feed)
        few = min(few, most)
        while limit is None or given < limit:
            asked = min(few, most if limit is None else limit - given)
            sql = self.question.json_sql(how, limit=asked, after=after, sorts=True)
            with AT_ONCE:
                rows = feed.connection.execute(sql, self.question.values.of(sql)).fetchall()
            if rows:
                yield rows
            if len(rows) < asked:
                return
            given += len(rows)
            after = rows[-1][1:]
            few = min(2 * few, most) if sum(len(row[0]) for row in rows) < LIGHT else max(1, few // 2)

    def _mark(self, feed: FeedView) -> Key | None:
        """Return the last key of this page, where it is known without sorting the page's rows.

        The keys that end pages are looked up once for a question to a feed, then each page is a range of
        keys, which is read as it stands. None where another order or another part is asked for.
        """
        question, after = self.question, self.after
        size = self.size if self.left is None else self.left
        is_plain = self.form.kind == "json" and not (
            question.skip or question.is_ordered or question.is_made or question.behind
        )
        fits = size >= MARKED if self.left is None else after is None and MARKED / 100 <= size <= self.size
        most = feed.manifest["tables"].get(self.name, {"rows": 0})["rows"]
        if not is_plain or not fits or not self.tag or most <= size:
            return None
        sql = question.marks_sql(size) + ("" if self.left is None else " LIMIT 1")
        values = question.values.of(sql)
        reader = reader_of(self.asked.request)
        about = (feed.feed_id, reader.level, reader.person, sql, repr(sorted(values.items())))
        with _lock:
            looking = _looking.setdefault(about, threading.Lock())
        with looking:  # one looks, and the others who ask the same wait for it
            marks = _marks.get(about)
            if marks is None:
                with AT_ONCE:
                    marks = [tuple(row) for row in feed.connection.execute(sql, values).fetchall()]
                while len(_marks) >= KNOWN_MARKS:
                    _marks.pop(next(iter(_marks)), None)
                _marks[about] = marks
        _looking.pop(about, None)
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
                is_part = one_row(feed, question, question.count_sql())[0] > self.size
        if not is_part:
            return None, question.is_ordered
        return (self.size + 1 if left is None else min(left, self.size + 1)), True

    def _csv_bounds(self, feed: FeedView) -> tuple[int | None, bool]:
        question, left = self.question, self.left
        if left is None or left > self.size:
            total = one_row(feed, question, question.count_sql())[0]
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
            of_each = [
                dict.fromkeys([*(cell.name for cell in one.cells), *one.parts])
                for one in question.shape.kinds or [question.shape]
            ]
            names = [name for name in of_each[0] if all(name in one for one in of_each)]
            return f"({','.join(names) or '@Core.AnyStructure'})"
        return question.wanted.context

    def _tail(self, feed: FeedView, last: Any, given: int) -> bytes:
        left = None if self.left is None else self.left - given
        place = Place(feed=feed.feed_id, size=self.size, left=left, values=tuple(last))
        options = self.asked.asked.without("skip", "skiptoken")
        query = urlencode([*options, ("$skiptoken", place.token())], safe="$")
        return f'],"@odata.nextLink":{json.dumps(f"{self.asked.root}{self.asked.path}?{query}")}}}'.encode()

"""The service: what a path names, and the answer to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from hub import ConfigError, Lang, model, table_caption, tr
from hub_serve.app import place_of, reader_of, view_of
from hub_serve.feeds import TooLong
from hub_serve.odata import csdl
from hub_serve.odata.asking import Asking, one_row
from hub_serve.odata.headers import Kind, format_of, version_of
from hub_serve.odata.names import collections, navigations
from hub_serve.odata.options import Asked
from hub_serve.odata.paging import Pages, Streamed
from hub_serve.odata.paths import Keys, keys_of, named, not_found, segments_of
from hub_serve.odata.questions import Question
from hub_serve.odata.questions import place_of as place_in
from hub_serve.odata.writing import Cell, json_value, plain_value
from hub_serve.refusals import Refused, as_answer, bad, unsupported

if TYPE_CHECKING:
    from starlette.requests import Request

_ROWS = frozenset({"filter", "search", "apply", "compute"})
_SHOWN = frozenset({"select", "expand", "format", "compute"})


def answer(request: Request) -> Response:
    """Answer one request to the service."""
    import duckdb

    version = "4.01"
    try:
        version = version_of(request.headers)
        is_batch = request.url.path.endswith("/$batch")
        if request.method == "OPTIONS":
            allowed = "POST, OPTIONS" if is_batch else "GET, HEAD, OPTIONS"
            return Response(None, 204, {"allow": allowed, "odata-version": version})
        if request.method not in {"GET", "HEAD"}:
            raise Refused(405, tr("This service is read only."), "$batch" if is_batch else "")
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


class _Answer(Asking):
    """One request, its options and what it asks for."""

    def give(self) -> Response:
        """Return the answer of the resource that the path names. Raises `Refused`."""
        segments = segments_of(self.path)
        match segments:
            case []:
                return self._service_document()
            case ["$metadata"]:
                return self._metadata()
            case ["$batch"]:
                raise Refused(405, tr("A batch is sent by POST."), "$batch")
            case [first, *_] if first.startswith(("$all", "$entity", "$crossjoin")):
                what = first.partition("(")[0]
                raise unsupported(tr("{place}: {what} is not supported.", place="URL", what=what), what)
        name, inner = named(segments[0])
        if name not in model().tables:
            raise not_found(segments[0])
        keys = None if inner is None else self._keys(name, inner)
        return self._reached(name, keys, segments[1:], ())

    def _keys(self, table: str, text: str) -> Keys:
        return keys_of(table, text, dict(self.asked.others))

    def _reached(self, name: str, keys: Keys | None, rest: list[str], within: Keys) -> Response:
        """Return the answer of what *rest* leads to from the row of *name* with *keys*, None for all rows.

        *within* is what makes the rows those of another one.
        """
        if keys is None:
            if not rest:
                return self._collection(name, within)
            if rest == ["$count"]:
                return self._count(name, within)
            raise not_found(self.path)
        path: list[str] = []
        target = name
        while rest and rest[0] in navigations(target):
            path.append(rest[0])
            target = navigations(target)[rest[0]].target
            rest = rest[1:]
        if rest and rest[0].partition("(")[0] in collections(target):
            nav, inner = named(rest[0])
            found = collections(target)[nav]
            _, owner = self._at(name, (*within, *keys), path)
            if not owner:
                raise not_found(self.path)
            deeper = None if inner is None else self._keys(found.table, inner)
            return self._reached(found.table, deeper, rest[1:], ((found.column, owner[0][1]),))
        return self._entity(name, (*within, *keys), path, target, rest)

    # what describes the service
    def _service_document(self) -> Response:
        self.asked.only({"format"})
        form = format_of(self.headers, self.asked.get("format"), ("json",))
        with view_of(self.request) as feed:
            if (found := self.same(feed)) is not None:
                return found
            sets = [
                {"name": name, "title": table_caption(name, feed.lang), "kind": "EntitySet", "url": name}
                for name in model().tables
            ]
            tag = self.tag(feed)
        # a hub that reads this one must not take what a person may see for all there is
        rows = "all" if reader_of(self.request).person is None else "some"
        body: dict[str, Any] = {"value": sets}
        if form.metadata != "none":
            body = {"@odata.context": f"{self.root}$metadata", **body}
        return Response(
            json.dumps(body, ensure_ascii=False), 200, {"etag": tag, "pm-hub-rows": rows}, form.media_type
        )

    def _metadata(self) -> Response:
        self.asked.only({"format"})
        form = format_of(self.headers, self.asked.get("format"), ("xml", "json"))
        with view_of(self.request) as feed:
            if (found := self.same(feed)) is not None:
                return found
            lang: Lang = "fr" if feed.lang == "fr" else "en"
            tag = self.tag(feed)
        if form.kind == "json":
            return Response(
                json.dumps(csdl.as_json(lang), ensure_ascii=False), 200, {"etag": tag}, "application/json"
            )
        return Response(csdl.as_xml(lang, self.version), 200, {"etag": tag}, form.media_type)

    # what has rows
    def _count(self, name: str, within: Keys) -> Response:
        self.asked.only(_ROWS | {"format"})
        format_of(self.headers, self.asked.get("format"), ("text", "json", "xml"))
        question = Question(name, self.asked, keys=within)
        with view_of(self.request) as feed:
            total = one_row(feed, question, question.count_sql())[0]
        return Response(str(total), media_type="text/plain;charset=utf-8")

    def _collection(self, name: str, within: Keys) -> Response:
        form = format_of(self.headers, self.asked.get("format"), ("json", "csv"))
        question = Question(name, self.asked, keys=within)
        token = self.asked.get("skiptoken")
        after = place_in(token) if token is not None else None
        pages = Pages(self, name, question, form, after)
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
            head = Response(None, 200, headers, form.media_type)
            del head.headers["content-length"]  # it has none because nobody asked for it, not because it is 0
            return head
        return Streamed(sent, 200, headers, form.media_type)

    def _entity(self, name: str, keys: Keys, path: list[str], target: str, rest: list[str]) -> Response:
        if rest == ["$ref"] or (rest and rest[0] == "$links"):
            raise unsupported(tr("{place}: {what} is not supported.", place="URL", what="$ref"), rest[0])
        if rest and (rest[0] not in model().tables[target].columns or rest[1:] not in ([], ["$value"])):
            raise not_found(self.path)
        segment = self.path.removesuffix("/" + "/".join(rest))
        if path:
            name, keys = self._at(name, keys, path)
            if not keys:
                return Response(status_code=204)
        if not rest:
            return self._one_entity(name, keys, segment)
        return self._property(name, keys, rest, segment)

    def _at(self, name: str, keys: Keys, path: list[str]) -> tuple[str, Keys]:
        """Return the entity at the end of *path* from another one; no keys where there is none."""
        question = Question(name, Asked(given={}), keys=keys)
        rows = question.rows
        target, _ = rows.reach(tuple(path))  # type: ignore[union-attr]
        key = model().tables[target].key[0]
        cell = Cell(name=key, column="v", type=model().tables[target].columns[key].type)
        question.columns = {"v": rows.find((*path, key))}
        with view_of(self.request) as feed:
            found = one_row(feed, question, question.rows_sql(plain_value(cell), limit=1))
        if not found:
            raise not_found(self.path)
        if found[0] is None:
            return target, ()
        literal = "'" + found[0].replace("'", "''") + "'" if cell.type == "VARCHAR" else found[0]
        return target, ((key, literal),)

    def _one_entity(self, name: str, keys: Keys, segment: str) -> Response:
        self.asked.only(_SHOWN)
        form = format_of(self.headers, self.asked.get("format"), ("json",))
        question = Question(name, self.asked, keys=keys)
        with view_of(self.request) as feed:
            if (same := self.same(feed)) is not None:
                return same
            found = one_row(feed, question, question.json_sql(self.writing(form, feed), limit=1))
            tag = self.tag(feed)
        if not found:
            raise not_found(segment)
        context = f"{self.root}$metadata#{name}{question.wanted.context}/$entity"
        head = "" if form.metadata == "none" else f'"@odata.context":{json.dumps(context)},'
        body = "{" + head + found[0][1:]
        return Response(
            body.replace(",}", "}") if body.endswith(",}") else body, 200, {"etag": tag}, form.media_type
        )

    def _property(self, name: str, keys: Keys, rest: list[str], segment: str) -> Response:
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
            found = one_row(feed, question, question.rows_sql(written, limit=1))
            tag = self.tag(feed)
        if not found:
            raise not_found(segment)
        if found[0] in (None, "null"):
            return Response(status_code=204)
        if is_raw:
            return Response(found[0], 200, {"etag": tag}, form.media_type)
        context = f'"@odata.context":{json.dumps(f"{self.root}$metadata#{segment}/{rest[0]}")},'
        head = "" if form.metadata == "none" else context
        return Response(f'{{{head}"value":{found[0]}}}', 200, {"etag": tag}, form.media_type)

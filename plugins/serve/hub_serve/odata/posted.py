"""``POST …/$query``: a question whose options stand in the body, because an address would be too long.

Source: OASIS OData 4.01 part 2, 4.17; forms and JSON of 4.02. The answer is that of a GET.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from hub import tr
from hub_serve.odata.headers import version_of
from hub_serve.odata.service import answer
from hub_serve.refusals import Refused, as_answer, bad

if TYPE_CHECKING:
    from starlette.types import Scope

SEGMENT = "/$query"
FORMATS = ("text/plain", "application/x-www-form-urlencoded", "application/json")
LONGEST = 24_000
"""Letters of all options as an address has them: a next link has to fit into one."""


async def posted(request: Request) -> Response:
    """Answer a question whose options are in its body."""
    version = "4.01"
    try:
        version = version_of(request.headers)
        if request.method == "OPTIONS":
            return Response(None, 204, {"allow": "POST, OPTIONS", "odata-version": version})
        if request.method != "POST":
            raise Refused(405, tr("A question with a body is sent by POST."), "$query")
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > LONGEST:
                raise _too_long()
        query = query_of(bytes(body), request.headers.get("content-type", ""), request.url.query)
    except Refused as exc:
        return as_answer(exc, version)
    path = request.url.path.removesuffix(SEGMENT)
    raw = request.scope.get("raw_path") or path.encode()
    scope: Scope = {
        **request.scope, "method": "GET", "path": path, "query_string": query.encode(),
        "raw_path": raw.partition(b"?")[0].removesuffix(b"/$query").removesuffix(b"/%24query"),
    }  # fmt: skip
    return await run_in_threadpool(answer, Request(scope))


def query_of(body: bytes, content_type: str, query: str) -> str:
    """Return the options of *body*, which is of *content_type*, with those of *query*, as in an address.

    Raises `Refused`.
    """
    kind = content_type.partition(";")[0].strip().lower()
    try:
        text = body.decode()
    except UnicodeDecodeError as exc:
        raise bad(tr("{place} cannot be read: {text!r}.", place="$query", text=str(exc)), "$query") from exc
    if kind == "application/json":
        options = _of_json(text)
    elif kind in FORMATS:
        options = parse_qsl(text.strip(), keep_blank_values=True)
    else:
        wanted = ", ".join(FORMATS)
        raise Refused(415, tr("The options of a question are {formats}.", formats=wanted), "content-type")
    found = urlencode([*parse_qsl(query, keep_blank_values=True), *options], safe="$")
    if len(found) > LONGEST:
        raise _too_long()
    return found


def _of_json(text: str) -> list[tuple[str, str]]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise bad(tr("{place} cannot be read: {text!r}.", place="$query", text=text[:80]), "$query") from exc
    if not isinstance(found, dict):
        raise bad(tr("{place} cannot be read: {text!r}.", place="$query", text=text[:80]), "$query")
    listed = []
    for name, value in found.items():
        if isinstance(value, bool):
            value = str(value).lower()
        if not isinstance(value, str | int):
            place = name[:40]
            raise bad(tr("{place} cannot be read: {text!r}.", place=place, text=repr(value)[:80]), place)
        listed.append((name, str(value)))
    return listed


def _too_long() -> Refused:
    return Refused(413, tr("A question has {most} letters of options at most.", most=LONGEST), "$query")

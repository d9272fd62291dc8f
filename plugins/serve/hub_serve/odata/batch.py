"""``$batch``: several questions in one request, each under the rights and limits that it has alone.

Source: OASIS OData 4.01 part 1, 11.7 (multipart), and JSON format 4.01, 19. Nothing is written, so that a
change set is refused as a whole. All parts are of the feed that was current when the batch began.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from hub import ConfigError, tr
from hub_serve.app import feeds_of, patience_of
from hub_serve.door import later
from hub_serve.odata.batch_parts import FORMATS, MOST, Part, boundary_of, from_json, from_multipart
from hub_serve.odata.headers import version_of
from hub_serve.odata.paging import Streamed
from hub_serve.odata.paths import ROOT, root_of
from hub_serve.odata.service import answer
from hub_serve.refusals import Refused, as_answer, bad

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

BODY = 1_000_000
"""Bytes of a batch at most."""


async def batch(request: Request) -> Response:
    """Answer a batch."""
    version = "4.01"
    try:
        version = version_of(request.headers)
        given, wanted = _formats(request)
        body = await _body(request)
        parts = from_json(body) if given == "application/json" else from_multipart(body, _boundary(request))
        if len(parts) > MOST:
            raise bad(tr("A batch has {most} questions at most.", most=MOST), "$batch")
    except Refused as exc:
        return as_answer(exc, version)
    goes_on, said = _goes_on(request, default=given == "application/json")
    answers = _answers(request, parts, goes_on=goes_on)
    headers = {"odata-version": version} | ({"preference-applied": said} if said else {})
    if wanted == "application/json":
        return _Batched(_as_json(answers), 200, headers, "application/json")
    boundary = f"batch_{secrets.token_hex(12)}"
    return _Batched(_as_multipart(answers, boundary), 200, headers, f"multipart/mixed; boundary={boundary}")


class _Batched(StreamingResponse):
    """Answers that end with the one who asked."""

    def __init__(
        self, stream: Generator[bytes], status: int, headers: dict[str, str], media_type: str
    ) -> None:
        super().__init__(stream, status, headers, media_type)
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._stream.close()


def _formats(request: Request) -> tuple[str, str]:
    """Return the media types of the batch and of its answer. Raises `Refused`."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in FORMATS:
        raise Refused(415, tr("A batch is {formats}.", formats=", ".join(FORMATS)), "content-type")
    accept = request.headers.get("accept", "")
    names = [part.partition(";")[0].strip().lower() for part in accept.split(",") if part.strip()]
    if not names or {given, "*/*"} & {*names}:
        return given, given
    for name in names:
        if name in FORMATS:
            return given, name
    raise Refused(406, tr("{place}: {what} is not supported.", place="Accept", what=accept[:60]), "Accept")


async def _body(request: Request) -> bytes:
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > BODY:
            raise Refused(413, tr("A batch has {most} bytes at most.", most=BODY), "$batch")
    return bytes(found)


def _boundary(request: Request) -> str:
    return boundary_of(request.headers.get("content-type", ""))


def _goes_on(request: Request, *, default: bool) -> tuple[bool, str]:
    """Return whether the batch goes on after an error, and how the preference is told."""
    for one in request.headers.get("prefer", "").split(","):
        name, _, value = one.strip().lower().partition("=")
        if name.strip() in {"continue-on-error", "odata.continue-on-error"}:
            goes_on = value.strip(' "') != "false"
            return goes_on, f"{name.strip()}={str(goes_on).lower()}"
    return default, ""


def _answers(
    request: Request, parts: list[Part], *, goes_on: bool
) -> Iterator[tuple[Part, Response, Iterator[bytes]]]:
    """Give each part with its answer and the text of it; what does not go on ends with the first error."""
    failed: set[str] = set()
    feed = None
    try:
        feed = feeds_of(request).current()
    except ConfigError:
        pass  # each part says so
    for part in parts:
        if part.refused is not None:
            found: Response = as_answer(part.refused)
        elif failed & {*part.depends}:
            found = as_answer(Refused(424, tr("What it depends on failed."), part.id))
        elif wait := patience_of(request):
            found = later(wait, tr("Too many requests: wait and try again."))
        else:
            found = _asked(request, part, feed)
        if found.status_code >= 400:
            failed |= {part.id, part.group} - {""}
        if isinstance(found, Streamed):
            try:
                yield part, found, found.begun.parts()
            finally:
                found.begun.stream.close()
        else:
            yield part, found, iter([bytes(found.body)])
        if found.status_code >= 400 and not goes_on:
            return


def _asked(request: Request, part: Part, feed: str | None) -> Response:
    """Return the answer to *part* alone."""
    path, _, query = _below(part.url, root_of(request)).partition("?")
    kept = {"host", "odata-maxversion"}
    inherited = [(key, value) for key, value in request.scope["headers"] if key.decode("latin-1") in kept]
    own = {key.encode() for key in part.headers}
    headers = [(key, value) for key, value in inherited if key not in own]
    headers += [(key.encode(), value.encode("latin-1", "replace")) for key, value in part.headers.items()]
    raw = ROOT + path
    scope = {
        **request.scope,
        "method": part.method, "path": unquote(raw), "raw_path": raw.encode("ascii", "replace"),
        "query_string": query.encode("ascii", "replace"), "headers": headers, "path_params": {},
        "state": {**request.scope["state"], "feed": feed},
    }  # fmt: skip
    return answer(Request(scope))


def _below(url: str, root: str) -> str:
    """Return what stands of *url* below the root of the service, which is at *root* for the one who asks."""
    if url.startswith(root):
        return url[len(root) :]
    for begin in (urlsplit(root).path, ROOT):
        if url.startswith(begin):
            return url[len(begin) :]
    is_elsewhere = url.startswith("/") or urlsplit(url.partition("?")[0]).scheme
    return f"$elsewhere/{url}" if is_elsewhere else url


def _as_json(answers: Iterator[tuple[Part, Response, Iterator[bytes]]]) -> Generator[bytes]:
    yield b'{"responses":['
    for n, (part, found, body) in enumerate(answers):
        headers = {key: value for key, value in found.headers.items() if key != "content-length"}
        about: dict[str, Any] = {"id": part.id} if part.id else {}
        if part.group:
            about["atomicityGroup"] = part.group
        about |= {"status": found.status_code, "headers": headers}
        yield ("," if n else "").encode() + json.dumps(about, ensure_ascii=False)[:-1].encode()
        first = next(body, b"")
        kind = found.headers.get("content-type", "")
        if not first:
            yield b"}"
            continue
        yield b',"body":'
        if kind.startswith("application/json"):
            yield first
            yield from body
        elif kind.startswith("text/"):
            yield b'"'
            yield _in_string(first)
            yield from (_in_string(one) for one in body)
            yield b'"'
        else:
            whole = first + b"".join(body)
            yield json.dumps(base64.urlsafe_b64encode(whole).decode()).encode()
        yield b"}"
    yield b"]}"


def _in_string(text: bytes) -> bytes:
    return json.dumps(text.decode(), ensure_ascii=False)[1:-1].encode()


def _as_multipart(
    answers: Iterator[tuple[Part, Response, Iterator[bytes]]], boundary: str
) -> Generator[bytes]:
    for part, found, body in answers:
        head = [f"--{boundary}", "Content-Type: application/http", "Content-Transfer-Encoding: binary"]
        if part.id:
            head.append(f"Content-ID: {part.id}")
        head += ["", f"HTTP/1.1 {found.status_code} {_REASONS.get(found.status_code, 'Error')}"]
        head += [f"{key}: {value}" for key, value in found.headers.items()]
        yield ("\r\n".join(head) + "\r\n\r\n").encode("latin-1", "replace")
        yield from body
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()


_REASONS = {
    200: "OK", 204: "No Content", 304: "Not Modified", 400: "Bad Request", 404: "Not Found",
    405: "Method Not Allowed", 424: "Failed Dependency", 429: "Too Many Requests", 501: "Not Implemented",
}  # fmt: skip

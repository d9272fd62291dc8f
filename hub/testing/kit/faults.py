"""The fault machine: an HTTP simulator in front of a world that fails on purpose.

And a clock that makes waiting short.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from hub.context import Context
from hub.http import Session
from hub.simulator import Request, Response, Simulator
from hub.testing.kit.certification import HttpWorld

if TYPE_CHECKING:
    from hub.testing.kit.harness import HttpHarness

MOST_REQUESTS = 1500
SHORT_S = 1.0
"""A read time-out that a stalled answer meets soon; a busy machine meets it too."""
Fault = Callable[[int, Request, Callable[[], Response]], Response | bytes | None]
"""Gets the number of the request (from 1), the request and the true answer.

Bytes are sent raw, None resets the connection.
"""


class SimulatorServer:
    """A local server that answers for *world*; *fault* may change any answer.

    After *most* requests it refuses all.
    """

    def __init__(
        self,
        world: HttpWorld | Simulator,
        fault: Fault | None = None,
        *,
        port: int = 0,
        most: int = MOST_REQUESTS,
    ) -> None:
        """Start on *port* of the loopback address, by default a free one. Raises OSError when it is taken."""
        self.world = world
        self.fault = fault
        self.most = most
        self.asked: list[Request] = []
        self._lock = threading.Lock()
        simulator = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # one packet an answer: two would wait 40 ms for the other side's acknowledgement
            wbufsize = 1 << 16
            disable_nagle_algorithm = True

            def _serve(self) -> None:
                simulator._serve(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - named by the base

            def log_message(self, *_: object) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def __enter__(self) -> SimulatorServer:
        """Return the simulator."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.server.shutdown()
        self.server.server_close()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        length = int(handler.headers.get("Content-Length") or 0)
        request = Request(
            method=handler.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            search=parts.query,
            headers={name.lower(): value for name, value in handler.headers.items()},
            body=handler.rfile.read(length),
        )
        with self._lock:
            self.asked.append(msgspec.structs.replace(request, search=""))
            number = len(self.asked)

            def honest() -> Response:
                return self.world.answer(request)

            if number > self.most:
                answer: Response | bytes | None = Response(
                    status=400, body={"error": "the kit stops a source that asks for ever"}
                )
            else:
                answer = self.fault(number, request, honest) if self.fault else honest()
        if answer is None:
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        try:
            if isinstance(answer, bytes):
                handler.send_response(200)
                handler.send_header("Content-Type", "application/json")
                handler.send_header("Content-Length", str(len(answer)))
                handler.end_headers()
                handler.wfile.write(answer)
                return
            body = (
                answer.body
                if isinstance(answer.body, bytes)
                else json.dumps(answer.body, ensure_ascii=False).encode()
            )
            handler.send_response(answer.status)
            headers = {"Content-Type": "application/json", "Content-Length": str(len(body))} | answer.headers
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.end_headers()
            if answer.stall_s:
                handler.wfile.write(body[: len(body) // 2])
                handler.wfile.flush()
                time.sleep(answer.stall_s)
                body = body[len(body) // 2 :]
            handler.wfile.write(body)
        except OSError:
            handler.close_connection = True


def hurried(ctx: Context | None = None, *, read_timeout_s: float = 60.0) -> Session:
    """Return a patient session whose waits are counted instead of slept.

    A minute of patience passes in no time.

    With *ctx*, its traffic is counted there, and it stops when the run is cancelled.
    """
    waited = [0.0]

    def sleep(seconds: float) -> None:
        waited[0] += seconds
        time.sleep(min(seconds, 0.001))

    return Session(
        count=ctx.count if ctx else None,
        cancelled=ctx.raise_if_cancelled if ctx else None,
        sleep=sleep,
        clock=lambda: waited[0],
        patience_s=60,
        timeout_s=(10.0, read_timeout_s),
    )


# ---------- faults, each by name ----------


def status_from(first: int, status: int) -> Fault:
    """Answer *status* from the request number *first* on."""
    return lambda number, _, honest: (
        Response(status=status, body={"error": status}) if number >= first else honest()
    )


def status_once(at: int, status: int, headers: Callable[[], dict[str, str]] = dict) -> Fault:
    """Answer *status* to one request only."""
    return lambda number, _, honest: (
        Response(status=status, body={}, headers=headers()) if number == at else honest()
    )


def retry_after(form: str) -> Callable[[], dict[str, str]]:
    """Return a Retry-After of a form: ``seconds``, ``fraction`` or ``date``."""

    def headers() -> dict[str, str]:
        soon = format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True)
        return {"Retry-After": {"seconds": "2", "fraction": "0.5", "date": soon}[form]}

    return headers


def raw_once(at: int, content: Callable[[bytes], bytes]) -> Fault:
    """Send a changed body to one request."""

    def fault(number: int, _: Request, honest: Callable[[], Response]) -> Response | bytes:
        answer = honest()
        return content(json.dumps(answer.body).encode()) if number == at else answer

    return fault


def reset_once(at: int) -> Fault:
    """Break the connection of one request."""
    return lambda number, _, honest: None if number == at else honest()


def lists(body: Any) -> list[tuple[dict[str, Any], str]]:
    """Find the lists of records in an answer, as (holder, key)."""
    found = []
    if isinstance(body, dict):
        found = [
            (body, key)
            for key, value in body.items()
            if isinstance(value, list) and value and isinstance(value[0], dict)
        ]
    return found


_OWN = frozenset({"id", "key", "gid", "uuid", "self", "_links"})
"""What one thing shows that an answer is about, and what lies around a list does not."""


def on_list(
    at: int,
    change: Callable[[list[Any]], list[Any]],
    *,
    path: str | None = None,
    key: str | None = None,
    counted: bool = False,
) -> Fault:
    """Change the list of records in the *at*-th answer that has one of two or more, wherever it stands.

    With *path* and *key* only those of that name at that address count; *counted* leaves out what nothing can
    be held against: an answer that is a list, whose headers say no total.
    """
    seen = [0]

    def fault(_: int, request: Request, honest: Callable[[], Response]) -> Response:
        answer, before = honest(), seen[0]

        def see(name: str, rows: list[Any]) -> list[Any]:
            if (path is not None and (path, key) != (request.path, name)) or (
                counted and not name and not says_total(answer)
            ):
                return rows
            return change(rows) if _next(seen) == at else rows

        body = with_lists(parsed(answer), see)
        return msgspec.structs.replace(answer, body=body) if before < at <= seen[0] else answer

    return fault


def says_total(answer: Response) -> bool:
    """Say whether the headers of an answer tell how many rows there are."""
    return any("total" in name.lower() or name.lower() == "content-range" for name in answer.headers)


def with_lists(body: Any, see: Callable[[str, list[Any]], list[Any]], name: str = "") -> Any:
    """Return an answer with what *see* makes of each of its lists of two records or more, by its name.

    The lists of one thing that an answer is about, such as the history of an issue, are none of them.
    """
    if isinstance(body, list):
        return see(name, body) if len(body) >= 2 and isinstance(body[0], dict) else body
    if isinstance(body, dict) and (not name or not body.keys() & _OWN):
        return {key: with_lists(value, see, key) for key, value in body.items()}
    return body


def halved(at: int) -> Fault:
    """Show half of each list in the *at*-th answer that has one of two or more, of ids or of rows."""
    seen = [0]

    def fault(_: int, __: Request, honest: Callable[[], Response]) -> Response:
        answer = honest()
        body = parsed(answer)
        if isinstance(body, list):  # the answer is the list
            cut = halved_list(body) if len(body) >= 2 and _next(seen) == at else body
            return answer if cut is body else msgspec.structs.replace(answer, body=cut)
        if (long := [pair for pair in _long_lists(body) if len(pair[0][pair[1]]) >= 2]) and _next(seen) == at:
            for holder, key in long:
                holder[key] = halved_list(holder[key])
            return msgspec.structs.replace(answer, body=body)
        return answer

    return fault


def halved_list(rows: list[Any]) -> list[Any]:
    """Return the first half of a list."""
    return rows[: len(rows) // 2]


def lying_totals(change: Callable[[int], int]) -> Fault:
    """Change every number beside a list, or one level above it, that is called a total or a count."""

    def fault(_: int, __: Request, honest: Callable[[], Response]) -> Response:
        answer = honest()
        body = parsed(answer)
        if not isinstance(body, dict) or not _long_lists(body):
            return answer
        for holder in (body, *(one for one in body.values() if isinstance(one, dict))):
            for key, value in holder.items():
                if type(value) is int and _TOTAL.search(key):
                    holder[key] = change(value)
        return msgspec.structs.replace(answer, body=body)

    return fault


_TOTAL = re.compile("total|count|number_?of|hits", re.IGNORECASE)


def _long_lists(body: Any) -> list[tuple[Any, str]]:
    """Return (holder, key) of the lists of an answer, the outermost ones only."""
    if isinstance(body, list):
        return []
    found: list[tuple[Any, str]] = []
    for name, value in body.items() if isinstance(body, dict) else ():
        found += [(body, name)] if isinstance(value, list) else _long_lists(value)
    return found


def _next(seen: list[int]) -> int:
    seen[0] += 1
    return seen[0]


def records_in(body: Any) -> list[dict[str, Any]]:
    """Return the records of an answer: the objects in its outermost lists, wherever these stand."""
    if isinstance(body, list):
        return [one for one in body if isinstance(one, dict)]
    below = body.values() if isinstance(body, dict) else ()
    return [record for one in below for record in records_in(one)]


def rename_field(field: str) -> Fault:
    """Rename a field of every record, as an upgrade of the tool may."""
    return _each_record(lambda one: {(f"{k}_v2" if k == field else k): v for k, v in one.items()})


def retype_field(field: str) -> Fault:
    """Return a field of every record another type."""
    return _each_record(lambda one: {k: ({"value": v} if k == field else v) for k, v in one.items()})


def _each_record(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Fault:
    def fault(_: int, __: Request, honest: Callable[[], Response]) -> Response:
        answer = honest()
        body = parsed(answer)
        for record in records_in(body):
            changed = change(record)
            record.clear()
            record.update(changed)
        return answer if body is None else msgspec.structs.replace(answer, body=body)

    return fault


def rows_of(body: Any, natives: set[str]) -> list[tuple[str, dict[str, Any]]]:
    """Find the records of an answer, however deep, that show one of the ids *natives* as their own.

    Each comes with the key under which it does: the first whose value is one of them.
    """
    found: list[tuple[str, dict[str, Any]]] = []
    below = list(body.values()) if isinstance(body, dict) else body if isinstance(body, list) else []
    for one in below:
        found += rows_of(one, natives)
        if isinstance(body, list) and isinstance(one, dict):
            own = next((key for key, value in one.items() if str(value) in natives), None)
            if own is not None:
                found.append((own, one))
    return found


def natives_of(world: HttpWorld) -> set[str]:
    """Return the ids by which rows may show themselves: the world's, the store's, or the ends of those."""
    stored = {world.stored_id(native) for native in world.rows()}
    return {*world.rows(), *stored, *(one.rpartition("/")[2] for one in stored)}


def shown_fields(harness: HttpHarness) -> dict[str, str]:
    """Return the fields of the rows of *main* that a calm run is shown, each with a row that has it."""
    natives = natives_of(harness.world)
    fields: dict[str, str] = {}

    def note(_: int, __: Request, honest: Callable[[], Response]) -> Response:
        answer = honest()
        for own, record in rows_of(parsed(answer), natives):
            fields.update({key: str(record[own]) for key in record if key != own and key not in fields})
        return answer

    harness.sync(note)
    return fields


def odd_field(native: str, field: str, natives: set[str]) -> Fault:
    """Return one field of one of the rows *natives*, wherever it is shown, as something nobody expects.

    The id of the row stays: by that it is found again.
    """

    def fault(_: int, __: Request, honest: Callable[[], Response]) -> Response:
        answer = honest()
        body = parsed(answer)
        for own, record in rows_of(body, natives):
            if str(record[own]) == native and field in record and own != field:
                # an object with other names may be an empty one of its kind
                record[field] = "odd" if isinstance(record[field], dict) else {"odd": [1]}
        return answer if body is None else msgspec.structs.replace(answer, body=body)

    return fault


def parsed(answer: Response) -> Any:
    """Return a copy of the JSON of an answer that may be changed; None where it has none."""
    text = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body)
    try:
        return json.loads(text)
    except ValueError:
        return None


def meanwhile(at: int, act: Callable[[], Any]) -> Fault:
    """Let something happen in the world just after the request number *at* was answered."""

    def fault(number: int, _: Request, honest: Callable[[], Response]) -> Response:
        answer = honest()
        if number == at:
            act()
        return answer

    return fault


def stall_once(at: int, seconds: float) -> Fault:
    """Pause in the middle of one answer."""

    def fault(number: int, _: Request, honest: Callable[[], Response]) -> Response:
        answer = honest()
        answer.stall_s = seconds if number == at else 0.0
        return answer

    return fault


def overlapping(rows: int) -> Fault:
    """Begin each page of a list with the last *rows* of the page before.

    Lists that shift while being read do so.
    """
    last: dict[str, list[Any]] = {}

    def fault(_: int, request: Request, honest: Callable[[], Response]) -> Response:
        answer = honest()
        for holder, key in lists(answer.body):
            place = f"{request.path} {key}"
            holder[key], last[place] = last.get(place, []) + holder[key], holder[key][-rows:]
        return answer

    return fault


def ignores(parameter: str, world: HttpWorld) -> Fault:
    """Answer as a tool that does not know *parameter* and says nothing: with everything."""

    def fault(_: int, request: Request, __: Callable[[], Response]) -> Response:
        query = {name: value for name, value in request.query.items() if name != parameter}
        return world.answer(msgspec.structs.replace(request, query=query))

    return fault

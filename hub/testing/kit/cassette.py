"""Record a tool's answers without anyone's name in them, and replay them as a world that cannot be edited."""

from __future__ import annotations

import base64
import contextlib
import secrets
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any, Literal, get_origin, get_type_hints
from urllib.parse import parse_qsl, urlsplit

import msgspec
import requests

from hub.context import Context
from hub.errors import ConfigError, SourceDataError
from hub.http import Session
from hub.records import RECORDS, columns
from hub.secrets import Secret
from hub.simulator import Request, Response
from hub.source import Source
from hub.store import Store
from hub.sync import Options, SourceReport, sync
from hub.testing.kit.anonymise import ORIGIN, Anonymiser
from hub.testing.kit.certification import SECRET, HttpWorld, SourceCertification, credential
from hub.testing.kit.harness import table

HEADERS = ("content-type", "retry-after")
_SAME = {"name", "tz"}


class Exchange(msgspec.Struct, kw_only=True):
    """One question and its answer, anonymised; *body* is what was sent, *answer* is JSON."""

    method: str
    path: str
    query: dict[str, str] = {}
    body: Any = None
    status: int = 200
    headers: dict[str, str] = {}
    answer: Any = None


class Cassette(msgspec.Struct, kw_only=True):
    """A recording.

    The source's settings (of *secrets* only the names), what was said, and what the store then held.
    """

    kind: str
    settings: dict[str, Any]
    secrets: list[str]
    exchanges: list[Exchange]
    truth: dict[str, dict[str, dict[str, Any]]] = {}


class Recording(msgspec.Struct, kw_only=True):
    """What `record` did.

    The cassette, how the real run and its replay went, and the values that were kept.
    """

    cassette: Cassette
    report: SourceReport
    replay: SourceReport
    kept: list[str]


def record(source: Source, base: Path, *, keep: tuple[str, ...] = ()) -> Recording:
    """Read *source* in full, once, into a store that is thrown away.

    What was said is anonymised before anything is written.

    Raises `ConfigError` when the source asks nobody over HTTP, `SourceDataError` when the recording cannot be
    replayed.
    """
    raw: list[requests.Response] = []

    def session(ctx: Context) -> Session:
        inner = requests.Session()
        inner.hooks["response"].append(lambda response, **_: raw.append(response))
        return Session(count=ctx.count, cancelled=ctx.raise_if_cancelled, session=inner)

    context = Context(base=base, source_id=source.name, session=lambda: session(context))
    try:
        list(source.check(context))  # what `hub check` asks belongs to the recording
    finally:
        context.close()
    with Store.open("sqlite://") as store:
        report = sync(
            store, [source], Options(base=base, jobs=1, session=session, full=True, census=True)
        ).sources[0]
    if not raw:
        raise ConfigError(
            f"The source {source.name} asked nobody over HTTP: there is nothing to record. "
            f"{report.error or ''}"
        )
    parts = urlsplit(str(raw[0].request.url))
    anonymise = Anonymiser(secrets.token_bytes(32), origin=f"{parts.scheme}://{parts.netloc}", keep=keep)
    bodies = [_decoded(response.content) for response in raw]
    settings = _settings(source)
    private = {
        name
        for name in settings
        if name not in _SAME and not _usual(type(source), name, getattr(source, name))
    }
    for body in bodies:
        anonymise.look(body)
    for name in private:  # a project or a workspace that someone chose is a name, wherever it stands
        anonymise.look(settings[name], "name")
    cassette = Cassette(
        kind=source.kind,
        settings={
            name: anonymise.json(value, name) if name in private else value
            for name, value in settings.items()
        },
        secrets=[name for name in source.__struct_fields__ if isinstance(getattr(source, name), Secret)],
        exchanges=[_exchange(anonymise, response, body) for response, body in zip(raw, bodies, strict=True)],
    )
    certification = RecordedCertification(cassette, type(source))
    with table(certification, 0) as harness:
        replay = harness.sync(census=True)
        cassette.truth = _held(harness.store, harness.source, without=harness.simulator.url)
    if replay.verdict != report.verdict:
        raise SourceDataError(
            "The recording cannot be replayed: "
            f"the tool gave {report.verdict}, its anonymised copy {replay.verdict} "
            f"({'; '.join(replay.missing) or replay.error}). "
            "A value the connector has to read was anonymised: name its field with --keep."
        )
    return Recording(cassette=cassette, report=report, replay=replay, kept=sorted(anonymise.kept))


def _decoded(content: bytes) -> Any:
    with contextlib.suppress(msgspec.DecodeError):
        return msgspec.json.decode(content) if content else None
    return None


def _settings(source: Source) -> dict[str, Any]:
    return {
        name: msgspec.to_builtins(value)
        for name in source.__struct_fields__
        if not isinstance(value := getattr(source, name), Secret)
        and name not in {"max_leave", "freshness_hours"}
    }


def _usual(cls: type[Source], name: str, value: Any) -> bool:
    """Say whether a setting is as shipped, or one of a few words: such a value tells nothing about anyone."""
    field = next(one for one in msgspec.structs.fields(cls) if one.name == name)
    if field.default_factory is not msgspec.NODEFAULT:
        return bool(value == field.default_factory())
    return bool(value == field.default) or get_origin(field.type) is Literal


def _exchange(anonymise: Anonymiser, response: requests.Response, body: Any) -> Exchange:
    asked = response.request
    parts = urlsplit(str(asked.url))
    sent = asked.body.encode() if isinstance(asked.body, str) else asked.body or b""
    return Exchange(
        method=str(asked.method),
        path=anonymise.path(parts.path),
        query={
            name: anonymise.value(name, value)
            for name, value in parse_qsl(parts.query, keep_blank_values=True)
        },
        body=anonymise.json(_decoded(sent)) if isinstance(sent, bytes) else None,
        status=response.status_code,
        headers={name: response.headers[name] for name in HEADERS if name in response.headers},
        answer=anonymise.json(body),
    )


def _held(store: Store, source: Source, *, without: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the rows of the store, but for what holds the address *without* of the simulator."""
    cut = len(source.name) + 1
    held = {}
    for one in RECORDS:
        names = [name for name in columns(one) if name != "id"]
        rows = store.rows(f"SELECT id, {', '.join(names)} FROM {one.table} ORDER BY id")
        if rows:
            held[one.table] = {
                row["id"][cut:]: {
                    name: row[name]
                    for name in names
                    if row[name] is not None and without not in str(row[name])
                }
                for row in rows
            }
    return held


class Recorded(HttpWorld):
    """A recording as a world.

    The same question gets the same answer. What was said is anonymised in the recording, so a question that
    is not on it gets the answer to the one most like it on its path, of equals the one used least.
    """

    def __init__(self, cassette: Cassette) -> None:
        """Sort the answers by question."""
        super().__init__(0)
        self.cassette = cassette
        sizes = {name: len(rows) for name, rows in cassette.truth.items()}
        self.main = max(sizes, key=sizes.__getitem__) if sizes else "task"  # type: ignore[misc]
        self.exact: dict[tuple[Any, ...], Exchange] = {}
        self.queue: dict[tuple[str, str], list[Exchange]] = defaultdict(list)
        for one in cassette.exchanges:
            if one.status < 400 or (one.method, one.path) not in self.queue:
                self.exact.setdefault(_question(one.method, one.path, one.query, one.body), one)
                self.queue[one.method, one.path].append(one)
        self.used: dict[int, int] = defaultdict(int)
        self.lock = threading.Lock()

    def answer(self, request: Request) -> Response:
        """Play."""
        if not _knows_secret(request):
            return Response(status=401, body={"error": "unauthorized"})
        question = _question(request.method, request.path, request.query, _decoded(request.body))
        with self.lock:
            found = self.exact.get(question)
            if found is None:
                queue = self.queue.get((request.method, request.path), [])
                if not queue:
                    return Response(status=404, body={"error": "not on the recording"})
                said = _leaves([request.query, _decoded(request.body)])
                alike = [len(said ^ _leaves([one.query, one.body])) for one in queue]
                number = min(range(len(queue)), key=lambda n: (alike[n], self.used[id(queue[n])], n))
                found = self.exact[question] = queue[number]
                self.used[id(found)] += 1
        host = request.headers.get("host", "")
        text = msgspec.json.encode(found.answer).decode().replace(ORIGIN, f"http://{host}")
        return Response(status=found.status, body=msgspec.json.decode(text), headers=dict(found.headers))

    def requests(self) -> int:
        """Return the number recorded."""
        return len(self.cassette.exchanges)

    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return what the store held when it was recorded.

        Read it with care: it came from the connector itself.
        """
        return self.cassette.truth

    def rows(self) -> list[str]:
        """Return the ids."""
        return list(self.cassette.truth.get(self.main, {}))


def _question(method: str, path: str, query: dict[str, str], body: Any) -> tuple[Any, ...]:
    return method, path, tuple(sorted(query.items())), msgspec.json.encode(body)


def _leaves(value: Any, path: str = "") -> set[tuple[str, str]]:
    """Return where each value of a question stands, once bare and once with the value."""
    if isinstance(value, dict):
        return {leaf for name, one in value.items() for leaf in _leaves(one, f"{path}.{name}")}
    if isinstance(value, list):
        return {leaf for one in value for leaf in _leaves(one, f"{path}[]")}
    return {(path, ""), (path, f"={value}")}


def _knows_secret(request: Request) -> bool:
    """Look for the credential in headers (Basic too), query and body."""
    said = [*request.headers.values(), *request.query.values(), request.body.decode(errors="replace")]
    for value in list(request.headers.values()):
        kind, _, rest = value.partition(" ")
        if kind.lower() == "basic":
            with contextlib.suppress(ValueError):
                said.append(base64.b64decode(rest).decode(errors="replace"))
    return any(SECRET in one for one in said)


class RecordedCertification(SourceCertification):
    """The certification of a recording: one full reading.

    It proves Bronze; what cannot be edited proves no increments.
    """

    capabilities = frozenset()
    cannot = frozenset({"edits", "scale"})
    levels = ("bronze",)

    def __init__(self, cassette: Cassette, cls: type[Source]) -> None:
        """Take the connector *cls*."""
        self.cassette, self.cls = cassette, cls
        self.kind = cassette.kind  # type: ignore[misc]
        self.records = tuple(one for one in RECORDS if one.table in cassette.truth)  # type: ignore[misc]

    def world(self, seed: int, *, scale: int = 1) -> Recorded:
        """Put the cassette in."""
        return Recorded(self.cassette)

    def source(self, place: str) -> Source:
        """Make the source with the recorded settings against *place*."""
        text = msgspec.json.encode(self.cassette.settings).decode().replace(ORIGIN, place)
        hints = get_type_hints(self.cls)
        settings = {
            name: msgspec.convert(value, hints[name], strict=False)
            for name, value in msgspec.json.decode(text).items()
        }
        settings |= {name: credential() for name in self.cassette.secrets}
        return self.cls(**settings)


def save(cassette: Cassette) -> bytes:
    """Return the file of a cassette: JSON that a person can read."""
    return msgspec.json.format(msgspec.json.encode(cassette), indent=1)


def load(path: Path) -> Cassette:
    """Read a cassette. Raises `ConfigError` when it is none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Cassette)
    except (msgspec.DecodeError, OSError) as exc:
        raise ConfigError(f"{path} is no cassette of `hub plugin record`: {exc}.") from exc

"""HTTP with patience: what is retried, how long, and what a person is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests

from hub.context import Context
from hub.errors import (
    HttpDenied,
    HttpGone,
    HttpUnavailable,
    HttpUnexpected,
    HubError,
    Interrupted,
    SourceDataError,
    SourceDenied,
)
from hub.expiry import Ending
from hub.http import Lane, Moment, Session, json_rpc, server_wait

Answer = Callable[[BaseHTTPRequestHandler], None]


class Server(ThreadingHTTPServer):
    """A simulator that plays a list of answers and keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.asked: list[dict[str, str]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server: Any = self.server
                server.asked.append(dict(self.headers) | {"path": self.path})
                (server.answers.pop(0) if len(server.answers) > 1 else server.answers[0])(self)

            do_POST = do_GET  # noqa: N815 - the name the base class looks for

            def log_message(self, *_: object) -> None: ...

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


def says(status: int, body: bytes = b"{}", length: int | None = None, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        handler.end_headers()
        handler.wfile.write(body)
        if length is not None:
            handler.close_connection = True

    return answer


@pytest.fixture
def server() -> Iterator[Server]:
    one = Server()
    yield one
    one.shutdown()
    one.server_close()


class Slept(list[float]):
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now


@pytest.fixture
def slept() -> Slept:
    return Slept()


@pytest.fixture
def session(slept: Slept) -> Iterator[Session]:
    one = Session(patience_s=60, sleep=slept.sleep, clock=slept.clock, timeout_s=(2, 2))
    yield one
    one.close()


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_passing_troubles_are_retried(server: Server, session: Session, status: int) -> None:
    """A refusal for now is asked again until it is well."""
    server.answers = [says(status), says(status), says(200, b'{"a": 1}')]

    assert {"a": 1} == session.get_json(server.url + "/x")
    assert 3 == session.routes["/x"]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("2.5", 2.5),
        ("date", 40.0),
        ("epoch", 30.0),
        ("instant", 20.0),
    ],
)
def test_the_server_says_how_long(
    server: Server, session: Session, slept: Slept, value: str, seconds: float
) -> None:
    """Retry-After in seconds, fractions, dates and epochs is honoured."""
    then = datetime.now(UTC) + timedelta(seconds=seconds)
    forms = {
        "date": format_datetime(then, usegmt=True),
        "epoch": str(then.timestamp()),
        "instant": then.isoformat(),
    }
    server.answers = [says(429, Retry_After=forms.get(value, value)), says(200)]
    session.get_json(server.url)

    assert pytest.approx(seconds, abs=3) == sum(slept)


def test_other_reset_headers_count_too() -> None:
    """X-RateLimit-Reset and RateLimit-Reset stand in; nonsense does not."""
    now = datetime(2026, 1, 1, tzinfo=UTC)

    assert 5.0 == server_wait({"X-RateLimit-Reset": "5"}, now)
    assert 60.0 == server_wait({"RateLimit-Reset": str(now.timestamp() + 60)}, now)
    assert 3600.0 == server_wait({"Retry-After": "999999"}, now)
    assert 0.0 == server_wait({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, now)
    assert None is server_wait({"Retry-After": "soon"}, now)


def test_patience_ends(server: Server, session: Session, slept: Slept) -> None:
    """After the patience the source is unavailable, in a sentence that holds no query."""
    server.answers = [says(503)]

    with pytest.raises(HttpUnavailable, match=r"did not answer within 60 s of patience: HTTP 503") as caught:
        session.get_json(server.url + "/x?token=s3cret")
    assert sum(slept) <= 60
    assert "s3cret" not in str(caught.value)


def test_a_wait_longer_than_patience_is_not_begun(server: Server, session: Session, slept: Slept) -> None:
    """A server that asks for an hour is left for the next run at once."""
    server.answers = [says(429, Retry_After="3000")]

    with pytest.raises(HttpUnavailable):
        session.get_json(server.url)
    assert [] == slept


@pytest.mark.parametrize(
    ("status", "cls", "words"),
    [
        (401, HttpDenied, "token is wrong, expired"),
        (403, HttpDenied, "forbidden to this account"),
        (404, HttpGone, "does not exist, or this account may not see it"),
        (410, HttpGone, "no longer offered"),
        (400, HttpUnexpected, "did not understand the question"),
        (422, HttpUnexpected, "did not understand the question"),
    ],
)
def test_refusals_are_diagnosed_at_once(
    server: Server, session: Session, status: int, cls: type[HubError], words: str
) -> None:
    """A 4xx is never zero records and never retried."""
    server.answers = [says(status)]

    with pytest.raises(cls, match=words):
        session.get_json(server.url + "/x")
    assert 1 == len(server.asked)


def test_html_is_not_json(server: Server, session: Session) -> None:
    """A sign-in page instead of data is named as such."""
    server.answers = [says(200, b"<html>Sign in</html>", Content_Type="text/html")]

    with pytest.raises(HttpUnexpected, match="HTML instead of JSON: most likely a sign-in page"):
        session.get_json(server.url)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"title": "F\\ud83c"}', {"title": "F\ufffd"}),
        (b'{"title": "\\udf89F \\ud83c\\udf89 \\\\ud83c"}', {"title": "\ufffdF \U0001f389 \\ud83c"}),
        (b'{"hours": NaN, "title": "NaN, \\"-Infinity\\""}', {"hours": "NaN", "title": 'NaN, "-Infinity"'}),
        (b"[-Infinity, 1e400, -2.5e3, 123456789]", ["-Infinity", "1e400", -2500.0, 123456789]),
        (b'\xef\xbb\xbf{"a": "b\tc\x00"}', {"a": "b\tc\x00"}),
    ],
)  # fmt: skip
def test_one_odd_value_costs_itself(server: Server, session: Session, body: bytes, value: Any) -> None:
    """What strict JSON does not allow, and programs write: half a letter, no number, a mark, a tab."""
    server.answers = [says(200, body)]

    assert value == session.get_json(server.url)


def test_truncated_json_is_asked_again(server: Server, session: Session) -> None:
    """Half an answer, with or without an honest length, is read again."""
    server.answers = [says(200, b'{"a": '), says(200, b'{"a"', length=50), says(200, b'{"a": 1}')]

    assert {"a": 1} == session.get_json(server.url)


def test_typed_answers(server: Server, session: Session) -> None:
    """JSON of another shape is an error with the field, not a retry."""

    class Page(msgspec.Struct):
        total: int

    decoder: Any = msgspec.json.Decoder(Page)
    server.answers = [says(200, b'{"total": 3}'), says(200, b'{"total": "3"}')]

    assert 3 == session.get_json(server.url, decoder=decoder).total
    with pytest.raises(HttpUnexpected, match=r"another shape .* `\$\.total`"):
        session.get_json(server.url, decoder=decoder)


def test_resets_are_retried(server: Server, session: Session) -> None:
    """A connection that breaks off is tried again."""

    def reset(handler: BaseHTTPRequestHandler) -> None:
        handler.connection.close()

    server.answers = [reset, says(200)]
    session.get_json(server.url)

    assert 2 == len(server.asked)


def test_nobody_there(session: Session, slept: Slept) -> None:
    """No server at all ends in unavailable."""
    with pytest.raises(HttpUnavailable, match="connection failed"):
        session.get_json("http://127.0.0.1:9/x")


def test_credentials_stay_with_their_host(server: Server, session: Session) -> None:
    """A redirect to another host carries neither the credentials nor any telling header.

    The same host keeps them.
    """
    other = Server()
    try:
        other.answers = [says(200)]
        session.credentials = {"Authorization": "Bearer s3cret"}
        server.answers = [says(302, Location="/again"), says(302, Location=other.url + "/there"), says(200)]
        session.get_json(server.url + "/x", headers={"X-Api-Key": "s3cret", "Accept": "application/json"})

        assert ["Bearer s3cret", "Bearer s3cret"] == [asked.get("Authorization") for asked in server.asked]
        assert "s3cret" not in str(other.asked)
        assert "application/json" == other.asked[0]["Accept"]
    finally:
        other.shutdown()
        other.server_close()


def test_a_question_with_a_body_goes_to_no_other_host(server: Server, session: Session) -> None:
    """The body may hold a credential: where a redirect would send it on (307, 308), it is an error."""
    server.answers = [says(307, Location="http://localhost:9/there")]

    with pytest.raises(HttpUnexpected, match="another host: it was not followed"):
        session.json("POST", server.url + "/x", json={"access_token": "s3cret"})


def test_headers_that_expire_are_given_anew(server: Server, session: Session) -> None:
    """`sign` is asked for each request."""
    tokens = iter(("first", "second"))
    session.sign = lambda: {"Authorization": next(tokens)}
    server.answers = [says(200)]
    for _ in range(2):
        session.get_json(server.url + "/x")

    assert ["first", "second"] == [asked["Authorization"] for asked in server.asked]


def test_what_ended_within_a_run_is_given_anew_once(server: Server, session: Session) -> None:
    """Of eight threads that are refused one signs in; a refusal there is said in its words, once asked."""
    given: list[int] = []

    def renew() -> None:
        given.append(1)
        session.credentials = {"Authorization": "second"}

    session.credentials, session.renew = {"Authorization": "first"}, renew
    server.answers = [lambda asked: says(200 if asked.headers["Authorization"] == "second" else 401)(asked)]
    session._opened = True
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: session.get_json(server.url + "/x"), range(8)))

    assert [1] == given
    assert 8 == sum(one["Authorization"] == "second" for one in server.asked)

    def refuse() -> None:
        given.append(2)
        raise HttpDenied("the client is unknown")

    session.renew, server.answers, server.asked = refuse, [says(401)], []
    for _ in range(2):
        with pytest.raises(HttpDenied, match=r"ended within the run.*the client is unknown"):
            session.get_json(server.url + "/x")
    assert ([1, 2], 2) == (given, len(server.asked))


def test_a_circle_ends(server: Server, session: Session) -> None:
    """Redirects for ever are an error."""
    server.answers = [says(302, Location="/x")]

    with pytest.raises(HttpUnexpected, match="redirects in a circle"):
        session.get_json(server.url + "/x")


def test_waiting_can_be_stopped(server: Server) -> None:
    """Ctrl-C does not wait for Retry-After."""
    server.answers = [says(429, Retry_After="50")]
    stop = threading.Event()

    def cancelled() -> None:
        if stop.is_set():
            raise Interrupted("stop")

    session = Session(cancelled=cancelled, timeout_s=(2, 2))
    threading.Timer(0.2, stop.set).start()
    began = time.monotonic()
    with pytest.raises(Interrupted):
        session.get_json(server.url)
    session.close()

    assert time.monotonic() - began < 5


def test_requests_are_counted(server: Server) -> None:
    """Every request, retry and byte is counted, by route."""
    counts: dict[str, int] = {}

    def count(**kwargs: int) -> None:
        for name, value in kwargs.items():
            counts[name] = counts.get(name, 0) + value

    session = Session(count=count, sleep=lambda _: None)
    server.answers = [says(500), says(200, b'{"a": 1}')]
    session.get_json(server.url + "/issue/1", route="/issue/{id}")
    session.close()

    assert {"requests": 2, "retries": 1, "bytes_": 10} == counts
    assert {"/issue/{id}": 2} == dict(session.routes)


def test_lane_rises_slowly_and_halves(slept: Slept) -> None:
    """The width widens by one per width of quiet answers and halves on 429."""
    lane = Lane(per_second=None, widest=8, clock=slept.clock)
    for _ in range(100):
        lane.went_well()
    widest = lane.width
    lane.was_refused()

    assert (8.0, 4.0) == (widest, lane.width)


def test_token_bucket_paces(slept: Slept) -> None:
    """At five a second, twenty turns take at least three seconds."""
    lane = Lane(per_second=5, widest=4, clock=slept.clock)
    for _ in range(20):
        with lane.turn(slept.sleep):
            pass

    assert slept.now >= 2.9


def test_patience_is_for_the_host(server: Server, session: Session, slept: Slept) -> None:
    """Where patience came to its end, each who asks later tries once; a host that is well is trusted."""
    server.answers = [says(503)]
    with pytest.raises(HttpUnavailable):
        session.get_json(server.url + "/first")
    for path in ("/second", "/third", "/fourth"):
        with pytest.raises(HttpUnavailable):
            session.get_json(server.url + path)

    assert 60 >= sum(slept)
    server.answers = [says(200, b'{"a": 1}')]
    session.get_json(server.url + "/well")
    server.answers = [says(503), says(503), says(200, b'{"a": 2}')]

    assert {"a": 2} == session.get_json(server.url + "/patient again")


def test_rows_of_another_host_are_not_taken(server: Server, session: Session) -> None:
    """An answer that a redirect fetched from another host is refused, whatever it holds."""
    other = Server()
    other.answers = [says(200, b'{"rows": [1]}')]
    server.answers = [says(302, Location=other.url.replace("127.0.0.1", "localhost") + "/x")]
    with pytest.raises(HttpUnexpected, match="what another host answers was not taken"):
        session.get_json(server.url + "/x")
    other.shutdown()
    other.server_close()


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize(
    ("target", "is_gone"),
    [
        ("/login", False),
        ("/", False),
        ("/tickets/8", False),
        ("/archive/tickets/7", True),
        ("/tickets/7/", True),
    ],
)
def test_a_redirect_to_nothing_proves_nothing(
    target: str, is_gone: bool, status: int, server: Server, session: Session
) -> None:
    """A sign-in page that is not there says nothing of the row; where that moved to and is not, it does."""
    server.answers = [says(302, Location=target), says(status)]
    with pytest.raises(HttpGone if is_gone else HttpUnexpected):
        session.get_json(server.url + "/tickets/7")


def test_our_bundle_before_that_of_the_environment(
    server: Server, slept: Slept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """[engine] ca_bundle is what the administrator said; REQUESTS_CA_BUNDLE counts where it is silent."""
    used: list[Any] = []
    send = requests.adapters.HTTPAdapter.send

    def spy(self: Any, request: Any, **how: Any) -> Any:
        used.append(how["verify"])
        return send(self, request, **how)

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/of/the/environment.pem")
    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", spy)
    server.answers = [says(200)]
    for bundle in ("/of/the/company.pem", None):
        session = Session(ca_bundle=bundle, clock=slept.clock, sleep=slept.sleep)
        session.get_json(server.url)
        session.close()

    assert ["/of/the/company.pem", "/of/the/environment.pem"] == used


def test_a_bundle_that_is_not_there(slept: Slept, tmp_path: Path) -> None:
    """It is told with the settings that may name it, not as a traceback; nothing is asked without it."""
    session = Session(ca_bundle=str(tmp_path / "gone.pem"), clock=slept.clock, sleep=slept.sleep)

    with pytest.raises(HubError, match=r"gone\.pem.*\[engine\] ca_bundle"):
        session.get_json("https://127.0.0.1:9/")
    session.close()


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"Sunset": "Sat, 31 Dec 2050 23:59:59 GMT"}, "ends on 2050-12-31"),
        ({"Deprecation": "@1688169599"}, "deprecated since 2023-06-30"),  # RFC 9745, its own example
        ({"Deprecation": "@2556143999"}, "will be deprecated on 2050-12-31"),
        ({"Deprecation": "true"}, "is deprecated"),
        ({"Deprecation": "Fri, 11 Nov 2022 23:59:59 GMT"}, "deprecated since 2022-11-11"),
        # both ways in which GitHub writes it
        ({"GitHub-Authentication-Token-Expiration": "2050-12-31 19:07:53 UTC"}, "ends on 2050-12-31"),
        ({"GitHub-Authentication-Token-Expiration": "2022-01-10 17:00:00 -0800"}, "ended on 2022-01-11"),
        (
            {"Deprecation": "@1688169599", "Link": '<https://acme.example/why>; rel="deprecation"'},
            "see https://acme.example/why",
        ),
    ],
)
def test_a_tool_announces_its_end(
    server: Server, session: Session, headers: dict[str, str], words: str
) -> None:
    """Deprecation (RFC 9745 and its drafts) and Sunset (RFC 8594) are heard, once a place."""
    heard: dict[str, str] = {}
    session.hear = lambda place, said: heard.update({place: "".join(one.sentence for one in said)})
    server.answers = [says(200, b"{}", **headers)]
    session.get_json(server.url + "/rest/1?token=s3cret")

    assert ["127.0.0.1 /rest/1"] == list(heard)
    assert words in heard["127.0.0.1 /rest/1"]
    assert "s3cret" not in str(heard)


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (b'{"warningMessages": ["The field X is deprecated and will be removed."], "issues": []}', 1),
        (b'{"deprecation": "use v3"}', 1),
        (b'{"warnings": [{"text": "this API reaches its end of life in May"}]}', 1),
        (b'{"warnings": ["nothing found"]}', 0),
        (b'{"issues": [{"summary": "Replace what is deprecated"}], "messages": []}', 0),
    ],
)
def test_a_warning_in_an_answer(server: Server, session: Session, body: bytes, count: int) -> None:
    """What a tool warns of is heard; what people wrote of in its rows is not."""
    heard: list[Ending] = []
    session.hear = lambda place, said: heard.extend(said)
    server.answers = [says(200, body)]
    session.get_json(server.url)

    assert count == len(heard)


def test_an_attribute_that_does_not_exist_cannot_be_set(tmp_path: Path) -> None:
    """`ctx.http.auth = …` is no sign-in: whoever writes it learns it at once."""
    context = Context(base=tmp_path, source_id="x", session=lambda: Session(count=context.count))

    with pytest.raises(AttributeError, match=r"Session has no attribute 'auth'.*credentials"):
        context.http.auth = ("user", "word")  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="Context has no attribute 'since_day'"):
        context.since_day = "2024-01-01"  # type: ignore[attr-defined]
    context.close()


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (b'{"id": 1, "error": ["LoginException", []]}', SourceDenied, "answered by an error"),
        (
            b'{"id": 1, "error": {"code": -32000, "message": "no such model"}}',
            SourceDataError,
            "no such model",
        ),
        (b'{"id": 1, "result": "seven"}', SourceDataError, "answers in another shape"),
    ],
)
def test_json_rpc_says_what_went_wrong(
    server: Server, session: Session, body: bytes, kind: type[Exception], words: str
) -> None:
    """An error of JSON-RPC comes with status 200 and is no result, nor is one of another type."""
    server.answers = [says(200, body)]
    with pytest.raises(kind, match=words):
        json_rpc(session, server.url, "model.count", [], type=int)


def test_json_rpc_and_moments(server: Server, session: Session) -> None:
    """A result is given as its type, and instants in parts are those that they were made of."""
    server.answers = [says(200, b'{"id": 1, "result": [{"year": 2026, "month": 3, "day": 29, "hour": 1}]}')]
    (found,) = json_rpc(session, server.url, "list", 7, type=list[Moment], version=None)

    assert datetime(2026, 3, 29, 1, tzinfo=UTC) == found.at
    assert "2026-03-29" == found.on
    assert {"year": 2026, "month": 3, "day": 29, "hour": 1, "minute": 0, "second": 0, "microsecond": 0} == (
        Moment.parts("2026-03-29T03:00:00+02:00")
    )
    assert Moment.parts("2026-03-29")["hour"] == 0

"""The door: who is let in, how, how often, and what every answer says to a browser."""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from hub_serve.app import build
from hub_serve.door import COOKIE, FAILURES, HEADERS, Patience, Sessions
from hub_serve.feeds import Feeds
from hub_serve.place import ServePlace
from hub_serve.tokens import Reader, Tokens
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from hub import ConfigError, FeedView


def whoami(request: Request) -> Response:
    reader: Reader = request.state.reader
    return PlainTextResponse(f"{reader.name} {reader.level} {reader.person}")


def broken(request: Request) -> Response:
    raise ZeroDivisionError


@contextmanager
def nothing(*_: object) -> Iterator[FeedView]:
    raise ConfigError("no feed here")
    yield


class Served:
    """A server with one route of each kind."""

    def __init__(self, folder: Path, place: ServePlace) -> None:
        self.tokens = Tokens(folder)
        self.sessions = Sessions(self.tokens)
        app = build(place, Feeds(nothing, lambda: "a-feed"), self.tokens, self.sessions)
        for path, handler in (
            ("/", whoami), ("/odata/v4/who", whoami), ("/broken", broken), ("/signin", sign_in)
        ):  # fmt: skip
            app.app.router.routes.insert(0, Route(path, handler))
        self.client = TestClient(
            app, base_url=place.root, follow_redirects=False, raise_server_exceptions=False
        )


def sign_in(request: Request) -> Response:
    return PlainTextResponse("sign in here")


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path, ServePlace(name="web"))


def test_a_program_without_a_token_is_challenged(served: Served) -> None:
    """401 with the challenge that Power BI and Excel answer with a user name and a password."""
    answer = served.client.get("/odata/v4/who")

    assert (401, 'Basic realm="pm-hub", charset="UTF-8"') == (
        answer.status_code, answer.headers["www-authenticate"]
    )  # fmt: skip


def test_a_person_without_a_token_comes_to_the_page_to_sign_in(served: Served) -> None:
    """Every page leads there, and that page itself is open."""
    answer = served.client.get("/")

    assert (303, "/signin") == (answer.status_code, answer.headers["location"])
    assert "sign in here" == served.client.get("/signin").text


@pytest.mark.parametrize("way", ["basic", "bearer", "address"])
def test_a_program_shows_its_token_in_three_ways(served: Served, way: str) -> None:
    """As the password of any user, as a bearer, or in the address."""
    token = served.tokens.create("excel", level="team-week", days=1, person="ada@example.org")
    headers, query = {}, ""
    if way == "basic":
        headers["authorization"] = "Basic " + b64encode(f"anybody:{token}".encode()).decode()
    elif way == "bearer":
        headers["authorization"] = f"Bearer {token}"
    else:
        query = f"?token={token}"

    assert (
        "excel team-week ada@example.org" == served.client.get(f"/odata/v4/who{query}", headers=headers).text
    )


def test_a_token_in_a_pages_address_is_taken_out_of_it(served: Served) -> None:
    """It becomes a session that no script reads, so that it stands in no history and no referrer."""
    token = served.tokens.create("ada", level="project", days=1)
    answer = served.client.get(f"/?cut=x&token={token}")
    cookie = answer.headers["set-cookie"]

    assert (303, "/?cut=x") == (answer.status_code, answer.headers["location"])
    assert token not in cookie
    assert {"HttpOnly", "SameSite=lax"} <= set(cookie.split("; "))
    assert "ada project None" == served.client.get("/").text


def test_the_printed_address_works_once(served: Served) -> None:
    """Who finds it later in a terminal's history gets nothing by it."""
    key = served.sessions.once(Reader(name="here", level="project"))
    first = served.client.get(f"/?token={key}")
    served.client.cookies.clear()
    second = served.client.get(f"/?token={key}")

    assert ("/", "/signin?refused=1") == (first.headers["location"], second.headers["location"])


def test_no_address_leads_to_another_host(served: Served) -> None:
    """A path that begins with two slashes is a host to a browser."""
    key = served.sessions.once(Reader(name="here", level="project"))

    assert (
        "/evil.example/"
        == served.client.get(f"{served.client.base_url}//evil.example/?token={key}").headers["location"]
    )


def test_a_revoked_token_ends_its_sessions(served: Served) -> None:
    """A browser that signed in by it is out with the next request."""
    token = served.tokens.create("ada", level="project", days=1)
    served.client.get(f"/?token={token}")
    inside = served.client.get("/").status_code
    served.tokens.revoke("ada")

    assert (200, 303) == (inside, served.client.get("/").status_code)


def test_a_foreign_host_name_is_refused(served: Served) -> None:
    """A page of another site that points its own name at this machine reads nothing (DNS rebinding)."""
    token = served.tokens.create("excel", level="project", days=1)
    headers = {"authorization": f"Bearer {token}"}

    assert [200, 421, 421] == [
        served.client.get("/odata/v4/who", headers=headers | {"host": host}).status_code
        for host in ("localhost:8321", "evil.example", "127.0.0.1.evil.example:8321")
    ]


def test_wrong_tokens_lock_their_address_out(served: Served) -> None:
    """After ten even the right one waits, and is told how long."""
    token = served.tokens.create("excel", level="project", days=1)
    for _ in range(FAILURES):
        served.client.get("/odata/v4/who", headers={"authorization": "Bearer pmh_0_wrong"})
    answer = served.client.get("/odata/v4/who", headers={"authorization": f"Bearer {token}"})

    assert 429 == answer.status_code
    assert 0 < int(answer.headers["retry-after"]) <= 301


def test_a_wrong_address_to_sign_in_counts_too(served: Served) -> None:
    """The page is no way around the lock-out."""
    for _ in range(FAILURES):
        served.client.get("/?token=pmh_0_wrong")

    assert 429 == served.client.get("/signin").status_code


def test_a_reader_asks_so_often_a_minute(tmp_path: Path) -> None:
    """One that asks more waits; another one does not."""
    served = Served(tmp_path, ServePlace(name="web", requests_per_minute=3))
    ada = {"authorization": f"Bearer {served.tokens.create('ada', level='project', days=1)}"}
    bob = {"authorization": f"Bearer {served.tokens.create('bob', level='project', days=1)}"}

    assert [200, 200, 200, 429] == [
        served.client.get("/odata/v4/who", headers=ada).status_code for _ in range(4)
    ]
    assert 200 == served.client.get("/odata/v4/who", headers=bob).status_code


def test_patience_comes_back(tmp_path: Path) -> None:
    """A minute after the first request there is room for one more, by the hand's count."""
    at = [0.0]
    patience = Patience(2, now=lambda: at[0])
    waits = []
    for moment in (0.0, 30.0, 59.0, 60.5, 61.0):
        at[0] = moment
        waits.append(patience.wait("ada") > 0)

    assert [False, False, True, False, True] == waits


def test_no_token_is_in_the_log(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    """Neither a right nor a wrong one, however it came; the reader's name is."""
    token = served.tokens.create("excel", level="project", days=1)
    with caplog.at_level(logging.INFO):
        served.client.get(f"/odata/v4/who?token={token}")
        served.client.get(f"/?token={token}")
        served.client.get(
            "/odata/v4/who?token=pmh_0_guessed", headers={"authorization": "Bearer other-guess"}
        )

    said = "\n".join(record.getMessage() for record in caplog.records if record.name == "pm_hub.serve")

    assert 3 == len(said.splitlines())
    assert "excel GET /odata/v4/who 200" in said
    assert not any(secret in said for secret in (token, token.split("_")[2], "guess"))


@pytest.mark.parametrize("path", ["/", "/signin", "/healthz", "/broken", "/odata/v4/who", "/nowhere"])
def test_every_answer_protects_the_browser(served: Served, path: str) -> None:
    """Refusals and errors too: no script of others, no frame, no referrer, no sniffing, no shared cache."""
    token = served.tokens.create("excel", level="project", days=1)
    for headers in ({}, {"authorization": f"Bearer {token}"}, {"host": "evil.example"}):
        found = served.client.get(path, headers=headers).headers

        assert HEADERS == {name: found.get(name) for name in HEADERS}
        assert "no-cache" in found["cache-control"]
        assert "strict-transport-security" not in found


def test_behind_tls_cookies_and_addresses_stay_there(tmp_path: Path) -> None:
    """The cookie is secure, and the browser comes back by https."""
    served = Served(
        tmp_path,
        ServePlace(name="web", host="0.0.0.0", address="https://pm.example.org", proxies=("10.0.0.5",)),
    )
    key = served.sessions.once(Reader(name="here", level="project"))
    answer = served.client.get(f"/?token={key}")

    assert "Secure" in answer.headers["set-cookie"].split("; ")
    assert "max-age=31536000" == answer.headers["strict-transport-security"]
    assert served.client.cookies.get(COOKIE)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "::", "pm.example.org", ""])
def test_in_the_open_it_does_not_start(host: str) -> None:
    """Without TLS others would read the tokens on their way."""
    place = ServePlace(name="web", host=host)

    with pytest.raises(ConfigError, match="certificate and key"):
        place.must_be_safe()


@pytest.mark.parametrize("place", [
    {"host": "127.0.0.1"}, {"host": "::1"}, {"host": "localhost"}, {"host": "127.8.9.1"},
    {"host": "0.0.0.0", "certificate": "c.pem", "key": "k.pem"},
    {"host": "0.0.0.0", "proxies": ("10.0.0.0/24",)},
])  # fmt: skip
def test_what_is_safe_starts(place: dict) -> None:
    """This machine alone, TLS of its own, or a proxy that was named."""
    ServePlace(name="web", **place).must_be_safe()


@pytest.mark.parametrize(("wrong", "said"), [
    ({"certificate": "c.pem"}, "go together"), ({"proxies": ("proxy",)}, "no address"),
    ({"address": "pm.example.org"}, "such as"), ({"address": "https://pm.example.org/?a=b"}, "such as"),
])  # fmt: skip
def test_wrong_settings_are_sentences(wrong: dict, said: str) -> None:
    """Each names the destination."""
    with pytest.raises(ConfigError, match=f"web.*{said}"):
        msgspec.convert({"name": "web", **wrong}, ServePlace)

"""Signing in by a company's account, against a small issuer on this machine that can be made to lie."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import msgspec
import pytest
from hub_serve.app import build
from hub_serve.door import Sessions
from hub_serve.feeds import Feeds
from hub_serve.place import ServePlace, SignInBy
from hub_serve.tokens import Tokens
from starlette.testclient import TestClient

from hub import ConfigError, Secret

pytest.importorskip("authlib")
from joserfc import jwt
from joserfc.jwk import RSAKey

KEY = RSAKey.generate_key(2048, parameters={"kid": "one"})
OTHER = RSAKey.generate_key(2048, parameters={"kid": "one"})
CLIENT, PASSWORD = "pm-hub", "a client's secret"


class Issuer:
    """An issuer of OpenID Connect; *lies* changes what it says in the id token."""

    def __init__(self) -> None:
        self.lies: dict[str, Any] = {}
        self.key = KEY
        self.asked: dict[str, dict[str, str]] = {}
        self.taken: list[dict[str, str]] = []
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                """Be silent."""

            def _say(self, body: Any, status: int = 200) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_GET(self) -> None:
                if self.path == "/.well-known/openid-configuration":
                    self._say(
                        {
                            "issuer": issuer.lies.get("discovered", issuer.address),
                            "authorization_endpoint": f"{issuer.address}/authorize",
                            "token_endpoint": f"{issuer.address}/token",
                            "jwks_uri": f"{issuer.address}/keys",
                        }
                    )
                else:
                    self._say({"keys": [KEY.as_dict(private=False)]})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                self._say(*issuer.token(dict(parse_qsl(body)), self.headers.get("authorization", "")))

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def consent(self, address: str) -> dict[str, str]:
        """Return what the browser is sent back with after the person agreed."""
        asked = {key: value[0] for key, value in parse_qs(urlsplit(address).query).items()}
        code = f"code-{len(self.asked)}"
        self.asked[code] = asked
        return {"code": code, "state": asked["state"]}

    def token(self, given: dict[str, str], login: str) -> tuple[Any, int]:
        """Answer as RFC 6749 and 7636 say."""
        self.taken.append(given)
        asked = self.asked.pop(given.get("code", ""), None)
        right = "Basic " + base64.b64encode(f"{CLIENT}:{PASSWORD}".encode()).decode()
        digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or login != right or asked["redirect_uri"] != given.get("redirect_uri"):
            return {"error": "invalid_grant"}, 400
        if asked["code_challenge_method"] != "S256" or asked["code_challenge"] != challenge:
            return {"error": "invalid_grant"}, 400
        now = int(time.time())
        claims = {
            "iss": self.address,
            "aud": CLIENT,
            "sub": "1",
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            "email": "One@X.org",
            "email_verified": True,
        } | self.lies
        claims = {name: value for name, value in claims.items() if value is not None}
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key)
        return {"access_token": "a", "token_type": "Bearer", "id_token": signed}, 200


@pytest.fixture(scope="module")
def running() -> Iterator[Issuer]:
    issuer = Issuer()
    yield issuer
    issuer.server.shutdown()
    issuer.server.server_close()


@pytest.fixture
def issuer(running: Issuer) -> Issuer:
    running.lies, running.key, running.taken = {}, KEY, []
    return running


def place_of(issuer: Issuer, tmp_path: Path, **more: Any) -> ServePlace:
    file = tmp_path / "secret"
    file.write_text(PASSWORD)
    file.chmod(0o600)
    oidc = SignInBy(
        issuer=issuer.address, client_id=CLIENT, client_secret=Secret("file", "secret", tmp_path), **more
    )
    return ServePlace(name="serve", privacy="team-week", oidc=oidc)


@pytest.fixture
def client(issuer: Issuer, tmp_path: Path) -> Iterator[TestClient]:
    with _client(place_of(issuer, tmp_path), tmp_path) as found:
        yield found


def _client(place: ServePlace, tmp_path: Path) -> TestClient:
    def no_feed(*_: Any) -> Any:
        raise AssertionError

    tokens = Tokens(tmp_path / "tokens")
    sessions = Sessions(tokens)
    client = TestClient(
        build(place, Feeds(no_feed, lambda: None), tokens, sessions),
        base_url="http://127.0.0.1:8321",
        follow_redirects=False,
    )
    client.sessions = sessions  # type: ignore[attr-defined]
    return client


def test_a_person_of_the_company_comes_in(client: TestClient, issuer: Issuer) -> None:
    """The verified e-mail is the person of access.csv, at the level of the destination; the way goes on."""
    start = client.get("/oidc/start", params={"to": "/load?cut="})
    to = start.headers["location"]
    asked = {key: value[0] for key, value in parse_qs(urlsplit(to).query).items()}
    back = client.get("/oidc/callback", params=issuer.consent(to))

    assert to.startswith(f"{issuer.address}/authorize?")
    assert ("code", "S256", "openid email profile") == (
        asked["response_type"],
        asked["code_challenge_method"],
        asked["scope"],
    )
    assert "http://127.0.0.1:8321/oidc/callback" == asked["redirect_uri"]
    assert PASSWORD not in to
    assert "/load?cut=" == back.headers["location"]
    reader = client.sessions.reader(back.cookies["pm_hub"])  # type: ignore[attr-defined]
    assert ("one@x.org", "team-week") == (reader.person, reader.level)


@pytest.mark.long
@pytest.mark.parametrize(
    "lies",
    [
        {"iss": "https://evil.example.org"},
        {"aud": "another"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 1},
        {"exp": None},
        {"email_verified": False},
        {"email_verified": None},
        {"email": None},
        {"email": ""},
        {"email": ["one@x.org"]},
        {"azp": "another"},
        {"aud": [CLIENT, "b"], "azp": "b"},
        {"sub": None},
        {"iat": None},
        {"discovered": "https://evil.example.org"},
    ],
    ids=str,
)
def test_what_is_not_in_order_lets_nobody_in(
    client: TestClient, issuer: Issuer, lies: dict[str, Any]
) -> None:
    """Another issuer, audience or nonce, a late token, an address that nobody verified: no session."""
    to = client.get("/oidc/start").headers["location"]
    issuer.lies = lies
    back = client.get("/oidc/callback", params=issuer.consent(to))

    assert 403 == back.status_code
    assert "pm_hub" not in back.cookies
    assert 'role="alert"' in back.text


def test_a_token_that_somebody_else_signed(client: TestClient, issuer: Issuer) -> None:
    """The signature is by a key that the issuer publishes, or there is no session."""
    to = client.get("/oidc/start").headers["location"]
    issuer.key = OTHER
    back = client.get("/oidc/callback", params=issuer.consent(to))

    assert 403 == back.status_code
    assert "pm_hub" not in back.cookies


def test_a_way_back_is_gone_once_and_by_the_browser_that_began(client: TestClient, issuer: Issuer) -> None:
    """A state that was used, is unknown or is another browser's asks the issuer for nothing."""
    to = client.get("/oidc/start").headers["location"]
    said = issuer.consent(to)
    mine = client.cookies.get("pm_hub_oidc", path="/oidc")
    client.cookies.clear()
    stolen = client.get("/oidc/callback", params=said)
    client.cookies.set("pm_hub_oidc", mine, path="/oidc")
    again = client.get("/oidc/callback", params=said)
    unknown = client.get("/oidc/callback", params={"code": "x", "state": "y"})

    assert [403, 403, 403] == [one.status_code for one in (stolen, again, unknown)]
    assert [] == issuer.taken


def test_who_refuses_at_the_issuer_is_told(client: TestClient, issuer: Issuer) -> None:
    """An error of the issuer is a sentence, and nothing of its address is shown."""
    state = issuer.consent(client.get("/oidc/start").headers["location"])["state"]
    back = client.get(
        "/oidc/callback",
        params={"error": "<b>access_denied</b>", "state": state},
        headers={"accept-language": "fr"},
    )

    assert 403 == back.status_code
    assert "access_denied" not in back.text
    assert "l&#39;émetteur" in back.text


def test_another_claim_is_the_person(issuer: Issuer, tmp_path: Path) -> None:
    """Where the configuration names a claim, that is the address; it needs no word that it is verified."""
    with _client(place_of(issuer, tmp_path, claim="upn"), tmp_path) as client:
        to = client.get("/oidc/start").headers["location"]
        issuer.lies = {"upn": "Two@X.org", "email": None, "email_verified": None}
        back = client.get("/oidc/callback", params=issuer.consent(to))

        assert "two@x.org" == client.sessions.reader(back.cookies["pm_hub"]).person  # type: ignore[attr-defined]


def test_an_issuer_that_does_not_answer(issuer: Issuer, tmp_path: Path) -> None:
    """A sentence and the form with a token, not an error of the server."""
    place = place_of(issuer, tmp_path)
    gone = msgspec.structs.replace(
        place, oidc=msgspec.structs.replace(place.oidc, issuer="http://127.0.0.1:9")
    )
    with _client(gone, tmp_path) as client:
        answer = client.get("/oidc/start")

    assert 403 == answer.status_code
    assert 'name="token"' in answer.text


def test_without_an_issuer_there_is_no_such_way(tmp_path: Path) -> None:
    """A server without the setting leads to the form."""
    with _client(ServePlace(name="serve"), tmp_path) as client:
        answers = [client.get(path) for path in ("/oidc/start", "/oidc/callback?code=x&state=y")]
        form = client.get("/signin").text

    assert ["/signin", "/signin"] == [one.headers["location"] for one in answers]
    assert "/oidc/" not in form


@pytest.mark.parametrize("issuer", ["http://login.example.org", "ftp://127.0.0.1", "login.example.org"])
def test_an_issuer_without_tls_is_no_setting(issuer: str, tmp_path: Path) -> None:
    """Somebody between could speak for it."""
    with pytest.raises(ConfigError, match="https"):
        SignInBy(issuer=issuer, client_id="x", client_secret=Secret("file", "secret", tmp_path))

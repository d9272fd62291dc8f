"""Signing in to Microsoft, against a simulator of the sign-in; each refusal says what to do.

By secret, certificate or a person's code.
"""

from __future__ import annotations

import datetime
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from hub.entra import Entra, SignIn
from hub.errors import ConfigError, HttpDenied, HttpUnavailable
from hub.http import Session
from hub.secrets import Secret
from hub.testing.kit import HttpWorld, Request, Response, SimulatorServer
from hub.testing.kit.microsoft import CLIENT, TENANT, TOKEN, account, refused, sign_in

GRAPH = "https://graph.microsoft.com"


class Tenant(HttpWorld):
    """The sign-in alone."""

    def __init__(self) -> None:
        super().__init__(1)
        self.pending = [0]
        self.refuse: Response | None = None
        self.ended = False

    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        return {}

    def rows(self) -> list[str]:
        return []

    def requests(self) -> int:
        return 2

    def answer(self, request: Request) -> Response:
        if self.refuse and request.path.endswith("/token"):
            return self.refuse
        if request.path == "/odd":  # a service that ends the token once
            self.ended, ended = False, self.ended
            return Response(status=401) if ended else Response(body={})
        return sign_in(request, pending=self.pending) or Response(status=404)


@pytest.fixture
def tenant() -> Iterator[SimulatorServer]:
    with SimulatorServer(Tenant()) as started:
        yield started


def signing(account: Entra, base: Path) -> SignIn:
    return SignIn(account, Session(patience_s=0.5), base=base, name="planner")


def person(tenant: SimulatorServer) -> Entra:
    return Entra(tenant=TENANT, client_id=CLIENT, authority=tenant.url)


def tokens(tenant: SimulatorServer) -> int:
    return sum(request.path.endswith("/token") for request in tenant.asked)


def certificate(path: Path, password: bytes | None = None) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "pm-hub")])
    day = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    made = x509.CertificateBuilder(
        name, name, key.public_key(), 1, day, day + datetime.timedelta(days=3650)
    ).sign(key, hashes.SHA256())
    closed = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, closed)
        + made.public_bytes(serialization.Encoding.PEM)
    )
    path.chmod(0o600)
    return path


def test_an_application_signs_in_by_its_secret(tenant: SimulatorServer, tmp_path: Path) -> None:
    """One token serves until it ends, and nothing is written down."""
    signed = signing(account(tenant.url), tmp_path)

    assert [{"Authorization": f"Bearer {TOKEN}"}] * 3 == [signed.header(GRAPH) for _ in range(3)]
    assert 1 == tokens(tenant)
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("password", [None, "opens it"])
def test_an_application_signs_in_by_its_certificate(
    tenant: SimulatorServer, tmp_path: Path, password: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key never leaves: what is sent is signed with it."""
    pem = certificate(tmp_path / "app.pem", password.encode() if password else None)
    monkeypatch.setenv("KEY_PASSWORD", password or "")
    settings = Entra(
        tenant=TENANT,
        client_id=CLIENT,
        authority=tenant.url,
        certificate=Secret("file", "app.pem", tmp_path),
        certificate_password=Secret("env", "KEY_PASSWORD", tmp_path) if password else None,
    )

    assert {"Authorization": f"Bearer {TOKEN}"} == signing(settings, tmp_path).header(GRAPH)
    sent = b"".join(request.body for request in tenant.asked)
    assert b"client_assertion" in sent
    assert pem.read_bytes()[60:90] not in sent


@pytest.mark.parametrize("who", [lambda tenant: account(tenant.url), person], ids=["application", "person"])
def test_a_token_that_ends_before_its_time(
    who: Callable[[SimulatorServer], Entra], tenant: SimulatorServer, tmp_path: Path
) -> None:
    """A service that refuses it is asked once more, with one that the tenant gives anew; else it is told."""
    signed = signing(who(tenant), tmp_path)
    if not signed.account.is_application:
        signed.by_code(GRAPH, lambda text: None)
    session = Session(patience_s=0.5)
    signed.opens(session, GRAPH)
    session.get_json(f"{tenant.url}/odd")
    before = tokens(tenant)
    cast("Tenant", tenant.world).ended = True
    session.get_json(f"{tenant.url}/odd")
    again = tokens(tenant)
    cast("Tenant", tenant.world).ended = True
    cast("Tenant", tenant.world).refuse = refused(7000222, "The provided client secret keys are expired.")

    assert before + 1 == again
    with pytest.raises(HttpDenied, match="expired"):
        session.get_json(f"{tenant.url}/odd")


def test_a_certificate_without_its_key_is_refused(tenant: SimulatorServer, tmp_path: Path) -> None:
    (tmp_path / "half.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    (tmp_path / "half.pem").chmod(0o600)
    settings = Entra(
        tenant=TENANT,
        client_id=CLIENT,
        authority=tenant.url,
        certificate=Secret("file", "half.pem", tmp_path),
    )

    with pytest.raises(ConfigError, match=r"private key and the certificate; .openssl"):
        signing(settings, tmp_path).header(GRAPH)


def test_a_person_signs_in_once_by_a_code(tenant: SimulatorServer, tmp_path: Path) -> None:
    """What is kept is in a file of its own that others cannot read, and the next process needs nobody."""
    said: list[str] = []
    tenant.world.pending = [1]  # type: ignore[union-attr]

    assert "pmo@example.org" == signing(person(tenant), tmp_path).by_code(GRAPH, said.append)
    assert [
        "Open https://microsoft.com/devicelogin in a browser, enter the code ABCD-EFGH, and sign in."
    ] == said
    kept = tmp_path / "data" / "signin" / "planner.json"
    assert 0o600 == stat.S_IMODE(kept.stat().st_mode)
    assert {"Authorization": f"Bearer {TOKEN}"} == signing(person(tenant), tmp_path).header(GRAPH)


def test_nobody_has_signed_in_yet(tenant: SimulatorServer, tmp_path: Path) -> None:
    with pytest.raises(HttpDenied, match="Run `hub signin planner` once"):
        signing(person(tenant), tmp_path).header(GRAPH)


def test_a_sign_in_that_others_may_read_is_not_used(tenant: SimulatorServer, tmp_path: Path) -> None:
    signing(person(tenant), tmp_path).by_code(GRAPH, lambda _: None)
    (tmp_path / "data" / "signin" / "planner.json").chmod(0o644)

    with pytest.raises(ConfigError, match="chmod 600"):
        signing(person(tenant), tmp_path).header(GRAPH)


def test_an_application_needs_no_person(tenant: SimulatorServer, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="signs in as an application"):
        signing(account(tenant.url), tmp_path).by_code(GRAPH, lambda _: None)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (7000215, "the client secret is wrong"),
        (7000222, "has expired: make a new one"),
        (65001, "let an administrator grant the permissions"),
        (500011, "does not have the service"),
        (53003, "conditional access"),
        (123456, "Something new"),
    ],
)
def test_a_refusal_says_what_to_do(tenant: SimulatorServer, tmp_path: Path, code: int, says: str) -> None:
    """A sentence for a person, with Microsoft's code to search for, and without the ids of the request."""
    tenant.world.refuse = refused(code, "Something new.")  # type: ignore[union-attr]

    with pytest.raises(HttpDenied, match=says) as caught:
        signing(account(tenant.url), tmp_path).header(GRAPH)
    assert f"(AADSTS{code})" in str(caught.value)
    assert "Trace ID" not in str(caught.value)


def test_an_unknown_tenant_is_named(tenant: SimulatorServer, tmp_path: Path) -> None:
    settings = msgspec.structs.replace(account(tenant.url), tenant="nowhere.example")

    with pytest.raises(HttpDenied, match=r"does not know the tenant 'nowhere\.example'"):
        signing(settings, tmp_path).header(GRAPH)


def test_a_sign_in_that_is_down_is_waited_for(tenant: SimulatorServer, tmp_path: Path) -> None:
    tenant.fault = lambda number, _, honest: Response(status=503) if number == 1 else honest()

    assert {"Authorization": f"Bearer {TOKEN}"} == signing(account(tenant.url), tmp_path).header(GRAPH)
    tenant.fault = lambda *_: Response(status=503)
    with pytest.raises(HttpUnavailable):
        signing(account(tenant.url), tmp_path).header(GRAPH)


def test_the_secret_follows_no_redirect(tenant: SimulatorServer, tmp_path: Path) -> None:
    """The body of the question holds it, so that it is not asked elsewhere."""
    with SimulatorServer(Tenant()) as elsewhere:
        tenant.fault = lambda _, request, honest: (
            Response(status=307, headers={"Location": f"{elsewhere.url}{request.path}"})
            if request.path.endswith("/token")
            else honest()
        )
        with pytest.raises(HttpDenied, match="sends us elsewhere: it was not followed"):
            signing(account(tenant.url), tmp_path).header(GRAPH)
        assert [] == elsewhere.asked


@pytest.mark.parametrize(
    "wrong",
    [
        {"authority": "http://login.example.com"},
        {"client_secret": Secret("env", "A", Path()), "certificate": Secret("env", "B", Path())},
    ],
)
def test_a_wrong_account_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"^account: "):
        Entra(tenant=TENANT, client_id=CLIENT, **wrong)


def test_nothing_shows_the_secret(tenant: SimulatorServer, tmp_path: Path) -> None:
    signed = signing(account(tenant.url), tmp_path)
    signed.header(GRAPH)

    assert "s3cret" not in f"{signed!r} {signed.account!r} {signed.session!r}"

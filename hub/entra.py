"""Signing in to Microsoft: tokens of an app registration in Entra ID, by msal, and what a refusal means.

An application signs in with a client secret or a certificate; without either, a person does once, with a code
(`hub signin NAME`). Only what a person's sign-in leaves is written down, in a file of mode 0600: an
application's token is asked for anew by each run.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

import msgspec

from hub.errors import ConfigError, HttpDenied, HttpForbidden, HttpUnexpected
from hub.files import write_atomically
from hub.secrets import Secret
from hub.words import mark, tr

if TYPE_CHECKING:
    import requests

    from hub.context import RunContext
    from hub.http import Session


PUBLIC = "https://login.microsoftonline.com"
_ANSWERS = frozenset(range(300, 500)) - {429}
_LOOPBACK = {"127.0.0.1", "localhost"}
# learn.microsoft.com/entra/identity-platform/reference-error-codes
_SENTENCES = {
    7000215: mark("the client secret is wrong: give the secret's value, not its ID"),
    7000222: mark("the client secret has expired: make a new one in the app registration"),
    7000112: mark("the application is disabled in this tenant: ask an administrator to enable its sign-in"),
    700016: mark(
        "the tenant does not know this client_id: check client_id and tenant, or let an "
        "administrator consent to the application"
    ),
    700027: mark("the certificate is not the one of the app registration: upload its public part there"),
    700024: mark("the clock of this machine is wrong, or the certificate is not valid yet"),
    90002: mark("there is no such tenant: check tenant"),
    900023: mark("the tenant is neither a domain nor an id: check tenant"),
    500011: mark(
        "the tenant does not have the service that was asked for: check its address and the licences"
    ),
    65001: mark(
        "the application lacks consent: let an administrator grant the permissions that the "
        "connector's README names"
    ),
    7000218: mark(
        "the app registration lets nobody sign in with a code: allow public client flows, or "
        "give client_secret or certificate"
    ),
    50076: mark("the tenant asks for a second factor: sign in again with `hub signin {name}`"),
    50079: mark("the tenant asks for a second factor: sign in again with `hub signin {name}`"),
    53003: mark(
        "a conditional access policy of the tenant forbids it: ask an administrator for an exception"
    ),
    50057: mark("the account is disabled"),
    70043: mark("the sign-in has expired by a policy of the tenant: sign in again with `hub signin {name}`"),
    700082: mark("the sign-in was not used for too long: sign in again with `hub signin {name}`"),
    50173: mark("the password was changed since: sign in again with `hub signin {name}`"),
}


class Entra(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The setting ``account`` of whatever signs in to Microsoft.

    The app registration *client_id* of *tenant* (a domain or an id). *client_secret*, or *certificate* (PEM
    text: private key and certificate; *certificate_password* opens the key). With neither, a person signs in
    by a code. *authority* is the sign-in address of the cloud; national clouds have their own.
    """

    asks: ClassVar[tuple[str, ...]] = ("client_secret",)

    tenant: str
    client_id: str
    client_secret: Secret | None = None
    certificate: Secret | None = None
    certificate_password: Secret | None = None
    authority: str = PUBLIC

    def __post_init__(self) -> None:
        """Check what only a person can mend. Raises `ConfigError`."""
        parts = urlsplit(self.authority)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise ConfigError(tr("account: authority is an https address such as {public}.", public=PUBLIC))
        if self.client_secret and self.certificate:
            raise ConfigError(tr("account: give client_secret or certificate, not both."))

    @property
    def is_application(self) -> bool:
        """Say whether an application signs in, not a person."""
        return bool(self.client_secret or self.certificate)


class SignIn:
    """Tokens for the services of one tenant.

    Safe to ask again and again, msal asks the tenant only when one ends. *session* is for the sign-in host
    alone, *base* the folder of the configuration, *name* that of the source or destination.
    """

    def __init__(self, account: Entra, session: Session, *, base: Path, name: str) -> None:
        """Ask nothing yet."""
        self.account, self.session, self.name = account, session, name
        self.place = base / "data" / "signin" / f"{name}.json"
        self._made: Any = None
        self._anew = False
        self._cache: Any = None
        self._lock = threading.Lock()

    @classmethod
    def of(cls, ctx: RunContext, account: Entra, name: str) -> SignIn:
        """Return the sign-in that a run shares."""
        return ctx.shared(
            "sign-in", lambda: cls(account, ctx.another_session("sign-in"), base=ctx.base, name=name)
        )

    def __repr__(self) -> str:
        """Show who signs in, never with what."""
        return f"SignIn({self.name}, {self.account.client_id})"

    def header(self, resource: str) -> dict[str, str]:
        """Return the header that opens *resource* (``https://graph.microsoft.com``).

        Raises `HttpDenied` saying what the tenant's refusal means, and `ConfigError` for a certificate that
        is none.
        """
        with self._lock:  # several threads that begin at once ask for one token
            try:
                found = self._ask(resource)
            except (KeyError, AttributeError, TypeError, RuntimeError, ValueError) as exc:
                raise HttpUnexpected(
                    tr(
                        "{name}: {authority} did not answer as Microsoft's sign-in does ({error}): a proxy, "
                        "or another address. Check authority.",
                        name=self.name,
                        authority=self.account.authority,
                        error=type(exc).__name__,
                    )
                ) from exc
            self._anew = False
        if not found or "access_token" not in found:
            raise self._refusal(found or {"error": "interaction_required", "error_codes": [700082]})
        return {"Authorization": f"Bearer {found['access_token']}"}

    def _ask(self, resource: str) -> Any:
        app = self._app()
        if self.account.is_application:
            if self._anew:
                app.remove_tokens_for_client()
            return app.acquire_token_for_client([f"{resource}/.default"])
        known = app.get_accounts()
        if not known:
            raise HttpDenied(
                tr("{name}: nobody has signed in yet. Run `hub signin {name}` once.", name=self.name)
            )
        found = app.acquire_token_silent_with_error(
            [f"{resource}/.default"], known[0], force_refresh=self._anew
        )
        self._keep()
        return found

    def opens(self, session: Session, resource: str) -> None:
        """Let *session* bring what opens *resource*, and ask the tenant anew where that has ended."""
        session.sign, session.renew = lambda: self.header(resource), self.forget

    def forget(self) -> None:
        """Let the next header be of a token that the tenant gives anew."""
        with self._lock:
            self._anew = True

    def by_code(self, resource: str, say: Callable[[str], None]) -> str:
        """Let a person sign in: *say* tells the address and the code; give the name that signed in.

        Raises `ConfigError` where an application signs in, `HttpDenied` for a refusal.
        """
        if self.account.is_application:
            raise ConfigError(
                tr(
                    "{name} signs in as an application, with what its account holds: nobody needs to.",
                    name=self.name,
                )
            )
        app = self._app()
        flow = app.initiate_device_flow([f"{resource}/.default"])
        if "user_code" not in flow:
            raise self._refusal(flow)
        say(
            tr(
                "Open {verification_uri} in a browser, enter the code {user_code}, and sign in.",
                verification_uri=flow["verification_uri"],
                user_code=flow["user_code"],
            )
        )
        found = app.acquire_token_by_device_flow(flow)
        if "access_token" not in found:
            raise self._refusal(found)
        self._keep()
        return str((found.get("id_token_claims") or {}).get("preferred_username", "somebody"))

    # ---------- inside ----------

    def _app(self) -> Any:
        """Make msal's application, once."""
        if self._made is not None:
            return self._made
        # msal takes a third of a second to import: only those who sign in pay for that
        import msal

        account = self.account
        host = urlsplit(account.authority)
        known = {
            "authority": f"https://{host.netloc}{host.path.rstrip('/')}/{account.tenant}",
            "http_client": _Client(self.session, account.authority),
            # other clouds than the public one are named by an administrator, who is trusted with it
            "instance_discovery": None if account.authority == PUBLIC else False,
        }
        try:
            if account.is_application:
                credential: Any = (
                    account.client_secret.reveal() if account.client_secret else self._certificate()
                )
                self._made = msal.ConfidentialClientApplication(account.client_id, credential, **known)
            else:
                self._cache = msal.SerializableTokenCache()
                if self.place.exists():
                    self._cache.deserialize(Secret("file", self.place.name, self.place.parent).reveal())
                self._made = msal.PublicClientApplication(account.client_id, token_cache=self._cache, **known)
        except (ValueError, TypeError) as exc:
            raise HttpDenied(
                tr(
                    "{name}: {authority} does not know the tenant {tenant!r}, or the certificate cannot "
                    "be used ({answer}).",
                    name=self.name,
                    authority=account.authority,
                    tenant=account.tenant,
                    answer=_first_line(str(exc)).partition(". ")[0],
                )
            ) from None
        return self._made

    def _certificate(self) -> dict[str, str]:
        assert self.account.certificate is not None
        text = self.account.certificate.reveal()
        parts = re.findall(r"-----BEGIN ([A-Z ]+)-----.+?-----END \1-----", text, re.DOTALL)
        if "CERTIFICATE" not in parts or not any(part.endswith("PRIVATE KEY") for part in parts):
            raise ConfigError(
                tr(
                    "{name}: certificate is a PEM text with the private key and the certificate; "
                    "`openssl pkcs12 -in file.pfx -out file.pem -nodes` makes one of a .pfx file.",
                    name=self.name,
                )
            )
        password = self.account.certificate_password
        return {"private_key": text, "public_certificate": text} | (
            {"passphrase": password.reveal()} if password else {}
        )

    def _keep(self) -> None:
        if self._cache is not None and self._cache.has_state_changed:
            self.place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with write_atomically(self.place, mode=0o600) as file:
                file.write(self._cache.serialize().encode())
            self._cache.has_state_changed = False

    def _refusal(self, found: dict[str, Any]) -> HttpDenied:
        said = str(found.get("error_description") or found.get("error") or "")
        codes = [int(code) for code in found.get("error_codes") or re.findall(r"AADSTS(\d+)", said)]
        sentence = next(
            (tr(_SENTENCES[code], name=self.name) for code in codes if code in _SENTENCES),
            _first_line(said),
        )
        shown = f" (AADSTS{codes[0]})" if codes else ""
        kind = HttpForbidden if {65001, 53003} & set(codes) else HttpDenied
        return kind(
            tr(
                "{name}: Microsoft refused the sign-in: {sentence}{shown}.",
                name=self.name,
                sentence=sentence,
                shown=shown,
            )
        )


class _Client:
    """What msal asks by: the hub's session, whose patience, certificates and counts it gets.

    A refusal is an answer to it.
    """

    def __init__(self, session: Session, authority: str) -> None:
        self.session = session
        self.plain = authority if authority.startswith("http://") else ""

    def post(
        self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_: Any
    ) -> requests.Response:
        return self._ask("POST", url, params=params, data=data, headers=headers)

    def get(self, url: str, params: Any = None, headers: Any = None, **_: Any) -> requests.Response:
        return self._ask("GET", url, params=params, headers=headers)

    def close(self) -> None:
        """Leave the session to its owner."""

    def _ask(self, method: str, url: str, **kwargs: Any) -> requests.Response:
        if self.plain:  # msal knows https only; a simulator on this machine has no certificate
            url = url.replace("https://", "http://", 1)
        _, response = self.session.answer(method, url, route="sign-in", also=_ANSWERS, **kwargs)
        if response.is_redirect:  # whoever it is sent to would get the secret
            raise HttpDenied(
                tr(
                    "The sign-in at {hostname} sends us elsewhere: it was not followed. Check authority, "
                    "and the proxy.",
                    hostname=urlsplit(url).hostname,
                )
            )
        return response


def _first_line(text: str) -> str:
    """Return a refusal without the ids and the time that follow it."""
    return re.split(r"\s*(?:Trace ID|\r?\n)", text)[0].rstrip(". ")[:300]

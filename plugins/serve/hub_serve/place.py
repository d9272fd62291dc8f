"""Where the feed is shown: the settings of the server, as a destination that makes its level ready."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

import msgspec

from hub import (
    Check,
    ConfigError,
    Delivery,
    DeliveryContext,
    Destination,
    FeedView,
    Privacy,
    Secret,
    folder_check,
    tr,
)

FOLDER = "data/serve"


class SignInBy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``oidc``: signing in by a company's own OpenID Connect.

    *claim* is the claim that holds the address of access.csv. A person sees *privacy* of the destination.
    """

    issuer: str
    client_id: str
    client_secret: Secret
    claim: str = "email"


class ServePlace(Destination, frozen=True, kw_only=True):
    """`hub serve`: where it listens, under which *address* others reach it, and how much one may ask.

    On anything but this machine it needs *certificate* and *key* (files), or *proxies*, the addresses of
    the machines in front of it that speak TLS. *path* is the folder of its tokens. A question may take
    *seconds* and give *rows*; a reader may ask *requests_per_minute*.
    """

    kind: ClassVar[str] = "serve"

    privacy: Privacy = "project"
    path: str = FOLDER
    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8321
    address: str | None = None
    certificate: str | None = None
    key: str | None = None
    proxies: tuple[str, ...] = ()
    seconds: Annotated[float, msgspec.Meta(gt=0)] = 60.0
    rows: Annotated[int, msgspec.Meta(ge=1)] = 5_000_000
    requests_per_minute: Annotated[int, msgspec.Meta(ge=1)] = 1200
    oidc: SignInBy | None = None

    def __post_init__(self) -> None:
        """Check what only a person can mend. Raises `ConfigError`."""
        if (self.certificate is None) != (self.key is None):
            raise ConfigError(tr("The destination {name}: certificate and key go together.", name=self.name))
        for proxy in self.proxies:
            try:
                ipaddress.ip_network(proxy)
            except ValueError as exc:
                raise ConfigError(
                    tr(
                        "The destination {name}: {proxy!r} in proxies is no address of a machine or network.",
                        name=self.name, proxy=proxy,
                    )
                ) from exc  # fmt: skip
        if self.address is not None:
            parts = urlsplit(self.address)
            if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
                raise ConfigError(
                    tr(
                        "The destination {name}: address is what others open, such as "
                        "https://pm-hub.example.org.",
                        name=self.name,
                    )
                )

    @property
    def is_local(self) -> bool:
        """Say whether only this machine reaches it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def speaks_tls(self) -> bool:
        """Say whether a reader's browser speaks TLS, to the server or to the proxy before it."""
        if self.address is not None:
            return self.address.startswith("https:")
        return self.certificate is not None

    @property
    def root(self) -> str:
        """Return the address that readers open, without a slash at its end."""
        if self.address is not None:
            return self.address.rstrip("/")
        name = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.certificate else 'http'}://{name}:{self.port}"

    @property
    def hosts(self) -> frozenset[str]:
        """Return the names in small letters by which a request may call it, without a port."""
        own = {"localhost", "127.0.0.1", "[::1]"} if self.is_local else set()
        found = urlsplit(self.root).hostname or ""
        return frozenset(own | {f"[{found}]" if ":" in found else found.lower()})

    def must_be_safe(self) -> None:
        """Raise `ConfigError` where passwords would travel in the open."""
        if self.is_local or self.certificate is not None or self.proxies:
            return
        raise ConfigError(
            tr(
                "{host} can be reached by others, and without TLS tokens would travel in the open: give "
                "[destinations.{name}] certificate and key, or the addresses of the proxies before it "
                '(proxies = ["10.0.0.5"]).',
                host=self.host, name=self.name,
            )
        )  # fmt: skip

    def check(self, ctx: DeliveryContext) -> Iterable[Check]:
        """Look whether tokens can be kept, and whether it would start."""
        yield folder_check(ctx.resolve(self.path))
        try:
            self.must_be_safe()
        except ConfigError as exc:
            yield Check(name="address", state="failed", detail=str(exc))
        else:
            yield Check(name="address", state="ok", detail=self.root)

    def deliver(self, ctx: DeliveryContext, feed: FeedView) -> Delivery:
        """Have the feed at its level ready; a server that runs shows it from the next request on."""
        rows = {name: table["rows"] for name, table in feed.manifest["tables"].items()}
        return Delivery(where=self.root, rows=rows)

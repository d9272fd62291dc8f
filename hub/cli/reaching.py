"""Ask the address of each source and destination whether it answers from here, as `hub doctor` does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from hub.cli.app import App
from hub.destination import Destination
from hub.source import Source
from hub.words import mark, tr

State = Literal["ok", "warning", "failed"]
SKEW_S = 120.0
"""Tokens and cursors go by the clock: more than this apart from a server is told."""
PATIENCE_S = 10.0
CLOCK = mark("Set the clock by a time server (timedatectl set-ntp true, or w32tm /resync).")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at, how it is, and the *mend* where it is not well."""

    name: str
    state: State
    detail: str
    mend: str | None = None


def network(app: App) -> Iterator[Finding]:
    """Ask the address of each source and destination, through the proxy and with the certificates of runs."""
    for name, address in _addresses(app):
        yield from _reached(app, name, address)


def _addresses(app: App) -> Iterator[tuple[str, str]]:
    seen = set()
    tables: list[tuple[str, Source | Destination]] = [
        *app.settings.sources.items(), *app.settings.destinations.items(),
    ]  # fmt: skip
    for name, one in tables:
        for address in _asked(one):
            if address not in seen:
                seen.add(address)
                yield name, address


def _asked(one: Source | Destination) -> Iterator[str]:
    if one.signs_in is not None:
        yield one.signs_in[0].authority
    for said in (getattr(one, "address", None), getattr(one, "url", None)):
        if isinstance(said, str) and said.startswith(("http://", "https://")):
            yield said


def _reached(app: App, name: str, address: str) -> Iterator[Finding]:
    from requests.utils import get_environ_proxies

    host = urlsplit(address)
    proxy = get_environ_proxies(address).get(host.scheme)
    through = tr(" through the proxy {proxy}", proxy=urlsplit(proxy).hostname or proxy) if proxy else ""
    bundle = app.settings.engine.ca_bundle
    session = app.settings.engine.network.session(patience_s=PATIENCE_S, timeout_s=(5.0, PATIENCE_S))
    try:
        # without credentials: whatever a server answers, it was reached
        response = session.requests.request(
            "HEAD", f"{host.scheme}://{host.netloc}/", timeout=PATIENCE_S, allow_redirects=False,
            verify=bundle or None,
        )  # fmt: skip
    except OSError as exc:
        yield Finding(
            name="network", state="failed",
            detail=tr("{name}: {host} was not reached{through} ({error})", name=name, host=host.netloc,
                      through=through, error=type(exc).__name__),
            mend=_network_mend(exc, through=bool(proxy)),
        )  # fmt: skip
        return
    finally:
        session.close()
    yield Finding(
        name="network", state="ok",
        detail=tr("{name}: {host} answers{through}", name=name, host=host.netloc, through=through),
    )  # fmt: skip
    yield from _clock_against(response.headers.get("Date"), host.netloc)


def _network_mend(exc: Exception, *, through: bool) -> str:
    text = f"{type(exc).__name__} {exc}"
    if "SSL" in text or "certificate" in text.lower():
        return tr("Name the file of your company's certificates in [engine] ca_bundle.")
    if "Proxy" in text or through:
        return tr("Check HTTPS_PROXY, and NO_PROXY for hosts inside.")
    return tr("Check the address, the firewall, and whether HTTPS_PROXY is needed.")


def _clock_against(told: str | None, host: str) -> Iterator[Finding]:
    if not told:
        return
    try:
        theirs = parsedate_to_datetime(told)
    except (ValueError, TypeError):
        return
    apart = (datetime.now(UTC) - theirs.astimezone(UTC)).total_seconds()
    if abs(apart) > SKEW_S:
        yield Finding(
            name="clock", state="warning",
            detail=tr("this machine is {apart:+.0f} s away from {host}", apart=apart, host=host),
            mend=tr(CLOCK),
        )  # fmt: skip
    else:
        yield Finding(name="clock", state="ok", detail=tr("as that of {host}", host=host))

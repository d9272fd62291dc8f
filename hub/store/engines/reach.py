"""How PostgreSQL is reached, wherever the hub does: encrypted and verified, and never waited for in vain."""

from __future__ import annotations

import ipaddress
from typing import Any

_ALIVE: dict[str, Any] = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 6,
    "tcp_user_timeout": 120_000,
}
"""When a connection counts as dead, in seconds and milliseconds (libpq, connection parameters).

By default a run would hang for hours.
"""


def server_parameters(
    host: str, ca: str | None, *, port: int, database: str, user: str, password: str | None
) -> dict[str, Any]:
    """Return the parameters of libpq for a connection to *host*: when it counts as dead, how it is secured.

    To another machine it is encrypted and the server's certificate is verified, by the file *ca* or else by
    the authorities that this machine trusts. *host* is a name or address, or the folder of a socket; of
    several with commas between them, the first one that can be written to.
    """
    hosts = host.split(",")
    secured: dict[str, Any] = {"sslmode": "verify-full", "sslrootcert": ca or "system"}
    if all(map(_is_here, hosts)):
        secured = {"sslmode": "prefer"}
    if len(hosts) > 1:
        secured["target_session_attrs"] = "read-write"
    return {
        "host": host, "port": port, "dbname": database, "user": user,
        "connect_timeout": 15, "application_name": "pm-hub", "client_encoding": "utf8",
        **_ALIVE, **secured, **({} if password is None else {"password": password}),
    }  # fmt: skip


def _is_here(host: str) -> bool:
    """Say whether *host* is this machine itself: a name that only looks like it is not."""
    if host.startswith("/") or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

"""How PostgreSQL is reached, wherever the hub does: encrypted and verified, and never waited for in vain.

Sources: postgresql.org/docs/current (libpq, connection parameters; Client Connection Defaults; what pg_dump
sets for its own connection).
"""

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


LOCK_WAIT_S = 60
"""Seconds that a write waits for another program before it says so."""
_SESSION = {
    "TimeZone": "UTC", "DateStyle": "ISO", "client_min_messages": "error", "lock_timeout": f"{LOCK_WAIT_S}s",
    "statement_timeout": "0", "transaction_timeout": "0", "idle_session_timeout": "0",
    "idle_in_transaction_session_timeout": "0", "default_transaction_isolation": "read committed",
    "row_security": "off", "extra_float_digits": "1", "standard_conforming_strings": "on",
    "transform_null_equals": "off", "quote_all_identifiers": "off",
}  # fmt: skip


def session_sql(**also: str) -> str:
    """Return the statement by which a connection sets what decides on rows, numbers and limits for itself.

    Whatever a database or a role was given by those who look after it, as pg_dump does: no limit for what
    people type ends a run or its lock, rows that a policy would hide are an error and never left out, numbers
    come whole. What the server does not know yet is passed over; *also* is set too. It gives the number of
    settings and the server's process.
    """
    wanted = ", ".join(
        f"({_literal(name.lower())}, {_literal(value)})" for name, value in {**_SESSION, **also}.items()
    )
    return (
        "SELECT count(set_config(s.name, w.value, false)), pg_backend_pid() FROM pg_catalog.pg_settings s "
        f"JOIN (VALUES {wanted}) w (name, value) ON lower(s.name) = w.name"
    )


def _literal(text: str) -> str:
    """Return *text* as it stands in SQL, whatever `standard_conforming_strings` is."""
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _is_here(host: str) -> bool:
    """Say whether *host* is this machine itself: a name that only looks like it is not."""
    if host.startswith("/") or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

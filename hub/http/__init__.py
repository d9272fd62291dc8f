"""HTTP with patience, at the pace of each host, within limits; what needs `requests` is loaded when used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hub.http.grant import sign_in_client as sign_in_client
    from hub.http.lane import Lane as Lane
    from hub.http.lane import Together as Together
    from hub.http.lane import server_wait as server_wait
    from hub.http.limits import Limits as Limits
    from hub.http.odd import complaint as complaint
    from hub.http.rpc import Moment as Moment
    from hub.http.rpc import json_rpc as json_rpc
    from hub.http.session import Retry as Retry
    from hub.http.session import Session as Session

_ROOM_OF = {
    "Lane": "lane", "Limits": "limits", "Moment": "rpc", "Retry": "session", "Session": "session",
    "Together": "lane", "complaint": "odd", "json_rpc": "rpc", "server_wait": "lane",
    "sign_in_client": "grant",
}  # fmt: skip

__all__ = sorted(_ROOM_OF)  # noqa: PLE0605 - the names of the imports above


def __getattr__(name: str) -> Any:
    """Load *name* from its room."""
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'hub.http' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"hub.http.{_ROOM_OF[name]}"), name)
    return value

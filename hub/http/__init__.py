"""HTTP with patience, at the pace of each host, within limits."""

from hub.http.grant import sign_in_client
from hub.http.lane import Lane, Together, server_wait
from hub.http.limits import Limits
from hub.http.odd import complaint
from hub.http.rpc import Moment, json_rpc
from hub.http.session import Retry, Session

__all__ = [
    "Lane",
    "Limits",
    "Moment",
    "Retry",
    "Session",
    "Together",
    "complaint",
    "json_rpc",
    "server_wait",
    "sign_in_client",
]

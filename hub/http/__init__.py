"""HTTP with patience, at the pace of each host, within limits."""

from hub.http.lane import Lane, server_wait
from hub.http.limits import Limits
from hub.http.session import Retry, Session

__all__ = ["Lane", "Limits", "Retry", "Session", "server_wait"]

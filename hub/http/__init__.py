"""HTTP with patience, at the pace of each host, within limits."""

from hub.http.lane import Lane, Together, server_wait
from hub.http.limits import Limits
from hub.http.session import Retry, Session

__all__ = ["Lane", "Limits", "Retry", "Session", "Together", "server_wait"]

"""A simulator that shows given records as its tool would.

It is what a demonstration, or a test of several tools, fills with them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

import msgspec

from hub.records import Record


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request to the simulator; *query* has single values, *search* is the query as it was sent."""

    method: str
    path: str
    query: dict[str, str]
    search: str = ""
    headers: dict[str, str]
    body: bytes = b""


class Response(msgspec.Struct, kw_only=True):
    """One answer of the simulator; *body* is JSON unless it is bytes.

    *stall_s* is a pause in the middle of it.
    """

    status: int = 200
    body: Any = None
    headers: dict[str, str] = {}
    stall_s: float = 0.0


class Simulator(ABC):
    """A tool that answers over HTTP for records; their ids are the tool's own, without a source before them.

    *settings* are what a source needs to sign in, besides ``url`` and ``token``, which is `SECRET` of the
    kit.
    """

    settings: ClassVar[dict[str, Any]] = {}

    @abstractmethod
    def show(self, records: Iterable[Record], now: datetime) -> None:
        """Hold *records* from now on, and nothing else.

        Raises TypeError for a record that this tool does not have.
        """

    @abstractmethod
    def answer(self, request: Request) -> Response:
        """Answer as the tool would; 401 without the secret."""

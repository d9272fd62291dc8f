"""A stand-in that shows given records as its tool would: what a demonstration, or a test of several tools, fills it with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from hub.records import Record
from hub.testing.kit.exam import Request, Response


class Shown(ABC):
    """A tool that answers over HTTP for records; their ids are the tool's own, without a source before them.

    *settings* are what a source needs to sign in, besides ``url`` and ``token``, which is `SECRET` of the kit.
    """

    settings: ClassVar[dict[str, Any]] = {}

    @abstractmethod
    def show(self, records: Iterable[Record], now: datetime) -> None:
        """Hold *records* from now on, and nothing else. Raises TypeError for a record that this tool does not have."""

    @abstractmethod
    def answer(self, request: Request) -> Response:
        """Answer as the tool would; 401 without the secret."""

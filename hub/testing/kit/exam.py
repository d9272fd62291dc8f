"""What a connector gives the kit: a stand-in of its tool that can be edited, and the answer sheet."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal

import msgspec

from hub.source import Source

Capability = Literal["increments", "deletions", "worklogs", "containers"]
SECRET = "kit-s3cret-Zq7"  # noqa: S105 - a marker that must never be found anywhere


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request to the stand-in; *query* has single values."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""


class Response(msgspec.Struct, kw_only=True):
    """One answer of the stand-in; *body* is JSON unless it is bytes."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = {}


class World(ABC):
    """A small, seeded copy of the tool with its own clock, years behind ours.

    Everything the kit does to it goes through these verbs; `truth` says what the store must then hold.
    """

    def __init__(self, seed: int, *, scale: int = 1) -> None:
        """Fill the world; *scale* multiplies the number of items."""
        self.random = random.Random(seed)  # noqa: S311 - a stand-in, not a secret
        self.scale = scale

    @abstractmethod
    def answer(self, request: Request) -> Response:
        """Answer as the tool would; 401 without the secret."""

    @abstractmethod
    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Give table, then id without the source's prefix, then fields: the rows that exist and can be seen."""

    @abstractmethod
    def add(self) -> str:
        """Make a task with the clock's next stamp and give its native id."""

    @abstractmethod
    def add_behind(self, seconds: int) -> str:
        """Make a task whose stamp lies *seconds* before the newest one there is (0: equals it)."""

    @abstractmethod
    def edit(self, native: str | None = None) -> str:
        """Change a task (a random one when None); its stamp is the clock's next."""

    @abstractmethod
    def delete(self, native: str | None = None) -> str:
        """Delete a task with what hangs on it."""

    @abstractmethod
    def rename(self, native: str) -> None:
        """Give a task another display key."""

    @abstractmethod
    def move(self, native: str) -> None:
        """Move a task to another container."""

    @abstractmethod
    def hide(self) -> tuple[str, list[str]]:
        """Take away the right to read one container; give its native id and its tasks' ids."""

    @abstractmethod
    def tasks(self) -> list[str]:
        """Give the native ids of the tasks that exist."""

    @abstractmethod
    def requests(self) -> int:
        """Give the most requests that a full reading of this world may take: the connector's own plan."""


class Exam(ABC):
    """The connector's side of the table: how to make its world and its source."""

    kind: ClassVar[str]
    capabilities: ClassVar[frozenset[Capability]]
    private: ClassVar[tuple[str, ...]] = ()
    """Texts of the world that must not reach the store (comments, for example)."""

    @abstractmethod
    def world(self, seed: int, *, scale: int = 1) -> World:
        """Make a world."""

    @abstractmethod
    def source(self, url: str) -> Source:
        """Make the source against the stand-in at *url*, with `SECRET` as its credential."""

"""What a connector hands to the kit: a copy of its tool that can be edited, and the answer sheet."""

from __future__ import annotations

import os
import random
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Literal

import msgspec

from hub.records import Record
from hub.secrets import Secret
from hub.simulator import Request, Response
from hub.source import Source

Capability = Literal["increments", "deletions", "worklogs", "containers", "renames", "history", "columns"]
Verb = Literal["edits", "scale", "counts"]
SECRET = "kit-s3cret-Zq7"  # noqa: S105 - a marker that must never be found anywhere
FOLDER = "files"
"""Where a `FileWorld`'s files lie, from the folder of the configuration."""


def credential() -> Secret:
    """Return `SECRET` as a setting of type `hub.Secret`."""
    os.environ["HUB_KIT_SECRET"] = SECRET
    return Secret("env", "HUB_KIT_SECRET", Path())


class SawNothing(Exception):
    """A check had nothing to look at, such as a verb that a world lacks: it is skipped and says so."""


class World(ABC):
    """A small, seeded copy of the tool with its own clock, years behind ours.

    Everything the kit does to it goes through these verbs; `truth` says what the store must then hold. *main*
    is the table whose rows the verbs make, edit and delete; `rows` returns their native ids. Verbs whose
    capability the certification does not claim are never called, nor `add`, `edit` and `delete` of a world
    that cannot be edited.
    """

    main: ClassVar[str] = "task"

    def __init__(self, seed: int, *, scale: int = 1) -> None:
        """Fill the world; *scale* multiplies the number of items."""
        self.random = random.Random(seed)  # noqa: S311 - a simulator, not a secret
        self.scale = scale

    @abstractmethod
    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return the rows that exist and can be seen.

        By table, then id without the source's prefix, then fields.
        """

    @abstractmethod
    def rows(self) -> list[str]:
        """Return the native ids of the rows of *main* that exist."""

    def stored_id(self, native: str) -> str:
        """Return the id of a row of *main* that exists, without the source's prefix."""
        return native

    def add(self) -> str:
        """Make a row with the clock's next stamp and return its native id."""
        raise NotImplementedError

    def edit(self, native: str | None = None) -> str:
        """Change a row (a random one when None); its stamp is the clock's next."""
        raise NotImplementedError

    def delete(self, native: str | None = None) -> str:
        """Delete a row with what hangs on it."""
        raise NotImplementedError

    def rename(self, native: str) -> None:
        """Return a row another display key (capability ``renames``)."""
        raise NotImplementedError

    def move(self, native: str) -> None:
        """Move a row to another container (capability ``containers``)."""
        raise NotImplementedError

    def rename_container(self) -> str:
        """Give a container another name, without a trace on its rows; return its native id."""
        raise SawNothing("its world has no rename_container")

    def rename_person(self) -> str:
        """Give a person another name, without a trace on rows that name them; return their native id."""
        raise SawNothing("its world has no rename_person")

    def hide(self) -> tuple[str, list[str]]:
        """Take away the right to read one container (``containers``).

        Return its native id and its rows' ids.
        """
        raise NotImplementedError


class HttpWorld(World):
    """A tool that is asked over HTTP."""

    @abstractmethod
    def answer(self, request: Request) -> Response:
        """Answer as the tool would; 401 without the secret."""

    @abstractmethod
    def requests(self) -> int:
        """Return the most requests that a full reading of this world may take: the connector's own plan."""

    def add_behind(self, seconds: int) -> str:
        """Make a row whose stamp lies *seconds* before the newest one there is.

        0 equals it (``increments``).
        """
        raise NotImplementedError


class RpcWorld(HttpWorld):
    """A tool that is asked over JSON-RPC: every question is a POST, and an error comes with status 200."""

    def call(self, request: Request, method: str, params: Any) -> Any:
        """Return what a method answers: its result, or a whole `Response` such as a 401.

        A ValueError becomes the error of the answer.
        """
        raise NotImplementedError

    def answer(self, request: Request) -> Response:
        """Answer one question."""
        if request.method != "POST":
            return Response(status=405, body={})
        asked = msgspec.json.decode(request.body)
        told = {"jsonrpc": "2.0", "id": asked["id"]}
        try:
            found = self.call(request, asked["method"], asked["params"])
        except ValueError as exc:
            return Response(body=told | {"error": {"code": -32000, "message": str(exc)}})
        return found if isinstance(found, Response) else Response(body=told | {"result": found})


class FileWorld(World):
    """A tool that leaves files in a folder; *encoding* is that of their text."""

    encoding = "utf-8"

    @abstractmethod
    def files(self) -> dict[str, bytes]:
        """Return the files as they are now: name, then content; the same world has the same bytes."""

    def columns(self) -> list[str]:
        """Return the names in the files without which a row cannot be understood (capability ``columns``)."""
        return []


class SourceCertification(ABC):
    """The connector's side of the table: how to make its world and its source.

    *private* are texts of the world that must not reach the store (comments, for example). *records* are the
    types that come, where the source could make more (by a mapping, for example). *cannot* says what the
    world is unable to do: be edited, grow, or say how many rows a list has, because its tool does not say it
    either. Such checks are skipped and said so. *levels* are those that can be examined at all. *splits* says
    that a row of the tool may become several rows of the main record; what is seen are then the tool's rows.
    *spared* are patterns of questions (``GET /users/N``) on whose answers no row of the store rests, such as
    rights that only tell how far the account sees.
    """

    kind: ClassVar[str]
    capabilities: ClassVar[frozenset[Capability]]
    private: ClassVar[tuple[str, ...]] = ()
    records: ClassVar[tuple[type[Record], ...] | None] = None
    cannot: ClassVar[frozenset[Verb]] = frozenset()
    levels: ClassVar[tuple[str, ...]] = ("bronze", "silver", "gold")
    splits: ClassVar[bool] = False
    spared: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def world(self, seed: int, *, scale: int = 1) -> World:
        """Make a world."""

    @abstractmethod
    def source(self, place: str) -> Source:
        """Make the source.

        *place* is the simulator's URL, with `SECRET` as the credential, or the folder of the files.
        """

"""The contract of a destination: receive a verified feed, whole or as changes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import msgspec

from hub.context import DeliveryContext
from hub.errors import DeliveryError
from hub.source import Check
from hub.words import tr

if TYPE_CHECKING:
    import duckdb

    from hub.entra import Entra

Privacy = Literal["project", "team-week", "pseudonym-week", "nominative-line"]


class FeedView(msgspec.Struct, frozen=True, kw_only=True):
    """A feed as one destination may see it.

    A folder of Parquet tables at its privacy level, and its manifest. *tables* maps a table's name to its
    Parquet glob; *changes* gives the rows inserted, updated and deleted since this destination's last
    published feed, as a DuckDB relation with a first column ``_change``. *connection* is an open DuckDB
    connection on which the tables are views of the same names.
    """

    feed_id: str
    folder: Path
    manifest: dict[str, Any]
    tables: dict[str, str]
    lang: str
    connection: duckdb.DuckDBPyConnection
    changes: Callable[[str], duckdb.DuckDBPyRelation]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What a destination received: where it lies and the rows per table."""

    where: str
    rows: dict[str, int]
    open_next: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Destination(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A destination: its fields are its settings, ``[destinations.NAME]`` in the configuration.

    *privacy* is the level of personal detail it may receive.
    """

    kind: ClassVar[str] = ""

    name: str
    privacy: Privacy = "team-week"

    @property
    def addresses(self) -> bool:
        """Say whether it makes row-level security of the e-mail addresses of access.csv.

        No other destination below ``nominative-line`` is given them.
        """
        return False

    @property
    def signs_in(self) -> tuple[Entra, str] | None:
        """Return the Microsoft account and the service it is for, where a person may have to sign in.

        They do it by `hub signin`.
        """
        return None

    def check(self, ctx: DeliveryContext) -> Iterable[Check]:
        """Look at rights and room; change nothing."""
        raise NotImplementedError

    def deliver(self, ctx: DeliveryContext, feed: FeedView) -> Delivery:
        """Make *feed* the one that readers see; interrupted and repeated deliveries end in the same state."""
        raise NotImplementedError


class LostDestination(Destination, frozen=True, kw_only=True):
    """A destination whose plugin is not here: it fails by itself, and stops no other."""

    lost_kind: str
    problem: str

    @property
    def kind(self) -> str:  # type: ignore[override]
        """Return the kind that the configuration names."""
        return self.lost_kind

    def check(self, ctx: DeliveryContext) -> Iterable[Check]:
        """Say what is lacking."""
        yield Check(name="plugin", state="failed", detail=self.problem)

    def deliver(self, ctx: DeliveryContext, feed: FeedView) -> Delivery:
        """Raise `DeliveryError` with what is lacking."""
        raise DeliveryError(self.problem)


def folder_check(root: Path) -> Check:
    """Say whether the folder *root*, or the nearest one above it that exists, can be written."""
    place = root
    while not place.exists() and place != place.parent:
        place = place.parent
    well = place.is_dir() and os.access(place, os.W_OK)
    detail = (
        tr("{root} can be written", root=root)
        if well
        else tr("{place} is not a folder that this account can write", place=place)
    )
    return Check(name="folder", state="ok" if well else "failed", detail=detail)

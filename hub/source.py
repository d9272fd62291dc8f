"""The contract of a source: what a connector says, plans, reads and proves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import msgspec

from hub.bounds import Positive, Share
from hub.context import Context
from hub.errors import PluginError
from hub.records import FieldLevel, FieldType, Presence, Record
from hub.tally import named

if TYPE_CHECKING:
    from hub.entra import Entra


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing `hub check` looked at; *detail* says what was seen, and what to do when it is not well."""

    name: str
    state: Literal["ok", "warning", "failed"]
    detail: str


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """The rows over which a complete reading proves absence.

    *records* are the types it covers; *container_id* or *id_prefix* narrow it, else it is the whole source.
    *days* narrow hours to those from the first to the second, both included.
    """

    records: tuple[type[Record], ...]
    container_id: str | None = None
    id_prefix: str | None = None
    days: tuple[str, str] | None = None


class Partition(msgspec.Struct, frozen=True, kw_only=True):
    """An independent unit of reading.

    *estimate* is the expected number of items, for progress.
    *complete* promises the whole of *scope*: what is not seen in it has left.
    *ordered* says that its rows come in the order in which they stand: what leaves from the end alone may
    have been cut off.
    *after* names partitions that must all end well before this one is read (a shared watermark).
    *data* is whatever the source wants back in `Source.read`.
    """

    id: str
    label: str | None = None
    estimate: int | None = None
    complete: bool = False
    scope: Scope | None = None
    evidence: str = ""
    ordered: bool = False
    after: tuple[str, ...] = ()
    data: Any = None


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """A proof about one row: a delete feed, a 404 in a readable container, a bin."""

    record: type[Record]
    id: str
    presence: Presence = "deleted"
    evidence: str


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Records and the *cursor* (JSON) that makes them done: both are written in one transaction.

    *held* is the mark to keep instead as long as something of the partition could not be taken and nobody
    accepted that: one from which it is asked for again. Without it the mark before stays. That of a complete
    partition is written with its batch, and *cursor* at its end: where the mark before names a content, it
    would else stand for rows that are no longer those of that content.
    *gone* are proofs: about single rows, or a `Census` of a narrow scope whose rows were all written in this
    batch, such as the days of one assignment.
    """

    records: tuple[Record, ...] | list[Record] = ()
    cursor: Any = None
    held: Any = None
    gone: tuple[Gone | Census, ...] = ()


class Census(msgspec.Struct, frozen=True, kw_only=True):
    """The ids of one record type that exist in *scope* now.

    *readable* False says the scope cannot be read any more: its rows become hidden, never deleted.
    *hold* True asks a person before anything leaves (a file that vanished).
    """

    record: type[Record]
    scope: Scope
    ids: AbstractSet[str]
    evidence: str
    readable: bool = True
    hold: bool = False


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """A source that would read some files: its *name*, *kind* and *settings*, for people to accept.

    *files* are what it reads. *writes* are files it needs besides, by their path beside the configuration,
    such as a mapping. *says* tells what becomes of them.
    """

    name: str
    kind: str
    settings: Mapping[str, Any]
    files: tuple[Path, ...]
    says: str
    writes: Mapping[str, str] = {}


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A field of the tool that fields.csv can name: *native* as one writes it there, and what it is called.

    *filled* is the share of things that have a value, None where the source does not know it.
    """

    native: str
    title: str = ""
    level: FieldLevel = "task"
    type: FieldType = "text"
    filled: float | None = None


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A source: its fields are its settings, ``[sources.NAME]`` in the configuration.

    *hours_per_day* turns hours into person-days; *tz* is the zone of stamps the source writes without one.
    *freshness_hours* is the age after which its data is called stale.
    *max_leave* is the share of a container above which leaving rows are held for `hub presence accept`,
    *max_rejected* that of what a partition met above which the partition fails.
    Fewer than *leave_floor* rows are never held; with *net_loss* rows that came instead make up for those
    that leave, and every table is guarded, not only those that move a KPI by themselves.
    *asks* are optional settings that `hub init` asks for too; an empty answer leaves one out.
    *asks_again* says that `read` asks by itself for ``ctx.again``, what could not be taken before, and puts
    what it asked for into ``ctx.asked_again``: marks may go on. Otherwise the mark of a partition waits at
    the first thing of it that could not be taken.
    """

    kind: ClassVar[str] = ""
    provides: ClassVar[tuple[type[Record], ...]] = ()
    census_every_hours: ClassVar[float] = 24.0
    asks: ClassVar[tuple[str, ...]] = ()
    leave_floor: ClassVar[int] = 0
    net_loss: ClassVar[bool] = False
    asks_again: ClassVar[bool] = False

    name: str
    tz: str = "UTC"
    hours_per_day: float = 7.0
    freshness_hours: Positive = 26.0
    max_leave: Share = 0.2
    max_rejected: Share = 0.2

    @property
    def address(self) -> str | None:
        """Return the place this source reads, for people; never a secret."""
        return None

    @property
    def signs_in(self) -> tuple[Entra, str] | None:
        """Return the Microsoft account and the service it is for, where a person may have to sign in.

        They do it by `hub signin`.
        """
        return None

    def row_id(self, native: object) -> str:
        """Return the store's id of a native id."""
        return f"{self.name}:{native}"

    def counted(
        self, record: type[Record], prefix: str, pages: Iterable[Iterable[msgspec.Raw]], *, evidence: str
    ) -> Census:
        """Return the census of a list read to its proven end; *prefix* begins the ids of its rows."""
        ids = frozenset(self.row_id(f"{prefix}{named(row)}") for rows in pages for row in rows)
        return Census(record=record, scope=Scope(records=(record,)), ids=ids, evidence=evidence)

    def check(self, ctx: Context) -> Iterable[Check]:
        """Look at credentials, rights, clock, counts; change nothing."""
        raise NotImplementedError

    def plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Partition]:
        """Return the independent units of this run; *cursors* are those of the last one, by partition id."""
        raise NotImplementedError

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        """Read one partition from its *cursor* (None at first)."""
        raise NotImplementedError

    def offers(self, ctx: Context) -> Iterable[Offer]:
        """Return the fields of the tool itself that can be asked for by fields.csv.

        Those that are asked for stand in ``ctx.fields``; what the store has of others is known without it.
        """
        return ()

    def census(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Census | Gone]:
        """Return the ids that exist, per scope, with the evidence, or proofs of single rows.

        *cursors* are those of this run.
        """
        return ()


class LostSource(Source, frozen=True, kw_only=True):
    """A source whose plugin is not here: it fails by itself, and stops no other."""

    lost_kind: str
    problem: str

    @property
    def kind(self) -> str:  # type: ignore[override]
        """Return the kind that the configuration names."""
        return self.lost_kind

    def check(self, ctx: Context) -> Iterable[Check]:
        """Say what is lacking."""
        yield Check(name="plugin", state="failed", detail=self.problem)

    def plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Partition]:
        """Raise `PluginError` with what is lacking."""
        raise PluginError(self.problem)

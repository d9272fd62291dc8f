"""What a store needs of its database beyond the SQL that both understand."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, ClassVar

from hub.errors import StoreError
from hub.store.engines.arrow import Streams

Value = Callable[[Any], Any]
"""From a value of a column to what it becomes."""


class Engine(ABC):
    """One store's database: how it is reached, made, locked and told of.

    A connection is what the engine opened: it does what the store asks of one of sqlite3 (``execute``,
    ``executemany``, ``in_transaction``, ``close``). *where* says which store, without any secret; *error* is
    what the driver raises, *refused* where values are not what a table takes.
    """

    kind: ClassVar[str]
    where: str
    error: type[Exception]
    refused: tuple[type[Exception], ...]
    path: Path | None = None
    """The file, where it is one."""

    frozen: ClassVar[str]
    """The statement that begins a transaction which sees one moment."""
    declares = True
    """Whether every value of a column is of the type that the column declares."""
    shared = True
    """Whether more than one connection sees the store."""

    # ---------- reaching ----------

    @abstractmethod
    def exists(self) -> bool:
        """Say whether a store was made there. Raises `StoreError` where nobody can tell."""

    @abstractmethod
    def connect(self) -> Any:
        """Open the connection that writes, and make room for a store. Raises `StoreError`."""

    @abstractmethod
    def reader(self) -> AbstractContextManager[Any]:
        """Open one that reads, apart from any transaction of the other. Raises `StoreError`."""

    @abstractmethod
    def explain(self, error: Exception) -> StoreError:
        """Turn the driver's *error* into a sentence for the person who runs the hub."""

    def prepare(self, connection: Any) -> None:  # noqa: B027 - not every database needs it
        """Give *connection* the functions that the store's SQL names."""

    # ---------- making ----------

    @abstractmethod
    def applied(self, connection: Any) -> set[str]:
        """Return the names of the migrations that made the store."""

    @abstractmethod
    def migrate(self, connection: Any, applied: set[str]) -> None:
        """Bring a store that *applied* made to this version; all of it, or none."""

    @abstractmethod
    def tables(self, connection: Any) -> dict[str, dict[str, str]]:
        """Return every table of the store and the types of its columns, in their order.

        Types are those of SQLite: TEXT, INTEGER, REAL.
        """

    @abstractmethod
    def size(self, connection: Any) -> int:
        """Return how many bytes the store takes."""

    @abstractmethod
    def may_write(self) -> bool:
        """Say whether this account may write the store."""

    def standing(self) -> str | None:
        """Say which server it is, where it is one, that a run can write to; nothing is changed there.

        Raises `StoreError` naming what a run would miss.
        """
        return None

    @abstractmethod
    def verify(self, connection: Any) -> list[str]:
        """Return what is damaged."""

    def differences(self) -> list[str]:
        """Return where the schema is not what this version makes; quietly, where nobody can tell."""
        return []

    # ---------- writing ----------

    @abstractmethod
    def begin(self, connection: Any) -> None:
        """Begin a transaction that writes: the only one at a time."""

    @abstractmethod
    def upsert(self, connection: Any, table: str, rows: Sequence[tuple[Any, ...]]) -> int:
        """Write *rows* (of a record, then source_id, recorded_at, run_id) by their id.

        Gives how many were new or other; what is the same is not touched. Inside a transaction.
        """

    @abstractmethod
    def insert(self, connection: Any, before: str, after: str, rows: Sequence[tuple[Any, ...]]) -> int:
        """Execute *before* ``VALUES (…), (…)`` *after* and return how many rows were written."""

    @abstractmethod
    def forgetful(self, connection: Any, tables: Sequence[str]) -> AbstractContextManager[None]:
        """Let *tables* be updated without keeping old images, inside a transaction."""

    @abstractmethod
    def rewrite(self, connection: Any, table: str, changes: Mapping[str, Value]) -> int:
        """Give each text of the columns in *changes* what its function makes of it; gives rows changed."""

    @abstractmethod
    def matching(
        self, connection: Any, table: str, columns: Sequence[str], test: Callable[[str], bool],
        also: tuple[str, tuple[Any, ...]] = ...,
    ) -> Iterator[dict[str, Any]]:  # fmt: skip
        """Return the rows of *table* that have a text in *columns* of which *test* is true.

        *also* is SQL, with its parameters, of rows that are wanted whatever their texts.
        """

    def overwrite(self, connection: Any) -> None:  # noqa: B027 - a server keeps no free pages to see
        """Let what is rewritten from now on leave nothing in free pages."""

    @abstractmethod
    def compact(self, connection: Any) -> None:
        """Leave nothing of what was rewritten behind. Raises `ConfigError` while somebody reads."""

    def tidy(self, connection: Any) -> tuple[int, list[str]]:
        """Free the room of dead rows while others read; gives their number, and the tables that stay.

        Those are of another account.
        """
        self.compact(connection)
        return 0, []

    # ---------- as a whole ----------

    @contextmanager
    def one_moment(self) -> Iterator[Whole]:
        """Show every row as it is at one moment, whoever writes meanwhile. Raises `StoreError`."""
        with self.reader() as connection:
            connection.execute(self.frozen)
            yield Whole(self, connection)

    @contextmanager
    def newborn(self) -> Iterator[Engine]:
        """Return where a store is made that is kept when the block ends well. Raises `ConfigError`."""
        yield self

    def each(self, connection: Any, query: str) -> Iterator[tuple[Any, ...]]:
        """Return the rows of *query* one after another, however many they are."""
        yield from connection.execute(query)

    @abstractmethod
    def fill(
        self, connection: Any, table: str, names: Sequence[str], rows: Iterable[tuple[Any, ...]]
    ) -> None:
        """Put *rows* of the columns *names* into an empty *table*, inside a transaction."""

    def storable(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return *row* as the database keeps it."""
        return row

    # ---------- side by side ----------

    def lock(self) -> AbstractContextManager[None]:
        """Hold what one run at a time holds, where that is no file. Raises `LockHeld` naming who has it."""
        return nullcontext()

    def running(self) -> str | None:
        """Return who holds `lock`, so that other processes can write for it; None where only it can."""
        return None

    def write_for(self, connection: Any, run: str, part: str) -> None:
        """Let *connection* write *part* for the *run* that holds the lock, and nobody else for that part.

        Whoever wrote the part before, and was given up, is cut off. From then on no transaction that writes
        begins here once another run holds the lock. Raises `LockHeld`.
        """
        raise NotImplementedError

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[Streams]:
        """Return a function that streams the rows of a query as Arrow batches, all of one moment."""


class Whole:
    """All rows of a store as they are at one moment; *tables* are its tables with their columns and types."""

    def __init__(self, engine: Engine, connection: Any) -> None:
        """Look through *connection*, whose transaction stands still."""
        self._engine, self._connection = engine, connection
        self.applied = engine.applied(connection)
        self.tables = engine.tables(connection)

    def __call__(self, table: str, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """Return the rows of *table*, by the columns *names*."""
        return self._engine.each(self._connection, f"SELECT {', '.join(names)} FROM {table}")


StoreAt = Path | Engine
"""Where a store is: the file of one, or its engine."""

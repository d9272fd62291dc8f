"""Run work here, or on the workers of a Dask cluster: retries, lost workers and slow ones are Dask's."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

from hub.errors import ConfigError, FeedError
from hub.words import tr

T = TypeVar("T")
R = TypeVar("R")

RETRIES = 3
"""Times that work is tried again after an error of its own; of lost workers Dask keeps its own count."""
DESERTED_S = 300.0
"""How long anybody waits on a cluster that has no worker any more."""
STARTING_S = 30.0
"""How long a run waits for a first worker: those that died are started anew meanwhile."""
_LOOK_S, _PAUSE_S = 5.0, 0.05


class Runner(Protocol):
    """Where work is done: by how many *workers*, each with so many *threads* (None: as DuckDB likes).

    *shares* is in how many the rows are cut, None for what suits workers and rows.
    """

    workers: int
    threads: int | None
    shares: int | None

    def start(self, work: Callable[..., None], *arguments: Any) -> Callable[[], None]:
        """Begin *work*; what is returned waits until it is done, and raises what it raised."""

    def each(self, work: Callable[[T], R], items: list[T]) -> list[R]:
        """Do *work* for each of *items*, and return what it gave in their order."""


class Here:
    """Does all work in this process, at once, one piece after the other."""

    workers = 1
    threads: int | None = None

    def __init__(self, shares: int | None = None) -> None:
        """Cut the rows into *shares*."""
        self.shares = shares

    def start(self, work: Callable[..., None], *arguments: Any) -> Callable[[], None]:
        """Do *work*."""
        work(*arguments)
        return lambda: None

    def each(self, work: Callable[[T], R], items: list[T]) -> list[R]:
        """Do *work* for one after the other."""
        return [work(one) for one in items]


class Cluster:
    """Hands work to the workers of a Dask cluster through its *client*."""

    def __init__(self, client: Any, *, shares: int | None = None) -> None:
        """Use the workers that *client* knows. Raises `FeedError` where none comes for `STARTING_S`."""
        until = time.monotonic() + STARTING_S
        while not (threads := list(client.nthreads().values())):
            if time.monotonic() > until:
                raise _deserted(client)
            time.sleep(_PAUSE_S)
        self.client = client
        self.workers = sum(threads)
        self.threads: int | None = 1  # a worker of several threads does as many pieces at once
        self.shares = shares

    def start(self, work: Callable[..., None], *arguments: Any) -> Callable[[], None]:
        """Submit *work*."""
        future = self.client.submit(work, *arguments, pure=False, retries=RETRIES)
        return lambda: _result(self.client, future)

    def each(self, work: Callable[[T], R], items: list[T]) -> list[R]:
        """Submit *work* for some items at a time: each worker is asked a few times."""
        size = max(1, min(_MOST, -(-len(items) // (_ASKED * self.workers))))
        futures = [
            self.client.submit(_all, work, items[at : at + size], pure=False, retries=RETRIES)
            for at in range(0, len(items), size)
        ]
        return [one for future in futures for one in _result(self.client, future)]


_ASKED = 4
"""Times a worker is asked for a part of a list: a slow one is asked less often."""
_MOST = 50
"""Items that are sent at once."""


def _all(work: Callable[[T], R], items: list[T]) -> list[R]:
    return [work(one) for one in items]


def _result(client: Any, future: Any) -> Any:
    import distributed
    from distributed.comm.core import CommClosedError

    try:
        return _awaited(client, future)
    except (distributed.KilledWorker, distributed.CancelledError, CommClosedError) as exc:
        raise FeedError(
            tr(
                "The cluster lost the work it was given: {reason} The last good feed stays.",
                reason=str(exc).splitlines()[0],
            )
        ) from exc


def _awaited(client: Any, future: Any) -> Any:
    """Return what *future* gives, as long as there is somebody to make it."""
    seen = asked = time.monotonic()
    while not future.done():  # a result with a timeout may end without either, where a worker dies just then
        time.sleep(_PAUSE_S)
        now = time.monotonic()
        if now - asked < _LOOK_S:
            continue
        asked = now
        if client.nthreads():
            seen = now
        elif now - seen > DESERTED_S:
            future.cancel()
            raise _deserted(client)
    return future.result()


def _deserted(client: Any) -> FeedError:
    return FeedError(
        tr("The cluster {address} has no worker. Start some: dask worker {address}",
           address=client.scheduler.address)
    )  # fmt: skip


@contextlib.contextmanager
def connected(address: str | None, *, patience_s: float = 10.0) -> Iterator[Runner | None]:
    """Give the runner of the Dask scheduler at *address*, None where there is none: then nothing is shared.

    Raises `ConfigError` without the extra ``cluster``, and where nobody answers for *patience_s*.
    """
    if address is None:
        yield None
        return
    try:
        import distributed
    except ImportError as exc:
        raise ConfigError(
            tr('[engine] kind = "dask" needs the extra cluster: pip install "pm-hub[cluster]"')
        ) from exc
    try:
        open_client: Any = distributed.Client
        client = open_client(address, timeout=patience_s, set_as_default=False)
    except (OSError, ValueError) as exc:
        raise ConfigError(
            tr(
                "[engine] address = {address!r}: no Dask scheduler answers there ({reason}).",
                address=address,
                reason=str(exc).splitlines()[0],
            )
        ) from exc
    try:
        yield Cluster(client)
    finally:
        client.close()

"""Run work here, or on the workers of a Dask cluster: retries, lost workers and slow ones are Dask's."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from hub.errors import ConfigError, FeedError
from hub.words import tr

RETRIES = 3
"""Times that work is tried again after an error of its own; of lost workers Dask keeps its own count."""


class Runner(Protocol):
    """Where work is done: by how many *workers*, each with so many *threads* (None: as DuckDB likes).

    *shares* is in how many the rows are cut, None for what suits workers and rows.
    """

    workers: int
    threads: int | None
    shares: int | None

    def start(self, work: Callable[..., None], *arguments: Any) -> Callable[[], None]:
        """Begin *work*; what is returned waits until it is done, and raises what it raised."""


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


class Cluster:
    """Hands work to the workers of a Dask cluster through its *client*."""

    def __init__(self, client: Any, *, shares: int | None = None) -> None:
        """Use the workers that *client* knows now. Raises `FeedError` where there is none."""
        threads = list(client.nthreads().values())
        if not threads:
            raise FeedError(
                tr("The cluster {address} has no worker. Start some: dask worker {address}",
                   address=client.scheduler.address)
            )  # fmt: skip
        self.client = client
        self.workers = sum(threads)
        self.threads: int | None = 1  # a worker of several threads does as many pieces at once
        self.shares = shares

    def start(self, work: Callable[..., None], *arguments: Any) -> Callable[[], None]:
        """Submit *work*."""
        future = self.client.submit(work, *arguments, pure=False, retries=RETRIES)

        def wait() -> None:
            import distributed
            from distributed.comm.core import CommClosedError

            try:
                future.result()
            except (distributed.KilledWorker, distributed.CancelledError, CommClosedError) as exc:
                raise FeedError(
                    tr(
                        "The cluster lost the work it was given: {reason} The last good feed stays.",
                        reason=str(exc).splitlines()[0],
                    )
                ) from exc

        return wait


@contextlib.contextmanager
def connected(address: str | None) -> Iterator[Runner | None]:
    """Give the runner of the Dask scheduler at *address*, None where there is none: then nothing is shared.

    Raises `ConfigError` without the extra ``cluster``, and where nobody answers.
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
        client: Any = distributed.Client(address, timeout="10s", set_as_default=False)  # type: ignore[no-untyped-call]
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

"""The tools of the demonstration that are asked over HTTP.

They are up while a command reads them, as the portfolio was on that day.
"""

from __future__ import annotations

import functools
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hub import ConfigError, Record, tr
from hub_demo.portfolio import Portfolio, imagine
from hub_demo.tracker import board_records, support_records, tracker_records, work_records

if TYPE_CHECKING:
    from hub import Simulator

MARK = ".pm-hub-demo"
TOOLS: dict[str, Callable[[Portfolio, date], Iterable[Record]]] = {
    "jira": tracker_records, "taskworld": board_records, "rest": work_records, "redmine": support_records,
}  # fmt: skip
"""The kinds of sources that are asked over HTTP, and what their tool holds on a day."""
MOST = 10_000_000


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """How a folder was made, so that its tools can be there again: kept in `MARK`."""

    seed: int
    scale: float
    today: date
    ports: dict[str, int]

    @property
    def portfolio(self) -> Portfolio:
        """Imagine the same portfolio again."""
        return _imagined(self.seed, self.scale, self.today)


@functools.lru_cache(maxsize=1)
def _imagined(seed: int, scale: float, today: date) -> Portfolio:
    return imagine(seed=seed, scale=scale, today=today)


def free_ports() -> dict[str, int]:
    """Return each tool a port of this machine that nobody uses."""
    with ExitStack() as stack:
        doors = {kind: stack.enter_context(socket.socket()) for kind in TOOLS}
        for door in doors.values():
            door.bind(("127.0.0.1", 0))
        return {kind: int(door.getsockname()[1]) for kind, door in doors.items()}


def simulator(simulators: Mapping[str, type[Simulator]], kind: str) -> Any:
    """Make the simulator of a tool. Raises `ConfigError` when its plugin is not installed."""
    try:
        return simulators[kind]()
    except KeyError:
        raise ConfigError(
            tr("The demonstration needs the plugin of {kind}: pip install pm-hub-{kind}.", kind=kind)
        ) from None


@contextmanager
def serving(folder: Path, simulators: Mapping[str, type[Simulator]], now: datetime) -> Iterator[None]:
    """Answer for the tools of the demonstration in *folder* while the block runs."""
    from hub.testing.kit import SimulatorServer

    mark = msgspec.json.decode((folder / MARK).read_bytes(), type=Mark)
    day = min(now.date(), mark.today)
    sites = []
    for kind, fill in TOOLS.items():
        site = simulator(simulators, kind)
        site.show(fill(mark.portfolio, day), now)
        sites.append((site, mark.ports[kind]))
    with ExitStack() as stack:
        for site, port in sites:
            with suppress(
                OSError
            ):  # another command on the same folder answers already, or a stranger: the source will tell
                stack.enter_context(SimulatorServer(site, port=port, most=MOST))
        yield

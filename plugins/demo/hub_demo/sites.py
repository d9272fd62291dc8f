"""The tools of the demonstration that are asked over HTTP: up while a command reads them, as the portfolio was on that day."""

from __future__ import annotations

import functools
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hub import ConfigError
from hub_demo.portfolio import Portfolio, imagine
from hub_demo.tracker import tracker_records

if TYPE_CHECKING:
    from hub import Plugins

MARK = ".pm-hub-demo"
MOST = 10_000_000


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """How a folder was made, so that its tools can be there again: kept in `MARK`."""

    seed: int
    scale: float
    today: date
    port: int

    @property
    def portfolio(self) -> Portfolio:
        """Imagine the same portfolio again."""
        return _imagined(self.seed, self.scale, self.today)


@functools.lru_cache(maxsize=1)
def _imagined(seed: int, scale: float, today: date) -> Portfolio:
    return imagine(seed=seed, scale=scale, today=today)


def free_port() -> int:
    """Give a port of this machine that nobody uses."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def stand_in(plugins: Plugins, kind: str) -> Any:
    """Make the stand-in of a tool. Raises `ConfigError` when its plugin is not installed."""
    try:
        return plugins.stand_ins()[kind]()
    except KeyError:
        raise ConfigError(f"The demonstration needs the plugin of {kind}: pip install pm-hub-{kind}.") from None


@contextmanager
def serving(folder: Path, plugins: Plugins, now: datetime) -> Iterator[None]:
    """Answer for the tools of the demonstration in *folder* while the block runs."""
    from hub.testing.kit import StandIn

    mark = msgspec.json.decode((folder / MARK).read_bytes(), type=Mark)
    tracker = stand_in(plugins, "jira")
    tracker.show(tracker_records(mark.portfolio, min(now.date(), mark.today)), now)
    try:
        site = StandIn(tracker, port=mark.port, most=MOST)
    except OSError:  # another command on the same folder answers already, or a stranger: the source will tell
        yield
        return
    with site:
        yield

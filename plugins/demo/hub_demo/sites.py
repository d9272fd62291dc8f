"""The tools of the demonstration that are asked over HTTP: up while a command reads them, as the portfolio was on that day."""

from __future__ import annotations

import functools
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hub import ConfigError
from hub_demo.portfolio import Portfolio, imagine
from hub_demo.tracker import board_records, tracker_records

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
    board_port: int

    @property
    def portfolio(self) -> Portfolio:
        """Imagine the same portfolio again."""
        return _imagined(self.seed, self.scale, self.today)


@functools.lru_cache(maxsize=1)
def _imagined(seed: int, scale: float, today: date) -> Portfolio:
    return imagine(seed=seed, scale=scale, today=today)


def free_ports() -> tuple[int, int]:
    """Give two ports of this machine that nobody uses."""
    with socket.socket() as one, socket.socket() as other:
        for door in (one, other):
            door.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1]), int(other.getsockname()[1])


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
    day = min(now.date(), mark.today)
    sites = []
    for kind, port, fill in (("jira", mark.port, tracker_records), ("taskworld", mark.board_port, board_records)):
        site = stand_in(plugins, kind)
        site.show(fill(mark.portfolio, day), now)
        sites.append((site, port))
    with ExitStack() as stack:
        for site, port in sites:
            with suppress(
                OSError
            ):  # another command on the same folder answers already, or a stranger: the source will tell
                stack.enter_context(StandIn(site, port=port, most=MOST))
        yield

"""Fixtures and contracts that a plugin's tests may use: a store, a scripted source, a run of the hub."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hub.testing.empty import store_on as store_on
    from hub.testing.fixtures import HubResult as HubResult
    from hub.testing.fixtures import ScriptedSource as ScriptedSource
    from hub.testing.fixtures import feed_view as feed_view
    from hub.testing.fixtures import hub_folder as hub_folder
    from hub.testing.fixtures import kept_feed as kept_feed
    from hub.testing.fixtures import run_hub as run_hub
    from hub.testing.fixtures import store as store
    from hub.testing.fixtures import sync_once as sync_once
    from hub.testing.fixtures import view_of as view_of
    from hub.testing.laws import store_image as store_image

_ROOM_OF = dict.fromkeys(
    (
        "HubResult",
        "ScriptedSource",
        "feed_view",
        "hub_folder",
        "kept_feed",
        "run_hub",
        "store",
        "sync_once",
        "view_of",
    ),
    "fixtures",
)
_ROOM_OF["store_image"] = "laws"
_ROOM_OF["store_on"] = "empty"

__all__ = sorted(_ROOM_OF)  # noqa: PLE0605 - the names above


def __getattr__(name: str) -> Any:
    """Load *name* when it is used: fixtures need pytest, the certification kit does not."""
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'hub.testing' has no attribute {name!r}")
    return getattr(importlib.import_module(f"hub.testing.{_ROOM_OF[name]}"), name)

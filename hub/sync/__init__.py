"""From sources to the store."""

from hub.sync.checking import check
from hub.sync.engine import sync
from hub.sync.lock import lock
from hub.sync.report import Hooks, Options, SourceReport, SyncReport

__all__ = ["Hooks", "Options", "SourceReport", "SyncReport", "check", "lock", "sync"]

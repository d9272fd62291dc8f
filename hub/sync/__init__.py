"""The journey from sources to the store."""

from hub.sync.engine import Options, SourceReport, SyncReport, sync
from hub.sync.lock import lock

__all__ = ["Options", "SourceReport", "SyncReport", "lock", "sync"]

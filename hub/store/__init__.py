"""The normalized store: one SQLite file that remembers what was known, and when."""

from hub.store.presence import Stake
from hub.store.store import Changes, RunRow, Store

__all__ = ["Changes", "RunRow", "Stake", "Store"]

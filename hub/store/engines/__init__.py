"""What SQLite and PostgreSQL do each in its own way; all else the store says in SQL that both understand."""

from hub.store.engines.arrow import Streams
from hub.store.engines.engine import Engine, StoreAt
from hub.store.engines.finding import engine_of
from hub.store.engines.sqlite import Sqlite

__all__ = ["Engine", "Sqlite", "StoreAt", "Streams", "engine_of"]

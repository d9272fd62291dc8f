"""Say once which project a container, a task and an hour belong to, what has left, and how a row is named."""

from hub.placement.filters import Condition, fold, parse
from hub.placement.presence import LEFT, here, left, names_by_code
from hub.placement.rule import DUCKDB_FOLD, place, place_hours

__all__ = [
    "DUCKDB_FOLD",
    "LEFT",
    "Condition",
    "fold",
    "here",
    "left",
    "names_by_code",
    "parse",
    "place",
    "place_hours",
]

"""What keeps a place alive for years: backups that are restored equal, and what lies about for too long."""

from hub.upkeep.backup import Backup, Paths, backup, name_for, rotate
from hub.upkeep.keys import gather, keep_marks
from hub.upkeep.restore import Restored, inspect, restore

__all__ = [
    "Backup",
    "Paths",
    "Restored",
    "backup",
    "gather",
    "inspect",
    "keep_marks",
    "name_for",
    "restore",
    "rotate",
]

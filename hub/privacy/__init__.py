"""What the hub knows of people: tell it, hand it over, take it away, without touching a project's KPIs."""

from hub.privacy.erasing import Erased, begin, finish, pending
from hub.store.subjects import Held, Subject, export, find, purge, report, texts

__all__ = [
    "Erased",
    "Held",
    "Subject",
    "begin",
    "export",
    "find",
    "finish",
    "pending",
    "purge",
    "report",
    "texts",
]

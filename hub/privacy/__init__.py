"""What the hub knows of people: tell it, hand it over, take it away, without touching a project's figures."""

from hub.privacy.subject import Held, Subject, erase, export, find, purge, report

__all__ = ["Held", "Subject", "erase", "export", "find", "purge", "report"]

"""Every error the hub raises on purpose, and what the hub does next about each.

::

    HubError                       exit 1
    ├── ConfigError                exit 2   stop: the person must change a setting
    ├── PluginError                leave out: this plugin is shown as broken, the rest lives
    │   └── MissingExtra           leave out: an optional package is not installed
    ├── LockHeld                   exit 5   stop: another run is writing
    ├── Interrupted                exit 130 stop: Ctrl-C, the last batch is safe
    ├── StoreError                 stop: the store cannot be read or written
    │   ├── StoreTooNew            stop: written by a newer hub, left untouched
    │   ├── StoreBusy              stop: another program holds the database
    │   └── StoreFull              stop: no room on the disk
    ├── SourceError                leave out: this partition is missing, the verdict says so
    │   ├── SourceDenied           leave out: credentials or rights (401, 403)
    │   │   └── SourceForbidden    leave out: the credentials are good, the right to read is lacking (403)
    │   ├── SourceGone             leave out: the thing is not there (404, 410)
    │   ├── SourceUnavailable      try again later: patience is exhausted (429, 5xx, network)
    │   └── SourceDataError        leave out: the answer or the file cannot be understood
    │       └── CellError          leave out: this row, which is named; what is wrong with one value of it
    ├── FeedError                  stop: the feed could not be built
    │   └── GateClosed             exit 4   stop: the last good feed stays
    └── DeliveryError              leave out: this destination did not get the feed

A message says what is wrong, where, and what to do. It never holds a secret.
"""

from __future__ import annotations

from typing import ClassVar


class HubError(Exception):
    """Say what is wrong, where, and what to do, in words for the person at the keyboard."""

    exit_code: ClassVar[int] = 1


class ConfigError(HubError):
    """A setting, mapping or argument is wrong."""

    exit_code = 2


class PluginError(HubError):
    """A plugin cannot be loaded or breaks its contract."""


class MissingExtra(PluginError):
    """An optional package is needed for this input."""


class LockHeld(HubError):
    """Another run is writing to this store."""

    exit_code = 5


class Interrupted(HubError):
    """The person pressed Ctrl-C; everything up to the last batch is kept."""

    exit_code = 130


class StoreError(HubError):
    """The store cannot be read or written."""


class StoreTooNew(StoreError):
    """The store was written by a newer version of the hub."""


class StoreBusy(StoreError):
    """Another program holds the database locked."""


class StoreFull(StoreError):
    """The disk is full or the folder cannot be written."""


class SourceError(HubError):
    """A source could not give what was asked."""


class SourceDenied(SourceError):
    """The source refused the credentials or the right to read."""


class SourceForbidden(SourceDenied):
    """The source knows the account and does not let it read this."""


class SourceGone(SourceError):
    """What was asked for is not there."""


class SourceUnavailable(SourceError):
    """The source did not answer within the hub's patience."""


class SourceDataError(SourceError):
    """An answer or a file cannot be understood."""


class CellError(SourceDataError):
    """A cell cannot be read as a value of its column; who reads the table says where it stands."""


class FeedError(HubError):
    """The feed could not be built or read."""


class GateClosed(FeedError):
    """The new feed failed its checks; the last good feed stays up."""

    exit_code = 4


class DeliveryError(HubError):
    """A destination did not receive the feed."""

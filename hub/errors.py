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
    ├── DeliveryError              leave out: this destination did not get the feed
    │   ├── DeliveryDenied         leave out: credentials or rights (401, 403)
    │   │   └── DeliveryForbidden  leave out: the credentials are good, the right to write is lacking (403)
    │   ├── DeliveryGone           leave out: the place is not there (404, 410)
    │   └── DeliveryUnavailable    try again later: patience is exhausted (429, 5xx, network)
    └── HttpError                  what an exchange came to; a run turns it into one of the two families above
        ├── HttpDenied             401, or nobody has signed in
        │   └── HttpForbidden      403
        ├── HttpGone               404, 410
        ├── HttpUnavailable        patience is exhausted
        └── HttpUnexpected         an answer that cannot be understood

A message says what is wrong, where, and what to do. It never holds a secret.
"""

from __future__ import annotations

from typing import ClassVar

from hub.words import tr


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


class YearOpenError(CellError):
    """Columns name weeks, months or days, and nothing says of which year."""


class FeedError(HubError):
    """The feed could not be built or read."""


class DeliveryError(HubError):
    """A destination did not receive the feed."""


class DeliveryDenied(DeliveryError):
    """The destination refused the credentials or the right to write."""


class DeliveryForbidden(DeliveryDenied):
    """The destination knows the account and does not let it do this."""


class DeliveryGone(DeliveryError):
    """What was to be written to is not there."""


class DeliveryUnavailable(DeliveryError):
    """The destination did not answer within the hub's patience."""


class HttpError(HubError):
    """An exchange over HTTP did not end as it was asked to."""


class HttpDenied(HttpError):
    """The other side refused the credentials, or nobody has signed in."""


class HttpForbidden(HttpDenied):
    """The other side knows the account and does not let it do this."""


class HttpGone(HttpError):
    """What was asked for is not there."""


class HttpUnavailable(HttpError):
    """The other side did not answer within the hub's patience."""


class HttpUnexpected(HttpError):
    """An answer cannot be understood, or a question was not."""


def of_source(error: HttpError) -> SourceError:
    """Say what an exchange came to as a source's error, with what it means for the run."""
    match error:
        case HttpForbidden():
            return SourceForbidden(str(error))
        case HttpDenied():
            return SourceDenied(str(error))
        case HttpGone():
            return SourceGone(str(error))
        case HttpUnavailable():
            return SourceUnavailable(
                tr("{error} Nothing that was read is lost; the next run goes on from there.", error=error)
            )
        case _:
            return SourceDataError(str(error))


def of_destination(error: HttpError) -> DeliveryError:
    """Say what an exchange came to as a destination's error, with what it means for readers."""
    match error:
        case HttpForbidden():
            return DeliveryForbidden(str(error))
        case HttpDenied():
            return DeliveryDenied(str(error))
        case HttpGone():
            return DeliveryGone(str(error))
        case HttpUnavailable():
            return DeliveryUnavailable(
                tr("{error} What was delivered before stays; the next publish tries again.", error=error)
            )
        case _:
            return DeliveryError(str(error))

"""Instants: what time it is, in one place, so that a demonstration can live through months in seconds.

And stamps as tools send them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hub.errors import SourceDataError
from hub.words import tr

_PRETENDED: list[datetime] = []


def now() -> datetime:
    """Return this instant in UTC, or the one that `pretend` was told."""
    return _PRETENDED[-1] if _PRETENDED else datetime.now(UTC)


def pretend(moment: datetime | None) -> None:
    """Live at *moment* from now on; None goes back to the real time.

    The store never goes back behind what it holds.
    """
    _PRETENDED.clear()
    if moment is not None:
        _PRETENDED.append(moment.astimezone(UTC))


def is_set(text: str | None) -> bool:
    """Say whether a date says when, and not that there is none, as programs do with certain years.

    Year 1 is .NET's, 1970 of whoever counts from there, 1984 the first of Microsoft Project, 2149 its last,
    9999 that of others. A text that does not begin with a year is set: it is for its reader to refuse.
    """
    if not text:
        return False
    begins_with_year = len(text) > 4 and text[:4].isdigit() and not text[4].isdigit()
    return not begins_with_year or "1985" <= text[:4] <= "2148"


def utc_stamp(text: str | None, sender: str) -> str | None:
    """Turn an instant of ISO 8601 into the store's form, ``2026-10-31T18:00:00Z``.

    One without a zone is UTC, an empty one None. Raises `SourceDataError`, which names *sender*, for another
    text.
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as exc:
        raise SourceDataError(
            tr("{sender} sent {text!r:.60} where a date was expected.", sender=sender, text=text)
        ) from exc
    return f"{moment:%Y-%m-%dT%H:%M:%S}Z"


def civil_day(stamp: str | None, tz: str) -> str | None:
    """Return the day, ``2026-10-31``, that a stamp of `utc_stamp` falls on in the zone *tz*.

    What somebody picked at home is midnight there.
    """
    return datetime.fromisoformat(stamp).astimezone(ZoneInfo(tz)).date().isoformat() if stamp else None

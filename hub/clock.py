"""What time it is: one place, so that a demonstration can live through months in seconds."""

from __future__ import annotations

from datetime import UTC, datetime

_PRETENDED: list[datetime] = []


def now() -> datetime:
    """Give this instant in UTC, or the one that `pretend` was told."""
    return _PRETENDED[-1] if _PRETENDED else datetime.now(UTC)


def pretend(moment: datetime | None) -> None:
    """Live at *moment* from now on; None goes back to the real time. The store never goes back behind what it holds."""
    _PRETENDED.clear()
    if moment is not None:
        _PRETENDED.append(moment.astimezone(UTC))

"""Moments as people write them, turned into the store's stamps."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from hub.errors import ConfigError
from hub.words import tr


def instant(text: str, *, also: str = "") -> str:
    """Turn ``2026-10-31`` (the end of that day) or an instant into the store's form.

    *also* says what else was possible. Raises `ConfigError`.
    """
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            date.fromisoformat(text)
            return f"{text}T23:59:59.999999Z"
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        shape = tr(
            "{text!r} is not a date such as 2026-10-31 or an instant such as 2026-10-31T18:00:00Z", text=text
        )
        raise ConfigError(f"{shape}, {also}." if also else f"{shape}.") from exc
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

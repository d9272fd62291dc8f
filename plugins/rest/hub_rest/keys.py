"""What tells a row from others, and how it is written."""

from __future__ import annotations

import math
from typing import Any

_NOTHING = frozenset({"null", "undefined", "NaN"})
"""Texts that programs write where they had no value."""


def is_key(native: Any) -> bool:
    """Say whether a value tells a row from others: true, blanks and what is no number do not."""
    if isinstance(native, str):
        return bool(native.strip()) and native not in _NOTHING
    return not isinstance(native, bool) and isinstance(native, int | float) and math.isfinite(native)


def written(native: Any) -> Any:
    """Return a key as it stands in ids: some servers write the number 7 as 7.0, some days."""
    return int(native) if isinstance(native, float) and native.is_integer() else native

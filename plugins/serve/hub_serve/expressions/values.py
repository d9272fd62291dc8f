"""Values that a question gives: parameters of a statement, never a part of its text."""

from __future__ import annotations

import re
from typing import Any


class Values:
    """The values of a statement, which it names ``$p0``, ``$p1`` and so on."""

    def __init__(self) -> None:
        """Begin without any."""
        self._all: list[Any] = []

    def add(self, value: Any) -> str:
        """Keep *value* and return its name."""
        self._all.append(value)
        return f"$p{len(self._all) - 1}"

    def get(self, name: str) -> Any:
        """Return the value called *name*."""
        return self._all[int(name.removeprefix("$p"))]

    def of(self, sql: str) -> dict[str, Any]:
        """Return the values that *sql* names."""
        return {f"p{n}": self._all[int(n)] for n in set(re.findall(r"\$p(\d+)\b", sql))}

"""Which language the one who asks speaks, by what its browser or its tool says."""

from __future__ import annotations

from collections.abc import Iterable

from hub import LANGS, Lang


def spoken(header: str) -> Lang | None:
    """Return the language of an Accept-Language *header* that is spoken here, None where there is none."""
    return first_known(accepted(header))


def first_known(wanted: Iterable[str]) -> Lang | None:
    """Return the first of *wanted* that is spoken here, None where there is none."""
    return next((known for one in wanted for known in LANGS if one.lower().startswith(known)), None)


def accepted(header: str) -> list[str]:
    """Return the languages of an Accept-Language header, the most wanted first."""
    found = []
    for part in header.split(","):
        name, _, weight = part.partition(";q=")
        try:
            found.append((-float(weight or 1), name.strip()))
        except ValueError:
            continue
    return [name for _, name in sorted(found, key=lambda one: one[0])]

"""Microsoft Project's own custom fields by the numbers that its files know them by, whatever the language."""

from __future__ import annotations

import re
from math import isfinite
from typing import Literal

from hub_msproject.files.schedule import CustomRow

Kind = Literal["Text", "Start", "Finish", "Date", "Flag", "Number", "Duration", "Cost", "Outline Code"]

_BASES = {"task": 0x0B400000, "resource": 0x0C400000}
_PLACES: dict[str, dict[Kind, tuple[range, ...]]] = {
    "task": {
        "Text": (range(51, 64, 3), range(66, 71), range(317, 337)),
        "Start": (range(52, 65, 3), range(282, 291, 2)),
        "Finish": (range(53, 66, 3), range(283, 292, 2)),
        "Date": (range(265, 275),),
        "Flag": (range(72, 82), range(292, 302)),
        "Number": (range(87, 92), range(302, 317)),
        "Duration": (range(103, 106), range(275, 282)),
        "Cost": (range(106, 109), range(258, 265)),
        "Outline Code": (range(416, 435, 2),),
    },
    "resource": {
        "Text": (range(8, 10), range(30, 33), range(97, 102), range(225, 245)),
        "Start": (range(102, 107), range(220, 225)),
        "Finish": (range(107, 112), range(190, 195)),
        "Date": (range(173, 183),),
        "Flag": (range(127, 136), range(126, 127), range(195, 205)),
        "Number": (range(112, 117), range(205, 220)),
        "Duration": (range(117, 120), range(183, 190)),
        "Cost": (range(123, 126), range(166, 173)),
        "Outline Code": (range(278, 297, 2),),
    },
}
"""Places of the enumeration pjField of Project's object model, from the first field of its kind on."""
_ENTERPRISE: dict[str, dict[Kind, tuple[range, ...]]] = {
    of: {
        "Cost": (range(first, first + 10),),
        "Date": (range(first + 10, first + 40),),
        "Duration": (range(first + 40, first + 50),),
        "Flag": (range(first + 60, first + 80),),
        "Number": (range(first + 100, first + 140),),
        "Text": (range(first + 200, first + 240),),
    }
    for of, first in (("task", 599), ("resource", 446))
}
FIELDS: dict[str, tuple[Kind, str]] = {
    str(_BASES[of] + place): (kind, f"{prefix}{kind}{number}")
    for prefix, places in (("", _PLACES), ("Enterprise ", _ENTERPRISE))
    for of, kinds in places.items()
    for kind, ranges in kinds.items()
    for number, place in enumerate((place for one in ranges for place in one), 1)
}
"""The kind and the English name of a field by its number."""
_NUMBER = re.compile(r"-?\d{1,15}(\.\d+)?")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT")


def custom_row(field: str, value: object, *, hours: bool = False) -> CustomRow | None:
    """Return a custom field by its value: what is written as a number or a moment is one too.

    *hours* says that a number is a duration in hours.
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return CustomRow(field=field, text="true" if value else "false")
    if isinstance(value, (int, float)) and isfinite(value):
        return CustomRow(field=field, text=spelt(value), number=float(value), hours=hours)
    text = str(value)
    if _MOMENT.match(text):
        return CustomRow(field=field, text=text[:16], day=text[:10])
    return CustomRow(field=field, text=text, number=float(text) if _NUMBER.fullmatch(text) else None)


def spelt(number: float) -> str:
    """Write a number without a part that says nothing: 5 and 0.25."""
    return str(int(number)) if number == int(number) else repr(round(number, 10))

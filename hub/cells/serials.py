"""Days and durations as spreadsheets count them: numbers from a first day, which the workbook may choose.

Sources: ECMA-376 part 1, 18.17.4.1 (1900 and 1904 date base) and 18.2.28 (``date1904``); OpenDocument 1.3
part 3, 9.4.1 (``table:null-date``).
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

SERIAL_ZERO = date(1899, 12, 30)
"""Day 0 where a workbook says no other; right from 1 March 1900 on, before which Excel counts a day more."""
SERIAL_ZERO_1904 = date(1904, 1, 1)
"""Day 0 of workbooks of the 1904 date system, which Excel for Mac wrote by default up to 2011."""
_NEAR = (date(2000, 1, 1), date(2049, 12, 31))
_SERIAL = re.compile(r"[0-9]{5}(?:[.,]0+)?")


def day_of(number: float, zero: date = SERIAL_ZERO) -> date:
    """Return the day that a number counts. Raises `OverflowError` for one that no calendar has."""
    return zero + timedelta(days=int(number))


def serial_of(day: date, zero: date = SERIAL_ZERO) -> int:
    """Return the number of a day."""
    return (day - zero).days


def near_day(cell: object) -> date | None:
    """Return the day of 2000 to 2049 that a whole number counts, as a number or as a text; else None.

    A number of a workbook with another first day knows it.
    """
    if isinstance(cell, bool):
        return None
    zero = getattr(cell, "zero", SERIAL_ZERO)
    if isinstance(cell, int | float):
        if not 0 < cell < 1e5 or cell != int(cell):
            return None
        found = day_of(cell, zero)
    elif isinstance(cell, str) and _SERIAL.fullmatch(cell.strip()):
        found = day_of(int(cell.strip()[:5]), zero)
    else:
        return None
    return found if _NEAR[0] <= found <= _NEAR[1] else None


def elapsed(moment: datetime) -> timedelta | None:
    """Return the duration that a workbook gives as a moment of its first year, None for any other moment."""
    if moment.year < 1901:
        found = moment - datetime(SERIAL_ZERO.year, SERIAL_ZERO.month, SERIAL_ZERO.day)
        return found - timedelta(days=1) if found < timedelta(days=61) else found
    if moment.year == SERIAL_ZERO_1904.year:
        return moment - datetime(1904, 1, 1)
    return None

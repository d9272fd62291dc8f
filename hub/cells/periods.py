"""Headers that name days, weeks, months, quarters, half years or years: S41, 05/10, janv. 2026, T1 2026."""

from __future__ import annotations

import calendar
import itertools
import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Literal

import msgspec

from hub.cells.days import DAY_NAMES, DayOrder, bare, month_in, month_number
from hub.cells.serials import near_day
from hub.errors import CellError, YearOpenError
from hub.words import tr

Per = Literal["day", "week", "month", "quarter", "half", "year"]
Span = tuple[date, date]
PARTS: dict[Per, int] = {"week": 52, "month": 12, "quarter": 4, "half": 2, "year": 1}
"""How many of them make a year."""
_WEEK_WORD = r"(?:s|w|sem|semaine|week|wk|kw|cw|tydz|tydzien|tyden|settimana|sett|semana|kalenderwoche|woche)"
_REST = r"(?:\s*[(\[,:].*)?"
_WEEK = re.compile(
    rf"{_WEEK_WORD}\s*[-_.]?\s*(?:n[o°]?\s*)?(?P<number>[0-9]{{1,2}})"
    rf"(?:\s*[-/ _']\s*(?P<year>[0-9]{{4}}|[0-9]{{2}}))?{_REST}"
)
_YEAR_WEEK = re.compile(
    rf"(?P<year>20[0-9]{{2}})\s*[-/_ ]?\s*(?:{_WEEK_WORD}\s*[-_.]?\s*)?(?P<number>[0-9]{{1,2}}){_REST}"
)
_NUMBER_YEAR = re.compile(r"(?P<number>[0-9]{1,2})\s*[-/.]\s*(?P<year>[0-9]{4})")
_NUMBER = re.compile(r"(?P<number>[0-9]{1,2})")
_LEADS = r"du|of|from|au|vom|ab|commencing|starting|beginning|ending|w/?c|w/?e"
_LEAD = re.compile(rf"^(?:(?:{DAY_NAMES})[ ,]+)?(?:(?:{_WEEK_WORD}\s*)?(?:{_LEADS})\s+)?(?=[0-9])")
_TAIL = re.compile(r"\s+(?:au|to|a|bis|-)\s+\S.*$|\s*[\u2013\u2014\u2192]\s*\S.*$")
_FROM_DAY = re.compile(
    r"^(?P<first>[0-9]{1,2})\s*[-\u2013]\s*[0-9]{1,2}(?P<rest>[/.][0-9]{1,2}(?:[/.][0-9]{2,4})?)$"
)
"""05-09/10: the days of a week in one month."""
_ISO = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?:[t ].*)?")
_NUMERIC = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})(?:\2([0-9]{4}|[0-9]{2}))?\.?")
_DAY_MONTH = re.compile(r"([0-9]{1,2})(?:er|st|nd|rd|th|[.])?[ /-]+([a-z]+)(?:[ ,/-]+([0-9]{4}|[0-9]{2}))?")
_MONTH_DAY = re.compile(r"([a-z]+) +([0-9]{1,2})(?:st|nd|rd|th)?(?:,? +([0-9]{4}))?")
_MONTH_NAME = re.compile(r"([a-z]+)(?:[ /_'-]+([0-9]{4}|[0-9]{2}))?")
_OF_MONTH = re.compile(
    r"(?:(?P<name>[a-z]+)(?:[ /_'-]+(?P<named>[0-9]{4}|[0-9]{2}))?"
    r"|(?P<year>20[0-9]{2})[-/._](?P<month>[0-9]{1,2})(?:-01)?"
    r"|(?P<first>[0-9]{1,2})[-/.](?P<last>20[0-9]{2})) (?P<day>[0-9]{1,2})"
)
"""A day under its month, as headers of two rows are joined: octobre 2026 5, 2026-10 5, 10/2026 5."""
_YEAR_MONTH = re.compile(r"([0-9]{4})[-/._ ]?([0-9]{1,2})")
_QUARTER_WORD = r"(?:t|q|trim|trimestre|quarter|quartal)"
_QUARTERS = (
    re.compile(
        rf"{_QUARTER_WORD}\s*[-_.]?\s*(?P<number>[1-4])"
        rf"(?:\s*[-/ _']\s*(?P<year>[0-9]{{4}}|[0-9]{{2}}))?{_REST}"
    ),
    re.compile(rf"(?P<year>[0-9]{{4}})\s*[-/_ ]?\s*{_QUARTER_WORD}\s*[-_.]?\s*(?P<number>[1-4]){_REST}"),
    re.compile(
        rf"(?P<number>[1-4])\.?\s*(?:er|e|eme|st|nd|rd|th)?\s*(?:trimestre|quarter|quartal)"
        rf"(?:\s*[-/ _']\s*(?P<year>[0-9]{{4}}|[0-9]{{2}}))?{_REST}"
    ),
)
_HALF_WORD = r"(?:h|s|hj|sem|semestre|half|halbjahr)"
_HALVES = (
    re.compile(
        rf"{_HALF_WORD}\s*[-_.]?\s*(?P<number>[12])"
        rf"(?:\s*[-/ _']\s*(?P<year>[0-9]{{4}}|[0-9]{{2}}))?{_REST}"
    ),
    re.compile(rf"(?P<year>20[0-9]{{2}})\s*[-/_ ]?\s*{_HALF_WORD}\s*[-_.]?\s*(?P<number>[12]){_REST}"),
    re.compile(
        rf"(?P<number>[12])\.?\s*(?:er|e|eme|nd|st)?\s*(?:semestre|half|halbjahr|hj)"
        rf"(?:\s*[-/ _']\s*(?P<year>[0-9]{{4}}|[0-9]{{2}}))?{_REST}"
    ),
)
_PART_OF_YEAR = re.compile(r"(?:(?P<year>20[0-9]{2})\s*[-/_ ]?\s*)?(?P<number>[1-4])")
"""A mere number of a quarter or a half year, where somebody said that it is one."""
_WHOLE_YEAR = re.compile(r"(?:(?:annee|exercice|year|jahr)\s+)?(?P<year>20[0-9]{2})")
_DAY_NUMBER = re.compile(rf"(?:(?:{DAY_NAMES}|[lmjvsdtwf])[ .]*)?(?P<number>[0-9]{{1,2}})")
_MONTH_OF = re.compile(
    r"(?<![0-9])(?:20[0-9]{2}[-_/. ]?(0[1-9]|1[0-2])|(0?[1-9]|1[0-2])[-_/. ]20[0-9]{2})(?![0-9])"
)
_YEARS = re.compile(r"(?<![0-9])(20[0-9]{2})(?:(?:0[1-9]|1[0-2])(?:[0-3][0-9])?)?(?![0-9])")


class _Named(msgspec.Struct, frozen=True):
    """What one header says: *numbers* are a week, a month, or a month and a day, of *year* if it says one.

    *open* says that the two numbers of a day may stand for each other. A month of 0 is that of the table.
    """

    unit: Per
    numbers: tuple[int, ...]
    year: int | None = None
    open: bool = False


def names_period(header: str, per: Per) -> bool:
    """Say whether *header* alone reads as a period of that length.

    S1 2026 reads as a week and as a half year, 01/2026 as a week and as a month.
    """
    return _read(header, per, numbers=False) is not None


def period_named(text: str, per: Per) -> tuple[int, int | None] | None:
    """Return the number of the period that a cell names, and the year where it says one, or None.

    The column of *text* is known to name them, so that a mere number is one.
    """
    named = _read(text, per, numbers=True)
    return (named.numbers[0], named.year) if named and named.unit == per else None


def year_in(texts: Sequence[str]) -> int | None:
    """Return the year that the first of *texts* says which says one alone."""
    return _found_year(texts, turns=0)


def periods_of(
    headers: Sequence[str], per: Per, *, years: Sequence[str] = (), order: DayOrder | None = None
) -> dict[str, Span]:
    """Return the first and last day that each of *headers* names.

    Where they say no year it is looked for in the texts *years*, in this order; over the end of a year they
    go on in the next. Days that are mere numbers are of the month that *years* say; those that it does not
    have (31 in a sheet of September) are left out. Raises `CellError` for a header that names none, or where
    year or order are open.
    """
    found: dict[str, _Named] = {}
    for header in headers:
        named = _read(header, per, numbers=True)
        if named is None:
            raise CellError(tr("the column {header!r} names no {per}", header=header, per=per))
        found[header] = named
    counted = [header for header, one in found.items() if one.unit == "day" and one.numbers[0] == 0]
    if counted:
        month = _found_month(years)
        found |= {header: _Named("day", (month, found[header].numbers[1])) for header in counted}
    ordered = order or _order(found.values(), per, years)
    turned = [_turned(one, ordered) for one in found.values()]
    spans = {
        header: _span(one, year, per, header)
        for header, one, year in zip(found, turned, _with_years(turned, years), strict=True)
        if header not in counted or one.numbers[1] <= calendar.monthrange(year, one.numbers[0])[1]
    }
    taken: dict[Span, str] = {}
    for header, span in spans.items():
        if other := taken.get(span):
            raise CellError(
                tr(
                    "the columns {other!r} and {header!r} name the same {per}",
                    other=other,
                    header=header,
                    per=per,
                )
            )
        taken[span] = header
    return spans


def _read(header: str, per: Per, *, numbers: bool) -> _Named | None:
    """Return what a header says; a mere number is one only where somebody said that it is a period."""
    text = bare(header).strip(" .:")
    if numbers and (day := near_day(text)):
        return _Named("day", (day.month, day.day), day.year)
    if per == "month":
        return _month(text, numbers) or _day(text)
    if per in {"quarter", "half"}:
        return _part_of_year(text, per, numbers) or (_day(text) if numbers else None)
    if per == "year":
        match = _WHOLE_YEAR.fullmatch(text)
        named = _Named("year", (1,), int(match["year"])) if match else None
        return named or (_day(text) if numbers else None)
    if per == "week" and (named := _week(text, numbers)):
        return named
    if (
        per == "day"
        and numbers
        and (match := _DAY_NUMBER.fullmatch(text))
        and 1 <= int(match["number"]) <= 31
    ):
        return _Named("day", (0, int(match["number"])))
    return _day(text)


def _part_of_year(text: str, per: Per, numbers: bool) -> _Named | None:
    forms = (*(_QUARTERS if per == "quarter" else _HALVES), *([_PART_OF_YEAR] if numbers else ()))
    match = next((match for form in forms if (match := form.fullmatch(text))), None)
    if match is None or int(match["number"]) > PARTS[per]:
        return None
    return _Named(per, (int(match["number"]),), _year(match["year"]) if match["year"] else None)


def _week(text: str, numbers: bool) -> _Named | None:
    forms = (_WEEK, _YEAR_WEEK, _NUMBER_YEAR, *([_NUMBER] if numbers else ()))
    match = next((match for form in forms if (match := form.fullmatch(text))), None)
    if match is None or not 1 <= int(match["number"]) <= 53:
        return None
    year = match.groupdict().get("year")
    return _Named("week", (int(match["number"]),), _year(year) if year else None)


def _month(text: str, numbers: bool) -> _Named | None:
    if match := _MONTH_NAME.fullmatch(text):
        month = month_number(match[1])
        return _Named("month", (month,), _year(match[2]) if match[2] else None) if month else None
    for form, month_at, year_at in ((_YEAR_MONTH, 2, 1), (_NUMBER_YEAR, 1, 2)):
        if (match := form.fullmatch(text)) and 1 <= int(match[month_at]) <= 12:
            return _Named("month", (int(match[month_at]),), int(match[year_at]))
    if numbers and (match := _NUMBER.fullmatch(text)) and 1 <= int(match[1]) <= 12:
        return _Named("month", (int(match[1]),))
    return None


def _day(text: str) -> _Named | None:
    if (match := _OF_MONTH.fullmatch(text)) and (named := _of_month(match)):
        return named
    text = _TAIL.sub("", _FROM_DAY.sub(r"\g<first>\g<rest>", _LEAD.sub("", text)))
    if match := _ISO.fullmatch(text):
        return _Named("day", (int(match[2]), int(match[3])), int(match[1]))
    if match := _NUMERIC.fullmatch(text):
        first, second = int(match[1]), int(match[3])
        if not (1 <= first <= 31 and 1 <= second <= 31):
            return None
        if first > 12 and second > 12:
            return None
        return _Named("day", (first, second), _year(match[4]) if match[4] else None, open=True)
    if (match := _DAY_MONTH.fullmatch(text)) and (month := month_number(match[2])):
        return _Named("day", (month, int(match[1])), _year(match[3]) if match[3] else None)
    if (match := _MONTH_DAY.fullmatch(text)) and (month := month_number(match[1])):
        return _Named("day", (month, int(match[2])), int(match[3]) if match[3] else None)
    return None


def _of_month(match: re.Match[str]) -> _Named | None:
    month = month_number(match["name"]) if match["name"] else int(match["month"] or match["first"])
    year = match["named"] or match["year"] or match["last"]
    if not 1 <= month <= 12 or not 1 <= int(match["day"]) <= 31:
        return None
    return _Named("day", (month, int(match["day"])), _year(year) if year else None)


def _year(text: str) -> int:
    return int(text) if len(text) == 4 else 2000 + int(text)


def _order(found: Iterable[_Named], per: Per, years: Sequence[str]) -> DayOrder:
    """Return which of day and month stands first, by a number above 12 or by the steps between them."""
    named = list(found)
    pairs = [one.numbers for one in named if one.open]
    if not pairs or any(first > 12 for first, _ in pairs):
        return "dd/mm"
    if any(second > 12 for _, second in pairs):
        return "mm/dd"
    if all(first == second for first, second in pairs):
        return "dd/mm"
    regular: list[DayOrder] = [order for order in _ORDERS if _is_regular(named, order, per, years)]
    if len(regular) == 1:
        return regular[0]
    first, second = pairs[0]
    raise CellError(
        tr(
            "the column {first:02d}/{second:02d} could be of the month {second} or {first}: say "
            'date_formats in the mapping, such as "%d/%m"',
            first=first,
            second=second,
        )
    )


_ORDERS: tuple[DayOrder, ...] = ("dd/mm", "mm/dd")


def _is_regular(named: list[_Named], order: DayOrder, per: Per, years: Sequence[str]) -> bool:
    turned = [_turned(one, order) for one in named]
    try:
        starts = [
            _span(one, year, "day", "")[0]
            for one, year in zip(turned, _with_years(turned, years, guess=2024), strict=True)
        ]
    except CellError:
        return False
    steps = {(later - one).days for one, later in itertools.pairwise(starts)}
    if per == "week":
        return bool(steps) and all(step > 0 and step % 7 == 0 for step in steps)
    return bool(steps) and all(0 < step <= 4 for step in steps)


def _turned(one: _Named, order: DayOrder) -> _Named:
    """Return a day with its month first."""
    if not one.open or order == "mm/dd":
        return one
    return msgspec.structs.replace(one, numbers=(one.numbers[1], one.numbers[0]))


def _with_years(named: Sequence[_Named], years: Sequence[str], *, guess: int | None = None) -> list[int]:
    """Return the year of each, which goes on over the end of a year."""
    if all(one.year is not None for one in named):
        return [one.year or 0 for one in named]
    size = PARTS.get(named[0].unit, 12)
    turns, turn = [], 0
    for before, one in zip([None, *named], named, strict=False):
        step = one.numbers[0] - before.numbers[0] if before else 0
        turn += 1 if step < -size / 2 else -1 if step > size / 2 else 0
        turns.append(turn)
    start = next(
        (one.year - turn for one, turn in zip(named, turns, strict=True) if one.year is not None), None
    )
    if start is None:
        start = _found_year(years, turns=max(turns) - min(turns)) or guess
        if start is not None:
            start -= min(turns)
    if start is None:
        raise YearOpenError(
            tr(
                "the columns say no year, nor do the names of file and sheet or the rows above: say year "
                "= 2026 under [unpivot] in the mapping"
            )
        )
    return [start + turn if one.year is None else one.year for one, turn in zip(named, turns, strict=True)]


def names_days(headers: Sequence[str]) -> list[str]:
    """Return those of *headers* that count the days of a month, 1 to 28 at least: 1, L 1, lun. 1."""
    found: dict[int, str] = {}
    for header in headers:
        match = _DAY_NUMBER.fullmatch(bare(header).strip(" .:"))
        if match and 1 <= int(match["number"]) <= 31:
            found.setdefault(int(match["number"]), header)
    return [*found.values()] if set(range(1, 29)) <= set(found) else []


def _found_month(texts: Sequence[str]) -> int:
    """Return the month that the first of *texts* names which names one alone."""
    for text in texts:
        words = re.findall(r"[a-z]+", bare(text))
        found = {month for word in words if len(word) > 2 and (month := month_in(word))}
        found |= {int(one or other) for one, other in _MONTH_OF.findall(text)}
        if len(found) == 1:
            return found.pop()
    raise CellError(
        tr(
            "the columns count days, and neither the names of sheet and file nor the rows above say of which "
            "month: name the sheet like 2026-10"
        )
    )


def _found_year(texts: Sequence[str], *, turns: int) -> int | None:
    for text in texts:
        found = sorted({int(one) for one in _YEARS.findall(text)})
        # "2025-2026" over the end of a year begins in the first
        if len(found) == 1 or (len(found) == turns + 1 and found[-1] - found[0] == turns):
            return found[0]
    return None


def _span(one: _Named, year: int, per: Per, header: str) -> Span:
    try:
        first = date(year, *one.numbers) if one.unit == "day" else first_of(one.numbers[0], year, one.unit)
    except ValueError as exc:
        raise CellError(
            tr("the column {header!r} names no {unit} of {year}", header=header, unit=one.unit, year=year)
        ) from exc
    return span_of(first, per)


def span_of(day: date, per: Per) -> Span:
    """Return the first and the last day of the period in which *day* is."""
    if per == "day":
        return day, day
    if per == "week":
        first = day - timedelta(days=day.weekday())
        return first, first + timedelta(days=6)
    months = 12 // PARTS[per]
    first = date(day.year, day.month - (day.month - 1) % months, 1)
    last = first.month + months - 1
    return first, date(day.year, last, calendar.monthrange(day.year, last)[1])


def first_of(number: int, year: int, per: Per) -> date:
    """Return the first day of a period by its number in a year. Raises `ValueError` where it has none."""
    if per == "week":
        return date.fromisocalendar(year, number, 1)
    return date(year, (number - 1) * (12 // PARTS[per]) + 1, 1)

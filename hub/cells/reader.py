"""One column of one table: what is declared of it, what its cells show together, and what each of them is."""

from __future__ import annotations

import itertools
import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo

import msgspec

from hub import clock
from hub.cells.days import DayOrder, by_format, day_readings, moment_of, month_of, time_in
from hub.cells.durations import Minutes, Unit, factor, seconds_of
from hub.cells.numbers import BLANKS, DecimalSign, currencies_of, readings, settles, take_apart
from hub.cells.periods import PARTS, Per, first_of, period_named, span_of, year_in
from hub.cells.serials import SERIAL_ZERO, day_of, elapsed
from hub.columns import Column
from hub.errors import CellError
from hub.words import enumerated, mark, tr

RULES = 5
"""Raised when a cell may become another value than before: what was read by older rules is read again."""
YES = frozenset(
    {"1", "x", "oui", "o", "yes", "y", "true", "vrai", "ok", "ja", "wahr", *"\u2611\u2612\u2705\u2713\u2714"}
)
NO = frozenset({"0", "non", "n", "no", "false", "faux", "-", "nein", "falsch", *"\u2610\u2717\u2718\u274c"})
_NOTHING = frozenset(
    {
        "-", "--", "–", "—", "−", "n/a", "n.a.", "na", "n/d", "n.d.", "nd", "nc", "n.c.",
        "tbd", "tbc", "none", "null", "aucun", "aucune", "néant", "à définir", "k.a.", "entfällt",
    }
)  # fmt: skip
"""What people write where there is no figure and no day."""
DAY_S = 86400
_PERIODS: tuple[Per, ...] = ("week", "month", "quarter", "half", "year")
"""What a column of days may name instead of a day, as one of the formats that are declared of it."""
_LARGEST = 2**63 - 1
_NUMBERS = frozenset({"integer", "number", "share", "percent", "minor", "seconds"})
_DAYS = frozenset({"day", "month", "instant"})
_LIKE = {
    "day": mark("a date such as 2026-10-31 or 31/10/2026"),
    "instant": mark("a date such as 2026-10-31 or 31/10/2026"),
    "month": mark("a month such as 2026-10 or 10/2026"),
    "seconds": mark("a number, nor a duration such as 7h30, 7:30 or 0,5 j"),
    "integer": mark("a whole number"),
}
Scale = Literal["units", "thousands", "millions"]
SCALE_UNITS: dict[str | None, int] = {"units": 1, "thousands": 1_000, "millions": 1_000_000}
_SIZES = {"seconds": 3600, "minor": 100}
"""How many of what a column keeps make one of what a person writes."""
_ERROR = re.compile(
    r"#(?:REF!|DIV/0\s?!|VALUE!|VALEUR\s?!|N/A|NAME\?|NOM\s?\?|NUM!|NOMBRE\s?!|NULL!|NUL\s?!|SPILL!|CALC!|PROPAGATION\s?!"
    r"|REF\s!|N/D|GETTING_DATA|FIELD!|BLOCKED!|CONNECT!|BUSY!|UNKNOWN!|EXTERNAL!)|Err:[0-9]{3}"
)
_SERIAL = re.compile(r"[0-9]{1,6}(?:[.,][0-9]+)?")
"""A day of Excel as a text file has it: 45931, or with a time 45931,5."""


class FormattedNumber(float):
    """A number that a workbook shows with a percent sign (0.45 as 45 %) or with the mark of a *currency*.

    *scale* is how many units one of it is as it is shown: 1000 for 40 as 40 k€, 1 for 40000 as 40 k€.
    *zero* is the day from which its workbook counts days.
    """

    percent: bool
    currency: str | None
    scale: int | None
    zero: date

    def __new__(
        cls,
        value: float,
        *,
        percent: bool = False,
        currency: str | None = None,
        scale: int | None = None,
        zero: date = SERIAL_ZERO,
    ) -> FormattedNumber:
        """Keep how *value* is shown."""
        made = super().__new__(cls, value)
        made.percent, made.currency, made.scale, made.zero = percent, currency, scale, zero
        return made


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a column beforehand; *how* says what a person writes, and where, to say it.

    *unit* is that of numbers without one: of an effort, ``share`` or ``percent``, or of amounts ``units``,
    ``thousands`` or ``millions``; *day_s* are the seconds of a working day. *formats* are patterns of
    strptime, ``excel`` for the numbers by which Excel counts days, or ``week``, ``month``, ``quarter``,
    ``half`` or ``year`` for these and any day of one: its first day, or with *is_end* its last; *year* is
    that of those that say none. *currency* is the column's. *longest* bounds an effort in seconds. *zone* is
    that of stamps without one, *home* the one whose civil day counts.
    """

    decimal: DecimalSign | None = None
    order: DayOrder | None = None
    formats: tuple[str, ...] = ()
    unit: Unit | Literal["share", "percent"] | Scale | None = None
    day_s: Decimal = Decimal(25200)
    currency: str | None = None
    longest: int | None = None
    zone: ZoneInfo | None = None
    home: ZoneInfo | None = None
    is_end: bool = False
    year: int | None = None
    how: dict[str, str] = {}


class CellReader:
    """Reads the cells of one column.

    `look` at all of them first where the column is to settle what one leaves open.
    """

    def __init__(self, column: Column, declared: Declared = Declared()) -> None:  # noqa: B008 - frozen
        """Read cells of *column*, of which *declared* is known."""
        self.column, self.declared = column, declared
        self.signs: set[DecimalSign] = set()
        self.orders: set[DayOrder] = set()
        self.above_one = False
        self.minutes = Minutes()
        self.per = next((one for one in _PERIODS if one in declared.formats), None)
        self.open_periods: dict[int | None, dict[tuple[str, ...], set[int]]] = {}
        """Numbers of weeks or months without their year, by that which is said, and by what says it."""
        self._of: dict[str, Callable[[Any], Any]] = {
            "flag": self._flag,
            "integer": self._integer,
            "number": self._float,
            "share": self._share,
            "percent": self._percent,
            "seconds": self._seconds,
            "currency": self._currency,
            "day": self._day,
            "month": self._month,
            "instant": self._instant,
        }

    @property
    def is_settled(self) -> bool:
        """Say whether no cell of the column can be in doubt, so that it need not be looked at beforehand."""
        kind, told = self.column.kind, self.declared
        if kind in _DAYS:
            return self.per is None and bool(told.formats or told.order)
        if kind == "seconds" and told.unit == "hours" and not self.minutes.has_parts:
            return False  # 7.30 may be 7 h 30 up to the first 7.60
        return kind not in _NUMBERS or (
            told.decimal is not None and (kind != "percent" or told.unit is not None)
        )

    def look(self, cell: Any, *, years: Sequence[str] = ()) -> None:
        """Note what *cell* shows of how its column is written; *years* are as those of `value`."""
        if self.per and (named := period_named(cell_text(cell), self.per)):
            if named[1] is None:
                said = self.open_periods.setdefault(year_in(years), {})
                said.setdefault(tuple(years), set()).add(named[0])
        elif self.column.kind in _DAYS and isinstance(cell, str):
            dmy, mdy = day_readings(cell.strip(), clock.now().year)
            if (dmy is None) != (mdy is None):
                self.orders.add("dd/mm" if mdy is None else "mm/dd")
        elif self.column.kind in _NUMBERS:
            self._look_at_number(cell)

    def _look_at_number(self, cell: Any) -> None:
        if self.column.kind == "seconds" and self.declared.unit == "hours":
            self.minutes.look(cell)
        if isinstance(cell, int | float) and not isinstance(cell, bool):
            self.above_one |= abs(cell) > 1 and not getattr(cell, "percent", False)
        elif isinstance(cell, str) and (written := take_apart(cell)):
            found = [one for one in readings(written.body) if one is not None]
            self.above_one |= not written.percent and any(one > 1 for one in found)
            bodies = (
                re.findall(r"[0-9][0-9.,'’\s]*", written.body)
                if self.column.kind == "seconds" and not found
                else [written.body]
            )
            self.signs |= {sign for body in bodies if (sign := settles(body.strip())) is not None}

    def value(
        self, cell: Any, *, currency: str | None = None, scale: int | None = None, years: Sequence[str] = ()
    ) -> Any:
        """Return what *cell* is, None for nothing; *currency* is that of its row.

        *years* are texts that may say the year of a week or a month without one, such as a sheet's name.

        *scale* is what the column's caption says an amount is counted in (1000 for k€); what is declared
        goes before it, and what the cell itself says before that. Raises `CellError` saying what is wrong.
        """
        if isinstance(cell, str):
            cell = cell.strip(BLANKS + "\r\n")
        if cell is None or cell == "":
            return None
        kind = self.column.kind
        if isinstance(cell, str):
            if is_error(cell):
                raise CellError(tr("is an error of the spreadsheet"))
            if (kind in _NUMBERS or kind in _DAYS) and is_nothing(cell):
                return None
        if kind == "minor":
            return self._minor(cell, currency or self.declared.currency, scale)
        if kind == "day" and self.per and (first := self._period(cell, self.per, years)):
            return self._near(first).isoformat()
        if kind == "month" and self.per:
            start = self._period(cell, self.per, years) or self._date(cell)
            return f"{self._near(start):%Y-%m}"
        return self._of[kind](cell) if kind in self._of else cell_text(cell)

    # ---------- numbers ----------

    def _number(
        self, cell: Any, *, percent: bool = False, currency: str | None = None
    ) -> tuple[Decimal, bool]:
        """Return a number, and whether it has a percent sign, before which it stands as it is written."""
        if isinstance(cell, bool) or not isinstance(cell, str | int | float | Decimal):
            raise CellError(tr("is not {shape}", shape=self._like()))
        if isinstance(cell, str):
            return self._written(cell, percent=percent, currency=currency)
        if not math.isfinite(cell):
            raise CellError(tr("is not {shape}", shape=self._like()))
        if isinstance(cell, FormattedNumber):
            self._check_signs(cell.percent and not percent, cell.currency, currency)
            return Decimal(repr(float(cell))) * (100 if cell.percent else 1), cell.percent
        return Decimal(repr(cell)) if isinstance(cell, float) else Decimal(cell), False

    def _written(self, text: str, *, percent: bool, currency: str | None) -> tuple[Decimal, bool]:
        written = take_apart(text)
        if written is None or (written.scale and self.column.kind != "minor"):
            raise CellError(tr("is not {shape}", shape=self._like()))
        self._check_signs(written.percent and not percent, written.currency, currency)
        found = self._decided(written.body)
        return (-found if written.negative and found else found), written.percent

    def _check_signs(self, percent: bool, mark: str | None, currency: str | None) -> None:
        """Refuse a percent sign, and a currency that is not the column's."""
        if percent:
            raise CellError(tr("has a percent sign, and {what} is no percent", what=self._what()))
        if mark and self.column.kind != "minor":
            raise CellError(
                tr("has the currency {mark}, and {what} is no amount", mark=mark, what=self._what())
            )
        if mark and currency is not None and currency.upper() not in currencies_of(mark):
            raise CellError(
                tr(
                    "is in {mark}, and the amount is in {currency}: say the currency of the row, or "
                    "correct the cell",
                    mark=mark,
                    currency=currency,
                )
            )

    def _decided(self, body: str) -> Decimal:
        """Return a number by the decimal sign that is declared, or shown by the cell or by its column."""
        dot, comma = readings(body)
        found = {one for one in (dot, comma) if one is not None}
        if not found:
            raise CellError(tr("is not {shape}", shape=self._like()))
        if self.declared.decimal is not None:
            one = dot if self.declared.decimal == "." else comma
            if one is None:
                raise CellError(
                    tr(
                        "is not a number with the decimal sign {decimal!r}, which is declared",
                        decimal=self.declared.decimal,
                    )
                )
            return one
        if len(found) == 1:
            return found.pop()
        if len(self.signs) != 1:
            raise CellError(tr("could be a thousand or a fraction: {how}", how=self._how("decimal")))
        return (dot if "." in self.signs else comma) or Decimal(0)

    def _integer(self, cell: Any) -> int:
        found, _ = self._number(cell)
        if found != found.to_integral_value():
            raise CellError(tr("is not a whole number"))
        return int(self._in_range(found))

    def _float(self, cell: Any) -> float:
        found, _ = self._number(cell)
        return self._real(found)

    def _share(self, cell: Any) -> float:
        found, percent = self._number(cell, percent=True)
        return self._real(found / 100 if percent or self.declared.unit == "percent" else found)

    def _percent(self, cell: Any) -> float:
        found, percent = self._number(cell, percent=True)
        if percent or self.declared.unit == "percent":
            return self._real(found)
        if self.declared.unit == "share":
            return self._real(found * 100)
        if 0 < found <= 1 and not self.above_one:
            raise CellError(
                tr(
                    "could be a share or a percent, and no number of its column is above 1: {how}",
                    how=self._how("unit"),
                )
            )
        return self._real(found)

    def _real(self, found: Decimal) -> float:
        value = float(self._in_range(found))
        if not math.isfinite(value):
            raise CellError(tr("is too large"))
        return value

    def _minor(self, cell: Any, currency: str | None, scale: int | None) -> int:
        found, _ = self._number(cell, currency=currency)
        written = take_apart(cell) if isinstance(cell, str) else None
        own = written.scale if written else getattr(cell, "scale", None)
        return self._whole(found * (own or SCALE_UNITS.get(self.declared.unit) or scale or 1) * 100)

    def _whole(self, found: Decimal) -> int:
        return int(self._in_range(found).quantize(Decimal(1), rounding=ROUND_HALF_UP))

    def _in_range(self, found: Decimal) -> Decimal:
        column = self.column
        if (
            (column.low is not None and found < Decimal(repr(column.low)))
            or (column.above is not None and found <= Decimal(repr(column.above)))
            or (column.high is not None and found > Decimal(repr(column.high)))
        ):
            raise CellError(tr("is not {span}", span=self._span()))
        if abs(found) > _LARGEST:
            raise CellError(tr("is too large"))
        return found

    def _span(self) -> str:
        """Return the range of the column, in what a person writes."""
        column, size = self.column, _SIZES.get(self.column.kind, 1)
        unit = (
            tr(" hours")
            if column.kind == "seconds"
            else tr(" (write 0,3 or 30 %)")
            if column.kind == "share"
            else ""
        )
        if column.low is not None and column.high is not None:
            return tr(
                "between {low:g} and {high:g}{unit}",
                low=column.low / size,
                high=column.high / size,
                unit=unit,
            )
        ends = [
            f"{word} {end / size:g}"
            for word, end in (
                (tr("at least"), column.low),
                (tr("above"), column.above),
                (tr("at most"), column.high),
            )
            if end is not None
        ]
        return enumerated(ends) + unit

    # ---------- efforts ----------

    def _seconds(self, cell: Any) -> int:
        if isinstance(cell, datetime):  # a duration above a day that Excel shows as a time
            cell = elapsed(cell) or cell
        if isinstance(cell, timedelta):
            found = Decimal(cell.days) * DAY_S + cell.seconds + Decimal(cell.microseconds) / 1_000_000
        elif isinstance(cell, time):
            found = Decimal(cell.hour * 3600 + cell.minute * 60 + cell.second)
        else:
            found = self._effort(cell)
        seconds = self._whole(found)
        if self.declared.longest is not None and abs(seconds) > self.declared.longest:
            raise CellError(
                tr("is more than {longest} hours on one day", longest=self.declared.longest // 3600)
            )
        return seconds

    def _effort(self, cell: Any) -> Decimal:
        unit, day_s = self.declared.unit or "seconds", self.declared.day_s
        assert unit not in {"share", "percent", *SCALE_UNITS}
        unit = cast("Unit", unit)
        if isinstance(cell, str):
            written = take_apart(cell)
            if written is None or written.scale:
                raise CellError(tr("is not {shape}", shape=self._like()))
            self._check_signs(written.percent, written.currency, None)
            if readings(written.body) == (None, None):
                plain: Unit = "hours" if unit == "clock" else unit
                found = seconds_of(written.body, plain, day_s, self._decided)
                if found is None:
                    raise CellError(tr("is not {shape}", shape=self._like()))
                return -found if written.negative else found
        if unit == "iso":
            raise CellError(tr("is no duration of ISO 8601 such as PT1H30M"))
        number, _ = self._number(cell)
        if unit == "clock" or (unit == "hours" and self.minutes.are in {"minutes", "asked"}):
            number = self._clocked(number, cell, is_sure=unit == "clock" or self.minutes.are == "minutes")
        return number * factor(unit, day_s)

    def _clocked(self, number: Decimal, cell: Any, *, is_sure: bool) -> Decimal:
        """Return hours whose decimals are minutes: 7.30 is 7 h 30."""
        whole, rest = divmod(abs(number), 1)
        minutes = rest * 100
        written = re.search(r"[.,]([0-9]+)\D*$", cell) if isinstance(cell, str) else None
        if rest and (not is_sure or minutes > 59 or minutes % 1 or (written and len(written[1]) != 2)):
            raise CellError(
                tr(
                    "may be hours and minutes or a part of an hour: write it as 7:30, or say unit in the "
                    "mapping"
                )
            )
        return (whole + minutes / 60).copy_sign(number)

    # ---------- days ----------

    def _day(self, cell: Any) -> str:
        return self._near(self._date(cell)).isoformat()

    def _month(self, cell: Any) -> str:
        found = month_of(cell_text(cell), clock.now().year) if isinstance(cell, str | int | float) else None
        return f"{self._near(found or self._date(cell)):%Y-%m}"

    def _instant(self, cell: Any) -> str:
        moment = self._moment(cell)
        if moment is None:
            return f"{self._near(self._date(cell)).isoformat()}T00:00:00Z"
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self.declared.zone or UTC)
        self._near(moment.date())
        try:
            return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        except OverflowError as exc:
            raise CellError(tr("is not a date that a calendar has")) from exc

    def _moment(self, cell: Any) -> datetime | None:
        """Return the stamp that *cell* is, if it says a time of day."""
        found: datetime | None
        if isinstance(cell, datetime):
            found = cell
        elif isinstance(cell, str) and self.declared.formats:
            found = next(
                (one for one in (by_format(cell, form) for form in self.declared.formats) if one), None
            )
        else:
            found = self._stamped(cell_text(cell)) if isinstance(cell, str) else None
        return found if found and (found.tzinfo or found.time() != time(0)) else None

    def _date(self, cell: Any) -> date:
        found = self._plain_date(cell)
        return self._edge(found, self.per) if self.per else found

    def _period(self, cell: Any, per: Per, years: Sequence[str]) -> date | None:
        """Return the first or the last day of the period that *cell* names, None where it names none."""
        named = None if isinstance(cell, date) else period_named(cell_text(cell), per)
        if named is None:
            return None
        number, year = named
        if year is None:
            year = self._year_of(per, years)
        try:
            return self._edge(first_of(number, year, per), per)
        except ValueError as exc:
            raise CellError(tr("is not a week of its year")) from exc

    def _year_of(self, per: Per, years: Sequence[str]) -> int:
        """Return the year of periods without one; over the end of a year they leave it open."""
        if self.declared.year:
            return self.declared.year
        year = year_in(years)
        if _may_go_over([*self.open_periods.get(year, {}).values()], PARTS[per] / 2):
            raise CellError(
                tr("says no year, and its column may go over the end of one: write it as 2026-W41 or "
                   "2026-10, or say year in the mapping where all are of one")
            )  # fmt: skip
        if year is None:
            raise CellError(
                tr("says no year, nor do the names of file and sheet: say year in the mapping, or write it "
                   "as 2026-W41 or 2026-10")
            )  # fmt: skip
        return year

    def _edge(self, day: date, per: Per) -> date:
        """Return the first day of the period of *day*, or where it is the end that is asked the last."""
        return span_of(day, per)[self.declared.is_end]

    def _plain_date(self, cell: Any) -> date:
        if isinstance(cell, datetime):
            return self._at_home(cell)
        if isinstance(cell, date):
            return cell
        if (
            isinstance(cell, bool)
            or not isinstance(cell, str | int | float)
            or (isinstance(cell, float) and not math.isfinite(cell))
        ):
            raise CellError(tr("is not {shape}", shape=self._like()))
        if "excel" in self.declared.formats and isinstance(cell, int | float) and abs(cell) < 1e6:
            return day_of(cell, getattr(cell, "zero", SERIAL_ZERO))
        text = cell_text(cell)
        if "excel" in self.declared.formats and _SERIAL.fullmatch(text):
            return day_of(int(text.replace(",", ".").partition(".")[0]))
        if patterns := [one for one in self.declared.formats if one not in _PERIODS]:
            for pattern in patterns:
                if found := by_format(text, pattern):
                    return self._at_home(found)
            raise CellError(tr("is not a date like {patterns}", patterns=", ".join(patterns)))
        if moment := self._stamped(text):
            return self._at_home(moment)
        return self._ordered(text)

    def _stamped(self, text: str) -> datetime | None:
        """Return the moment that a text says, of ISO 8601 or as people write days and times."""
        if moment := moment_of(text):
            return moment
        try:
            clock_time = time_in(text)
        except ValueError as exc:
            raise CellError(tr("is not {shape}", shape=self._like())) from exc
        return datetime.combine(self._ordered(text), clock_time) if clock_time else None

    def _at_home(self, moment: datetime) -> date:
        """Return the civil day of a stamp: as it is written, or in the zone *home* where one is declared."""
        home = self.declared.home
        if home is None or (moment.tzinfo is None and self.declared.zone in {None, home}):
            return moment.date()
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self.declared.zone)
        return moment.astimezone(home).date()

    def _ordered(self, text: str) -> date:
        dmy, mdy = day_readings(text, clock.now().year)
        found = {one for one in (dmy, mdy) if one is not None}
        order = self.declared.order or (next(iter(self.orders)) if len(self.orders) == 1 else None)
        if not found:
            raise CellError(tr("is not {shape}", shape=self._like()))
        if self.declared.order is not None:
            one = dmy if order == "dd/mm" else mdy
            if one is None:
                raise CellError(tr("is not a date written {order}, which is declared", order=order))
            return one
        if len(found) == 1:
            return found.pop()
        if order is None:
            raise CellError(
                tr(
                    "could be the {dmy:%d/%m} or the {mdy:%d/%m}: {how}",
                    dmy=dmy,
                    mdy=mdy,
                    how=self._how("order"),
                )
            )
        one = dmy if order == "dd/mm" else mdy
        assert one is not None
        return one

    def _near(self, found: date) -> date:
        years, now = self.column.years, clock.now().year
        if years is not None and abs(found.year - now) > years:
            raise CellError(
                tr("is not between the years {first} and {last}", first=now - years, last=now + years)
            )
        return found

    # ---------- words ----------

    def _flag(self, cell: Any) -> bool:
        word = cell_text(cell).casefold()
        if word in YES or word in NO:
            return word in YES
        raise CellError(tr("is neither yes nor no"))

    def _currency(self, cell: Any) -> str:
        found = currencies_of(cell_text(cell))
        if len(found) != 1:
            raise CellError(tr("is not the code of a currency such as EUR"))
        return next(iter(found))

    def _like(self) -> str:
        if self.column.kind == "seconds" and self.declared.unit == "iso":
            return tr("a duration of ISO 8601 such as PT1H30M")
        return tr(_LIKE[self.column.kind]) if self.column.kind in _LIKE else tr("a number")

    def _what(self) -> str:
        return {"minor": tr("an amount"), "seconds": tr("an effort"), "integer": tr("a whole number")}.get(
            self.column.kind, tr("a number")
        )

    def _how(self, what: str) -> str:
        default = {
            "decimal": tr("write it without separators of thousands, or with two decimals"),
            "order": tr("write it as 2026-10-31"),
            "unit": tr("write it with a percent sign"),
        }
        return tr(self.declared.how[what]) if what in self.declared.how else default[what]


def _may_go_over(parts: list[set[int]], most: float) -> bool:
    """Say whether numbers of weeks or months of *parts*, such as sheets, may go on in the next year.

    They do where more than half a year is missing between two of them; but a sheet of January before one of
    December is no end of a year.
    """
    if any(_has_gap(one, most) for one in parts):
        return True
    ascend = all(max(one) <= min(later) + 1 for one, later in itertools.pairwise(parts))
    return not ascend and _has_gap(set().union(*parts), most)


def _has_gap(numbers: set[int], most: float) -> bool:
    return any(later - one > most for one, later in itertools.pairwise(sorted(numbers)))


def is_nothing(cell: Any) -> bool:
    """Say whether *cell* is empty, or what people write where there is no figure: a dash, n/a."""
    return cell is None or (isinstance(cell, str) and (not cell or _bare(cell) in _NOTHING | {""}))


def _bare(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip(BLANKS + "\r\n")).casefold()


def is_error(text: str) -> bool:
    """Say whether *text* is what a spreadsheet shows where a formula failed, in English or French."""
    return _ERROR.fullmatch(text) is not None


def cell_text(cell: Any) -> str:
    """Return a cell as the text a person sees: 3.0 is 3, a midnight is a date, nothing is ''."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time(0) else cell.isoformat(sep=" ")
    text = " ".join(str(cell).split())
    return text if text.isascii() else unicodedata.normalize("NFC", text)

"""How a cell becomes a value: one rule for the files of config/, for tables and for the texts of a tool."""

from hub.cells.days import day_readings, weekdays_among
from hub.cells.durations import unit_of
from hub.cells.numbers import CURRENCIES, DecimalSign, caption_currency, currencies_of, scale_of
from hub.cells.periods import names_days, names_period, period_named, periods_of, span_of, year_in
from hub.cells.reader import RULES, CellReader, Declared, FormattedNumber, cell_text, is_error, is_nothing
from hub.cells.serials import SERIAL_ZERO, SERIAL_ZERO_1904, day_of, elapsed, near_day, serial_of

__all__ = [
    "CURRENCIES",
    "RULES",
    "SERIAL_ZERO",
    "SERIAL_ZERO_1904",
    "CellReader",
    "DecimalSign",
    "Declared",
    "FormattedNumber",
    "caption_currency",
    "cell_text",
    "currencies_of",
    "day_of",
    "day_readings",
    "elapsed",
    "is_error",
    "is_nothing",
    "names_days",
    "names_period",
    "near_day",
    "period_named",
    "periods_of",
    "scale_of",
    "serial_of",
    "span_of",
    "unit_of",
    "weekdays_among",
    "year_in",
]

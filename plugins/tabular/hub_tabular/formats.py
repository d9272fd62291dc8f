"""What the number format of a cell says: that a number is a percent, money, or counted in thousands.

Source: ECMA-376 part 1, 18.8.30 (numFmt); XLS and XLSB write the same codes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

import msgspec

from hub import SERIAL_ZERO, FormattedNumber, currencies_of, scale_of

_PERCENT = {9, 10}
"""The formats that every workbook knows: 0% and 0.00%."""
_FIRST_OWN = 164
_LITERAL = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_CURRENCY = re.compile(r'\[\$([^\]\-]+)[^\]]*\]|"\s*([^"]+?)\s*"|([€$£¥₽₺₪₹₩])')
_THOUSANDTHS = re.compile(r"[0#?],+(?![0#?,])")


class Shown(msgspec.Struct, frozen=True):
    """How a number is shown, and how far a text is indented."""

    percent: bool = False
    currency: str | None = None
    scale: int | None = None
    indent: int = 0

    def of(self, value: float, zero: date = SERIAL_ZERO) -> FormattedNumber:
        """Return *value* with it, in a workbook that counts days from *zero*."""
        return FormattedNumber(
            value, percent=self.percent, currency=self.currency, scale=self.scale, zero=zero
        )


def shown_by(codes: Mapping[int, str]) -> dict[int, Shown]:
    """Return the formats that show a percent, money or thousands, by their number; *codes* are the book's."""
    shown = {number: Shown(percent=True) for number in _PERCENT}
    for number, whole in codes.items():
        code = whole.split(";")[0]
        if "%" in _LITERAL.sub("", code):
            shown[number] = Shown(percent=True)
        elif number >= _FIRST_OWN:
            marks = [part.strip() for match in _CURRENCY.findall(code) for part in match if part]
            mark = next((one for one in marks if currencies_of(one)), None)
            # a comma behind the last digit divides by a thousand what is shown: the number itself is whole
            if _THOUSANDTHS.search(_LITERAL.sub("", code)):
                scale: int | None = 1
            else:
                scale = next((found for one in marks if (found := scale_of(one))), None)
            if mark or scale:
                shown[number] = Shown(currency=mark, scale=scale)
    return shown

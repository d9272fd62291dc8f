"""Which numbers of a workbook are shown as percents or as amounts of a currency.

The reader of workbooks does not say.

Sources: ECMA-376 part 1, 18.8.30 (numFmt) and 18.3.1.4 (c); OpenDocument 1.3 part 3, office:value-type.
XLS and XLSB keep their formats in binary records, which are not read: there a number is only a number.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree  # the workbook was read whole by another reader before

import msgspec

from hub import FormattedNumber, currencies_of

_PERCENT = {9, 10}
"""The formats that every workbook knows: 0% and 0.00%."""
_FIRST_OWN = 164
_LITERAL = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_CURRENCY = re.compile(r'\[\$([^\]\-]+)[^\]]*\]|"\s*([^"]+?)\s*"|([€$£¥₽₺₪₹₩])')
_CELL = re.compile(r"([A-Z]+)([0-9]+)")


class Shown(msgspec.Struct, frozen=True):
    """How a number is shown."""

    percent: bool = False
    currency: str | None = None

    def of(self, value: float) -> FormattedNumber:
        """Return *value* with it."""
        return FormattedNumber(value, percent=self.percent, currency=self.currency)


def formats(path: Path, sheet: str) -> dict[tuple[int, int], Shown]:
    """Return the cells of *sheet*, by row and column from 0, that are shown as percents or as money."""
    find: Callable[[zipfile.ZipFile, str], Iterator[tuple[tuple[int, int], Shown]]] | None
    find = {".xlsx": _of_xlsx, ".xlsm": _of_xlsx, ".ods": _of_ods}.get(path.suffix.lower())
    if find is None:
        return {}
    try:
        with zipfile.ZipFile(path) as book:
            return dict(find(book, sheet))
    except (KeyError, ValueError, zipfile.BadZipFile, ElementTree.ParseError):
        return {}  # the reader of workbooks understood it in another way: its numbers are only numbers


def _of_xlsx(book: zipfile.ZipFile, sheet: str) -> Iterator[tuple[tuple[int, int], Shown]]:
    styles = _styles(book)
    if not styles:
        return
    row = column = -1
    with book.open(_part(book, sheet)) as file:
        for event, one in _elements(file, {"row", "c"}):
            name = _local(one.tag)
            if event == "start" and name == "row":
                row, column = int(one.get("r") or row + 2) - 1, -1
            elif event == "start":
                match = _CELL.fullmatch(one.get("r") or "")
                column = _number(match[1]) if match else column + 1
                if found := styles.get(int(one.get("s") or 0)):
                    yield (row, column), found


def _styles(book: zipfile.ZipFile) -> dict[int, Shown]:
    """Return the styles of cells that show a percent or money, by their number."""
    if "xl/styles.xml" not in book.namelist():
        return {}
    root = _tree(book, "xl/styles.xml")
    shown = {number: Shown(percent=True) for number in _PERCENT}
    for one in _all(root, "numFmt"):
        number, code = int(one.get("numFmtId") or 0), (one.get("formatCode") or "").split(";")[0]
        if "%" in _LITERAL.sub("", code):
            shown[number] = Shown(percent=True)
        elif number >= _FIRST_OWN:
            marks = [part.strip() for match in _CURRENCY.findall(code) for part in match if part]
            if mark := next((one for one in marks if currencies_of(one)), None):
                shown[number] = Shown(currency=mark)
    cells = next(iter(_all(root, "cellXfs")), None)
    return {
        number: shown[int(one.get("numFmtId") or 0)]
        for number, one in enumerate(cells if cells is not None else ())
        if int(one.get("numFmtId") or 0) in shown
    }


def _part(book: zipfile.ZipFile, sheet: str) -> str:
    """Return the path of a sheet inside the workbook."""
    wanted = next(one for one in _all(_tree(book, "xl/workbook.xml"), "sheet") if one.get("name") == sheet)
    key = next(value for name, value in wanted.attrib.items() if _local(name) == "id" and "}" in name)
    relations = _all(_tree(book, "xl/_rels/workbook.xml.rels"), "Relationship")
    target = next(one.get("Target") or "" for one in relations if one.get("Id") == key)
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _of_ods(book: zipfile.ZipFile, sheet: str) -> Iterator[tuple[tuple[int, int], Shown]]:
    inside, row, height, column = False, -1, 0, 0
    with book.open("content.xml") as file:
        for event, one in _elements(file, {"table", "table-row", "table-cell", "covered-table-cell"}):
            name = _local(one.tag)
            if name == "table":
                inside = event == "start" and _attribute(one, "name") == sheet
            elif not inside or event == "end":
                continue
            elif name == "table-row":
                row, column = row + max(height, 1), 0
                height = int(_attribute(one, "number-rows-repeated") or 1)
            else:
                width = int(_attribute(one, "number-columns-repeated") or 1)
                kind = _attribute(one, "value-type")
                if kind in {"percentage", "currency"}:
                    mark = _attribute(one, "currency") if kind == "currency" else None
                    for place in range(row, row + min(height, 10_000)):
                        for at in range(column, column + min(width, 2_000)):
                            yield (place, at), Shown(percent=kind == "percentage", currency=mark)
                column += width


def _elements(file: IO[bytes], names: set[str]) -> Iterator[tuple[str, Any]]:
    """Return the elements of these names as they begin and end, and keep none of them."""
    for event, one in ElementTree.iterparse(file, events=("start", "end")):  # noqa: S314 - see the import
        if _local(one.tag) in names:
            yield event, one
        if event == "end":
            one.clear()


def _tree(book: zipfile.ZipFile, name: str) -> Any:
    return ElementTree.fromstring(book.read(name))  # noqa: S314 - see the import


def _all(root: Any, name: str) -> list[Any]:
    return [one for one in root.iter() if _local(one.tag) == name]


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _attribute(one: Any, name: str) -> str | None:
    return next((value for key, value in one.attrib.items() if _local(key) == name), None)


def _number(letters: str) -> int:
    found = 0
    for letter in letters:
        found = found * 26 + ord(letter) - 64
    return found - 1

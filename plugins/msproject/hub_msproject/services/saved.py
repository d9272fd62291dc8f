"""Entity sets that were saved to files: OData JSON, CSV of PowerShell or of a spreadsheet, Atom."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree as ET
from xml.parsers import expat

import msgspec

from hub import CellError, CellReader, Declared, SourceDataError, Task, columns_of, text_as_written, tr
from hub_msproject.files.schedule import when
from hub_msproject.services.projectdata import Kind

_PROPERTIES = "{http://schemas.microsoft.com/ado/2007/08/dataservices/metadata}properties"
_NULL = "{http://schemas.microsoft.com/ado/2007/08/dataservices/metadata}null"
_COUNT = "{http://schemas.microsoft.com/ado/2007/08/dataservices/metadata}count"
_DATA = "{http://schemas.microsoft.com/ado/2007/08/dataservices}"
_ATOM = "{http://www.w3.org/2005/Atom}"
_ROOTS = {f"{_ATOM}feed", f"{_ATOM}entry"}
_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_TYPE = "#TYPE "
"""How PowerShell's Export-Csv begins a file."""
_MOMENT = re.compile(r"(\S+)\s+(\d{1,2}):(\d\d)(?::(\d\d))?(?:\.\d+)?\s*([AaPp])?\.?[Mm]?\.?")
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ].*)?|/Date\(.*")
_YEAR = re.compile(r"\d{4}")
_NUMBER, _DAY = columns_of(Task)["points"], columns_of(Task)["due_on"]


class Pages(msgspec.Struct):
    """What the pages of an entity set say of themselves: how many go on, how many end, what is counted."""

    going_on: int = 0
    ending: int = 0
    count: int = 0

    def lack(self, name: str, rows: int) -> str | None:
        """Say what speaks against *rows* being all of the entity set *name*."""
        if self.going_on and not self.ending:
            return tr("the last page of {name} announces another one, which was not saved.", name=name)
        if self.count > rows:
            return tr(
                "the service counted {count} {count:row|rows} of {name}, and {rows} {rows:was|were} saved.",
                count=self.count, name=name, rows=rows,
            )  # fmt: skip
        return None

    def page(self, following: Any, count: Any) -> None:
        """Note a page: whether another one follows it, and what it counts."""
        if following:
            self.going_on += 1
        else:
            self.ending += 1
        if str(count).isdigit():
            self.count = max(self.count, int(count))


def raw_rows(
    path: Path, columns: Mapping[str, Kind], needed: Iterable[str], pages: Pages
) -> Iterator[dict[str, Any]]:
    """Return the rows of a file, and note in *pages* what it says of itself; cells of *columns* have kinds.

    Raises `SourceDataError` for one that is damaged or of another form. A cell of CSV that cannot be read is
    a `CellError` in its place.
    """
    try:
        if path.suffix.lower() == ".json":
            yield from _json_rows(path, columns, needed, pages)
        elif path.suffix.lower() == ".csv":
            pages.ending += 1
            yield from _csv_rows(path, columns, needed)
        else:
            yield from _atom_rows(path, pages)
    except (UnicodeError, json.JSONDecodeError, ET.ParseError, csv.Error) as exc:
        raise SourceDataError(tr("{name} is damaged or cut: {error}.", name=path.name, error=exc)) from exc
    except OSError as exc:
        raise SourceDataError(
            tr("{name} cannot be read: {reason}.", name=path.name, reason=exc.strerror)
        ) from exc


def _text(path: Path) -> str:
    """Return a text as PowerShell writes it: a table also in the encoding of Windows (``-Encoding Default``).

    Raises UnicodeError for one that ends in the middle of a character.
    """
    raw = path.read_bytes()
    if path.suffix.lower() == ".csv" or raw.startswith(_MARKS):
        return text_as_written(raw)
    return raw.decode("utf-8-sig")


# ---------- JSON ----------


def _json_rows(
    path: Path, columns: Mapping[str, Kind], needed: Iterable[str], pages: Pages
) -> Iterator[dict[str, Any]]:
    """Read a list, ``{"value": …}``, ``{"d": {"results": …}}``, or several such pages in a list."""
    todo = [json.loads(_text(path))]
    while todo:
        found = todo.pop(0)
        if isinstance(found, dict) and ("value" in found or "d" in found or "results" in found):
            body = found.get("d", found)
            if isinstance(body, list):
                body = {"results": body}
            if not isinstance(body, dict):
                raise SourceDataError(tr("{name} holds no list of rows.", name=path.name))
            following = next((body[key] for key in body if key.endswith(("nextLink", "__next"))), None)
            counted = next((body[key] for key in body if key.endswith((".count", "__count"))), None)
            pages.page(following, counted)
            yield from _listed(path, body.get("value", body.get("results")))
        elif isinstance(found, list):
            if found and all(isinstance(one, dict) and ({"value", "d"} & one.keys()) for one in found):
                todo = found + todo
            else:
                pages.ending += 1
                yield from _listed(path, found)
        elif isinstance(found, dict) and columns and set(needed) <= found.keys():
            pages.ending += 1
            yield found  # ConvertTo-Json makes no list of one row
        else:
            raise SourceDataError(tr("{name} holds no list of rows.", name=path.name))


def _listed(path: Path, found: Any) -> Iterator[dict[str, Any]]:
    if not isinstance(found, list):
        raise SourceDataError(tr("{name} holds no list of rows.", name=path.name))
    for row in found:
        if not isinstance(row, dict):
            raise SourceDataError(
                tr("{name} holds {row!r:.60} where a row was expected.", name=path.name, row=row)
            )
        yield row


# ---------- CSV ----------


def _csv_rows(path: Path, columns: Mapping[str, Kind], needed: Iterable[str]) -> Iterator[dict[str, Any]]:
    text = _text(path)
    skipped = 0
    if text.startswith(_TYPE):
        text, skipped = text.partition("\n")[2], 1
    head = text.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    if lacking := sorted(set(needed) - set(rows.fieldnames or ())):
        raise SourceDataError(
            tr(
                "{name} has no {lacking}; it has {columns}.",
                name=path.name,
                lacking=", ".join(lacking),
                columns=", ".join(rows.fieldnames or ())[:200],
            )
        )
    found = []
    written = Written({name: kind for name, kind in columns.items() if name in (rows.fieldnames or ())})
    for number, row in enumerate(rows, 2 + skipped):
        if None in row or None in row.values():
            raise SourceDataError(
                tr(
                    "{name}, line {number}: it has another number of cells than the head.",
                    name=path.name,
                    number=number,
                )
            )
        written.look(row)
        found.append(row)
    for row in found:
        yield written.read(row)


class Written:
    """How a table writes its numbers and dates: what one cell leaves open, the others of the table settle."""

    def __init__(self, columns: Mapping[str, Kind]) -> None:
        """Read the cells of *columns*."""
        self.numbers = [name for name, kind in columns.items() if kind == "number"]
        self.dates = [name for name, kind in columns.items() if kind in {"date", "moment"}]
        how = {
            "decimal": tr("write numbers in the export without marks of thousands"),
            "order": tr("write dates in the export with the year first"),
        }
        self.number, self.day = (CellReader(one, Declared(how=how)) for one in (_NUMBER, _DAY))

    def look(self, row: Mapping[str, str]) -> None:
        """Note what a row shows of how its table is written."""
        for name in self.numbers:
            self.number.look(row[name])
        for name in self.dates:
            if not _ISO.fullmatch(row[name]):
                self.day.look(row[name].partition(" ")[0])

    def read(self, row: Mapping[str, str]) -> dict[str, Any]:
        """Return a row with its numbers and dates in one form."""
        found: dict[str, Any] = dict(row)
        if not self.number.signs and self.day.orders == {"mm/dd"}:
            self.number.signs = {"."}  # who writes the month first writes 1,234 for a thousand and more
        for name in self.numbers:
            found[name] = self._of(self.number, row[name])
        for name in self.dates:
            if not _ISO.fullmatch(row[name]):
                found[name] = self._moment(row[name])
        return found

    def _of(self, reader: CellReader, cell: str) -> Any:
        try:
            return reader.value(cell)
        except CellError as exc:
            return exc

    def _moment(self, cell: str) -> Any:
        if (year := _YEAR.search(cell)) and not when(year[0]):
            return None
        match = _MOMENT.fullmatch(cell.strip())
        if match is None:
            day = self._of(self.day, cell)
            return f"{day}T00:00:00" if isinstance(day, str) else day
        day = self._of(self.day, match[1])
        if not isinstance(day, str):
            return day
        hour = int(match[2]) % 12 + 12 * (match[5] in {"p", "P"}) if match[5] else int(match[2])
        return f"{day}T{hour:02}:{match[3]}:{match[4] or '00'}"


# ---------- Atom ----------


def _atom_rows(path: Path, pages: Pages) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        _refuse_dtd(file, path.name)
        file.seek(0)
        root, following, counted = "", None, None
        for event, element in ET.iterparse(file, events=("start", "end")):  # noqa: S314 - no DTD gets here
            root = root or element.tag
            if root not in _ROOTS:
                raise SourceDataError(
                    tr("{name} is no feed of OData: it begins with {root}.", name=path.name, root=root)
                )
            if event == "end" and element.tag == f"{_ATOM}link" and element.get("rel") == "next":
                following = element.get("href")
            elif event == "end" and element.tag == _COUNT:
                counted = element.text
            elif event == "end" and element.tag == _PROPERTIES:
                yield {
                    child.tag.removeprefix(_DATA): None if child.get(_NULL) == "true" else child.text
                    for child in element
                }
                element.clear()
        pages.page(following, counted)


class _Begun(Exception):
    """The document proper has begun: a DTD would have come before it."""


def _refuse_dtd(file: IO[bytes], name: str) -> None:
    def doctype(*_: object) -> None:
        raise SourceDataError(
            tr("{name} carries a DTD, which OData never writes: it is refused for safety.", name=name)
        )

    def begun(*_: object) -> None:
        raise _Begun

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler, parser.StartElementHandler = doctype, begun
    try:
        while block := file.read(1 << 16):
            parser.Parse(block)
        parser.Parse(b"", True)
    except _Begun:
        return
    except expat.ExpatError as exc:
        raise SourceDataError(tr("{name} is no XML: {error}.", name=name, error=exc)) from exc

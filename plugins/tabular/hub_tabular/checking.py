"""Show the first rows of files as the hub will take them, and say what about them is hardly plausible."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import islice
from typing import Any

from hub import Check, Context, Record, SourceDataError, Worklog, columns_of, storable, too_many, tr, trn
from hub_tabular.mapping import Mapping
from hub_tabular.reading import FileReading, Judge

MOST_ROWS = 50_000
"""Rows that are looked at, of all files; a person waits for the answer."""
_SHOWN, _WIDE = 5, 28
_LONG_S = 16 * 3600
_MUCH = 0.2
_FAR_DAYS = 2 * 366
_MONEY = re.compile(r"(?i)montant|amount|cost|co[uû]t|price|prix|rate|taux|€|\$|eur\b|usd\b")


def check_rows(
    ctx: Context,
    readings: Iterable[FileReading],
    mapping: Mapping,
    cls: type[Record],
    *,
    source: str,
    max_rejected: float,
) -> Iterator[Check]:
    """Yield what is wrong with each file, its first rows as they will be taken, and what is not plausible."""
    taken = files = 0
    shown: tuple[str, list[Record]] | None = None
    found: list[Record] = []
    for reading in readings:
        name = storable(reading.path.name)
        try:
            if taken >= MOST_ROWS:
                list(reading.table.headings())
                continue
            with ctx.reading(name):
                judge = Judge(
                    reading, identity=name, prefix="", owners=None, known_as=str, cls=cls, source=source
                )
                judged = judge.judge()
                mine = [
                    record
                    for records in islice(judge.records(judged), MOST_ROWS)
                    for record in records
                    if isinstance(record, cls)
                ]
        except SourceDataError as exc:
            yield Check(name=name, state="failed", detail=str(exc))
            continue
        finally:
            reading.table.forget()
        seen = judged.taken + judged.rejected
        if judged.rejected:
            first = "; ".join(one.sentence for one in ctx.rejections[name][:3])
            many = too_many(judged.rejected, seen + reading.table.skipped.total(), max_rejected)
            yield Check(
                name=name,
                state="failed" if many else "warning",
                detail=trn(
                    "{rejected} of {n} row cannot be taken",
                    "{rejected} of {n} rows cannot be taken",
                    seen,
                    rejected=judged.rejected,
                )
                + (tr(", so that nothing of the file is") if many else "")
                + tr(". The first: {first}", first=first),
            )
        for what in [*reading.table.missing, *judge.twice(), *(judge.sums.missing if judge.sums else ())]:
            yield Check(name=name, state="warning", detail=what)
        for note in dict.fromkeys(reading.table.notes):
            yield Check(name=name, state="ok", detail=note)
        taken, files = taken + judged.taken, files + 1
        found += mine
        shown = shown or ((name, mine[:_SHOWN]) if mine else None)
    if shown is None:
        if files:
            yield Check(name="rows", state="warning", detail=tr("no row of any file is taken"))
        return
    name, rows = shown
    table = "\n".join(_table(rows, [*mapping.fields], cls, source))
    yield Check(
        name="rows",
        state="ok",
        detail=tr(
            "{taken} {taken:row|rows} of {files} {files:file|files} {taken:is|are} taken; the first of "
            "{name}, as the hub takes them:\n",
            taken=taken,
            files=files,
            name=name,
        )
        + table,
    )
    for doubt in _doubts(found, mapping, today=ctx.now().date()):
        yield Check(name="plausible", state="warning", detail=doubt)


def _table(rows: Sequence[Record], fields: list[str], cls: type[Record], source: str) -> Iterator[str]:
    """Yield the lines of a small table, a column a field; what the terminal has no room for stands below."""
    names = [name for name in cls.__struct_fields__ if name in fields or name == "finish_on"]
    names = [name for name in names if any(getattr(row, name) is not None for row in rows)]
    kinds = {name: columns_of(cls)[name].kind for name in names}
    cells = [names, *([_shown(getattr(row, name), kinds[name], source) for name in names] for row in rows)]
    widths = [min(_WIDE, max(len(line[at]) for line in cells)) for at in range(len(names))]
    room = shutil.get_terminal_size((160, 24)).columns - 4
    first = 0
    while first < len(names):
        last = first + 1
        while last < len(names) and sum(widths[first : last + 1]) + 2 * (last - first) <= room:
            last += 1
        for line in cells:
            fitted = (
                (text if len(text) <= _WIDE else text[: _WIDE - 1] + "…").ljust(width)
                for text, width in zip(line[first:last], widths[first:last], strict=True)
            )
            yield "    " + "  ".join(fitted).rstrip()
        first = last


def _shown(value: Any, kind: str, source: str) -> str:
    if value is None:
        return ""
    if kind == "seconds":
        return f"{value / 3600:g} h"
    if kind == "minor":
        return f"{value / 100:.2f}"
    return " ".join(str(value).removeprefix(f"{source}:").split())


def _doubts(found: list[Record], mapping: Mapping, *, today: date) -> Iterator[str]:
    """Yield what is hardly meant so."""
    days = [
        day
        for record in found
        for name in ("day", "start_on", "due_on", "planned_start_on", "month")
        if (day := _day(getattr(record, name, None)))
    ]
    far = [day for day in days if abs(day - today) > timedelta(days=_FAR_DAYS)]
    if far:
        yield tr(
            "{far} of {count} dates {far:is|are} more than two years away, from {first} to {last}: "
            "is the order of "
            "day and month right, and the year?",
            far=len(far),
            count=len(days),
            first=min(far),
            last=max(far),
        )
    lines = [record for record in found if isinstance(record, Worklog)]
    if not lines:
        return
    sums: Counter[tuple[str | None, str]] = Counter()
    for one in lines:
        if one.finish_on in {None, one.day} and one.seconds > 0:
            sums[one.account_id, one.day] += one.seconds
    above = [key for key, seconds in sums.items() if seconds > 86400]
    if above:
        who, on = max(above, key=lambda key: sums[key])
        yield tr(
            "{above} of {count} days of a person {above:is|are} above 24 h, such as {day} of {who} "
            "with {hours:g} h: is "
            "the unit right, and is no row there twice?",
            above=len(above),
            count=len(sums),
            day=on,
            who=(who or "").partition(":")[2] or tr("nobody"),
            hours=sums[who, on] / 3600,
        )
    field = mapping.fields["seconds"]
    columns = (field,) if isinstance(field, str) else field.columns
    long = [one for one in lines if one.finish_on in {None, one.day} and abs(one.seconds) > _LONG_S]
    money = [column for column in columns if _MONEY.search(column)]
    if money or len(long) > _MUCH * len(lines):
        yield tr(
            "{long} of {count} rows {long:is|are} above 16 h, in the column {columns}: are these "
            "hours, or amounts?",
            long=len(long),
            count=len(lines),
            columns=", ".join(columns),
        )


def _day(text: str | None) -> date | None:
    if not text:
        return None
    return date.fromisoformat(text if len(text) > 7 else f"{text}-01")

"""What speaks against the tables of a file of Primavera (XER), read by its lines alone.

Whoever reads such a file takes what fits and passes over the rest: a row whose cells moved, a table that
stands twice, or one that ends early leaves a plan that looks whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hub import tr

KEYS = {
    b"PROJECT": (b"proj_id",), b"PROJWBS": (b"wbs_id", b"proj_id"), b"RSRC": (b"rsrc_id",),
    b"TASK": (b"task_id", b"proj_id", b"wbs_id"), b"TASKRSRC": (b"taskrsrc_id", b"task_id"),
    b"TASKPRED": (b"task_pred_id", b"task_id", b"pred_task_id"),
}  # fmt: skip
"""The columns without which the rows of a table mean nothing; by the first one each row is known."""
NAMES = (
    (b"TASK", b"proj_id", b"PROJECT"), (b"TASK", b"wbs_id", b"PROJWBS"), (b"TASKRSRC", b"task_id", b"TASK"),
    (b"TASKRSRC", b"rsrc_id", b"RSRC"), (b"TASKPRED", b"task_id", b"TASK"),
)  # fmt: skip
"""Which column names rows of which table; what comes before a task may be in a project that is not there."""


class _Tables:
    """The tables as far as they were read, and what was odd in them: how often, and where first."""

    def __init__(self) -> None:
        self.odd: dict[tuple[str, bytes], list[int]] = {}
        self.there: dict[bytes, set[bytes]] = {}
        self.named: dict[tuple[bytes, bytes, bytes], set[bytes]] = {}
        self.table, self.columns = b"", [b""]

    def note(self, what: str, line: int, table: bytes | None = None) -> None:
        """Note something odd."""
        self.odd.setdefault((what, self.table if table is None else table), []).append(line)

    def begin(self, name: bytes, line: int) -> None:
        """Begin a table."""
        self.table, self.columns = name, []
        if name in self.there:
            self.note("twice", line)
        self.there.setdefault(name, set())

    def head(self, columns: list[bytes], line: int) -> None:
        """Take the names of its columns."""
        if not self.table or self.columns:
            self.note("head", line)
        self.columns = columns
        if set(KEYS.get(self.table, ())) - set(columns):
            self.note("lacks", line)

    def row(self, cells: list[bytes], line: int) -> None:
        """Take a row."""
        if not self.table or not self.columns:
            self.note("head", line)
            return
        if len(cells) > len(self.columns):
            self.note("longer", line)
            return
        by_name = dict(zip(self.columns, cells, strict=False))
        keys = KEYS.get(self.table, ())
        if any(not by_name.get(key) for key in keys if key in self.columns):
            self.note("shorter", line)
            return
        if keys and keys[0] in by_name:
            if by_name[keys[0]] in self.there[self.table]:
                self.note("again", line)
            self.there[self.table].add(by_name[keys[0]])
        for table, column, other in NAMES:
            if table == self.table and (value := by_name.get(column)):
                self.named.setdefault((table, column, other), set()).add(value)


def faults(path: Path) -> Iterator[str]:
    """Yield what speaks against the tables of *path*, a sentence each."""
    tables = _Tables()
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            mark, *cells = line.rstrip(b"\r\n").split(b"\t")
            match mark.strip():
                case b"%T":
                    tables.begin((cells or [b""])[0].strip(), number)
                case b"%F":
                    tables.head([one.strip() for one in cells], number)
                case b"%R":
                    tables.row(cells, number)
                case b"" | b"%E" | b"\x1a":
                    pass
                case other if number > 1 or not other.endswith(b"ERMHDR"):
                    tables.note("broken", number)
    for (what, table), lines in tables.odd.items():
        yield _said(
            what,
            name=path.name,
            table=table.decode("ascii", "replace"),
            line=lines[0],
            count=len(lines),
        )
    for (table, column, other), values in sorted(tables.named.items()):
        if lost := values - tables.there.get(other, set()):
            yield tr(
                "{name}: {count} {count:row|rows} of {other} that {table} names by {column} {count:is|are} "
                "not there: the file was cut, or made by hand.",
                name=path.name, count=len(lost), other=other.decode(), table=table.decode(),
                column=column.decode(),
            )  # fmt: skip


def _said(what: str, *, name: str, line: int, table: str, count: int = 0) -> str:
    match what:
        case "twice":
            return tr(
                "{name}, line {line}: the table {table} stands there twice.",
                name=name,
                line=line,
                table=table,
            )
        case "head":
            return tr(
                "{name}, line {line}: the rows of {table} stand where no columns are named.",
                name=name,
                line=line,
                table=table,
            )
        case "lacks":
            return tr(
                "{name}, line {line}: the table {table} lacks columns that it needs.",
                name=name,
                line=line,
                table=table,
            )
        case "longer":
            return tr(
                "{name}, line {line}: {count} {count:row|rows} of {table} {count:has|have} more cells than "
                "columns: a value holds a tab, or the columns are those of another version.",
                name=name,
                line=line,
                table=table,
                count=count,
            )
        case "shorter":
            return tr(
                "{name}, line {line}: {count} {count:row|rows} of {table} {count:lacks|lack} what names "
                "{count:it|them}: {count:it was|they were} cut.",
                name=name,
                line=line,
                table=table,
                count=count,
            )
        case "again":
            return tr(
                "{name}, line {line}: {count} {count:row|rows} of {table} {count:has|have} the number of "
                "another one.",
                name=name,
                line=line,
                table=table,
                count=count,
            )
    return tr(
        "{name}, line {line}: {count} {count:line|lines} of {table} {count:begins|begin} without a mark: a "
        "value was broken.",
        name=name,
        line=line,
        table=table,
        count=count,
    )

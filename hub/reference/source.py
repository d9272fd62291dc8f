"""The built-in source `config`: CSV files a PMO edits in Excel, synced like any other source.

So the portfolio has history, presence and runs too, and a feed as of a past day sees the portfolio of that day.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, get_args, get_type_hints

import msgspec

from hub.errors import SourceDataError
from hub.files import FileState
from hub.records import FACETS, Project, ProjectLink, Record
from hub.source import Batch, Check, Context, Partition, Scope, Source

PROJECTS, LINKS = "projects.csv", "project_links.csv"
PROJECT_COLUMNS = (
    "code", "name", "level", "parent_code", "phase", "state", "manager", "sponsor", "customer", "entity", "strategic_axis",
    "priority", "currency",
)  # fmt: skip
LINK_COLUMNS = ("project_code", "source", "container", "facets")


class ConfigSource(Source, frozen=True, kw_only=True):
    """The reference data beside the configuration; *folder* holds the CSV files."""

    kind: ClassVar[str] = "config"
    provides: ClassVar[tuple[type[Record], ...]] = (Project, ProjectLink)

    folder: str
    max_leave: float = 1.0

    @property
    def address(self) -> str:
        """Give the folder."""
        return self.folder

    def check(self, ctx: Context) -> Iterable[Check]:
        """Read both files and say what is wrong, line by line."""
        for name, read in ((PROJECTS, self._projects), (LINKS, self._links)):
            path = Path(self.folder) / name
            if not path.exists():
                continue
            try:
                count = sum(1 for _ in read(path))
            except SourceDataError as exc:
                yield Check(name=name, state="failed", detail=str(exc))
            else:
                yield Check(name=name, state="ok", detail=f"{count} lines")

    def plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Partition]:
        """Give one partition per file that is there and changed; a file that is gone is an empty one."""
        for name, record in ((PROJECTS, Project), (LINKS, ProjectLink)):
            path = Path(self.folder) / name
            cursor = cursors.get(name)
            if not path.exists() and not cursor:
                continue
            if path.exists() and not ctx.full:
                state = FileState.of_cursor(cursor)
                if state and state.sha256 == FileState.of(path).sha256:
                    ctx.skip_unchanged(name)
                    continue
            elif not path.exists() and cursor == {}:
                ctx.skip_unchanged(name)
                continue
            yield Partition(
                id=name, label=name, complete=True, scope=Scope(records=(record,)), evidence=f"absent from {name}", data=path
            )

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        """Read one file whole; one wrong line refuses the file, so that half a portfolio is never used."""
        path: Path = partition.data
        if not path.exists():
            yield Batch(cursor={})
            return
        state = FileState.of(path)
        read = self._projects if path.name == PROJECTS else self._links
        yield Batch(records=list(read(path)), cursor=msgspec.to_builtins(state))

    def _projects(self, path: Path) -> Iterator[Record]:
        levels: Any = get_args(get_type_hints(Project)["level"])
        states = get_args(get_type_hints(Project)["state"])
        seen: dict[str, int] = {}
        parents: list[tuple[int, str]] = []
        for number, row in _lines(path, PROJECT_COLUMNS, ("code", "name")):
            code = row["code"]
            if code in seen:
                raise SourceDataError(f"{path.name}, line {number}, column code: {code!r} is already on line {seen[code]}.")
            seen[code] = number
            level: Any = row["level"] or "project"
            state: Any = row["state"] or "active"
            for column, value, known in (("level", level, levels), ("state", state, states)):
                if value not in known:
                    raise SourceDataError(
                        f"{path.name}, line {number}, column {column}: {value!r} is not one of {', '.join(known)}."
                    )
            if row["priority"] and not row["priority"].isdigit():
                raise SourceDataError(
                    f"{path.name}, line {number}, column priority: {row['priority']!r} is not a whole number."
                )
            if row["parent_code"]:
                parents.append((number, row["parent_code"]))
            yield Project(
                id=self.row_id(code), code=code, parent_code=row["parent_code"] or None, level=level, name=row["name"],
                phase=row["phase"] or None, state=state, manager_id=row["manager"] or None, sponsor=row["sponsor"] or None,
                customer=row["customer"] or None, entity=row["entity"] or None, strategic_axis=row["strategic_axis"] or None,
                priority=int(row["priority"]) if row["priority"] else None, currency=row["currency"] or "EUR",
            )  # fmt: skip
        for number, parent in parents:
            if parent not in seen:
                raise SourceDataError(
                    f"{path.name}, line {number}, column parent_code: there is no line with the code {parent!r}."
                )

    def _links(self, path: Path) -> Iterator[Record]:
        seen: dict[tuple[str, str], int] = {}
        claimed: dict[tuple[str, str], tuple[str, int]] = {}
        for number, row in _lines(path, LINK_COLUMNS, ("project_code", "source", "container")):
            facets = [part.strip() for part in row["facets"].split(",") if part.strip()]
            if unknown := [part for part in facets if part not in FACETS]:
                raise SourceDataError(
                    f"{path.name}, line {number}, column facets: {', '.join(unknown)} is not one of {', '.join(FACETS)}."
                )
            place = (row["source"], row["container"])
            if place in seen:
                raise SourceDataError(
                    f"{path.name}, line {number}: {row['source']} {row['container']!r} is already linked on line {seen[place]}; "
                    "a container feeds one project."
                )
            seen[place] = number
            for facet in facets:
                source, line = claimed.setdefault((row["project_code"], facet), (row["source"], number))
                if source != row["source"]:
                    raise SourceDataError(
                        f"{path.name}, line {number}, column facets: {facet} of {row['project_code']} is already given to "
                        f"{source} on line {line}; one tool is the authority for a facet, else it would count twice."
                    )
            container = f"{row['source']}:{row['container']}"
            yield ProjectLink(
                id=self.row_id(f"{row['project_code']}/{container}"), project_code=row["project_code"], container_id=container,
                facets=",".join(facets),
            )  # fmt: skip


def _lines(path: Path, known: tuple[str, ...], needed: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line number, row) of a CSV with any usual separator, with or without BOM. Raises `SourceDataError`."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        text = path.read_bytes().decode("cp1252", errors="replace")
    except OSError as exc:
        raise SourceDataError(f"{path.name} cannot be read: {exc.strerror}. Close it in Excel, then try again.") from exc
    first = text.partition("\n")[0]
    separator = max(";,\t", key=first.count)
    reader = csv.DictReader(text.splitlines(), delimiter=separator)
    names = [name.strip() for name in reader.fieldnames or []]
    reader.fieldnames = names
    if unknown := [name for name in names if name and name not in known]:
        raise SourceDataError(f"{path.name}, line 1: unknown column {', '.join(unknown)}; known: {', '.join(known)}.")
    if lacking := [name for name in needed if name not in names]:
        raise SourceDataError(f"{path.name}, line 1: the column {', '.join(lacking)} is missing.")
    for row in reader:
        values = {name: (row.get(name) or "").strip() for name in known}
        if not any(values.values()) or next(iter(values.values())).startswith("#"):
            continue
        for name in needed:
            if not values[name]:
                raise SourceDataError(f"{path.name}, line {reader.line_num}, column {name}: it may not be empty.")
        yield reader.line_num, values

"""A source of files, and the same source with one fault at a time: each line of a .jsonl file is a task."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from hub.errors import SourceDataError
from hub.files import FileState, matching_files, relative_name
from hub.records import Container, Record, Task
from hub.source import Batch, Census, Check, Context, Partition, Scope, Source
from hub.tally import Tally
from hub.testing import kit

END = "end"


class Pages(kit.Ledger, kit.FileWorld):
    """Two files of lines; the last line of a file says how many there are, and the file's own number."""

    name = "paper"

    def part(self, item: kit.Item) -> str:
        return ("a", "b")[item.native % 2]

    def task_id(self, item: kit.Item) -> str:
        return f"{self.part(item)}/{item.native}"

    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        return {
            "container": {part: {"kind": "folder", "name": part} for part in ("a", "b")},
            "task": {
                self.task_id(item): {
                    "title": item.title,
                    "code": item.key,
                    "container_id": f"paper:{self.part(item)}",
                }
                for item in self.seen()
            },
        }

    def files(self) -> dict[str, bytes]:
        found = {}
        for part in ("a", "b"):
            lines = [
                {"No": item.native, "Key": item.key, "Title": item.title}
                for item in self.seen()
                if self.part(item) == part
            ]
            text = (
                [json.dumps({"part": part})]
                + [json.dumps(line) for line in lines]
                + [json.dumps({END: len(lines)})]
            )
            found[f"page_{part}.jsonl"] = "\n".join(text).encode()
        return found

    def columns(self) -> list[str]:
        return ["No", "Key", "Title"]


class PaperSource(Source, frozen=True, kw_only=True):
    """The source; *bug* breaks one thing."""

    kind: ClassVar[str] = "paper"
    provides: ClassVar[tuple[type[Record], ...]] = (Container, Task)
    census_every_hours: ClassVar[float] = 0.0

    path: str
    bug: str = ""

    def pages(self, ctx: Context) -> list[Path]:
        if self.bug == "takes_any_file":
            return sorted(path for path in ctx.resolve(self.path).iterdir() if path.is_file())
        return matching_files(ctx.base, self.path, (".jsonl",))

    def check(self, ctx: Context) -> Iterable[Check]:
        well = self.pages(ctx) or self.bug == "check_is_always_ok"
        yield Check(name="files", state="ok" if well else "failed", detail=f"{len(self.pages(ctx))} files")

    def plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Partition]:
        pages = self.pages(ctx)
        if not pages and self.bug != "no_files_are_fine":
            ctx.report_missing("no file")
        seen: set[str] = set()
        known = {
            cursor["file"]: cursor
            for cursor in cursors.values()
            if isinstance(cursor, dict) and "file" in cursor
        }
        for path in sorted(
            pages, key=lambda path: (relative_name(path, ctx.base) not in known, len(path.name))
        ):
            name = relative_name(path, ctx.base)
            cursor = known.get(name)
            state = FileState.of_cursor(cursor)
            if cursor and state and state.looks_unchanged(path) and not ctx.full and not cursor.get("away"):
                seen.add(cursor["part"])
                continue
            part = self.part(path)
            if part in seen:
                ctx.report_missing(f"{name} is a copy")
                continue
            seen.add(part)
            yield Partition(
                id=part,
                complete=self.bug != "keeps_what_is_cut",
                scope=Scope(records=(Task,), id_prefix=self.row_id(f"{part}/")),
                evidence=f"absent from {name}",
                data={"path": path, "part": part, "file": name},
            )
        for part, cursor in cursors.items():
            if part not in seen and not part.startswith("__") and not cursor.get("away"):
                yield Partition(id=part, data={"away": cursor})

    def part(self, path: Path) -> str:
        if self.bug == "named_by_file":
            return path.stem
        if self.bug == "named_by_content":
            return hashlib.sha256(path.read_bytes()).hexdigest()[:8] if path.exists() else path.stem
        with contextlib.suppress(OSError, ValueError, KeyError, IndexError):
            return str(json.loads(path.read_bytes().splitlines()[0])["part"])
        return path.stem.removeprefix("page_")

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        if "away" in partition.data:
            yield Batch(cursor=partition.data["away"] | {"away": True})
            return
        path, part = partition.data["path"], partition.data["part"]
        try:
            state = FileState.of(path)
            records = list(self.records(path, part))
        except (OSError, SourceDataError) as exc:
            if self.bug == "unreadable_is_empty" or (
                self.bug == "locked_is_skipped" and "opened" in str(exc)
            ):
                return
            raise
        lines = sum(isinstance(one, Task) for one in records)
        seen = 1 if self.bug == "counts_files" else lines
        taken = lines - 1 if self.bug == "takes_less_than_it_saw" else seen
        if self.bug != "tells_no_tally":
            ctx.tally(Tally(seen=seen, taken=taken, unit="lines"))
        done = msgspec.to_builtins(state) | {"part": part, "file": partition.data["file"]}
        held = done | {"mtime_ns": 0}  # of no content
        yield Batch(records=records, held=None if self.bug == "keeps_the_mark_before" else held)
        if self.bug != "does_not_verify":
            state.verify(path)
        if self.bug == "does_not_verify":
            digest = hashlib.sha256(
                path.read_bytes()
            ).hexdigest()  # of what lies there now, not of what was read
            done |= {"size": path.stat().st_size, "mtime_ns": path.stat().st_mtime_ns, "sha256": digest}
        yield Batch(cursor=done)

    def records(self, path: Path, part: str) -> Iterator[Record]:
        yield Container(id=self.row_id(part), kind="folder", name=part)
        lines = path.read_bytes().splitlines()
        if not lines and self.bug == "empty_is_zero":
            return
        ended = None
        for number, line in enumerate(lines[1:], start=2):
            try:
                row = json.loads(line)
                if END in row:
                    ended = row[END] == number - 2
                    break
                native, key, title = row["No"], row["Key"], row["Title"]
            except ValueError as exc:
                if self.bug == "skips_bad_lines":
                    continue
                raise SourceDataError(f"{path.name}, line {number}: {exc}") from exc
            except KeyError as exc:
                if self.bug == "lenient_columns":
                    native, key, title = row.get("No", number), row.get("Key"), row.get("Title", "")
                else:
                    column = "a column" if self.bug == "names_no_column" else exc
                    raise SourceDataError(f"{path.name}, line {number} lacks {column}") from exc
            yield Task(
                id=self.row_id(f"{part}/{native}"), container_id=self.row_id(part), code=key, title=title
            )
        if not ended and self.bug not in {"skips_bad_lines", "keeps_what_is_cut"}:
            raise SourceDataError(f"{path.name} is not whole")

    def census(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Census]:
        if self.bug == "no_census":
            return
        there = {self.part(path) for path in self.pages(ctx)}
        for part in sorted(cursors):
            if part not in there and not part.startswith("__"):
                yield Census(
                    record=Task,
                    scope=Scope(records=(Task,), id_prefix=self.row_id(f"{part}/")),
                    ids=frozenset(),
                    evidence=f"the file of {part} is away",
                    hold=self.bug != "absence_deletes_files",
                )


class PaperCertification(kit.SourceCertification):
    """The source's side of the table."""

    kind = "paper"
    capabilities = frozenset({"increments", "deletions", "renames", "columns"})

    def __init__(self, bug: str = "") -> None:
        """Bring the source with *bug*."""
        self.bug = bug

    def world(self, seed: int, *, scale: int = 1) -> Pages:
        return Pages(seed, scale=scale)

    def source(self, place: str) -> Source:
        return PaperSource(name="paper", path=place, bug=self.bug)

"""The certification of any mapping: its sample file is the world, a sheet written by hand is the truth.

Beside ``hours.toml`` lie ``hours.sample.csv`` (or .xlsx, .xls, .ods) and ``hours.expected.csv``: one line per
record, ``row`` with the row's number as a spreadsheet shows it, then the fields the store must hold.
"""

from __future__ import annotations

import csv
import tempfile
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any, get_args, get_type_hints

from hub import BY_TABLE, Account, ConfigError, Container, Source, convert
from hub.testing.kit import FOLDER, FileWorld, SourceCertification
from hub_tabular import sheets, tables
from hub_tabular.mapper import REFERENCES, RowMapper
from hub_tabular.mapping import Field, Mapping
from hub_tabular.source import TabularSource

NAME = "table"
FEWEST = 10


def certification_of(path: Path) -> SourceCertification | None:
    """Return the certification of a mapping, or None when the TOML is of another kind.

    Raises `ConfigError` saying what lacks.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError(f"{path} is not valid TOML: {exc}.") from exc
    if "record" not in raw or "fields" not in raw:
        return None
    return MappingCertification(path, convert(raw, Mapping, where=str(path), base=path.parent))


class MappingCertification(SourceCertification):
    """A mapping, its sample and its answer sheet."""

    def __init__(self, path: Path, mapping: Mapping) -> None:
        """Find the files beside *path*."""
        self.path = path.resolve()
        self.mapping = mapping
        self.kind = path.stem  # type: ignore[misc]
        samples = [
            one
            for one in sorted(path.parent.glob(f"{path.stem}.sample.*"))
            if one.suffix.lower() in sheets.SUFFIXES
        ]
        sheet = path.with_name(f"{path.stem}.expected.csv")
        if len(samples) != 1 or not sheet.exists():
            raise ConfigError(
                f"To certify {path.name}, lay beside it one {path.stem}.sample.csv (or .xlsx, .xls, "
                f".ods) with at least {FEWEST} rows, "
                f"and {sheet.name}: a column row with the sample's row number, "
                "then the fields that the store must hold."
            )
        self.sample, self.sheet = samples[0], sheet
        # a row whose neighbours give it values cannot be taken out alone, nor can one of a workbook
        whole = (
            mapping.carry_down
            or mapping.group
            or mapping.outline
            or not mapping.key
            or self.sample.suffix not in sheets.TEXT
        )
        self.cannot = frozenset({"scale", "edits"} if whole else {"scale"})  # type: ignore[misc]
        found = {"increments", "columns", *(["deletions"] if mapping.snapshot == "full" else [])}
        self.capabilities = frozenset(found | ({"worklogs"} if mapping.record == "worklog" else set()))  # type: ignore[misc, arg-type]
        companions = [Account] * any(
            name in mapping.fields for name in ("account_id", "assignee_id", "owner_id")
        )
        boxes = [Container] * ("container_id" in mapping.fields)
        self.records = (BY_TABLE[mapping.record], *companions, *boxes)  # type: ignore[misc]

    def world(self, seed: int, *, scale: int = 1) -> Sample:
        """Make the sample's world."""
        return Sample(self, seed)

    def source(self, place: str) -> Source:
        """Read the folder by the mapping."""
        return TabularSource(name=NAME, path=place, mapping=str(self.path))


class Sample(FileWorld):
    """The sample with some of its rows left out, which come back one by one.

    Rows are named by their number.
    """

    def __init__(self, certification: MappingCertification, seed: int) -> None:
        """Read the sample and the answer sheet."""
        super().__init__(seed)
        self.certification = certification
        self.main = certification.mapping.record  # type: ignore[misc]
        self.content = certification.sample.read_bytes()
        if certification.sample.suffix in sheets.TEXT:
            # without the mark at the start: it is about one file's beginning, not about a column
            self.encoding = (
                certification.mapping.encoding or sheets.detect_encoding(certification.sample)
            ).removesuffix("-sig")
        self.ids = self._ids()
        self.sheet = self._sheet()
        self.away: list[int] = []
        if "edits" not in certification.cannot:
            if len(self.ids) < FEWEST:
                raise ConfigError(
                    f"{certification.sample.name} holds {len(self.ids)} rows; "
                    f"to edit it the kit needs at least {FEWEST}."
                )
            self.away = self.random.sample(sorted(self.ids), len(self.ids) // 4)

    def _ids(self) -> dict[int, list[str]]:
        """Return the ids that the mapping makes of each row: what they stand for is the sheet's to say."""
        mapping = self.certification.mapping
        prefix = (
            f"{FOLDER}/{self.certification.sample.name}/"
            if mapping.snapshot == "full" and mapping.files == "each"
            else ""
        )
        mapper = RowMapper(mapping, BY_TABLE[mapping.record], source=NAME, prefix=prefix, hours_per_day=7.0)
        found: dict[int, list[str]] = defaultdict(list)
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / self.certification.sample.name
            copy.write_bytes(self.content)
            for number, row in tables.table_rows(copy, mapping):
                found[number] += [
                    record.id[len(NAME) + 1 :]
                    for record in mapper.records(row)
                    if record.table == mapping.record
                ]
        return found

    def _sheet(self) -> dict[int, list[dict[str, Any]]]:
        hints = get_type_hints(BY_TABLE[self.main])
        found: dict[int, list[dict[str, Any]]] = defaultdict(list)
        with self.certification.sheet.open(encoding="utf-8-sig", newline="") as file:
            for line, row in enumerate(csv.DictReader(file), start=2):
                try:
                    number = int(row.pop("row"))
                    found[number].append(
                        {
                            name: self._typed(name, text, hints[name]) if "." not in name else text or None
                            for name, text in row.items()
                        }
                    )
                except (KeyError, ValueError, TypeError) as exc:
                    raise ConfigError(
                        f"{self.certification.sheet.name}, line {line}: {exc!r}. "
                        f"The columns are row, fields of {self.main} and account.FIELD; effort is in "
                        "seconds, money in cents, days are YYYY-MM-DD."
                    ) from exc
        return found

    def _typed(self, name: str, text: str, hint: Any) -> Any:
        parts = get_args(hint) or (hint,)
        field = self.certification.mapping.fields.get(name)
        if text == "":
            return None
        if name in REFERENCES:
            other = field.source if isinstance(field, Field) else None
            return f"{other or NAME}:{text}"
        if int in parts or bool in parts:
            return int(text)
        return float(text) if float in parts else text

    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return the sheet's lines of the rows that are there.

        Raises `ConfigError` when it and the sample do not match.
        """
        for number, ids in self.ids.items():
            if len(ids) != len(self.sheet.get(number, ())):
                raise ConfigError(
                    f"{self.certification.sheet.name} has {len(self.sheet.get(number, ()))} lines for row "
                    f"{number} of the sample; "
                    f"the mapping makes {len(ids)} records of it."
                )
        found: dict[str, dict[str, dict[str, Any]]] = {self.main: {}}
        for number, ids in self.ids.items():
            if number in self.away:
                continue
            for one, fields in zip(ids, self.sheet[number], strict=True):
                found[self.main][one] = {name: value for name, value in fields.items() if "." not in name}
                self._name(found, fields)
        return found

    def _name(self, found: dict[str, dict[str, dict[str, Any]]], fields: dict[str, Any]) -> None:
        """Add whom and what a line names: called as the table calls them, unless the sheet says otherwise."""
        told = {name.partition(".")[2]: value for name, value in fields.items() if "." in name}
        for name, value in fields.items():
            if name not in REFERENCES or not value or not value.startswith(f"{NAME}:"):
                continue
            native = value.removeprefix(f"{NAME}:")
            if name == "container_id":
                found.setdefault("container", {})[native] = {"kind": "table", "code": native, "name": native}
            elif name in {"account_id", "assignee_id", "owner_id"}:
                found.setdefault("account", {})[native] = {"display_name": native} | told

    def rows(self) -> list[str]:
        """Return the numbers of the rows that are there."""
        return [str(number) for number in sorted(self.ids) if number not in self.away]

    def stored_id(self, native: str) -> str:
        """Return the id of a row."""
        return self.ids[int(native)][0]

    def add(self) -> str:
        """Bring a row back."""
        return str(self.away.pop()) if self.away else self.rows()[0]

    def edit(self, native: str | None = None) -> str:
        """Bring a row back too: what a changed row means is not the kit's to know."""
        return self.add()

    def delete(self, native: str | None = None) -> str:
        """Take a row out."""
        chosen = native or self.random.choice(self.rows())
        self.away.append(int(chosen))
        return chosen

    def files(self) -> dict[str, bytes]:
        """Return the sample without the rows that are away."""
        lines = self.content.splitlines(keepends=True) if self.away else [self.content]
        return {
            self.certification.sample.name: b"".join(
                line for number, line in enumerate(lines, start=1) if number not in self.away
            )
        }

    def columns(self) -> list[str]:
        """Return the columns that the mapping needs."""
        mapper = RowMapper(
            self.certification.mapping, BY_TABLE[self.main], source=NAME, prefix="", hours_per_day=7.0
        )
        return sorted(mapper.columns()) if self.certification.sample.suffix in sheets.TEXT else []

"""The CSV files of the reference data: their columns, and the records their lines become."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from hub.errors import ConfigError, SourceDataError
from hub.placement import parse
from hub.records import (
    FACETS,
    Access,
    AccountAlias,
    Assessment,
    BudgetLine,
    Calendar,
    CalendarDay,
    ChecklistItem,
    FxRate,
    Person,
    Project,
    ProjectLink,
    Rate,
    Record,
    RegisterItem,
    SlaGoal,
    StatusMap,
    Target,
    Team,
)  # fmt: skip

Kind = Literal["text", "int", "number", "money", "hours", "day", "month", "flag"]
_YES = {"1", "yes", "true", "oui", "vrai", "x", "o", "y"}
_NO = {"0", "no", "false", "non", "faux", "n"}


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column: *choices* maps what a cell may say to what the record says; *default* stands for an empty cell."""

    kind: Kind = "text"
    needed: bool = False
    default: Any = None
    choices: dict[str, str] | None = None


class Line(dict[str, Any]):
    """One line of a file, its cells converted; *number* is its place in the file."""

    number: int = 0


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """One file: *make* turns a line into records, *check* looks at all lines together; *key* columns are unique."""

    file: str
    records: tuple[type[Record], ...]
    columns: dict[str, Column]
    key: tuple[str, ...]
    make: Callable[[str, Line], Iterator[Record]]
    check: Callable[[str, list[Line]], None] | None = None

    def read(self, path: Path, source: str) -> list[Record]:
        """Read *path* whole. Raises `SourceDataError` naming file, line and column."""
        lines = list(self._lines(path))
        seen: dict[tuple[Any, ...], int] = {}
        for line in lines:
            key = tuple(line[name] for name in self.key)
            if key in seen:
                shown = ", ".join(str(part) for part in key if part not in {None, ""})
                raise wrong(
                    path.name, line.number, ", ".join(self.key), f"{shown!r} is already on line {seen[key]}"
                )  # fmt: skip
            seen[key] = line.number
        if self.check:
            self.check(path.name, lines)
        found: dict[str, Record] = {}
        for line in lines:
            for record in self.make(f"{source}:{_PREFIX.get(self.file, Path(self.file).stem + '/')}", line):
                found[record.id] = record
        return list(found.values())

    def _lines(self, path: Path) -> Iterator[Line]:
        try:
            raw = path.read_bytes()
        except OSError as exc:
            raise SourceDataError(
                f"{path.name} cannot be read: {exc.strerror}. Close it in Excel, then try again."
            ) from exc
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode("cp1252", errors="replace")
        first = text.partition("\n")[0]
        reader = csv.reader(text.splitlines(keepends=True), delimiter=max(";,\t", key=first.count))
        names: list[str] = [name.strip() for name in next(reader, [])]
        if unknown := [name for name in names if name and name not in self.columns]:
            raise SourceDataError(
                f"{path.name}, line 1: unknown column {', '.join(unknown)}; known: {', '.join(self.columns)}."
            )
        if lacking := [name for name, column in self.columns.items() if column.needed and name not in names]:
            raise SourceDataError(f"{path.name}, line 1: the column {', '.join(lacking)} is missing.")
        for cells in reader:
            values = {name: cell.strip() for name, cell in zip(names, cells, strict=False)}
            if not any(values.values()) or next(iter(values.values())).startswith("#"):
                continue
            line = Line()
            line.number = reader.line_num
            for name, column in self.columns.items():
                line[name] = _cell(path.name, line.number, name, column, values.get(name, ""))
            yield line


def wrong(file: str, line: int, column: str, what: str) -> SourceDataError:
    """Say what is wrong, and where."""
    return SourceDataError(f"{file}, line {line}, column {column}: {what}.")


def _cell(file: str, line: int, name: str, column: Column, text: str) -> Any:
    if not text:
        if column.needed:
            raise wrong(file, line, name, "it may not be empty")
        return column.default
    if column.choices is not None:
        if text.casefold() not in column.choices:
            raise wrong(
                file,
                line,
                name,
                f"{text!r} is not one of {', '.join(dict.fromkeys(column.choices.values()))}",
            )
        return column.choices[text.casefold()]
    try:
        match column.kind:
            case "text":
                return text
            case "flag":
                if text.casefold() not in _YES | _NO:
                    raise wrong(file, line, name, f"{text!r} is neither yes nor no")
                return text.casefold() in _YES
            case "day":
                return _day(text)
            case "month":
                return _month(text)
            case "int":
                return int(text)
            case "number":
                return _number(text)
            case "money":
                return round(_number(text) * 100)
            case "hours":
                return round(_number(text) * 3600)
    except ValueError as exc:
        words = {
            "day": "a date such as 2026-10-31 or 31/10/2026",
            "month": "a month such as 2026-10 or 10/2026",
            "int": "a whole number",
        }
        raise wrong(file, line, name, f"{text!r} is not {words.get(column.kind, 'a number')}") from exc


def _number(text: str) -> float:
    """Read 1234.5, 1 234,5 and 1.234,5; a percent sign divides by 100."""
    percent = text.endswith("%")
    plain = re.sub(r"[\s\u00a0\u202f€$%']", "", text)
    if "," in plain:
        plain = (
            plain.replace(".", "").replace(",", ".")
            if plain.rfind(",") > plain.rfind(".")
            else plain.replace(",", "")
        )
    value = float(plain)
    if not math.isfinite(value):
        raise ValueError(text)
    return value / 100 if percent else value


def _day(text: str) -> str:
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return date.fromisoformat(text).isoformat()
    form = "%d/%m/%Y" if re.fullmatch(r"\d{1,2}/\d{1,2}/\d{4}", text) else "%d/%m/%y"
    return datetime.strptime(text, form).date().isoformat()


def _month(text: str) -> str:
    if match := re.fullmatch(r"(\d{4})-(\d\d)", text) or re.fullmatch(r"(\d{4})-(\d\d)-\d\d", text):
        return date(int(match[1]), int(match[2]), 1).strftime("%Y-%m")
    if match := re.fullmatch(r"(?:\d\d/)?(\d\d)/(\d{4})", text):
        return date(int(match[2]), int(match[1]), 1).strftime("%Y-%m")
    raise ValueError(text)


def _says(*values: str, **also: str) -> dict[str, str]:
    return {value: value for value in values} | {
        word.replace("_", " "): value for word, value in also.items()
    }


TEXT, NEEDED = Column(), Column(needed=True)
_PREFIX = {"projects.csv": "", "project_links.csv": ""}
_RAG = _says("green", "amber", "red", "grey", vert="green", orange="amber", rouge="red", gris="grey")
_STATUS = {
    "todo": "todo", "in_progress": "in_progress", "done": "done", "cancelled": "cancelled", "à faire": "todo", "en cours": "in_progress",
    "terminé": "done", "abandonné": "cancelled",
}  # fmt: skip


def _project(prefix: str, line: Line) -> Iterator[Record]:
    values = {name: line[name] for name in line if name != "manager"}
    yield Project(id=prefix + line["code"], manager_id=line["manager"], **values)


def _check_projects(file: str, lines: list[Line]) -> None:
    parents = {line["code"]: line["parent_code"] for line in lines}
    for line in lines:
        parent = line["parent_code"]
        if parent and parent not in parents:
            raise wrong(file, line.number, "parent_code", f"there is no line with the code {parent!r}")
        above, steps = parent, 0
        while above and steps <= len(lines):
            above, steps = parents.get(above), steps + 1
        if above:
            raise wrong(file, line.number, "parent_code", f"{line['code']!r} stands above itself")


def _link(prefix: str, line: Line) -> Iterator[Record]:
    facets = [part.strip() for part in line["facets"].split(",") if part.strip()]
    container = f"{line['source']}:{line['container']}"
    name = f"{line['project_code']}/{container}" + (f"?{line['filter']}" if line["filter"] else "")
    yield ProjectLink(
        id=prefix + name,
        project_code=line["project_code"],
        container_id=container,
        filter=line["filter"],
        facets=",".join(facets),
    )


def _check_links(file: str, lines: list[Line]) -> None:
    claimed: dict[tuple[str, str], tuple[str, int]] = {}
    taken: dict[tuple[str, str, str], int] = {}
    for line in lines:
        facets = [part.strip() for part in line["facets"].split(",") if part.strip()]
        if unknown := [part for part in facets if part not in FACETS]:
            raise wrong(
                file, line.number, "facets", f"{', '.join(unknown)} is not one of {', '.join(FACETS)}"
            )
        try:
            parse(line["filter"])
        except ConfigError as exc:
            raise wrong(file, line.number, "filter", str(exc)) from exc
        place = (line["source"], line["container"], line["filter"])
        if place in taken:
            raise SourceDataError(
                f"{file}, line {line.number}: {line['source']} {line['container']!r} is already linked on line {taken[place]}; "
                "a container feeds one project, or give each line a filter."
            )
        taken[place] = line.number
        for facet in facets:
            source, number = claimed.setdefault((line["project_code"], facet), (line["source"], line.number))
            if source != line["source"]:
                raise SourceDataError(
                    f"{file}, line {line.number}, column facets: {facet} of {line['project_code']} is already given to "
                    f"{source} on line {number}; one tool is the authority for a facet, else it would count twice."
                )


def _person(prefix: str, line: Line) -> Iterator[Record]:
    name = line["code"] or line["employee_no"] or line["email"] or line["name"]
    yield Person(
        id=prefix + name, display_name=line["name"], email=line["email"], aliases=line["aliases"], employee_no=line["employee_no"],
        login=line["login"], team=line["team"], role=line["role"], is_external=line["external"],
        timesheet_expected=line["timesheet_expected"], calendar_id=line["calendar"], fte=line["fte"],
        active_from=line["active_from"], active_to=line["active_to"],
    )  # fmt: skip
    if line["team"]:
        yield Team(id=f"{prefix.partition(':')[0]}:team/{line['team']}", name=line["team"])


def _check_people(file: str, lines: list[Line]) -> None:
    for line in lines:
        if not 0 < line["fte"] <= 1.5:
            raise wrong(file, line.number, "fte", f"{line['fte']:g} is not a share of full time such as 0.8")


def _alias(prefix: str, line: Line) -> Iterator[Record]:
    person = f"{prefix.partition(':')[0]}:people/{line['person']}" if line["person"] else None
    account = f"{line['source']}:{line['account']}"
    yield AccountAlias(id=prefix + account, account_id=account, email=line["email"], person_id=person)


def _calendar(prefix: str, line: Line) -> Iterator[Record]:
    yield Calendar(
        id=prefix + line["calendar"], code=line["calendar"], country=line["country"], subdivision=line["subdivision"],
        week_mask=line["week"], seconds_per_day=line["hours_per_day"],
    )  # fmt: skip


def _check_calendars(file: str, lines: list[Line]) -> None:
    for line in lines:
        if not re.fullmatch("[01]{7}", line["week"]) or "1" not in line["week"]:
            raise wrong(
                file,
                line.number,
                "week",
                f"{line['week']!r} is not seven 0 or 1 from Monday to Sunday, such as 1111100",
            )


def _calendar_day(prefix: str, line: Line) -> Iterator[Record]:
    yield CalendarDay(
        id=f"{prefix}{line['calendar']}/{line['day']}", calendar=line["calendar"], day=line["day"], seconds=line["hours"],
        label=line["label"],
    )  # fmt: skip


def _rate(prefix: str, line: Line) -> Iterator[Record]:
    yield Rate(
        id=f"{prefix}{line['scope']}/{line['scope_id']}/{line['valid_from']}", scope=line["scope"], scope_id=line["scope_id"],
        valid_from=line["valid_from"], valid_to=line["valid_to"], minor_per_day=line["per_day"], currency=line["currency"],
    )  # fmt: skip


def _check_rates(file: str, lines: list[Line]) -> None:
    for line in lines:
        if line["scope"] != "default" and line["scope_id"] == "*":
            raise wrong(
                file, line.number, "scope_id", f"say which {line['scope']}; * is for the scope default"
            )


def _fx(prefix: str, line: Line) -> Iterator[Record]:
    yield FxRate(
        id=f"{prefix}{line['currency']}/{line['month']}",
        currency=line["currency"],
        month=line["month"],
        per_eur=line["per_eur"],
    )


def _check_fx(file: str, lines: list[Line]) -> None:
    for line in lines:
        if line["per_eur"] <= 0:
            raise wrong(file, line.number, "per_eur", "a rate is above 0")


def _target(prefix: str, line: Line) -> Iterator[Record]:
    kpi, _, measure = line["kpi"].partition(".")
    yield Target(
        id=f"{prefix}{line['kpi']}/{line['scope_id']}/{line['valid_from']}", kpi=kpi, measure=measure, scope_id=line["scope_id"],
        goal=line["goal"], amber=line["amber"], red=line["red"], direction=line["better"], valid_from=line["valid_from"],
    )  # fmt: skip


def _check_targets(file: str, lines: list[Line]) -> None:
    for line in lines:
        if "." not in line["kpi"]:
            raise wrong(
                file,
                line.number,
                "kpi",
                f"{line['kpi']!r} is not a figure such as EVM_DAYS.cpi (`hub kpi --list` names them)",
            )
        amber, red = line["amber"], line["red"]
        if amber is not None and red is not None and (amber < red if line["better"] == "up" else amber > red):
            raise wrong(
                file, line.number, "amber", f"where {line['better']} is better, red begins beyond amber"
            )


def _status(prefix: str, line: Line) -> Iterator[Record]:
    yield StatusMap(
        id=f"{prefix}{line['source']}/{line['container']}/{line['status']}", source=line["source"],
        container_id=line["container"], status_raw=line["status"], category=line["category"], stage=line["stage"],
    )  # fmt: skip


def _sla(prefix: str, line: Line) -> Iterator[Record]:
    key = "/".join(str(line[name]) for name in ("project_code", "nature", "priority", "metric"))
    yield SlaGoal(
        id=prefix + key, project_code=line["project_code"], nature=line["nature"], priority=line["priority"],
        metric=line["metric"], goal_s=line["goal_hours"],
    )  # fmt: skip


def _assessment(prefix: str, line: Line) -> Iterator[Record]:
    yield Assessment(id=f"{prefix}{line['project_code']}/{line['day']}/{line['axis']}", **line)


def _access(prefix: str, line: Line) -> Iterator[Record]:
    key = f"{line['user_principal']}/{line['project_code'] or '*'}/{line['team'] or '*'}"
    yield Access(id=prefix + key, **line)


def _budget(prefix: str, line: Line) -> Iterator[Record]:
    for kind in ("baseline", "revised", "committed", "consumed", "forecast"):
        if line[kind] is not None:
            key = (
                f"{line['project_code']}/{line['month']}/{line['category']}/{int(bool(line['capex']))}/{kind}"
            )
            yield BudgetLine(
                id=prefix + key, project_code=line["project_code"], month=line["month"], kind=kind,
                category=line["category"], is_capex=line["capex"], amount_minor=line[kind], currency=line["currency"],
            )  # fmt: skip


def _register(prefix: str, line: Line) -> Iterator[Record]:
    values = {name: line[name] for name in line if name not in {"ref", "exposure", "owner"}}
    yield RegisterItem(
        id=prefix + line["project_code"] + "/" + line["ref"],
        exposure_minor=line["exposure"],
        owner_id=line["owner"],
        **values,
    )


def _checklist(prefix: str, line: Line) -> Iterator[Record]:
    yield ChecklistItem(id=f"{prefix}{line['project_code']}/{line['list']}/{line['ref']}", **line)


def _check_registers(file: str, lines: list[Line]) -> None:
    for line in lines:
        if line["probability"] is not None and not 0 <= line["probability"] <= 1:
            raise wrong(
                file,
                line.number,
                "probability",
                f"{line['probability']:g} is not between 0 and 1 (write 0,3 or 30 %)",
            )


SHEETS: tuple[Sheet, ...] = (
    Sheet(
        file="projects.csv", records=(Project,), key=("code",), make=_project, check=_check_projects,
        columns={
            "code": NEEDED, "name": NEEDED,
            "level": Column(default="project", choices=_says(
                "portfolio", "program", "project", "workstream", portefeuille="portfolio", programme="program", projet="project", chantier="workstream")),
            "parent_code": TEXT, "phase": TEXT,
            "state": Column(default="active", choices=_says("proposed", "active", "on_hold", "closed", "cancelled")),
            "manager": TEXT, "sponsor": TEXT, "customer": TEXT, "entity": TEXT, "strategic_axis": TEXT,
            "priority": Column(kind="int"), "currency": Column(default="EUR"), "calendar_id": TEXT,
        },
    ),
    Sheet(
        file="project_links.csv", records=(ProjectLink,), key=("project_code", "source", "container", "filter"), make=_link,
        check=_check_links,
        columns={
            "project_code": NEEDED, "source": NEEDED, "container": NEEDED, "filter": Column(default=""), "facets": Column(default=""),
        },
    ),
    Sheet(
        file="people.csv", records=(Person, Team), key=("code", "employee_no", "email", "name"), make=_person, check=_check_people,
        columns={
            "code": TEXT, "name": NEEDED, "email": TEXT, "aliases": TEXT, "employee_no": TEXT, "login": TEXT, "team": TEXT, "role": TEXT,
            "external": Column(kind="flag", default=False), "timesheet_expected": Column(kind="flag", default=True),
            "fte": Column(kind="number", default=1.0), "calendar": TEXT, "active_from": Column(kind="day"),
            "active_to": Column(kind="day"),
        },
    ),
    Sheet(
        file="accounts.csv", records=(AccountAlias,), key=("source", "account"), make=_alias,
        columns={"source": NEEDED, "account": NEEDED, "email": TEXT, "person": TEXT},
    ),
    Sheet(
        file="calendars.csv", records=(Calendar,), key=("calendar",), make=_calendar, check=_check_calendars,
        columns={
            "calendar": NEEDED, "country": TEXT, "subdivision": TEXT, "week": Column(default="1111100"),
            "hours_per_day": Column(kind="hours", default=25200),
        },
    ),
    Sheet(
        file="calendar_days.csv", records=(CalendarDay,), key=("calendar", "day"), make=_calendar_day,
        columns={
            "calendar": NEEDED, "day": Column(kind="day", needed=True), "hours": Column(kind="hours", default=0), "label": TEXT,
        },
    ),
    Sheet(
        file="rates.csv", records=(Rate,), key=("scope", "scope_id", "valid_from"), make=_rate, check=_check_rates,
        columns={
            "scope": Column(default="default", choices=_says("person", "role", "team", "project", "default")),
            "scope_id": Column(default="*"), "valid_from": Column(kind="day", default="0001-01-01"), "valid_to": Column(kind="day"),
            "per_day": Column(kind="money", needed=True), "currency": Column(default="EUR"),
        },
    ),
    Sheet(
        file="fx.csv", records=(FxRate,), key=("currency", "month"), make=_fx, check=_check_fx,
        columns={
            "currency": NEEDED, "month": Column(kind="month", needed=True), "per_eur": Column(kind="number", needed=True),
        },
    ),
    Sheet(
        file="targets.csv", records=(Target,), key=("kpi", "scope_id", "valid_from"), make=_target, check=_check_targets,
        columns={
            "kpi": NEEDED, "scope_id": Column(default="*"), "goal": Column(kind="number"), "amber": Column(kind="number"),
            "red": Column(kind="number"), "better": Column(default="up", choices=_says("up", "down", haut="up", bas="down")),
            "valid_from": Column(kind="day", default="0001-01-01"),
        },
    ),
    Sheet(
        file="statuses.csv", records=(StatusMap,), key=("source", "container", "status"), make=_status,
        columns={
            "source": NEEDED, "container": Column(default="*"), "status": NEEDED,
            "category": Column(needed=True, choices=_STATUS), "stage": TEXT,
        },
    ),
    Sheet(
        file="sla_goals.csv", records=(SlaGoal,), key=("project_code", "nature", "priority", "metric"), make=_sla,
        columns={
            "project_code": Column(default="*"), "nature": Column(default="*"), "priority": Column(default="*"),
            "metric": Column(default="resolution"), "goal_hours": Column(kind="hours", needed=True),
        },
    ),
    Sheet(
        file="assessments.csv", records=(Assessment,), key=("project_code", "day", "axis"), make=_assessment,
        columns={
            "project_code": NEEDED, "day": Column(kind="day", needed=True), "axis": Column(default="overall"),
            "rag": Column(needed=True, choices=_RAG),
            "trend": Column(choices=_says("up", "flat", "down", hausse="up", stable="flat", baisse="down")),
            "comment": TEXT, "author": TEXT,
        },
    ),
    Sheet(
        file="access.csv", records=(Access,), key=("user_principal", "project_code", "team"), make=_access,
        columns={"user_principal": NEEDED, "project_code": TEXT, "team": TEXT},
    ),
    Sheet(
        file="budgets.csv", records=(BudgetLine,), key=("project_code", "month", "category", "capex"), make=_budget,
        columns={
            "project_code": NEEDED, "month": Column(kind="month", needed=True), "category": Column(default="labour"),
            "capex": Column(kind="flag"), **{kind: Column(kind="money") for kind in ("baseline", "revised", "committed", "consumed", "forecast")},
            "currency": Column(default="EUR"),
        },
    ),
    Sheet(
        file="registers.csv", records=(RegisterItem,), key=("project_code", "ref"), make=_register, check=_check_registers,
        columns={
            "ref": NEEDED, "project_code": NEEDED,
            "kind": Column(needed=True, choices=_says("risk", "issue", "action", "decision", risque="risk", problème="issue", décision="decision")),
            "category": TEXT, "title": NEEDED,
            "state": Column(default="open", choices=_says("open", "closed", "cancelled", ouvert="open", clos="closed", abandonné="cancelled")),
            "probability": Column(kind="number"), "impact": Column(kind="int"), "exposure": Column(kind="money"), "currency": TEXT,
            "owner": TEXT, "opened_on": Column(kind="day"), "due_on": Column(kind="day"), "closed_on": Column(kind="day"),
        },
    ),
    Sheet(
        file="checklists.csv", records=(ChecklistItem,), key=("project_code", "list", "ref"), make=_checklist,
        columns={
            "project_code": NEEDED, "list": NEEDED, "ref": NEEDED, "label": NEEDED, "mandatory": Column(kind="flag", default=True),
            "state": Column(default="todo", choices=_says("todo", "ok", "nok", "na") | {"n/a": "na", "à faire": "todo", "sans objet": "na"}),
            "checked_on": Column(kind="day"), "evidence_url": TEXT,
        },
    ),
)  # fmt: skip

"""The CSV files of the reference data: their columns, and the records their lines become."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from hub.errors import ConfigError
from hub.placement import parse
from hub.records import (
    FACETS,
    Access,
    AccessGroup,
    AccountAlias,
    Assessment,
    BudgetLine,
    Calendar,
    CalendarDay,
    ChecklistItem,
    FieldValue,
    FxRate,
    Person,
    Project,
    ProjectLink,
    Rate,
    Record,
    RegisterItem,
    SiteField,
    SlaGoal,
    StatusMap,
    Target,
    Team,
)
from hub.reference.countries import unknown_country
from hub.reference.sheet import HOME, Heading, Line, Sheet, wrong
from hub.words import tr


def _says(*values: str, **also: str) -> dict[str, str]:
    return {value: value for value in values} | {
        word.replace("_", " "): value for word, value in also.items()
    }


OPEN, NEEDED = Heading(), Heading(needed=True)
_RAG = _says("green", "amber", "red", "grey", vert="green", orange="amber", rouge="red", gris="grey")
_STATUS = {
    "todo": "todo",
    "in_progress": "in_progress",
    "done": "done",
    "cancelled": "cancelled",
    "à faire": "todo",
    "en cours": "in_progress",
    "terminé": "done",
    "abandonné": "cancelled",
}


def _project(prefix: str, line: Line) -> Iterator[Record]:
    values = {name: line[name] for name in line if name != "manager"}
    yield Project(id=prefix + line["code"], manager_id=line["manager"], **values)


def _check_projects(file: str, lines: list[Line]) -> Iterable[str]:
    parents = {line["code"]: line["parent_code"] for line in lines}
    for line in lines:
        parent = line["parent_code"]
        if parent and parent not in parents:
            yield wrong(
                file,
                line.number,
                "parent_code",
                tr("there is no line with the code {parent!r}", parent=parent),
            )
        above, steps = parent, 0
        while above and steps <= len(lines):
            above, steps = parents.get(above), steps + 1
        if above:
            yield wrong(
                file, line.number, "parent_code", tr("{code!r} stands above itself", code=line["code"])
            )


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


def _check_links(file: str, lines: list[Line]) -> Iterable[str]:
    claimed: dict[tuple[str, str], tuple[str, int]] = {}
    taken: dict[tuple[str, str, str], int] = {}
    for line in (one for one in lines if one.has("project_code", "source", "container")):
        facets = [part.strip() for part in line["facets"].split(",") if part.strip()]
        if unknown := [part for part in facets if part not in FACETS]:
            yield wrong(
                file,
                line.number,
                "facets",
                tr("{unknown} is not one of {facets}", unknown=", ".join(unknown), facets=", ".join(FACETS)),
            )
        try:
            parse(line["filter"])
        except ConfigError as exc:
            yield wrong(file, line.number, "filter", str(exc))
        place = (line["source"], line["container"], line["filter"])
        if place in taken:
            yield tr(
                "{file}, line {number}: {source} {container!r} is already linked on line {taken}; a "
                "container feeds one project, or give each line a filter.",
                file=file,
                number=line.number,
                source=line["source"],
                container=line["container"],
                taken=taken[place],
            )
        taken.setdefault(place, line.number)
        for facet in facets:
            source, number = claimed.setdefault((line["project_code"], facet), (line["source"], line.number))
            if source != line["source"]:
                yield tr(
                    "{file}, line {number}, column facets: {facet} of {project_code} is already given to "
                    "{source} on line {other}; one tool is the authority for a facet, else it would "
                    "count twice.",
                    file=file,
                    number=line.number,
                    facet=facet,
                    project_code=line["project_code"],
                    source=source,
                    other=number,
                )


def _person(prefix: str, line: Line) -> Iterator[Record]:
    name = line["code"] or line["employee_no"] or line["email"] or line["name"]
    yield Person(
        id=prefix + name,
        display_name=line["name"],
        email=line["email"],
        aliases=line["aliases"],
        employee_no=line["employee_no"],
        login=line["login"],
        team=line["team"],
        role=line["role"],
        is_external=line["external"],
        timesheet_expected=line["timesheet_expected"],
        calendar_id=line["calendar"],
        fte=line["fte"],
        active_from=line["active_from"],
        active_to=line["active_to"],
    )
    if line["team"]:
        yield Team(id=f"{prefix.partition(':')[0]}:team/{line['team']}", name=line["team"])


def _check_people(file: str, lines: list[Line]) -> Iterable[str]:
    """Name those who share what recognises a person: an account would belong to one of them by chance."""
    seen: dict[tuple[str, str], int] = {}
    for line in lines:
        marks = [("employee_no", line["employee_no"]), ("login", line["login"]), ("email", line["email"])]
        marks += [("aliases", one) for one in (line["aliases"] or "").split()]
        for column, text in marks:
            if not text:
                continue
            kind = "email" if column == "aliases" else column
            number = seen.setdefault(
                (kind, unicodedata.normalize("NFC", text).strip().casefold()), line.number
            )
            if number != line.number:
                yield wrong(
                    file,
                    line.number,
                    column,
                    tr("{text!r} is already that of line {number}", text=text, number=number),
                )


def _alias(prefix: str, line: Line) -> Iterator[Record]:
    person = f"{prefix.partition(':')[0]}:people/{line['person']}" if line["person"] else None
    account = f"{line['source']}:{line['account']}"
    yield AccountAlias(id=prefix + account, account_id=account, email=line["email"], person_id=person)


def _calendar(prefix: str, line: Line) -> Iterator[Record]:
    yield Calendar(
        id=prefix + line["calendar"],
        code=line["calendar"],
        country=line["country"],
        subdivision=line["subdivision"],
        week_mask=line["week"],
        seconds_per_day=line["hours_per_day"],
    )


def _check_calendars(file: str, lines: list[Line]) -> Iterable[str]:
    for line in lines:
        if not re.fullmatch("[01]{7}", line["week"]) or "1" not in line["week"]:
            week = tr(
                "{week!r} is not seven 0 or 1 from Monday to Sunday, such as 1111100", week=line["week"]
            )
            yield wrong(file, line.number, "week", week)
        if line["country"] and (said := unknown_country(line["country"], line["subdivision"])):
            yield wrong(file, line.number, "subdivision" if line["subdivision"] else "country", said)


def _calendar_day(prefix: str, line: Line) -> Iterator[Record]:
    yield CalendarDay(
        id=f"{prefix}{line['calendar']}/{line['day']}",
        calendar=line["calendar"],
        day=line["day"],
        seconds=line["hours"],
        label=line["label"],
    )


def _rate(prefix: str, line: Line) -> Iterator[Record]:
    yield Rate(
        id=f"{prefix}{line['scope']}/{line['scope_id']}/{line['valid_from']}",
        scope=line["scope"],
        scope_id=line["scope_id"],
        valid_from=line["valid_from"],
        valid_to=line["valid_to"],
        minor_per_day=line["per_day"],
        currency=line["currency"],
    )


def _check_rates(file: str, lines: list[Line]) -> Iterable[str]:
    for line in lines:
        if line.has("scope") and line["scope"] != "default" and line["scope_id"] == "*":
            yield wrong(
                file,
                line.number,
                "scope_id",
                tr("say which {scope}; * is for the scope default", scope=line["scope"]),
            )
        if line["valid_to"] and line["valid_from"] and line["valid_to"] < line["valid_from"]:
            yield wrong(
                file,
                line.number,
                "valid_to",
                tr(
                    "{valid_to} is before {valid_from}",
                    valid_to=line["valid_to"],
                    valid_from=line["valid_from"],
                ),
            )


def _fx(prefix: str, line: Line) -> Iterator[Record]:
    yield FxRate(
        id=f"{prefix}{line['currency']}/{line['month']}",
        currency=line["currency"],
        month=line["month"],
        per_eur=line["per_eur"],
    )


def _target(prefix: str, line: Line) -> Iterator[Record]:
    kpi, _, measure = line["kpi"].partition(".")
    yield Target(
        id=f"{prefix}{line['kpi']}/{line['scope_id']}/{line['valid_from']}",
        kpi=kpi,
        measure=measure,
        scope_id=line["scope_id"],
        goal=line["goal"],
        amber=line["amber"],
        red=line["red"],
        direction=line["better"],
        valid_from=line["valid_from"],
        in_weather=line["weather"],
    )


def _check_targets(file: str, lines: list[Line]) -> Iterable[str]:
    for line in lines:
        if line.has("kpi") and "." not in line["kpi"]:
            said = tr(
                "{kpi!r} is not a KPI such as EVM_DAYS.cpi (`hub kpi --list` names them)", kpi=line["kpi"]
            )
            yield wrong(file, line.number, "kpi", said)
        amber, red = line["amber"], line["red"]
        if amber is not None and red is not None and (amber < red if line["better"] == "up" else amber > red):
            yield wrong(
                file,
                line.number,
                "amber",
                tr("where {better} is better, red begins beyond amber", better=line["better"]),
            )


_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def _field(prefix: str, line: Line) -> Iterator[Record]:
    yield SiteField(
        id=f"{prefix}{line['field']}/{line['source']}/{line['native']}",
        field=line["field"],
        level=line["level"],
        source=line["source"],
        native=line["native"],
        type=line["type"],
        fr=line["fr"] or line["en"] or line["native"],
        en=line["en"] or line["fr"] or line["native"],
        personal=line["personal"],
        value_map=line["values"],
    )


def _check_fields(file: str, lines: list[Line]) -> Iterable[str]:
    first: dict[str, Line] = {}
    captions: dict[tuple[str, str], str] = {}
    for line in lines:
        if not line.has("field", "level", "type"):
            continue
        name = line["field"]
        if not _FIELD_NAME.fullmatch(name):
            said = tr("{name!r} is no name of a column: small letters, digits and _, at most 40", name=name)
            yield wrong(file, line.number, "field", said)
        seen = first.setdefault(name, line)
        for column in ("level", "type", "personal"):
            if line[column] != seen[column]:
                said = tr(
                    "{name!r} is {this!r} here and {that!r} on line {number}: one field is of one kind",
                    name=name, this=line[column], that=seen[column], number=seen.number,
                )  # fmt: skip
                yield wrong(file, line.number, column, said)
        if line["type"] == "list" and line["level"] != "task":
            yield wrong(file, line.number, "type", tr("a list is of tasks; here a text can be kept"))
        for lang in ("fr", "en"):
            caption = (lang, (line[lang] or "").casefold())
            if caption[1] and captions.setdefault(caption, name) != name:
                said = tr(
                    "{caption!r} already names the field {name}", caption=line[lang], name=captions[caption]
                )
                yield wrong(file, line.number, lang, said)


def _field_value(prefix: str, line: Line) -> Iterator[Record]:
    yield FieldValue(
        id=f"{prefix}{line['values']}/{line['value']}",
        value_map=line["values"],
        value=line["value"],
        shown=line["shown"],
    )


def _status(prefix: str, line: Line) -> Iterator[Record]:
    if not line["category"]:
        return  # nobody has said it yet: the gate names such statuses with their tasks
    yield StatusMap(
        id=f"{prefix}{line['source']}/{line['container']}/{line['status']}",
        source=line["source"],
        container_id=line["container"],
        status_raw=line["status"],
        category=line["category"],
        stage=line["stage"],
    )


def _sla(prefix: str, line: Line) -> Iterator[Record]:
    key = "/".join(str(line[name]) for name in ("project_code", "nature", "priority", "metric"))
    yield SlaGoal(
        id=prefix + key,
        project_code=line["project_code"],
        nature=line["nature"],
        priority=line["priority"],
        metric=line["metric"],
        goal_s=line["goal_hours"],
    )


def _assessment(prefix: str, line: Line) -> Iterator[Record]:
    yield Assessment(id=f"{prefix}{line['project_code']}/{line['day']}/{line['axis']}", **line)


def _access(prefix: str, line: Line) -> Iterator[Record]:
    key = f"{line['user_principal']}/{line['project_code'] or '*'}/{line['team'] or '*'}"
    yield Access(id=prefix + key, **line)


GROUP = "group:"
"""What stands before the name of a group where a line of access.csv names one."""


def group_of(principal: str | None) -> str | None:
    """Return the name of the group that *principal* names, None where it is a person's address."""
    if principal is None or not principal.casefold().startswith(GROUP):
        return None
    return principal[len(GROUP) :].strip()


def _member(prefix: str, line: Line) -> Iterator[Record]:
    name = group_of(line["group"]) or line["group"]
    yield AccessGroup(id=f"{prefix}{name}/{line['member']}", group_name=name, member=line["member"])


def _budget(prefix: str, line: Line) -> Iterator[Record]:
    for kind in ("baseline", "revised", "committed", "consumed", "forecast"):
        if line[kind] is not None:
            key = (
                f"{line['project_code']}/{line['month']}/{line['category']}/{int(bool(line['capex']))}/{kind}"
            )
            yield BudgetLine(
                id=prefix + key,
                project_code=line["project_code"],
                month=line["month"],
                kind=kind,
                category=line["category"],
                is_capex=line["capex"],
                amount_minor=line[kind],
                currency=line["currency"],
            )


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


SHEETS: tuple[Sheet, ...] = (
    Sheet(
        file="projects.csv", prefix="", records=(Project,), key=("code",),
        make=_project, check=_check_projects,
        columns={
            "code": NEEDED, "name": NEEDED,
            "level": Heading(default="project", choices=_says(
                "portfolio", "program", "project", "workstream", portefeuille="portfolio",
                programme="program", projet="project", chantier="workstream")),
            "parent_code": OPEN, "phase": OPEN,
            "state": Heading(default="active", choices=_says("proposed", "active", "on_hold", "closed",
            "cancelled")),
            "manager": Heading(of="manager_id"), "sponsor": OPEN, "customer": OPEN, "entity": OPEN,
            "strategic_axis": OPEN,
            "priority": OPEN, "currency": Heading(default=HOME), "calendar_id": OPEN,
        },
    ),
    Sheet(
        file="project_links.csv", prefix="", records=(ProjectLink,),
        key=("project_code", "source", "container", "filter"),
        make=_link,
        check=_check_links,
        columns={
            "project_code": NEEDED, "source": NEEDED, "container": NEEDED, "filter": Heading(default=""),
            "facets": Heading(default=""),
        },
    ),
    Sheet(
        file="people.csv", records=(Person, Team), key=("code", "employee_no", "email", "name"), make=_person,
        check=_check_people,
        columns={
            "code": OPEN, "name": NEEDED, "email": OPEN, "aliases": OPEN, "employee_no": OPEN,
            "login": OPEN, "team": OPEN, "role": OPEN,
            "external": Heading(of="is_external", default=False), "timesheet_expected": Heading(default=True),
            "fte": Heading(default=1.0), "calendar": Heading(of="calendar_id"), "active_from": OPEN,
            "active_to": OPEN,
        },
    ),
    Sheet(
        file="accounts.csv", records=(AccountAlias,), key=("source", "account"), make=_alias,
        columns={"source": NEEDED, "account": NEEDED, "email": OPEN, "person": OPEN},
    ),
    Sheet(
        file="calendars.csv", records=(Calendar,), key=("calendar",), make=_calendar, check=_check_calendars,
        columns={
            "calendar": NEEDED, "country": OPEN, "subdivision": OPEN, "week": Heading(default="1111100"),
            "hours_per_day": Heading(of="seconds_per_day", default=25200),
        },
    ),
    Sheet(
        file="calendar_days.csv", records=(CalendarDay,), key=("calendar", "day"), make=_calendar_day,
        columns={
            "calendar": NEEDED, "day": Heading(needed=True), "hours": Heading(of="seconds", default=0),
            "label": OPEN,
        },
    ),
    Sheet(
        file="rates.csv", records=(Rate,), key=("scope", "scope_id", "valid_from"), make=_rate,
        check=_check_rates,
        columns={
            "scope": Heading(default="default", choices=_says("person", "role", "team", "project",
            "default")),
            "scope_id": Heading(default="*"), "valid_from": Heading(default="0001-01-01"), "valid_to": OPEN,
            "per_day": Heading(of="minor_per_day", needed=True), "currency": Heading(default=HOME),
        },
    ),
    Sheet(
        file="fx.csv", records=(FxRate,), key=("currency", "month"), make=_fx,
        columns={
            "currency": NEEDED, "month": Heading(needed=True), "per_eur": Heading(needed=True),
        },
    ),
    Sheet(
        file="targets.csv", records=(Target,), key=("kpi", "scope_id", "valid_from"), make=_target,
        check=_check_targets,
        columns={
            "kpi": NEEDED, "scope_id": Heading(default="*"), "goal": OPEN, "amber": OPEN,
            "red": OPEN, "better": Heading(default="up", choices=_says("up", "down", haut="up", bas="down")),
            "valid_from": Heading(default="0001-01-01"), "weather": Heading(of="in_weather", default=True),
        },
    ),
    Sheet(
        file="fields.csv", records=(SiteField,), key=("field", "source", "native"), make=_field,
        check=_check_fields,
        columns={
            "field": NEEDED,
            "level": Heading(default="task", choices=_says(
                "task", "project", "hours", "person", tâche="task", projet="project", heures="hours",
                temps="hours", personne="person")),
            "source": NEEDED, "native": NEEDED,
            "type": Heading(default="text", choices=_says(
                "text", "number", "date", "amount", "days", "flag", "list", texte="text", nombre="number",
                montant="amount", jours="days", oui_non="flag", liste="list")),
            "fr": OPEN, "en": OPEN, "personal": Heading(default=False),
            "values": Heading(of="value_map"),
        },
    ),
    Sheet(
        file="field_values.csv", records=(FieldValue,), key=("values", "value"), make=_field_value,
        columns={"values": Heading(of="value_map", needed=True), "value": NEEDED, "shown": NEEDED},
    ),
    Sheet(
        file="statuses.csv", records=(StatusMap,), key=("source", "container", "status"), make=_status,
        columns={
            "source": NEEDED, "container": Heading(default="*"), "status": NEEDED,
            "category": Heading(choices=_STATUS), "stage": OPEN,
        },
    ),
    Sheet(
        file="sla_goals.csv", records=(SlaGoal,), key=("project_code", "nature", "priority", "metric"),
        make=_sla,
        columns={
            "project_code": Heading(default="*"), "nature": Heading(default="*"),
            "priority": Heading(default="*"),
            "metric": Heading(default="resolution"), "goal_hours": Heading(of="goal_s", needed=True),
        },
    ),
    Sheet(
        file="assessments.csv", records=(Assessment,), key=("project_code", "day", "axis"), make=_assessment,
        columns={
            "project_code": NEEDED, "day": Heading(needed=True), "axis": Heading(default="overall"),
            "rag": Heading(needed=True, choices=_RAG),
            "trend": Heading(choices=_says("up", "flat", "down", hausse="up", stable="flat", baisse="down")),
            "comment": OPEN, "author": OPEN, "commentary": OPEN,
        },
    ),
    Sheet(
        file="access.csv", records=(Access,), key=("user_principal", "project_code", "team"), make=_access,
        columns={"user_principal": NEEDED, "project_code": OPEN, "team": OPEN},
    ),
    Sheet(
        file="access_groups.csv", records=(AccessGroup,), key=("group", "member"), make=_member,
        columns={"group": Heading(of="group_name", needed=True), "member": NEEDED},
    ),
    Sheet(
        file="budgets.csv", records=(BudgetLine,), key=("project_code", "month", "category", "capex"),
        make=_budget,
        columns={
            "project_code": NEEDED, "month": Heading(needed=True), "category": Heading(default="labour"),
            "capex": Heading(of="is_capex"), **{kind: Heading(of="amount_minor") for kind in ("baseline",
            "revised", "committed", "consumed", "forecast")},
            "currency": Heading(default=HOME),
        },
    ),
    Sheet(
        file="registers.csv", records=(RegisterItem,), key=("project_code", "ref"), make=_register,
        columns={
            "ref": NEEDED, "project_code": NEEDED,
            "kind": Heading(needed=True, choices=_says("risk", "issue", "action",
            "decision", risque="risk", problème="issue", décision="decision")),
            "category": OPEN, "title": NEEDED,
            "state": Heading(default="open", choices=_says("open", "closed",
            "cancelled", ouvert="open", clos="closed", abandonné="cancelled")),
            "probability": OPEN, "impact": OPEN, "exposure": Heading(of="exposure_minor"), "currency": OPEN,
            "owner": Heading(of="owner_id"), "opened_on": OPEN, "due_on": OPEN, "closed_on": OPEN,
            "asked_of": OPEN,
        },
    ),
    Sheet(
        file="checklists.csv", records=(ChecklistItem,), key=("project_code", "list", "ref"), make=_checklist,
        columns={
            "project_code": NEEDED, "list": NEEDED, "ref": NEEDED, "label": NEEDED,
            "mandatory": Heading(default=True),
            "state": Heading(default="todo", choices=_says("todo", "ok", "nok", "na") | {"n/a": "na",
            "à faire": "todo", "sans objet": "na"}),
            "checked_on": OPEN, "evidence_url": OPEN,
        },
    ),
)  # fmt: skip

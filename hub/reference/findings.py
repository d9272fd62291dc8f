"""Names in the reference data that nobody knows.

A line that speaks of nothing counts for nothing, in silence.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import get_args, get_type_hints

import msgspec

from hub.errors import SourceDataError
from hub.records import Task
from hub.reference.sheet import Line
from hub.reference.sheets import SHEETS, group_of
from hub.words import tr

NATURES = frozenset(get_args(get_type_hints(Task)["nature"]))


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is known beside config/: the names of sources, and of what was synced.

    None where nothing can be said.

    *kpis* are measures, such as ``EVM_DAYS.cpi``. *containers* and *accounts* are ids, codes and names by
    source, of sources that brought any, *fields* what is kept of the fields of their tools; *projects*,
    *people*, *teams*, *roles*, *calendars* and *groups* those that other sources than config bring.
    """

    sources: frozenset[str]
    kpis: frozenset[str] = frozenset()
    containers: dict[str, frozenset[str]] = {}
    accounts: dict[str, frozenset[str]] = {}
    fields: dict[str, frozenset[str]] = {}
    projects: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    calendars: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()


class Finding(msgspec.Struct, frozen=True):
    """One line of *file* that names something unknown."""

    file: str
    text: str


class _Names(msgspec.Struct, kw_only=True):
    """Everything that a line may name."""

    known: Known
    above: dict[str, str]
    """What stands above projects: the level of each code."""
    projects: frozenset[str]
    people: frozenset[str]
    teams: frozenset[str]
    roles: frozenset[str]
    calendars: frozenset[str]
    groups: frozenset[str]


def findings(folder: Path, known: Known) -> list[Finding]:
    """Return every line of the files of *folder* that names what is not *known*.

    Files that are wrong say so elsewhere.
    """
    lines: dict[str, list[Line]] = {}
    for sheet in SHEETS:
        try:
            lines[sheet.file] = sheet.lines(folder / sheet.file)[0] if (folder / sheet.file).exists() else []
        except SourceDataError:
            lines[sheet.file] = []
    names = _names(lines, known)
    found = []
    for file, column, look in _LOOKS:
        for line in lines[file]:
            for text in look(names, line):
                found.append(
                    Finding(
                        file,
                        tr(
                            "{file}, line {number}, column {column}: {text}.",
                            file=file,
                            number=line.number,
                            column=column,
                            text=text,
                        ),
                    )
                )
    order = {sheet.file: number for number, sheet in enumerate(SHEETS)}
    return sorted(found, key=lambda one: order[one.file])


def _names(lines: dict[str, list[Line]], known: Known) -> _Names:
    def column(file: str, *names: str) -> frozenset[str]:
        return frozenset(line[name] for line in lines[file] for name in names if line[name])

    # budgets, rates and the like count on projects and workstreams only
    levels = {line["code"]: line["level"] for line in lines["projects.csv"] if line["code"]}
    own = frozenset(code for code, level in levels.items() if level in {None, "project", "workstream"})
    # without a portfolio the containers are the projects, by their codes
    alone = (
        frozenset(one for names in known.containers.values() for one in names)
        if not own | known.projects
        else frozenset()
    )
    people = [
        line["code"] or line["employee_no"] or line["email"] or line["name"] for line in lines["people.csv"]
    ]
    named = frozenset(one for one in people if one)
    return _Names(
        known=known,
        above={code: level for code, level in levels.items() if code not in own},
        projects=own | known.projects | alone,
        people=column("people.csv", "email", "employee_no", "name", "code") | known.people | named,
        teams=column("people.csv", "team") | known.teams,
        roles=column("people.csv", "role") | known.roles,
        calendars=column("calendars.csv", "calendar") | known.calendars | {"default"},
        groups=frozenset(group_of(one) or one for one in column("access_groups.csv", "group") | known.groups),
    )


def _unknown(text: str | None, what: str, known: Iterable[str], *, case: bool = True) -> Iterator[str]:
    """Say that *text* is none of *known*, unless it is, or is empty, or nothing is known."""
    names = sorted(known)
    if not text or text == "*" or not names or text in names:
        return
    if not case and text.casefold() in {one.casefold() for one in names}:
        return
    close = difflib.get_close_matches(text, names, n=1)
    if close:
        yield tr("there is no {what} {text!r}; did you mean {close!r}?", what=what, text=text, close=close[0])
    else:
        yield tr("there is no {what} {text!r}", what=what, text=text)


def _project(names: _Names, line: Line) -> Iterator[str]:
    return _of_project(names, line["project_code"])


def _of_project(names: _Names, code: str | None, *, case: bool = True) -> Iterator[str]:
    if code and code in names.above:
        return iter(
            (
                tr(
                    "{code!r} is a {above}, and a project or workstream is needed here",
                    code=code,
                    above=names.above[code],
                ),
            )
        )
    return _unknown(code, tr("project"), names.projects, case=case)


def _source(names: _Names, line: Line) -> Iterator[str]:
    return _unknown(line["source"], tr("source"), names.known.sources)


def _container(names: _Names, line: Line) -> Iterator[str]:
    source = line["source"] or ""
    return _unknown(
        line["container"], tr("container of {source}", source=source), names.known.containers.get(source, ())
    )


def _account(names: _Names, line: Line) -> Iterator[str]:
    source = line["source"] or ""
    return _unknown(
        line["account"],
        tr("account of {source}", source=source),
        names.known.accounts.get(source, ()),
        case=False,
    )


def _native(names: _Names, line: Line) -> Iterator[str]:
    source, native = line["source"] or "", line["native"] or ""
    held = {one.casefold() for one in names.known.fields.get(source, ())}
    if source in names.known.containers and native.casefold() not in held:
        yield tr(
            "nothing that was read of {source} has the field {native!r}: the next sync asks for it, else "
            "`hub check {source}` lists what there is",
            source=source, native=native,
        )  # fmt: skip


def _rated(names: _Names, line: Line) -> Iterator[str]:
    if line["scope"] == "project":
        return _of_project(names, line["scope_id"], case=False)
    known = {"person": names.people, "role": names.roles, "team": names.teams}.get(line["scope"] or "")
    return iter(()) if known is None else _unknown(line["scope_id"], line["scope"], known, case=False)


def _kpi(names: _Names, line: Line) -> Iterator[str]:
    kpi = line["kpi"] or ""
    # a measure may be told apart further: SLA.compliance.resolution
    if ".".join(kpi.split(".")[:2]) in names.known.kpis:
        return iter(())
    return _unknown(kpi, "KPI", names.known.kpis)


def _seen(names: _Names, line: Line) -> Iterator[str]:
    """Say that a group of access.csv is nobody, and that a line allows nothing."""
    group = group_of(line["user_principal"])
    if group is not None and "@" not in group:
        if not names.groups:
            yield tr("the group {group!r} has no member in access_groups.csv: nobody is meant", group=group)
        yield from _unknown(group, tr("group"), names.groups, case=False)
    if not line["project_code"] and not line["team"]:
        yield tr("it names neither a project nor a team: it allows nothing")


def _seen_project(names: _Names, line: Line) -> Iterator[str]:
    if line["project_code"] == "*":
        return iter((tr("'*' is no project here: name each"),))
    return _project(names, line)


def _seen_team(names: _Names, line: Line) -> Iterator[str]:
    if line["team"] == "*":
        return iter((tr("'*' is no team here: name each"),))
    return _unknown(line["team"], "team", names.teams)


def _member(_: _Names, line: Line) -> Iterator[str]:
    if group_of(line["member"]) is not None:
        yield tr("{member!r} is a group, and a person's address is needed here", member=line["member"])


_LOOKS = (
    ("projects.csv",
    "calendar_id", lambda names, line: _unknown(line["calendar_id"], "calendar", names.calendars)),
    ("project_links.csv", "project_code", _project), ("project_links.csv", "source", _source),
    ("project_links.csv", "container", _container),
    ("people.csv", "calendar", lambda names, line: _unknown(line["calendar"], "calendar", names.calendars)),
    ("accounts.csv", "source", _source), ("accounts.csv", "account", _account),
    ("accounts.csv", "person", lambda names, line: _unknown(line["person"], "person", names.people)),
    ("calendar_days.csv",
    "calendar", lambda names, line: _unknown(line["calendar"], "calendar", names.calendars)),
    ("rates.csv", "scope_id", _rated), ("targets.csv", "kpi", _kpi),
    ("targets.csv",
    "scope_id", lambda names, line: _unknown(line["scope_id"], tr("project"),
    names.projects | set(names.above), case=False)),
    ("fields.csv", "source", _source), ("fields.csv", "native", _native),
    ("statuses.csv", "source", _source), ("statuses.csv", "container", _container),
    ("sla_goals.csv", "project_code", _project),
    ("sla_goals.csv", "nature", lambda names, line: _unknown(line["nature"], "nature", NATURES)),
    ("assessments.csv", "project_code", _project), ("access.csv", "user_principal", _seen),
    ("access.csv", "project_code", _seen_project), ("access.csv", "team", _seen_team),
    ("access_groups.csv", "member", _member),
    ("budgets.csv", "project_code", _project), ("registers.csv", "project_code", _project),
    ("checklists.csv", "project_code", _project),
)  # fmt: skip

"""Keep what was recognised and what people decided, in the store's memory, with who and why."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from hub.errors import ConfigError
from hub.files import safe_cell
from hub.matching.people import Face, Finding, name_key, recognise
from hub.matching.tasks import ExecTask, Match, PlanTask, match_tasks
from hub.placement import place
from hub.placement.questions import carried_hours, placed_tasks, unclaimed_containers
from hub.records import Person, PersonLink, ProjectLink, Record, TaskMatch
from hub.store import Store, matches
from hub.words import tr

SOURCE = "match"
COLUMNS = ("id", "kind", "left", "left_name", "right", "right_name", "method", "score", "state", "reason")


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One link as people review it: *left* is, or carries out, *right*.

    An account is a person, an issue carries out a plan task, a container belongs to a project.
    """

    id: str
    kind: Literal["person", "task", "container"]
    left: str
    left_name: str
    right: str
    right_name: str
    method: str
    score: float
    state: str
    reason: str


class Leftover(msgspec.Struct, frozen=True, kw_only=True):
    """Hours of one project's issues: on those that carry out a plan task, and on the rest."""

    project: str
    matched_s: int
    left_s: int
    unmatched_issues: int


class Counts(msgspec.Struct, kw_only=True):
    """What a proposal did: links accepted by an exact identifier, proposals waiting, links taken back."""

    accepted: int = 0
    proposed: int = 0
    withdrawn: int = 0


# ---------- proposing ----------


def propose(store: Store, aliases: Mapping[str, str], *, actor: str, fuzzy: bool = True) -> Counts:
    """Look at all accounts and tasks again; exact identifiers are accepted, names only proposed.

    Decisions of people are kept; what is no longer so is taken back. *fuzzy* compares like names too, which
    takes longer.
    """
    counts = Counts()
    with store.transaction():
        place(store.connection, check=False)
        findings, groups = recognise(_accounts(store), _people(store), aliases)
        findings += _unlisted(store, groups)
        people = {f"{SOURCE}:person/{f.account_id}/{f.person_id}": f for f in findings}
        _keep(store, "person_link", "account_id", people, _person_link, counts, actor, all_methods=True)
        found = match_tasks(*_tasks(store), fuzzy=fuzzy)
        tasks = {f"{SOURCE}:task/{m.exec_task_id}/{m.plan_task_id}": m for m in found}
        _keep(store, "task_match", "exec_task_id", tasks, _task_match, counts, actor, all_methods=fuzzy)
    return counts


def _keep(
    store: Store,
    table: str,
    one: str,
    found: dict[str, Any],
    make: Any,
    counts: Counts,
    actor: str,
    *,
    all_methods: bool,
) -> None:
    before = {row["id"]: row for row in matches.links(store, table)}
    decided = {
        row[one] for row in before.values() if row["method"] == "manual" and row["state"] == "accepted"
    }
    refused = {row["id"] for row in before.values() if row["state"] == "rejected"}
    fresh: list[Record] = []
    for id_, finding in found.items():
        if getattr(finding, one) in decided or id_ in refused:
            continue
        record = make(id_, finding)
        fresh.append(record)
        if finding.state == "accepted":
            counts.accepted += id_ not in before or before[id_]["state"] != "accepted"
        else:
            counts.proposed += 1
    kept = {record.id for record in fresh}
    gone = [
        id_
        for id_, row in before.items()
        if id_ not in kept
        and row["method"] != "manual"
        and row["state"] != "rejected"
        and (all_methods or row["method"] != "like name")
    ]
    if gone:
        counts.withdrawn += store.set_presence(table, gone, "deleted", "no longer found", run_id=0)
        for id_ in gone:
            if before[id_]["state"] == "accepted":
                store.audit(
                    "match withdraw", id_, actor=actor, before=_text(before[id_]), reason="no longer found"
                )
    store.save(fresh, run_id=0, source_id=SOURCE)
    for record in fresh:
        assert isinstance(record, (PersonLink, TaskMatch))
        old = before.get(record.id)
        if record.state == "accepted" and (old is None or old["state"] != "accepted"):
            after = _text(msgspec.to_builtins(record))
            store.audit("match accept", record.id, actor="rule", after=after, reason=record.reason)


def _accounts(store: Store) -> list[Face]:
    return [
        Face(
            id=row["id"],
            source=row["source_id"],
            kind=row["kind"],
            name=row["display_name"],
            employee_no=row["employee_no"],
            login=row["login"],
            emails=tuple(one for one in (row["alias"], row["email"]) if one),
            person=row["person_id"],
        )
        for row in matches.accounts(store)
    ]


def _people(store: Store) -> list[Face]:
    return [
        Face(
            id=row["id"],
            name=row["display_name"],
            employee_no=row["employee_no"],
            login=row["login"],
            emails=tuple(one for one in (row["email"], *(row["aliases"] or "").split()) if one),
        )
        for row in matches.people(store)
        if row["source_id"] != SOURCE
    ]


def _unlisted(store: Store, groups: list[list[Face]]) -> list[Finding]:
    """Make a person of accounts with one identifier that people.csv does not list."""
    findings, people = [], []
    for group in groups:
        first = min(group, key=lambda face: face.id)
        id_ = f"{SOURCE}:people/{first.id}"
        name = next((face.name for face in group if face.name), first.id)
        people.append(
            Person(
                id=id_,
                display_name=name,
                email=next((one for face in group for one in face.emails), None),
                timesheet_expected=False,
            )
        )
        findings += [
            Finding(
                account_id=face.id,
                person_id=id_,
                state="accepted",
                method="same identifier",
                score=1.0,
                reason="these accounts share an exact identifier",
            )
            for face in group
        ]
    ours = {person.id for person in people}
    gone = [
        row["id"] for row in matches.people(store) if row["source_id"] == SOURCE and row["id"] not in ours
    ]
    store.set_presence("person", gone, "deleted", "its accounts are known otherwise", run_id=0)
    store.save(people, run_id=0, source_id=SOURCE)
    return findings


def _tasks(store: Store) -> tuple[list[PlanTask], list[ExecTask], set[str]]:
    containers = matches.container_codes(store)
    plans = sum(row["kind"] == "plan" for row in containers)
    prefixes = {row["code"] for row in containers if row["kind"] != "plan" and row["code"]}
    if not plans or plans == len(containers):
        return [], [], set()
    texts: dict[str, list[str]] = {}
    for row in matches.texts_with_keys(store):
        texts.setdefault(row["row_id"], []).append(row["text"])
    plan, work = [], []
    for row in placed_tasks(store.connection):
        id_, project, title = row["id"], row["project"], row["title"]
        if row["planned"]:
            more = [row["url"]] if row["url"] else []
            plan.append(PlanTask(id=id_, project=project, title=title, texts=(*texts.get(id_, ()), *more)))
        else:
            work.append(ExecTask(id=id_, project=project, title=title, key=row["code"], url=row["url"]))
    return plan, work, prefixes


def _person_link(id_: str, f: Finding) -> PersonLink:
    return PersonLink(
        id=id_,
        account_id=f.account_id,
        person_id=f.person_id,
        method=f.method,
        score=f.score,
        state=f.state,  # type: ignore[arg-type]
        reason=f.reason,
    )


def _task_match(id_: str, m: Match) -> TaskMatch:
    return TaskMatch(
        id=id_,
        plan_task_id=m.plan_task_id,
        exec_task_id=m.exec_task_id,
        method=m.method,
        score=m.score,
        state=m.state,  # type: ignore[arg-type]
        reason=m.reason,
    )


# ---------- reviewing ----------


def lines(store: Store, *, state: str | None = None, kind: str | None = None) -> list[Line]:
    """Return every link in *state* (all when None), people first; the least certain last."""
    found = []
    if kind in {None, "person"}:
        found += matches.person_lines(store)
    if kind in {None, "task"}:
        found += matches.task_lines(store)
    result = [Line(**row) for row in found]
    if kind in {None, "container"}:
        result += containers(store)
    return [line for line in result if state is None or line.state == state]


def containers(store: Store) -> list[Line]:
    """Return the containers that no project claims, each with the one it seems to be of by code or name."""
    projects = matches.project_names(store)
    found = []
    for row in unclaimed_containers(store.connection):
        for project in projects:
            same = name_key(row["name"]) == name_key(project["name"])
            holds = (
                len(project["code"]) > 2
                and project["code"].casefold() in f"{row['code'] or ''} {row['name']}".casefold()
            )
            if same or holds:
                found.append(
                    Line(
                        id=f"c{row['key']}",
                        kind="container",
                        left=row["id"],
                        left_name=row["name"],
                        right=project["code"],
                        right_name=project["name"],
                        method="same name" if same else "code in name",
                        score=0.9 if same else 0.7,
                        state="proposed",
                        reason="no line of project_links.csv takes it",
                    )
                )
                break
    return found


def leftovers(store: Store) -> list[Leftover]:
    """Return, per project, the hours on issues that carry out a plan task, and on the rest."""
    return [Leftover(**row) for row in carried_hours(store.connection)]


# ---------- deciding ----------


def accept(store: Store, ids: Iterable[str], *, actor: str, reason: str | None = None) -> int:
    """Accept links by their short id (``p12``, ``t3``, ``c7``).

    Another accepted link of the same account or issue gives way.
    """
    done = 0
    with store.transaction():
        for line in _picked(store, ids):
            if line.kind == "container":
                record: Record = ProjectLink(
                    id=f"{SOURCE}:{line.right}/{line.left}", project_code=line.right, container_id=line.left
                )
                store.save([record], run_id=0, source_id=SOURCE)
                store.audit(
                    "match accept",
                    record.id,
                    actor=actor,
                    after=_text(msgspec.to_builtins(record)),
                    reason=reason or line.reason,
                )
                done += 1
                continue
            for other in lines(store, state="accepted", kind=line.kind):
                if other.left == line.left and other.id != line.id:
                    _set(store, other, "rejected", actor, f"replaced by {line.right_name}")
            _set(store, line, "accepted", actor, reason or f"{line.method}: {line.reason}")
            done += 1
    return done


def reject(store: Store, ids: Iterable[str], *, actor: str, reason: str | None = None) -> int:
    """Reject links by their short id: they are not proposed again."""
    done = 0
    with store.transaction():
        for line in _picked(store, ids):
            if line.kind == "container":
                raise ConfigError(
                    tr(
                        "{id}: a container is only proposed; link it elsewhere in project_links.csv.",
                        id=line.id,
                    )
                )
            _set(store, line, "rejected", actor, reason or "rejected")
            done += 1
    return done


def split(store: Store, ids: Iterable[str], *, actor: str, reason: str | None = None) -> int:
    """Take accounts or issues away from what they were accepted for; they stand alone until people decide."""
    picked = list(_picked(store, ids))
    for line in picked:
        if line.state != "accepted":
            raise ConfigError(
                tr(
                    "{id} is {state}, not accepted: there is nothing to split.",
                    id=line.id,
                    state=tr(line.state),
                )
            )
    return reject(store, [line.id for line in picked], actor=actor, reason=reason or "split")


def _picked(store: Store, ids: Iterable[str]) -> list[Line]:
    known = {line.id: line for line in lines(store)}
    picked = []
    for id_ in ids:
        if id_ not in known:
            raise ConfigError(
                tr("There is no link {id!r}: `hub match review` shows them with their ids.", id=id_)
            )
        picked.append(known[id_])
    return picked


def _set(store: Store, line: Line, state: Literal["accepted", "rejected"], actor: str, reason: str) -> None:
    table, record = ("person_link", PersonLink) if line.kind == "person" else ("task_match", TaskMatch)
    row = matches.link(store, table, int(line.id[1:]))
    fields = {name: row[name] for name in record.__struct_fields__}
    changed = record(**{**fields, "state": state, "method": "manual", "reason": f"{reason} ({actor})"})
    store.save([changed], run_id=0, source_id=SOURCE)
    store.audit(
        f"match {state}",
        row["id"],
        actor=actor,
        before=_text(fields),
        after=_text(msgspec.to_builtins(changed)),
        reason=reason,
    )


def _text(row: Any) -> str:
    return json.dumps(row, ensure_ascii=False, default=str)


# ---------- the round trip through a spreadsheet ----------


def export_csv(store: Store, *, state: str | None = None) -> str:
    """Return the links as CSV with semicolons: change ``state`` to accepted or rejected, then import it.

    A cell that a spreadsheet would run gets an apostrophe before it. The import reads ids and states alone,
    which never have one.
    """
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")  # its own end of line, \r\n, makes it quote either of the two
    writer.writerow(COLUMNS)
    writer.writerows(
        [safe_cell(getattr(line, name)) for name in COLUMNS] for line in lines(store, state=state)
    )
    return out.getvalue()


def import_csv(store: Store, text: str, *, name: str, actor: str) -> tuple[int, int]:
    """Take the decisions of an exported CSV; return how many were accepted and rejected.

    All of it, or nothing with the line that is wrong.
    """
    body = text.removeprefix("\ufeff")
    reader = csv.DictReader(io.StringIO(body), delimiter=max(";,\t", key=body.partition("\n")[0].count))
    if missing := [one for one in ("id", "state") if one not in (reader.fieldnames or [])]:
        raise ConfigError(
            tr(
                "{name}, line 1: the column {missing} is missing; export it first with `hub match export`.",
                name=name,
                missing=", ".join(missing),
            )
        )
    known = {line.id: line for line in lines(store)}
    accepted: list[str] = []
    rejected: list[str] = []
    for row in reader:
        id_, state = (row["id"] or "").strip(), (row["state"] or "").strip().lower()
        if id_ not in known:
            raise ConfigError(
                tr(
                    "{name}, line {line}, column id: there is no link {id!r}.",
                    name=name,
                    line=reader.line_num,
                    id=id_,
                )
            )
        if state not in {"accepted", "rejected", "proposed"}:
            raise ConfigError(
                tr(
                    "{name}, line {line}, column state: {state!r} is not accepted, rejected or proposed.",
                    name=name,
                    line=reader.line_num,
                    state=state,
                )
            )
        if state == known[id_].state or state == "proposed":
            continue
        (accepted if state == "accepted" else rejected).append(id_)
    with store.transaction():
        accept(store, accepted, actor=actor, reason=f"imported from {name}")
        reject(store, rejected, actor=actor, reason=f"imported from {name}")
    return len(accepted), len(rejected)

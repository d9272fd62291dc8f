"""Silver, of the answer sheet: it vouches for all that is written, and what a row names is there."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import msgspec

from hub.columns import columns_of
from hub.placement import left
from hub.records import BY_TABLE
from hub.simulator import Request, Response
from hub.testing.kit import faults
from hub.testing.kit.certification import SawNothing, SourceCertification
from hub.testing.kit.checks import check, reason, well
from hub.testing.kit.harness import Failed, Harness, table

BY_ROW = {"choice", "flag"}
"""Kinds of columns that are vouched for row by row: one absence on the sheet says nothing of other hours."""


@check(
    "silver",
    "Every field that is written is vouched for by the answer sheet: a choice or a flag on each of its rows.",
    "Let the world's `truth` say it, from what the tool shows; or do not write the field.",
)
def every_field_is_vouched_for(certification: SourceCertification, seed: int) -> str:
    """Look for values in the store of which the sheet says nothing."""
    with table(certification, seed) as harness:
        harness.sync()
        written, silent = vouched(harness)
        if silent:
            said = "; ".join(f"{name}: {', '.join(fields)}" for name, fields in sorted(silent.items()))
            raise Failed(f"the answer sheet is silent on {said}")
        return f"{sum(map(len, written.values()))} fields of {', '.join(sorted(written))}"


def vouched(harness: Harness) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return the fields that hold something, by table, and those of them on which the sheet is silent."""
    truth = harness.world.truth()
    written, silent = defaultdict(list), defaultdict(list)
    for name, record in BY_TABLE.items():
        rows = harness.counted(name)
        kinds = columns_of(record)
        for field in msgspec.structs.fields(record):
            if field.name == "id":
                continue
            filled = [id_ for id_, row in rows.items() if _says(row[field.name], field.default)]
            named = [id_ for id_ in filled if field.name in truth.get(name, {}).get(id_, {})]
            if filled:
                written[name].append(field.name)
            if len(named) < (len(filled) if kinds[field.name].kind in BY_ROW else bool(filled)):
                silent[name].append(
                    f"{field.name} (on {len(filled) - len(named)} of {len(filled)})" if named else field.name
                )
    return written, silent


def _says(value: Any, default: Any) -> bool:
    return value is not None and value != default


@check(
    "silver",
    "What a row names is there: containers, tasks, people, sprints.",
    "Yield the row that is named, or leave the field empty where the tool shows none.",
)
def references_resolve(certification: SourceCertification, seed: int) -> str:
    """Look for references to rows that no table holds."""
    with table(certification, seed) as harness:
        harness.sync()
        known = {row["id"] for name in BY_TABLE for row in harness.store.rows(f"SELECT id FROM {name}")}
        seen = 0
        for name, record in BY_TABLE.items():
            for column, what in columns_of(record).items():
                if what.kind != "reference":
                    continue
                named = [
                    (id_, row[column])
                    for id_, row in harness.counted(name).items()
                    if row[column] and str(row[column]).startswith(f"{harness.source.name}:")
                ]
                seen += len(named)
                if lost := [pair for pair in named if pair[1] not in known]:
                    id_, to = lost[0]
                    raise Failed(
                        f"{len(lost)} of {len(named)} {name}.{column} name what is not there, "
                        f"such as {to} of {id_}"
                    )
        if not seen:
            raise SawNothing("its rows name rows of other sources only")
        return f"{seen} references"


@check(
    "silver",
    "After a move the hours of a task stand where it stands, and no census calls them gone.",
    "Give hours the container of their task, or none; make a census of hours only of what is listed whole.",
    needs=("containers", "worklogs", "edits"),
)
def hours_follow_their_task(certification: SourceCertification, seed: int) -> str:
    """Move a row with hours, and sync with a census."""
    with table(certification, seed) as harness:
        if harness.main != "task":
            raise SawNothing("its rows that move are no tasks")
        well(harness)
        logged = {row["task_id"] for row in harness.counted("worklog").values()}
        world = harness.world
        moved = next(
            (one for one in world.rows() if harness.source.row_id(world.stored_id(one)) in logged), None
        )
        if moved is None:
            raise SawNothing("no hours are logged on a row that can be moved")
        task = harness.source.row_id(world.stored_id(moved))
        before = {id_ for id_, row in harness.counted("worklog").items() if row["task_id"] == task}
        world.move(moved)
        well(harness, "a move and a census", census=True)
        if gone := before - harness.counted("worklog").keys():
            raise Failed(f"{len(gone)} worklogs of the moved task were called gone")
        (home,) = harness.store.rows("SELECT container_id FROM task WHERE id = ?", (task,))
        for id_ in sorted(before):
            stands = harness.counted("worklog")[id_]["container_id"]
            if stands not in {None, home["container_id"]}:
                raise Failed(f"worklog {id_} stands in {stands}, its task in {home['container_id']}")
        return f"{len(before)} worklogs of one task"


@check(
    "silver",
    "A census that is not proven lets nothing leave.",
    "Compare the ids of a census with the tool's own count, or with what the run has just read.",
    needs=("deletions", "edits", "counts"),
    medium="http",
)
def a_census_is_proven(certification: SourceCertification, seed: int) -> str:
    """Show half of each list in turn to a run that takes a census, without the hub's guard."""
    verdicts = []
    for at in range(1, 13):
        with table(certification, seed) as harness:
            well(harness)
            harness.without_guard()
            lists = [0]
            report = harness.sync(_counting(faults.halved(at), lists), census=True)
            away = {
                name: len(rows)
                for name in harness.world.truth()
                if BY_TABLE[name].guarded
                and (rows := harness.store.rows(f"SELECT 1 FROM {name} WHERE {left()}"))
            }
            if away:
                raise Failed(f"half of list {at} was shown, and {_told(away)} left ({report.verdict})")
            if not lists[0]:
                break
            verdicts.append(report.verdict)
    if not verdicts:
        raise SawNothing("a run with a census was shown no list of two or more")
    return f"{len(verdicts)} lists halved in turn, and nothing left"


def _told(away: dict[str, int]) -> str:
    return ", ".join(f"{count} {name} rows" for name, count in away.items())


def _counting(fault: faults.Fault, changed: list[int]) -> faults.Fault:
    """Count the answers that *fault* changes."""

    def counted(number: int, request: Any, honest: Any) -> Any:
        answer = honest()
        shown = fault(number, request, lambda: answer)
        changed[0] += shown is not answer
        return shown

    return counted


@check(
    "silver",
    "What rows name is read again: a day later a renamed container or person is called by the new name.",
    "Read the lists of containers and people in every run, or once a day by the clock of ctx.now().",
    needs=("edits",),
)
def look_ups_are_refreshed(certification: SourceCertification, seed: int) -> str:
    """Rename a container and a person, and sync a day later with a census."""
    with table(certification, seed) as harness:
        well(harness)
        done = []
        for verb in ("rename_container", "rename_person"):
            try:
                getattr(harness.world, verb)()
            except SawNothing:
                continue
            done.append(verb.removeprefix("rename_"))
        if not done:
            raise SawNothing("its world renames neither a container nor a person")
        with harness.later(hours=25):
            report = harness.sync(census=True)
        if report.verdict != "ok":
            raise Failed(f"the run a day later ended {report.verdict}: {reason(report)}")
        if old := [one for one in harness.differences() if one.startswith(("container ", "account "))]:
            raise Failed(f"after a {' and a '.join(done)} renamed: {'; '.join(old)}")
        return f"{' and '.join(done)} renamed"


@check(
    "silver",
    "A list that was read before and is refused now is told, in that run and in the one ten minutes later.",
    "Read it within ctx.looking_at(…), and again while ctx.refused holds its name; or let the refusal end "
    "the partition, and plan that again in the next run.",
    medium="http",
)
def refused_later(certification: SourceCertification, seed: int) -> str:
    """Refuse each kind of question that a daily run asks, one a day, after two days in which all is well."""
    asked: dict[str, None] = {}

    def note(_: int, request: Request, honest: Callable[[], Response]) -> Response:
        asked[_route(request)] = None
        return honest()

    with table(certification, seed) as harness:
        well(harness)
        with harness.later(hours=25):
            harness.sync(note)
        routes = [one for one in asked if not any(re.search(spared, one) for spared in certification.spared)]
        met = 0
        for day, route in enumerate(routes, start=1):
            refused = [0]

            def refuse(
                _: int,
                request: Request,
                honest: Callable[[], Response],
                route: str = route,
                refused: list[int] = refused,
            ) -> Response:
                if _route(request) != route:
                    return honest()
                refused[0] += 1
                return Response(status=403, body={})

            for hours, fault in ((25.0, refuse), (25.2, refuse), (50.0, None)):
                with harness.later(hours=50 * day + hours):
                    report = harness.sync(fault)
                if refused[0] and (report.verdict == "ok") != (fault is None):
                    said = "refused" if fault else "answered again"
                    raise Failed(f"{route} was read before and {said}, and the run ended {report.verdict}")
            met += bool(refused[0])
        if not met:
            raise SawNothing("no question of a day is asked on the next one")
        return f"kinds of questions: {met}"


def _route(request: Request) -> str:
    """Return what is asked for, without the ids of what it is asked of."""
    path = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", unquote(request.path))
    return f"{request.method} {re.sub(r'[0-9]+', 'N', path)}"


@check(
    "silver",
    "A total that lies loses nothing in silence.",
    "Read until the list itself ends; compare what came with the total, and say when they differ.",
    needs=("counts",),
    medium="http",
)
def totals_that_lie(certification: SourceCertification, seed: int) -> str:
    """Let every total be too high, too low, and nought."""
    verdicts = []
    for change in (lambda n: n + 3, lambda n: max(n - 3, 0), lambda n: 0):
        with table(certification, seed) as harness:
            lists = [0]
            report = harness.sync(_counting(faults.lying_totals(change), lists))
            if report.verdict == "ok" and (
                lost := [one for one in harness.differences() if "missing" in one]
            ):
                raise Failed(f"the totals were {change(100)} for 100, the verdict ok, and {lost[0]}")
            if not lists[0]:
                raise SawNothing("no answer has a number beside its list that is called a total or a count")
            verdicts.append(report.verdict)
    return f"too high {verdicts[0]}, too low {verdicts[1]}, nought {verdicts[2]}"


@check(
    "silver",
    "Ten pages and more are read like one.",
    "Keep page numbers as numbers, and set no limit on pages that nobody hears of.",
    needs=("scale",),
)
def ten_pages_and_more(certification: SourceCertification, seed: int) -> str:
    """Read a world six times as large."""
    with table(certification, seed, scale=6) as harness:
        well(harness)
        return f"{len(harness.counted(harness.main))} {harness.main} rows"

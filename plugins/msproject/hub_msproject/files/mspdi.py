"""Read MSPDI, Microsoft Project's XML, as a stream and without a JVM.

The XML holds computed values, so no scheduling is needed; only daily work is spread by the calendars.
Safe: a document with a DTD is refused before anything is parsed, so there are no entities to expand.
Field meanings: the MSPDI schema (schemas.microsoft.com/project), lag in tenths of a minute, cost in cents.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree as ET

import msgspec

from hub_msproject.files.capacity import Capacities, Present
from hub_msproject.files.fields import FIELDS, custom_row
from hub_msproject.files.mspdi_xml import NS, broken, guid_of, opened, peek, tree_builder, unreadable
from hub_msproject.files.schedule import (
    CONSTRAINTS,
    AssignmentRow,
    BaselineRow,
    CapacityRow,
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
from hub_msproject.files.workdays import (
    ROUNDING,
    Calendar,
    Interval,
    Span,
    Spread,
    both,
    done_days,
    left_days,
    moment,
    settle,
    spread,
    weights,
)

READER = "mspdi-3"
LINK, BASELINE, CUSTOM, CODE, TIMEPHASED = (
    NS + name
    for name in ("PredecessorLink", "Baseline", "ExtendedAttribute", "OutlineCode", "TimephasedData")
)
LINK_TYPES = {"0": "FF", "1": "FS", "2": "SF", "3": "SS"}
_DURATION = re.compile(
    r"^(-?)P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?[\d.]+)S)?)?$"
)
_NONE_RESOURCE = -65535
_BY_NUMBER = {str(number): constraint for number, constraint in enumerate(CONSTRAINTS)}
_ELAPSED = frozenset(map(str, (4, 6, 8, 10, 12, 36, 38, 40, 42, 44)))
"""Units of durations (DurationFormat) that count nights and weekends too, sure and estimated."""
_BLOCK = 1 << 14  # small blocks keep the elements in the processor's cache: 20 % faster than 128 KB


@lru_cache(maxsize=8192)
def seconds(text: str | None) -> int | None:
    """Turn ``PT8H30M0S`` into seconds; None for nothing or nonsense."""
    match = _DURATION.match(text or "")
    if not match:
        return None
    sign, years, months, days, hours, minutes, secs = match.groups()
    total = int(hours or 0) * 3600 + int(minutes or 0) * 60 + round(float(secs or 0))
    total += (int(years or 0) * 365 + int(months or 0) * 30 + int(days or 0)) * 86400
    return -total if sign else total


def spool(path: Path, to: Path) -> list[Header]:
    """Read *path* whole into the file *to*, as `mpxj.Mpxj.spool` does, and return the plans that it holds."""
    encode = msgspec.json.Encoder().encode
    headers: list[Header] = []
    with to.open("wb") as file:
        for row in read(path):
            if isinstance(row, Header):
                _told_apart(row, headers)
                headers.append(row)
            file.write(encode(row) + b"\n")
    return headers


def _told_apart(row: Header, others: list[Header]) -> None:
    """Name an inserted plan by its title, and let it have no other plan's name or GUID."""
    if others and row.title not in {one.title for one in others}:
        row.code = row.title
    if row.guid in {one.guid for one in others}:
        row.guid = None


def read(path: Path) -> Rows:
    """Yield the rows of the plan, then those of each plan that was inserted into it and that the file holds.

    Raises `SourceDataError` for a damaged, foreign or unsafe file.
    """
    guid, _ = peek(path)
    try:
        with opened(path) as file:
            reader = _Reader(guid)
            yield from reader.rows(file)
            yield from reader.held()
    except ET.ParseError as exc:
        raise broken(path, exc) from exc
    except OSError as exc:
        raise unreadable(path, exc) from exc


def _yes(text: str | None, *, otherwise: bool = False) -> bool:
    """Read a boolean of XML Schema: 1 or true, 0 or false."""
    return otherwise if text is None else text.strip().lower() in {"1", "true"}


def _plain(element: ET.Element) -> dict[str, str]:
    """Return the direct children that have text, by tag with its namespace."""
    return {child.tag: child.text for child in element if child.text}


def _split(element: ET.Element) -> tuple[dict[str, str], list[ET.Element]]:
    """Return the leaves by tag, and the children that have children."""
    facts = {}
    nested = []
    for child in element:
        if len(child):
            nested.append(child)
        elif child.text:
            facts[child.tag] = child.text
    return facts, nested


def _local(element: ET.Element) -> dict[str, str]:
    cut = len(NS)
    return {child.tag[cut:]: child.text for child in element if child.text}


def _money(text: str | None) -> float | None:
    """Read a cost, which MSPDI keeps in hundredths of the currency."""
    return float(text) / 100 if text else None


def _slack(text: str | None) -> int | None:
    """Read a slack, in tenths of a minute."""
    return round(float(text)) * 6 if text else None


def _read(kind: str, value: str) -> str | float | bool | None:
    """Return the value of a custom field of a kind; None for a flag that is not set."""
    if kind == "Cost":
        return _money(value)
    if kind == "Duration":
        found = seconds(value)
        return value if found is None else found / 3600
    return (_yes(value) or None) if kind == "Flag" else value


def _custom(name: str, kind: str, value: str) -> CustomRow | None:
    return custom_row(name, _read(kind, value), hours=kind == "Duration")


def _path(key: str, listed: dict[str, tuple[str, str]]) -> str:
    """Return a value of a list with those above it."""
    names: list[str] = []
    while key in listed and len(names) < len(listed):
        value, key = listed[key]
        names.append(value)
    return ".".join(reversed(names))


def _ticked(text: str | None) -> bool | None:
    return None if text is None else _yes(text)


class _Reader:
    def __init__(self, guid: str | None, inserted: str | None = None) -> None:
        self.header = Header(guid=guid, file_type="MSPDI", reader=READER, inserted=inserted)
        self.calendars: dict[int, Calendar] = {}
        self.default_calendar = -1
        self.resource_calendar: dict[int, int] = {}
        self.task_calendar: dict[Uid, tuple[int, bool]] = {}
        self.aliases: dict[str, tuple[str, dict[str, str]]] = {}
        self.parents: list[tuple[int, int]] = []
        self.spans: dict[tuple[int, int, str, str], list[tuple[str, int]]] = {}
        self.tail = Tail(tasks=0)
        self.odd: list[OddRow] = []
        self.inserted: list[tuple[str | None, ET.Element]] = []
        self.days: set[str | None] = set()
        self.there: dict[int, list[Present]] = {}
        self.takers: dict[str, tuple[str, Callable[[ET.Element], Row | None]]] = {
            NS + "Tasks": ("task", self._task),
            NS + "Resources": ("resource", self._resource),
            NS + "Assignments": ("assignment", self._assignment),
        }
        self.settings: dict[str, Callable[[ET.Element], None]] = {
            NS + "Calendars": self._calendars,
            NS + "ExtendedAttributes": self._aliases,
            NS + "OutlineCodes": self._aliases,
        }

    def _taken(self, kind: str, take: Callable[[ET.Element], Any], element: ET.Element) -> Any:
        """Return what *take* makes of *element*; one that it fails on, in whatever way, costs itself."""
        try:
            return take(element)
        except Exception as exc:  # noqa: BLE001 - one odd element costs one element
            uid = element.findtext(NS + "UID")
            self.odd.append(OddRow(kind=kind, uid=uid, reason=f"{type(exc).__name__}: {exc}"))
            return None

    def held(self) -> Iterator[Row]:
        """Yield the rows of the plans that were inserted, and of those inserted into them."""
        for name, project in self.inserted:
            reader = _Reader(guid_of(project.findtext(NS + "GUID")), name or project.findtext(NS + "Name"))
            yield from reader.rows_of(project)
            yield from reader.held()

    def rows_of(self, project: ET.Element) -> Iterator[Row]:
        """Yield the rows of a plan that is at hand whole."""
        yield self._head(_local(project))
        for section in project:
            if reader := self.settings.get(section.tag):
                self._taken("setting", reader, section)
            elif section.tag == NS + "Project":
                self.inserted.append((None, section))
        for section in project:
            if taker := self.takers.get(section.tag):
                yield from (row for one in section if (row := self._taken(*taker, one)) is not None)
        yield from self._capacity()
        yield from self.odd
        yield self.tail

    def rows(self, file: IO[bytes]) -> Iterator[Row]:
        """Yield rows as their elements are complete.

        Only one block of the file and its elements are held at a time.

        The parser builds below an element of ours, so that what is complete can be taken from the tree after
        each block: no event per element has to pass through Python.
        """
        builder = tree_builder(file)
        document = builder.start("document", {})
        parser = ET.XMLParser(target=builder)  # noqa: S314 - peek() refused documents with a DTD
        head: dict[str, str] | None = {}
        place = 0
        ended = False
        while not ended:
            block = file.read(_BLOCK)
            if block:
                parser.feed(block)
            else:
                builder.end("document")
                parser.close()
                ended = True
            project = document[0] if len(document) else document
            while place < len(project):
                section = project[place]
                growing = place == len(project) - 1 and not ended
                if taker := self.takers.get(section.tag):
                    if head is not None:
                        yield self._head(head)
                        head = None
                    complete = len(section) - growing
                    for element in section[:complete]:
                        if (row := self._taken(*taker, element)) is not None:
                            yield row
                    del section[:complete]
                    if self.odd:
                        yield from self.odd
                        self.odd.clear()
                if growing:
                    break
                if reader := self.settings.get(section.tag):
                    self._taken("setting", reader, section)
                    section.clear()
                elif section.tag == NS + "Project":
                    self.inserted.append((None, section))
                elif head is not None and section.text and not len(section):
                    head[section.tag[len(NS) :]] = section.text
                place += 1
        if head is not None:
            yield self._head(head)
        yield from self._capacity()
        yield from self.odd
        yield self.tail

    def _head(self, head: dict[str, str]) -> Header:
        header = self.header
        header.title = (head.get("Title") or head.get("Name") or "").strip() or None
        header.start, header.finish = when(head.get("StartDate")), when(head.get("FinishDate"))
        self.days |= {header.start, header.finish}
        header.currency, header.status = head.get("CurrencyCode") or None, when(head.get("StatusDate"))
        header.application = head.get("SaveVersion")
        minutes = head.get("MinutesPerDay", "")
        header.seconds_per_day = int(minutes) * 60 if minutes.isdigit() and int(minutes) > 0 else 28800
        calendar = head.get("CalendarUID", "-1")
        self.default_calendar = int(calendar) if calendar.lstrip("-").isdigit() else -1
        return header

    # ---------- calendars ----------

    def _calendars(self, element: ET.Element) -> None:
        bases: dict[int, int] = {}
        for one in element.iterfind(NS + "Calendar"):
            self._taken("calendar", lambda one: self._calendar(one, bases), one)
        for uid, base in bases.items():
            above = self.calendars.get(base)
            if above is not None and not above.stands_on(self.calendars[uid]):
                self.calendars[uid].base = above

    def _calendar(self, one: ET.Element, bases: dict[int, int]) -> None:
        facts = _local(one)
        uid = int(facts["UID"])
        calendar = self.calendars[uid] = Calendar()
        if int(facts.get("BaseCalendarUID", "-1")) >= 0:
            bases[uid] = int(facts["BaseCalendarUID"])
        self._week(one.find(NS + "WeekDays"), calendar.week, calendar)
        for exception in one.iterfind(f"{NS}Exceptions/{NS}Exception"):
            self._taken("exception", lambda found: self._exception(found, calendar), exception)
        for special in one.iterfind(f"{NS}WorkWeeks/{NS}WorkWeek"):
            period = special.find(NS + "TimePeriod")
            if period is not None:
                week: dict[int, list[Interval]] = {}
                self._week(special.find(NS + "WeekDays"), week, None)
                first, last = _period(period)
                calendar.special_weeks.append((first, last, week))

    def _week(
        self, element: ET.Element | None, week: dict[int, list[Interval]], calendar: Calendar | None
    ) -> None:
        for one in element if element is not None else ():
            facts = _local(one)
            kind = int(facts.get("DayType", "0"))
            if kind == 0:
                if calendar is not None:
                    self._exception(one, calendar)
                continue
            week[(kind - 2) % 7] = _times(one) if _yes(facts.get("DayWorking")) else []

    def _exception(self, element: ET.Element, calendar: Calendar) -> None:
        period = element.find(NS + "TimePeriod")
        if period is None:
            return
        first, last = _period(period)
        facts = _local(element)
        # a recurring exception names its whole range: only its first day is certain
        if facts.get("Type") not in {None, "1"}:
            last = first
        calendar.exceptions.append((first, last, _times(element) if _yes(facts.get("DayWorking")) else []))

    def _aliases(self, element: ET.Element) -> None:
        """Keep what fields are called, and the values that they list."""
        for one in element:
            facts = _local(one)
            if "FieldID" not in facts:
                continue
            listed: dict[str, tuple[str, str]] = {}
            for value in one.iter(NS + "Value"):
                cells = _local(value)
                if key := cells.get("ID") or cells.get("ValueID"):
                    listed[key] = cells.get("Value", ""), cells.get("ParentValueID", "0")
            field = facts["FieldID"]
            name = facts.get("Alias") or FIELDS.get(field, ("", facts.get("FieldName") or field))[1]
            self.aliases[field] = name, {key: _path(key, listed) for key in listed}

    # ---------- rows ----------

    def _custom(self, element: ET.Element, into: list[CustomRow]) -> None:
        facts = _local(element)
        field = facts.get("FieldID", "")
        kind, standard = FIELDS.get(field, ("Text", field))
        name, values = self.aliases.get(field, (standard, {}))
        value = facts.get("Value")
        if value is None and "ValueID" in facts:
            value = values.get(facts["ValueID"], facts["ValueID"])
        elif value in values:
            value = values[value]
        if name and value is not None and (row := _custom(name, kind, value)) is not None:
            into.append(row)

    def _task(self, element: ET.Element) -> TaskRow | None:
        facts, nested = _split(element)
        self.tail.tasks += 1
        uid = int(facts[NS + "UID"])
        level = int(facts.get(NS + "OutlineLevel") or "1")
        if _yes(facts.get(NS + "IsNull")):
            self.tail.blank += 1
            return None
        # the summary of the plan itself has number and row 0; a row of the plan may have the number too
        if uid == 0 and (level == 0 or facts.get(NS + "ID", "0") == "0"):
            self.tail.own += 1
            return None
        parents = self.parents
        while parents and parents[-1][0] >= level:
            parents.pop()
        parent = parents[-1][1] if parents else None
        parents.append((level, uid))
        get = facts.get
        calendar = get(NS + "CalendarUID", "-1")
        if calendar != "-1":
            self.task_calendar[uid] = (int(calendar), _yes(get(NS + "IgnoreResourceCalendar")))
        physical = get(NS + "EarnedValueMethod") == "1"
        percent = get(NS + ("PhysicalPercentComplete" if physical else "PercentComplete"))
        row = TaskRow(
            uid=uid,
            guid=(get(NS + "GUID") or "").strip("{}").lower() or None,
            row=get(NS + "ID"),
            name=get(NS + "Name", ""),
            wbs=get(NS + "WBS"),
            parent=parent,
            summary=_yes(get(NS + "Summary")) if get(NS + "Summary") is not None else None,
            milestone=_yes(get(NS + "Milestone")),
            active=_yes(get(NS + "Active"), otherwise=True),
            start=when(get(NS + "Start")),
            finish=when(get(NS + "Finish")),
            actual_start=when(get(NS + "ActualStart")),
            actual_finish=when(get(NS + "ActualFinish")),
            deadline=when(get(NS + "Deadline")),
            constraint_on=when(get(NS + "ConstraintDate")),
            critical=_ticked(get(NS + "Critical")),
            manual=_ticked(get(NS + "Manual")),
            notes=(get(NS + "Notes") or "").strip() or None,
            created=when(get(NS + "CreateDate")),
            percent=min(100.0, max(0.0, float(percent))) if percent else None,
            percent_kind=("physical" if physical else "duration") if percent else None,
            work_s=seconds(get(NS + "Work")),
            actual_work_s=seconds(get(NS + "ActualWork")),
            remaining_work_s=seconds(get(NS + "RemainingWork")),
            priority=get(NS + "Priority"),
            url=get(NS + "HyperlinkAddress"),
        )
        self.days |= {row.start and row.start[:10], row.finish and row.finish[:10]}
        source = get(NS + "SubprojectName")
        if _yes(get(NS + "IsSubproject")):
            row.summary, row.inserted = True, source or row.name
        self._taken(f"figures of task {uid}", lambda _: self._figures(row, facts), element)
        for child in nested:
            if child.tag == LINK:
                if (
                    link := self._taken(f"link to task {uid}", lambda one: _link(_local(one)), child)
                ) is not None:
                    row.links.append(link)
            elif child.tag == BASELINE:
                if baseline := self._taken(
                    f"baseline of task {uid}", lambda one: _baseline(_local(one)), child
                ):
                    row.baselines.append(baseline)
            elif child.tag == NS + "Project":
                self.inserted.append((source, child))
                row.summary, row.inserted = True, None
            elif child.tag in {CUSTOM, CODE}:
                self._taken(f"field of task {uid}", lambda one: self._custom(one, row.custom), child)
        return row

    def _figures(self, row: TaskRow, facts: dict[str, str]) -> None:
        """Add what Project computed of a task; costs are in hundredths, slacks in tenths of a minute."""
        get = facts.get
        row.duration_s = self._duration(row, get(NS + "Duration"), get(NS + "DurationFormat"))
        row.total_slack_s, row.free_slack_s = _slack(get(NS + "TotalSlack")), _slack(get(NS + "FreeSlack"))
        row.cost, row.fixed_cost = _money(get(NS + "Cost")), _money(get(NS + "FixedCost"))
        row.actual_cost = _money(get(NS + "ActualCost"))
        row.remaining_cost = _money(get(NS + "RemainingCost"))
        row.constraint = _BY_NUMBER[get(NS + "ConstraintType", "0")]

    def _duration(self, row: TaskRow, text: str | None, unit: str | None) -> int | None:
        """Return a duration in working time, also where it was entered in elapsed time."""
        if unit not in _ELAPSED or not row.start or not row.finish:
            return seconds(text)
        calendars = self._calendar_keys(row.uid, 0)
        return sum(part for _, part in self._working(calendars, row.start, row.finish))

    def _resource(self, element: ET.Element) -> ResourceRow | None:
        facts = _local(element)
        uid = int(facts["UID"])
        if "CalendarUID" in facts:
            self.resource_calendar[uid] = int(facts["CalendarUID"])
        if uid == 0 or not facts.get("Name"):
            return None
        row = ResourceRow(
            uid=uid,
            name=facts["Name"],
            email=facts.get("EmailAddress"),
            code=facts.get("Code"),
            login=facts.get("NTAccount"),
            work=facts.get("Type", "1") == "1" and not _yes(facts.get("IsCostResource")),
            generic=_yes(facts.get("IsGeneric")),
            active=not _yes(facts.get("IsInactive")),
        )
        if row.work and row.active and not row.generic:
            self.there[uid] = [Present(None, None, 1.0)]
            self._taken(f"units of resource {uid}", self._present, element)
        for child in element:
            if child.tag in {CUSTOM, CODE}:
                self._taken(f"field of resource {uid}", lambda one: self._custom(one, row.custom), child)
        return row

    def _present(self, element: ET.Element) -> None:
        """Keep how much of a resource is there, and when."""
        facts = _local(element)
        periods = [_local(one) for one in element.iterfind(f"{NS}AvailabilityPeriods/{NS}AvailabilityPeriod")]
        found = [
            (one.get("AvailableFrom"), one.get("AvailableTo"), one.get("AvailableUnits")) for one in periods
        ] or [(facts.get("AvailableFrom"), facts.get("AvailableTo"), facts.get("MaxUnits"))]
        self.there[int(facts["UID"])] = sorted(
            [Present(when(first), when(last), float(units or "1")) for first, last, units in found],
            key=lambda one: one.first or "",
        )

    def _capacity(self) -> Iterator[CapacityRow]:
        capacities = Capacities(self.days)
        for uid, there in self.there.items():
            calendar = (self.calendars.get(self._calendar_keys(0, uid)[0]) or Calendar()).ruling()
            yield from capacities.rows(uid, id(calendar), calendar.intervals, there)

    def _assignment(self, element: ET.Element) -> AssignmentRow | None:
        facts, nested = _split(element)
        get = facts.get
        task = int(facts[NS + "TaskUID"])
        resource = int(get(NS + "ResourceUID", "0"))
        row = AssignmentRow(
            uid=int(facts[NS + "UID"]),
            task=task,
            resource=None if resource in {0, _NONE_RESOURCE} else resource,
            work_s=seconds(get(NS + "Work")) or 0,
            actual_work_s=seconds(get(NS + "ActualWork")) or 0,
            remaining_work_s=seconds(get(NS + "RemainingWork")),
            overtime_s=seconds(get(NS + "OvertimeWork")),
            units=float(get(NS + "Units", "1")),
            start=when(get(NS + "Start")),
            finish=when(get(NS + "Finish")),
            cost=_money(get(NS + "Cost")),
            actual_cost=_money(get(NS + "ActualCost")),
            remaining_cost=_money(get(NS + "RemainingCost")),
        )
        if not (row.work_s or row.actual_work_s):
            return row
        calendars = self._calendar_keys(task, resource)

        def share(start: str, finish: str, value: int) -> list[tuple[str, int]]:
            return self._spread(calendars, start, finish, value)

        span = Span(
            start=row.start,
            finish=row.finish,
            actual_start=when(get(NS + "ActualStart")),
            actual_finish=when(get(NS + "ActualFinish")),
            stop=when(get(NS + "Stop")),
            resume=when(get(NS + "Resume")),
        )
        left, actual = self._told(nested, row.actual_work_s, share)
        over = seconds(get(NS + "RemainingOvertimeWork")) or 0
        row.approximate = self._fill(row, span, left, actual, over, share)
        return row

    def _told(
        self, nested: list[ET.Element], done: int, share: Spread
    ) -> tuple[dict[str, int], dict[str, int]]:
        """Return the days that a file holds: what is left, and what is done.

        Actual work (type 2) holds its overtime (type 3) already, except where both together are the total.
        """
        kinds: dict[str | None, dict[str, int]] = {"1": {}, "2": {}, "3": {}}
        for child in nested:
            facts = _plain(child) if child.tag == TIMEPHASED else {}
            value = seconds(facts.get(NS + "Value"))
            into = kinds.get(facts.get(NS + "Type"))
            start, finish = when(facts.get(NS + "Start")), when(facts.get(NS + "Finish"))
            if into is not None and value and start and finish:
                for day, part in share(start, finish, value):
                    into[day] = into.get(day, 0) + part
        actual, beside = kinds["2"], kinds["3"]
        told, over = sum(actual.values()), sum(beside.values())
        if abs(told + over - done) < abs(told - done):
            actual = {day: actual.get(day, 0) + beside.get(day, 0) for day in actual | beside}
        return kinds["1"], actual

    def _fill(
        self, row: AssignmentRow, span: Span, left: dict[str, int], actual: dict[str, int], over: int,
        share: Spread,
    ) -> bool:  # fmt: skip
        """Make the days add up to the assignment's totals; say whether anything had to be assumed.

        Where the days hold regular work alone, the overtime that is left (*over*) is shared as they are.
        """
        assumed, done = False, row.actual_work_s
        if done and not actual:
            actual, assumed = done_days(span, done, share), True
        rest = row.work_s - done
        if rest > 0 and not left:
            left, assumed = left_days(span, done, rest, share), True
        elif left and over and abs(sum(left.values()) + over - rest) <= ROUNDING:
            left = dict(spread(sorted(left.items()), rest))
        fallback = (span.start or span.finish or "")[:10] or None
        row.actual, wrong = settle(actual, done, fallback, row.units)
        for day, part in row.actual:
            left[day] = left.get(day, 0) + part
        row.planned, wrong_too = settle(left, row.work_s, fallback, row.units)
        return assumed or wrong or wrong_too

    def _calendar_keys(self, task: Uid, resource: int) -> tuple[int, int]:
        """Return the calendars that rule an assignment: the resource's and the task's, -1 where none."""
        own = self.resource_calendar.get(resource, self.default_calendar)
        if own not in self.calendars:
            own = self.default_calendar
        calendar, alone = self.task_calendar.get(task, (-1, False))
        if calendar in self.calendars:
            return (calendar, -1) if alone else (own, calendar)
        return own, -1

    def _spread(
        self, calendars: tuple[int, int], start: str, finish: str, value: int
    ) -> list[tuple[str, int]]:
        if start[:10] == finish[:10]:
            return [(start[:10], value)]
        key = (*calendars, start, finish)
        days = self.spans.get(key)
        if days is None:
            days = self.spans[key] = self._weigh(calendars, start, finish)
        if len(days) == 1:
            return [(days[0][0], value)]
        return spread(days, value)

    def _weigh(self, calendars: tuple[int, int], start: str, finish: str) -> list[tuple[str, int]]:
        """Return working seconds by day; of a span without any, its first day."""
        alone = (calendars[0], -1)
        return (
            self._working(calendars, start, finish)
            or self._working(alone, start, finish)
            or [(start[:10], 1)]
        )

    def _working(self, calendars: tuple[int, int], start: str, finish: str) -> list[tuple[str, int]]:
        first = (self.calendars.get(calendars[0]) or Calendar()).intervals
        second = self.calendars.get(calendars[1])
        return weights(both(first, second.intervals) if second else first, start, finish)


def _link(facts: dict[str, str]) -> LinkRow:
    # LagFormat 19, 20 and 51, 52 are percentages of the predecessor's duration
    share = facts.get("LagFormat") in {"19", "20", "51", "52"}
    lag = None if share else round(float(facts.get("LinkLag", "0"))) * 6
    return LinkRow(
        uid=int(facts["PredecessorUID"]), type=LINK_TYPES.get(facts.get("Type", "1"), "FS"), lag_s=lag
    )


def _baseline(facts: dict[str, str]) -> BaselineRow | None:
    row = BaselineRow(
        no=int(facts.get("Number", "0")),
        start=when(facts.get("Start")),
        finish=when(facts.get("Finish")),
        work_s=seconds(facts.get("Work")),
        cost=float(facts["Cost"]) / 100 if facts.get("Cost") else None,
    )
    empty = row.start is None and row.finish is None and not row.work_s and not row.cost
    return None if empty else row


def _period(element: ET.Element) -> tuple[date, date]:
    facts = _local(element)
    return moment(facts["FromDate"])[0], moment(facts["ToDate"])[0]


def _times(element: ET.Element) -> list[Interval]:
    found = []
    for one in element.iterfind(f"{NS}WorkingTimes/{NS}WorkingTime"):
        facts = _local(one)
        if "FromTime" in facts and "ToTime" in facts:
            since = moment("2000-01-01T" + facts["FromTime"])[1]
            to = moment("2000-01-01T" + facts["ToTime"])[1]
            found.append((since, to if to > since else 86400))
    return found

"""Read MSPDI, Microsoft Project's XML, as a stream and without a JVM.

The XML holds computed values, so no scheduling is needed; only daily work is spread by the calendars.
Safe: a document with a DTD is refused before anything is parsed, so there are no entities to expand.
Field meanings: the MSPDI schema (schemas.microsoft.com/project), lag in tenths of a minute, cost in cents.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree as ET
from xml.parsers import expat

from hub import SourceDataError, tr
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
from hub_msproject.files.workdays import Calendar, Interval, moment, spread, weights

READER = "mspdi-1"
NS = "{http://schemas.microsoft.com/project}"
LINK, BASELINE, CUSTOM, TIMEPHASED = (
    NS + name for name in ("PredecessorLink", "Baseline", "ExtendedAttribute", "TimephasedData")
)
LINK_TYPES = {"0": "FF", "1": "FS", "2": "SF", "3": "SS"}
_DURATION = re.compile(
    r"^(-?)P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?[\d.]+)S)?)?$"
)
_NONE_RESOURCE = -65535
_HEAD_LIMIT = 4 << 20
_DECLARATION = 200
_HEAD_BYTES = 2000
_ENCODING = re.compile(rb"""\s*<\?xml[^>]*?encoding\s*=\s*(["'])([A-Za-z0-9._-]+)\1""")
_DECLARED = re.compile(r"^\s*<\?xml[^>]*\?>")
_BLOCK = 1 << 14  # small blocks keep the elements in the processor's cache: 20 % faster than 128 KB


class _HeadRead(Exception):
    """The head of the file has been read."""


def peek(path: Path) -> str | None:
    """Return the plan's GUID from the head of the file, or None where it has none.

    Raises `SourceDataError` for a document that is not MSPDI, not XML, or that carries a DTD.
    """
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    state: dict[str, str | None] = {"guid": None}
    depth = 0
    name = ""

    def start(tag: str, _: object) -> None:
        nonlocal depth, name
        depth += 1
        name = tag.rpartition("}")[2]
        if depth == 1 and name != "Project":
            raise SourceDataError(
                tr(
                    "{name} is XML but not a Microsoft Project plan (its root is {element}).",
                    name=path.name,
                    element=name,
                )
            )
        if depth == 1 and not tag.startswith("http://schemas.microsoft.com/project"):
            raise SourceDataError(
                tr(
                    "{name} is not Microsoft Project XML (MSPDI): export it from Microsoft Project as XML.",
                    name=path.name,
                )
            )
        if depth == 2 and name in {"Calendars", "Tasks", "Resources"}:
            raise _HeadRead

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    def text(data: str) -> None:
        if depth == 2 and name == "GUID":
            state["guid"] = (state["guid"] or "") + data

    def doctype(*_: object) -> None:
        raise SourceDataError(
            tr(
                "{name} carries a DTD, which Microsoft Project never writes: it is refused for safety.",
                name=path.name,
            )
        )

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = doctype
    try:
        with opened(path) as file:
            for _ in range(_HEAD_LIMIT // 65536):
                block = file.read(65536)
                parser.Parse(block, not block)
                if not block:
                    break
    except _HeadRead:
        pass
    except expat.ExpatError as exc:
        raise _broken(path, exc) from exc
    except OSError as exc:
        raise _unreadable(path, exc) from exc
    guid = (state["guid"] or "").strip("{} \n").lower()
    return guid if re.fullmatch(r"[0-9a-f-]{36}", guid) and set(guid) - set("0-") else None


def _broken(path: Path, exc: expat.ExpatError | ET.ParseError) -> SourceDataError:
    if path.stat().st_size == 0:
        return SourceDataError(
            tr("{name} is empty: it is still being written, or the export failed.", name=path.name)
        )
    return SourceDataError(
        tr(
            "{name} is not complete XML ({error}): it is half-written or damaged. Export it "
            "again; the next run takes it.",
            name=path.name,
            error=exc,
        )
    )


def _unreadable(path: Path, exc: OSError) -> SourceDataError:
    return SourceDataError(
        tr(
            "{name} cannot be opened ({reason}): close the program that has it open, or give the "
            "right to read it.",
            name=path.name,
            reason=exc.strerror,
        )
    )


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


def read(path: Path) -> Rows:
    """Yield the plan's rows. Raises `SourceDataError` for a damaged, foreign or unsafe file."""
    guid = peek(path)
    try:
        with opened(path) as file:
            yield from _Reader(file, guid).rows()
    except ET.ParseError as exc:
        raise _broken(path, exc) from exc
    except OSError as exc:
        raise _unreadable(path, exc) from exc


def opened(path: Path) -> IO[bytes]:
    """Open a document whose encoding expat knows; another one that Python knows is turned into UTF-8.

    Raises `SourceDataError` for an encoding that nobody knows, or that the file is not in.
    """
    file = path.open("rb")
    head = file.read(_DECLARATION)
    file.seek(0)
    match = _ENCODING.match(head)
    name = match[2].decode("ascii") if match else "utf-8"
    try:
        known = codecs.lookup(name).name
        if match is None or known in {"utf-8", "utf-16", "ascii", "iso8859-1"}:
            return file
        with file:
            text = file.read().decode(known)
    except (LookupError, UnicodeDecodeError) as exc:
        file.close()
        raise SourceDataError(
            tr(
                "{name} says it is written in {encoding}, and is not: {error}.",
                name=path.name,
                encoding=name,
                error=exc,
            )
        ) from exc
    return io.BytesIO(_DECLARED.sub("", text, count=1).encode())


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


def _when(text: str | None) -> str | None:
    return text[:16] if text and not text.startswith(("NA", "1984-01-01")) else None


def _builder(file: IO[bytes]) -> ET.TreeBuilder:
    """Return the builder of a tree in Project's own namespace.

    Microsoft's published schema names another one than the program writes: its elements are the same.
    """
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    plain = head.replace(b"\0", b"")
    match = re.search(
        rb"""xmlns(?::\w+)?\s*=\s*["']http://schemas\.microsoft\.com/project([^"']*)["']""", plain
    )
    return ET.TreeBuilder() if match is None or not match[1] else _Renaming()


class _Renaming(ET.TreeBuilder):
    """A builder that puts every element into Project's own namespace."""

    def start(self, tag: str, attrs: dict[Any, Any], /) -> ET.Element:
        """Open an element."""
        return super().start(tag if tag == "document" else NS + tag.rpartition("}")[2], attrs)

    def end(self, tag: str, /) -> ET.Element:
        """Close it."""
        return super().end(tag if tag == "document" else NS + tag.rpartition("}")[2])


class _Reader:
    def __init__(self, file: IO[bytes], guid: str | None) -> None:
        self.file = file
        self.header = Header(guid=guid, file_type="MSPDI", reader=READER)
        self.calendars: dict[int, Calendar] = {}
        self.default_calendar = -1
        self.resource_calendar: dict[int, int] = {}
        self.task_calendar: dict[int, tuple[int, bool]] = {}
        self.aliases: dict[str, tuple[str, dict[str, str]]] = {}
        self.parents: list[tuple[int, int]] = []
        self.spans: dict[tuple[int, int, str, str], list[tuple[str, int]]] = {}
        self.tail = Tail(tasks=0)
        self.odd: list[OddRow] = []

    def _taken(self, kind: str, take: Callable[[ET.Element], Any], element: ET.Element) -> Any:
        """Return what *take* makes of *element*; one that it fails on, in whatever way, costs itself."""
        try:
            return take(element)
        except Exception as exc:  # noqa: BLE001 - one odd element costs one element
            uid = element.findtext(NS + "UID")
            self.odd.append(OddRow(kind=kind, uid=uid, reason=f"{type(exc).__name__}: {exc}"))
            return None

    def rows(self) -> Iterator[Row]:
        """Yield rows as their elements are complete.

        Only one block of the file and its elements are held at a time.

        The parser builds below an element of ours, so that what is complete can be taken from the tree after
        each block: no event per element has to pass through Python.
        """
        builder = _builder(self.file)
        document = builder.start("document", {})
        parser = ET.XMLParser(target=builder)  # noqa: S314 - peek() refused documents with a DTD
        takers: dict[str, tuple[str, Callable[[ET.Element], Row | None]]] = {
            NS + "Tasks": ("task", self._task),
            NS + "Resources": ("resource", self._resource),
            NS + "Assignments": ("assignment", self._assignment),
        }
        settings = {NS + "Calendars": self._calendars, NS + "ExtendedAttributes": self._aliases}
        head: dict[str, str] | None = {}
        place = 0
        ended = False
        while not ended:
            block = self.file.read(_BLOCK)
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
                if taker := takers.get(section.tag):
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
                if reader := settings.get(section.tag):
                    self._taken("setting", reader, section)
                    section.clear()
                elif section.tag == NS + "Project":
                    self.tail.other_projects += 1
                elif head is not None and section.text and not len(section):
                    head[section.tag[len(NS) :]] = section.text
                place += 1
        if head is not None:
            yield self._head(head)
        yield from self.odd
        yield self.tail

    def _head(self, head: dict[str, str]) -> Header:
        header = self.header
        header.title = (head.get("Title") or head.get("Name") or "").strip() or None
        header.start, header.finish = _when(head.get("StartDate")), _when(head.get("FinishDate"))
        header.currency = head.get("CurrencyCode") or None
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
            if base != uid:
                self.calendars[uid].base = self.calendars.get(base)

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
        for one in element.iterfind(NS + "ExtendedAttribute"):
            facts = _local(one)
            if "FieldID" not in facts:
                continue
            values = {}
            for value in one.iterfind(f"{NS}ValueList/{NS}Value"):
                listed = _local(value)
                if "ID" in listed:
                    values[listed["ID"]] = listed.get("Value", "")
            self.aliases[facts["FieldID"]] = (
                facts.get("Alias") or facts.get("FieldName") or facts["FieldID"],
                values,
            )

    # ---------- rows ----------

    def _custom(self, element: ET.Element, into: list[CustomRow]) -> None:
        facts = _local(element)
        name, values = self.aliases.get(facts.get("FieldID", ""), (facts.get("FieldID", ""), {}))
        value = facts.get("Value")
        if value is None and "ValueID" in facts:
            value = values.get(facts["ValueID"], facts["ValueID"])
        elif value in values:
            value = values[value]
        if value is not None and name:
            number = float(value) if re.fullmatch(r"-?\d{1,15}(\.\d+)?", value) else None
            day = value[:10] if re.match(r"\d{4}-\d\d-\d\dT", value) else None
            into.append(CustomRow(field=name, text=value, number=number, day=day))

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
            guid=get(NS + "GUID"),
            row=get(NS + "ID"),
            name=get(NS + "Name", ""),
            wbs=get(NS + "WBS"),
            parent=parent,
            summary=_yes(get(NS + "Summary")) if get(NS + "Summary") is not None else None,
            milestone=_yes(get(NS + "Milestone")),
            active=_yes(get(NS + "Active"), otherwise=True),
            start=_when(get(NS + "Start")),
            finish=_when(get(NS + "Finish")),
            actual_start=_when(get(NS + "ActualStart")),
            actual_finish=_when(get(NS + "ActualFinish")),
            deadline=_when(get(NS + "Deadline")),
            created=_when(get(NS + "CreateDate")),
            percent=float(percent) if percent else None,
            percent_kind=("physical" if physical else "duration") if percent else None,
            work_s=seconds(get(NS + "Work")),
            actual_work_s=seconds(get(NS + "ActualWork")),
            remaining_work_s=seconds(get(NS + "RemainingWork")),
            priority=get(NS + "Priority"),
            url=get(NS + "HyperlinkAddress"),
        )
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
                self.tail.other_projects += 1
            elif child.tag == CUSTOM:
                self._taken(f"field of task {uid}", lambda one: self._custom(one, row.custom), child)
        return row

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
        for child in element.iterfind(CUSTOM):
            self._taken(f"field of resource {uid}", lambda one: self._custom(one, row.custom), child)
        return row

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
        )
        if row.resource is None or not (row.work_s or row.actual_work_s):
            return row
        calendars = self._calendar_keys(task, resource)
        actual: dict[str, int] = {}
        planned: dict[str, int] = {}
        for child in nested:
            if child.tag != TIMEPHASED:
                continue
            span = _plain(child)
            kind = span.get(NS + "Type")
            value = seconds(span.get(NS + "Value"))
            if kind not in {"1", "2", "3"} or not value:
                continue
            into = planned if kind == "1" else actual
            for day, part in self._spread(calendars, span[NS + "Start"], span[NS + "Finish"], value):
                into[day] = into.get(day, 0) + part
        row.approximate = self._fill_gaps(row, facts, calendars, actual, planned)
        return row

    def _fill_gaps(
        self, row: AssignmentRow, facts: dict[str, str], calendars: tuple[int, int],
        actual: dict[str, int], planned: dict[str, int],
    ) -> bool:  # fmt: skip
        """Make the days add up to the assignment's totals; say whether anything had to be assumed."""
        start, finish = facts.get(NS + "Start"), facts.get(NS + "Finish")
        assumed = False
        done = row.actual_work_s
        # actual overtime (type 3) is part of actual work in some versions, beside it in others: the total
        # decides
        if done and not actual and start and finish:
            until = facts.get(NS + "ActualFinish") or facts.get(NS + "Stop") or finish
            since = facts.get(NS + "ActualStart") or start
            actual.update(self._spread(calendars, since, max(until, since), done))
            assumed = True
        remaining = row.work_s - done
        if remaining > 0 and not planned and start and finish:
            since = (facts.get(NS + "Resume") or start) if done else start
            planned.update(self._spread(calendars, min(since, finish), finish, remaining))
            assumed = True
        fallback = start[:10] if start else None
        row.actual, wrong = settle(actual, done, fallback)
        for day, part in row.actual:
            planned[day] = planned.get(day, 0) + part
        row.planned, wrong_too = settle(planned, row.work_s, fallback)
        return assumed or wrong or wrong_too

    def _calendar_keys(self, task: int, resource: int) -> tuple[int, int]:
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
        first = self.calendars.get(calendars[0]) or Calendar()
        second = self.calendars.get(calendars[1])

        def times(day: date) -> list[Interval]:
            mine = first.intervals(day)
            if second is None:
                return mine
            return [
                (max(a, c), min(b, d))
                for a, b in mine
                for c, d in second.intervals(day)
                if max(a, c) < min(b, d)
            ]

        return weights(times, start, finish) or weights(first.intervals, start, finish) or [(start[:10], 1)]


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
        start=_when(facts.get("Start")),
        finish=_when(facts.get("Finish")),
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

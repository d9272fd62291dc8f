"""What the names and values of a tool's answers most likely are: the tables behind a first mapping."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hub_rest.stamps import instant_of, is_parts

ROWS = frozenset({
    "data", "items", "results", "values", "value", "records", "rows", "elements", "nodes", "entries", "edges",
    "list", "objects",
})  # fmt: skip
BESIDE = frozenset({"included", "errors", "warnings", "links", "columns", "fields", "headers", "messages"})
"""Lists that stand beside the rows."""
STAMPS = (
    "updatedat modifiedat updated modified lastmodified lastmodifiedat lastmodifieddate updatedon modifiedon "
    "changedat changedon lastupdated lastupdatedat writedate lasteditedtime dateupdated datemodified "
    "modifieddate updateddate updatetime at"
)
SINCE = (
    "updatedsince modifiedsince changedsince updatedafter modifiedafter updatedfrom modifiedfrom "
    "rowsmodifiedsince updatedatafter updatedatgt updatedatgte updatedatmin ifmodifiedsince since"
)
TOTALS = (
    "totalcount totalentries totalresults totalelements totalitems totalrecords totalrows odatacount total "
    "count"
)
"""The surest first: a mere count may be that of the page."""
MORE = frozenset({"hasmore", "hasnext", "hasnextpage", "morepages", "moreitems", "moreavailable"})
ENDED = frozenset({"islast", "islastpage", "last", "lastpage"})
NEXT = frozenset({"endcursor", "continuationtoken", "skiptoken"})
SIZES = ("limit", "perpage", "pagesize", "maxresults", "top", "size", "pagelimit", "count")
TOKENS = (
    "cursor",
    "pagetoken",
    "continuationtoken",
    "token",
    "after",
    "pagecursor",
    "pageafter",
    "starttoken",
)
PAGES = ("page", "pagenumber", "pageno", "currentpage", "p")
OFFSETS = ("offset", "skip", "startat", "start", "pageoffset")

FIELDS: dict[str, dict[str, str]] = {
    "task": {
        "title": "title name subject summary taskname content",
        "container_id": (
            "projectid project.id project.gid project.uuid project.href project.key projectkey "
            "projectuid board.id boardid bucket.id space.id spaceid list.id listid workspaceid groupid "
            "queueid projectname project"
        ),
        "parent_id": "parentid parent.id parent.gid parent.href parenttaskid parenttask.id parentkey parent",
        "code": "key code identifier ref number reference",
        "url": "weburl htmlurl permalinkurl permalink appurl url",
        "status_raw": (
            "status.name status.status statusname status.title status state.name state stage status.id "
            "statusid stateid stateraw"
        ),
        "assignee_id": (
            "assignee.id assignee.gid assignee.href assigneeid assignedto.id assignedtoid assignedto "
            "owner.id ownerid responsible.id responsibleid assignee"
        ),
        "created_at": (
            "createdat created createdon createddate createdate datecreated creationdate createtime"
        ),
        "updated_at": STAMPS,
        "due_on": "dueon duedate duedateat dueat due deadline datedeadline enddate endon targetdate",
        "planned_start_on": "starton startdate startson startat plannedstart",
        "percent": "percentcomplete percentagedone progress doneratio percentdone",
        "estimate_s": (
            "timeestimate estimatedhours estimatedtime estimatedminutes estimateminutes originalestimate "
            "plannedhours plannedtime estimate"
        ),
    },
    "worklog": {
        "day": (
            "spenton spentdate dateworked workdate entrydate workedon executedat "
            "date day begin started startedat "
            "starttime start timeinterval.start startdate startdatetime startsat loggedat loggeddate"
        ),
        "seconds": (
            "timespentseconds durationseconds seconds spentseconds durationms durationmillis hours "
            "spenthours decimalhours minutes timeminutes durationminutes unitamount timeinterval.duration "
            "duration timespent spenttime quantity timeunit time"
        ),
        "task_id": (
            "taskid task.id task.gid task.href issue.id issueid issue.key workitemid workitem.id "
            "workpackage.href workpackage.id ticketid ticket.id storyid cardid entity.href "
            "todoid todoitemid"
        ),
        "container_id": "projectid project.id project.gid project.href projectuid projectname project",
        "account_id": (
            "userid user.id user.href personid person.id person.href memberid member.id authorid author.id "
            "author.accountid employeeid employee.id createdby.id createdby.gid peopleid people.id "
            "agentid agent.id resourceid resource.id user"
        ),
        "billable": "billable isbillable billed isbilled",
        "updated_at": STAMPS,
    },
    "container": {
        "name": "name title label projectname displayname subject",
        "code": "key code identifier projectcode number",
        "url": "weburl htmlurl permalinkurl permalink appurl url",
        "archived": "archived isarchived closed isclosed",
    },
    "account": {
        "display_name": "displayname fullname name username",
        "email": "email emailaddress mail",
        "login": "login username loginname",
        "active": "active isactive enabled",
    },
}  # fmt: skip
IDS = "key number"
_WORKLOG = re.compile(
    r"(time|hour).?(entr|log|record|sheet|track|card|spent)|(work|task).?log|logged.?time|^(hours|times|timelogs?)$",
    re.IGNORECASE,
)
_LAST = {
    "account": "user people person member account employee staff assignee coworker colleague",
    "task": (
        "task issue ticket story stories card todo item workitem workpackage bug epic subtask activity "
        "activities"
    ),
    "container": (
        "project board space workspace folder repository repositories repo portfolio program programme"
    ),
}
_UNITS = (
    ("milliseconds", r"millis|ms$"),
    ("seconds", r"seconds?$"),
    ("minutes", r"minutes?$"),
    ("hours", r"hours|unitamount"),
    ("days", r"days$"),
)
_WORDS = re.compile(r"\b(milliseconds?|seconds?|minutes?|hours?|days?)\b", re.IGNORECASE)
_LONG_S = 1_000_000
"""No effort of one line has so many seconds: that is eleven days."""
_CLOCK = re.compile(r"-?\d{1,4}:[0-5]\d(:[0-5]\d)?")
_ISO = re.compile(r"-?P(\d.*)?(T\d.*)?")


def plain_name(path: str) -> str:
    """Return a path as names are compared: lower case, no signs, without what merely wraps it."""
    text = re.sub(r"[\"_@$\-\[\] ]", "", path).lower()
    text = re.sub(r"^(value|node|attributes|properties|fields|relationships|links|embedded)\.", "", text)
    text = re.sub(r"^(attributes|relationships|links)\.", "", text)
    text = text.replace("odata.", "odata")
    return re.sub(r"\.data\.id$", ".id", text)


def quoted(name: str) -> str:
    """Return a name as it may stand in a path."""
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else json.dumps(name, ensure_ascii=False)


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield what stands in an object that is a single value, with its path."""
    if isinstance(value, dict) and len(path) < 5:
        if path and is_parts(value):
            yield ".".join(path), value
            if not value.keys() & {"date", "dateTime", "$date", "datetime"}:
                return
        for name, one in value.items():
            yield from leaves(one, (*path, quoted(f"{name}")))
    elif not isinstance(value, list | dict):
        yield ".".join(path), value


def merged(rows: list[Any]) -> dict[str, Any]:
    """Return one row that has at each path the first value which some row has there."""
    found: dict[str, Any] = {}
    for row in rows[:200]:
        for path, value in leaves(row):
            if found.get(path) in (None, ""):
                found[path] = value
    beyond = {path.rpartition(".")[0] for path in found}
    return {path: value for path, value in found.items() if value is not None or path not in beyond}


def find(names: str | tuple[str, ...], flat: dict[str, Any]) -> str:
    """Return the path of the first of *names* that there is; empty for none."""
    by_name: dict[str, str] = {}
    for path in flat:
        by_name.setdefault(plain_name(path), path)
    if prefix := _prefix(flat):
        for path in flat:
            bare = re.sub(rf"^_?{prefix}_|_value$", "", path)
            by_name.setdefault(plain_name(bare), path)
    wanted = names.split() if isinstance(names, str) else names
    found = [by_name[name] for name in wanted if name in by_name]
    told = (path for path in found if flat[path] is not None)
    return next(told, found[0] if found else "")


def _prefix(flat: dict[str, Any]) -> str:
    """Return what stands before most names, as the tables of some vendors have it; empty for nothing."""
    told = Counter(found[1] for path in flat if (found := re.match(r"_?([a-z0-9]+)_[a-z]", path)))
    prefix, count = told.most_common(1)[0] if told else ("", 0)
    return prefix if count >= 3 and count * 2 >= len(flat) else ""


def table_of(name: str) -> str | None:
    """Return the record that rows called so may become; None where their name tells nothing."""
    if _WORKLOG.search(name):
        return "worklog"
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name) or [""]
    ends = {words[-1].lower(), "".join(words[-2:]).lower()}
    for table, known in _LAST.items():
        if any({one, f"{one}s"} & ends for one in known.split()):
            return table
    return None


def table_by_fields(flat: dict[str, Any]) -> str | None:
    """Return the record that rows with these fields may become."""
    if find(FIELDS["worklog"]["seconds"], flat) and find(FIELDS["worklog"]["day"], flat):
        return "worklog"
    if find("email emailaddress mail", flat):
        return "account"
    return (
        "task" if find(FIELDS["task"]["title"], flat) and find("status state duedate dueon", flat) else None
    )


def id_of(flat: dict[str, Any], table: str) -> str:
    """Return the path of what is unique among rows, by its name; empty where no name says it."""
    own = {
        "task": "taskid issueid ticketid itemid storyid",
        "worklog": "entryid timeentryid worklogid timelogid timesheetid loggedtimeid",
        "container": "projectid boardid spaceid workspaceid projectkey",
        "account": "userid personid accountid memberid employeeid peopleid",
    }
    return find("id gid uuid guid uid oid sysid objectid", flat) or find(own[table], flat) or find(IDS, flat)


def differs(rows: list[Any]) -> str:
    """Return the path of a value that each row has and no two have alike; empty for none."""
    told = [dict(leaves(row)) for row in rows]
    names = [path for path in (told[0] if len(told) > 1 else ()) if "." not in path]
    for path in sorted(
        names, key=lambda name: not re.search(r"id$|key$|record|number|no$", name, re.IGNORECASE)
    ):
        values = [f"{one.get(path)}" for one in told if isinstance(one.get(path), int | str)]
        if len(values) == len(told) == len(set(values)) and "" not in values:
            return path
    return ""


def unit_of(path: str, value: Any, rows: list[Any], said: str) -> tuple[str, bool]:
    """Return the unit of an effort, and whether that is sure: by its name or text, by begin and end.

    *said* is what a description says of it.
    """
    if isinstance(value, dict):
        return "seconds", True
    if isinstance(value, str):
        if _ISO.fullmatch(value) and value != "P":
            return "iso", True
        if _CLOCK.fullmatch(value.strip()):
            return "hours", value.count(":") == 1
    name = plain_name(path).rsplit(".", 1)[-1]
    for unit, sign in _UNITS:
        if re.search(sign, name):
            return unit, True
    if measured := _measured(path, rows):
        return measured, True
    words = {found.lower().rstrip("s") + "s" for found in _WORDS.findall(said)}
    if len(words) == 1:
        return words.pop(), True
    if isinstance(value, float) and not value.is_integer():
        return "hours", False
    if isinstance(value, int) and value >= _LONG_S:
        return "milliseconds", False
    return "seconds", False


def in_parts(flat: dict[str, Any], rows: list[Any]) -> str:
    """Return the expression of an effort whose hours and minutes stand in two fields; empty where none is."""
    hours, minutes = find("hours", flat), find("minutes", flat)
    if not hours or not minutes:
        return ""
    is_part = False
    for row in rows:
        told = dict(leaves(row))
        try:
            whole, part = float(told.get(hours) or 0), float(told.get(minutes) or 0)
        except (TypeError, ValueError):
            return ""
        if part >= 60 or not whole.is_integer():
            return ""
        is_part |= whole > 0 or part > 0
    return f"add(multiply({hours}, `60`), {minutes})" if is_part else ""


def _measured(path: str, rows: list[Any]) -> str:
    """Return the unit that begin and end of rows prove; empty where they prove none."""
    found = set()
    for row in rows[:50]:
        flat = dict(leaves(row))
        ends = [flat.get(find(names, flat)) for names in (
            "begin started startedat starttime start timeinterval.start startdatetime timestart",
            "end ended endedat stop stoppedat endtime stoptime finish enddatetime timeinterval.end timeend",
        )]  # fmt: skip
        told = flat.get(path)
        if None in ends or isinstance(told, bool) or not isinstance(told, int | float | str):
            continue
        try:
            begin, end = (instant_of(one, ZoneInfo("UTC")) for one in ends)
            amount = float(told)
        except Exception:  # noqa: BLE001, S112 - it is no stamp: it proves nothing
            continue
        if (lasted := (end - begin) / timedelta(seconds=1)) <= 0 or amount <= 0:
            continue
        sizes = {"milliseconds": 0.001, "seconds": 1, "minutes": 60, "hours": 3600}
        near = [unit for unit, size in sizes.items() if abs(amount * size - lasted) <= 60 + lasted * 0.02]
        if len(near) == 1:
            found.add(near[0])
    return found.pop() if len(found) == 1 else ""


def is_stamp(value: Any) -> bool:
    """Say whether a text is an instant or a day."""
    try:
        return isinstance(value, str) and bool(datetime.fromisoformat(value))
    except ValueError:
        return False

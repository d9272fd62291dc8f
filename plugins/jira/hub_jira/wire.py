"""What Jira sends, typed: only the fields that become records, decoded straight from the bytes."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from hub import SourceDataError, tr

API = "/rest/api/2"
"""Version 2 on Cloud too: its texts are plain, so that one reader serves both."""

_USUAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4}")


class Named(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """Anything with an id and a name; a version has a day of release besides."""

    id: str
    name: str
    release_date: str | None = None


class Key(msgspec.Struct, frozen=True, gc=False):
    """A status category."""

    key: str


class Status(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A status with its category."""

    id: str
    name: str
    status_category: Key | None = None


class Kind(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """An issue type; Data Center does not tell its level."""

    id: str
    name: str
    subtask: bool | None = False
    hierarchy_level: int | None = None


class Person(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A user: by account id on Cloud, by key and name on Data Center; one without any of them is nobody."""

    account_id: str | None = None
    key: str | None = None
    name: str | None = None
    display_name: str | None = None
    email_address: str | None = None
    time_zone: str | None = None
    account_type: str | None = None
    active: bool | None = None

    @property
    def native(self) -> str | None:
        """Return the immutable id, or None for nobody."""
        return self.account_id or self.key or self.name


class Project(msgspec.Struct, frozen=True, gc=False, rename={"category": "projectCategory"}):
    """A project; archived and deleted ones say so."""

    id: str
    key: str
    name: str | None = None
    archived: bool | None = False
    deleted: bool | None = False
    category: Named | None = None


class Ref(msgspec.Struct, frozen=True, gc=False):
    """Another issue."""

    id: str


class LinkType(msgspec.Struct, frozen=True, gc=False):
    """The kind of a link."""

    name: str


class LinkTypes(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """The kinds of links of a site."""

    issue_link_types: list[Named]


class Link(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A link to another issue, outward or inward."""

    id: str
    type: LinkType
    outward_issue: Ref | None = None
    inward_issue: Ref | None = None


class Worklog(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """Hours on an issue."""

    id: str
    started: str
    time_spent_seconds: int
    updated: str | None = None
    author: Person | None = None
    issue_id: str | None = None


class Worklogs(msgspec.Struct, frozen=True, gc=False):
    """The worklogs of an issue: embedded, the first 20 of *total*."""

    total: int
    worklogs: list[msgspec.Raw]


class Item(
    msgspec.Struct,
    frozen=True,
    rename={"from_string": "fromString", "to_string": "toString", "from_": "from", "field_id": "fieldId"},
):
    """One field in a line of history; its id may be missing, as it is where the parent changed."""

    field: str
    field_id: str | None = None
    from_: Any = None
    from_string: str | None = None
    to: Any = None
    to_string: str | None = None


class History(msgspec.Struct, frozen=True, gc=False):
    """A line of history; *created* is a stamp, or milliseconds in some answers."""

    id: str
    created: str | int
    items: list[Item]
    author: Person | None = None


class Changelog(msgspec.Struct, frozen=True, gc=False):
    """The history of an issue: embedded, the newest of *total*."""

    total: int
    histories: list[msgspec.Raw]


class Fields(
    msgspec.Struct,
    frozen=True,
    gc=False,
    rename={
        "due": "duedate",
        "type": "issuetype",
        "estimate": "timeoriginalestimate",
        "spent": "timespent",
        "remaining": "timeestimate",
        "links": "issuelinks",
        "versions": "fixVersions",
        "resolved": "resolutiondate",
    },
):
    """The fields of an issue that have a name of their own; custom ones are read beside them."""

    summary: str
    status: Status
    type: Kind
    project: Project
    created: str
    updated: str
    resolution: Named | None = None
    priority: Named | None = None
    assignee: Person | None = None
    reporter: Person | None = None
    resolved: str | None = None
    parent: Ref | None = None
    due: str | None = None
    labels: list[str] | None = None
    estimate: int | None = None
    spent: int | None = None
    remaining: int | None = None
    links: list[Link] | None = None
    versions: list[Named] | None = None
    components: list[Named] | None = None
    worklog: Worklogs | None = None


@lru_cache(maxsize=64)
def fields_decoder(custom: tuple[str, ...]) -> msgspec.json.Decoder[Fields]:
    """Return the decoder of an issue's fields with those *custom* ones beside them, as they come."""
    kind = msgspec.defstruct(
        "CustomFields", [(name, Any, None) for name in custom], bases=(Fields,), frozen=True, gc=False
    )
    return msgspec.json.Decoder(kind)


@lru_cache(maxsize=64)
def picker(names: tuple[str, ...]) -> Callable[[msgspec.Raw], dict[str, Any]]:
    """Return what takes some fields of an issue as they come, by their ids; the others are passed over."""
    fields = [(f"f{n}", Any, msgspec.field(name=name, default=None)) for n, name in enumerate(names)]
    decode = msgspec.json.Decoder(msgspec.defstruct("Picked", fields, frozen=True, gc=False)).decode

    def pick(raw: msgspec.Raw) -> dict[str, Any]:
        found = decode(raw)
        return {name: getattr(found, f"f{n}") for n, name in enumerate(names)}

    return pick


SYSTEM_FIELDS = tuple(
    field.encode_name for field in msgspec.structs.fields(Fields) if field.encode_name != "worklog"
)
OPTIONAL = frozenset(field.encode_name for field in msgspec.structs.fields(Fields) if not field.required)
"""The fields that an issue can do without."""


class Issue(msgspec.Struct, frozen=True, gc=False):
    """An issue, its parts still undecoded: `fields_decoder` knows which custom fields are bound.

    An odd one costs itself, not the page.
    """

    id: str
    key: Any
    fields: msgspec.Raw
    changelog: msgspec.Raw = msgspec.Raw(b"null")

    @property
    def told_history(self) -> bool:
        """Say whether its history came along."""
        return bytes(self.changelog) != b"null"

    def stamp(self, name: str) -> int:
        """Return a stamp of it in milliseconds; 0 where it cannot be read."""
        try:
            return millis(msgspec.json.decode(self.fields)[name])
        except (msgspec.DecodeError, LookupError, TypeError, ValueError):
            return 0


class Bare(msgspec.Struct, frozen=True, gc=False):
    """An issue of which only the id was asked; its key comes along."""

    id: str
    key: Any = None


class Found(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A page of Cloud's search."""

    issues: list[Issue]
    is_last: bool
    next_page_token: str | None = None


class FoundIds(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A page of Cloud's search for ids."""

    issues: list[Bare]
    is_last: bool
    next_page_token: str | None = None


class Count(msgspec.Struct, frozen=True, gc=False):
    """How many a search finds, nearly."""

    count: int


class Refused(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """An issue that bulk fetch could not return, and why, in Jira's words."""

    id: str = ""
    error_message: str = ""


class Bulk(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """Issues by id."""

    issues: list[Issue]
    issue_errors: list[Refused] = []


class Log(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """The history of one issue in a bulk answer."""

    issue_id: str
    change_histories: list[msgspec.Raw]


class BulkLog(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """Histories of many issues."""

    issue_change_logs: list[Log]
    next_page_token: str | None = None


class BulkBare(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """Issues by id, of which only the id was asked."""

    issues: list[Bare]
    issue_errors: list[Refused] = []


class Lists(msgspec.Struct, frozen=True, gc=False):
    """The versions and components of a project."""

    id: str
    versions: list[Named] = []
    components: list[Named] = []


class Board(msgspec.Struct, frozen=True, gc=False):
    """A board; those of the type kanban have no sprints."""

    id: int
    type: str | None = None


class Boards(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A page of boards."""

    values: list[Board]
    is_last: bool


class Object(msgspec.Struct, frozen=True, gc=False):
    """An object of Assets."""

    id: str
    label: str


class Objects(msgspec.Struct, frozen=True, gc=False):
    """Objects of Assets that a query found."""

    values: list[Object]


class Users(msgspec.Struct, frozen=True, gc=False):
    """People by their ids."""

    values: list[msgspec.Raw]


class Page(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A page of Data Center's search."""

    issues: list[Issue]
    start_at: int
    max_results: int
    total: int


class PageIds(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A page of Data Center's search for ids, with what they are sorted by."""

    issues: list[Bare]
    start_at: int
    max_results: int
    total: int


class Projects(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A page of projects."""

    values: list[Project]
    is_last: bool
    total: int | None = None


class Changed(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A worklog in a feed."""

    worklog_id: int
    updated_time: int


class Feed(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A page of a worklog feed."""

    values: list[Changed]
    until: int
    last_page: bool


class Server(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """Who the site is."""

    deployment_type: str
    server_time: str | None = None
    version: str | None = None


class Sprint(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A sprint as the field of an issue holds it."""

    id: int
    name: str | None = ""
    state: str | None = None
    start_date: str | None = None
    end_date: str | None = None
    complete_date: str | None = None
    board_id: int | None = None


class Moment(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """An instant of a service-level clock."""

    epoch_millis: int


class Span(msgspec.Struct, frozen=True, gc=False):
    """A length of time."""

    millis: int


class Cycle(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One cycle of a service-level clock."""

    start_time: Moment
    stop_time: Moment | None = None
    breached: bool = False
    paused: bool | None = None
    goal_duration: Span | None = None
    elapsed_time: Span | None = None


class Sla(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A service-level field."""

    name: str
    completed_cycles: list[Cycle] = []
    ongoing_cycle: Cycle | None = None


class Sprints(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A page of the sprints of a board."""

    values: list[Sprint]
    is_last: bool


@lru_cache(maxsize=64)
def above_decoder(custom: tuple[str, ...]) -> msgspec.json.Decoder[Any]:
    """Return the decoder of what may name the issue above: its parent, and the fields *custom*."""
    fields: list[Any] = [(name, Any, None) for name in ("parent", *custom)]
    return msgspec.json.Decoder(msgspec.defstruct("Above", fields, frozen=True, gc=False))


@lru_cache(maxsize=65_536)
def _hour(text: str, offset: str) -> str | None:
    """Return the hour ``2026-08-24T11`` at ``+0200`` in UTC.

    None where the offset is not of whole hours.
    """
    if offset[-2:] != "00":
        return None
    moment = datetime.fromisoformat(f"{text}:00:00{offset}").astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H}"


def instant(stamp: str | int | None) -> str | None:
    """Turn ``2026-08-24T11:11:52.944+0200`` or milliseconds into UTC.

    Milliseconds are kept when there are any.
    """
    if stamp is None or stamp == "":
        return None
    if isinstance(stamp, str) and _USUAL.fullmatch(stamp) and (hour := _hour(stamp[:13], stamp[23:])):
        # a site writes all its stamps in one way and zone: only its hours have to be converted
        return f"{hour}{stamp[13:19]}Z" if stamp[19:23] == ".000" else f"{hour}{stamp[13:23]}Z"
    if isinstance(stamp, int) or stamp.isdigit():
        moment = datetime.fromtimestamp(int(stamp) / 1000, UTC)
    else:
        try:
            moment = datetime.fromisoformat(stamp)
        except ValueError as exc:
            raise SourceDataError(tr("Jira sent {stamp!r} where a stamp was expected.", stamp=stamp)) from exc
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    fraction = f".{moment.microsecond // 1000:03d}" if moment.microsecond >= 1000 else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def millis(stamp: str) -> int:
    """Return milliseconds since 1970."""
    return round(datetime.fromisoformat(stamp).timestamp() * 1000)

"""What a mapping file may say.

How to sign in, which lists to ask for, how they are paged, and what a row becomes.
"""

from __future__ import annotations

import functools
import re
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_type_hints
from urllib.parse import quote

import msgspec

from hub import ConfigError, Record, tr

PREFIXES = {
    "container": "p",
    "account": "u",
    "iteration": "s",
    "task": "",
    "worklog": "w",
    "task_change": "h",
    "task_link": "l",
    "sla_cycle": "c",
    "allocation": "a",
    "baseline": "b",
    "custom_value": "x",
    "assignment": "y",
}
"""What stands before the ids of a table, so that the tool's numbers of two kinds of rows never meet."""
TABLES = tuple(PREFIXES)
"""What a mapping may make."""
REFERENCES = {
    "container_id": "container",
    "account_id": "account",
    "assignee_id": "account",
    "reporter_id": "account",
    "author_id": "account",
    "owner_id": "account",
    "iteration_id": "iteration",
    "task_id": "task",
    "parent_id": "task",
    "from_id": "task",
    "to_id": "task",
    "row_id": "task",
}
"""Fields that name another row, and its table."""
NAME = re.compile(r"\{(\w+)\}")
"""A variable in a path, a parameter or a body."""
GIVEN = {"user", "password", "app_token", "client_id", "secret", "session"}
"""Variables that the source's own settings give: *secret* is its token, *session* what signing in gave."""
OWN = {"since", "offset", "last", "page", "size", "token", "after", "before", "id", *GIVEN}
TAKEN = {"since", "offset", "last", "page", "size", "token", "after", "before"}
"""Variables that the hub gives a value of its own at each page."""
_FALSE = frozenset({"", "0", "0.0", "false", "f", "no", "n", "off", "none", "null", "nil", "undefined"})
_NO_DAY = ("0000-00-00", "0001-01-01")
ABOVE, ITEM = "_above", "item"
"""What a row stands in, and what a record is made of, in the paths of a mapping."""


class Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of a mapping file."""


class Auth(Struct, frozen=True, kw_only=True):
    """How to sign in.

    *kind*: ``basic`` (*user* stands for the setting where a tool wants a fixed name), ``bearer``, ``header``
    (the token in *header*), ``oauth2`` (client credentials at *url*, *scope*), ``session`` (a question at
    *url* with *headers*, and where the tool wants one a *body*, gives at *token* what then stands in *header*
    and is ``{session}``; a GET at *end* ends it with the run). *encoding* is that of the body: ``json`` or
    ``form``; *scheme* stands before the session in its header; in *headers* ``{basic}`` is user and password
    as Basic has them, in *url* ``{host}`` the name of the server. *user* and *password* of ``basic`` may name
    settings: ``{token}``.
    """

    kind: Literal["none", "basic", "bearer", "header", "oauth2", "session"] = "none"
    user: str | None = None
    password: str | None = None
    header: str | None = None
    url: str | None = None
    body: dict[str, Any] | None = None
    encoding: Literal["json", "form"] = "json"
    scheme: str = ""
    scope: str | None = None
    token: str | None = None
    headers: dict[str, str] = {}
    end: str | None = None


class Paging(Struct, frozen=True, kw_only=True):
    """How the next page is asked for.

    *kind*: ``offset`` (``{offset}``, ``{last}``), ``page`` (``{page}``, from *first*), ``after``
    (``{after}``, the key of the last row, 0 at first), ``before`` (``{before}``, the least key of the page,
    where the newest rows come first), ``token`` (``{token}``, found at *next*), ``next`` (an address at
    *next*), ``link`` (the header Link). *size* is ``{size}``. *total* is where the number of rows stands; it
    and *next* may be ``header:NAME``. *end* is true on the last page, *more* on every other;
    an answer without that word proves no end.
    *resume* True keeps the last token: the next run goes on from there. *overlap* rows of a page by
    ``offset`` are those of the one before, so that a deletion between them shows; without it one is, where
    the tool tells no total.
    *holes* True says that the tool takes rows out of a page after it was cut: a short page is not the end.
    *twice* True reads a list of several pages again, until a reading has all that the one before it had:
    the proof where there is neither total nor next nor overlap.
    """

    kind: Literal["none", "offset", "page", "after", "before", "token", "next", "link"] = "none"
    size: int = 100
    first: int = 1
    next: str | None = None
    total: str | None = None
    end: str | None = None
    more: str | None = None
    resume: bool = False
    overlap: int | None = None
    holes: bool = False
    twice: bool = False

    @property
    def is_proven(self) -> bool:
        """Say whether a row that goes between two pages shows: by total, next, overlap, another reading."""
        return (
            self.kind not in {"offset", "page"}
            or bool(self.total or self.next or self.twice)
            or (self.kind == "offset" and self.overlap != 0)
        )


class Cursor(Struct, frozen=True, kw_only=True):
    """What changed since: *field* holds the stamp of a row.

    ``{since}`` is the newest one seen less *overlap_s*, by *format* (strftime, ``epoch``, ``epoch_ms``).
    *descending* True says that an *incremental* reading shows the newest changes first: it ends where only
    older rows follow, for tools that can sort and not filter.
    """

    field: str
    format: str = "%Y-%m-%dT%H:%M:%SZ"
    overlap_s: int = 600
    descending: bool = False


class Deletes(Struct, frozen=True, kw_only=True):
    """How one knows that a row is gone.

    *kind*: ``flag`` (*field* is true), ``absence`` (lacking in a whole reading, or in that of *list*, whose
    key is the row's id), ``probe`` (lacking, and the path *probe* answers 404), ``listed`` (its id
    is a key of *list*, those the tool names as deleted), ``none``.
    *trashed* is true of a row that lies in the bin, in the list or as the path *probe* answers.
    """

    kind: Literal["none", "flag", "absence", "probe", "listed"] = "none"
    field: str | None = None
    probe: str | None = None
    trashed: str | None = None
    list: str | None = None


class Each(Struct, frozen=True, kw_only=True):
    """The list is asked for once per row of *list*, of which *when* (JMESPath) is true where it is told.

    *set* names variables and where they stand in that row.
    """

    list: str
    set: dict[str, str]
    when: str | None = None


Unit = Literal["seconds", "minutes", "hours", "days", "milliseconds", "iso", "glide", "share", "percent"]


class Case(Struct, frozen=True, kw_only=True):
    """One of several places of a field: a *path* or a *value*, where *when* (JMESPath) is true of the row."""

    when: str | None = None
    path: str | None = None
    value: str | int | float | bool | None = None


class Field(Struct, frozen=True, kw_only=True):
    """Where one field comes from: a *path* (JMESPath), a *value*, or the first of *cases* that has one.

    The path ``{name}`` is the variable of that name, whatever the row itself calls so.

    *values* says what the tool's words are in the hub's, *default* what stands for nothing, and for other
    words. *unit* of an effort: seconds, minutes, hours, days, milliseconds, ``iso`` (``PT2H``), ``glide``
    (``1970-01-01 02:00:00``); of a part: share or percent. *format* is a pattern of strptime for days. *last*
    keeps what follows the last slash of an address. *source* is the name of another source whose row this is,
    *table* the table of that row, *prefix* what stands before its id where a table has rows of several lists,
    *suffix* what follows it where a row becomes several. *pattern* is a regular expression: its group is what
    is kept of a text in which it is found. *plus_days*, a number or a path to one, is added to a day,
    *minus*, a path to a number, is taken off one. *lookup* is a list of this mapping in which the row with
    this key is looked up, *take* the path of what is taken of it. *format* ``epoch`` or ``epoch_ms`` counts
    since 1970. *zone*, a time zone or a path to one, is that of stamps without one and of the day on which a
    stamp falls. *always* says that the tool sends it with every row: a row without it is rejected.
    """

    path: str | None = None
    cases: tuple[Case, ...] = ()
    lookup: str | None = None
    take: str | None = None
    zone: str | None = None
    value: str | int | float | bool | None = None
    values: dict[str, str | int | float | bool] | None = None
    default: str | int | float | bool | None = None
    unit: Unit | None = None
    format: str | None = None
    last: bool = False
    source: str | None = None
    table: str | None = None
    prefix: str = ""
    suffix: str = ""
    pattern: str | None = None
    plus_days: int | str = 0
    minus: str | None = None
    always: bool = False


class Made(Struct, frozen=True, kw_only=True):
    """A record that a row becomes, in *table*, with its *fields*; *when* (JMESPath) must be true of it.

    With *of*, the path of a list in the row, it becomes one for each thing in it, which paths call ``item``.

    With *spread*, names of fields, it becomes one for each of them: the days of a week's card.
    ``spread.value`` is what stands there, ``spread.number`` counts from 0.
    """

    table: str
    fields: dict[str, Field | str]
    when: str | None = None
    of: str | None = None
    spread: tuple[str, ...] = ()


class Wanted(Struct, frozen=True, kw_only=True):
    """A list of the tool.

    *name* is what people read of it, *path* its address, *method* how it is asked, *params* and *body* with
    what; *record* is what its rows become: none for a list that others are asked for by. *paging*, *each*,
    *cursor* and *deletes* have tables of their own. *sweep_hours* is how often the whole list is read where
    *deletes* needs it.

    *rows* is where they stand in the answer (empty: it is the answer), *key* what is unique among them. As a
    list of paths each is one step down: the rows of rows, which call what they stand in ``_above``.
    *children* is where rows like it stand in a row, to any depth. A parameter with a variable that has no
    value, such as ``{token}`` at first, is left out; of a body, with the condition it stands in.
    *incremental* are parameters of readings from a cursor, *incremental_body* parts of the body, besides or
    instead. *encoding* is that of the body: ``json`` or ``form``.
    """

    name: str
    path: str
    record: tuple[Made, ...] = ()
    method: Literal["GET", "POST"] = "GET"
    params: dict[str, str] = {}
    incremental: dict[str, str] = {}
    body: dict[str, Any] | None = None
    incremental_body: dict[str, Any] | None = None
    encoding: Literal["json", "form"] = "json"
    rows: str | tuple[str, ...] = ""
    children: str | None = None
    key: str = "id"
    paging: Paging = Paging()
    each: Each | None = None
    cursor: Cursor | None = None
    deletes: Deletes = Deletes()
    sweep_hours: float = 24.0

    @property
    def steps(self) -> tuple[str, ...]:
        """Return the paths to the rows, from the answer down."""
        return (self.rows,) if isinstance(self.rows, str) else self.rows

    @property
    def is_nested(self) -> bool:
        """Say whether a row of a page may become several rows, or none."""
        return len(self.steps) > 1 or self.children is not None


class Mapping(Struct, frozen=True, kw_only=True):
    """One mapping file.

    *title* is the tool's name, *auth* how to sign in, *headers* what goes with each question, *list* what is
    asked for.

    *check* is a path that any account may read, asked at each run.

    *account* is where its answer says who is signed in: nobody is refused.

    *token* is a path whose answer is about the token itself, *token_ends* where it says the day of its end.

    *needs* are the names of `params` that a source must give, *may* those it may give: a field whose path has
    one that is not given is left out. *tz* is the zone of stamps without one, or ``source``: that of the
    source. *refused* is true of an answer that is none, whatever its status.

    *decimal* is the decimal sign of numbers that come as texts; where nothing is said each text stands
    alone, and one that can be read two ways is refused.
    """

    title: str
    list: tuple[Wanted, ...]
    auth: Auth = Auth()
    headers: dict[str, str] = {}
    check: str | None = None
    account: str | None = None
    token: str | None = None
    token_ends: str | None = None
    refused: str | None = None
    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    tz: str = "UTC"
    decimal: Literal[".", ",", "auto"] = "auto"


def shipped() -> list[str]:
    """Return the names of the mappings that come with pm-hub."""
    return sorted(
        one.name.removesuffix(".toml")
        for one in resources.files("hub_rest.mappings").iterdir()
        if one.name.endswith(".toml")
    )


def load(name: str, base: Path) -> Mapping:
    """Read a mapping: a file, from *base*, or the name of one that comes with pm-hub.

    Raises `ConfigError`.
    """
    if name in shipped():
        return parse(
            resources.files("hub_rest.mappings").joinpath(f"{name}.toml").read_text(encoding="utf-8"), name
        )
    path = base / name
    try:
        return parse(path.read_text(encoding="utf-8-sig"), name)
    except OSError as exc:
        raise ConfigError(
            tr(
                "The mapping {path} cannot be read ({reason}). Give a file, or one of {shipped}.",
                path=path,
                reason=exc.strerror,
                shipped=", ".join(shipped()),
            )
        ) from exc
    except UnicodeDecodeError as exc:
        raise ConfigError(
            tr("{path} is not UTF-8 text (byte {start}): save it as UTF-8.", path=path, start=exc.start)
        ) from exc


def parse(text: str, where: str) -> Mapping:
    """Read the text of a mapping. Raises `ConfigError` naming *where*, the key and what is wrong."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError(tr("{where} is not valid TOML: {error}.", where=where, error=exc)) from exc
    from hub_rest.checking import check, lines_of
    from hub_rest.misfits import misfit

    lines = lines_of(text)
    try:
        mapping = msgspec.convert(raw, Mapping)
    except msgspec.ValidationError as exc:
        raise ConfigError(misfit(f"{exc}", raw, lines, where)) from exc
    check(mapping, where, lines)
    return mapping


@functools.cache
def hints(cls: type[Record]) -> dict[str, Any]:
    """Return the types of a record's fields."""
    return get_type_hints(cls)


@functools.cache
def required(cls: type[Record]) -> tuple[str, ...]:
    """Return the fields that a record cannot be without."""
    return tuple(info.name for info in msgspec.structs.fields(cls) if info.required)


def plain(field: Field | str) -> Field:
    """Return a field in its long form."""
    return Field(path=field) if isinstance(field, str) else field


def own(one: Wanted) -> Made:
    """Return the record that a row of a list is, beside what it brings along.

    The first one whose id is the key of the row, else the first one that every row makes: what leaves with a
    row is that, and not a milestone or a container that other rows name too.
    """
    keyed = (made for made in one.record if made.of is None and plain(made.fields["id"]).path == one.key)
    always = (made for made in one.record if made.when is None)
    return next(keyed, next(always, one.record[0]))


def endings(one: Wanted) -> list[str]:
    """Return what may follow the native id in the ids of the records that a row of a list becomes."""
    found = []
    for made in one.record:
        if made.table == own(one).table:
            suffix = plain(made.fields["id"]).suffix
            found += [f"{suffix}/{part}" for part in made.spread] or [suffix]
    return list(dict.fromkeys(found))


def is_true(value: Any) -> bool:
    """Say whether a flag of a tool is set, in whatever way it writes flags."""
    if isinstance(value, str):  # the day of a deletion that never was is none
        return value.strip().casefold() not in _FALSE and not value.startswith(_NO_DAY)
    return value not in (None, 0, [], {})


def fill_path(path: str, variables: dict[str, Any]) -> str | None:
    """Put variables into a path, each as one part of it."""
    return fill(  # type: ignore[no-any-return]
        path,
        {name: value if value is None else quote(f"{value}", safe="") for name, value in variables.items()},
    )


def fill(value: Any, variables: dict[str, Any]) -> Any:
    """Put variables into a text, or into the texts of a body.

    A text with one that has no value gives None, and is left out with the condition that it is part of: a
    name of a table, a list such as ``["at", ">=", "{since}"]``, a table that is one of a list.
    """
    if isinstance(value, str):
        found = NAME.findall(value)
        if any(variables.get(name) is None for name in found):
            return None
        whole = NAME.fullmatch(value)
        return variables[whole[1]] if whole else NAME.sub(lambda match: str(variables[match[1]]), value)
    if isinstance(value, dict):
        filled = {name: (one, fill(one, variables)) for name, one in value.items()}
        kept = {name: made for name, (one, made) in filled.items() if made is not None or one is None}
        return kept if kept or not value else None
    if not isinstance(value, list | tuple):
        return value
    if any(_lacks(one, variables) for one in value if isinstance(one, str)):
        return None
    parts = [(one, fill(one, variables)) for one in value if not _lacks(one, variables)]
    return [one for before, one in parts if one is not None or before is None]


def _lacks(value: Any, variables: dict[str, Any]) -> bool:
    """Say whether a text, or one in a table, has a variable without a value."""
    if isinstance(value, dict):
        return any(_lacks(one, variables) for one in value.values())
    return isinstance(value, str) and fill(value, variables) is None


def texts_of(value: Any) -> list[str]:
    """Return the texts of a body, however deep."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [text for one in value or () for text in texts_of(one)] if isinstance(value, list | tuple) else []

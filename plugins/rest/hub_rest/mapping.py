"""What a mapping file may say.

How to sign in, which lists to ask for, how they are paged, and what a row becomes.
"""

from __future__ import annotations

import difflib
import functools
import re
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints
from urllib.parse import quote

import jmespath
import msgspec

from hub import BY_TABLE, ConfigError, Record, columns_of, convert, is_zone, tr

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
_SIMPLE = re.compile(r'(?:\w+|"[^"]+")(?:\.(?:\w+|"[^"]+"))*')
_PARTS = frozenset({"share", "percent"})
_OWN = {"since", "offset", "last", "page", "size", "token", "after", "id", "user", "password", "app_token"}


class Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of a mapping file."""


class Auth(Struct, frozen=True, kw_only=True):
    """How to sign in.

    *kind*: ``basic`` (*user* stands for the setting where a tool wants a fixed name), ``bearer``, ``header``
    (the token in *header*), ``oauth2`` (client credentials at *url*, *scope*), ``session`` (a GET at *url*
    with *headers* gives at *token* what then stands in *header*; a GET at *end* ends it with the run).
    """

    kind: Literal["none", "basic", "bearer", "header", "oauth2", "session"] = "none"
    user: str | None = None
    header: str | None = None
    url: str | None = None
    scope: str | None = None
    token: str | None = None
    headers: dict[str, str] = {}
    end: str | None = None


class Paging(Struct, frozen=True, kw_only=True):
    """How the next page is asked for.

    *kind*: ``offset`` (``{offset}``, ``{last}``), ``page`` (``{page}``, from *first*), ``after``
    (``{after}``, the key of the last row, 0 at first), ``token`` (``{token}``, found at *next*), ``next``
    (an address at *next*), ``link`` (the header Link). *size* is ``{size}``. *total* is where the number of
    rows stands, or ``header:NAME``; *end* is true on the last page, *more* on every other. *resume* True
    keeps the last token: the next run goes on from there. *overlap* rows of a page by ``offset`` are those of
    the one before, so that a deletion between them shows; without it one is, where the tool tells no total.
    *holes* True says that the tool takes rows out of a page after it was cut: a short page is not the end.
    """

    kind: Literal["none", "offset", "page", "after", "token", "next", "link"] = "none"
    size: int = 100
    first: int = 1
    next: str | None = None
    total: str | None = None
    end: str | None = None
    more: str | None = None
    resume: bool = False
    overlap: int | None = None
    holes: bool = False


class Cursor(Struct, frozen=True, kw_only=True):
    """What changed since: *field* holds the stamp of a row.

    ``{since}`` is the newest one seen less *overlap_s*, by *format* (strftime, ``epoch``, ``epoch_ms``).
    """

    field: str
    format: str = "%Y-%m-%dT%H:%M:%SZ"
    overlap_s: int = 600


class Deletes(Struct, frozen=True, kw_only=True):
    """How one knows that a row is gone.

    *kind*: ``flag`` (*field* is true), ``absence`` (lacking in a whole reading, or in that of *list*, another
    list, whose key is the row's id), ``probe`` (lacking, and the path *probe* answers 404), ``none``.
    *trashed* is true of a row that lies in the bin, in the list or as the path *probe* answers.
    """

    kind: Literal["none", "flag", "absence", "probe"] = "none"
    field: str | None = None
    probe: str | None = None
    trashed: str | None = None
    list: str | None = None


class Each(Struct, frozen=True, kw_only=True):
    """The list is asked for once per row of *list*.

    *set* names variables and where they stand in that row.
    """

    list: str
    set: dict[str, str]


Unit = Literal["seconds", "minutes", "hours", "days", "milliseconds", "iso", "glide", "share", "percent"]


class Field(Struct, frozen=True, kw_only=True):
    """Where one field comes from: a *path* (JMESPath) or a *value*.

    *values* says what the tool's words are in the hub's, *default* what stands for nothing, and for other
    words. *unit* of an effort: seconds, minutes, hours, days, milliseconds, ``iso`` (``PT2H``), ``glide``
    (``1970-01-01 02:00:00``); of a part: share or percent. *format* is a pattern of strptime for days. *last*
    keeps what follows the last slash of an address. *source* is the name of another source whose row this is,
    *table* the table of that row, *prefix* what stands before its id where a table has rows of several lists,
    *suffix* what follows it where a row becomes several. *pattern* is a regular expression: its group is what
    is kept of a text in which it is found. *plus_days*, a number or a path to one, is added to a day,
    *minus*, a path to a number, is taken off one.
    """

    path: str | None = None
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


class Made(Struct, frozen=True, kw_only=True):
    """A record that a row becomes; *when* (JMESPath) must be true of it.

    With *spread*, names of fields, it becomes one for each of them: the days of a week's card.
    ``spread.value`` is what stands there, ``spread.number`` counts from 0.
    """

    table: str
    fields: dict[str, Field | str]
    when: str | None = None
    spread: tuple[str, ...] = ()


class Wanted(Struct, frozen=True, kw_only=True):
    """A list of the tool.

    *rows* is where they stand in the answer (empty: it is the answer), *key* what is unique among them. A
    parameter with a variable that has no value, such as ``{token}`` at first, is left out. *incremental* are
    parameters of readings from a cursor, besides or instead.
    """

    name: str
    path: str
    record: tuple[Made, ...] = ()
    method: Literal["GET", "POST"] = "GET"
    params: dict[str, str] = {}
    incremental: dict[str, str] = {}
    body: dict[str, Any] | None = None
    rows: str = ""
    key: str = "id"
    paging: Paging = Paging()
    each: Each | None = None
    cursor: Cursor | None = None
    deletes: Deletes = Deletes()
    sweep_hours: float = 24.0


class Mapping(Struct, frozen=True, kw_only=True):
    """One mapping file. *check* is a path that any account may read, asked at each run.

    *account* is where its answer says who is signed in: nobody is refused.

    *needs* are the names of `params` that a source must give; *tz* is the zone of stamps without one, or
    ``source``: that of the source.

    *decimal* is the decimal sign of numbers that come as texts; where nothing is said each text stands
    alone, and one that can be read two ways is refused.
    """

    title: str
    list: tuple[Wanted, ...]
    auth: Auth = Auth()
    headers: dict[str, str] = {}
    check: str | None = None
    account: str | None = None
    needs: tuple[str, ...] = ()
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


def parse(text: str, where: str) -> Mapping:
    """Read the text of a mapping. Raises `ConfigError` naming *where*, the key and what is wrong."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError(tr("{where} is not valid TOML: {error}.", where=where, error=exc)) from exc
    mapping = convert(raw, Mapping, where=where, base=Path())
    _check(mapping, where)
    return mapping


def _check(mapping: Mapping, where: str) -> None:
    auth = mapping.auth
    lacking = {
        "header": [("header", auth.header)],
        "oauth2": [("url", auth.url)],
        "session": [("url", auth.url), ("token", auth.token), ("header", auth.header)],
    }.get(auth.kind, [])
    for name, value in lacking:
        if not value:
            raise ConfigError(
                tr("{where} [auth]: kind = {kind!r} needs {name}.", where=where, kind=auth.kind, name=name)
            )
    if mapping.tz != "source" and not is_zone(mapping.tz):
        raise ConfigError(
            tr(
                "{where}: tz = {tz!r} is not a time zone such as Europe/Paris, nor source.",
                where=where,
                tz=mapping.tz,
            )
        )
    if mapping.account:
        expression(mapping.account, where)
        if not mapping.check:
            raise ConfigError(
                tr("{where}: account needs check, the path whose answer says who is signed in.", where=where)
            )
    names = [one.name for one in mapping.list]
    if len(set(names)) < len(names):
        raise ConfigError(tr("{where}: two lists have the same name.", where=where))
    known = {"user", "password", "app_token", *mapping.needs}
    for number, one in enumerate(mapping.list):
        place = f"{where} [[list]] {one.name!r}"
        inherited = known | _own(one)
        if one.deletes.list and one.deletes.list not in names:
            raise ConfigError(
                tr("{place}: deletes.list = {list!r} is no list.", place=place, list=one.deletes.list)
            )
        above = one.each
        while above:
            if above.list not in names[:number]:
                raise ConfigError(
                    tr("{place}: each.list = {list!r} is no list above it.", place=place, list=above.list)
                )
            inherited |= set(above.set)
            above = next(other for other in mapping.list if other.name == above.list).each
        _check_list(one, place, inherited)


def _own(one: Wanted) -> set[str]:
    paging = {"offset": {"offset", "last"}, "page": {"page"}, "token": {"token"}, "after": {"after"}}.get(
        one.paging.kind, set()
    )
    return {"size"} | paging | ({"since"} if one.cursor else set())


def _check_list(one: Wanted, place: str, known: set[str]) -> None:
    for text in _texts((one.path, one.params, one.incremental, one.body)):
        if unknown := set(NAME.findall(text)) - known:
            why = (
                tr("its paging or cursor gives none")
                if unknown & _OWN
                else tr("known here: {known}", known=", ".join(sorted(known)))
            )
            raise ConfigError(
                tr(
                    "{place}: {{{unknown}}} has no value; {why}.",
                    place=place,
                    unknown=sorted(unknown)[0],
                    why=why,
                )
            )
    if unknown := set(NAME.findall(one.deletes.probe or "")) - known - {"id"}:
        raise ConfigError(
            tr(
                "{place}: {{{unknown}}} in deletes.probe has no value.",
                place=place,
                unknown=sorted(unknown)[0],
            )
        )
    if one.cursor and not any(
        "{since}" in text for text in _texts((one.path, one.params, one.incremental, one.body))
    ):
        raise ConfigError(
            tr(
                "{place}: it has a cursor, and no parameter uses {{since}}: every run would read everything.",
                place=place,
            )
        )
    if one.paging.kind in {"token", "next"} and not one.paging.next:
        raise ConfigError(
            tr(
                "{place}: paging by {kind} needs next, where the next one stands in the answer.",
                place=place,
                kind=one.paging.kind,
            )
        )
    if (one.deletes.kind == "flag") != (one.deletes.field is not None) or (one.deletes.kind == "probe") != (
        one.deletes.probe is not None
    ):
        raise ConfigError(
            tr(
                "{place}: deletes by flag need field, by probe probe = the path of one row with "
                "{{id}}, others neither.",
                place=place,
            )
        )
    if one.paging.holes and (one.paging.kind != "offset" or not one.paging.total):
        raise ConfigError(
            tr(
                "{place}: paging with holes needs kind = 'offset' and total, which ends the list.",
                place=place,
            )
        )
    if one.deletes.list and one.deletes.kind != "absence":
        raise ConfigError(tr("{place}: only deletes by absence may name another list.", place=place))
    total = one.paging.total if one.paging.total and not one.paging.total.startswith("header:") else None
    for path in filter(
        None,
        (
            one.rows,
            one.key,
            one.paging.next,
            total,
            one.paging.end,
            one.paging.more,
            one.cursor and one.cursor.field,
            one.deletes.field,
            one.deletes.trashed,
        ),
    ):
        expression(path, place)
    for made in one.record:
        _check_record(made, place)


def _check_record(made: Made, place: str) -> None:
    tables = sorted(TABLES)
    if made.table not in tables:
        raise ConfigError(
            tr(
                "{place}: {table!r} is no record. There are {tables}.",
                place=place,
                table=made.table,
                tables=", ".join(tables),
            )
        )
    cls = BY_TABLE[made.table]
    if unknown := [name for name in made.fields if name not in cls.__struct_fields__]:
        close = difflib.get_close_matches(unknown[0], cls.__struct_fields__, n=1)
        hint = (
            tr("Did you mean {close!r}?", close=close[0])
            if close
            else tr("It has {struct_fields__}.", struct_fields__=", ".join(cls.__struct_fields__))
        )
        raise ConfigError(
            tr(
                "{place}: {table} has no field {unknown!r}. {hint}",
                place=place,
                table=made.table,
                unknown=unknown[0],
                hint=hint,
            )
        )
    if missing := [name for name in required(cls) if name not in made.fields]:
        raise ConfigError(
            tr(
                "{place}: {table} needs the field {missing!r}.",
                place=place,
                table=made.table,
                missing=missing[0],
            )
        )
    if made.when:
        expression(made.when, place)
    for name, field in made.fields.items():
        field = plain(field)
        if (field.path is None) == (field.value is None):
            raise ConfigError(
                tr(
                    "{place}: {table}.{name} needs a path or a value.",
                    place=place,
                    table=made.table,
                    name=name,
                )
            )
        if field.path:
            expression(field.path, place)
        for path in (field.plus_days, field.minus):
            if isinstance(path, str):
                expression(path, place)
        if field.pattern is not None and not _is_pattern(field.pattern):
            raise ConfigError(
                tr(
                    "{place}: {table}.{name}: pattern = {pattern!r} is no regular expression with one group.",
                    place=place,
                    table=made.table,
                    name=name,
                    pattern=field.pattern,
                )
            )
        kind = columns_of(cls)[name].kind
        if (field.unit and (field.unit in _PARTS) != (kind in _PARTS)) or (
            field.unit and kind not in {"seconds", *_PARTS}
        ):
            raise ConfigError(
                tr(
                    "{place}: {table}.{name} has no unit {unit!r}.",
                    place=place,
                    table=made.table,
                    name=name,
                    unit=field.unit,
                )
            )
        if field.table and field.table not in TABLES:
            raise ConfigError(
                tr(
                    "{place}: {table}.{name}: table {other!r} is no record.",
                    place=place,
                    table=made.table,
                    name=name,
                    other=field.table,
                )
            )
        allowed = get_args(_annotation(cls, name))
        for value in [*(field.values or {}).values(), field.value, field.default]:
            if isinstance(value, str) and allowed and value not in allowed:
                raise ConfigError(
                    tr(
                        "{place}: {table}.{name} cannot be {value!r}. It can be {allowed}.",
                        place=place,
                        table=made.table,
                        name=name,
                        value=value,
                        allowed=", ".join(map(str, allowed)),
                    )
                )


def _is_pattern(text: str) -> bool:
    try:
        return re.compile(text).groups == 1
    except re.error:
        return False


@functools.cache
def hints(cls: type[Record]) -> dict[str, Any]:
    """Return the types of a record's fields."""
    return get_type_hints(cls)


@functools.cache
def required(cls: type[Record]) -> tuple[str, ...]:
    """Return the fields that a record cannot be without."""
    return tuple(info.name for info in msgspec.structs.fields(cls) if info.required)


def _annotation(cls: type[Record], name: str) -> Any:
    """Return the Literal that a field is, if it is one."""
    hint = hints(cls)[name]
    inner = [one for one in get_args(hint) if getattr(one, "__origin__", None) is Literal]
    return inner[0] if inner else hint if getattr(hint, "__origin__", None) is Literal else None


def plain(field: Field | str) -> Field:
    """Return a field in its long form."""
    return Field(path=field) if isinstance(field, str) else field


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [text for one in value or () for text in _texts(one)] if isinstance(value, list | tuple) else []


def simple(path: str) -> list[str] | None:
    """Return the names of a dotted path, or None when it is an expression."""
    if not _SIMPLE.fullmatch(path):
        return None
    return [quoted or name for quoted, name in re.findall(r'"([^"]+)"|(\w+)', path)]


def parts(path: str) -> list[list[str]]:
    """Return what a path reads of a row: its names, or the first ones of an expression."""
    names = simple(path)
    return [names] if names else [[name] for name in sorted(_roots(jmespath.compile(path).parsed))]


def _roots(node: Any) -> set[str]:
    if node["type"] == "field":
        return {node["value"]}
    inner = node["children"]
    if node["type"] in {
        "subexpression",
        "index_expression",
        "projection",
        "filter_projection",
        "value_projection",
        "flatten",
    }:
        inner = inner[:1]
    return {name for one in inner for name in _roots(one)}


@functools.cache
def expression(path: str, where: str = "mapping") -> Any:
    """Return a function that finds *path* in a row: dotted paths run ten times faster than JMESPath.

    Raises `ConfigError`.
    """
    names = simple(path)
    if names is None:
        try:
            compiled = jmespath.compile(path)
        except jmespath.exceptions.JMESPathError as exc:
            raise ConfigError(
                tr(
                    "{where}: {path!r} is no JMESPath: {answer}.",
                    where=where,
                    path=path,
                    answer=str(exc).splitlines()[0],
                )
            ) from exc
        return compiled.search

    def find(row: Any) -> Any:
        for name in names:
            if row is None:
                return None
            if not isinstance(row, dict):
                raise TypeError(
                    tr("before {name!r} stands {row!r}, which has no parts", name=name, row=str(row)[:60])
                )
            row = row.get(name)
        return row

    return find


def own(one: Wanted) -> Made:
    """Return the record that a row of a list is, beside what it brings along.

    The first one that every row makes.
    """
    return next((made for made in one.record if made.when is None), one.record[0])


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
    return value not in (None, "", "0", "false", "False", 0, [], {})


def fill_path(path: str, variables: dict[str, Any]) -> str | None:
    """Put variables into a path, each as one part of it."""
    return fill(  # type: ignore[no-any-return]
        path,
        {name: value if value is None else quote(f"{value}", safe="") for name, value in variables.items()},
    )


def fill(value: Any, variables: dict[str, Any]) -> Any:
    """Put variables into a text, or into the texts of a body.

    A text with one that has no value gives None.
    """
    if isinstance(value, str):
        found = NAME.findall(value)
        if any(variables.get(name) is None for name in found):
            return None
        whole = NAME.fullmatch(value)
        return variables[whole[1]] if whole else NAME.sub(lambda match: str(variables[match[1]]), value)
    if isinstance(value, dict):
        filled = {name: fill(one, variables) for name, one in value.items()}
        return {name: one for name, one in filled.items() if one is not None}
    return [fill(one, variables) for one in value] if isinstance(value, list) else value

"""What is wrong with a mapping, said with its line, before anything is asked for."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any, Literal, get_args

from hub import BY_TABLE, ConfigError, Record, columns_of, is_zone, tr
from hub_rest.mapping import (
    GIVEN,
    NAME,
    OWN,
    TABLES,
    TAKEN,
    Field,
    Made,
    Mapping,
    Wanted,
    hints,
    plain,
    required,
    texts_of,
)
from hub_rest.paging import KEYED
from hub_rest.paths import expression

_PARTS = frozenset({"share", "percent"})
_HEADER = re.compile(r"\s*(\[\[?)\s*([\w.\s]+?)\s*\]\]?")
_KEY = re.compile(r"""\s*(?:"([^"]+)"|'([^']+)'|([\w-]+))\s*=""")
_LETTERS = frozenset("aAbBcCdDeFfGgHIjklmMnpPrRsSTtuUVwWxXyYzZ%")
"""Letters that a pattern of a day may have after %."""
Lines = dict[tuple[Any, ...], int]
"""The line of a list, of a record of it and of a field of that, by their numbers and names."""


def lines_of(text: str) -> Lines:
    """Return the lines on which the parts of a mapping stand."""
    found: Lines = {}
    one, made, here = -1, -1, ()  # type: int, int, tuple[Any, ...]
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            names = header[2].replace(" ", "").split(".")
            if header[1] == "[[" and names == ["list"]:
                one, made = one + 1, -1
                here = (one,)
            elif header[1] == "[[" and names == ["list", "record"]:
                made += 1
                here = (one, made)
            elif names[:2] == ["list", "record"]:
                here = (one, made, *names[3:])
            elif names[0] == "list":
                here = (one, *names[1:])
            else:
                here = tuple(names)
            found.setdefault(here, number)
        elif key := _KEY.match(line):
            found.setdefault((*here, key[1] or key[2] or key[3]), number)
    return found


class Spot:
    """Where in a mapping something stands; as a text it says so, with the line."""

    def __init__(self, where: str, lines: Lines, name: str | None = None, path: tuple[Any, ...] = ()) -> None:
        """Take the mapping's name, its *lines*, and the *name* of a list with the *path* down to the spot."""
        self.where, self.lines, self.name, self.path = where, lines, name, path

    def at(self, *names: Any) -> Spot:
        """Return a spot below this one."""
        return Spot(self.where, self.lines, self.name, self.path + names)

    def __str__(self) -> str:
        """Say it."""
        path = self.path
        while path and path not in self.lines:
            path = (*path[:-1], "fields") if path[-1:] != ("fields",) and len(path) == 3 else path[:-1]
        line = tr(" line {number},", number=self.lines[path]) if path else ""
        return (
            f"{self.where}{line} [[list]] {self.name!r}"
            if self.name is not None
            else f"{self.where}{line}".rstrip(",")
        )


def check(mapping: Mapping, where: str, lines: Lines) -> None:
    """Raise `ConfigError` naming the mapping, the line and what is wrong there."""
    top = Spot(where, lines)
    _check_auth(mapping, where)
    if mapping.tz != "source" and not is_zone(mapping.tz):
        raise ConfigError(
            tr(
                "{where}: tz = {tz!r} is not a time zone such as Europe/Paris, nor source.",
                where=top.at("tz"),
                tz=mapping.tz,
            )
        )
    if mapping.account:
        expression(mapping.account, f"{top.at('account')}")
        if not mapping.check:
            raise ConfigError(
                tr(
                    "{where}: account needs check, the path whose answer says who is signed in.",
                    where=top.at("account"),
                )
            )
    if mapping.token_ends:
        expression(mapping.token_ends, f"{top.at('token_ends')}")
    if bool(mapping.token) != bool(mapping.token_ends):
        raise ConfigError(
            tr(
                "{where}: token and token_ends go together: a path, and the field of its answer.",
                where=top.at("token" if mapping.token else "token_ends"),
            )
        )
    if mapping.refused:
        expression(mapping.refused, f"{top.at('refused')}")
    names = [one.name for one in mapping.list]
    for number, name in enumerate(names):
        if name in names[:number]:
            spot = Spot(where, lines, name, (number, "name"))
            raise ConfigError(tr("{where}: two lists have the same name.", where=spot))
    given = GIVEN - ({"session"} if mapping.auth.kind != "session" else set())
    known = {*given, *mapping.needs, *mapping.may}
    _check_names([*mapping.needs, *mapping.may], where)
    for number, one in enumerate(mapping.list):
        spot = Spot(where, lines, one.name, (number,))
        inherited = known | _own(one)
        if one.deletes.list and one.deletes.list not in names:
            raise ConfigError(
                tr(
                    "{place}: deletes.list = {list!r} is no list.",
                    place=spot.at("deletes"),
                    list=one.deletes.list,
                )
            )
        above = one.each
        while above:
            if above.list not in names[:number]:
                raise ConfigError(
                    tr(
                        "{place}: each.list = {list!r} is no list above it.",
                        place=spot.at("each"),
                        list=above.list,
                    )
                )
            _check_names(above.set, f"{spot.at('each')}")
            if above.when:
                expression(above.when, f"{spot.at('each')}")
            inherited |= set(above.set)
            above = next(other for other in mapping.list if other.name == above.list).each
        _check_list(one, spot, inherited)
        for index, made in enumerate(one.record):
            _check_record(made, spot.at(index), names, inherited - GIVEN - _own(one))


def _check_auth(mapping: Mapping, where: str) -> None:
    auth = mapping.auth
    lacking = {
        "header": [("header", auth.header)],
        "oauth2": [("url", auth.url)],
        "session": [("url", auth.url), ("token", auth.token)],
    }.get(auth.kind, [])
    if auth.kind == "session" and "{session}" not in " ".join(texts_of([one.body for one in mapping.list])):
        lacking.append(("header", auth.header))
    for name, value in lacking:
        if not value:
            raise ConfigError(
                tr("{where} [auth]: kind = {kind!r} needs {name}.", where=where, kind=auth.kind, name=name)
            )


def _check_names(names: Iterable[str], place: str) -> None:
    for name in names:
        if name in TAKEN:
            raise ConfigError(
                tr(
                    "{place}: {name!r} is a name that the hub gives a value itself: take another.",
                    place=place,
                    name=name,
                )
            )


def _own(one: Wanted) -> set[str]:
    own = {"offset": {"offset", "last"}, "page": {"page"}, "token": {"token"}}
    paging = own.get(one.paging.kind, {one.paging.kind} & KEYED)
    return {"size"} | paging | ({"since"} if one.cursor else set())


def _check_list(one: Wanted, spot: Spot, known: set[str]) -> None:
    parts = {
        "path": one.path,
        "params": one.params,
        "incremental": one.incremental,
        "body": one.body,
        "incremental_body": one.incremental_body,
    }
    for part, value in parts.items():
        for unknown in sorted({name for text in texts_of(value) for name in NAME.findall(text)} - known):
            raise ConfigError(_unknown(spot.at(part), unknown, known, own=unknown in OWN))
    for unknown in sorted(set(NAME.findall(one.deletes.probe or "")) - known - {"id"}):
        raise ConfigError(
            tr(
                "{place}: {{{unknown}}} in deletes.probe has no value.",
                place=spot.at("deletes"),
                unknown=unknown,
            )
        )
    if one.cursor and not one.cursor.format.startswith("epoch"):
        _check_format(one.cursor.format, spot.at("cursor"))
    if one.cursor and one.cursor.descending and not (one.incremental or one.incremental_body):
        raise ConfigError(
            tr(
                "{place}: descending needs incremental, the parameters that sort the newest first.",
                place=spot.at("cursor"),
            )
        )
    if (
        one.cursor
        and not one.cursor.descending
        and not any("{since}" in text for text in texts_of(list(parts.values())))
    ):
        raise ConfigError(
            tr(
                "{place}: it has a cursor, and no parameter uses {{since}}: every run would read everything.",
                place=spot.at("cursor"),
            )
        )
    if one.incremental_body is not None and one.body is None:
        raise ConfigError(tr("{place}: incremental_body needs a body.", place=spot.at("incremental_body")))
    _check_paging(one, spot.at("paging"))
    _check_deletes(one, spot.at("deletes"))
    _check_paths(one, spot)


def _unknown(spot: Spot, name: str, known: set[str], *, own: bool = False) -> str:
    """Say that a variable has no value."""
    shown = ", ".join(sorted(known - {"client_id", "secret", "session"}))
    return tr(
        "{place}: {{{unknown}}} has no value; {why}.",
        place=spot,
        unknown=name,
        why=tr("its paging or cursor gives none") if own else tr("known here: {known}", known=shown),
    )


def _check_paging(one: Wanted, spot: Spot) -> None:
    paging = one.paging
    if paging.kind in {"token", "next"} and not paging.next:
        raise ConfigError(
            tr(
                "{place}: paging by {kind} needs next, where the next one stands in the answer.",
                place=spot,
                kind=paging.kind,
            )
        )
    if paging.holes and (paging.kind != "offset" or not paging.total):
        raise ConfigError(
            tr("{place}: paging with holes needs kind = 'offset' and total, which ends the list.", place=spot)
        )


def _check_deletes(one: Wanted, spot: Spot) -> None:
    deletes = one.deletes
    if (deletes.kind == "flag") != (deletes.field is not None) or (deletes.kind == "probe") != (
        deletes.probe is not None
    ):
        raise ConfigError(
            tr(
                "{place}: deletes by flag need field, by probe probe = the path of one row with "
                "{{id}}, others neither.",
                place=spot,
            )
        )
    if deletes.kind == "listed" and not deletes.list:
        raise ConfigError(
            tr("{place}: deletes by 'listed' need list, whose keys are the rows that are gone.", place=spot)
        )
    if deletes.list and deletes.kind not in {"absence", "listed"}:
        raise ConfigError(tr("{place}: only deletes by absence may name another list.", place=spot))
    if deletes.kind == "probe" and "{id}" not in f"{deletes.probe}":
        raise ConfigError(
            tr(
                "{place}: deletes.probe has no {{id}}: it would ask for the same thing for every row.",
                place=spot,
            )
        )


def _check_paths(one: Wanted, spot: Spot) -> None:
    total, following = (
        None if path and path.startswith("header:") else path for path in (one.paging.total, one.paging.next)
    )
    told = {
        "rows": one.steps,
        "children": (one.children,),
        "key": (one.key,),
        "paging": (following, total, one.paging.end, one.paging.more),
        "cursor": (one.cursor and one.cursor.field,),
        "deletes": (one.deletes.field, one.deletes.trashed),
        "each": tuple(one.each.set.values()) if one.each else (),
    }
    for name, paths in told.items():
        for path in filter(None, paths):
            expression(path, f"{spot.at(name)}")


def _check_record(made: Made, spot: Spot, lists: list[str], known: set[str]) -> None:
    tables = sorted(TABLES)
    if made.table not in tables:
        raise ConfigError(
            tr(
                "{place}: {table!r} is no record. There are {tables}.",
                place=spot,
                table=made.table,
                tables=", ".join(tables),
            )
        )
    cls = BY_TABLE[made.table]
    if strange := [name for name in made.fields if name not in cls.__struct_fields__]:
        close = difflib.get_close_matches(strange[0], cls.__struct_fields__, n=1)
        hint = (
            tr("Did you mean {close!r}?", close=close[0])
            if close
            else tr("It has {struct_fields__}.", struct_fields__=", ".join(cls.__struct_fields__))
        )
        raise ConfigError(
            tr(
                "{place}: {table} has no field {unknown!r}. {hint}",
                place=spot.at(strange[0]),
                table=made.table,
                unknown=strange[0],
                hint=hint,
            )
        )
    if missing := [name for name in required(cls) if name not in made.fields]:
        raise ConfigError(
            tr(
                "{place}: {table} needs the field {missing!r}.",
                place=spot,
                table=made.table,
                missing=missing[0],
            )
        )
    if made.spread and made.of:
        raise ConfigError(tr("{place}: a record has spread or of, not both.", place=spot))
    for path in filter(None, (made.when, made.of)):
        expression(NAME.sub("x", path), f"{spot.at('when')}")
    for name, field in made.fields.items():
        _check_field(made, name, plain(field), spot.at(name), lists)
        for path in _paths_of(plain(field)):
            for unknown in sorted(set(NAME.findall(path)) - known):
                raise ConfigError(_unknown(spot.at(name), unknown, known))


def _paths_of(field: Field) -> list[str]:
    return [
        path for path in (field.path, *(path for one in field.cases for path in (one.when, one.path))) if path
    ]


def _check_field(made: Made, name: str, field: Field, spot: Spot, lists: list[str]) -> None:
    if sum((field.path is not None, field.value is not None, bool(field.cases))) != 1 or any(
        (one.path is None) == (one.value is None) for one in field.cases
    ):
        raise ConfigError(
            tr("{place}: {table}.{name} needs a path or a value.", place=spot, table=made.table, name=name)
        )
    for path in [
        *_paths_of(field),
        *(one for one in (field.plus_days, field.minus, field.take) if isinstance(one, str)),
    ]:
        expression(NAME.sub("x", path), f"{spot}")
    if field.zone and not is_zone(field.zone):
        if "/" in field.zone:
            said = tr("{zone!r} is no time zone such as Europe/Paris", zone=field.zone)
            raise ConfigError(f"{spot}: {said}.")
        expression(field.zone, f"{spot}")
    _check_format(field.format, spot)
    if (field.lookup is None) != (field.take is None) or (field.lookup and field.lookup not in lists):
        raise ConfigError(
            tr(
                "{place}: {table}.{name}: lookup names a list of the mapping, and take the path of what is "
                "taken of its row. There are {lists}.",
                place=spot,
                table=made.table,
                name=name,
                lists=", ".join(lists),
            )
        )
    if field.pattern is not None and not _is_pattern(field.pattern):
        raise ConfigError(
            tr(
                "{place}: {table}.{name}: pattern = {pattern!r} is no regular expression with one group.",
                place=spot,
                table=made.table,
                name=name,
                pattern=field.pattern,
            )
        )
    cls = BY_TABLE[made.table]
    kind = columns_of(cls)[name].kind
    if (field.unit and (field.unit in _PARTS) != (kind in _PARTS)) or (
        field.unit and kind not in {"seconds", *_PARTS}
    ):
        raise ConfigError(
            tr(
                "{place}: {table}.{name} has no unit {unit!r}.",
                place=spot,
                table=made.table,
                name=name,
                unit=field.unit,
            )
        )
    if field.table and field.table not in TABLES:
        raise ConfigError(
            tr(
                "{place}: {table}.{name}: table {other!r} is no record.",
                place=spot,
                table=made.table,
                name=name,
                other=field.table,
            )
        )
    allowed = get_args(_annotation(cls, name))
    told = [*(field.values or {}).values(), field.value, field.default, *(one.value for one in field.cases)]
    for value in told:
        if (
            isinstance(value, str)
            and allowed
            and value not in allowed
            and not (field.values and value in {one.value for one in field.cases})
        ):
            raise ConfigError(
                tr(
                    "{place}: {table}.{name} cannot be {value!r}. It can be {allowed}.",
                    place=spot,
                    table=made.table,
                    name=name,
                    value=value,
                    allowed=", ".join(map(str, allowed)),
                )
            )


def _check_format(form: str | None, spot: Spot) -> None:
    """Raise `ConfigError` for a letter after % that stands for nothing."""
    for letter in re.findall(r"%[-_0^#]?(.?)", form or ""):
        if letter not in _LETTERS:
            raise ConfigError(
                tr("{place}: format has %{letter}, which stands for nothing.", place=spot, letter=letter)
            )


def _is_pattern(text: str) -> bool:
    try:
        return re.compile(text).groups == 1
    except re.error:
        return False


def _annotation(cls: type[Record], name: str) -> Any:
    """Return the Literal that a field is, if it is one."""
    hint = hints(cls)[name]
    inner = [one for one in get_args(hint) if getattr(one, "__origin__", None) is Literal]
    return inner[0] if inner else hint if getattr(hint, "__origin__", None) is Literal else None

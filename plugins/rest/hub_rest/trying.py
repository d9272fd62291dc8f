"""One page of each list, asked for live, and its rows as they would be stored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from hub import ConfigError, Context, HubError, Record, tr, trn
from hub_rest.mapping import Wanted
from hub_rest.source import RestSource

ROWS = 5
"""Rows of a page that are shown."""


def lines(ctx: Context, source: RestSource, only: str | None = None) -> Iterator[str]:
    """Yield what each list, or *only* one, gives and becomes.

    Raises `ConfigError` for a list that there is not.
    """
    described = source.described(ctx)
    if only and only not in (names := [one.name for one in described.list]):
        raise ConfigError(
            tr(
                "{title} has no list {name!r}. It has {names}.",
                title=described.title,
                name=only,
                names=", ".join(names),
            )
        )
    for one in described.list:
        if only in {None, one.name}:
            yield from _list(ctx, source, one)


def _list(ctx: Context, source: RestSource, one: Wanted) -> Iterator[str]:
    try:
        tried = source.first_page(ctx, one)
    except HubError as exc:
        yield f"{one.name}: {exc}"
        return
    if tried is None:
        yield tr("{name}: the list above it has no row to ask it for", name=one.name)
        return
    variables, page, found = tried
    total = tr(" of {total}", total=page.total) if page.total is not None else ""
    count = len(found)
    yield trn(
        "{name}: {n} row{total}",
        "{name}: {n} rows{total}",
        count,
        name=one.name,
        total=total,
    )
    if not one.paging.is_proven:
        yield "  ! " + tr("its pages have no total, no next and no overlap: hub check refuses it")
    for row in found[:ROWS]:
        try:
            made = source.made(ctx, one, row, variables)
        except HubError as exc:
            yield f"  ! {exc}"
            continue
        yield from (f"  {_shown(record)}" for record in made)
        if not made and one.record:
            yield "  " + tr("a row of which no record is made")


def _shown(record: Record) -> str:
    """Return a record on one line: what it says, and nothing of what it leaves open."""
    defaults = {info.name: info.default for info in msgspec.structs.fields(type(record))}
    told = {name: getattr(record, name) for name in record.__struct_fields__}
    words = [
        f"{name}={_value(value)}"
        for name, value in told.items()
        if value is not None and value != defaults[name]
    ]
    return f"{record.table} " + " ".join(words)


def _value(value: Any) -> str:
    return f"{value!r}" if isinstance(value, str) else f"{value}"

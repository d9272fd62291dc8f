"""What docs/contract.md says of the contract of connectors, read from the code itself."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterator
from typing import Any

import msgspec

from hub.columns import Column, columns_of
from hub.context import Context
from hub.http import Moment, Session, json_rpc
from hub.records import BY_TABLE
from hub.source import Batch, Census, Check, Gone, Partition, Scope, Source
from hub.tally import Rejection, Tally
from hub.testing import kit

UNITS = {
    "id": "id", "reference": "id of another row", "text": "text", "choice": "one of", "flag": "yes or no",
    "integer": "whole number", "number": "number", "share": "0.45 for 45 %", "percent": "45 for 45 %",
    "seconds": "seconds", "minor": "minor units of the currency (cents)", "currency": "ISO 4217",
    "instant": "UTC, YYYY-MM-DDTHH:MM:SSZ", "day": "YYYY-MM-DD", "month": "YYYY-MM",
}  # fmt: skip
"""What a value of each kind of column is written in."""
BROUGHT = (
    "container", "account", "iteration", "task", "assignment", "baseline", "task_change", "worklog",
    "allocation", "capacity", "task_link", "budget_line", "register_item", "checklist_item", "sla_cycle",
    "custom_value",
)  # fmt: skip
"""The records that connectors bring; the others are the PMO's own."""


def lines() -> Iterator[str]:
    """Return the page below its head."""
    yield "## Records\n"
    for name in BROUGHT:
        record = BY_TABLE[name]
        yield f"### {record.__name__}\n\n{_said(record)}\n\n| field | holds | |\n|---|---|---|"
        hints = typing.get_type_hints(record)
        for field in msgspec.structs.fields(record):
            need = (
                "required"
                if field.required
                else ""
                if field.default is None
                else f"`{field.default}` if unsaid"
            )
            yield f"| `{field.name}` | {_holds(columns_of(record)[field.name], hints[field.name])} | {need} |"
        yield ""
    yield "## Source\n"
    yield from _class(Source)
    yield "## What it yields\n"
    for cls in (Check, Partition, Scope, Batch, Gone, Census, Tally, Rejection):
        yield from _class(cls)
    yield "## The context of a run, and its session\n"
    for given in (Context, Session):
        yield from _class(given)
    yield "## Helpers\n"
    yield f"### json_rpc\n\n`json_rpc{inspect.signature(json_rpc)}`\n\n{_said(json_rpc)}\n"
    yield from _class(Moment)
    yield "## The kit\n"
    yield "`from hub.testing.kit import …`\n"
    for name in kit.__all__:
        one = getattr(kit, name)
        if inspect.isclass(one) or inspect.isfunction(one):
            yield f"- `{name}`: {_said(one).splitlines()[0]}"


def _holds(column: Column, hint: Any) -> str:
    said = UNITS[column.kind]
    if column.kind == "choice":
        words = [word for part in (hint, *typing.get_args(hint)) for word in typing.get_args(part)]
        said = "one of " + ", ".join(f"`{one}`" for one in dict.fromkeys(words) if isinstance(one, str))
    low, high = (f"{one:g}" if one is not None else None for one in (column.low, column.high))
    if low or high:
        said += f", from {low or '…'} to {high or '…'}"
    return said


def _class(cls: type[Any]) -> Iterator[str]:
    yield f"### {cls.__name__}\n\n{_said(cls)}\n"
    for name, member in inspect.getmembers(cls):
        if (
            name.startswith("_")
            or name == "seal"
            or name not in {one for base in cls.__mro__ for one in vars(base)}
        ):
            continue
        if inspect.isfunction(member):
            asked = (
                str(inspect.signature(member)).replace("'", "").replace("self, ", "").replace("(self)", "()")
            )
            yield f"- `{name}{asked}`: {_said(member).splitlines()[0]}"
        elif isinstance(member, property):
            yield f"- `{name}`: {_said(member).splitlines()[0]}"
    yield ""


def _said(one: Any) -> str:
    return inspect.getdoc(one) or ""

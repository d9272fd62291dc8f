"""What moved between any two cuts: what each committee on the way from one to the other was told.

The feed keeps of every cut what moved since the committee before it. From one cut to another leads a way of
such steps, forth and, from a cut that is no committee, back; what moved is their sum. So a correction is
what a committee on the way was told late. In OData the same is the sum of `fact_move.delta` by cause.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import msgspec

from hub import ConfigError, Move, tr

if TYPE_CHECKING:
    import duckdb

TOPICS = ("milestone", "budget", "effort", "risk", "scope")
_LEAST = 1e-6
Row = dict[str, Any]


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """One cut, and the key of the committee that its moves are told from, None for the first one."""

    key: int
    label: str
    as_of: date
    before: int | None


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """What moved from the cut *since* to the cut *until*, on a way of so many *steps*."""

    since: Cut
    until: Cut
    steps: int
    moves: tuple[Move, ...]


def moved(
    connection: duckdb.DuckDBPyConnection, *, until: str | None = None, since: str | None = None
) -> Moved | None:
    """Return what moved between two cuts by their labels; None where no way leads from one to the other.

    *until* is now without a label, *since* the committee before that. Raises `ConfigError` for an unknown
    label.
    """
    cuts = [
        Cut(key=key, label=label, as_of=as_of, before=before)
        for key, label, as_of, before in connection.execute(_sql("moves_cuts")).fetchall()
    ]
    by_key = {one.key: one for one in cuts}
    last = _named(cuts, until) if until is not None else by_key[0]
    before = -1 if last.before is None else last.before
    first = _named(cuts, since) if since is not None else by_key.get(before)
    if first is None or (steps := way(by_key, last.key, first.key)) is None:
        return None
    found = connection.execute(_sql("moves"), [[key for key, _ in steps]])
    names = [one[0] for one in found.description or ()]
    rows = defaultdict(list)
    for values in found.fetchall():
        row = dict(zip(names, values, strict=True))
        rows[row["cut_key"]].append(row)
    told = [(sign, row) for key, sign in steps for row in _in_order(rows[key], sign)]
    return Moved(since=first, until=last, steps=len(steps), moves=summed(told))


def way(cuts: dict[int, Cut], until: int, since: int) -> list[tuple[int, int]] | None:
    """Return the cuts whose moves lead from *since* to *until*, each with 1, or -1 where they are undone."""
    ways = []
    for key in (until, since):
        line = [key]
        while (before := cuts[line[-1]].before) is not None and before in cuts and before not in line:
            line.append(before)
        ways.append(line)
    forth, back = ways
    common = next((key for key in forth if key in back), None)
    if common is None:
        return None
    undone = [(key, -1) for key in back[: back.index(common)]]
    return undone + [(key, 1) for key in reversed(forth[: forth.index(common)])]


def summed(told: list[tuple[int, Row]]) -> tuple[Move, ...]:
    """Return what moved in all of the steps *told*, each with 1, or -1 where it is undone."""
    groups: dict[tuple[str, int, str], list[tuple[int, Row]]] = defaultdict(list)
    for sign, row in told:
        groups[row["topic"], row["project_key"], row["item_id"]].append((sign, row))
    moves: list[Move] = []
    for (topic, _, _), steps in groups.items():
        if topic in {"effort", "budget"}:
            moves += _values(steps)
        elif topic == "scope":
            moves += _counts(steps)
        else:
            moves += _things(steps)
    return tuple(sorted(moves, key=_weight))


def _values(steps: list[tuple[int, Row]]) -> list[Move]:
    """Return a figure that went from one value to another: what was told late, then what is news."""
    begin, _ = _ends(*steps[0], "value")
    _, end = _ends(*steps[-1], "value")
    if any(row["cause"] == "definition changed" for _, row in steps):
        return [
            _move(steps[-1][1], cause="definition changed", before_value=begin, after_value=end, delta=None)
        ]
    found = []
    for cause in ("correction", "news"):
        delta = sum(sign * (row["delta"] or 0) for sign, row in steps if row["cause"] == cause)
        if abs(delta) > _LEAST:
            after = end if cause == "news" else (begin or 0) + delta
            found.append(_move(steps[-1][1], cause=cause, before_value=begin, after_value=after, delta=delta))
            begin = after
    return found


def _counts(steps: list[tuple[int, Row]]) -> list[Move]:
    """Return how many tasks came or went, by cause."""
    found = []
    for cause in ("correction", "news"):
        some = [(sign, row) for sign, row in steps if row["cause"] == cause]
        side = {"added": "after_value", "removed": "before_value"}
        n = sum(sign * (row[side[row["measure"]]] or 0) for sign, row in some)
        if n > 0:
            delta = sum(sign * (row["delta"] or 0) for sign, row in some)
            found.append(_move(some[-1][1], delta=delta, **{side[some[-1][1]["measure"]]: n}))
    return found


def _things(steps: list[tuple[int, Row]]) -> list[Move]:
    """Return a milestone or an item of a register that came, went or changed; none that is as it was."""
    (_, first), (sign, last) = steps[0], steps[-1]
    was, is_there = not _comes(*steps[0]), not _goes(*steps[-1])
    days = (_ends(*steps[0], "date")[0], _ends(*steps[-1], "date")[1])
    values = (_ends(*steps[0], "value")[0], _ends(*steps[-1], "value")[1])
    if not (was or is_there) or (
        was and is_there and days[0] == days[1] and values[0] == values[1] and sign < 0
    ):
        return []
    measure, is_date = last["measure"], last["topic"] == "milestone"
    if not was:
        measure = "added" if is_date else f"{last['measure'].partition(' ')[0]} opened"
    elif not is_there:
        measure = "removed" if is_date else f"{last['measure'].partition(' ')[0]} removed"
    elif is_date:
        measure = "finish"
        if days[0] == days[1]:
            return []
    elif sign < 0 or measure.endswith((" opened", " removed")):
        measure = f"{last['measure'].partition(' ')[0]} changed"
    delta: float | None = sum(one * (row["delta"] or 0) for one, row in steps)
    if is_date:
        delta = float((days[1] - days[0]).days) if all(days) else None
    return [
        _move(
            last, measure=measure, delta=delta, cause=last["cause"] if sign > 0 else "news",
            item=first["item"], before_date=days[0], after_date=days[1],
            before_value=values[0], after_value=values[1],
        )
    ]  # fmt: skip


def _comes(sign: int, row: Row) -> bool:
    """Say whether the step makes the thing be there, which was not."""
    return bool(row["measure"].rpartition(" ")[2] in ({"added", "opened"} if sign > 0 else {"removed"}))


def _goes(sign: int, row: Row) -> bool:
    return _comes(-sign, row)


def _ends(sign: int, row: Row, kind: str) -> tuple[Any, Any]:
    """Return what a step leads from and to."""
    ends = row[f"before_{kind}"], row[f"after_{kind}"]
    return ends if sign > 0 else ends[::-1]


def _in_order(rows: list[Row], sign: int) -> list[Row]:
    """Return the moves of one step: what was told late comes first, and is undone last."""
    return sorted(rows, key=lambda row: (row["cause"] != "correction") * sign)


def _move(row: Row, **changed: Any) -> Move:
    told = {**row, **changed}
    return Move(**{name: told[name] for name in Move.__struct_fields__})


def _weight(one: Move) -> tuple[Any, ...]:
    weight = (1, 0.0) if one.delta is None else (0, -abs(one.delta))
    return (TOPICS.index(one.topic), *weight, one.project_key, one.item, one.measure, one.cause)


def _named(cuts: list[Cut], label: str) -> Cut:
    for one in cuts:
        if one.label == label:
            return one
    labels = ", ".join(repr(one.label) for one in cuts if one.key != 0)
    raise ConfigError(
        tr("There is no cut {label!r}; known: {labels}.", label=label, labels=labels or tr("none"))
    )


def _sql(name: str) -> str:
    return (files("hub_serve") / f"{name}.sql").read_text(encoding="utf-8")

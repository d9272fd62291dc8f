"""The lists of one run: what they are asked for by, and their rows, each list read once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from hub import Context, tr
from hub_rest.lookups import PREFIX, LookUp, taken
from hub_rest.mapping import Mapping, Wanted, is_true
from hub_rest.paging import key_of
from hub_rest.paths import expression
from hub_rest.rows import RowMapper
from hub_rest.tool import Tool


class Held(NamedTuple):
    """The rows of a list that others are asked for by, and what its reading left in its mark."""

    rows: list[Any]
    mark: dict[str, Any]


class Lists:
    """The lists of a tool in one run, as *described*; *given* are the params of the source."""

    def __init__(
        self, ctx: Context, described: Mapping, tool: Tool, mapper: RowMapper, given: dict[str, str]
    ) -> None:
        """Ask for nothing yet."""
        self.ctx, self.described, self.tool, self.mapper, self.given = ctx, described, tool, mapper, given

    def look_up(self, name: str, kept: dict[str, Any] | None = None) -> LookUp:
        """Return the look-up of a list, begun with what an earlier run *kept*; None for what is there."""
        described = self.described
        one = next(other for other in described.list if other.name == name)

        def read() -> dict[str, dict[str, Any]]:
            return {
                key_of(one, row): {take: found_at(take, row) for take in sorted(taken(described)[name])}
                for variables in self.asked(one)
                for row in self.held(one, variables).rows
            }

        return self.ctx.shared(f"{PREFIX}{name}", lambda: LookUp(read, kept, self.ctx.now()))

    def asked(self, one: Wanted) -> Iterator[dict[str, Any]]:
        """Return the variables of each asking of a list."""
        if one.each is None:
            yield self.given
            return
        yield from self.ctx.shared(f"askings of {one.name}", lambda: self._askings(one))

    def _askings(self, one: Wanted) -> list[dict[str, Any]]:
        """Return what *one* is asked for by, once a run; a row that cannot say it is rejected."""
        assert one.each is not None
        above = next(other for other in self.described.list if other.name == one.each.list)
        found: dict[str, dict[str, Any]] = {}
        for variables in self.asked(above):
            for row in self.held(above, variables).rows:
                if one.each.when and not self._is_asked(one, above, variables, row):
                    continue
                mine = variables | {name: found_at(path, row) for name, path in one.each.set.items()}
                odd = [name for name in one.each.set if mine[name] is None or _is_many(mine[name])]
                if odd:
                    value = mine[odd[0]]
                    self.ctx.reject(
                        self.mapper.place(above, row),
                        tr("{value!r} is no single value", value=str(value)[:80])
                        if value is not None
                        else tr(
                            "has nothing at {path!r}, which {name} is asked for by",
                            path=one.each.set[odd[0]],
                            name=one.name,
                        ),
                        key=f"{one.name} of {key_of(above, row)}",
                        partition="",
                    )
                    continue
                found[partition_of(one, mine)] = mine
        return list(found.values())

    def _is_asked(self, one: Wanted, above: Wanted, variables: dict[str, Any], row: Any) -> bool:
        """Say whether a condition holds of a row; one that cannot be told of it is a rejection."""
        assert one.each is not None
        assert one.each.when is not None
        try:
            return is_true(expression(one.each.when)(_with(variables, row)))
        except Exception as exc:  # noqa: BLE001 - the row is odd in whatever way it is odd
            self.ctx.reject(
                self.mapper.place(above, row),
                tr("when {when!r}: {error}", when=one.each.when, error=exc),
                key=f"when {one.name} of {key_of(above, row)}",
                partition="",
            )
            return False

    def held(self, one: Wanted, variables: dict[str, Any]) -> Held:
        """Read a list that others are asked for by, once a run."""

        def read() -> Held:
            mark: dict[str, Any] = {}
            pages = self.tool.whole(one, variables, mark=mark)
            rows = {key_of(one, row): row for page in pages for row in page}
            if not one.record:  # it is read for others only, and nobody else watches it
                shapes = self.mapper.shapes(one, variables)
                shapes.note(rows.values())
                for said in shapes.renamed():
                    self.ctx.report_missing(f"{one.name}: {said}")
            return Held(list(rows.values()), mark)

        return self.ctx.shared(f"rows of {partition_of(one, variables)}", read)

    def is_above(self, one: Wanted) -> bool:
        """Say whether another list is asked for by the rows of this one."""
        return any(other.each and other.each.list == one.name for other in self.described.list)


def partition_of(one: Wanted, variables: dict[str, Any]) -> str:
    """Return the id of one asking of a list."""
    own = one.each.set if one.each else {}
    return " ".join([one.name, *(f"{variables[name]}" for name in own)])


def _with(variables: dict[str, Any], row: Any) -> Any:
    return variables | row if isinstance(row, dict) else row


def _is_many(value: Any) -> bool:
    return isinstance(value, dict | list)


def found_at(path: str, row: Any) -> Any:
    """Return what stands at a path; None too where the row has another shape."""
    try:
        return expression(path)(row)
    except Exception:  # noqa: BLE001 - the row is odd in whatever way it is odd
        return None

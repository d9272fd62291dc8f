"""The rows of a collection beside a row: ``$expand`` of what points to it, bounded row by row.

Source: OASIS OData 4.01 part 1, 11.2.5.2.1, and JSON format 4.01, 8.3 and 4.5.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec

from hub_serve.odata.names import text
from hub_serve.odata.writing import Cell, Writing, json_row, key_of

if TYPE_CHECKING:
    from hub_serve.odata.questions import Question

MOST_ROWS = (1000, 50, 5)
"""Rows of a collection beside one row, by how many collections it stands in; the rest is behind a link."""
HELD = 20_000
"""Rows that one statement may hold where collections are beside rows."""


class Behind(msgspec.Struct, kw_only=True, eq=False):
    """The collection *name* of the row *owner* tells: what is asked of it by *question*.

    *alias* is what its statement is joined as. *options* are the words of an address that ask the rest.
    Where it *only_counts* its rows are not shown.
    """

    name: str
    alias: str
    owner: tuple[str, list[Cell]]
    question: Question
    options: list[tuple[str, str]]
    depth: int
    only_counts: bool = False

    @property
    def most(self) -> int:
        """Return the most rows of it beside one row."""
        top = self.question.top
        most = MOST_ROWS[self.depth]
        return most if top is None else min(top, most)

    def weight(self) -> int:
        """Return how many rows one row may bring with it."""
        return 1 if self.only_counts else (self.most + 1) * self.question.weight()

    def joined(self, how: Writing) -> str:
        """Return what is joined to the rows that own it: its text, its count, the link to the rest."""
        question, inner = self.question, self.question.alias
        joins = ""
        if not self.only_counts:
            written = json_row(question.shape, how)
            beside = " ".join(one.joined(how) for one in question.behind)
            shown = f"string_agg({written}, ',' ORDER BY {inner}.n) FILTER (WHERE {inner}.n <= {self.most:d})"
            joins = (
                f"LEFT JOIN LATERAL (SELECT {shown} AS shown, {self._token(how)} AS token "
                f"FROM ({question.numbered_sql(self.most + 1)}) AS {inner} {beside}) AS {self.alias} ON true"
            )
        if self.only_counts or question.is_counted:
            joins += f" LEFT JOIN LATERAL ({question.count_sql()}) AS {self.alias}c(n) ON true"
        return joins

    def pieces(self, how: Writing) -> list[tuple[bool, str]]:
        """Return what is written of it: literals (True) and SQL (False), one after the other."""
        found: list[tuple[bool, str]] = []
        if self.only_counts or self.question.is_counted:
            mark = '"' if how.as_text else ""
            found += [
                (True, f'"{self.name}@odata.count":{mark}'), (False, f"{self.alias}c.n"), (True, mark)
            ]  # fmt: skip
        if not self.only_counts:
            found += [
                (True, f'{"," if found else ""}"{self.name}":['),
                (False, f"coalesce({self.alias}.shown, '')"),
                (True, "]"),
                (False, self._link(how)),
            ]
        return found

    def _link(self, how: Writing) -> str:
        """Return the SQL of the link to the rows that are not shown."""
        add = self.question.values.add
        query = add(urlencode([*self.options, *how.others, ("$skiptoken", "")]))
        parts = [
            f"{add(how.root)}::VARCHAR",
            key_of(*self.owner),
            text(f"/{self.name}?"),
            f"{query}::VARCHAR",
        ]
        name = text(f',"{self.name}@odata.nextLink":')
        link = f"concat({name}, to_json(concat({', '.join(parts)}, {self.alias}.token))::VARCHAR)"
        return f"CASE WHEN {self.alias}.token IS NULL THEN '' ELSE {link} END"

    def _token(self, how: Writing) -> str:
        """Return the SQL of the ``$skiptoken`` behind the last row shown, NULL where there are no more."""
        question, top, inner = self.question, self.question.top, self.question.alias
        if top is not None and top <= self.most:
            return "NULL"
        left = "null" if top is None else str(top - self.most)
        keys = ", ".join(f"{inner}.k{n}::VARCHAR" for n in range(len(question.ways)))
        head = text(f'["{how.feed}",{self.most},{left},')
        place = f"concat({head}, to_json([{keys}])::VARCHAR, ']')"
        token = f"replace(replace(rtrim(to_base64(encode({place})), '='), '+', '-'), '/', '_')"
        last = f"max(CASE WHEN {inner}.n = {self.most:d} THEN {token} END)"
        return f"CASE WHEN max({inner}.n) > {self.most:d} THEN {last} END"

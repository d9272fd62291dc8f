"""Find slicers that filter nothing of a visual on their page: readers would believe a figure narrowed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from hub_powerbi.check import Node, Problem, parse, unquote

_TABLE = re.compile(r"'((?:[^']|'')+)'(?:\[((?:[^\]]|\]\])+)\])?")
_SLICERS = {"slicer", "advancedSlicerVisual", "listSlicer"}


def dead_slicers(definition: Mapping[str, str], report: Mapping[str, str]) -> list[Problem]:
    """Return every slicer of *report* that does not filter a visual of its page.

    Both map a path below ``definition/`` to its text. A slicer filters a visual where active relationships
    lead from its table to every fact of the visual, or where the measure itself asks its table.
    """
    model = _Reach(parse(definition, []))
    problems: list[Problem] = []
    for path in sorted(report):
        if not path.endswith("page.json"):
            continue
        place = path.removesuffix("page.json") + "visuals/"
        visuals = [
            found["visual"] | {"name": found["name"]}
            for at, text in sorted(report.items())
            if at.startswith(place) and at.endswith("/visual.json")
            if "query" in (found := json.loads(text))["visual"]
        ]
        slicers = [one for one in visuals if one["visualType"] in _SLICERS]
        problems += _left_alone(path, json.loads(report[path]), slicers, visuals)
        for visual in (one for one in visuals if one not in slicers):
            for table in sorted({table for one in slicers for table, _ in _fields(one, "Column")}):
                if lost := model.lost(table, visual):
                    what = (
                        f"a slicer on {table} does not filter {visual['visualType']} over {', '.join(lost)}"
                    )
                    problems.append(Problem(path, what))
    return problems


def _left_alone(
    path: str, page: dict[str, Any], slicers: list[dict[str, Any]], visuals: list[dict[str, Any]]
) -> Iterator[Problem]:
    """Yield what a page keeps from a slicer, but for a visual whose axis is the slicer's own table.

    Such an axis shows every cut, which readers see; elsewhere they would believe the figure narrowed.
    """
    known = {one["name"]: one for one in (*slicers, *visuals)}
    for kept in page.get("visualInteractions", []):
        if kept["type"] != "NoFilter":
            continue
        tables = {table for table, _ in _fields(known[kept["source"]], "Column")}
        target = known[kept["target"]]
        axis = target["query"]["queryState"].get("Category", {"projections": []})
        if not tables & {table for table, _ in _fields({"query": {"queryState": {"a": axis}}}, "Column")}:
            yield Problem(
                path, f"a slicer on {', '.join(sorted(tables))} is kept from {target['visualType']}"
            )


def _fields(visual: dict[str, Any], kind: str) -> Iterator[tuple[str, str]]:
    """Yield table and name of each column or measure that a visual shows."""
    for role in visual["query"]["queryState"].values():
        for projection in role["projections"]:
            if found := projection["field"].get(kind):
                yield found["Expression"]["SourceRef"]["Entity"], found["Property"]


class _Reach:
    """What filters what in a model."""

    def __init__(self, roots: list[Node]) -> None:
        self.measures: dict[str, str] = {}
        self.down: dict[str, set[str]] = {}
        for node in roots:
            if node.kind == "table":
                self.measures |= {
                    unquote(one.name): one.expression or "" for one in node.children if one.kind == "measure"
                }
            elif node.kind == "relationship" and node.properties.get("isActive") != "false":
                many, one_side = (self._table(node, side) for side in ("fromColumn", "toColumn"))
                self.down.setdefault(one_side, set()).add(many)
        self.facts = {many for found in self.down.values() for many in found}

    @staticmethod
    def _table(node: Node, side: str) -> str:
        text = node.properties[side]
        quoted = _TABLE.match(text)
        return quoted.group(1).replace("''", "'") if quoted else text.partition(".")[0]

    def lost(self, table: str, visual: dict[str, Any]) -> list[str]:
        """Return what of *visual* a slicer on *table* does not reach."""
        asked = [self._asked(name, frozenset()) for _, name in _fields(visual, "Measure")]
        asked = asked or [{table for table, _ in _fields(visual, "Column")}]
        reached = self._below(table)
        lost = {one for used in asked if table not in used for one in self._counted(used) - reached}
        return sorted(lost)

    def _counted(self, used: set[str]) -> set[str]:
        """Return the facts among *used*, all of them where there is none."""
        return used & self.facts or used

    def _below(self, table: str) -> set[str]:
        found, todo = {table}, [table]
        while todo:
            for other in self.down.get(todo.pop(), set()) - found:
                found.add(other)
                todo.append(other)
        return found

    def _asked(self, measure: str, seen: frozenset[str]) -> set[str]:
        """Return the tables that a measure names, itself or through others."""
        found: set[str] = set()
        for table, name in _TABLE.findall(self.measures.get(measure, "")):
            inner = name.replace("]]", "]")
            if inner in self.measures and inner not in seen:
                found |= self._asked(inner, seen | {measure})
            else:
                found.add(table.replace("''", "'"))
        return found

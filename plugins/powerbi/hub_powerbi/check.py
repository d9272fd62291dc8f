"""Read TMDL back and refuse what Power BI Desktop would refuse.

Grammar, unknown or double properties, references, types.

There is no official validator outside .NET. The rules are those of
learn.microsoft.com/analysis-services/tmdl/tmdl-overview; the lists of properties hold what this project
writes and a little more, so that a misspelt one is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """One fault: *where* is file and line, *what* says what is wrong."""

    where: str
    what: str


class Node(msgspec.Struct, kw_only=True):
    """One object of TMDL.

    Its *kind*, *name*, properties, the expression after ``=``, and the objects below it.
    """

    kind: str
    name: str
    where: str
    depth: int
    expression: str | None = None
    properties: dict[str, str] = {}
    children: list[Node] = []


class _Kind(msgspec.Struct, frozen=True, kw_only=True):
    properties: frozenset[str] = frozenset()
    needed: frozenset[str] = frozenset()
    children: frozenset[str] = frozenset()
    expression: bool = False
    named: bool = True


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


KINDS: Mapping[str, _Kind] = {
    "database": _Kind(
        properties=_words("compatibilityLevel compatibilityMode language id"),
        needed=_words("compatibilityLevel"),
    ),
    "model": _Kind(
        properties=_words(
            "culture defaultPowerBIDataSourceVersion sourceQueryCulture "
            "discourageImplicitMeasures defaultMode"
        ),
        needed=_words("culture defaultPowerBIDataSourceVersion"),
        children=_words("annotation"),
    ),
    "ref": _Kind(),
    "expression": _Kind(
        properties=_words("lineageTag queryGroup"), children=_words("annotation"), expression=True
    ),
    "relationship": _Kind(
        properties=_words(
            "fromColumn toColumn isActive crossFilteringBehavior fromCardinality toCardinality "
            "joinOnDateBehavior"
        ),
        needed=_words("fromColumn toColumn"),
        children=_words("annotation"),
    ),
    "table": _Kind(
        properties=_words("isHidden dataCategory lineageTag isPrivate"),
        children=_words("measure column hierarchy partition refreshPolicy annotation"),
    ),
    "measure": _Kind(
        properties=_words("formatString displayFolder isHidden lineageTag"),
        children=_words("annotation"),
        expression=True,
    ),
    "column": _Kind(
        properties=_words(
            "dataType sourceColumn summarizeBy isKey isHidden formatString sortByColumn displayFolder "
            "dataCategory lineageTag isAvailableInMdx"
        ),
        needed=_words("dataType sourceColumn summarizeBy"),
        children=_words("annotation"),
    ),
    "hierarchy": _Kind(
        properties=_words("isHidden displayFolder lineageTag"), children=_words("level annotation")
    ),
    "level": _Kind(properties=_words("column lineageTag"), needed=_words("column")),
    "partition": _Kind(properties=_words("mode source"), needed=_words("mode source"), expression=True),
    "refreshPolicy": _Kind(
        properties=_words(
            "policyType rollingWindowGranularity rollingWindowPeriods incrementalGranularity "
            "incrementalPeriods "
            "incrementalPeriodsOffset mode pollingExpression sourceExpression"
        ),
        needed=_words(
            "policyType rollingWindowGranularity rollingWindowPeriods incrementalGranularity "
            "incrementalPeriods sourceExpression"
        ),
        named=False,
    ),
    "role": _Kind(
        properties=_words("modelPermission"),
        needed=_words("modelPermission"),
        children=_words("tablePermission annotation"),
    ),
    "tablePermission": _Kind(expression=True),
    "cultureInfo": _Kind(children=_words("translations")),
    "translations": _Kind(named=False, children=_words("model")),
    "annotation": _Kind(expression=True),
}
_TRANSLATED = _Kind(
    properties=_words("caption description displayFolder"),
    children=_words("table measure column hierarchy level"),
)
ROOTS = _words("database model ref expression relationship table role cultureInfo")
VALUES = {
    "dataType": _words("string int64 decimal double dateTime boolean binary"),
    "summarizeBy": _words("none sum count min max average"),
    "mode": _words("import directQuery directLake dual"),
    "modelPermission": _words("read none readRefresh refresh administrator"),
    "policyType": _words("basic"),
    "incrementalGranularity": _words("day month quarter year"),
    "compatibilityMode": _words("powerBI"),
    "rollingWindowGranularity": _words("day month quarter year"),
    "dataCategory": _words("Time WebUrl"),
    "defaultPowerBIDataSourceVersion": _words("powerBI_V3"),
}
BARE = _words("isHidden isKey isPrivate isActive isAvailableInMdx discourageImplicitMeasures")
_NAME = r"(?:'(?:[^']|'')*'|[^\s='.:]+)"
_OBJECT = re.compile(rf"^(?P<kind>[A-Za-z]+)(?: (?P<name>{_NAME}(?: {_NAME})?))?(?: =(?P<value>.*))?$")
_PROPERTY = re.compile(r"^(?P<key>[A-Za-z]+): (?P<value>\S.*)$")
_ASSIGNED = re.compile(r"^(?P<key>source|sourceExpression|pollingExpression) =(?P<value>.*)$")
_REFERENCE = re.compile(
    r"'((?:[^']|'')+)'\[((?:[^\]]|\]\])+)\]"
    r"|(?<![\w'\]])\[((?:[^\]]|\]\])+)\]"
    r"|'((?:[^']|'')+)'(?!\[)"
    r"|\b(\w+)\["
)
_TEXT = re.compile(r'"(?:[^"]|"")*"')


def unquote(name: str) -> str:
    """Return the name without its quotes."""
    return name[1:-1].replace("''", "'") if name.startswith("'") else name


class _Reader:
    """Reads one file into objects."""

    def __init__(self, file: str, text: str, problems: list[Problem]) -> None:
        self.file, self.lines, self.problems = file, text.split("\n"), problems
        self.at = 0

    def fault(self, what: str, line: int | None = None) -> None:
        self.problems.append(Problem(f"{self.file}:{(self.at if line is None else line) + 1}", what))

    def read(self) -> list[Node]:
        roots: list[Node] = []
        open_: list[Node] = []
        described: int | None = None
        while self.at < len(self.lines):
            line = self.lines[self.at]
            depth = len(line) - len(line.lstrip("\t"))
            text = line[depth:]
            if not text.strip():
                if described is not None:
                    self.fault("a description has to stand directly above its object")
                    described = None
                self.at += 1
                continue
            if text.startswith(" "):
                self.fault("indented with spaces")
            if text != text.rstrip():
                self.fault("blanks at the end of the line")
            text = text.strip()
            if text.startswith("///"):
                described = depth
                self.at += 1
                continue
            if text.startswith("//"):
                self.fault("// is no comment in TMDL")
                self.at += 1
                continue
            while open_ and open_[-1].depth >= depth:
                open_.pop()
            if depth > (open_[-1].depth + 1 if open_ else 0):
                self.fault(
                    f"indented by {depth} where at most {open_[-1].depth + 1 if open_ else 0} is possible"
                )
            if described is not None and described != depth:
                self.fault("a description has to stand directly above its object, as far to the right")
            self._line(text, depth, open_, roots, described=described is not None)
            described = None
            self.at += 1
        return roots

    def _line(self, text: str, depth: int, open_: list[Node], roots: list[Node], *, described: bool) -> None:
        parent = open_[-1] if open_ else None
        if parent and ((found := _ASSIGNED.match(text)) or (found := _PROPERTY.match(text)) or text in BARE):
            if described:
                self.fault("a property cannot have a description")
            key = found.group("key") if found else text
            value = found.group("value") if found else "true"
            if key in parent.properties:
                self.fault(f"{parent.kind} {parent.name}: {key} is given twice")
            if found and found.re is _ASSIGNED:
                value = self._expression(value, depth - 1)
                if not value:
                    self.fault(f"{parent.kind} {parent.name}: {key} has no expression")
            parent.properties[key] = value
            return
        match = _OBJECT.match(text)
        if match is None:
            self.fault(
                "cannot be understood: "
                f"{text[:60]!r} (a name with a blank, a dot, "
                "a colon or an equals sign stands between quotes)"
            )
            return
        if " " in re.sub("'(?:[^']|'')*'", "", match.group("name") or "") and match.group("kind") != "ref":
            self.fault(f"the name {match.group('name')} stands between quotes")
        node = Node(
            kind=match.group("kind"),
            name=match.group("name") or "",
            where=f"{self.file}:{self.at + 1}",
            depth=depth,
            properties={},
            children=[],
        )
        if match.group("value") is not None:
            node.expression = self._expression(match.group("value"), depth)
            if not node.expression:
                self.fault(f"{node.kind} {node.name} has no expression")
        (parent.children if parent else roots).append(node)
        open_.append(node)

    def _expression(self, first: str, depth: int) -> str:
        """Take the expression on this line, or on the lines below it.

        Those stand at least two deeper than the object at *depth*, or between three backticks.
        """
        if first.strip() == "```":
            start = self.at + 1
            for end in range(start, len(self.lines)):
                if self.lines[end].strip() == "```":
                    self.at = end
                    return "\n".join(self.lines[start:end])
            self.fault("three backticks are never closed")
            return " "
        if first.strip():
            return first.strip()
        lines: list[str] = []
        while self.at + 1 < len(self.lines):
            following = self.lines[self.at + 1]
            deep = len(following) - len(following.lstrip("\t"))
            if following.strip() and deep < depth + 2:
                break
            lines.append(following)
            self.at += 1
        return "\n".join(lines).strip()


def parse(files: Mapping[str, str], problems: list[Problem]) -> list[Node]:
    """Read all files; faults of the grammar are added to *problems*."""
    roots: list[Node] = []
    for file, text in sorted(files.items()):
        if text.startswith("\ufeff"):
            problems.append(Problem(f"{file}:1", "begins with a byte-order mark"))
        if "\r" in text:
            problems.append(Problem(f"{file}:1", "has line ends of Windows"))
        roots += _Reader(file, text, problems).read()
    return roots


def check(files: Mapping[str, str]) -> list[Problem]:
    """Return every fault of a model's TMDL files (path below ``definition/`` → text).

    None means that it holds together.
    """
    problems: list[Problem] = []
    roots = parse(files, problems)
    for node in roots:
        if node.kind not in ROOTS:
            problems.append(Problem(node.where, f"{node.kind} cannot stand at the top"))
        elif node.kind != "cultureInfo":
            _shape(node, problems)
    model = _Model(roots)
    problems += model.faults()
    return problems


def _shape(node: Node, problems: list[Problem]) -> None:
    kind = KINDS.get(node.kind)
    if kind is None:
        problems.append(Problem(node.where, f"there is no object {node.kind!r}"))
        return
    said = f"{node.kind} {node.name}".strip()
    if kind.named and not node.name:
        problems.append(Problem(node.where, f"{node.kind} has no name"))
    if kind.expression and node.expression is None:
        problems.append(Problem(node.where, f"{said} has no expression"))
    if not kind.expression and node.expression is not None:
        problems.append(Problem(node.where, f"{said} takes no expression"))
    for key, value in node.properties.items():
        if key not in kind.properties:
            problems.append(Problem(node.where, f"{said} has no property {key!r}"))
        elif (key in VALUES and value not in VALUES[key]) or (key in BARE and value not in {"true", "false"}):
            problems.append(Problem(node.where, f"{said}: {key} cannot be {value!r}"))
    problems.extend(
        Problem(node.where, f"{said} lacks {key}") for key in sorted(kind.needed - node.properties.keys())
    )
    for child in node.children:
        if child.kind not in kind.children:
            problems.append(Problem(child.where, f"{child.kind} cannot stand in {said}"))
        else:
            _shape(child, problems)


class _Table(msgspec.Struct, kw_only=True):
    node: Node
    columns: dict[str, Node]
    measures: dict[str, Node]


class _Model:
    """What the references of a model are held against."""

    def __init__(self, roots: list[Node]) -> None:
        self.roots = roots
        self.problems: list[Problem] = []
        self.tables: dict[str, _Table] = {}
        self.measures: set[str] = set()
        for node in self.of("table"):
            name = unquote(node.name)
            if name in self.tables:
                self.fault(node, f"the table {name!r} is there twice")
            self.tables[name] = self._table(node)
        self.expressions = {unquote(node.name) for node in self.of("expression")}

    def of(self, kind: str) -> Iterator[Node]:
        return (node for node in self.roots if node.kind == kind)

    def fault(self, node: Node, what: str) -> None:
        self.problems.append(Problem(node.where, what))

    def _table(self, node: Node) -> _Table:
        table = _Table(node=node, columns={}, measures={})
        taken: set[str] = set()
        for child in node.children:
            name = unquote(child.name)
            if child.kind in {"column", "measure"}:
                if name.casefold() in taken:
                    self.fault(child, f"{node.name} has two columns or measures {name!r}")
                taken.add(name.casefold())
                (table.columns if child.kind == "column" else table.measures)[name] = child
            if child.kind == "measure":
                if name in self.measures:
                    self.fault(child, f"the measure {name!r} is there twice in the model")
                self.measures.add(name)
        return table

    def faults(self) -> list[Problem]:
        for kind in ("database", "model"):
            if (count := sum(1 for _ in self.of(kind))) != 1:
                self.problems.append(Problem(f"{kind}.tmdl:1", f"there are {count} {kind} objects, not one"))
        for table in self.tables.values():
            self._inside(table)
        self._relationships()
        for node in self.of("ref"):
            self._ref(node)
        for node in self.of("role"):
            for child in node.children:
                if unquote(child.name) not in self.tables:
                    self.fault(child, f"{node.name}: there is no table {child.name}")
                self._dax(child, child.expression or "")
            self._left_open(node)
        for node in self.of("cultureInfo"):
            for translations in node.children:
                for model in translations.children:
                    self._translated(model, None)
        return self.problems

    def _inside(self, table: _Table) -> None:
        inside: dict[str, Callable[[_Table, Node], None]] = {
            "column": self._sorted,
            "measure": self._measure,
            "hierarchy": self._hierarchy,
            "partition": self._partition,
            "refreshPolicy": self._refresh_policy,
        }
        node = table.node
        if not any(child.kind == "partition" for child in node.children):
            self.fault(node, f"table {node.name} has no partition")
        for child in node.children:
            if child.kind in inside:
                inside[child.kind](table, child)
        keys = [column for column in table.columns.values() if column.properties.get("isKey") == "true"]
        if node.properties.get("dataCategory") == "Time":
            if len(keys) != 1 or keys[0].properties.get("dataType") != "dateTime":
                self.fault(node, f"the calendar {node.name} needs one column of days that isKey")
        elif keys:
            self.fault(node, f"{node.name}: isKey belongs on the day of a calendar only")

    def _sorted(self, table: _Table, node: Node) -> None:
        by = node.properties.get("sortByColumn")
        if by and unquote(by) not in table.columns:
            self.fault(node, f"{node.name} is sorted by {by}, which {table.node.name} does not have")

    def _measure(self, _: _Table, node: Node) -> None:
        if "formatString" not in node.properties and '"' not in (node.expression or ""):
            self.fault(node, f"measure {node.name} has no formatString")
        self._dax(node, node.expression or "")

    def _hierarchy(self, table: _Table, node: Node) -> None:
        if not node.children:
            self.fault(node, f"hierarchy {node.name} has no level")
        for level in node.children:
            column = level.properties.get("column")
            if unquote(column or "") not in table.columns:
                self.fault(level, f"level {level.name}: {table.node.name} has no column {column}")

    def _partition(self, _: _Table, node: Node) -> None:
        self._query(node, node.properties.get("source", ""))

    def _refresh_policy(self, table: _Table, node: Node) -> None:
        if lacking := {"RangeStart", "RangeEnd"} - self.expressions:
            self.fault(node, f"a refresh policy needs the parameters {', '.join(sorted(lacking))}")
        queries = [
            node.properties.get("sourceExpression", ""),
            *(one.properties.get("source", "") for one in table.node.children if one.kind == "partition"),
        ]
        if not all("RangeStart" in query and "RangeEnd" in query for query in queries):
            self.fault(
                node,
                "the queries of a table with a refresh policy have to take rows from RangeStart to RangeEnd",
            )

    def _query(self, node: Node, text: str) -> None:
        bare = _TEXT.sub("", text)
        for opening, closing in ("()", "[]", "{}"):
            if bare.count(opening) != bare.count(closing):
                self.fault(node, f"{node.name}: {opening} and {closing} of the query do not match")
        if '"' in bare:
            self.fault(node, f"{node.name}: a text of the query is never closed")
        for name in re.findall(r"\bHub\w+\b", bare):
            if name not in self.expressions:
                self.fault(node, f"{node.name}: there is no expression {name}")

    def _relationships(self) -> None:
        names: set[str] = set()
        active: set[tuple[str, str]] = set()
        for node in self.of("relationship"):
            if node.name in names:
                self.fault(node, f"the relationship {node.name} is there twice")
            names.add(node.name)
            ends = [self._column(node, node.properties.get(side, "")) for side in ("fromColumn", "toColumn")]
            if ends[0] and ends[1]:
                (one, first), (other, second) = ends[0], ends[1]
                if first.properties.get("dataType") != second.properties.get("dataType"):
                    self.fault(
                        node,
                        f"{node.name} joins {first.properties.get('dataType')} "
                        f"with {second.properties.get('dataType')}",
                    )
                if node.properties.get("isActive") != "false":
                    if (one, other) in active:
                        self.fault(node, f"two active relationships from {one} to {other}")
                    active.add((one, other))
        self._ambiguous(active)

    def _ambiguous(self, active: set[tuple[str, str]]) -> None:
        """Refuse two active ways from one table to another."""
        ways: dict[str, set[str]] = {}
        for one, other in active:
            ways.setdefault(one, set()).add(other)

        def count(one: str, other: str, seen: frozenset[str]) -> int:
            if one == other:
                return 1
            return sum(count(step, other, seen | {step}) for step in ways.get(one, ()) if step not in seen)

        for one in sorted(ways):
            for other in sorted(self.tables):
                if one != other and count(one, other, frozenset({one})) > 1:
                    self.fault(self.tables[one].node, f"two active ways lead from {one} to {other}")

    def _left_open(self, role: Node) -> None:
        """Refuse a role under which rows of a table show that has a key of a table it narrows."""
        narrowed = {unquote(child.name) for child in role.children if child.kind == "tablePermission"}
        for node in self.of("relationship"):
            ends = [
                unquote(found.group(1))
                for side in ("fromColumn", "toColumn")
                if (found := re.match(rf"({_NAME})\.", node.properties.get(side, "")))
            ]
            if len(ends) == 2 and ends[1] in narrowed and ends[0] not in narrowed:
                self.fault(role, f"role {role.name} leaves {ends[0]} open, which has a key of {ends[1]}")

    def _column(self, node: Node, text: str) -> tuple[str, Node] | None:
        match = re.fullmatch(rf"({_NAME})\.({_NAME})", text)
        if match is None:
            self.fault(node, f"{node.name}: {text!r} is not a column written as table.column")
            return None
        table, column = (unquote(part) for part in match.groups())
        found = self.tables.get(table)
        if found is None or column not in found.columns:
            self.fault(node, f"{node.name}: there is no column {text}")
            return None
        return table, found.columns[column]

    def _ref(self, node: Node) -> None:
        kind, _, name = node.name.partition(" ")
        known = {"table": set(self.tables), "role": {unquote(one.name) for one in self.of("role")},
                 "cultureInfo": {unquote(one.name) for one in self.of("cultureInfo")}}  # fmt: skip
        if kind not in known or unquote(name) not in known[kind]:
            self.fault(node, f"ref {node.name}: there is no such object")

    def _translated(self, node: Node, table: _Table | None) -> None:
        for key in node.properties:
            if key not in _TRANSLATED.properties:
                self.fault(node, f"{node.kind} {node.name}: a translation has no {key!r}")
        for child in node.children:
            name = unquote(child.name)
            inside = table
            if child.kind == "table":
                inside = self.tables.get(name)
                there = inside is not None
            elif child.kind == "measure":
                there = table is not None and name in table.measures
            elif child.kind == "column":
                there = table is not None and name in table.columns
            else:
                there = child.kind in _TRANSLATED.children
            if not there:
                self.fault(child, f"a translation of {child.kind} {child.name}, which is not there")
            self._translated(child, inside)

    def _dax(self, node: Node, text: str) -> None:
        bare = _TEXT.sub('""', text)
        if bare.replace('""', "").count('"'):
            self.fault(node, f"{node.name}: a text is never closed")
        for opening, closing in ("()", "[]", "{}"):
            if bare.count(opening) != bare.count(closing):
                self.fault(node, f"{node.name}: {opening} and {closing} do not match")
        for table, column, alone, whole, plain in _REFERENCE.findall(bare):
            if plain:
                self.fault(node, f"{node.name}: write the table {plain!r} between quotes")
            elif alone:
                if alone.replace("]]", "]") not in self.measures:
                    self.fault(node, f"{node.name}: there is no measure [{alone}]")
            else:
                name = (table or whole).replace("''", "'")
                if name not in self.tables:
                    self.fault(node, f"{node.name}: there is no table {name!r}")
                elif (
                    column
                    and column.replace("]]", "]")
                    not in self.tables[name].columns | self.tables[name].measures
                ):
                    self.fault(node, f"{node.name}: {name!r} has no column [{column}]")

"""A first mapping of a tool, guessed from an answer or from its OpenAPI; what is unsure is marked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from hub import tr
from hub_rest import guesses
from hub_rest.guesses import find, leaves, merged, plain_name, quoted, table_of
from hub_rest.mapping import REFERENCES
from hub_rest.stamps import is_parts

UNSURE = "# unsure: "
SECRET = re.compile(r"token|secret|password|api.?key|^key$", re.IGNORECASE)
_ORDER = ("container", "account", "task", "worklog")
_NEEDED = {"task": ("title", "container_id"), "worklog": ("day", "seconds"), "container": ("name",)}
_CHILDREN = re.compile(r"(sub.?(task|item|issue)s?|children)", re.IGNORECASE)
_IDLIKE = re.compile(r"\d+|[0-9a-fA-F]{8,}(-[0-9a-fA-F]+)*")
_DEPTH = 5
SHOWN = 15
_WAYS = frozenset({"search", "list", "all", "query", "jql", "index"})
"""Last words of a path that say how its list is asked for."""


class Tool:
    """What is known of a tool as a whole; its lists are *shapes*."""

    def __init__(
        self, title: str, *, url: str = "", auth: str | None = None, auth_sure: bool = True, secret: str = ""
    ) -> None:
        """Take its *title*, its *url*, how it signs in; *secret* is the parameter that takes the token."""
        self.title, self.url, self.auth, self.auth_sure, self.secret = title, url, auth, auth_sure, secret
        self.check = ""
        self.shapes: list[Shape] = []
        self.left_out: list[str] = []


class Shape:
    """What is known of a list: an example of an answer, its rows, and its path and parameters."""

    def __init__(
        self,
        path: str,
        answer: Any,
        params: dict[str, dict[str, Any]] | None = None,
        headers: tuple[str, ...] = (),
        *,
        fixed: dict[str, str] | None = None,
        said: dict[str, str] | None = None,
        is_invented: bool = False,
    ) -> None:
        """Look for the rows in the answer.

        *params* are the names that may be asked with and what is said of each, *fixed* those that were asked
        with and say nothing of pages, *headers* the names of those of the answer, *said* descriptions
        by name. *is_invented* says that the values are of no real answer.
        """
        self.path, self.answer, self.headers = path, answer, headers
        self.params: dict[str, dict[str, Any]] = params or {}
        self.fixed, self.said, self.is_invented = fixed or {}, said or {}, is_invented
        self.probe, self.is_of_file = "", False
        self.columns: tuple[str, list[str]] | None = None
        """Where the names of columns stand in the answer, and these, where rows are lists."""
        self.where, self.rows = self._found()
        self.flat = merged(self.rows)

    def _found(self) -> tuple[str, list[Any]]:
        if isinstance(self.answer, list):
            return self._unwrapped("", [row for row in self.answer if isinstance(row, dict)])
        found = sorted(_lists(self.answer, ()), key=_rank)
        if found:
            path, rows = found[0]
            return self._unwrapped(".".join(map(quoted, path)), rows)
        if table := _columnar(self.answer, ()):
            where, columns, names, rows = table
            self.columns = columns, names
            return where, [
                dict(zip([f"[{n}]" for n in range(len(names))], row, strict=False)) for row in rows
            ]
        if keyed := _keyed(self.answer, ()):
            return keyed
        return "", [self.answer] if isinstance(self.answer, dict) else []

    def _unwrapped(self, where: str, rows: list[Any]) -> tuple[str, list[Any]]:
        """Go into the one thing that each row holds: the node of an edge."""
        names = set().union(*(row.keys() for row in rows)) - {"cursor"} if rows else set()
        if len(names) == 1 and all(isinstance(row.get(name := next(iter(names))), dict) for row in rows):
            if not (name == "node" or len(rows) > 1 or table_of(name)):
                return where, rows
            return f"{where}[].{quoted(name)}", [row[name] for row in rows]
        return where, rows

    @property
    def row(self) -> dict[str, Any]:
        """Return the first row."""
        return self.rows[0] if self.rows else {}

    @property
    def variables(self) -> list[str]:
        """Return what its path has to be filled with."""
        return re.findall(r"\{(\w+)\}", self.path)

    @property
    def name(self) -> str:
        """Return what the list may be called: the last word of its path that says what it holds."""
        words = [one for one in re.split(r"[/?]", self.path) if re.fullmatch(r"[A-Za-z_][\w.-]*", one)]
        words = [re.sub(r"\.json$", "", one) for one in words]
        telling = [one for one in words if one.lower() not in _WAYS]
        return (telling or words or ["rows"])[-1]

    @property
    def table(self) -> str:
        """Return the record that its rows may become."""
        return self.known_table or "task"

    @property
    def called(self) -> str | None:
        """Return the record that the name of the rows, or of the list, speaks of."""
        names = re.findall(r"[\w-]+", re.sub(r"\[\]\.node$|^entries", "", self.where))
        telling = [one for one in names if one.lower() not in guesses.ROWS]
        return (table_of(telling[-1]) if telling else None) or table_of(self.name)

    @property
    def known_table(self) -> str | None:
        """Return the record of which something speaks: a name, its fields, what stands around the rows."""
        around = map(table_of, re.findall(r"[\w-]+", self.where)[::-1])
        return self.called or guesses.table_by_fields(self.named) or next(filter(None, around), None)

    @property
    def lacks(self) -> list[str]:
        """Return what its record cannot be without and nothing in the rows looks like."""
        return [
            name
            for name in _NEEDED.get(self.table, ())
            if not find(guesses.FIELDS[self.table][name], self.named)
            and not (name == "container_id" and self.variables)
        ]

    def may_count(self, name: str) -> bool:
        """Say whether a parameter may count rows or pages: `start` and `after` may be days too."""
        said = self.params[name]
        about = f"{said.get('format')} {said.get('pattern')} {said.get('description')}".lower()
        return not (
            re.search(r"date|\btime|day", about) and not re.search("integer|number", f"{said.get('type')}")
        )

    @property
    def named(self) -> dict[str, Any]:
        """Return the merged row by the names that columns have, where rows are lists."""
        if self.columns is None:
            return self.flat
        return {quoted(name): self.flat.get(f"[{n}]") for n, name in enumerate(self.columns[1])}

    def place(self, name: str) -> str:
        """Return the path in a row of what is called *name* in `named`."""
        if self.columns is None or not name:
            return name
        return f"[{[quoted(one) for one in self.columns[1]].index(name)}]"


def _rank(pair: tuple[tuple[str, ...], list[Any]]) -> tuple[Any, ...]:
    name = pair[0][-1]
    return (
        name.lower() in guesses.BESIDE,
        name.lower() not in guesses.ROWS and table_of(name) is None,
        len(pair[0]),
        -len(pair[1]),
    )


def _lists(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """Yield the lists of objects in an answer, and where they stand."""
    if not isinstance(value, dict) or len(path) > _DEPTH:
        return
    for name, one in value.items():
        if isinstance(one, list):
            rows = [row for row in one if isinstance(row, dict)]
            if rows and not _is_head(name, rows, value):
                yield (*path, f"{name}"), rows
        else:
            yield from _lists(one, (*path, f"{name}"))


def _is_head(name: str, rows: list[Any], beside: dict[str, Any]) -> bool:
    """Say whether a list names the columns of the rows that stand beside it."""
    others = [one for other, one in beside.items() if other != name and isinstance(one, list) and one]
    return any(all(isinstance(row, list) and len(row) == len(rows) for row in one) for one in others)


def _columnar(value: Any, path: tuple[str, ...]) -> tuple[str, str, list[str], list[Any]] | None:
    """Return where rows that are lists stand, where their columns are named, these names, and the rows."""
    if not isinstance(value, dict) or len(path) > _DEPTH:
        return None
    for name, rows in value.items():
        if not isinstance(rows, list) or not rows or not all(isinstance(row, list) for row in rows):
            continue
        for other, head in value.items():
            if other != name and isinstance(head, list) and len(head) == len(rows[0]) > 0:
                label = next(
                    (one for one in ("name", "key", "id", "title", "label")
                     if all(isinstance(column, dict) and one in column for column in head)), "",
                )  # fmt: skip
                names = [f"{column[label]}" if label else f"{column}" for column in head]
                where = ".".join(map(quoted, (*path, other))) + (f"[].{label}" if label else "")
                return ".".join(map(quoted, (*path, name))), where, names, rows
    return next((found for name, one in value.items() if (found := _columnar(one, (*path, name)))), None)


def _keyed(value: Any, path: tuple[str, ...]) -> tuple[str, list[Any]] | None:
    """Return where rows stand as the values of an object whose names are their ids, and the rows."""
    if not isinstance(value, dict) or len(path) > _DEPTH:
        return None
    if value and all(isinstance(one, dict) and _IDLIKE.fullmatch(f"{name}") for name, one in value.items()):
        where = f"entries({'.'.join(map(quoted, path)) or '@'})"
        return where, [{"key": name, "value": one} for name, one in value.items()]
    return next((found for name, one in value.items() if (found := _keyed(one, (*path, name)))), None)


def mapping_of(tool: Tool) -> str:
    """Return the text of a first mapping; every guess that nothing proves is marked as unsure."""
    shapes = sorted(tool.shapes, key=lambda one: (len(one.variables), _ORDER.index(one.table)))
    names = _names(shapes)
    above = {one.path: one for one in shapes}
    said, needs = [f"title = {_text(tool.title)}"], set[str]()
    if tool.url:
        said.append(f"# {tr('the url of the source is {url}', url=tool.url)}")
    lists = []
    for shape in shapes:
        each, lacking = _each(shape, above, names)
        needs |= set(lacking)
        lists += [*_list(tool, shape, names[id(shape)], each), ""]
    if needs:
        said.append(f"{UNSURE}{tr('what params of the source give: an organisation, a workspace')}")
        said.append(f"needs = {json.dumps(sorted(needs))}")
    if guards := [one for shape in shapes if (one := _guard(shape))]:
        said.append(f"# {tr('columns in another order are refused: rows are read by their places')}")
        said.append(f"refused = {_text(' || '.join(guards))}")
    if not tool.auth_sure or tool.auth is None:
        said.append(f"{UNSURE}{tr('how the tool wants its token')}")
    if tool.auth != "":
        said.append(tool.auth or 'auth = { kind = "bearer" }')
    if tool.check:
        said.append(f"check = {_text(tool.check)}")
    else:
        said.append(f"{UNSURE}{tr('a path that any account may read, which says who is signed in')}")
        said.append('# check = "/me"')
    if tool.left_out:
        shown = ", ".join(tool.left_out[:SHOWN]) + (", …" if len(tool.left_out) > SHOWN else "")
        said.append(f"# {tr('left out, take them in with --only: {paths}', paths=shown)}")
    return "\n".join([*said, "", *lists]).rstrip() + "\n"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _names(shapes: list[Shape]) -> dict[int, str]:
    """Return a name for each list: no two have the same."""
    found: dict[int, str] = {}
    for shape in shapes:
        words = re.findall(r"[A-Za-z][\w.-]*", re.sub(r"\{\w+\}|\.json", "", shape.path)) or ["rows"]
        name, number = shape.name, 2
        while name in found.values():
            name = " ".join(words[-number:]) if number <= len(words) else f"{shape.name} {number}"
            number += 1
        found[id(shape)] = name
    return found


def _each(shape: Shape, above: dict[str, Shape], names: dict[int, str]) -> tuple[str, list[str]]:
    """Return by which list above it a list is asked for, and the variables that none gives."""
    each, given = "", set[str]()
    for match in list(re.finditer(r"\{(\w+)\}", shape.path))[::-1]:
        over = above.get(shape.path[: match.start()].rstrip("/")) or _called(match[1], shape, above)
        if over is not None and over is not shape and not each:
            key = guesses.id_of(over.named, over.table) or "id"
            found = f"{match[1]} = {_text(over.place(key))}"
            each = f"each = {{ list = {_text(names[id(over)])}, set = {{ {found} }} }}"
            given = {match[1], *over.variables}
    return each, [name for name in shape.variables if name not in given]


def _called(variable: str, shape: Shape, above: dict[str, Shape]) -> Shape | None:
    """Return a list of what a variable is called by, such as users of userId, that needs nothing more."""
    word = re.sub(r"(_?ids?|Ids?)$", "", variable).lower()
    for one in above.values():
        fits = {*one.variables} < {*shape.variables} and variable not in one.variables
        if fits and one is not shape and one.name.lower() in {word, f"{word}s"}:
            return one
    return None


def _guard(shape: Shape) -> str:
    """Return what is true of an answer whose columns are not those that the mapping counts by."""
    if shape.columns is None:
        return ""
    where, names = shape.columns
    return f"{where} && {where} != `{json.dumps(names, ensure_ascii=False)}`"


def _list(tool: Tool, shape: Shape, name: str, each: str) -> Iterator[str]:
    table, row = shape.table, shape.named
    yield "[[list]]"
    if shape.known_table is None:
        yield f"{UNSURE}{tr('what its rows are: {tables}', tables=', '.join(_ORDER))}"
    yield f"name = {_text(name)}"
    yield from _asked(tool, shape)
    if each:
        yield each
    if shape.where:
        yield f"rows = {_text(shape.where)}"
    id_ = "key" if shape.where.startswith("entries(") else guesses.id_of(row, table)
    if not id_:
        id_ = guesses.differs(shape.rows) if shape.columns is None and not shape.is_invented else ""
        yield f"{UNSURE}{tr('what is unique among its rows')}"
    key = shape.place(id_) or "id"
    if key != "id":
        yield f"key = {_text(key)}"
    below = next((one for one in _below(shape) if _CHILDREN.fullmatch(one[0])), None)
    if below and table == "task":
        yield f"children = {_text(quoted(below[0]))}"
    yield from _since(shape, row)
    yield from _deletes(shape, row)
    yield "[[list.record]]"
    yield f'table = "{table}"'
    yield "[list.record.fields]"
    yield f"id = {_text(key)}"
    yield from _fields(shape, table, row, shape.rows, is_own=True, is_below=bool(below))
    yield from _along(tool, shape, table)
    yield from _nested(tool, shape, name, key, each)


def _along(tool: Tool, shape: Shape, table: str) -> Iterator[str]:
    """Yield the projects and people that stand in the rows, where no list of their own is known."""
    for field, other in (
        ("container_id", "container"),
        ("account_id", "account"),
        ("assignee_id", "account"),
    ):
        path = find(guesses.FIELDS.get(table, {}).get(field, ""), shape.flat)
        above, _, last = path.rpartition(".")
        label = find("name displayname fullname title username label", _below_path(shape.flat, above))
        if not above or not label or any(one.table == other for one in tool.shapes):
            continue
        id_ = f"{{ path = {_text(path)}, last = true }}" if last == "href" else _text(path)
        named = "name" if other == "container" else "display_name"
        kind = 'kind = { value = "project" }, ' if other == "container" else ""
        yield "[[list.record]]"
        yield f'table = "{other}"'
        yield f"when = {_text(path)}"
        yield f"fields = {{ id = {id_}, {kind}{named} = {_text(f'{above}.{label}')} }}"


def _below_path(flat: dict[str, Any], above: str) -> dict[str, Any]:
    """Return what stands in one object of a row, by its own names."""
    names = (path.removeprefix(f"{above}.") for path in flat if above and path.startswith(f"{above}."))
    return {name: True for name in names if "." not in name}


def _asked(tool: Tool, shape: Shape) -> Iterator[str]:
    paging, params = _paging(shape)
    is_graphql = paging[0].startswith("method")
    if shape.is_of_file:
        yield f"{UNSURE}{tr('the path, which a file does not tell')}"
    yield f"path = {_text('/graphql' if is_graphql and shape.is_of_file else shape.path)}"
    yield from paging
    fixed = {name: "{secret}" if SECRET.search(name) else value for name, value in shape.fixed.items()}
    if tool.secret:
        fixed[tool.secret] = "{secret}"
    params = fixed | params
    if params:
        told = ", ".join(f"{_text(name)} = {_text(value)}" for name, value in params.items())
        yield f"params = {{ {told} }}"


def _below(shape: Shape) -> list[tuple[str, list[Any]]]:
    """Return the lists of objects in the rows, by name."""
    found: dict[str, list[Any]] = {}
    for row in shape.rows:
        for name, one in row.items():
            if isinstance(one, list) and (inner := [each for each in one if isinstance(each, dict)]):
                found.setdefault(name, []).extend(inner)
    return list(found.items())


def _nested(tool: Tool, shape: Shape, name: str, key: str, each: str) -> Iterator[str]:
    """Yield a list of the hours that stand in the rows of another."""
    for below, rows in _below(shape):
        flat = merged(rows)
        if table_of(below) != "worklog" or not guesses.id_of(flat, "worklog"):
            continue
        inner = guesses.id_of(flat, "worklog")
        yield ""
        yield "[[list]]"
        yield f"name = {_text(f'{below} of {name}')}"
        yield from _asked(tool, shape)
        if each:
            yield each
        yield f"rows = [{_text(shape.where)}, {_text(quoted(below))}]"
        if inner != "id":
            yield f"key = {_text(inner)}"
        yield 'deletes = { kind = "absence" }'
        yield "[[list.record]]"
        yield 'table = "worklog"'
        yield "[list.record.fields]"
        yield f"id = {_text(inner)}"
        told = list(_fields(shape, "worklog", flat, rows))
        if shape.table == "task" and not any(line.startswith("task_id =") for line in told):
            told.append(f'task_id = "_above.{key}"')
        box = find(guesses.FIELDS["task"]["container_id"], shape.flat) if shape.table == "task" else ""
        if shape.table == "container":
            box = key
        if box and not any(line.startswith("container_id =") for line in told):
            told.append(_reference("container_id", f"_above.{box}"))
        yield from told


def _since(shape: Shape, row: dict[str, Any]) -> Iterator[str]:
    """Yield how what changed since is asked for."""
    stamp = find(guesses.STAMPS, row)
    if not stamp:
        return
    by_name = {re.sub(r"[^a-z]", "", name.lower()): name for name in shape.params}
    since = next((by_name[name] for name in guesses.SINCE.split() if name in by_name), None)
    value = row[stamp]
    form = ""
    if not shape.is_invented and re.fullmatch(r"\d{9,13}(\.\d+)?", f"{value}"):
        form = f', format = "{"epoch_ms" if float(value) > 1e11 else "epoch"}"'
    cursor = f"cursor = {{ field = {_text(shape.place(stamp))}{form} }}"
    if since:
        if form or by_name.get("since") == since:
            said = tr(
                "that {since} asks for what changed, in the way that {stamp} is written",
                since=since,
                stamp=stamp,
            )
            yield f"{UNSURE}{said}"
        yield f'incremental = {{ {_text(since)} = "{{since}}" }}'
        yield cursor
        return
    said = tr("which parameter asks for what changed since; {stamp} is its stamp", stamp=stamp)
    yield f"{UNSURE}{said}"
    yield '# incremental = { updated_since = "{since}" }'
    yield f"# {cursor}"


def _deletes(shape: Shape, row: dict[str, Any]) -> Iterator[str]:
    flag = find("deleted isdeleted deletedat trashed istrashed trashedat", row)
    flagged = f", trashed = {_text(shape.place(flag))}" if flag else ""
    if shape.probe:
        yield f'deletes = {{ kind = "probe", probe = {_text(shape.probe)}{flagged} }}'
        return
    yield f"{UNSURE}{tr('how a deletion shows: lacking in the whole list, or 404 at its own address')}"
    yield f'deletes = {{ kind = "absence"{flagged} }}'


# ---------- pages ----------


def _paging(shape: Shape) -> tuple[list[str], dict[str, str]]:
    """Return the line of the paging, with what is unsure of it, and the parameters that it asks with."""
    flat = dict(leaves(shape.answer)) if isinstance(shape.answer, dict) else {}
    if shape.where.startswith("entries("):
        inner = shape.where[8:-1]
        flat = {path: one for path, one in flat.items() if inner != "@" and not path.startswith(inner + ".")}
    by_name = {re.sub(r"[^a-z]", "", name.lower()): name for name in shape.params if shape.may_count(name)}
    unsure: list[str] = []
    told = _total(shape, flat)
    size_name = next((by_name[name] for name in guesses.SIZES if name in by_name), None)
    params = {size_name: "{size}"} if size_name else {}
    most = (shape.params.get(size_name or "") or {}).get("maximum")
    size = f", size = {most}" if type(most) is int and 0 < most < 100 else ""
    ends = _ends(flat)
    following = _following(flat)
    if "[].node" in shape.where or "pageInfo" in f"{shape.answer}"[:100_000]:
        return _graphql(flat, following, told)
    if following:
        echo = {path.rsplit(".", 1)[-1].lower(): path.rsplit(".", 1)[-1] for path in flat}
        known = echo | by_name
        line, token = _by_next(following, flat[following], by_name, known, unsure, invented=shape.is_invented)
        return [*unsure, f"paging = {{ {line}{told}{ends}{size} }}"], params | token
    if "link" in shape.headers and not (shape.is_invented and told):
        return [f'paging = {{ kind = "link"{told}{size} }}'], params
    counted, more = _counted(shape, flat, by_name, (told, ends, size))
    if counted:
        return counted, params | {name: one for name, one in more.items() if one != "{size}" or not size_name}
    return [f"{UNSURE}{tr('how the next page is asked for')}", 'paging = { kind = "none" }'], params


def _ends(flat: dict[str, Any]) -> str:
    """Return what says of a page that more follow, or that none does, as a part of the paging."""
    for path, value in flat.items():
        name = plain_name(path).rsplit(".", 1)[-1]
        if not isinstance(value, bool):
            continue
        if name in guesses.MORE or name.startswith("next"):
            return f", more = {_text(path)}"
        if name in guesses.ENDED:
            return f", end = {_text(path)}"
    return ""


def _counted(
    shape: Shape, flat: dict[str, Any], by_name: dict[str, str], parts: tuple[str, str, str]
) -> tuple[list[str], dict[str, str]]:
    """Return the paging by number or by offset, with its parameters: those that there are, or those told.

    *parts* are its total, its end and its size.
    """
    told, ends, size = parts
    echo = {path.rsplit(".", 1)[-1].strip('"'): value for path, value in flat.items()}
    asked = {
        kind: next((by_name[one] for one in names if one in by_name), "")
        for kind, names in (("page", guesses.PAGES), ("offset", guesses.OFFSETS))
    }
    kind = next((kind for kind, name in asked.items() if name), "")
    unsure: list[str] = []
    params = {asked[kind]: f"{{{kind}}}"} if kind else {}
    first = None if shape.is_invented else echo.get(find(guesses.PAGES, echo))
    if not kind:
        unsure = [f"{UNSURE}{tr('by which parameter the next page is asked for')}"]
        page, offset, limit = (
            find(names, echo) for names in (guesses.PAGES, guesses.OFFSETS, guesses.SIZES[:-1])
        )
        if page or ends:
            kind, name = "page", page or "page"
        elif offset:  # one that begins at 1 counts pages
            kind, name = ("page" if echo[offset] == 1 else "offset"), offset
        elif re.search(r"odata|__count", " ".join(flat)):
            kind, name, limit = "offset", "$skip", "$top"
        else:
            return [], {}
        params = {name: f"{{{kind}}}"} | ({limit: "{size}"} if limit else {})
    begins = ", first = 0" if kind == "page" and first == 0 else ""
    proof = told + ends or (", twice = true" if kind == "page" else "")
    return [*unsure, f'paging = {{ kind = "{kind}"{begins}{proof}{size} }}'], params


def _total(shape: Shape, flat: dict[str, Any]) -> str:
    """Return where the number of rows stands, as a part of the paging; a count of the page is none."""
    for name in guesses.TOTALS.split():
        for path, value in flat.items():
            is_number = (type(value) is int) or (isinstance(value, str) and value.isdecimal())
            may_be_page = name == "count" and not path.endswith("__count")
            if plain_name(path).rsplit(".", 1)[-1] != name or not (is_number or shape.is_invented):
                continue
            if shape.is_invented and may_be_page:
                continue
            count = len(shape.rows)
            if not shape.is_invented and (int(value) < count or (may_be_page and int(value) == count)):
                continue
            return f", total = {_text(path)}"
    header = next(
        (one for one in ("X-Total-Count", "X-Total", "Total-Count") if one.lower() in shape.headers), ""
    )
    return f', total = "header:{header}"' if header else ""


def _following(flat: dict[str, Any]) -> str:
    """Return where the next page is named; empty for nowhere."""
    found = []
    for path, value in flat.items():
        names = plain_name(path).split(".")
        if isinstance(value, bool) or (
            names[-1] not in guesses.NEXT and not any(one.startswith(("next", "odatanext")) for one in names)
        ):
            continue
        found.append((value is None, len(path), path))
    return min(found)[2] if found else ""


def _by_next(
    path: str,
    value: Any,
    by_name: dict[str, str],
    known: dict[str, str],
    unsure: list[str],
    *,
    invented: bool,
) -> tuple[str, dict[str, str]]:
    """Return the paging by what an answer names as next: an address, or a token with its parameter."""
    last = plain_name(path).rsplit(".", 1)[-1]
    is_address = isinstance(value, str) and value.startswith(("http://", "https://", "/", "?"))
    says_address = bool(re.search(r"link|url|uri|href", last)) or plain_name(path) == "next" != path
    says_token = bool(re.search(r"page$|token|cursor|offset|start|key$", last))
    name = _token_param(last, by_name)
    if is_address or says_address or (not says_token and (value is None or invented) and name is None):
        if not is_address and not says_address:
            unsure.append(f"{UNSURE}{tr('whether an address or a token stands at {path}', path=path)}")
        return f'kind = "next", next = {_text(path)}', {}
    if name is None:
        unsure.append(f"{UNSURE}{tr('by which parameter the next page is asked for')}")
    bare = re.sub(r"^next_?", "", path.rsplit(".", 1)[-1].strip('"')).strip("_") or "cursor"
    name = name or known.get(re.sub(r"^page_?", "", bare.lower())) or bare[0].lower() + bare[1:]
    return f'kind = "token", next = {_text(path)}', {name: "{token}"}


def _token_param(last: str, by_name: dict[str, str]) -> str | None:
    """Return the parameter that takes what an answer calls *last*: the one that is called alike, at best."""
    alike = re.sub(r"^next", "", last)
    order = [alike] if alike else []
    if "page" in last and "token" not in last and "cursor" not in last:
        order += ["page", "pagenumber"]
    order += [*guesses.TOKENS, "offset"]
    return next((by_name[one] for one in order if one in by_name), None)


def _graphql(flat: dict[str, Any], following: str, told: str) -> tuple[list[str], dict[str, str]]:
    """Return how a connection of GraphQL is paged: by a variable of the query, in the body."""
    more = next((path for path, one in flat.items() if plain_name(path).endswith("hasnextpage")), "")
    next_ = following or "data.pageInfo.endCursor"
    ends = f", more = {_text(more)}" if more else ""
    return [
        'method = "POST"',
        f"{UNSURE}{tr('the query: it asks for each field that stands below, and takes $after')}",
        'body = { query = "query($after: String) { … }", variables = { after = "{token}" } }',
        f'paging = {{ kind = "token", next = {_text(next_)}{ends}{told} }}',
    ], {}


# ---------- fields ----------


def _reference(name: str, path: str) -> str:
    return (
        f"{name} = {{ path = {_text(path)}, last = true }}"
        if path.endswith("href")
        else f"{name} = {_text(path)}"
    )


def _fields(
    shape: Shape,
    table: str,
    row: dict[str, Any],
    rows: list[Any],
    *,
    is_own: bool = False,
    is_below: bool = False,
) -> Iterator[str]:
    for name, wanted in guesses.FIELDS[table].items():
        path = find(wanted, row)
        if not path or (isinstance(row[path], dict) and not is_parts(row[path])):
            continue
        if path == "key" and shape.where.startswith("entries("):
            continue
        place = shape.place(path) if is_own else path
        if name == "seconds" and (both := guesses.in_parts(row, rows)):
            yield f'seconds = {{ path = {_text(both)}, unit = "minutes" }}'
        elif name in {"seconds", "estimate_s"}:
            unit, is_sure = guesses.unit_of(
                path, row[path], rows, shape.said.get(path.rsplit(".", 1)[-1], "")
            )
            if not is_sure:
                yield f"{UNSURE}{tr('the unit of {path}', path=path)}"
            yield f'{name} = {{ path = {_text(place)}, unit = "{unit}" }}'
        elif name == "percent" and isinstance(row[path], float) and row[path] <= 1:
            yield f"{UNSURE}{tr('the unit of {path}', path=path)}"
            yield f'{name} = {{ path = {_text(place)}, unit = "share" }}'
        elif name in REFERENCES and any(dict(leaves(one)).get(path) in (0, "0") for one in rows):
            when = f"{place} != `0` && {place} != '0'"
            yield f"{name} = {{ cases = [{{ when = {_text(when)}, path = {_text(place)} }}] }}"
        else:
            yield _reference(name, place)
    yield from _besides(shape, table, row, rows, is_below=is_below)
    yield from _lacking(shape, table, row)


def _besides(
    shape: Shape, table: str, row: dict[str, Any], rows: list[Any], *, is_below: bool
) -> Iterator[str]:
    """Yield the fields that are more than one name in the row."""
    if table == "task":
        if is_below and not find(guesses.FIELDS["task"]["parent_id"], row):
            yield 'parent_id = "_above.id"'
        for path in ("labels", "tags"):
            held = [one[path] for one in rows if isinstance(one, dict) and one.get(path)]
            if held and all(
                isinstance(one, list) and all(isinstance(text, str) for text in one) for one in held
            ):
                yield f"labels = \"join(', ', {path})\""
                break
        several = [one["assignees"] for one in rows if isinstance(one, dict) and one.get("assignees")]
        if several and not find(guesses.FIELDS["task"]["assignee_id"], row):
            people = [one[0] for one in several if isinstance(one, list) and isinstance(one[0], dict)]
            if people and (id_ := guesses.id_of(merged(people), "account")):
                yield f"{UNSURE}{tr('the first of several people; assignments are told by a record with of')}"
                yield f"assignee_id = {_text(f'assignees[0].{id_}')}"
    if table == "container":
        yield 'kind = { value = "project" }'
        flag = find("active isactive", row)
        if flag and isinstance(row[flag], bool) and not find(guesses.FIELDS["container"]["archived"], row):
            yield f"archived = {_text(f'{shape.place(flag)} == `false`')}"


def _lacking(shape: Shape, table: str, row: dict[str, Any]) -> Iterator[str]:
    """Yield what a record cannot be without and nothing in the row looks like."""
    for name in _NEEDED.get(table, ()):
        if find(guesses.FIELDS[table][name], row):
            continue
        if name == "container_id" and shape.variables:
            yield f'container_id = "{{{shape.variables[-1]}}}"'
            continue
        yield f"{UNSURE}{tr('{name}, which {table} needs', name=name, table=table)}"
        yield f'{name} = "{name}"'

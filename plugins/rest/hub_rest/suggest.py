"""A first mapping of a tool, guessed from an answer or from its OpenAPI; what is unsure is marked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from hub import tr
from hub_rest import guesses
from hub_rest.guesses import find, leaves, merged, quoted, table_of
from hub_rest.looked import NEEDED, UNSURE, Shape, Tool, text_of
from hub_rest.mapping import REFERENCES
from hub_rest.stamps import is_parts
from hub_rest.turning import paging_of

SECRET = re.compile(r"token|secret|password|api.?key|^key$", re.IGNORECASE)
_ORDER = ("container", "account", "task", "worklog")
_CHILDREN = re.compile(r"(sub.?(task|item|issue)s?|children)", re.IGNORECASE)
SHOWN = 15


def mapping_of(tool: Tool) -> str:
    """Return the text of a first mapping; every guess that nothing proves is marked as unsure."""
    shapes = sorted(tool.shapes, key=lambda one: (len(one.variables), _ORDER.index(one.table)))
    names = _names(shapes)
    above = {one.path: one for one in shapes}
    said, needs = [f"title = {text_of(tool.title)}"], set[str]()
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
        said.append(f"refused = {text_of(' || '.join(guards))}")
    if not tool.auth_sure or tool.auth is None:
        said.append(f"{UNSURE}{tr('how the tool wants its token')}")
    if tool.auth != "":
        said.append(tool.auth or 'auth = { kind = "bearer" }')
    if tool.check:
        said.append(f"check = {text_of(tool.check)}")
    else:
        said.append(f"{UNSURE}{tr('a path that any account may read, which says who is signed in')}")
        said.append('# check = "/me"')
    if tool.left_out:
        shown = ", ".join(tool.left_out[:SHOWN]) + (", …" if len(tool.left_out) > SHOWN else "")
        said.append(f"# {tr('left out, take them in with --only: {paths}', paths=shown)}")
    return "\n".join([*said, "", *lists]).rstrip() + "\n"


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
            found = f"{match[1]} = {text_of(over.place(key))}"
            each = f"each = {{ list = {text_of(names[id(over)])}, set = {{ {found} }} }}"
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
    yield f"name = {text_of(name)}"
    yield from _asked(tool, shape)
    if each:
        yield each
    if shape.where:
        yield f"rows = {text_of(shape.where)}"
    id_ = "key" if shape.where.startswith("entries(") else guesses.id_of(row, table)
    if not id_:
        id_ = guesses.differs(shape.rows) if shape.columns is None and not shape.is_invented else ""
        yield f"{UNSURE}{tr('what is unique among its rows')}"
    key = shape.place(id_) or "id"
    if key != "id":
        yield f"key = {text_of(key)}"
    below = next((one for one in _below(shape) if _CHILDREN.fullmatch(one[0])), None)
    if below and table == "task":
        yield f"children = {text_of(quoted(below[0]))}"
    yield from _since(shape, row)
    yield from _deletes(shape, row)
    yield "[[list.record]]"
    yield f'table = "{table}"'
    yield "[list.record.fields]"
    yield f"id = {text_of(key)}"
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
        id_ = f"{{ path = {text_of(path)}, last = true }}" if last == "href" else text_of(path)
        named = "name" if other == "container" else "display_name"
        kind = 'kind = { value = "project" }, ' if other == "container" else ""
        yield "[[list.record]]"
        yield f'table = "{other}"'
        yield f"when = {text_of(path)}"
        yield f"fields = {{ id = {id_}, {kind}{named} = {text_of(f'{above}.{label}')} }}"


def _below_path(flat: dict[str, Any], above: str) -> dict[str, Any]:
    """Return what stands in one object of a row, by its own names."""
    names = (path.removeprefix(f"{above}.") for path in flat if above and path.startswith(f"{above}."))
    return {name: True for name in names if "." not in name}


def _asked(tool: Tool, shape: Shape) -> Iterator[str]:
    paging, params = paging_of(shape)
    is_graphql = paging[0].startswith("method")
    if shape.is_of_file:
        yield f"{UNSURE}{tr('the path, which a file does not tell')}"
    yield f"path = {text_of('/graphql' if is_graphql and shape.is_of_file else shape.path)}"
    yield from paging
    fixed = {name: "{secret}" if SECRET.search(name) else value for name, value in shape.fixed.items()}
    if tool.secret:
        fixed[tool.secret] = "{secret}"
    params = fixed | params
    if params:
        told = ", ".join(f"{text_of(name)} = {text_of(value)}" for name, value in params.items())
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
        yield f"name = {text_of(f'{below} of {name}')}"
        yield from _asked(tool, shape)
        if each:
            yield each
        yield f"rows = [{text_of(shape.where)}, {text_of(quoted(below))}]"
        if inner != "id":
            yield f"key = {text_of(inner)}"
        yield 'deletes = { kind = "absence" }'
        yield "[[list.record]]"
        yield 'table = "worklog"'
        yield "[list.record.fields]"
        yield f"id = {text_of(inner)}"
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
    cursor = f"cursor = {{ field = {text_of(shape.place(stamp))}{form} }}"
    if since:
        if form or by_name.get("since") == since:
            said = tr(
                "that {since} asks for what changed, in the way that {stamp} is written",
                since=since,
                stamp=stamp,
            )
            yield f"{UNSURE}{said}"
        yield f'incremental = {{ {text_of(since)} = "{{since}}" }}'
        yield cursor
        return
    said = tr("which parameter asks for what changed since; {stamp} is its stamp", stamp=stamp)
    yield f"{UNSURE}{said}"
    yield '# incremental = { updated_since = "{since}" }'
    yield f"# {cursor}"


def _deletes(shape: Shape, row: dict[str, Any]) -> Iterator[str]:
    flag = find("deleted isdeleted deletedat trashed istrashed trashedat", row)
    flagged = f", trashed = {text_of(shape.place(flag))}" if flag else ""
    if shape.probe:
        yield f'deletes = {{ kind = "probe", probe = {text_of(shape.probe)}{flagged} }}'
        return
    yield f"{UNSURE}{tr('how a deletion shows: lacking in the whole list, or 404 at its own address')}"
    yield f'deletes = {{ kind = "absence"{flagged} }}'


def _reference(name: str, path: str) -> str:
    return (
        f"{name} = {{ path = {text_of(path)}, last = true }}"
        if path.endswith("href")
        else f"{name} = {text_of(path)}"
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
            yield f'seconds = {{ path = {text_of(both)}, unit = "minutes" }}'
        elif name in {"seconds", "estimate_s"}:
            unit, is_sure = guesses.unit_of(
                path, row[path], rows, shape.said.get(path.rsplit(".", 1)[-1], "")
            )
            if not is_sure:
                yield f"{UNSURE}{tr('the unit of {path}', path=path)}"
            yield f'{name} = {{ path = {text_of(place)}, unit = "{unit}" }}'
        elif name == "percent" and isinstance(row[path], float) and row[path] <= 1:
            yield f"{UNSURE}{tr('the unit of {path}', path=path)}"
            yield f'{name} = {{ path = {text_of(place)}, unit = "share" }}'
        elif name in REFERENCES and any(dict(leaves(one)).get(path) in (0, "0") for one in rows):
            when = f"{place} != `0` && {place} != '0'"
            yield f"{name} = {{ cases = [{{ when = {text_of(when)}, path = {text_of(place)} }}] }}"
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
                yield f"assignee_id = {text_of(f'assignees[0].{id_}')}"
    if table == "container":
        yield 'kind = { value = "project" }'
        flag = find("active isactive", row)
        if flag and isinstance(row[flag], bool) and not find(guesses.FIELDS["container"]["archived"], row):
            yield f"archived = {text_of(f'{shape.place(flag)} == `false`')}"


def _lacking(shape: Shape, table: str, row: dict[str, Any]) -> Iterator[str]:
    """Yield what a record cannot be without and nothing in the row looks like."""
    for name in NEEDED.get(table, ()):
        if find(guesses.FIELDS[table][name], row):
            continue
        if name == "container_id" and shape.variables:
            yield f'container_id = "{{{shape.variables[-1]}}}"'
            continue
        yield f"{UNSURE}{tr('{name}, which {table} needs', name=name, table=table)}"
        yield f'{name} = "{name}"'

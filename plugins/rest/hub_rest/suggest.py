"""A first mapping of a tool, guessed from an answer or from its OpenAPI; what is unsure is marked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from hub import tr

_ROWS = ["data", "items", "results", "values", "value", "records", "rows", "elements", "nodes", "entries"]
_IDS = ["id", "gid", "uuid", "_id", "sys_id", "key", "number"]
_TOTALS = ["total", "totalCount", "total_count", "count", "total_entries", "totalResults", "size"]
_STAMPS = [
    "updated_at",
    "updatedAt",
    "modified_at",
    "modifiedAt",
    "updated",
    "modified",
    "last_modified",
    "lastModified",
    "updated_on",
    "changed_at",
    "write_date",
    "last_edited_time",
    "date_updated",
    "at",
]
_SINCE = [
    "updated_since",
    "updatedSince",
    "modified_since",
    "modifiedSince",
    "updated_after",
    "updatedAfter",
    "since",
    "modified_after",
    "updatedFrom",
    "rowsModifiedSince",
]
_FIELDS: dict[str, dict[str, str]] = {
    "task": {
        "title": "title name subject summary content",
        "container_id": (
            "project_id projectId project.id project.gid project board_id board.id bucket.id space.id list.id"
        ),
        "parent_id": "parent_id parentId parent.id parent.gid parent",
        "code": "key code identifier ref number",
        "url": "url web_url html_url permalink_url permalink app_url",
        "status_raw": "status.name status state.name state stage",
        "assignee_id": "assignee.id assignee.gid assignee_id assigneeId assigned_to.id owner.id",
        "created_at": "created_at createdAt created created_on create_date date_created",
        "updated_at": (
            "updated_at updatedAt modified_at modifiedAt updated modified last_modified lastModified "
            "updated_on changed_at write_date last_edited_time date_updated"
        ),
        "due_on": "due_on due_date dueDate due deadline date_deadline",
        "planned_start_on": "start_on start_date startDate starts_on",
        "estimate_s": "estimate time_estimate estimated_hours estimatedTime originalEstimate",
        "labels": "",
    },
    "worklog": {
        "day": "spent_on spentDate spent_date entered_on date day begin start started",
        "seconds": "seconds timeSpentSeconds duration hours minutes duration_minutes unit_amount",
        "task_id": "task_id taskId task.id task.gid issue.id issue_id",
        "container_id": "project_id projectId project.id project",
        "account_id": "user_id userId user.id user person.id author.id created_by.gid",
        "billable": "billable isBillable",
        "updated_at": (
            "updated_at updatedAt modified_at modifiedAt updated modified last_modified lastModified "
            "updated_on changed_at write_date last_edited_time date_updated at"
        ),
    },
    "container": {
        "name": "name title label",
        "code": "key code identifier",
        "url": "url web_url html_url permalink_url app_url",
        "archived": "archived is_archived closed",
    },
    "account": {
        "display_name": "name display_name displayName full_name fullName username",
        "email": "email email_address emailAddress mail",
        "login": "login username userName",
        "active": "active is_active enabled",
    },
}
_HINTS = {
    "worklog": r"time|hour|worklog|timesheet",
    "account": r"user|people|person|member",
    "container": r"project|board|space|workspace|repositor|folder",
}
_UNITS = {"hours": "hours", "minutes": "minutes", "duration_minutes": "minutes", "estimated_hours": "hours",
          "unit_amount": "hours"}  # fmt: skip
UNSURE = "# unsure: "
_LACKS = {"task": ("title", "container_id"), "worklog": ("day", "seconds"), "container": ("name",)}
_SIZES = ("limit", "per_page", "page_size", "pageSize", "perPage", "size", "$top")
_TOKENS = ("cursor", "page_token", "pageToken", "offset", "after", "token")


class Shape:
    """What is known of a list: an example of an answer, its *rows*, and its path and parameters."""

    def __init__(
        self, path: str, answer: Any, params: tuple[str, ...] = (), headers: tuple[str, ...] = ()
    ) -> None:
        """Look for the rows in the answer: the first list of objects, the known names first."""
        self.path, self.answer, self.params, self.headers = path, answer, params, headers
        self.where, self.row = self._rows()

    def _rows(self) -> tuple[str, dict[str, Any]]:
        if isinstance(self.answer, list):
            return "", next((row for row in self.answer if isinstance(row, dict)), {})
        found = sorted(_lists(self.answer, ()), key=lambda pair: (pair[0][-1] not in _ROWS, len(pair[0])))
        if found:
            return ".".join(found[0][0]), found[0][1][0]
        return "", self.answer if isinstance(self.answer, dict) else {}

    @property
    def name(self) -> str:
        """Return what the list may be called: the last word of its path."""
        words = [one for one in re.split(r"[/?]", self.path) if re.fullmatch(r"[A-Za-z_][\w.-]*", one)]
        return re.sub(r"\.json$", "", words[-1]) if words else "rows"

    @property
    def table(self) -> str:
        """Return the record that its rows may become."""
        return next(
            (table for table, hint in _HINTS.items() if re.search(hint, self.name, re.IGNORECASE)), "task"
        )


def _lists(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    if isinstance(value, dict) and len(path) < 5:
        for name, one in value.items():
            if isinstance(one, list) and one and isinstance(one[0], dict):
                yield (*path, name), one
            else:
                yield from _lists(one, (*path, name))


def mapping_of(title: str, shapes: list[Shape], *, bearer: bool = True) -> str:
    """Return the text of a first mapping; every guess that nothing proves is marked as unsure."""
    said = [f"title = {json.dumps(title)}"]
    if bearer:
        said += [
            f"{UNSURE}{tr('how the tool wants its token')}",
            'auth = { kind = "bearer" }',
            f"{UNSURE}{tr('a path that any account may read, which says who is signed in')}",
            '# check = "/me"',
        ]
    said.append("")
    for shape in shapes:
        said += [*_list(shape), ""]
    return "\n".join(said).rstrip() + "\n"


def _list(shape: Shape) -> Iterator[str]:
    row, table = shape.row, shape.table
    yield "[[list]]"
    yield f"name = {json.dumps(shape.name)}"
    yield f"path = {json.dumps(shape.path)}"
    if shape.where:
        yield f"rows = {json.dumps(shape.where)}"
    id_ = next((name for name in _IDS if name in row), None)
    if id_ != "id":
        if id_ is None:
            yield f"{UNSURE}{tr('what is unique among its rows')}"
        yield f"key = {json.dumps(id_ or 'id')}"
    yield from _paging(shape)
    stamp = next((name for name in _STAMPS if name in row), None)
    since = next((name for name in _SINCE if name in shape.params), None)
    if stamp and since:
        yield f'incremental = {{ {since} = "{{since}}" }}'
        yield f"cursor = {{ field = {json.dumps(stamp)} }}"
    elif stamp:
        said = tr("which parameter asks for what changed since; {stamp} is its stamp", stamp=stamp)
        yield f"{UNSURE}{said}"
        yield '# incremental = { updated_since = "{since}" }'
        yield f"# cursor = {{ field = {json.dumps(stamp)} }}"
    yield f"{UNSURE}{tr('how a deletion shows: lacking in the whole list, or 404 at its own address')}"
    yield 'deletes = { kind = "absence" }'
    yield "[[list.record]]"
    yield f'table = "{table}"'
    yield "[list.record.fields]"
    yield f"id = {json.dumps(id_ or 'id')}"
    yield from _fields(table, row)


def _paging(shape: Shape) -> Iterator[str]:
    answer, params = shape.answer, shape.params
    flat = dict(_leaves(answer, ())) if isinstance(answer, dict) else {}
    total = next(
        (path for path in flat if path.rsplit(".", 1)[-1] in _TOTALS and isinstance(flat[path], int)), None
    )
    told = f", total = {json.dumps(total)}" if total else ""
    following = next((path for path in flat if re.search(r"next", path, re.IGNORECASE)), None)
    size = next(
        (name for name in _SIZES if name in params),
        None,
    )
    asked = [f'{json.dumps(size)} = "{{size}}"'] if size else []
    if following:
        value = flat[following]
        if isinstance(value, str) and value.startswith(("http", "/")):
            yield f'paging = {{ kind = "next", next = {json.dumps(following)}{told} }}'
        else:
            name = next(
                (one for one in _TOKENS if one in params),
                None,
            )
            if name is None:
                yield f"{UNSURE}{tr('by which parameter the next page is asked for')}"
            asked.append(f'{json.dumps(name or "cursor")} = "{{token}}"')
            yield f'paging = {{ kind = "token", next = {json.dumps(following)}{told} }}'
    elif page := next((name for name in ("page", "pageNumber", "page_number") if name in params), None):
        asked.append(f'{json.dumps(page)} = "{{page}}"')
        yield f'paging = {{ kind = "page"{told or ", twice = true"} }}'
    elif offset := next(
        (name for name in ("offset", "skip", "$skip", "startAt", "start") if name in params), None
    ):
        asked.append(f'{json.dumps(offset)} = "{{offset}}"')
        yield f'paging = {{ kind = "offset"{told} }}'
    elif "link" in shape.headers:
        yield 'paging = { kind = "link" }'
    else:
        yield f"{UNSURE}{tr('how the next page is asked for')}"
        yield 'paging = { kind = "none" }'
    if asked:
        yield f"params = {{ {', '.join(asked)} }}"


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and len(path) < 4:
        for name, one in value.items():
            yield from _leaves(one, (*path, name if re.fullmatch(r"\w+", name) else json.dumps(name)))
    elif not isinstance(value, list | dict):
        yield ".".join(path), value


def _fields(table: str, row: dict[str, Any]) -> Iterator[str]:
    flat = dict(_leaves(row, ()))
    for name, guesses in _FIELDS[table].items():
        if name == "labels":
            for path in ("labels", "tags"):
                if isinstance(row.get(path), list) and all(isinstance(one, str) for one in row[path]):
                    yield f"labels = \"join(', ', {path})\""
            continue
        path = next((guess for guess in guesses.split() if guess in flat), "")
        if not path:
            continue
        if name in {"seconds", "estimate_s"}:
            unit = _UNITS.get(path.rsplit(".", 1)[-1])
            if unit is None and "econds" not in path:
                yield f"{UNSURE}{tr('the unit of {path}', path=path)}"
            yield f'{name} = {{ path = {json.dumps(path)}, unit = "{unit or "seconds"}" }}'
        else:
            yield f"{name} = {json.dumps(path)}"
    if table == "container":
        yield 'kind = { value = "project" }'
    for name in {
        "task": ("title", "container_id"),
        "worklog": ("day", "seconds"),
        "container": ("name",),
    }.get(table, ()):
        if not any(guess in flat for guess in _FIELDS[table][name].split()):
            yield f"{UNSURE}{tr('{name}, which {table} needs', name=name, table=table)}"
            yield f'{name} = "{name}"'


def shapes_of_openapi(text: dict[str, Any]) -> list[Shape]:
    """Return the lists of an OpenAPI (or Swagger): questions by GET whose answer holds a list of objects."""
    found: list[Shape] = []
    for path, item in (text.get("paths") or {}).items():
        asked = item.get("get") if isinstance(item, dict) else None
        if not isinstance(asked, dict):
            continue
        schema = _schema_of(text, asked)
        answer = _example(text, schema, 0) if schema else None
        shape = Shape(path, answer, tuple(_params(text, item, asked)))
        if shape.row and (isinstance(answer, list) or shape.where):
            found.append(shape)
    return found


def _params(text: dict[str, Any], item: dict[str, Any], asked: dict[str, Any]) -> Iterator[str]:
    for one in [*item.get("parameters", []), *asked.get("parameters", [])]:
        told = _resolved(text, one)
        if told.get("in") == "query":
            yield f"{told.get('name')}"


def _resolved(text: dict[str, Any], value: Any) -> dict[str, Any]:
    """Follow a reference within the document."""
    for _ in range(20):
        if not isinstance(value, dict) or "$ref" not in value:
            break
        here: Any = text
        for part in f"{value['$ref']}".removeprefix("#/").split("/"):
            here = here.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(here, dict) else None
        value = here
    return value if isinstance(value, dict) else {}


def _schema_of(text: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any] | None:
    answers = asked.get("responses") or {}
    answer = _resolved(text, answers.get("200") or answers.get(200) or answers.get("default"))
    if "schema" in answer:
        return _resolved(text, answer["schema"])
    content = answer.get("content") or {}
    told = next((one for kind, one in content.items() if "json" in kind), None)
    return _resolved(text, told.get("schema")) if isinstance(told, dict) else None


def _example(text: dict[str, Any], schema: Any, depth: int) -> Any:
    """Return a value of a schema: its example, or one of its type."""
    schema = _resolved(text, schema)
    if depth > 6:
        return None
    parts = [_example(text, part, depth + 1) for part in schema.get("allOf", [])]
    told: dict[str, Any] = {}
    for part in parts:
        told |= part if isinstance(part, dict) else {}
    if "properties" in schema:
        told |= {name: _example(text, one, depth + 1) for name, one in schema["properties"].items()}
    if told:
        return told
    if schema.get("type") == "array" or "items" in schema:
        inner = _example(text, schema.get("items"), depth + 1)
        return [] if inner is None else [inner]
    for name in ("oneOf", "anyOf"):
        if schema.get(name):
            return _example(text, schema[name][0], depth + 1)
    return schema.get(
        "example", {"integer": 1, "number": 1, "boolean": True}.get(f"{schema.get('type')}", "text")
    )

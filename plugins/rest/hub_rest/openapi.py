"""What an OpenAPI (or Swagger) document says of a tool: its lists, its address, how one signs in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from hub_rest.guesses import ROWS
from hub_rest.looked import Shape, Tool
from hub_rest.mapping import OWN

_ME = re.compile(
    r"/(me|myself|current_?user|users/(me|current|whoami)|user|whoami|my/profile)", re.IGNORECASE
)
_VARIABLE = re.compile(r"\{([^}]+)\}")
_DEPTH = 6


def tool_of(text: dict[str, Any], only: str | None, title: str | None) -> Tool:
    """Return what a document describes; of its lists those that look like a portfolio, or have *only*."""
    named = title or _table(text.get("info")).get("title") or "tool"
    host, base = _address(text)
    tool = Tool(f"{named}", url=host, **_auth(text))
    paths = _table(text.get("paths"))
    for path, item in paths.items():
        if isinstance(_table(item).get("get"), dict) and _ME.fullmatch(_without_version(path)):
            tool.check = tool.check or base + path
    made = (_shape(text, base, path, item) for path, item in paths.items())
    found = [one for one in made if one is not None and one.path != tool.check]
    if only is not None:
        tool.shapes = [one for one in found if only in one.path]
        return tool
    fits = [one for one in found if one.called and not one.lacks]
    tool.shapes = _chosen(fits) or found
    tool.left_out = [one.path for one in found if one not in tool.shapes]
    return tool


def _without_version(path: str) -> str:
    return re.sub(r"^(/(api|rest|v?\d+(\.\d+)?))+(?=/)", "", path)


def _chosen(found: list[Shape]) -> list[Shape]:
    """Return of lists of the same name and kind the one that needs the fewest variables, then words."""
    best: dict[tuple[str, str], Shape] = {}
    for one in found:
        key = (one.table, re.sub(r"s$", "", one.name.lower()))
        if key not in best or _width(one) < _width(best[key]):
            best[key] = one
    return list(best.values())


def _width(one: Shape) -> tuple[int, int, int]:
    return len(one.variables), one.path.count("/"), -len(one.flat)


def _table(value: Any) -> dict[str, Any]:
    """Return a table, empty for whatever else stands in its place."""
    return value if isinstance(value, dict) else {}


def _items(value: Any) -> list[Any]:
    """Return a list, empty for whatever else stands in its place."""
    return value if isinstance(value, list) else []


def _address(text: dict[str, Any]) -> tuple[str, str]:
    """Return the address of the tool, without what follows its host, and that."""
    first = _table(next(iter(_items(text.get("servers"))), None))
    url = f"{first.get('url') or ''}"
    for name, one in _table(first.get("variables")).items():
        url = url.replace(f"{{{name}}}", f"{_table(one).get('default', name)}")
    if "swagger" in text:
        scheme = next(iter(_items(text.get("schemes"))), "https")
        url = (f"{scheme}://{text['host']}" if text.get("host") else "") + f"{text.get('basePath') or ''}"
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    host = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
    return host, "/" + parts.path.strip("/") if parts.path.strip("/") else ""


def _auth(text: dict[str, Any]) -> dict[str, Any]:
    """Return how one signs in, as far as the document says it."""
    schemes = _table(_table(text.get("components")).get("securitySchemes") or text.get("securityDefinitions"))
    asked = [name for one in _items(text.get("security")) for name in _table(one)]
    order = [name for name in asked if name in schemes] or list(schemes)
    told = [one for name in order if isinstance(one := _resolved(text, schemes[name]), dict)]
    for one in told:
        kind, scheme = f"{one.get('type')}".lower(), f"{one.get('scheme')}".lower()
        if kind == "http" and scheme == "bearer":
            return {"auth": 'auth = { kind = "bearer" }'}
        name = re.sub(r"[^\w-]", "", f"{one.get('name') or ''}")
        if kind == "apikey" and one.get("in") == "header" and name:
            if name.lower() == "authorization":  # what stands before the token is told by nobody
                return {"auth": 'auth = { kind = "bearer" }', "auth_sure": False}
            return {"auth": f'auth = {{ kind = "header", header = "{name}" }}'}
        if kind == "apikey" and one.get("in") == "query":
            return {"auth": "", "secret": f"{one.get('name')}"}
        if kind == "basic" or (kind == "http" and scheme == "basic"):
            return {"auth": 'auth = { kind = "basic" }'}
    if any(f"{one.get('type')}".lower() == "oauth2" for one in told):
        return {"auth": 'auth = { kind = "bearer" }', "auth_sure": False}
    return {}


def _shape(text: dict[str, Any], base: str, path: str, item: Any) -> Shape | None:
    asked = item.get("get") if isinstance(item, dict) else None
    if not isinstance(asked, dict) or path.rstrip("/").endswith("}"):
        return None  # the address of one thing, or nothing to ask for
    response, schema = _answer(text, asked)
    if not schema:
        return None
    said: dict[str, str] = {}
    answer = _example(text, schema, 0, said)
    shape = Shape(
        base + _renamed(path),
        answer,
        dict(_params(text, item, asked)),
        tuple(f"{name}".lower() for name in _table(response.get("headers"))),
        said=said,
        is_invented=True,
    )
    if isinstance(answer, dict) and "id" in answer and shape.where.partition(".")[0].lower() not in ROWS:
        return None  # one thing, which holds a list
    one = next((other for other in text["paths"] if _is_one_of(path, other)), None)
    if one and isinstance(text["paths"][one], dict) and "get" in text["paths"][one]:
        shape.probe = shape.path.rstrip("/") + "/{id}"
    return shape if shape.flat and (isinstance(answer, list) or shape.where) else None


def _is_one_of(path: str, other: str) -> bool:
    return bool(re.fullmatch(re.escape(path.rstrip("/")) + r"/\{[^}/]+\}/?", other))


def _renamed(path: str) -> str:
    """Return a path whose variables have names that a mapping may give them."""
    taken = list[str]()

    def name(match: re.Match[str]) -> str:
        told = re.sub(r"\W", "_", match[1])
        if told in OWN or told in taken:
            before = path[: match.start()].rstrip("/").rsplit("/", 1)[-1]
            told = re.sub(r"\W", "_", re.sub(r"s$", "", before)) + "_id"
        taken.append(told)
        return f"{{{told}}}"

    return _VARIABLE.sub(name, path)


def _params(text: dict[str, Any], item: dict[str, Any], asked: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the parameters of a question, with what is said of each."""
    for one in [*_items(item.get("parameters")), *_items(asked.get("parameters"))]:
        told = _resolved(text, one)
        if told.get("in") == "query" and told.get("name"):
            yield f"{told['name']}", told | _resolved(text, told.get("schema"))


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


def _answer(text: dict[str, Any], asked: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the response that a question gets when all is well, and the schema of what it holds."""
    answers = _table(asked.get("responses"))
    response = _resolved(text, answers.get("200") or answers.get("2XX") or answers.get("default"))
    if "schema" in response:
        return response, _resolved(text, response["schema"])
    content = _table(response.get("content"))
    told = next((one for kind, one in content.items() if "json" in kind or kind == "*/*"), None)
    if not isinstance(told, dict):
        return response, {}
    if not told.get("schema") and "example" in told:
        return response, {"example": told["example"]}
    return response, _resolved(text, told.get("schema"))


def _example(text: dict[str, Any], schema: Any, depth: int, said: dict[str, str], name: str = "") -> Any:
    """Return a value of a schema: its example, or one of its type; *said* gets what describes each name."""
    schema = _resolved(text, schema)
    if depth > _DEPTH:
        return None
    if name and isinstance(schema.get("description"), str):
        said.setdefault(name, schema["description"])
    told: dict[str, Any] = {}
    for part in _items(schema.get("allOf")):
        inner = _example(text, part, depth + 1, said)
        if isinstance(inner, list) and len(schema["allOf"]) == 1:
            return inner
        told |= inner if isinstance(inner, dict) else {}
    if isinstance(schema.get("properties"), dict):
        told |= {
            one: _example(text, inner, depth + 1, said, one) for one, inner in schema["properties"].items()
        }
    if told:
        return told
    kind = schema.get("type")
    kind = next((one for one in kind if one != "null"), None) if isinstance(kind, list) else kind
    if kind == "array" or "items" in schema:
        example = schema.get("example")
        if isinstance(example, list) and example and not schema.get("items"):
            return example
        inner = _example(text, schema.get("items"), depth + 1, said)
        return [] if inner is None else [inner]
    for several in ("oneOf", "anyOf"):
        for part in _items(schema.get(several)):
            if (inner := _example(text, part, depth + 1, said, name)) is not None:
                return inner
    if "example" in schema:
        return schema["example"]
    if kind == "null":
        return None
    return {"integer": 1, "number": 1, "boolean": True}.get(f"{kind}", "text")

"""What a mapping asks and what its sample answers, held against the public schema of the tool.

OpenAPI 3, Swagger 2, the schema language of GraphQL, and the metadata of OData 2. A sample may leave out what
a schema has; what the schema does not have, or has of another type, is a problem.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote
from xml.etree import ElementTree

from hub.testing.kit import Request, Response

_METHODS = frozenset({"get", "post"})
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


class OpenApi:
    """The operations of an API as its specification has them.

    *prefix* stands before the paths asked for, *base* before those of the specification, where it does not
    say so itself; *wrapped* is the name in which lists are answered that it has bare.
    """

    def __init__(self, path: Path, *, prefix: str = "", base: str = "", wrapped: str = "") -> None:
        """Read the specification."""
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix == ".json":
            self.spec = json.loads(text)
        else:
            yaml: Any = importlib.import_module("yaml")

            loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
            self.spec = yaml.load(text, Loader=loader)
        self.prefix, self.wrapped = prefix, wrapped
        self.base = base or self.spec.get("basePath", "").rstrip("/")
        if servers := self.spec.get("servers"):
            self.base = base or re.sub(r"^\w+://[^/]*", "", servers[0]["url"]).rstrip("/")
        # the path with the fewest variables is the one that is meant
        self.paths = sorted(self.spec["paths"], key=lambda one: (one.count("{"), -len(one)))

    def problems(self, request: Request, answer: Response) -> list[str]:
        """Return what the specification does not know of a request and of its answer."""
        found = self._operation(request)
        if found is None:
            return [f"{request.method} {request.path}: there is no such operation"]
        path, item, operation = found
        asked = f"{request.method} {path}"
        told = [f"{asked}: {one}" for one in self._asked(item, operation, request)]
        if answer.status == 200 and (schema := self._answered(operation)) is not None:
            body = answer.body
            if self.wrapped and isinstance(body, dict) and self._merged(schema).get("type") == "array":
                body = body.get(self.wrapped)
            told += [f"{asked} answers {one}" for one in self._fits(schema, body, "")]
        return told

    def _operation(self, request: Request) -> tuple[str, Any, Any] | None:
        asked = self.prefix + request.path
        for path in self.paths:
            pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path))
            item = self.spec["paths"][path]
            if re.fullmatch(f"(?:{re.escape(self.base)})?{pattern}", asked) and (
                operation := item.get(request.method.lower())
            ):
                return path, item, operation
        return None

    def _asked(self, item: Any, operation: Any, request: Request) -> Iterator[str]:
        told = (*item.get("parameters", ()), *operation.get("parameters", ()))
        # some write the parameters of a question as those of a form
        places = {"query"} if request.method == "POST" else {"query", "formData"}
        known = {one["name"].removesuffix("[]"): one for one in map(self._at, told) if one["in"] in places}
        for name, value in request.query.items():
            if name == "next_from":  # the simulator's own word for where its next page begins
                continue
            if name not in known:
                yield f"there is no parameter {name}"
                continue
            schema = known[name].get("schema", known[name])
            yield from self._fits(schema, self._parsed(schema, value), f"parameter {name}")
        for name, one in known.items():
            if one.get("required") and one["in"] == "query" and name not in request.query:
                yield f"the parameter {name} is lacking"
        if request.body and (schema := self._body(operation)) is not None:
            yield from self._fits(schema, json.loads(request.body), "body")

    def _parsed(self, schema: Any, text: str) -> Any:
        """Return what a parameter is that is written as a text."""
        schema = self._at(schema)
        kinds = {
            self._at(one).get("type") for one in (schema, *schema.get("oneOf", ()), *schema.get("anyOf", ()))
        }
        if "array" in kinds:
            return [self._parsed(schema.get("items", {}), one) for one in text.split(",")]
        if "enum" in schema and all(one in schema["enum"] for one in text.split(",")):
            return text.split(",", maxsplit=1)[0]
        if kinds & {"integer", "number", "boolean"}:
            try:
                return json.loads(text)
            except ValueError:
                return text
        return text

    def _body(self, operation: Any) -> Any:
        for one in map(self._at, operation.get("parameters", ())):
            if one["in"] == "body":
                return one["schema"]
        content = self._at(operation.get("requestBody", {})).get("content", {})
        return next((one.get("schema") for name, one in content.items() if "json" in name), None)

    def _answered(self, operation: Any) -> Any:
        responses = operation.get("responses", {})
        answer = self._at(responses.get("200", responses.get(200, responses.get("default", {}))))
        if "schema" in answer:
            return answer["schema"]
        content = answer.get("content", {})
        told = (one.get("schema") for name, one in content.items() if "json" in name or name == "*/*")
        return next(told, None)

    def _at(self, node: Any) -> Any:
        """Return what a reference names."""
        while isinstance(node, dict) and "$ref" in node:
            target = self.spec
            for step in node["$ref"].removeprefix("#/").split("/"):
                name = unquote(step).replace("~1", "/").replace("~0", "~")
                target = target[int(name) if isinstance(target, list) else name]
            node = target
        return node if isinstance(node, dict) else {}

    def _merged(self, schema: Any) -> dict[str, Any]:
        """Return a schema with all of which it is made."""
        schema = self._at(schema)
        if "allOf" not in schema:
            return schema  # type: ignore[no-any-return]
        made: dict[str, Any] = {}
        for part in (*map(self._merged, schema["allOf"]), {k: v for k, v in schema.items() if k != "allOf"}):
            made = {**made, **part, "properties": made.get("properties", {}) | part.get("properties", {})}
        return made

    def _fits(self, schema: Any, value: Any, where: str) -> list[str]:
        schema = self._merged(schema)
        for word in ("oneOf", "anyOf"):
            if word in schema:
                rest = {key: one for key, one in schema.items() if key not in {"oneOf", "anyOf"}}
                ways = [self._fits({"allOf": [rest, one]}, value, where) for one in schema[word]]
                return min(ways, key=len)
        kinds = schema.get("type")
        kinds = kinds if isinstance(kinds, list) else [kinds] if kinds else []
        if not kinds and "properties" in schema:
            kinds = ["object"]
        if value is None:
            said = schema.get("nullable") or "null" in kinds or not kinds or None in schema.get("enum", ())
            return [] if said or "swagger" in self.spec else [f"{where or 'it'} is null, which it may not be"]
        if kinds and not any(self._is(kind, value) for kind in kinds):
            return [f"{where or 'it'} is {json.dumps(value)[:60]}, and should be {' or '.join(kinds)}"]
        if "enum" in schema and value not in schema["enum"]:
            return [f"{where or 'it'} is {value!r}, and should be one of {schema['enum'][:12]}"]
        if isinstance(value, str) and (wrong := _date(schema.get("format"), value)):
            return [f"{where or 'it'} is {value!r}, and should be {wrong}"]
        if isinstance(value, list):
            found: dict[str, str] = {}
            for item in value[:40]:
                for one in self._fits(schema.get("items", {}), item, f"{where}[]"):
                    found.setdefault(one.split(" ")[0], one)
            return list(found.values())
        return self._parts(schema, value, where) if isinstance(value, dict) else []

    def _parts(self, schema: Any, value: dict[str, Any], where: str) -> list[str]:
        told: list[str] = []
        known, more = schema.get("properties", {}), schema.get("additionalProperties")
        for name, one in value.items():
            if name in known:
                told += self._fits(known[name], one, f"{where}.{name}".lstrip("."))
            elif isinstance(more, dict):
                told += self._fits(more, one, f"{where}.{name}".lstrip("."))
            elif known and more is not True:
                told.append(f"{where or 'it'} has {name}, which is not known")
        return told

    @staticmethod
    def _is(kind: str, value: Any) -> bool:
        if isinstance(value, bool):
            return kind == "boolean"
        return isinstance(value, _TYPES.get(kind, (object,)))


def _date(form: str | None, value: str) -> str:
    """Return what a text should be that is no day or instant as its format says."""
    read = {"date": date.fromisoformat, "date-time": datetime.fromisoformat}.get(form or "")
    if read is None:
        return ""
    try:
        read(value)
    except ValueError:
        return f"a {form}"
    return "" if form == "date" or "T" in value else "a date-time"


class Edmx:
    """A service of OData 2 as its metadata have it: the sets that are read, and what their rows have."""

    _FORMS: ClassVar[dict[str, str]] = {
        "Edm.DateTime": r"/Date\(-?\d+\)/",
        "Edm.DateTimeOffset": r"/Date\(-?\d+\+0000\)/",
        "Edm.Guid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "Edm.Decimal": r"-?\d+(\.\d+)?",
        "Edm.String": r"(?s).*",
    }

    def __init__(self, path: Path) -> None:
        """Read the metadata."""
        root = ElementTree.parse(path).getroot()  # noqa: S314 - of the vendor, fetched by whoever runs this
        self.types: dict[str, dict[str, dict[str, str]]] = {}
        for kind in ("EntityType", "ComplexType"):
            for node in root.iter():
                if node.tag.endswith("}" + kind):
                    self.types[node.attrib["Name"]] = {
                        one.attrib["Name"]: {
                            name.rpartition("}")[2]: said for name, said in one.attrib.items()
                        }
                        for one in node
                        if one.tag.endswith("}Property")
                    }
        self.sets = {
            node.attrib["Name"]: node.attrib["EntityType"].rpartition(".")[2]
            for node in root.iter()
            if node.tag.endswith("}EntitySet")
        }
        self.service = next(node.attrib["Namespace"] for node in root.iter() if node.tag.endswith("}Schema"))

    def problems(self, request: Request, answer: Response) -> list[str]:
        """Return what the metadata do not know of a question and of its answer; another service's is none."""
        if f"/{self.service}" not in request.path:
            return []
        name = request.path.rpartition("/")[2]
        if name not in self.sets:
            return [f"{name}: there is no such set"]
        known, said = self.types[self.sets[name]], []
        for option, text in request.query.items():
            match option:
                case "$top" | "$skip":
                    named = [] if text.isdigit() else [text]
                case "$inlinecount":
                    named = [] if text == "allpages" else [text]
                case "$select" | "$orderby":
                    named = [one for one in text.split(",") if one not in known]
                case "$filter":
                    one = text.split()[0]
                    named = [text] if known.get(one, {}).get("filterable", "true") != "true" else []
                    named += [] if one in known else [one]
                case _:
                    named = [option]
            said += [f"{name} is asked for by {option} with {one}" for one in named]
        body = answer.body if isinstance(answer.body, dict) else {}
        for row in body.get("d", {}).get("results", [])[:40]:
            said += [f"{name} answers {one}" for one in self._fits(known, row)]
        return list(dict.fromkeys(said))

    def _fits(self, known: dict[str, dict[str, str]], row: dict[str, Any]) -> Iterator[str]:
        for name, value in row.items():
            if name == "__metadata":
                continue
            if name not in known:
                yield f"{name}, which is not known"
                continue
            kind = known[name]["Type"]
            if not kind.startswith("Edm."):
                yield from self._fits(self.types[kind.rpartition(".")[2]], value)
            elif value is None:
                if known[name].get("Nullable") == "false":
                    yield f"{name} is null, which it may not be"
            elif kind == "Edm.Boolean":
                if not isinstance(value, bool):
                    yield f"{name} is {value!r}, and should be a boolean"
            elif not isinstance(value, str) or not re.fullmatch(self._FORMS[kind], value):
                yield f"{name} is {value!r}, and should be {kind}"
            elif kind == "Edm.String" and len(value) > int(known[name].get("MaxLength", len(value))):
                yield f"{name} is {value!r}, which is too long"


class GraphQl:
    """The types of an API as its schema has them."""

    def __init__(self, path: Path) -> None:
        """Read the schema."""
        self.graphql: Any = importlib.import_module("graphql")
        self.schema = self.graphql.build_schema(path.read_text(encoding="utf-8"), assume_valid=True)

    def problems(self, request: Request, answer: Response) -> list[str]:
        """Return what the schema does not know of a query, of its variables and of its answer."""
        asked = json.loads(request.body or "{}")
        document = self.graphql.parse(asked["query"])
        if wrong := self.graphql.validate(self.schema, document):
            return [f"{one.message} in {asked['query'][:60]}…" for one in wrong]
        body = answer.body if isinstance(answer.body, dict) else {}
        done = self.graphql.execute_sync(
            self.schema,
            document,
            root_value=body.get("data"),
            variable_values=asked.get("variables"),
            # of several kinds of thing, a sample means any that has what was asked for
            type_resolver=lambda value, info, kind: info.schema.get_possible_types(kind)[0].name,
        )
        told = [f"{one.message} at {'.'.join(map(str, one.path or ()))}" for one in done.errors or ()]
        if not told and not _is_in(body.get("data"), done.data):
            told.append("the answer has other things than were asked for")
        return told


def _is_in(value: Any, done: Any) -> bool:
    """Say whether all that stands in an answer came out of the query: what is null may be left out of it."""
    if isinstance(value, dict):
        return isinstance(done, dict) and all(_is_in(one, done.get(name)) for name, one in value.items())
    if isinstance(value, list):
        return (
            isinstance(done, list)
            and len(value) == len(done)
            and all(_is_in(one, other) for one, other in zip(value, done, strict=True))
        )
    return bool(value == done)

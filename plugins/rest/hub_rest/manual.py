"""The manual of the language: each key with its meaning and an example, and what is refused."""

from __future__ import annotations

import ast
import inspect
import json
import tomllib
from collections.abc import Iterator
from importlib import resources
from typing import Any

from hub_rest import checking
from hub_rest.mapping import shipped
from hub_rest.schema import mapping_schema

PARTS = {
    "Mapping": "at the top",
    "Auth": "`auth`",
    "Wanted": "`[[list]]`",
    "Paging": "`paging` of a list",
    "Cursor": "`cursor` of a list",
    "Deletes": "`deletes` of a list",
    "Each": "`each` of a list",
    "Made": "`[[list.record]]`",
    "Field": "a field of a record",
    "Case": "one of the `cases` of a field",
}
"""The tables of a mapping, and where they stand."""
EXAMPLES: dict[tuple[str, str], Any] = {
    ("Auth", "scope"): "read:reports",
    ("Wanted", "encoding"): "form",
    ("Wanted", "children"): "subtasks",
    ("Wanted", "sweep_hours"): 168,
    ("Deletes", "field"): "is_deleted",
    ("Field", "format"): "%d/%m/%Y",
    ("Field", "table"): "register_item",
}
"""What none of the mappings that come with it needs."""
_WIDTH = 70
_TABLES = frozenset({"list", "record", "fields", "paging", "cursor", "deletes", "each", "auth"})
"""Keys whose value is a table of its own."""


def keys() -> Iterator[tuple[str, list[str], str, list[str]]]:
    """Return of each table its keys that mean something together, what they mean, and an example of each."""
    parts, used = mapping_schema()["$defs"], _used()
    for part, place in PARTS.items():
        found: dict[str, list[str]] = {}
        for name, one in parts[part]["properties"].items():
            found.setdefault(one.get("description", ""), []).append(name)
        for meaning, names in found.items():
            examples = [_written(name, used[part, name]) for name in names if (part, name) in used]
            yield place, names, meaning, examples


def refused() -> list[str]:
    """Return what is said of a mapping that is not taken, with its place and values left open."""
    said = [
        str(node.args[0].value)
        for node in ast.walk(ast.parse(inspect.getsource(checking)))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "tr"
        and isinstance(node.args[0], ast.Constant)
    ]
    begins = ("{place}: ", "{where}: ", "{where} [auth]: ")
    cut = [one.removeprefix(begin) for one in said for begin in begins if one.startswith(begin)]
    return sorted(
        dict.fromkeys(
            one.replace("{{", "{").replace("}}", "}").replace("{{unknown}}", "{unknown}") for one in cut
        )
    )


def _used() -> dict[tuple[str, str], Any]:
    """Return the shortest example of each key in the mappings that come with it."""
    found: dict[tuple[str, str], Any] = dict(EXAMPLES)

    def note(part: str, table: dict[str, Any]) -> None:
        for name, value in table.items():
            if name in _TABLES and isinstance(value, dict | list):
                continue
            if (part, name) not in found or len(f"{value}") < len(f"{found[part, name]}"):
                found[part, name] = value

    for name in shipped():
        text = resources.files("hub_rest.mappings").joinpath(f"{name}.toml").read_text(encoding="utf-8")
        mapping = tomllib.loads(text)
        note("Mapping", mapping)
        note("Auth", mapping.get("auth", {}))
        for one in mapping["list"]:
            note("Wanted", one)
            for part, key in (
                ("Paging", "paging"),
                ("Cursor", "cursor"),
                ("Deletes", "deletes"),
                ("Each", "each"),
            ):
                note(part, one.get(key, {}))
            for made in one.get("record", []):
                note("Made", made)
                for field in made["fields"].values():
                    if isinstance(field, dict):
                        note("Field", field)
                        for case in field.get("cases", []):
                            note("Case", case)
    return found


def _written(name: str, value: Any) -> str:
    """Return a key and its value as TOML has them."""
    text = f"{name} = {_toml(value)}"
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]}…"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_toml(one)}" for name, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)

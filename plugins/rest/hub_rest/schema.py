"""The JSON Schema of a mapping, for editors."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from hub import BY_TABLE, columns_of
from hub_rest.mapping import (
    TABLES,
    Auth,
    Case,
    Cursor,
    Deletes,
    Each,
    Field,
    Made,
    Mapping,
    Paging,
    Wanted,
    required,
)

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_STRUCTS = (Auth, Case, Cursor, Deletes, Each, Field, Made, Mapping, Paging, Wanted)


def mapping_schema() -> dict[str, Any]:
    """Return the schema: what each key means, and for each record the fields that it may have."""
    (top,), parts = msgspec.json.schema_components((Mapping,), ref_template="#/$defs/{name}")
    for struct in _STRUCTS:
        told = _meanings(struct.__doc__ or "")
        for name, one in parts[struct.__name__].get("properties", {}).items():
            if name in told:
                one["description"] = told[name]
    made = parts["Made"]
    made["properties"]["table"] = {"enum": list(TABLES), "description": "The record that a row becomes."}
    made["allOf"] = [
        {
            "if": {"properties": {"table": {"const": table}}},
            "then": {"properties": {"fields": _fields(table)}},
        }
        for table in TABLES
    ]
    return {"$schema": _DRAFT, "title": "A mapping of pm-hub's source rest", **top, "$defs": parts}


def _fields(table: str) -> dict[str, Any]:
    cls = BY_TABLE[table]
    field = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Field"}]}
    kinds = {name: column.kind for name, column in columns_of(cls).items()}
    return {
        "properties": {
            name: field | {"description": kinds[name]} for name in cls.__struct_fields__ if name in kinds
        },
        "required": list(required(cls)),
        "additionalProperties": False,
    }


def _meanings(text: str) -> dict[str, str]:
    """Return the sentences of a docstring by the names that they tell of first."""
    found: dict[str, str] = {}
    for sentence in re.split(r"(?<=\.)\s+", " ".join(text.split())):
        for name in re.findall(r"\*(\w+)\*", sentence):
            found.setdefault(name, re.sub(r"\*(\w+)\*|``", lambda match: match[1] or "", sentence).strip())
    return found

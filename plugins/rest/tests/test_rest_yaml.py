"""An OpenAPI description in YAML says what it says in JSON, and harms nobody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hub_rest.command import suggestion
from hub_rest.yamls import read_yaml

from hub import ConfigError

DESK = """\
openapi: 3.0.3
info: {title: Desk, version: 2026-01-01}
servers:
  - url: https://desk.example.org/api
x-page: &page {name: page, in: query, schema: {type: integer}}
x-base: &base
  id: {type: integer}
  name: &text {type: string, example: on}
paths:
  /projects:
    get:
      parameters: [*page]
      responses:
        200:
          description: >-
            all of
            them
          content:
            application/json:
              schema: {type: array, items: {properties: *base}}
  /projects/{id}/tasks:
    get:
      parameters:
        - *page
      responses:
        '200':
          content:
            application/json:
              schema:
                type: array
                items:
                  properties:
                    <<: *base
                    title: *text
                    done: {type: boolean, example: no}
                    due_on: {type: string, format: date, example: 2026-12-31}
        404: {description: none}
"""
TEXT: dict[str, Any] = {"type": "string", "example": "on"}
PAGE = {"name": "page", "in": "query", "schema": {"type": "integer"}}


def listed(**more: Any) -> dict[str, Any]:
    rows = {"id": {"type": "integer"}, "name": TEXT} | more
    return {"application/json": {"schema": {"type": "array", "items": {"properties": rows}}}}


TASK = {
    "title": TEXT, "done": {"type": "boolean", "example": "no"},
    "due_on": {"type": "string", "format": "date", "example": "2026-12-31"},
}  # fmt: skip
SAME: dict[str, Any] = {
    "openapi": "3.0.3", "info": {"title": "Desk", "version": "2026-01-01"},
    "servers": [{"url": "https://desk.example.org/api"}],
    "x-page": PAGE, "x-base": {"id": {"type": "integer"}, "name": TEXT},
    "paths": {
        "/projects": {"get": {"parameters": [PAGE], "responses": {
            "200": {"description": "all of them", "content": listed()}}}},
        "/projects/{id}/tasks": {"get": {"parameters": [PAGE], "responses": {
            "200": {"content": listed(**TASK)}, "404": {"description": "none"}}}},
    },
}  # fmt: skip
LAUGHS = "a: &a [1,2,3,4,5,6,7,8,9]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)
)


def suggested(folder: Path, name: str, content: str | bytes) -> str:
    raw = content if isinstance(content, bytes) else content.encode()
    (folder / name).write_bytes(raw)
    return suggestion(str(folder / name), title=None, headers=(), only=None)


def test_yaml_says_what_json_says(tmp_path: Path) -> None:
    """Days, on and no are texts, a name 200 is one, anchors and << bring what they stand for."""
    assert SAME == read_yaml(DESK, "desk.yaml")
    wanted = suggested(tmp_path, "desk.json", json.dumps(SAME))
    assert 'path = "/api/projects/{project_id}/tasks"' in wanted
    for name, raw in (
        ("desk.yaml", DESK.encode()),
        ("desk.yml", DESK.encode("utf-16")),
        ("desk", DESK.encode()),
    ):
        assert wanted == suggested(tmp_path, name, raw)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[1, -2, 0o17, 0x1F, 1e3, .5, 1.]", [1, -2, 15, 31, 1000.0, 0.5, 1.0]),
        ("[~, null, '', , true, FALSE]".replace(" ,", ""), [None, None, "", True, False]),
        ("[yes, off, 12:30:45, 1_000]", ["yes", "off", "12:30:45", "1_000"]),
        ("[.inf, '1', \"true\"]", [".inf", "1", "true"]),
        ("b: !!str 5\nc: !!timestamp 2026-01-01", {"b": "5", "c": "2026-01-01"}),
        ("&a {x: 1, y: 2}\n", {"x": 1, "y": 2}),
        ("a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: {<<: [*a, *b], z: 3}", {
            "a": {"x": 1}, "b": {"x": 2, "y": 2}, "c": {"x": 1, "y": 2, "z": 3}}),
        ("", None),
    ],
)  # fmt: skip
def test_values_by_the_core_schema(text: str, value: Any) -> None:
    """As the core schema of YAML 1.2 says, chapter 10.3; of several `<<` the first goes before."""
    assert value == read_yaml(text, "a.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LAUGHS, "unpacks to more than"),
        (LAUGHS.replace("[*", "\n  <<: [*").replace("[1,2,3,4,5,6,7,8,9]", "{x: 1}"), "unpacks to more than"),
        ("a: &a [*a]", "stands for nothing, or for what it is in"),
        ("[" * 100_000, "is nested more than 200 deep"),
        ("a: !!python/object/apply:os.system ['true']", "python/object/apply:os.system is no value"),
        ("a: !!python/name:os.system ''", "python/name:os.system is no value"),
        ("a: !!binary aGk=", "binary is no value"),
        ("? [a]\n: 1", "is no value that JSON has"),
        ("a: 1\n---\nb: 2", "several documents"),
        ("a: b: c", "mapping values are not allowed"),
        ("a: \x00", "neither JSON nor YAML"),
    ],
    ids=["laughs", "merged", "itself", "deep", "call", "name", "bytes", "list as name", "two", "odd", "nul"],
)  # fmt: skip
def test_what_a_file_may_not_be(text: str, said: str) -> None:
    """Each is a sentence: what it would unpack to is counted and not made."""
    with pytest.raises(ConfigError, match=said):
        read_yaml(text, "a.yaml")


@pytest.mark.parametrize(
    ("name", "raw", "said"),
    [
        ("a.json", b"{'a': 1}", "is no JSON"),
        ("a.yaml", b"\xff\xfe\x00", "neither JSON nor YAML"),
        ("a.yaml", b"just a text", "holds no list of objects"),
        ("a.yaml", b"<html>", "is no JSON"),
    ],
)
def test_files_that_say_nothing(tmp_path: Path, name: str, raw: bytes, said: str) -> None:
    """They are told apart by what they begin with, or by their name."""
    with pytest.raises(ConfigError, match=said):
        suggested(tmp_path, name, raw)

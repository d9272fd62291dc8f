"""The small grammar that says which tasks of a container feed a project: ``type = Bug and not labels in (ops, infra)``.

::

    filter  = either { "or" either }         either = both { "and" both }      both = "not" both | "(" filter ")" | test
    test    = field ("=" | "!=") value       |  field ["not"] "in" "(" value { "," value } ")"

Fields are ``type``, ``labels``, ``component``, ``iteration``, ``status``, ``nature``, ``priority``, ``kind``, ``code``, ``assignee``;
any other name is a custom field. A name or value with blanks stands between double quotes. Case does not matter.
"""

from __future__ import annotations

import re

import msgspec

from hub.errors import ConfigError

_TOKEN = re.compile(r'\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<sign>!=|=|\(|\)|,)|(?P<word>[^\s"=!(),]+))')
_COLUMNS = {
    "type": "t.type_raw", "status": "t.status_raw", "nature": "t.nature", "priority": "t.priority_raw", "kind": "t.kind",
    "code": "t.code",
}  # fmt: skip
KNOWN = (*_COLUMNS, "labels", "component", "iteration", "assignee")


class Condition(msgspec.Struct, frozen=True):
    """A filter as SQL on the row ``t`` of ``task`` with its *parameters*; *terms* counts its tests: more is more specific."""

    sql: str
    parameters: tuple[str, ...]
    terms: int


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, str]] = []
        place = 0
        while place < len(text.rstrip()):
            match = _TOKEN.match(text, place)
            if match is None:
                raise ConfigError(
                    f"the filter {text!r} cannot be understood at {text[place:].strip()[:20]!r}"
                )
            kind = match.lastgroup or ""
            value = match.group(kind)
            self.tokens.append((kind, re.sub(r"\\(.)", r"\1", value[1:-1]) if kind == "quoted" else value))
            place = match.end()
        self.place = 0
        self.parameters: list[str] = []
        self.terms = 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.place] if self.place < len(self.tokens) else ("end", "")

    def take(self) -> tuple[str, str]:
        found = self.peek()
        self.place += 1
        return found

    def word(self, *words: str) -> bool:
        kind, value = self.peek()
        if kind == "word" and value.lower() in words:
            self.place += 1
            return True
        return False

    def sign(self, sign: str) -> bool:
        if self.peek() == ("sign", sign):
            self.place += 1
            return True
        return False

    def fail(self, wanted: str) -> ConfigError:
        _, value = self.peek()
        return ConfigError(
            f"the filter {self.text!r} needs {wanted} {f'before {value!r}' if value else 'at its end'}"
        )

    def either(self) -> str:
        parts = [self.both()]
        while self.word("or"):
            parts.append(self.both())
        return f"({' OR '.join(parts)})" if len(parts) > 1 else parts[0]

    def both(self) -> str:
        parts = [self.one()]
        while self.word("and"):
            parts.append(self.one())
        return f"({' AND '.join(parts)})" if len(parts) > 1 else parts[0]

    def one(self) -> str:
        if self.word("not"):
            return f"NOT {self.one()}"
        if self.sign("("):
            inside = self.either()
            if not self.sign(")"):
                raise self.fail("a )")
            return inside
        return self.test()

    def name(self, wanted: str) -> str:
        kind, value = self.peek()
        if kind not in {"word", "quoted"} or (kind == "word" and value.lower() in {"and", "or", "not", "in"}):
            raise self.fail(wanted)
        self.place += 1
        return value

    def test(self) -> str:
        field = self.name("a field")
        negated = self.word("not")
        if self.word("in"):
            if not self.sign("("):
                raise self.fail("a ( after in")
            values = [self.name("a value")]
            while self.sign(","):
                values.append(self.name("a value"))
            if not self.sign(")"):
                raise self.fail("a )")
        elif not negated and self.sign("="):
            values = [self.name("a value")]
        elif not negated and self.sign("!="):
            negated, values = True, [self.name("a value")]
        else:
            raise self.fail("=, != or in")
        self.terms += 1
        sql = self.compare(field, values)
        return f"NOT {sql}" if negated else sql

    def compare(self, field: str, values: list[str]) -> str:
        marks = ", ".join("lower(?)" for _ in values)
        known = field.lower()
        if known in _COLUMNS:
            self.parameters += values
            return f"coalesce(lower({_COLUMNS[known]}) IN ({marks}), false)"
        if known == "labels":
            self.parameters += values
            return f"coalesce(list_has_any(str_split(lower(t.labels), ' '), [{marks}]), false)"
        if known == "iteration":
            self.parameters += values
            return f"EXISTS (SELECT 1 FROM iteration i WHERE i.id = t.iteration_id AND lower(i.name) IN ({marks}))"
        if known == "assignee":
            self.parameters += [*values, *values]
            return (
                f"EXISTS (SELECT 1 FROM account a WHERE a.id = t.assignee_id AND (lower(a.email) IN ({marks}) "
                f"OR lower(a.display_name) IN ({marks})))"
            )
        self.parameters += ["components" if known == "component" else field, *values]
        return (
            "EXISTS (SELECT 1 FROM custom_value v WHERE v.row_id = t.id AND v.counted AND lower(v.field) = lower(?) "
            f"AND list_has_any(str_split(lower(coalesce(v.text, v.number::VARCHAR, v.day)), ', '), [{marks}]))"
        )


def parse(text: str) -> Condition:
    """Read a filter; the empty one takes every task. Raises `ConfigError` that says where it stops making sense."""
    if not text.strip():
        return Condition("true", (), 0)
    parser = _Parser(text)
    sql = parser.either()
    if parser.peek()[0] != "end":
        raise parser.fail("and, or, or nothing more")
    return Condition(sql, tuple(parser.parameters), parser.terms)

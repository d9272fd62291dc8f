"""The small grammar that says which tasks of a container feed a project.

``type = Bug and not labels in (ops, infra)`` is such a filter::

    filter  = either { "or" either }         either = both { "and" both }
    both    = "not" both | "(" filter ")" | test
    test    = field ("=" | "!=") value       |  field ["not"] "in" "(" value { "," value } ")"

Fields are ``type``, ``labels``, ``component``, ``iteration``, ``status``, ``nature``, ``priority``, ``kind``,
``code``, ``assignee``; any other name is a field of fields.csv, or one of the tool. A name or value with
blanks stands between double quotes. Case does not matter, of accented letters neither.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from hub.errors import ConfigError
from hub.placement.presence import here
from hub.words import tr

_TOKEN = re.compile(r'\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<sign>!=|=|\(|\)|,)|(?P<word>[^\s"=!(),]+))')
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_COLUMNS = {
    "type": "t.type_raw", "status": "t.status_raw", "nature": "t.nature", "priority": "t.priority_raw",
    "kind": "t.kind", "code": "t.code",
}  # fmt: skip
KNOWN = (*_COLUMNS, "labels", "component", "iteration", "assignee")


class Condition(msgspec.Struct, frozen=True):
    """A filter as SQL on the row ``t`` of ``task``, with its *parameters*.

    *terms* counts its tests: more is more specific. SQLite, DuckDB and PostgreSQL give the same rows for it.
    """

    sql: str
    parameters: tuple[str | float, ...]
    terms: int


def fold(text: str | None) -> str | None:
    """Return *text* in lower case, letter by letter, as DuckDB's ``lower``: SQLite's own knows no accents."""
    if text is None or text.isascii():
        return text.lower() if text else text
    # of all letters only İ becomes two, and only Σ looks at what stands before it
    return "".join("i" if letter == "İ" else letter.lower() for letter in text)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, str]] = []
        place = 0
        while place < len(text.rstrip()):
            match = _TOKEN.match(text, place)
            if match is None:
                raise ConfigError(
                    tr(
                        "the filter {text!r} cannot be understood at {rest!r}",
                        text=text,
                        rest=text[place:].strip()[:20],
                    )
                )
            kind = match.lastgroup or ""
            value = match.group(kind)
            self.tokens.append((kind, re.sub(r"\\(.)", r"\1", value[1:-1]) if kind == "quoted" else value))
            place = match.end()
        self.place = 0
        self.parameters: list[str | float] = []
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
            tr(
                "the filter {text!r} needs {wanted} before {value!r}"
                if value
                else "the filter {text!r} needs {wanted} at its end",
                text=self.text,
                wanted=wanted,
                value=value,
            )
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
                raise self.fail(tr("a )"))
            return inside
        return self.test()

    def name(self, wanted: str) -> str:
        kind, value = self.peek()
        if kind not in {"word", "quoted"} or (kind == "word" and value.lower() in {"and", "or", "not", "in"}):
            raise self.fail(wanted)
        self.place += 1
        return value

    def test(self) -> str:
        field = self.name(tr("a field"))
        negated = self.word("not")
        if self.word("in"):
            if not self.sign("("):
                raise self.fail(tr("a ( after in"))
            values = [self.name(tr("a value"))]
            while self.sign(","):
                values.append(self.name(tr("a value")))
            if not self.sign(")"):
                raise self.fail(tr("a )"))
        elif not negated and self.sign("="):
            values = [self.name(tr("a value"))]
        elif not negated and self.sign("!="):
            negated, values = True, [self.name(tr("a value"))]
        else:
            raise self.fail(tr("=, != or in"))
        self.terms += 1
        sql = self.compare(field, values)
        return f"NOT {sql}" if negated else sql

    def compare(self, field: str, values: list[str]) -> str:
        known, wanted = field.lower(), [fold(value) or "" for value in values]
        if known in _COLUMNS:
            return f"coalesce({self.one_of(f'fold({_COLUMNS[known]})', wanted)}, false)"
        if known == "labels":
            marked = [one.replace(" ", "\u00a0") for one in wanted]  # as a blank inside a label is kept
            return f"coalesce({self.holds('t.labels', ' ', marked)}, false)"
        if known == "iteration":
            found = f"SELECT i.id FROM iteration i WHERE {self.one_of('fold(i.name)', wanted)}"
            return f"coalesce(t.iteration_id IN ({found}), false)"
        if known == "assignee":
            named = " OR ".join(self.one_of(f"fold(a.{name})", wanted) for name in ("email", "display_name"))
            return f"coalesce(t.assignee_id IN (SELECT a.id FROM account a WHERE {named}), false)"
        native = fold("components" if known == "component" else field) or ""
        field_is = self.one_of("fold(v.field)", [native])
        # a name of fields.csv stands for what each tool calls it
        self.parameters.append(native)
        field_is = (
            f"({field_is} OR EXISTS (SELECT 1 FROM site_field s WHERE {here('s.presence')} "
            "AND s.source = v.source_id AND fold(s.native) = fold(v.field) AND fold(s.field) = ?))"
        )
        value_is = [
            self.holds("v.text", ", ", wanted),
            f"(v.text IS NULL AND v.number IS NULL AND {self.one_of('v.day', wanted)})",
        ]
        if numbers := [float(value) for value in wanted if _NUMBER.fullmatch(value)]:
            value_is.append(f"(v.text IS NULL AND {self.one_of('v.number', numbers)})")
        return (
            f"(t.id IN (SELECT v.row_id FROM custom_value v WHERE {here('v.presence')} AND {field_is} "
            f"AND ({' OR '.join(value_is)})))"
        )

    def one_of(self, column: str, values: Sequence[str | float]) -> str:
        self.parameters += values
        return f"{column} IN ({', '.join('?' * len(values))})"

    def holds(self, column: str, separator: str, values: list[str]) -> str:
        """Return the SQL that is true where *column* lists one of *values*, or is one with the separator."""
        tests = []
        for value in values:
            if separator in value:
                self.parameters.append(value)
                tests.append(f"fold({column}) = ?")
            else:
                escaped = re.sub(r"([%_!])", r"!\1", value)
                self.parameters.append(f"%{separator}{escaped}{separator}%")
                tests.append(f"'{separator}' || fold({column}) || '{separator}' LIKE ? ESCAPE '!'")
        return f"({' OR '.join(tests) or 'false'})"


def parse(text: str) -> Condition:
    """Read a filter; the empty one takes every task. Raises `ConfigError` with where it makes no sense."""
    if not text.strip():
        return Condition("true", (), 0)
    parser = _Parser(text)
    sql = parser.either()
    if parser.peek()[0] != "end":
        raise parser.fail(tr("and, or, or nothing more"))
    return Condition(sql, tuple(parser.parameters), parser.terms)

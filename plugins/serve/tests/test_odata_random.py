"""Requests with options put together at random: every one is answered, none by a fault of the server."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hub_serve.odata.names import collections, navigations
from odata_site import Site, feed_folder

from hub import model

SAMPLE, PROOF = 300, 10_000
NAMES = [*model().tables]
WORDS = [
    "name", "title", "key", "project_key", "task_key", "days", "amount", "work_date", "created_at",
    "year_month", "project/name", "task/project/code", "person/team", "cut/as_of", "status/category",
    "allocated_s", "value",
    "fact_worklog/any()", "fact_worklog/$count",
    "dim_task/all(t:t/key eq 'a1')", "fact_task_snapshot/any(s:s/task/fact_worklog/any(w:w/days gt 1))",
    "w/any(", "$it/key",
    "nope", "any", "null", "$it", "$count", "x'",
]  # fmt: skip
VALUES = [
    "1", "-1", "0", "1.5", "-2.25e3", "9223372036854775807", "99999999999999999999999", "1e400", "'a'", "''",
    "'O''Brien'", "'é%_\\'", "null", "true", "false", "2026-01-01", "2026-02-31", "2026-01-01T00:00:00Z",
    "2026-01-01T00:00:00.1234567+01:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "12:30:00",
    "duration'P1DT2H'", "INF", "NaN", "f47ac10b-58cc-4372-a567-0e02b2c3d479", "@x", "(1,2)", "('a')", "(",
]  # fmt: skip
FUNCTIONS = [
    "contains", "startswith", "endswith", "length", "indexof", "substring", "tolower", "toupper", "trim",
    "concat", "year", "month", "day", "hour", "minute", "second", "date", "time", "now", "round", "floor",
    "ceiling", "fractionalseconds", "totaloffsetminutes", "totalseconds", "mindatetime", "maxdatetime",
    "matchesPattern", "geo.distance", "cast", "nope", "isof", "case", "NOT",
]  # fmt: skip
OPERATORS = ["eq", "ne", "gt", "ge", "lt", "le", "add", "sub", "mul", "div", "mod", "and", "or", "in", "has"]
OPTIONS = [
    "filter", "select", "orderby", "top", "skip", "count", "expand", "apply", "search", "format", "skiptoken",
    "compute", "nope", "levels",
]  # fmt: skip
KINDS = {
    "BIGI": "number",
    "DOUB": "number",
    "DECI": "number",
    "VARC": "text",
    "DATE": "date",
    "TIME": "instant",
}
TYPED = {
    "number": ["1", "-2", "0", "1.5", "3600", "2.5e-3", "9007199254740993", "null"],
    "text": ["'a'", "''", "'O''Brien'", "'é%_\\'", "'2026-01'", "null"],
    "date": ["2026-01-03", "1999-12-31", "null"],
    "instant": ["2026-01-02T00:00:00Z", "2026-01-01T00:00:00.1234567+01:00", "now()", "mindatetime()",
                "null"],
    "span": ["duration'P1DT2H'", "duration'-PT5M'"],
    "truth": ["true", "null"],
}  # fmt: skip
FORMS = {
    "number": ["<count>", "<number> divby <number>",
               "<number> add <number>", "<number> sub <number>", "(<number> mul 2)", "<number> div <number>",
               "<number> mod <number>", "-(<number>)", "length(<text>)", "indexof(<text>,<text>)",
               "round(<number>)",
               "floor(<number>)", "ceiling(<number>)", "year(<date>)", "month(<instant>)", "day(<date>)",
               "hour(<instant>)", "minute(<instant>)", "second(<instant>)", "fractionalseconds(<instant>)",
               "totaloffsetminutes(<instant>)", "totalseconds(<span>)"],
    "text": ["tolower(<text>)", "toupper(<text>)", "trim(<text>)", "concat(<text>,<text>)",
             "substring(<text>,1)",
             "substring(<text>,<number>,2)"],
    "date": ["date(<instant>)", "<date> add <span>"],
    "instant": ["<instant> sub <span>", "<instant> add <span>"],
    "span": ["<instant> sub <instant>"],
    "truth": ["<any>", "<all>",
              "<number> eq <number>", "<number> ne <number>", "<number> lt <number>", "<text> ge <text>",
              "<text> eq <text>", "<date> le <instant>", "<date> gt <date>", "<instant> ge <instant>",
              "contains(<text>,<text>)", "startswith(<text>,<text>)", "endswith(<text>,<text>)",
              "<number> in (1,<number>,null)", "<text> in (<text>)", "<truth> and <truth>",
              "<truth> or <truth>",
              "not(<truth>)", "not (<truth> and <truth>)", "(<truth>) eq <truth>", "(<truth> or <truth>)"],
}  # fmt: skip


class Dice:
    """Chooses by a seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.name = self.rng.choice(NAMES)
        self.variable, self.is_made = "", False

    def one(self, *choices: str) -> str:
        return self.rng.choice(choices)

    def column(self) -> str:
        own = [*model().tables[self.name].columns]
        return self.one(*own) if self.rng.random() < 0.8 else self.one(*WORDS)

    def term(self, depth: int = 3) -> str:
        chance = self.rng.random()
        if depth == 0 or chance < 0.35:
            return self.column() if self.rng.random() < 0.6 else self.one(*VALUES)
        if chance < 0.65:
            return f"{self.term(depth - 1)} {self.one(*OPERATORS)} {self.term(depth - 1)}"
        if chance < 0.85:
            args = ",".join(self.term(depth - 1) for _ in range(self.rng.randint(0, 3)))
            return f"{self.one(*FUNCTIONS)}({args})"
        return f"{self.one('not ', '-', '')}({self.term(depth - 1)})"

    def condition(self) -> str:
        parts = [
            f"{self.term(2)} {self.one(*OPERATORS[:6])} {self.term(2)}" for _ in range(self.rng.randint(1, 3))
        ]
        return f" {self.one('and', 'or')} ".join(parts)

    def aggregate(self) -> str:
        method = self.one("sum", "min", "max", "average", "countdistinct", "nope", "a.b")
        return f"aggregate({self.term(1)} with {method} as {self.one('x', 'y', self.column())},$count as n)"

    def apply(self) -> str:
        groups = ",".join(self.column() for _ in range(self.rng.randint(0, 2)))
        best = self.one("top", "bottom") + self.one("count", "sum", "percent")
        many = self.one("1", "2", "50", "-1", "1.5", "x")
        levels = f"rollup({self.one('$all', self.column())},{self.column()})"
        steps = [f"filter({self.condition()})", self.aggregate(), f"groupby(({groups}),{self.aggregate()})",
                 f"groupby(({groups}))", f"compute({self.term(1)} as z)", "nope()", "(", "identity",
                 f"{best}({many},{self.term(1)})", f"orderby({self.term(1)}{self.one('', ' desc')})",
                 f"top({self.one('0', '2', 'x')})", "skip(1)", "search(a)",
                 f"concat({self.one('identity', self.aggregate())},{self.aggregate()})",
                 f"groupby(({levels}),{self.aggregate()})",
                 f"groupby(({self.column()}),{self.one('top(1)', 'orderby(key)/skip(1)')})"]  # fmt: skip
        return "/".join(self.one(*steps) for _ in range(self.rng.randint(1, 2)))

    def value(self, option: str) -> str:
        columns = ",".join(self.column() for _ in range(self.rng.randint(1, 3)))
        match option:
            case "filter":
                return self.condition()
            case "select":
                return self.one(columns, "*", "", "project")
            case "orderby":
                return self.one(columns, f"{self.term(1)} desc", f"{columns} asc", "", ",")
            case "top" | "skip":
                return self.one("0", "1", "2", "7", "-1", "x", "99999999999999999999", "1000000")
            case "count":
                return self.one("true", "false", "maybe")
            case "expand":
                return self.one("project", "project,task", "*", "project($select=name)", "nope", "project(",
                                "fact_worklog", "dim_task($top=1;$expand=fact_worklog/$count)",
                                "dim_project($filter=code eq 'A')",
                                "*,fact_worklog($orderby=days desc;$skip=1)",
                                "task(", "task($expand=project($select=code;$levels=2))",
                                "project/$ref")  # fmt: skip
            case "apply":
                return self.apply()
            case "search":
                return self.one("a", "a b", '"a b" OR c', "NOT x", "(", '"', "AND", "é")
            case "format":
                return self.one("json", "csv", "xml", "atom", "application/json;odata.metadata=full",
                                "application/json;odata.metadata=none;IEEE754Compatible=true")  # fmt: skip
            case "skiptoken":
                return self.one("x", "W10", "", "WyJ4IiwxLG51bGwsWyIxIl1d")
        return self.term(1)

    # requests that are well formed and well typed
    def of(self, kind: str) -> str:
        """Return a column of the set, or of a dimension of it, that is a *kind*, else a value."""
        table, before = self.name, ""
        navs = navigations(table)
        if navs and self.rng.random() < 0.3:
            nav = self.one(*navs)
            table, before = navs[nav].target, f"{nav}/"
        fitting = [name for name, one in model().tables[table].columns.items() if KINDS[one.type[:4]] == kind]
        path = f"{self.variable}/" if self.variable else ""
        return path + before + self.one(*fitting) if fitting else self.one(*TYPED[kind])

    def collection(self, kind: str, depth: int) -> str:
        """Return a condition on, or the count of, what points to the rows; else a value of the same kind."""
        found = [(nav, one.table) for nav, one in collections(self.name).items()]
        if not found or self.is_made:
            return "0" if kind == "count" else "true"
        nav, other = self.rng.choice(found)
        if kind == "count":
            return f"{nav}/$count"
        name, self.name, self.variable = self.name, other, f"{self.variable}w"
        inner = self.typed("truth", min(depth, 1))
        self.name, self.variable = name, self.variable[:-1]
        return f"{nav}/{kind}({self.variable}w:{inner})"

    def typed(self, kind: str, depth: int = 2) -> str:
        if depth == 0 or self.rng.random() < 0.4:
            return self.of(kind) if self.rng.random() < 0.7 else self.one(*TYPED[kind])
        form = self.one(*FORMS[kind])

        def inner(found: re.Match[str]) -> str:
            told = found[1]
            is_of = told in {"any", "all", "count"}
            return self.collection(told, depth - 1) if is_of else self.typed(told, depth - 1)

        return "(" + re.sub(r"<(\w+)>", inner, form) + ")"

    def beside(self) -> list[str]:
        """Return some ways to show the rows behind a row, each with options of its own."""
        found = []
        for nav, one in collections(self.name).items():
            name, self.name = self.name, one.table
            columns, ways = [*model().tables[one.table].columns], [*navigations(one.table)]
            inner = [f"$filter={self.typed('truth', 2)}", f"$orderby={self.of('text')} desc", "$count=true",
                     f"$top={self.one('0', '1', '5')}", "$skip=1", f"$select={self.one(*columns)}",
                     f"$expand={self.one('*', *ways, *collections(one.table))}"]  # fmt: skip
            found.append(f"{nav}({';'.join(self.rng.sample(inner, self.rng.randint(1, 4)))})")
            found.append(f"{nav}/$count($filter={self.typed('truth', 1)})")
            self.name = name
        return found

    def careful(self) -> tuple[str, dict[str, str]]:
        """Return an address that has to be answered with rows, and headers."""
        columns = [*model().tables[self.name].columns]
        told = {
            "filter": self.typed("truth", 3),
            "orderby": f"{self.typed(self.one('number', 'text', 'date'))} {self.one('asc', 'desc')}",
            "top": self.one("0", "1", "3", "500"), "skip": self.one("0", "1", "4"), "count": "true",
            "select": ",".join(self.rng.sample(columns, min(2, len(columns)))),
            "format": self.one("json", "csv", "application/json;odata.metadata=full",
                               "application/json;odata.metadata=none;IEEE754Compatible=true"),
        }  # fmt: skip
        if self.rng.random() < 0.3:
            groups = ",".join({self.of("text") for _ in "ab"} - set(TYPED["text"])) or columns[0]
            value = self.typed("number")
            told |= {
                "apply": f"filter({self.typed('truth')})/groupby(({groups}),aggregate({value} with "
                f"{self.one('sum', 'min', 'max', 'average', 'countdistinct')} as x1,$count as n1))",
                "filter": self.one("x1 gt 1", "n1 ge 1 and not (x1 lt 0)", "x1 eq null"),
                "orderby": self.one("x1 desc", "n1", "n1 desc,x1"), "select": self.one("x1", "n1,x1", "*"),
            }  # fmt: skip
        elif self.rng.random() < 0.3:
            told["compute"] = (
                f"{self.typed('number')} as y1,{self.typed('text')} as y2,{self.typed('date')} as y3"
            )
            told["orderby"] = self.one("y1 desc", "y2,y3", "y3 desc,y1")
            told["select"] = self.one("*", "y1", f"y2,y3,{columns[0]}")
            told["filter"] = self.one("y1 ge 0 or y2 ne null", "y3 eq null or y1 lt 5", "contains(y2,'a')")
        elif self.rng.random() < 0.4:
            told["expand"] = self.one("*", *navigations(self.name), *self.beside())
            if told["expand"] not in navigations(self.name) and "csv" in told["format"]:
                told["format"] = "json"
        chosen = self.rng.sample([*told], self.rng.randint(1, 5))
        chosen += [one for one in ("apply", "compute") if one in told and one not in chosen]
        query = "&".join(f"${one}={quote(told[one])}" for one in chosen)
        return f"{self.name}?{query}", {"prefer": self.one("maxpagesize=2", "")}

    def request(self) -> tuple[str, dict[str, str]]:
        """Return an address below the root, and headers."""
        path = self.name
        if self.rng.random() < 0.2:
            path += self.one("(1)", "('a')", "(project_key=1)", "/$count", "()", "(", "(1)/project",
                             "(1)/name/$value",
                             "(-1)/nope", "(1,2)", "(null)", "/nope", "('%FF')", "(1)/$ref")  # fmt: skip
        options = self.rng.sample(OPTIONS, self.rng.randint(0, 4))
        query = "&".join(f"{self.one('$', '$', '$', '')}{one}={quote(self.value(one))}" for one in options)
        if self.rng.random() < 0.1:
            query += "&@x='a'"
        headers = {"prefer": self.one("odata.maxpagesize=3", "maxpagesize=1", "return=minimal", "")}
        if self.rng.random() < 0.1:
            headers["odata-maxversion"] = self.one("4.0", "4.01", "3.0", "x", "99.9")
        if self.rng.random() < 0.1:
            headers["accept"] = self.one(
                "text/csv", "application/xml", "*/*;q=0.1", "text/html", "application/json;q=x"
            )
        return f"{path}?{query}", headers


def test_no_request_finds_a_fault(tmp_path: Path, proof: bool) -> None:
    """An answer, or a refusal that says what is wrong: never a fault, and never later than it may be."""
    site = Site(feed_folder(), tmp_path, seconds=20)
    with site.client(level="nominative-line") as client:
        told: Counter[int] = Counter()
        wrong = []
        for seed in range(PROOF if proof else SAMPLE):
            dice = Dice(seed)
            is_careful = seed % 2 == 0
            path, headers = dice.careful() if is_careful else dice.request()
            try:
                answer = client.ask(path, headers=headers)
            except Exception as exc:  # noqa: BLE001 - what the server did not catch is the fault looked for
                wrong.append((seed, path, repr(exc)[:300]))
                continue
            told[answer.status_code] += 1
            fine = {200} if is_careful else {200, 204, 400, 404, 406, 410, 415, 501}
            if answer.status_code not in fine or not _is_told(answer):
                wrong.append((seed, path, answer.text[:300]))

    assert [] == wrong
    assert {200, 400, 501} <= told.keys()
    assert told[200] > (PROOF if proof else SAMPLE) / 3


def _is_told(answer: Any) -> bool:
    """Say whether *answer* can be read, and a refusal says what is wrong."""
    if "json" not in answer.headers.get("content-type", "") or not answer.content:
        return True
    found = json.loads(answer.text, parse_constant=lambda name: 1 / 0)  # NaN is no JSON
    return answer.status_code < 400 or bool(found["error"]["message"])

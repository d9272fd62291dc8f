"""Write the catalogues: what the code says, with the translations that are there, as .po and .mo files.

A template is the first argument of `tr`, `trn` (the first two) and `mark`, in code and in HTML, the
docstring of a command, the `help` of a command and of its options, the `name` of a `Check`, the definition
and the edge cases of a KPI, the description of a table or column of the feed, and a comment of the
configuration that `hub init` writes. Each package has its own catalogue below its folder `words`.
"""

from __future__ import annotations

import ast
import inspect
import io
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment
from jinja2.ext import extract_from_ast

from hub.cli.configure import comments
from hub.feed.kpi.catalogue import _kpi

ROOT = Path(__file__).resolve().parents[1]
LANG = "fr"
Template = str | tuple[str, str]


class Steady(Catalog):
    """A catalogue whose head says nothing of when and by what it was written.

    French has two forms here, one and many; Babel would ask for a third one, of whole millions.
    """

    def __init__(self, package: Path) -> None:
        """Begin empty."""
        comment = f"# What {package.name} says, in French; `make words` keeps it."
        super().__init__(locale=LANG, header_comment=comment, fuzzy=False)
        self._num_plurals, self._plural_expr = 2, "(n > 1)"

    @property
    def mime_headers(self) -> list[tuple[str, str]]:  # type: ignore[override]
        """Return what a reader needs."""
        return [
            ("Language", LANG),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
            ("Plural-Forms", "nplurals=2; plural=(n > 1);"),
        ]


def packages() -> list[Path]:
    """Return the folders of the packages: the hub, then each plugin."""
    return [ROOT / "hub", *sorted(path for path in ROOT.glob("plugins/*/hub_*") if path.is_dir())]


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _texts(node: ast.expr) -> list[str]:
    """Return the texts that *node* can be: a text, or one of two by a condition."""
    if isinstance(node, ast.IfExp):
        return _texts(node.body) + _texts(node.orelse)
    text = _text(node)
    assert text is not None or isinstance(
        node, (ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.BoolOp)
    ), f"line {node.lineno}: a template is a text as it stands, not {ast.unparse(node)}"
    return [text] if text else []


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _said(node: ast.AST) -> Iterator[Template]:
    """Return the templates that *node* itself holds."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        ways = {_name(one.func) for one in node.decorator_list if isinstance(one, ast.Call)}
        if ways & {"command", "group"} and (doc := ast.get_docstring(node, clean=False)):
            yield inspect.cleandoc(doc)
    if not isinstance(node, ast.Call):
        return
    called = _name(node.func)
    if called in {"tr", "mark"} and node.args:
        yield from _texts(node.args[0])
    if called == "trn":
        one, many = _text(node.args[0]), _text(node.args[1])
        assert one is not None, ast.unparse(node)
        assert many is not None, ast.unparse(node)
        yield one, many
    if called == "Check":
        yield from (text for one in node.keywords if one.arg == "name" and (text := _text(one.value)))
    if called in {"command", "group", "option", "version_option"}:
        for keyword in node.keywords:
            if keyword.arg in {"help", "short_help"} and (text := _text(keyword.value)):
                yield inspect.cleandoc(text)


def templates(package: Path) -> set[Template]:
    """Return the templates of the code of *package*."""
    found: set[Template] = set()
    for path in sorted(package.glob("feed/kpis/*.sql")):
        if path.name != "base.sql":
            one = _kpi(path.stem, path.read_text(encoding="utf-8"))
            found.update(filter(None, (one.definition, one.edge_cases)))
    for path in package.glob("cli/templates/hub.toml"):
        found.update(comments(path.read_text(encoding="utf-8")))
    for path in package.glob("feed/model.toml"):
        for table in tomllib.loads(path.read_text(encoding="utf-8"))["tables"].values():
            told = [table, *table["columns"].values()]
            found.update(one["description"] for one in told if one.get("description"))
    for path in sorted(package.rglob("*.py")):
        if "templates" not in path.relative_to(package).parts:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                found.update(_said(node))
    for path in sorted(package.rglob("*.html")):
        tree = Environment(autoescape=True).parse(path.read_text(encoding="utf-8"))
        for _, called, text in extract_from_ast(tree, gettext_functions=("tr", "trn")):
            told = text if isinstance(text, tuple) else (text,)
            assert all(told[: 2 if called == "trn" else 1]), f"{path}: a template is a text as it stands"
            found.add((told[0], told[1]) if called == "trn" else told[0])
    return found


def catalogue(package: Path) -> Catalog:
    """Return what the code of *package* says, with the translations that its .po file has."""
    place = package / "words" / f"{LANG}.po"
    known = Catalog(locale=LANG)
    if place.exists():
        with place.open("rb") as file:
            known = read_po(file, locale=LANG)
    new = Steady(package)
    said = templates(package)
    pairs = {one[0] for one in said if isinstance(one, tuple)}
    for template in sorted(said, key=str):
        if isinstance(template, str) and template in pairs:
            continue  # a catalogue has one entry for it, the pair
        old = known.get(template)
        same = old is not None and old.id == template
        new.add(template, string=old.string if old is not None and same else None)
    for message in new:
        message.flags.discard("python-format")
        message.flags.discard("python-brace-format")
    return new


def po(found: Catalog) -> bytes:
    """Return *found* as a .po file."""
    file = io.BytesIO()
    write_po(file, found, width=100, no_location=True, sort_output=True)
    return file.getvalue()


def mo(found: Catalog) -> bytes:
    """Return *found* as a .mo file."""
    file = io.BytesIO()
    write_mo(file, found)
    return file.getvalue()


def main() -> int:
    """Write the catalogues of all packages that say something."""
    for package in packages():
        found = catalogue(package)
        lacking = sum(
            1 for one in found if one.id and not any(one.string if one.pluralizable else [one.string])
        )
        if len(found):
            (package / "words").mkdir(exist_ok=True)
            (package / "words" / f"{LANG}.po").write_bytes(po(found))
            (package / "words" / f"{LANG}.mo").write_bytes(mo(found))
        print(f"{package.name}: {len(found)} templates, {lacking} not translated")
    return 0


if __name__ == "__main__":
    sys.exit(main())

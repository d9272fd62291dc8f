"""Extract every message of the hub and its plugins, merge them into the catalogues, and compile these.

``python tests/catalogues.py`` (``make words``) rewrites ``words/fr.po`` and ``words/fr.mo`` of each package:
new messages come without a translation, those that are no longer said go. `missing` tells what has no French
twin; a test holds it empty.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
KEYWORDS = {"tr": None, "mark": None}


def packages() -> dict[str, Path]:
    """Return the hub and every bundled plugin by the name of its package."""
    plugins = sorted(ROOT.glob("plugins/*/hub_*/__init__.py"))
    return {"hub": ROOT / "hub", **{one.parent.name: one.parent for one in plugins}}


def _helps(command: click.Command) -> Iterator[tuple[str, str]]:
    """Give what `hub … --help` shows of *command* and of those below it.

    The module it stands in, and the text.
    """
    home = getattr(command.callback, "__module__", "hub").partition(".")[0]
    if command.help:
        yield home, command.help
    for parameter in command.params:
        text = getattr(parameter, "help", None)
        if text and text != "Show this message and exit.":
            yield home, text
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            found = command.get_command(click.Context(command), name)
            if found is not None:
                yield from _helps(found)


def said() -> dict[str, dict[str, list[tuple[str, int]]]]:
    """Return the messages of each package, each with the places that say it."""
    from hub.cli import build_cli

    found: dict[str, dict[str, list[tuple[str, int]]]] = {name: {} for name in packages()}
    for name, folder in packages().items():
        for path in sorted(folder.rglob("*.py")):
            if "testing" in path.relative_to(folder).parts:
                continue
            place = path.relative_to(ROOT).as_posix()
            for _, message, _, _ in extract_from_file("python", path, keywords=KEYWORDS):
                text = message if isinstance(message, str) else message[0]
                found[name].setdefault(text, []).append((place, 0))
    for home, text in _helps(build_cli([])):
        found.get(home, found["hub"]).setdefault(text, []).append(("help", 0))
    elsewhere = set(found["hub"])
    return {
        name: {text: places for text, places in texts.items() if name == "hub" or text not in elsewhere}
        for name, texts in found.items()
    }


def catalogue(folder: Path) -> Catalog:
    """Return the French catalogue of a package as it stands."""
    path = folder / "words" / "fr.po"
    if not path.exists():
        return Catalog(locale="fr", charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale="fr")


def missing() -> dict[str, list[str]]:
    """Return the messages that have no French twin, by package."""
    lacking = {}
    for name, texts in said().items():
        known = catalogue(packages()[name])
        gone = [text for text in texts if not (known.get(text) and known.get(text).string)]  # type: ignore[union-attr]
        if gone:
            lacking[name] = gone
    return lacking


def compiled(found: Catalog) -> bytes:
    """Return a catalogue as gettext reads it."""
    out = io.BytesIO()
    write_mo(out, found)
    return out.getvalue()


def write() -> None:
    """Bring every catalogue up to date."""
    for name, texts in said().items():
        folder = packages()[name]
        old = catalogue(folder)
        new = Catalog(
            locale="fr", charset="utf-8", header_comment="# French words of pm-hub.", creation_date=None
        )
        for text in sorted(texts):
            known = old.get(text)
            places = sorted({place for place in texts[text] if place[0] != "help"})
            new.add(text, known.string if known else "", locations=places, flags=())
        if not texts:
            continue
        place = folder / "words"
        place.mkdir(exist_ok=True)
        with (place / "fr.po").open("wb") as file:
            write_po(file, new, width=0, omit_header=False, include_lineno=False)
        (place / "fr.mo").write_bytes(compiled(new))
        empty = sum(not (new.get(text).string) for text in texts)  # type: ignore[union-attr]
        print(f"{name}: {len(texts)} messages, {empty} without a French twin")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "tests"))
    write()

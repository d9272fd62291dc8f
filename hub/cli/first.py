"""A first portfolio out of a folder of files: find what can be read, propose it, read it, publish it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from hub.cli.app import App
from hub.cli.speech import confirm
from hub.errors import ConfigError
from hub.source import Suggestion
from hub.words import tr

MOST_FILES = 2000
OFFICE = """
[destinations.office]
kind = "files"
path = "out"                        # the newest files are always in out/latest
privacy = "nominative-line"         # project, team-week, pseudonym-week, nominative-line
"""


def suggestions(app: App, folder: str) -> list[Suggestion]:
    """Return what plugins would read of *folder*. Raises `ConfigError` for one that holds no file."""
    base = app.config.resolve().parent.parent
    place = (base / folder).resolve()
    if not place.is_dir():
        raise ConfigError(tr("There is no folder {folder}.", folder=place))
    files = sorted(_files(place))[:MOST_FILES]
    if not files:
        raise ConfigError(tr("The folder {folder} holds no file.", folder=place))
    found: list[Suggestion] = []
    for suggested in app.plugins.hook.suggest_sources(folder=base, files=files):
        found.extend(suggested)
    # plugins answer in the order in which they happen to be imported
    return _told_apart(sorted(found, key=lambda one: one.files[:1]))


def left_over(found: Iterable[Suggestion], app: App, folder: str) -> list[Path]:
    """Return the files of *folder* that nothing would read."""
    taken = {path for one in found for path in one.files}
    base = app.config.resolve().parent.parent
    return [path for path in sorted(_files((base / folder).resolve())) if path not in taken]


def _files(place: Path) -> Iterator[Path]:
    """Return the files below *place* that people put there."""
    own = {"config", "data", "out", "mappings", "plugins"}
    for path in place.rglob("*"):
        parts = path.relative_to(place).parts
        if path.is_file() and not any(part.startswith((".", "~")) for part in parts) and parts[0] not in own:
            yield path


def _told_apart(found: Iterable[Suggestion]) -> list[Suggestion]:
    """Return the suggestions with names that differ."""
    import msgspec

    names: set[str] = set()
    told = []
    for one in found:
        name, number = one.name, 2
        while name in names:
            name, number = f"{one.name}{number}", number + 1
        names.add(name)
        told.append(msgspec.structs.replace(one, name=name))
    return told


def choose(app: App, found: Iterable[Suggestion], *, ask: bool) -> list[Suggestion]:
    """Show each suggestion, and ask for it where somebody can answer."""
    chosen = []
    for one in found:
        names = ", ".join(path.name for path in one.files[:3]) + (", …" if len(one.files) > 3 else "")
        app.say(f"{names}: {one.says}")
        if not ask or confirm(tr("  Read it as the source {name}?", name=one.name), default=True):
            chosen.append(one)
    return chosen


def block(one: Suggestion) -> str:
    """Return the section of the configuration that a suggestion becomes."""
    lines = [f"[sources.{one.name}]", f"kind = {_toml(one.kind)}"]
    lines += [f"{name} = {_toml(value)}" for name, value in one.settings.items()]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_toml(one)}" for name, one in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)


def read_and_publish(app: App) -> int:
    """Read the sources, write projects and people from what was read, and publish; gives the exit code."""
    from hub.cli.building import sync_options
    from hub.cli.jobs import main_job, run_sync
    from hub.cli.output import show_sync
    from hub.reference.beginning import beginnings
    from hub.store import questions

    with app.store(writing=True) as store:
        report = run_sync(app, store, app.sources(), sync_options(app), quiet=False)
        show_sync(app, report)
        texts = beginnings(questions.read(store))
    for name, text in texts.items():
        path = app.config.parent / name
        if not path.exists():
            path.write_text(text, encoding="utf-8-sig", newline="\n")
            app.say(tr("Wrote {path} from what was read: look through it in Excel.", path=path), "green")
    return main_job(app)

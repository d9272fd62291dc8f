"""Make a connector's folder, and certify one: run the kit, show what each check saw, say the level."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import inspect
import keyword
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.cli.app import App
from hub.errors import ConfigError
from hub.files import write_atomically
from hub.plugins import Plugins
from hub.words import tr

if TYPE_CHECKING:
    from hub.testing.kit import Report

_SLOW_S = 0.5
"""A check that takes so long shows it."""
_STYLES = {"passed": "green", "failed": "red", "skipped": "dim"}


def find_certifications(target: str, plugins: Plugins) -> list[Any]:
    """Return the certifications of a plugin's name, a folder or a file.

    Those of a plugin are in its module ``hub_NAME.testing.certification``. Raises `ConfigError` saying where
    they were sought.
    """
    from hub.testing.kit import DestinationCertification, SourceCertification

    path = Path(target)
    if path.suffix == ".toml":
        return [_certification_of_mapping(path)]
    if path.suffix == ".json":
        return [_certification_of_cassette(path, plugins)]
    if path.is_dir():
        found = [
            *path.glob("hub_*/testing/certification.py"),
            *path.glob("certification.py"),
            *path.glob("tests/certification.py"),
        ]
        if not found:
            mappings = [one for one in sorted(path.glob("*.toml")) if one.name != "pyproject.toml"]
            if mappings:
                return [_certification_of_mapping(one) for one in mappings]
            raise ConfigError(
                tr(
                    "{path} holds no certification: write hub_NAME/testing/certification.py with a "
                    "subclass of hub.testing.kit.SourceCertification.",
                    path=path,
                )
            )
        path = found[0]
    if path.suffix == ".py" and path.exists():
        module = _load(path)
    else:
        try:
            module = importlib.import_module(f"hub_{target}.testing.certification")
        except ModuleNotFoundError as exc:
            raise ConfigError(
                tr(
                    "The plugin {target!r} gives no certification: hub_{target}/testing/certification.py "
                    "with a subclass of hub.testing.kit.SourceCertification is what the kit works on. A "
                    "folder, a file or a mapping (.toml) can be named too.",
                    target=target,
                )
            ) from exc
    certifications = [
        cls
        for _, cls in inspect.getmembers(module, inspect.isclass)
        if issubclass(cls, (SourceCertification, DestinationCertification)) and not inspect.isabstract(cls)
    ]
    certifications = [cls for cls in certifications if cls.__module__ == module.__name__] or certifications[
        :1
    ]
    if not certifications:
        raise ConfigError(
            tr(
                "{target} holds no certification: a class that derives from "
                "hub.testing.kit.SourceCertification.",
                target=target,
            )
        )
    return [cls() for cls in certifications]


def _certification_of_mapping(path: Path) -> Any:
    """Ask the installed plugins whose mapping *path* is.

    A plugin that has mappings has a module ``hub_NAME.testing.mapping_certification``.
    """
    if not path.exists():
        raise ConfigError(tr("There is no file {path}.", path=path))
    for entry in importlib.metadata.entry_points(group="hub"):
        name = f"{entry.module}.testing.mapping_certification"
        if importlib.util.find_spec(entry.module) and importlib.util.find_spec(name):
            certification = importlib.import_module(name).certification_of(path)
            if certification is not None:
                return certification
    raise ConfigError(tr("{path} is no mapping that an installed plugin knows.", path=path))


def _certification_of_cassette(path: Path, plugins: Plugins) -> Any:
    from hub.testing.kit import cassette

    found = cassette.load(path)
    if found.kind not in plugins.sources:
        raise ConfigError(
            tr(
                "{path} was recorded by the kind {kind!r}, which no plugin here offers.",
                path=path,
                kind=found.kind,
            )
        )
    return cassette.RecordedCertification(found, plugins.sources[found.kind])


def _load(path: Path) -> Any:
    """Import the module in the file *path*, inside its packages when it lies in some."""
    top, parts = path.resolve().parent, [path.stem]
    while (top / "__init__.py").exists():
        parts.insert(0, top.name)
        top = top.parent
    sys.path.insert(0, str(top))
    if len(parts) > 1:
        return importlib.import_module(".".join(parts))
    spec = importlib.util.spec_from_file_location(f"hub_certification_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


STYLES = {"rest": "gold", "jsonrpc": "gold", "python": "gold", "tabular": "gold"}
"""The styles of a new connector, and the level that each has from the start."""


def write_plugin(name: str, style: str, folder: Path) -> list[Path]:
    """Write a connector's folder from the templates of *style*.

    Raises `ConfigError` for a bad name or a folder with content.
    """
    import jinja2

    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise ConfigError(
            tr(
                "{name!r} cannot name a plugin: take small letters, digits and _, a letter first, "
                "such as acme.",
                name=name,
            )
        )
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(tr("{folder} is not empty: name another folder with --out.", folder=folder))
    folders = Path(__file__).parent / "templates" / "plugin"
    templates = folders / ("rest" if style == "jsonrpc" else style)  # the same by another question
    # not HTML: nothing is to be escaped
    made = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701
    title = name.replace("_", " ").title()
    values = {"name": name, "title": title, "cls": title.replace(" ", "")}
    values |= {"level": STYLES[style], "style": style}
    written = []
    for template in sorted(templates.rglob("*.jinja")):
        path = folder / str(template.relative_to(templates)).removesuffix(".jinja").replace("NAME", name)
        text = made.from_string(template.read_text(encoding="utf-8")).render(values)
        with write_atomically(path, mode=0o644) as file:
            file.write(text.encode())
        written.append(path)
    return written


def add_to(plugin: click.Group) -> None:
    """Add new, record and certify to the group *plugin*."""

    @plugin.command()
    @click.argument("name")
    @click.option(
        "--style",
        type=click.Choice(list(STYLES)),
        default="rest",
        show_default=True,
        help="A REST API, one that is asked by POST, anything Python opens, or a table by a mapping.",
    )
    @click.option("--out", type=click.Path(file_okay=False), help="Folder to write; NAME when absent.")
    @click.pass_obj
    def new(app: App, name: str, style: str, out: str | None) -> int:
        """Write the folder of a new connector: it runs, tests and certifies at once.

        It does so against its own small simulator.

        Example: hub plugin new acme --style rest
        """
        folder = Path(out or name)
        for path in write_plugin(name, style, folder):
            app.say(f"  {path}")
        app.say(tr("Next: hub plugin certify {folder} --level {styles}", folder=folder, styles=STYLES[style]))
        return 0

    @plugin.command()
    @click.argument("source")
    @click.option(
        "--out", type=click.Path(dir_okay=False), required=True, help="The cassette to write, a .json file."
    )
    @click.option(
        "--keep",
        multiple=True,
        metavar="FIELD",
        help="Keep the texts of this field (a status, a type); repeatable.",
    )
    @click.pass_obj
    def record(app: App, source: str, out: str, keep: tuple[str, ...]) -> int:
        """Read SOURCE once and keep what the tool said, to certify against.

        It is kept without names, addresses, tokens or texts. Numbers, days and the names of fields stay;
        every other text becomes a pseudonym, of which nobody has the key.

        Example: hub plugin record jira --out jira.json --keep statusCategory
        """
        from hub.testing.kit import cassette

        made = cassette.record(app.sources((source,))[0], app.settings.base, keep=keep)
        with write_atomically(Path(out)) as file:
            file.write(cassette.save(made.cassette))
        rows = sum(len(held) for held in made.cassette.truth.values())
        app.say(
            tr(
                "{count} {count:answer|answers}, {rows} {rows:row|rows}, verdict {verdict}, replayed "
                "as {replayed}: {out}",
                count=len(made.cassette.exchanges),
                rows=rows,
                verdict=tr(made.report.verdict),
                replayed=tr(made.replay.verdict),
                out=out,
            )
        )
        if made.kept:
            app.say(
                tr(
                    "Kept as they are, read them before you share the file: {kept}", kept="; ".join(made.kept)
                ),
                "yellow",
            )
        app.say(
            tr(
                "Its truth came from the connector itself: compare it with the tool once. Next: hub "
                "plugin certify {out}",
                out=out,
            )
        )
        return 0

    @plugin.command()
    @click.argument("target", metavar="NAME|FOLDER|FILE|MAPPING.toml|CASSETTE.json")
    @click.option(
        "--level",
        type=click.Choice(["bronze", "silver", "gold"]),
        default="bronze",
        show_default=True,
        help="The level that gives exit code 0.",
    )
    @click.option(
        "--seed", default=2026, show_default=True, help="Another seed is another world and another storm."
    )
    @click.option(
        "--only",
        multiple=True,
        metavar="CHECK",
        help="Only this check, as the report names it; repeatable. No level is earned so.",
    )
    @click.option("--junit", type=click.Path(dir_okay=False), help="Write JUnit XML to this file.")
    @click.option("--json", "json_", is_flag=True, help="Print JSON.")
    @click.pass_obj
    def certify(
        app: App, target: str, level: Any, seed: int, only: tuple[str, ...], junit: str | None, json_: bool
    ) -> int:
        """Break things on purpose around a connector and say what it stands: Bronze, Silver or Gold.

        Offline: the connector works against its own simulator, and the kit makes the faults.

        Example: hub plugin certify acme --level silver
        """
        from hub.testing.kit import as_junit
        from hub.testing.kit import certify as run
        from hub.testing.kit.checks import CHECKS

        if unknown := sorted(set(only) - {check.code for check in CHECKS}):
            raise ConfigError(
                tr(
                    "There is no check {names}. The report of `hub plugin certify` names them.",
                    names=", ".join(unknown),
                )
            )
        with app.console.status("") as status:  # only a terminal shows it

            def told(done: int, of: int, check: Any) -> None:
                status.update(f"{done + 1}/{of} {check.code}")

            jobs = min(4, os.cpu_count() or 1)
            reports = [
                run(certification, seed=seed, only=only, jobs=jobs, told=told)
                for certification in find_certifications(target, app.plugins)
            ]
        if junit:
            with write_atomically(Path(junit), mode=0o644) as file:
                file.write(as_junit(reports).encode())
        well = all(report.reaches(level) if not only else not report.failures() for report in reports)
        if json_:
            app.as_json(
                [
                    {
                        "connector": one.connector,
                        "level": one.level,
                        "seconds": one.seconds,
                        "results": one.results,
                    }
                    for one in reports
                ]
            )
            return 0 if well else 1
        for report in reports:
            _show(app, report)
        return 0 if well else 1


def _show(app: App, report: Report) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in (tr("level"), tr("check"), "", tr("saw")):
        table.add_column(name, overflow="fold")
    table.add_column("s", justify="right", min_width=4)  # or a slower machine breaks other lines
    stopped = any(result.stops for result in report.results)
    for result in report.results[:1] if stopped else report.results:
        table.add_row(
            result.level,
            result.code,
            Text(tr(result.state), _STYLES[result.state]),
            result.saw[:90],
            f"{result.seconds:.1f}" if result.seconds >= _SLOW_S else "",
        )
    app.console.print(table)
    for result, *others in report.causes():
        app.say(f"\n{result.code} ({result.level})", "red")
        app.say(
            tr(
                "  law:  {law}\n  saw:  {saw}\n  mend: {mend}",
                law=result.law,
                saw=result.saw,
                mend=result.mend,
            )
        )
        if others:
            same = ", ".join(one.code for one in others)
            app.say(tr("  The same was seen by {count} more: {same}", count=len(others), same=same))
    if stopped:
        count = len(report.results) - 1
        app.say(
            tr(
                "  {count} more {count:check was not made: it|checks were not made: they} would say "
                "the same again.",
                count=count,
            )
        )
    earned = tr(report.level or "none").capitalize()
    skipped = sum(result.state == "skipped" for result in report.results)
    app.say(
        tr(
            "\n{connector}: {earned}, {count} {count:check|checks}, {skipped} skipped, in {seconds:.1f} s",
            connector=report.connector,
            earned=earned,
            count=len(report.results),
            skipped=skipped,
            seconds=report.seconds,
        ),
        "bold",
    )

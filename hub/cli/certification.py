"""Certify a connector: run the kit, show what each check saw, say the level."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from hub.cli.app import App
from hub.errors import ConfigError
from hub.files import write_atomically

_STYLES = {"passed": "green", "failed": "red", "skipped": "dim"}


def find_exam(target: str) -> Any:
    """Give the exam of a plugin's name (module ``hub_NAME.exam``) or of a file. Raises `ConfigError` saying where one was sought."""
    from hub.testing.kit import Exam

    path = Path(target)
    if path.is_dir():
        found = [*path.glob("hub_*/exam.py"), *path.glob("exam.py"), *path.glob("tests/exam.py")]
        if not found:
            raise ConfigError(f"{path} holds no exam: write hub_NAME/exam.py with a subclass of hub.testing.kit.Exam.")
        path = found[0]
    if path.suffix == ".py" and path.exists():
        sys.path.insert(0, str(path.parent))
        spec = importlib.util.spec_from_file_location(f"hub_exam_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    else:
        try:
            module = importlib.import_module(f"hub_{target}.exam")
        except ModuleNotFoundError as exc:
            raise ConfigError(
                f"The plugin {target!r} gives no exam: hub_{target}/exam.py with a subclass of hub.testing.kit.Exam is what the kit "
                "works on. A folder or a file can be named too."
            ) from exc
    exams = [
        cls
        for _, cls in inspect.getmembers(module, inspect.isclass)
        if issubclass(cls, Exam) and not inspect.isabstract(cls)
    ]
    if len(exams) != 1:
        raise ConfigError(f"{target} holds {len(exams)} exams; one class is expected.")
    return exams[0]()


def add_to(plugin: click.Group) -> None:
    """Add certify to the group *plugin*."""

    @plugin.command()
    @click.argument("target", metavar="NAME|FOLDER|FILE")
    @click.option(
        "--level",
        type=click.Choice(["bronze", "silver", "gold"]),
        default="bronze",
        show_default=True,
        help="The level that gives exit code 0.",
    )
    @click.option("--seed", default=2026, show_default=True, help="Another seed is another world and another storm.")
    @click.option("--junit", type=click.Path(dir_okay=False), help="Write JUnit XML to this file.")
    @click.option("--json", "json_", is_flag=True, help="Print JSON.")
    @click.pass_obj
    def certify(app: App, target: str, level: Any, seed: int, junit: str | None, json_: bool) -> int:
        """Break things on purpose around a connector and say what it stands: Bronze, Silver or Gold.

        Offline: the connector works against its own stand-in, and the kit makes the faults.

        Example: hub plugin certify acme --level silver
        """
        from hub.testing.kit import certify as run

        report = run(find_exam(target), seed=seed)
        if junit:
            with write_atomically(Path(junit), mode=0o644) as file:
                file.write(report.junit().encode())
        if json_:
            app.as_json(
                {"connector": report.connector, "level": report.level, "seconds": report.seconds, "results": report.results}
            )
            return 0 if report.reaches(level) else 1
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in ("level", "check", "", "saw"):
            table.add_column(name, overflow="fold")
        for result in report.results:
            table.add_row(
                result.level, result.code, f"[{_STYLES[result.state]}]{result.state}[/]", result.saw[:90].replace("[", "\\[")
            )
        app.console.print(table)
        for result in report.failures():
            app.say(f"\n{result.code} ({result.level})", "red")
            app.say(f"  law:  {result.law}\n  saw:  {result.saw}\n  mend: {result.mend}")
        earned = (report.level or "none").capitalize()
        app.say(f"\n{report.connector}: {earned}, {len(report.results)} checks in {report.seconds:.1f} s", "bold")
        return 0 if report.reaches(level) else 1

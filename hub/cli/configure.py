"""Write a first configuration, describe its form, and sign in where a person has to."""

from __future__ import annotations

import json
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import msgspec

from hub.cli.app import App
from hub.cli.speech import Command, Group, ask, confirm
from hub.errors import ConfigError
from hub.source import Suggestion
from hub.words import LANGS, Lang, language, tr, use


def template(name: str) -> str:
    """Return the text of a shipped template."""
    from importlib.resources import files

    return (files("hub.cli") / "templates" / name).read_text(encoding="utf-8")


_COMMENT = re.compile(r"(?<= # )[^#\n]+$|(?<=^# )[A-Z][^\n]*$", re.MULTILINE)


def comments(text: str) -> set[str]:
    """Return what the comments of a template of the configuration say; settings in comments are settings."""
    return set(_COMMENT.findall(text))


def spoken(text: str) -> str:
    """Return a part of a configuration with its comments in the language spoken."""
    return _COMMENT.sub(lambda found: tr(found[0]), text)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError as exc:
        raise ConfigError(
            tr("{path} is already there and was not touched. Move it away, or edit it.", path=path)
        ) from exc
    except OSError as exc:
        raise ConfigError(tr("{path} cannot be written: {reason}.", path=path, reason=exc.strerror)) from exc


def _ask_language() -> Lang:
    """Ask for the language in both, before anything else is said."""
    said = ask("Language / Langue", type=click.Choice(LANGS), default=language())
    return next(lang for lang in LANGS if lang == said)


def _ask_sources(app: App) -> list[str]:
    blocks: list[str] = []
    kinds = sorted(app.plugins.sources)
    while kinds:
        kind = ask(
            tr("Add a source (Enter to go on)"),
            type=click.Choice([*kinds, ""]),
            default="",
            show_default=False,
        )
        if not kind:
            break
        name = ask(tr("  a short name for it"), default=kind)
        lines = [f"[sources.{name}]", f'kind = "{kind}"']
        lines += _ask_settings(app.plugins.sources[kind])
        blocks.append("\n".join(lines) + "\n")
    return blocks


def _ask_settings(cls: Any) -> list[str]:
    """Ask for what a table of settings needs, and for what it asks besides.

    A table inside it is written on one line.
    """
    fields = {field.name: field for field in msgspec.structs.fields(cls) if field.name != "name"}
    required = [name for name, field in fields.items() if field.required]
    lines = []
    for one in (*required, *(name for name in cls.asks if name not in required)):
        kind = fields[one].type
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            lines.append(f"{one} = {{ {', '.join(_ask_settings(kind))} }}")
        else:
            lines += _ask_setting(one, secret="Secret" in str(kind), required=one in required)
    return lines


def _ask_setting(name: str, *, secret: bool, required: bool) -> list[str]:
    """Ask for one setting; of a secret only the name of the variable that holds it."""
    words = (tr("  {name}, the environment variable that holds it", name=name) if secret else f"  {name}") + (
        "" if required else tr(" (Enter: none)")
    )
    answer = ask(words) if required else ask(words, default="", show_default=False)
    if not answer:
        return []
    text = json.dumps(answer, ensure_ascii=False)
    return [f"{name} = {{ env = {text} }}" if secret else f"{name} = {text}"]


def _ask_folder(app: App) -> list[Suggestion]:
    """Ask for a folder of files, and for each source that would read some of them."""
    folder = ask(
        tr("A folder with files to read: plans, hours, budgets (Enter for none)"),
        default="",
        show_default=False,
    )
    return _chosen(app, folder, ask=True) if folder else []


def _chosen(app: App, folder: str, *, ask: bool) -> list[Suggestion]:
    from hub.cli import first

    chosen = first.choose(app, first.suggestions(app, folder), ask=ask)
    for path in first.left_over(chosen, app, folder):
        app.say(tr("  not read: {file}", file=path.name), "yellow")
    return chosen


def _configuration(lang: Lang, blocks: list[str], schedule: str | None) -> str:
    """Return the commented example with what was answered."""
    text = spoken(template("hub.toml")).replace('lang = "en"', f'lang = "{lang}"', 1)
    if blocks:
        head, _, rest = text.partition("# [sources.plans]")
        text = head + "\n".join(blocks) + "\n# [sources.plans]" + rest
    if schedule:
        text = text.replace(
            '# [schedule]\n# run = "0 6 * * 1-5"', f"[schedule]\nrun = {json.dumps(schedule)}"
        )
    return text


def _test(app: App) -> None:
    """Test each source of the configuration that was written."""
    from hub.sync import check

    settings = app.settings
    for source in settings.sources.values():
        for one in check(source, settings.base, network=settings.engine.network, currency=settings.currency):
            app.say(
                f"  {source.name}: {tr(one.state)}: {one.detail}",
                "red" if one.state == "failed" else None,
            )


@click.command(cls=Command)
@click.option("--yes", is_flag=True, help="Ask nothing: write the commented example.")
@click.option(
    "--lang",
    type=click.Choice(LANGS),
    help="The language of all the hub says; asked first where it is not given.",
)
@click.option("--from", "folder", metavar="FOLDER", help="Read the files of this folder.")
@click.pass_obj
def init(app: App, yes: bool, lang: Lang | None, folder: str | None) -> int:
    """Write a configuration: ask for your files and tools, test each, read them and publish.

    Example: hub init --from .
    """
    from hub.cli import first
    from hub.reference import EXAMPLES
    from hub.schedule import Cron

    path = app.config
    if path.exists():
        raise ConfigError(
            tr(
                "{path} is already there and was not touched. Edit it, or name another with --config.",
                path=path,
            )
        )
    if lang is None:
        lang = language() if yes else _ask_language()
    use(lang)
    schedule = None
    found = _chosen(app, folder, ask=not yes) if folder else []
    blocks = [first.block(one) for one in found]
    if not yes:
        app.say(tr("This writes {path}. Everything in it can be changed later.", path=path))
        if not folder:
            found = _ask_folder(app)
            blocks = [first.block(one) for one in found]
        blocks += _ask_sources(app)
        schedule = ask(tr("When should it run (cron)? Enter for no schedule"), default="", show_default=False)
        if schedule:
            Cron.parse(schedule)
    text = _configuration(lang, blocks, schedule)
    _write(path, text + spoken(first.OFFICE) if found else text)
    for one in found:
        for name, content in one.writes.items():
            _write(app.config.resolve().parent.parent / name, content)
    for name, text in EXAMPLES.items():
        example = path.parent / f"{Path(name).stem}.example.csv"
        if not example.exists():
            _write(example, text)
    app.say(
        tr(
            "Wrote {path}, and an example of each file of reference data beside it: rename those you want.",
            path=path,
        ),
        "green",
    )
    _test(app)
    if found and (yes or confirm(tr("Read them and publish a first workbook?"), default=True)):
        return first.read_and_publish(app)
    app.say(
        tr(
            "Next: edit it, `hub check`, then `hub run`. `hub schedule install` sets the schedule up."
            if schedule
            else "Next: edit it, `hub check`, then `hub run`."
        )
    )
    return 0


def add_to(cli: click.Group) -> None:
    """Add init, signin and config schema."""
    cli.add_command(init)

    @cli.command()
    @click.argument("name")
    @click.pass_obj
    def signin(app: App, name: str) -> int:
        """Sign in to Microsoft once, by a code in a browser, for the source or destination NAME.

        Example: hub signin planner
        """
        # msal is slow to import: only this command pays for it
        from hub.entra import SignIn

        known: dict[str, Any] = {**app.settings.sources, **app.settings.destinations}

        signs_in = getattr(known.get(name), "signs_in", None)
        if signs_in is None:
            able = [key for key, one in known.items() if getattr(one, "signs_in", None)]
            raise ConfigError(
                tr(
                    "{name!r} is nothing that signs in to Microsoft; those that do: {able}.",
                    name=name,
                    able=", ".join(able) or tr("none"),
                )
            )
        account, resource = signs_in
        with closing(app.settings.engine.network.session()) as session:
            who = SignIn(account, session, base=app.settings.base, name=name).by_code(resource, app.say)
        app.say(
            tr(
                "{who} is signed in; runs use it from now on, until it is taken back or unused for 90 days.",
                who=who,
            ),
            "green",
        )
        return 0

    @cli.group(cls=Group)
    def config() -> None:
        """Help with the configuration."""

    @config.command()
    @click.pass_obj
    def schema(app: App) -> int:
        """Print the JSON Schema of the configuration, for editors.

        Example: hub config schema > hub.schema.json
        """
        from hub.settings import json_schema

        found: dict[str, Any] = json_schema(app.plugins.sources, app.plugins.destinations)
        click.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return 0

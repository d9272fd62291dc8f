"""The command line in the language spoken: click's own words, the help of commands and of their options."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import cleandoc
from typing import Any

import click

from hub.settings import find_config, lang_of
from hub.words import Lang, language, mark, of_environment, tr

CLICK = (
    mark("Usage:"), mark("Options"), mark("Commands"), mark("Positional arguments"),
    mark("Try '{command} {option}' for help."), mark("Error: {message}"),
    mark("Aborted!"), mark("default: {default}"), mark("deprecated"), mark("required"),
    mark("Missing command."), mark("Missing argument"), mark("Missing option"), mark("Missing parameter"),
    mark("Missing {param_type}"), mark("Missing parameter: {param_name}"),
    mark("No such command {name!r}."), mark("No such option {name!r}."),
    mark("Invalid value: {message}"), mark("Invalid value for {param_hint}: {message}"),
    mark("Choose from:\n\t{choices}"), mark("Did you mean {possibility}?"),
    mark("(Did you mean one of: {possibilities}?)"),
    mark("{value!r} is not one of {choices}."), mark("{value!r} is not {choice}."),
    mark("{value!r} is not a valid {number_type}."),
    mark("{value!r} is not a valid boolean. Recognized values: {states}"),
    mark("{value} is not in the range {range}."), mark("{name} {filename!r} does not exist."),
    mark("{name} {filename!r} is a directory."), mark("{name} {filename!r} is a file."),
    mark("{name} {filename!r} is not readable."), mark("{name} {filename!r} is not writable."),
    mark("env var: {var}"),
    mark("Option {name!r} does not take a value."), mark("Option {name!r} requires an argument."),
    mark("Got unexpected extra argument ({args})"), mark("Got unexpected extra arguments ({args})"),
    mark("Argument {name!r} takes {nargs} values."), mark("Error: invalid input"),
    mark("Error: The two entered values do not match."), mark("Repeat for confirmation"),
    mark("Could not open file {filename!r}: {message}"), mark("unknown error"),
)  # fmt: skip
"""What click says by itself, as its gettext calls write it."""


_YES, _NO = {"y", "yes", "o", "oui"}, {"n", "no", "non"}


TYPES = (
    mark("text"), mark("integer"), mark("integer range"), mark("float"), mark("float range"), mark("boolean"),
    mark("choice"), mark("datetime"), mark("uuid"), mark("filename"), mark("file"), mark("directory"),
    mark("path"),
)  # fmt: skip
"""What click calls its types of parameters, in help and in errors."""


def ask(question: str, **how: Any) -> Any:
    """Ask for a text, as `click.prompt` does, with the colon of the language."""
    return click.prompt(question, prompt_suffix=tr(": "), **how)


def confirm(question: str, *, default: bool = False) -> bool:
    """Ask a question that is answered with yes or no, in either language."""
    shown = tr("[Y/n]") if default else tr("[y/N]")
    while True:
        said = ask(f"{question} {shown}", default="", show_default=False).strip().lower()
        if not said:
            return default
        if said in _YES | _NO:
            return said in _YES
        click.echo(tr("Error: invalid input"))


def only_if(question: str) -> None:
    """Go on only where somebody says yes to *question*; else end with 130, nothing being changed."""
    if not confirm(question):
        click.echo(tr("Nothing was changed."), err=True)
        raise click.exceptions.Exit(130)


class _Named:
    """The name of a type of parameter, which click keeps in the words of its first use."""

    def __init__(self, plain: str) -> None:
        """Call those of the class *plain*."""
        self.plain = plain

    def __get__(self, one: Any, owner: type) -> str:
        """Return the name in the language spoken."""
        return tr(self.plain if one is None else vars(one).get("name", self.plain))

    def __set__(self, one: Any, value: str) -> None:
        """Keep the name in English, whatever was spoken when click gave it."""
        vars(one)["name"] = next((name for name in TYPES if tr(name) == value), value)


def take_over() -> None:
    """Let click ask our catalogue for what it says by itself.

    It calls gettext by a name in each of its modules, and gettext would look in the system's folders.
    """
    from click import core, decorators, exceptions, formatting, parser, termui, types

    for module in (core, decorators, exceptions, formatting, parser, termui, types):
        for name, say in (("_", tr), ("ngettext", _plural)):
            if hasattr(module, name):
                setattr(module, name, say)
    for kind in vars(types).values():
        if isinstance(kind, type) and isinstance(plain := vars(kind).get("name"), str):
            kind.name = _Named(plain)  # type: ignore[attr-defined]
    types.Path.name = _Named("path")  # type: ignore[assignment]


def _plural(one: str, many: str, n: int) -> str:
    return tr(one if n == 1 else many)


def config_of(arguments: list[str]) -> str | None:
    """Return the configuration that the *arguments* of a command line name."""
    for place, text in enumerate(arguments):
        if text == "--config" and place + 1 < len(arguments):
            return arguments[place + 1]
        if text.startswith("--config="):
            return text.partition("=")[2]
    return None


def for_programs(arguments: list[str]) -> bool:
    """Say whether a command line asks for what programs read: ``--json``, ``--format json``."""
    return "--json" in arguments or "--format json" in " ".join(arguments).replace("=", " ")


def lang_for(arguments: list[str]) -> Lang:
    """Return the language of a command line: its configuration's, else the environment's.

    What is written for programs is the same in every language.
    """
    if for_programs(arguments):
        return "en"
    return lang_of(find_config(config_of(arguments))) or of_environment()


@contextmanager
def _said(command: click.Command) -> Iterator[None]:
    """Let *command* have its help, and that of its options, in the language spoken."""
    if language() == "en":
        yield
        return
    before = command.help, command.short_help, command.params
    command.help = command.help and tr(cleandoc(command.help))
    command.short_help = command.short_help and tr(cleandoc(command.short_help))
    command.params = [_option(param) for param in command.params]
    try:
        yield
    finally:
        command.help, command.short_help, command.params = before


def _option(param: click.Parameter) -> click.Parameter:
    if isinstance(param, click.Option) and param.help:
        param = copy.copy(param)
        param.help = tr(cleandoc(param.help or ""))
    return param


class Command(click.Command):
    """A command whose help is in the language spoken."""

    def get_short_help_str(self, limit: int = 45) -> str:
        """Return the first sentence of the help."""
        with _said(self):
            return super().get_short_help_str(limit)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return the option that shows the help; click keeps it with the words of its first use."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = tr("Show this message and exit.")
        return option

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help."""
        with _said(self):
            super().format_help(ctx, formatter)


class Group(Command, click.Group):
    """A group that lists its commands in the order they are taught, in the language spoken."""

    command_class = Command
    group_class = type

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order they were added."""
        return list(self.commands)

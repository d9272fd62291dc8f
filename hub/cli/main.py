"""The whole command line: the hub's own commands, then those of plugins; errors become exit codes."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from hub import logs
from hub.cli import (
    configure,
    doctor,
    forecasts,
    info,
    jobs,
    kpis,
    lacking,
    match,
    people,
    schedules,
    streams,
    upkeep,
)
from hub.cli.app import App, plugin_folder
from hub.cli.speech import Command, Group, config_of, for_programs, lang_for, take_over
from hub.cli.stopping import stopped_by_signals
from hub.errors import HubError, PluginError
from hub.plugins import Named, Plugins
from hub.words import speaking, tr

log = logging.getLogger("hub")


class _Promised(Command):
    """A plugin's command in the list of commands; the plugin is imported when it is called."""

    def __init__(self, name: str, named: Named, keep: Callable[[], None]) -> None:
        super().__init__(name, help=named.help, hidden=named.hidden)
        self.keep = keep


class _Whole(Group):
    """The group at the top: it keeps what it promised when a command is called, and speaks its language."""

    def main(self, args: Sequence[str] | None = None, *others: Any, **options: Any) -> Any:
        """Run in the language of the configuration that *args* name."""
        with speaking(lang_for(list(sys.argv[1:] if args is None else args))):
            return super().main(args, *others, **options)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command called, after its plugin added it."""
        if args and isinstance(promised := self.commands.get(args[0]), _Promised):
            promised.keep()
        return super().resolve_command(ctx, args)


def build_cli(arguments: list[str] | None = None, *, promises: bool = False) -> click.Group:
    """Return the whole command line: the hub's own commands, then those of plugins.

    With *promises* plugins are imported only for the command that is called; else every command is there.
    """

    @click.group(
        cls=_Whole, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
    )
    @click.option(
        "--config",
        "config",
        metavar="FILE",
        help="The configuration; default ./config/hub.toml, then HUB_CONFIG.",
    )
    @click.option("--now", "moment", hidden=True, help="Live at this instant; for demonstrations.")
    @click.option("-v", "--verbose", is_flag=True, help="Log what happens inside, on the error output.")
    @click.option(
        "--version",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_show_version,
        help="Show the version and the commit it was built from.",
    )
    @click.pass_context
    def cli(ctx: click.Context, config: str | None, moment: str | None, verbose: bool) -> None:
        """Sync the project tools you have into one store, and publish one reporting feed.

        Example: hub run
        """
        logs.to_screen(verbose=verbose)
        _live_at(moment)
        ctx.obj = App(config, plugins if plugins.folder == plugin_folder(config) else None)

    take_over()
    for room in (configure, jobs, info, doctor, upkeep, lacking, kpis, forecasts, match, people, schedules):
        room.add_to(cli)
    plugins = Plugins(plugin_folder(config_of(arguments or [])))
    for name, commands in list(plugins.commands()):
        if promises and commands is not None:

            def keep(name: str = name) -> None:
                _add_commands(cli, plugins, name)

            for command, named in commands.items():
                cli.add_command(_Promised(command, named, keep))
            continue
        try:
            _add_commands(cli, plugins, name)
        except PluginError as exc:
            click.echo(tr("Warning: {problem}", problem=exc), err=True)
    return cli


def _add_commands(cli: click.Group, plugins: Plugins, name: str) -> None:
    """Let the plugin *name* add its commands. Raises `PluginError` where it cannot."""
    module = plugins.module(name)
    try:
        module.register_commands(cli)
    except Exception as exc:
        raise PluginError(
            tr("the commands of the plugin {name} cannot be used: {error}", name=name, error=exc)
        ) from exc


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from hub.version import release

        click.echo(f"hub {release()}")
        ctx.exit()


def _live_at(moment: str | None) -> None:
    from hub import clock

    if moment is None:
        clock.pretend(None)
        return
    from datetime import datetime

    from hub.feed.moment import instant

    clock.pretend(datetime.fromisoformat(instant(moment)))


def main() -> None:
    """Run the command line; a `HubError` becomes its sentence and its exit code."""
    streams.lose_words_only()
    with speaking(lang_for(sys.argv[1:])):
        _run()


def _run() -> None:
    cli = build_cli(sys.argv[1:], promises=True)
    try:
        with stopped_by_signals():
            code = cli.main(standalone_mode=False)
    except HubError as exc:
        log.log(logging.WARNING, "ended with exit code %d: %s", exc.exit_code, exc)
        click.echo(tr("Error: {message}", message=exc), err=True)
        sys.exit(exc.exit_code)
    except click.exceptions.Exit as exc:
        sys.exit(exc.exit_code)
    except click.ClickException as exc:
        exc.show()
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        click.echo(
            tr("Interrupted: everything up to the last batch is kept. Run the command again to go on."),
            err=True,
        )
        sys.exit(130)
    except Exception:
        log.critical("ended by an error that nobody foresaw", exc_info=True)
        raise
    code = code if isinstance(code, int) else 0
    if why := streams.lost():
        click.echo(tr("Warning: not all of the output could be written: {error}.", error=why), err=True)
        if for_programs(sys.argv[1:]):
            code = code or 1  # a program must not take half an answer for the whole
    sys.exit(code)

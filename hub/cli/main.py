"""The whole command line: the hub's own commands, then those of plugins; errors become sentences and exit codes."""

from __future__ import annotations

import logging
import sys
from datetime import datetime

import click

from hub import clock
from hub.cli import configure, info, jobs, kpis, match, people, schedules
from hub.cli.app import App, Group, plugin_folder
from hub.errors import HubError, PluginError
from hub.feed.moment import instant
from hub.plugins import Plugins


def build_cli(arguments: list[str] | None = None) -> click.Group:
    """Return the whole command line: the hub's own commands, then those of plugins."""

    @click.group(
        cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
    )
    @click.option(
        "--config",
        "config",
        metavar="FILE",
        help="The configuration; default ./config/hub.toml, then HUB_CONFIG.",
    )
    @click.option("--now", "moment", hidden=True, help="Live at this instant; for demonstrations.")
    @click.option("-v", "--verbose", is_flag=True, help="Log what happens inside, on the error output.")
    @click.version_option(package_name="pm-hub", prog_name="hub")
    @click.pass_context
    def cli(ctx: click.Context, config: str | None, moment: str | None, verbose: bool) -> None:
        """Sync the project tools you have into one store, and publish one reporting feed.

        Example: hub run
        """
        logging.basicConfig(
            level=logging.INFO if verbose else logging.ERROR,
            stream=sys.stderr,
            format="%(asctime)s %(name)s %(message)s",
        )
        clock.pretend(datetime.fromisoformat(instant(moment)) if moment else None)
        ctx.obj = App(config, plugins if plugins.folder == plugin_folder(config) else None)

    for room in (configure, jobs, info, kpis, match, people, schedules):
        room.add_to(cli)
    plugins = Plugins(plugin_folder(_config_of(arguments or [])))
    for name, plugin in plugins.manager.list_name_plugin():
        register = getattr(plugin, "register_commands", None)
        if register is None:
            continue
        try:
            register(cli)
        except Exception as exc:  # noqa: BLE001 - a plugin's command must not take the hub's own with it
            click.echo(
                f"Warning: {PluginError(f'the commands of the plugin {name} cannot be used: {exc}')}",
                err=True,
            )
    return cli


def _config_of(arguments: list[str]) -> str | None:
    for place, text in enumerate(arguments):
        if text == "--config" and place + 1 < len(arguments):
            return arguments[place + 1]
        if text.startswith("--config="):
            return text.partition("=")[2]
    return None


def main() -> None:
    """Run the command line; a `HubError` becomes its sentence and its exit code."""
    cli = build_cli(sys.argv[1:])
    try:
        code = cli.main(standalone_mode=False)
    except HubError as exc:
        click.echo(f"Error: {exc}", err=True)
        sys.exit(exc.exit_code)
    except click.exceptions.Exit as exc:
        sys.exit(exc.exit_code)
    except click.ClickException as exc:
        exc.show()
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        click.echo(
            "Interrupted: everything up to the last batch is kept. Run the command again to go on.", err=True
        )
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)

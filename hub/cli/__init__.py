"""The command line: parse, call a journey, say what happened in plain sentences."""

from __future__ import annotations

import sys

from hub.cli.app import App, build_cli
from hub.errors import HubError

__all__ = ["App", "build_cli", "main"]


def main() -> None:
    """Run the command line; a `HubError` becomes its sentence and its exit code."""
    import click

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
        click.echo("Interrupted: everything up to the last batch is kept. Run the command again to go on.", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)

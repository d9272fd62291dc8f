"""Any REST or OData tool as a source of pm-hub, by a TOML mapping."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hub import Source, hookimpl

if TYPE_CHECKING:
    from hub.testing.kit import Simulator


@hookimpl
def register_sources() -> list[type[Source]]:
    """Offer the kind ``rest``."""
    from hub_rest.source import RestSource

    return [RestSource]


@hookimpl
def register_simulators() -> dict[str, type[Simulator]]:
    """Offer an OpenProject that demonstrations fill."""
    from hub_rest.testing.simulator import RestSimulator

    return {"rest": RestSimulator}


@hookimpl
def register_commands(cli: click.Group) -> None:
    """Add `hub rest try`, `hub rest suggest` and `hub rest schema`."""

    @cli.group()
    def rest() -> None:
        """Help with mappings of tools that answer JSON."""

    @rest.command("try")
    @click.argument("mapping")
    @click.option("--list", "only", metavar="LIST", help="This list of the mapping only.")
    @click.option("--url", help="Address of the tool, where no source has this mapping yet.")
    @click.option("--token-env", metavar="NAME", help="Variable of the environment that holds its token.")
    @click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="What it needs; repeatable.")
    @click.pass_obj
    def try_(
        app: Any,
        mapping: str,
        only: str | None,
        url: str | None,
        token_env: str | None,
        params: tuple[str, ...],
    ) -> int:
        """Ask for one page of each list of MAPPING and show its rows as they would be stored.

        MAPPING is a file, one that comes with pm-hub, or the name of a source. Nothing is stored.

        Example: hub rest try mappings/desk.toml --list tickets
        """
        from hub_rest.command import show_first_pages

        return show_first_pages(app, mapping, only=only, url=url, token_env=token_env, params=params)

    @rest.command()
    @click.argument("target", metavar="URL|OPENAPI|SAMPLE.json")
    @click.option("--title", help="What the tool is called.")
    @click.option(
        "--header", "headers", multiple=True, metavar="NAME=VARIABLE",
        help="A header whose value is in a variable of the environment; repeatable.",
    )  # fmt: skip
    @click.option("--only", metavar="TEXT", help="Of an OpenAPI, only paths with this text in them.")
    def suggest(target: str, title: str | None, headers: tuple[str, ...], only: str | None) -> int:
        """Print a first mapping for a tool, to be saved and completed; what is unsure is marked.

        It is guessed from the answer at a URL, from an OpenAPI description (JSON or YAML), or from a file
        with an answer.

        Example: hub rest suggest https://desk.example.org/v2/tickets?limit=5 --header X-Desk-Key=DESK_KEY
        """
        from hub_rest.command import suggestion

        click.echo(suggestion(target, title=title, headers=headers, only=only), nl=False)
        return 0

    @rest.command()
    def schema() -> int:
        """Print the JSON Schema of a mapping, for editors.

        Example: hub rest schema > mappings/mapping.schema.json
        """
        import json

        from hub_rest.schema import mapping_schema

        click.echo(json.dumps(mapping_schema(), indent=2, ensure_ascii=False))
        return 0

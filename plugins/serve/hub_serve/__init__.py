"""The feed at an address: pages, OData, the old addresses of ProjectData, and an assistant's door."""

from __future__ import annotations

from typing import Any

import click

from hub import Destination, Privacy, hookimpl

LEVELS = ("project", "team-week", "pseudonym-week", "nominative-line")


@hookimpl
def register_destinations() -> list[type[Destination]]:
    """Offer the kind ``serve``."""
    from hub_serve.place import ServePlace

    return [ServePlace]


@hookimpl
def register_commands(cli: click.Group) -> None:
    """Add `hub serve`, `hub mcp` and `hub token`."""

    @cli.command()
    @click.option("--host", help="Address to listen on; else that of the destination, or 127.0.0.1.")
    @click.option(
        "--port", type=click.IntRange(0, 65535), help="Port; else that of the destination, or 8321."
    )
    @click.pass_obj
    def serve(app: Any, host: str | None, port: int | None) -> int:
        """Show the feed at an address: pages, OData and the old addresses of Project Online.

        It listens to this machine alone and prints an address to open, which works once. Others get
        tokens by `hub token create`.

        Example: hub serve
        """
        from hub_serve.command import run

        return run(app, host=host, port=port)

    @cli.command()
    @click.option(
        "--token-env", metavar="NAME", help="Environment variable with a token; its level and rows are shown."
    )
    @click.pass_obj
    def mcp(app: Any, token_env: str | None) -> int:
        """Let an assistant on this machine ask for figures, by the Model Context Protocol.

        It speaks over standard input and output, reads only, and answers what the token shows; without one
        what `hub serve` shows here.

        Example: hub mcp --token-env PM_HUB_TOKEN
        """
        from hub_serve.assistant.server import run

        return run(app, token_env=token_env)

    @cli.group()
    def token() -> None:
        """Say who may read what `hub serve` shows.

        Example: hub token list
        """

    @token.command()
    @click.argument("name")
    @click.option("--person", metavar="ADDRESS", help="Shows the rows that access.csv allows this person.")
    @click.option(
        "--level", type=click.Choice(LEVELS), default="project", show_default=True,
        help="Level of personal detail.",
    )  # fmt: skip
    @click.option(
        "--days", type=click.IntRange(1, 3660), default=365, show_default=True, help="Days it is valid."
    )
    @click.option("--json", "json_", is_flag=True, help="Print JSON.")
    @click.pass_obj
    def create(app: Any, name: str, person: str | None, level: Privacy, days: int, json_: bool) -> int:
        """Make a token and show it, once.

        Without --person it shows all rows of its level.

        Example: hub token create powerbi --person anna.keller@example.org --days 90
        """
        from hub_serve.command import create_token

        return create_token(app, name=name, person=person, level=level, days=days, as_json=json_)

    @token.command(name="list")
    @click.option("--json", "json_", is_flag=True, help="Print JSON.")
    @click.pass_obj
    def list_(app: Any, json_: bool) -> int:
        """List the tokens: who they are for, until when, and when they were last used.

        Example: hub token list
        """
        from hub_serve.command import list_tokens

        return list_tokens(app, as_json=json_)

    @token.command()
    @click.argument("name")
    @click.pass_obj
    def revoke(app: Any, name: str) -> int:
        """Take a token back; who holds it is refused from the next request on.

        Example: hub token revoke powerbi
        """
        from hub_serve.command import revoke_token

        return revoke_token(app, name)

"""The command line: parse, call what does it, say what happened in plain sentences."""

from hub.cli.app import App
from hub.cli.main import build_cli, main

__all__ = ["App", "build_cli", "main"]

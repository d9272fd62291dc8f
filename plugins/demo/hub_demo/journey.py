"""Make the portfolio, then run the main job on it as a PMO would."""

from __future__ import annotations

import shutil
import sys
from datetime import date
from pathlib import Path
from typing import Any

import click

from hub import ConfigError
from hub_demo.portfolio import imagine
from hub_demo.write import write_all

_MARK = ".pm-hub-demo"


def show(root_context: click.Context, out: Path, *, seed: int, scale: float, lang: str) -> int:
    """Fill *out* and run ``hub run`` on it; gives the exit code of the run."""
    if out.exists() and any(out.iterdir()) and not (out / _MARK).exists():
        raise ConfigError(f"{out} is not empty and was not made by `hub demo`: name another folder with --out.")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    (out / _MARK).touch()
    portfolio = imagine(seed=seed, scale=scale, today=date.today())
    write_all(portfolio, out, lang=lang)
    click.echo(
        f"Made {len(portfolio.projects)} plans, {len(portfolio.lines):,} timesheet lines, an ERP export and a risk register in {out}."
    )
    cli: Any = root_context.command
    config = out / "config" / "hub.toml"
    # as this person can type it: the environment's hub is not on the path of a fresh machine
    hub = "hub" if shutil.which("hub") else sys.argv[0]
    click.echo(f"$ {hub} --config {config} run")
    code = cli.main(["--config", str(config), "run"], standalone_mode=False)
    click.echo(f"Next, change a file in {out} and run again; or look around:")
    for words in ("run", "status", "presence", "store info"):
        click.echo(f"  {hub} --config {config} {words}")
    return code if isinstance(code, int) else 0

"""Three hubs: two subsidiaries that each read their own tools, and a group that reads what they publish."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec

from hub import ConfigError, tr
from hub_demo.run import quietly
from hub_demo.sites import MARK, Mark, free_ports
from hub_demo.write import write_all

CONFIG = """# The group: it reads what its subsidiaries publish, and one of their tools itself.
store = "sqlite:///data/hub.db"
feed = "data/feed"
lang = "{lang}"
country = "FR"
currency = "EUR"

[sources.north]                  # the feed of one subsidiary, from its folder
kind = "hub"
path = "../north/data/feed"

[sources.south]                  # of another, in Swiss francs: fx.csv turns them into euros
kind = "hub"
path = "../south/data/feed"

[sources.issues]                 # the north's Jira: both read it, its issues count once
kind = "jira"
url = "http://127.0.0.1:{port}"
email = "pmo@demo.example"
token = {{ file = "config/simulators.token" }}
history = ["status", "issuetype"]
types = {{ Evolution = "evolution", Task = "unknown" }}

[destinations.office]
kind = "files"
path = "out"
formats = ["parquet", "xlsx"]
"""
SISTERS = (("north", "EUR", 0), ("south", "CHF", 1))
FRANCS = 0.94
"""Of one euro, in every month of the demonstration."""


class Sums(NamedTuple):
    """What one hub's feed comes to."""

    projects: int
    tasks: int
    hours: float
    spent: float


def show_group(root_context: click.Context, out: Path, *, seed: int, scale: float, lang: str) -> int:
    """Fill *out* with three hubs, run each, say what they come to, and return the exit code of the group."""
    if out.exists() and any(out.iterdir()) and not (out / MARK).exists():
        raise ConfigError(
            tr("{out} is not empty and was not made by `hub demo`: name another folder with --out.", out=out)
        )
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    moment = root_context.params.get("moment")
    pretended = ["--now", moment] if moment else []
    today = datetime.fromisoformat(moment).date() if moment else date.today()
    cli: Any = root_context.command
    marks = {}
    for name, currency, more in SISTERS:
        marks[name] = Mark(seed=seed + more, scale=scale, today=today, ports=free_ports())
        _subsidiary(out / name, marks[name], today, lang=lang, currency=currency)
        click.echo(tr("{name}: sync, publish in {currency}.", name=name, currency=currency))
        config = str(out / name / "config" / "hub.toml")
        quietly(cli, ["--config", config, *pretended, "sync"])
        quietly(cli, ["--config", config, *pretended, "publish"])
    (out / MARK).write_bytes(msgspec.json.encode(marks["north"]))
    _group(out, marks["north"], today, lang=lang)
    config = str(out / "group" / "config" / "hub.toml")
    hub = "hub" if shutil.which("hub") else sys.argv[0]
    click.echo(tr("$ {hub} --config {config} run", hub=hub, config=config))
    code = cli.main(["--config", config, *pretended, "run"], standalone_mode=False)
    for name, currency in (*((name, currency) for name, currency, _ in SISTERS), ("group", "EUR")):
        one = _sums(out / name / "data" / "feed")
        click.echo(
            tr(
                "{name}: {projects} {projects:project|projects}, {tasks:,} {tasks:task|tasks}, "
                "{hours:,.0f} h, {spent:,.2f} {currency} spent",
                name=f"{name:<6}", projects=one.projects, tasks=one.tasks, hours=one.hours, spent=one.spent,
                currency=currency,
            )
        )  # fmt: skip
    return code if isinstance(code, int) else 0


def _subsidiary(root: Path, mark: Mark, today: date, *, lang: str, currency: str) -> None:
    """Write the tools and the configuration of one subsidiary, whose money is *currency*."""
    root.mkdir()
    (root / MARK).write_bytes(msgspec.json.encode(mark))
    write_all(mark.portfolio, root, today, lang=lang, ports=mark.ports)
    config = root / "config" / "hub.toml"
    text = config.read_text(encoding="utf-8")
    text = text.replace('country = "FR"\n', f'country = "FR"\ncurrency = "{currency}"\n', 1)
    config.write_text(text.partition("[destinations.")[0], encoding="utf-8")
    for mapping in root.rglob("mappings/*.toml"):
        mapping.write_text(
            mapping.read_text(encoding="utf-8").replace('value = "EUR"', f'value = "{currency}"'),
            encoding="utf-8",
        )


def _group(out: Path, mark: Mark, today: date, *, lang: str) -> None:
    """Write the group's configuration: its own portfolio over those of the subsidiaries, its rates and fx."""
    config = out / "group" / "config"
    config.mkdir(parents=True)
    (out / "group" / MARK).write_bytes(msgspec.json.encode(mark))
    text = CONFIG.format(lang=lang, port=mark.ports["jira"])
    (config / "hub.toml").write_text(text, encoding="utf-8")
    shutil.copy(out / "north" / "config" / "simulators.token", config)
    projects = [["GROUP", "Group", "portfolio", ""]]
    links = []
    for name, _, _ in SISTERS:
        theirs = out / name / "config"
        projects.append([name.upper(), name.title(), "program", "GROUP"])
        for line in _lines(theirs / "projects.csv"):
            if line["level"] == "project":
                code = f"{name[0].upper()}-{line['code']}"
                projects.append([code, line["name"], "project", name.upper()])
                links.append([code, name, line["code"], "", ""])
        if name == "north":
            for line in _lines(theirs / "project_links.csv"):
                if line["source"] == "tracker":
                    code = f"N-{line['project_code']}"
                    links.append([code, "issues", line["container"], line["filter"], line["facets"]])
    _write(config / "projects.csv", ["code", "name", "level", "parent_code"], projects)
    _write(config / "project_links.csv", ["project_code", "source", "container", "filter", "facets"], links)
    _write(config / "rates.csv", ["scope", "scope_id", "per_day", "valid_from"],
           [["default", "*", "600", "2024-01-01"]])  # fmt: skip
    months = [
        f"{year}-{month:02}" for year in range(today.year - 3, today.year + 3) for month in range(1, 13)
    ]
    _write(config / "fx.csv", ["currency", "month", "per_eur"],
           [["CHF", month, str(FRANCS).replace(".", ",")] for month in months])  # fmt: skip


def _lines(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def _write(path: Path, header: list[str], rows: Iterable[Iterable[str]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(header)
        writer.writerows(rows)


def _sums(feed: Path) -> Sums:
    """Return what the current feed below *feed* comes to, as its manifest says."""
    folder = feed / (feed / "CURRENT").read_text(encoding="utf-8").strip()
    tables = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["tables"]
    return Sums(
        projects=tables["dim_project"]["rows"] - 1,  # none is a row too
        tasks=tables["fact_task_snapshot"]["rows"],
        hours=tables["fact_worklog"]["sums"]["seconds"] / 3600,
        spent=tables["fact_budget"]["sums"]["consumed_amount"] or 0,
    )

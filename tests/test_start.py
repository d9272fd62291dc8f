"""A quick start: what a command loads is what it needs, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LOADED = """
import sys
sys.argv = ["hub", *sys.argv[1:]]
from hub.cli import main
try:
    main()
except SystemExit as ended:
    code = ended.code
own = sys.stdlib_module_names | {"__main__"}
names = {name.partition(".")[0] for name, module in sys.modules.items() if getattr(module, "__file__", None)}
print(code, *sorted(name for name in names - own if not name.startswith("_")), file=sys.stderr)
"""
ALWAYS = {"click", "hub", "msgspec", "pluggy", "typing_extensions"}
STORE = {
    "dateutil",
    "filelock",
    "six",
    "sqlite_fts4",
    "sqlite_utils",
    "rich",
}  # what a store and a table on the screen take
PLAIN = """
[sources.jira]
kind = "jira"
url = "https://acme.example"
email = "pmo@acme.example"
token = { env = "JIRA_TOKEN" }

[destinations.office]
kind = "files"
path = "out"

[destinations.sql]
kind = "postgresql"
host = "localhost"
database = "reports"
user = "hub"
"""
OFFERED = {"hub_files", "hub_jira", "hub_postgresql"}  # what the configuration names, without what they reach


def loaded(folder: Path, cache: Path, *arguments: str) -> set[str]:
    """Return the third-party packages that a command loads, by their names at the top."""
    seen = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PM_HUB_CACHE": str(cache)},
    )
    code, *names = seen.stderr.splitlines()[-1].split()

    assert "0" == code, seen.stdout + seen.stderr
    return set(names)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with reference data and tools, synced once."""
    folder = tmp_path_factory.mktemp("start")
    (folder / "config").mkdir()
    (folder / "config" / "projects.csv").write_text("code,name,level\nP1,One,project\n")
    (folder / "config" / "hub.toml").write_text(PLAIN)
    loaded(folder, folder / "cache", "sync", "config")
    return folder


@pytest.mark.long
def test_help(folder: Path) -> None:
    """`hub --help` names every command, those of plugins too, and imports no plugin."""
    assert ALWAYS >= loaded(folder, folder / "cache", "--help")


def test_status(folder: Path) -> None:
    """`hub status` without a feed loads the classes that the configuration names, no library of theirs."""
    assert ALWAYS | STORE | OFFERED >= loaded(folder, folder / "cache", "status")


def test_quiet_sync(folder: Path) -> None:
    """A sync that finds nothing new loads no DuckDB, no HTTP, no tool's library.

    `hub_demo` is asked whether it opens something.
    """
    assert ALWAYS | STORE | OFFERED | {"hub_demo"} >= loaded(folder, folder / "cache", "sync", "config")


def test_the_first_start(folder: Path, tmp_path: Path) -> None:
    """With nothing remembered plugins are imported once to know what they offer.

    Their heavy libraries are not.
    """
    first = loaded(folder, tmp_path, "--help")

    assert "hub_jira" in first
    assert not first & {
        "apprise",
        "apscheduler",
        "duckdb",
        "holidays",
        "jira",
        "msal",
        "numpy",
        "psycopg",
        "requests",
        "rich",
    }
    assert ALWAYS >= loaded(folder, tmp_path, "--help")


@pytest.mark.long
def test_numpy_is_for_forecasts_alone(folder: Path, tmp_path: Path) -> None:
    """With a feed published neither the helps nor `hub status`, which reads it, load numpy."""
    config = (folder / "config" / "hub.toml").read_text()
    (folder / "config" / "hub.toml").write_text(config.partition("[destinations.sql]")[0])
    loaded(folder, folder / "cache", "publish")

    assert "numpy" not in loaded(folder, folder / "cache", "--help")
    assert "numpy" not in loaded(folder, folder / "cache", "status")
    assert "numpy" not in loaded(folder, folder / "cache", "forecast", "--help")

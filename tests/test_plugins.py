"""Plugins: a broken one is explained and left out, the rest lives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.plugins import Plugins
from hub.store import Store
from hub.testing import HubResult

GOOD = """
from typing import ClassVar
from hub import Source, Check, Partition, Batch, Container, hookimpl

class Paper(Source, frozen=True, kw_only=True):
    kind: ClassVar[str] = "paper"
    provides = (Container,)
    def check(self, ctx): return [Check(name="paper", state="ok", detail="here")]
    def plan(self, ctx, cursors): return [Partition(id="all")]
    def read(self, ctx, partition, cursor):
        return [Batch(records=[Container(id=self.row_id(1), kind="folder", name="Folder")], cursor=1)]

@hookimpl
def register_sources(): return [Paper]

@hookimpl
def map_record(source, record):
    if source.kind == "paper":
        import msgspec
        return msgspec.structs.replace(record, name="Mapped")

@hookimpl
def run_finished(run):
    raise RuntimeError("the chat is down")
"""


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("syntax", "def (", "SyntaxError"),
        ("crash", "raise RuntimeError('no licence')", "no licence"),
        ("missing", "import a_package_nobody_has", "a_package_nobody_has"),
        ("unknown", "from hub import hookimpl\n@hookimpl\ndef register_dreams(): ...", "register_dreams"),
        (
            "notasource",
            "from hub import hookimpl\n@hookimpl\ndef register_sources(): return [dict]",
            "is not a Source",
        ),
        ("nokind", "from hub import *\n@hookimpl\ndef register_sources(): return [Source]", "has no `kind`"),
        ("signature", "from hub import hookimpl\n@hookimpl\ndef run_finished(nonsense): ...", "nonsense"),
    ],
)
def test_a_broken_plugin_stops_no_other(tmp_path: Path, name: str, text: str, words: str) -> None:
    """It is named with its fault, its file and the way to mend it; the good one works."""
    (tmp_path / f"{name}.py").write_text(text)
    (tmp_path / "zgood.py").write_text(GOOD)
    plugins = Plugins(tmp_path, entry_points=False)
    (broken,) = plugins.broken()

    assert ["paper"] == list(plugins.sources)
    assert name == broken.name
    assert words in (broken.problem or "")
    assert f"{name}.py" in (broken.problem or "")


def test_two_plugins_of_one_kind(tmp_path: Path) -> None:
    """The second to offer a kind is broken, and says who was first."""
    (tmp_path / "a.py").write_text(GOOD)
    (tmp_path / "b.py").write_text(GOOD)
    plugins = Plugins(tmp_path, entry_points=False)

    assert ["b"] == [info.name for info in plugins.broken()]
    assert "already offered by hub_local_a" in (plugins.infos[1].problem or "")


def test_a_file_in_config_is_a_plugin(hub_folder: Path, run_hub: Callable[..., HubResult]) -> None:
    """A single file needs no packaging.

    It is listed, configured, checked and synced, and its rule is applied.
    """
    (hub_folder / "config" / "plugins").mkdir()
    (hub_folder / "config" / "plugins" / "paper.py").write_text(GOOD)
    (hub_folder / "config" / "plugins" / "sick.py").write_text("1/0")
    (hub_folder / "config" / "hub.toml").write_text("[sources.p]\nkind = 'paper'\n")
    listed = run_hub("plugin", "list")
    synced = run_hub("sync")
    shown = run_hub("store", "info", "--json")

    assert 1 == listed.exit_code
    assert "paper" in listed.output
    assert "The plugin sick cannot be used: ZeroDivisionError" in listed.output
    assert 0 == synced.exit_code
    assert "Warning: The plugin sick" in synced.error
    assert "failed in run_finished: RuntimeError: the chat is down" in synced.error
    assert '"table": "container", "rows": 1' in shown.output


RULE = """
import msgspec
from hub import Container, hookimpl

@hookimpl
def map_record(record):
    if isinstance(record, Container):
        return msgspec.structs.replace(record, name=record.name + "%s")
"""


def test_rules_of_two_plugins_are_chained(hub_folder: Path, run_hub: Callable[..., HubResult]) -> None:
    """Each rule gets what the one before it made; the one registered last is asked first."""
    (hub_folder / "config" / "plugins").mkdir()
    for name, text in {"paper": GOOD, "a": RULE % " a", "b": RULE % " b"}.items():
        (hub_folder / "config" / "plugins" / f"{name}.py").write_text(text)
    (hub_folder / "config" / "hub.toml").write_text("[sources.p]\nkind = 'paper'\n")
    synced = run_hub("sync")
    with Store.open(hub_folder / "data" / "hub.db") as store:
        (name,) = (row["name"] for row in store.rows("SELECT name FROM container"))

    assert 0 == synced.exit_code, synced.error
    assert "Mapped b a" == name


@pytest.mark.long
def test_what_sources_need_is_open_while_they_are_asked(
    hub_folder: Path, run_hub: Callable[..., HubResult]
) -> None:
    """A plugin's tunnel is open during check, sync and run, and closed afterwards, also after a failure.

    Other commands never see it.
    """
    folder = hub_folder / "config" / "plugins"
    folder.mkdir(parents=True)
    (folder / "good.py").write_text(GOOD)
    (folder / "tunnel.py").write_text(TUNNEL)
    (hub_folder / "config" / "hub.toml").write_text('[sources.paper]\nkind = "paper"\n')
    said = []
    for words in ("check", "sync", "run", "status"):
        run_hub(words)
        said.append((hub_folder / "tunnel.txt").read_text())
        (hub_folder / "tunnel.txt").write_text("")

    assert ["open hub.toml closed "] * 3 == said[:3]
    assert "" == said[3]


TUNNEL = """
from contextlib import contextmanager
from hub import hookimpl

@hookimpl
def around_sync(config, simulators, now):
    @contextmanager
    def tunnel():
        with open(config.parent.parent / "tunnel.txt", "a") as file:
            file.write(f"open {config.name} ")
            assert now.tzinfo and "jira" in simulators
            try:
                yield
            finally:
                file.write("closed ")
    return tunnel()
"""


MARK = """
from pathlib import Path
with Path({mark!r}).open("a") as file:
    file.write("imported ")
"""
SAYS = """
import click
from hub import hookimpl

@hookimpl
def register_commands(cli):
    @cli.command()
    def greet():
        "Say hello."
        click.echo("hello")
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder for what is remembered of plugins."""
    monkeypatch.setenv("PM_HUB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_plugin_is_imported_once_to_be_known(tmp_path: Path, cache: Path) -> None:
    """What it offers is remembered.

    It is imported again when one of its kinds is asked for, or when its file changed.
    """
    folder, mark = tmp_path / "plugins", tmp_path / "mark"
    folder.mkdir()
    (folder / "paper.py").write_text(MARK.format(mark=str(mark)) + GOOD)

    def imports() -> int:
        return mark.read_text().count("imported")

    first = Plugins(folder, entry_points=False)
    named = Plugins(folder, entry_points=False)

    assert 1 == imports()
    assert [info.hooks for info in first.infos] == [info.hooks for info in named.infos]
    assert ["paper"] == list(named.sources)
    assert 1 == imports()
    assert "Paper" == named.sources["paper"].__name__
    assert 2 == imports()
    (folder / "paper.py").write_text(MARK.format(mark=str(mark)) + GOOD.replace('"paper"', '"sheet"'))
    os.utime(folder / "paper.py", (1, 1))  # Python sees no change of one size within a second

    assert ["sheet"] == list(Plugins(folder, entry_points=False).sources)
    assert 3 == imports()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"x": 1}', b"\xff\xfe", b'{"x": {"stamp": 3}}'], ids=repr
)
def test_a_damaged_memory_is_none(tmp_path: Path, cache: Path, content: bytes) -> None:
    """What cannot be read is learnt anew, and the file is mended."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "paper.py").write_text(GOOD)
    Plugins(tmp_path / "plugins", entry_points=False)
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    file.write_bytes(content)

    assert ["paper"] == list(Plugins(tmp_path / "plugins", entry_points=False).sources)
    assert whole == file.read_bytes()


def test_a_memory_that_cannot_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the cache's place is a file, every start imports, and nothing fails."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "paper.py").write_text(GOOD)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PM_HUB_CACHE", str(tmp_path / "file"))
    for _ in range(2):
        assert "paper" in Plugins(tmp_path / "plugins", entry_points=False).sources


@pytest.mark.long
def test_commands_write_their_memories_at_once(tmp_path: Path, cache: Path) -> None:
    """Eight processes that start together with an empty memory all work and leave a whole one."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "paper.py").write_text(GOOD)
    code = (
        "from pathlib import Path; from hub.plugins import Plugins; "
        f"print(*Plugins(Path({str(tmp_path / 'plugins')!r}), entry_points=False).sources)"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(8)
    ]

    assert ["paper\n"] * 8 == [one.communicate()[0] for one in started]
    assert 1 == len(list(cache.iterdir()))


def test_a_plugin_that_broke_since_it_was_known(
    hub_folder: Path, run_hub: Callable[..., HubResult], cache: Path
) -> None:
    """What it needed has gone while its own file did not change.

    Its use tells the reason, `hub plugin list` too, and the rest works.
    """
    folder = hub_folder / "config" / "plugins"
    folder.mkdir(parents=True)
    (hub_folder / "needed.txt").write_text("here")
    (folder / "paper.py").write_text(f"open({str(hub_folder / 'needed.txt')!r}).close()\n" + GOOD)
    (hub_folder / "config" / "hub.toml").write_text('[sources.p]\nkind = "paper"\n')
    well = run_hub("check")
    (hub_folder / "needed.txt").unlink()
    used = run_hub("check")
    listed = run_hub("plugin", "list")
    (hub_folder / "needed.txt").write_text("here")
    again = run_hub("check")

    assert 0 == well.exit_code, well.error
    assert 1 == used.exit_code
    assert "The plugin paper cannot be used: FileNotFoundError" in used.error
    assert "unknown kind 'paper'" in used.output
    assert 1 == listed.exit_code
    assert "needed.txt" in listed.output
    assert 0 == again.exit_code


def test_two_known_plugins_of_one_kind(tmp_path: Path, cache: Path) -> None:
    """The second is broken at every start, and works once the first has gone."""
    (tmp_path / "a.py").write_text(GOOD)
    (tmp_path / "b.py").write_text(GOOD)
    for _ in range(2):
        assert ["b"] == [info.name for info in Plugins(tmp_path, entry_points=False).broken()]
    (tmp_path / "a.py").unlink()
    left = Plugins(tmp_path, entry_points=False)

    assert [] == list(left.broken())
    assert "hub_local_b" == left.sources["paper"].__module__


def test_commands_of_a_plugin(hub_folder: Path, run_hub: Callable[..., HubResult], cache: Path) -> None:
    """They are in the list without an import, and there when they are called, with their own help."""
    folder, mark = hub_folder / "config" / "plugins", hub_folder / "mark"
    folder.mkdir(parents=True)
    (folder / "greeter.py").write_text(MARK.format(mark=str(mark)) + SAYS)
    run_hub("--help")
    before = mark.read_text()
    listed = run_hub("--help")

    assert "greet       Say hello." in listed.output
    assert before == mark.read_text()
    assert "hello\n" == run_hub("greet").output
    assert "hub greet" in run_hub("greet", "--help").output


def test_commands_below_those_of_the_hub(
    hub_folder: Path, run_hub: Callable[..., HubResult], cache: Path
) -> None:
    """A plugin that adds to a group of the hub's is there at every start."""
    folder = hub_folder / "config" / "plugins"
    folder.mkdir(parents=True)
    (folder / "greeter.py").write_text(SAYS.replace("@cli.command()", "@cli.commands['store'].command()"))
    for _ in range(2):
        assert "hello\n" == run_hub("store", "greet").output


@pytest.mark.long
def test_a_plugin_that_is_missing_costs_its_own_source(
    hub_folder: Path, run_hub: Callable[..., HubResult]
) -> None:
    """The source fails with its reason, the others are read, and the feed is published as incomplete."""
    (hub_folder / "hours").mkdir()
    (hub_folder / "hours" / "a.csv").write_text("Day,Hours\n2026-10-05,7\n")
    (hub_folder / "hours.toml").write_text(
        'record = "worklog"\n[fields]\nday = "Day"\nseconds = { column = "Hours", unit = "hours" }\n'
    )
    (hub_folder / "config").mkdir(exist_ok=True)
    (hub_folder / "config" / "hub.toml").write_text(
        '[sources.erp]\nkind = "sap"\nurl = "https://erp.example.com"\nfreshness_hours = 5\n'
        '[sources.hours]\nkind = "tabular"\npath = "hours"\nmapping = "hours.toml"\n'
        '[destinations.bi]\nkind = "qlik"\n'
        '[destinations.out]\nkind = "files"\npath = "out"\nformats = ["csv"]\n'
    )
    result = run_hub("run")
    status = json.loads(run_hub("status", "--json").output)

    assert "erp: MISSING" in result.output
    assert "unknown kind 'sap'" in result.output
    assert {"erp": "failed", "hours": "ok"} == {one["source"]: one["state"] for one in status["sources"]}
    assert "bi: FAILED" in result.output
    assert (hub_folder / "out" / "latest").exists()
    assert result.exit_code not in {0, 2}

"""Plugins: a broken one is explained and left out, the rest lives."""

from __future__ import annotations

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
    """A single file needs no packaging: it is listed, configured, checked and synced, and its rule is applied."""
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


def test_what_sources_need_is_open_while_they_are_asked(
    hub_folder: Path, run_hub: Callable[..., HubResult]
) -> None:
    """A plugin's tunnel is open during check, sync and run, and closed afterwards, also after a failure; other commands never see it."""
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

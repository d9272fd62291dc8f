"""Who may read what was delivered: [delivery] group and mode, on systems that know them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from test_cli import MAPPING, WHOLE, hours

from hub.testing import HubResult

Run = Callable[..., HubResult]


@pytest.fixture
def modes(
    hub_folder: Path, run_hub: Run, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., set[tuple[str, int]]]:
    """Return a function that publishes with settings, and gives the kinds and modes of what was delivered."""
    (hub_folder / "hours").mkdir()
    (hub_folder / "mappings").mkdir()
    (hub_folder / "mappings" / "hours.toml").write_text(MAPPING)
    hours(hub_folder, 4)
    monkeypatch.setenv("KEY", "k" * 32)

    def publish(text: str, privacy: str = "team-week") -> set[tuple[str, int]]:
        (hub_folder / "config" / "hub.toml").write_text(
            WHOLE + f'privacy = "{privacy}"\nformats = ["csv"]\n[privacy]\nkey = {{ env = "KEY" }}\n' + text
        )
        result = run_hub("run", "--json")
        assert 0 == result.exit_code, result.output
        latest = hub_folder / "out" / "latest"
        return {
            ("folder" if path.is_dir() else "file", path.stat().st_mode & 0o777)
            for path in (latest, *latest.rglob("*"))
        }

    return publish


pytestmark = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")


@pytest.mark.long
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {("folder", 0o700), ("file", 0o600)}),
        ('[delivery]\nmode = "0644"\n', {("folder", 0o755), ("file", 0o644)}),
        ('[delivery]\ngroup = "{mine}"\n', {("folder", 0o750), ("file", 0o640)}),
    ],
    ids=["nobody", "everybody", "group"],
)
def test_who_reads_a_delivery(
    modes: Callable[..., set[tuple[str, int]]], text: str, expected: set[tuple[str, int]]
) -> None:
    """Nobody but the account, unless the configuration says who; a folder is entered by who may read."""
    import grp  # Windows has none

    assert expected == modes(text.replace("{mine}", grp.getgrgid(os.getegid()).gr_name))


@pytest.mark.long
@pytest.mark.parametrize("privacy", ["pseudonym-week", "nominative-line"])
def test_what_names_persons_stays_with_the_account(
    modes: Callable[..., set[tuple[str, int]]], privacy: str
) -> None:
    """No setting opens what tells of single persons."""
    assert {("folder", 0o700), ("file", 0o600)} == modes('[delivery]\nmode = "0644"\n', privacy)


@pytest.mark.long
def test_a_group_that_is_not_there(
    modes: Callable[..., set[tuple[str, int]]], hub_folder: Path, run_hub: Run
) -> None:
    """The delivery fails with the setting named; what was delivered before stays."""
    modes("")
    before = (hub_folder / "out" / "latest" / "manifest.json").read_bytes()
    with (hub_folder / "config" / "hub.toml").open("a") as file:
        file.write('[delivery]\ngroup = "no such group"\n')
    result = run_hub("publish", "--json")

    assert 1 == result.exit_code
    assert "[delivery] group = 'no such group'" in json.loads(result.output)["deliveries"][0]["error"]
    assert before == (hub_folder / "out" / "latest" / "manifest.json").read_bytes()


@pytest.mark.parametrize("mode", ["0666", "0044", "0620", "rw", "0999"])
def test_a_mode_that_lets_others_write(hub_folder: Path, run_hub: Run, mode: str) -> None:
    """It is refused, as is one that keeps the hub itself out, or none at all."""
    (hub_folder / "config" / "hub.toml").write_text(f'[delivery]\nmode = "{mode}"\n')
    result = run_hub("run")

    assert 2 == result.exit_code
    assert "[delivery]" in result.error

"""A new connector runs, tests and certifies at once; the newcomer's page keeps its promise."""

from __future__ import annotations

import difflib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.testing import HubResult

HAND = Path(__file__).parents[1] / "docs" / "first_connector"


@pytest.mark.long
@pytest.mark.parametrize("style", ["rest", "jsonrpc", "python", "tabular"])
def test_a_new_connector_is_certified_at_once(
    style: str, hub_folder: Path, run_hub: Callable[..., HubResult], proof: bool
) -> None:
    """What was just written reaches its level: its own test certifies it."""
    if style != "tabular" and not proof:
        pytest.skip("make proof has each; test_a_stranger_writes_what_the_tool_says has one in Python")
    name = f"fresh_{style}"
    made = run_hub("plugin", "new", name, "--style", style)
    own = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", name],
        cwd=hub_folder,
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == made.exit_code, made.error
    assert "--level gold" in made.output
    assert 0 == own.returncode, own.stdout
    assert "1 passed" in own.stdout


def test_a_stranger_writes_what_the_tool_says(
    hub_folder: Path, run_hub: Callable[..., HubResult], proof: bool
) -> None:
    """From a new folder to Silver for the Tryton of the docs: so many lines are written by hand."""
    run_hub("plugin", "new", "tryton", "--style", "jsonrpc")
    added = 0
    for name in ("source.py", "testing/certification.py"):
        made = hub_folder / "tryton" / "hub_tryton" / name
        lines = difflib.unified_diff(
            made.read_text().splitlines(), (HAND / Path(name).name).read_text().splitlines(), n=0
        )
        added += sum(line.startswith("+") and not line.startswith("+++") and line != "+" for line in lines)
        shutil.copy(HAND / Path(name).name, made)
    sample = ("reads-everything", "every-field-is-vouched-for", "references-resolve", "ties-at-the-cursor")
    only = [] if proof else [word for one in sample for word in ("--only", one)]
    seen = run_hub("plugin", "certify", "tryton", "--level", "silver", *only)

    assert 0 == seen.exit_code, seen.output
    assert 0 < added <= 175


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("Bad-Name",), "small letters"),
        (("class",), "cannot name a plugin"),
        (("../up",), "cannot name a plugin"),
        (("acme", "--out", "config"), "is not empty"),
    ],
)
def test_a_name_or_folder_that_will_not_do(
    arguments: tuple[str, ...], words: str, hub_folder: Path, run_hub: Callable[..., HubResult]
) -> None:
    """Nothing is written, and the sentence says why."""
    (hub_folder / "config" / "kept.txt").write_text("mine")
    before = sorted(hub_folder.rglob("*"))
    result = run_hub("plugin", "new", *arguments)

    assert 2 == result.exit_code
    assert words in result.error
    assert before == sorted(hub_folder.rglob("*"))

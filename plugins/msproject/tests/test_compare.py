"""What `hub plan compare` tells of two states of a plan."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.testing import hub_folder, run_hub

__all__ = ["hub_folder", "run_hub"]


def task(uid: int, name: str, *, finish: str = "2026-01-09", work: int = 0, extra: str = "") -> str:
    return (
        f"<Task><UID>{uid}</UID><ID>{uid}</ID><Name>{name}</Name><WBS>{uid}</WBS>"
        f"<OutlineLevel>{1 if name == 'Phase' else 2}</OutlineLevel><Start>2026-01-05T08:00:00</Start>"
        f"<Finish>{finish}T17:00:00</Finish><Work>PT{work}H0M0S</Work>{extra}</Task>"
    )


def after(uid: int, kind: int) -> str:
    return f"<PredecessorLink><PredecessorUID>{uid}</PredecessorUID><Type>{kind}</Type></PredecessorLink>"


def plan(*tasks: str) -> str:
    return f'<Project xmlns="http://schemas.microsoft.com/project"><Tasks>{"".join(tasks)}</Tasks></Project>'


@pytest.fixture
def two(hub_folder: Path) -> tuple[str, str]:
    critical, free = "<Critical>1</Critical>", "<Critical>0</Critical>"
    (hub_folder / "a.xml").write_text(
        plan(
            task(1, "Phase", work=24), task(2, "Dig", work=16, extra=critical),
            task(3, "Pour", work=8, extra=free + after(2, 1)), task(4, "Old"),
        )
    )  # fmt: skip
    (hub_folder / "b.xml").write_text(
        plan(
            task(1, "Phase", work=36, finish="2026-01-12"),
            task(2, "Dig", work=24, finish="2026-01-12", extra=free),
            task(3, "Pour", work=8, extra=critical + after(2, 3)), task(5, "New", work=4),
        )
    )  # fmt: skip
    return str(hub_folder / "a.xml"), str(hub_folder / "b.xml")


def test_what_differs(two: tuple[str, str], run_hub: Callable[..., Any]) -> None:
    """Each kind of difference is told once, of the task that it is about; roll-ups are no news."""
    found = json.loads(run_hub("plan", "compare", *two, "--json").output)

    assert [
        ("added", "5 New"),
        ("removed", "4 Old"),
        ("moved", "2 Dig"),
        ("effort", "2 Dig"),
        ("link changed", "3 Pour after 2 Dig"),
        ("critical now", "3 Pour"),
        ("critical no more", "2 Dig"),
    ] == [(one["what"], one["task"]) for one in found["differences"]]
    assert (["2026-01-09", "2026-01-12"], [24.0, 36.0]) == (found["finish"], found["effort_hours"])
    assert (3, 8.0) == (found["differences"][2]["days"], found["differences"][3]["hours"])


def test_it_can_be_read(two: tuple[str, str], run_hub: Callable[..., Any]) -> None:
    said = run_hub("plan", "compare", *two)
    same = run_hub("plan", "compare", two[0], two[0])

    assert (0, 0) == (said.exit_code, same.exit_code)
    assert "effort: 24.0 h → 36.0 h" in said.output
    assert any(line.split() == ["effort", "2", "Dig", "16.0", "h", "24.0", "h", "+8.0", "h"]
               for line in said.output.splitlines())  # fmt: skip
    assert "Nothing differs" in same.output


def test_a_task_with_another_guid_is_another_task(hub_folder: Path, run_hub: Callable[..., Any]) -> None:
    """A number that was given anew does not make two tasks one; a renamed task is no new one."""
    guids = [f"<GUID>00000000-0000-4000-8000-00000000000{n}</GUID>" for n in range(3)]
    (hub_folder / "a.xml").write_text(plan(task(1, "A", extra=guids[0]), task(2, "B", extra=guids[1])))
    (hub_folder / "b.xml").write_text(plan(task(1, "A2", extra=guids[0]), task(2, "C", extra=guids[2])))
    found = json.loads(
        run_hub("plan", "compare", *(str(hub_folder / f"{n}.xml") for n in "ab"), "--json").output
    )

    assert [("added", "2 C"), ("removed", "2 B")] == [
        (one["what"], one["task"]) for one in found["differences"]
    ]


def test_what_is_no_plan_is_said(two: tuple[str, str], hub_folder: Path, run_hub: Callable[..., Any]) -> None:
    (hub_folder / "c.xml").write_text("<html/>")
    said = run_hub("plan", "compare", two[0], str(hub_folder / "c.xml"))

    assert 0 != said.exit_code
    assert "c.xml is no plan" in said.error


def config(folder: Path) -> None:
    (folder / "config").mkdir(exist_ok=True)
    (folder / "config" / "hub.toml").write_text('[sources.plans]\nkind = "msproject"\npath = "plans"\n')


def test_one_plan_at_two_cuts(hub_folder: Path, run_hub: Callable[..., Any], two: tuple[str, str]) -> None:
    """What the store knew at a cut and at another, or knows now, differs as the files of both moments do."""
    config(hub_folder)
    (hub_folder / "plans").mkdir()
    for name, label in zip(two, ("September", "October"), strict=True):
        (hub_folder / "plans" / "Works.xml").write_text(Path(name).read_text())
        assert 0 == run_hub("sync").exit_code
        assert 0 == run_hub("cut", "take", "--label", label).exit_code
    command = ("plan", "compare", "works", "--from", "September")
    found = json.loads(run_hub(*command, "--to", "October", "--json").output)
    files = json.loads(run_hub("plan", "compare", *two, "--json").output)

    assert files["differences"] == found["differences"]
    assert (files["finish"], 7) == (found["finish"], len(found["differences"]))
    assert found["differences"] == json.loads(run_hub(*command, "--json").output)["differences"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("Nothing", "--from", "2026-01-01"), "no plan in the store is called so"),
        (("a.xml",), "Give two files"),
        (("a.xml", "b.xml", "--from", "now"), "Give two files"),
    ],
)
def test_what_cannot_be_compared(
    two: tuple[str, str], arguments: tuple[str, ...], said: str, run_hub: Callable[..., Any]
) -> None:
    config(Path(two[0]).parent)
    there = [str(Path(two[0]).parent / one) if one.endswith(".xml") else one for one in arguments]
    result = run_hub("plan", "compare", *there)

    assert 0 != result.exit_code
    assert said in result.output + result.error

"""Names and texts of any language, on outputs and in locales that know none of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = """
[sources.hours]
kind = "tabular"
path = "hours"
mapping = "mappings/hours.toml"
"""
MAPPING = """
record = "worklog"
key = ["Kdo", "Den"]
[fields]
day = "Den"
seconds = { column = "Čas", unit = "hours" }
account_id = "Kdo"
container_id = "Kód"
"""
TABLE = "Den,Kdo,Kód,Čas\n2026-10-05,Jiří Dvořák,Ř-1,7\n2026-10-06,Jiří Dvořák,Ř-1,sedm\n"
MACHINES = {
    "utf-8": {},
    "LC_ALL=C": {"LC_ALL": "C"},
    "cp1252": {"PYTHONIOENCODING": "cp1252"},
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "C without its UTF-8 mode": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder whose file, columns, people and projects have Czech names."""
    for name, text in (
        ("config/hub.toml", CONFIG),
        ("mappings/hours.toml", MAPPING),
        ("hours/čas.csv", TABLE),
    ):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def hub(folder: Path, machine: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command as a shell of *machine* would."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name == "PYTHONPATH" or not name.startswith(("LC_", "PYTHON", "LANG"))
    }
    return subprocess.run(
        [sys.executable, "-m", "hub", *arguments],
        cwd=folder,
        capture_output=True,
        check=False,
        env=environment | MACHINES[machine],
    )


@pytest.mark.long
@pytest.mark.parametrize("machine", MACHINES)
def test_a_file_named_in_czech(folder: Path, machine: str, proof: bool) -> None:
    """It is read, its fault is told, JSON stays JSON, and the rows have the ids that they have everywhere."""
    if machine in {"utf-8", "ascii"} and not proof:
        pytest.skip("make proof has every machine")
    synced = hub(folder, machine, "sync")
    told = hub(folder, machine, "status", "--json")
    again = hub(folder, "utf-8", "sync", "--json")

    assert 3 == synced.returncode, synced.stderr
    assert b"Traceback" not in synced.stderr
    (line,) = json.loads(told.stdout.decode("cp1252" if machine == "cp1252" else "utf-8"))["sources"]
    (rejected,) = line["rejections"]
    assert rejected.startswith("čas.csv, row 3, Čas: 'sedm' is not a number")
    (report,) = json.loads(again.stdout)["sources"]
    assert (0, 0, 0) == tuple(report["changes"][name] for name in ("inserted", "updated", "presence_changed"))


@pytest.mark.long
@pytest.mark.parametrize("machine", ["LC_ALL=C", "cp1252", "ascii"])
@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (2, ("--config", "config/žádný.toml", "status")),
        (2, ("check", "žluť")),
        (0, ("tabular", "suggest", "hours/čas.csv")),
        (0, ("kpi", "--list")),
    ],
    ids=["no configuration", "no source", "a mapping", "figures"],
)
def test_an_output_never_dies_of_a_letter(
    folder: Path, machine: str, code: int, arguments: tuple[str, ...], proof: bool
) -> None:
    """What an output cannot say is said by its number; the exit code is the same everywhere."""
    if machine == "ascii" and not proof:
        pytest.skip("make proof has every machine")
    done = hub(folder, machine, *arguments)

    assert b"Traceback" not in done.stderr
    assert code == done.returncode


@pytest.mark.long
@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="names are text there")
def test_a_name_that_is_no_text(folder: Path) -> None:
    """A file whose name an old machine wrote in another encoding is read, and told with its byte's number."""
    (folder / "hours" / "čas.csv").rename(os.fsdecode(os.fsencode(folder / "hours") + b"/caf\xe9.csv"))
    synced = hub(folder, "utf-8", "sync")
    told = hub(folder, "utf-8", "status", "--json")

    assert 3 == synced.returncode, synced.stderr
    (rejected,) = json.loads(told.stdout)["sources"][0]["rejections"]
    assert rejected.startswith("caf\\xe9.csv, row 3, Čas: 'sedm' is not a number")


WHOLE = """
store = "data/hub.db"
[sources.hours]
kind = "tabular"
path = "hours"
mapping = "mappings/hours.toml"
[destinations.office]
kind = "files"
path = "out"
formats = ["csv"]
"""
ODD = "Ř[/]:x:"
LINES = [
    ("sync", "--dry-run"), ("run",), ("status",), ("publish", "--dry-run"), ("rejections",), ("kpi",),
    ("match", "review"), ("presence",), ("check",),
]  # fmt: skip


@pytest.fixture
def portfolio(folder: Path) -> Path:
    """Return the folder with a destination, and a project that is named in Czech and as if by markup."""
    for name, text in (
        ("config/hub.toml", WHOLE),
        ("config/projects.csv", f"code;name\n{ODD};{ODD} [red]→\n"),
        (
            "config/project_links.csv",
            f"project_code;source;container;filter;facets\n{ODD};hours;Ř-1;;actuals\n",
        ),
    ):
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.long
@pytest.mark.parametrize("machine", ["cp1252"])
def test_every_command_says_what_it_can(portfolio: Path, machine: str, proof: bool) -> None:
    """Names that an output has no letters for, or that look like markup, end no command, and are said."""
    done = [hub(portfolio, machine, *line) for line in (LINES if proof else LINES[:3])]

    assert [] == [one.stderr for one in done if b"Traceback" in one.stderr]
    assert {} == {tuple(one.args[3:]): one.stderr for one in done if one.returncode not in {0, 3}}
    assert rb"\u0158[/]:x:" in done[0].stdout
    assert (portfolio / "out" / "latest" / "csv" / "fact_worklog.csv").exists()


@pytest.mark.long
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is full is a device of Linux")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("output", ["a closed pipe", "a full disk", "none"])
def test_printing_never_decides_over_publishing(
    portfolio: Path, output: str, unbuffered: str, proof: bool
) -> None:
    """Words that nothing takes are lost; the run publishes, and ends with the code that it ends with."""
    if bool(unbuffered) == (output == "a full disk") and not proof:
        pytest.skip("make proof has every output buffered and not")
    if output == "a closed pipe":
        read, write = os.pipe()
        os.close(read)
    else:
        write = os.open("/dev/full", os.O_WRONLY)
    done = subprocess.run(
        [sys.executable, *(["-u"] if unbuffered else []), "-m", "hub", "run"],
        cwd=portfolio,
        check=False,
        stdout=write,
        stderr=write,
        preexec_fn=(lambda: (os.close(1), os.close(2))) if output == "none" else None,
    )
    os.close(write)

    assert 3 == done.returncode
    assert (portfolio / "out" / "latest" / "csv" / "fact_worklog.csv").exists()


@pytest.mark.long
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is full is a device of Linux")
@pytest.mark.parametrize(("arguments", "code"), [(("kpi", "--list"), 0), (("status", "--json"), 1)])
def test_an_answer_that_a_full_disk_cut(portfolio: Path, arguments: tuple[str, ...], code: int) -> None:
    """It is told where there is room; what programs read has the exit code of a failure, never half of it."""
    hub(portfolio, "utf-8", "sync")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "hub", *arguments],
            cwd=portfolio,
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
        )

    assert code == done.returncode
    assert b"not all of the output could be written" in done.stderr

"""The model as Microsoft's own engine reads it: accepted, whole, its DAX known, nothing left open.

`make check-powerbi` installs the engine; without it these tests say so and are left out.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hub_powerbi.check import Node, parse
from hub_powerbi.tmdl import model_files

ENGINE = Path(os.environ.get("PM_HUB_TOM", "/nowhere"))
"""The interpreter of the environment that holds the engine."""
SCRIPT = Path(__file__).parents[1] / "official" / "tom.py"
pytestmark = pytest.mark.skipif(
    not ENGINE.exists(), reason="Microsoft's Tabular Object Model is not here: make check-powerbi"
)
MODELS = {f"{lang} {months}": (lang, months) for lang in ("fr", "en") for months in (None, 3)}

# what is broken, in which file of the English model, and what is told
FAULTS: dict[str, tuple[str, str, str, str]] = {
    "a property that is none": (
        "tables/Projects.tmdl", "\t\tsummarizeBy: none\n", "\t\tsummariseBy: none\n", "summariseBy"
    ),
    "a relationship to nothing": (
        "relationships.tmdl", "toColumn: Projects.'Project key'", "toColumn: Projects.Key", "ToColumn"
    ),
    "a level below the one that is needed": (
        "database.tmdl", "compatibilityLevel: 1520", "compatibilityLevel: 1519", "level of 1519"
    ),
    "a measure that is there twice": (
        "tables/Tasks.tmdl", "\tpartition Tasks", "\tmeasure 'Days logged' = 1\n\n\tpartition Tasks", "taken"
    ),
    "DAX that does not close": (
        "tables/Measures.tmdl", "SUM('Worklogs'[Days])", "SUM('Worklogs'[Days]", "DAX of "
    ),
    "DAX of a column that is none": (
        "tables/Measures.tmdl", "SUM('Worklogs'[Days])", "SUM('Worklogs'[Minutes])", "DAX of .*Minutes"
    ),
    "a permission of a table that is none": (
        "roles/Access.tmdl", "RELATED('People'[Team])", "RELATED('Persons'[Team])", "DAX of Access/"
    ),
    "two active ways": ("relationships.tmdl", "\tisActive: false\n", "", "two active ways"),
    "a table left open": (
        "roles/Access.tmdl", "tablePermission Worklogs", "tablePermission Calendar", "leaves Worklogs open"
    ),
    "a key of another type": (
        "relationships.tmdl", "toColumn: Projects.'Project key'", "toColumn: Projects.Code", "of two types"
    ),
    "a filter in both directions": (
        "relationships.tmdl", "relationship fact_worklog_project_key\n",
        "relationship fact_worklog_project_key\n\tcrossFilteringBehavior: bothDirections\n",
        "filter one another"
    ),
    "a key that shows": (
        "tables/Worklogs.tmdl", "\tcolumn 'Project key'\n\t\tdataType: int64\n\t\tisHidden\n",
        "\tcolumn 'Project key'\n\t\tdataType: int64\n", "the key Project key of Worklogs shows"
    ),
    "a calendar that is not marked": (
        "tables/Calendar.tmdl", "\tdataCategory: Time\n", "", "marked as the calendar"
    ),
    "a date without a format": (
        "tables/Calendar.tmdl", "\t\tformatString: yyyy-mm-dd\n", "", "the date .* has no format"
    ),
    "one definition twice": (
        "tables/Tasks.tmdl", "\tpartition Tasks",
        "\tmeasure A = 1 + 1\n\n\tmeasure B = 1 + 1\n\n\tpartition Tasks", "one definition"
    ),
    "an error that is hidden": (
        "tables/Tasks.tmdl", "\tpartition Tasks", "\tmeasure A = IFERROR(1, 2)\n\n\tpartition Tasks",
        "hides errors"
    ),
    "a name with a blank": (
        "tables/Tasks.tmdl", "\tpartition Tasks", "\tmeasure 'A ' = 1\n\n\tpartition Tasks", "with a blank"
    ),
}  # fmt: skip


def written(lang: str, months: int | None) -> dict[str, str]:
    return model_files(name="Hub", lang=lang, location="/srv/hub/data", incremental_months=months)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Ask the engine once, for every model and every fault."""
    root = tmp_path_factory.mktemp("tom")
    models = {name: written(*one) for name, one in MODELS.items()}
    for name, (file, old, new, _) in FAULTS.items():
        files = written("en", 3)
        assert old in files[file], name
        models[name] = files | {file: files[file].replace(old, new, -1 if not new else 1)}
    folders = []
    for number, files in enumerate(models.values()):
        folders.append(root / f"m{number}")
        for path, text in files.items():
            place = folders[-1] / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8", newline="\n")
    said = subprocess.run(
        [ENGINE, SCRIPT],
        input=json.dumps([str(one) for one in folders]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr[-2000:]
    return dict(zip(models, json.loads(said.stdout), strict=True))


@pytest.mark.parametrize("name", MODELS)
def test_the_engine_accepts_the_model(answers: dict[str, Any], name: str) -> None:
    """It reads and validates it; DAX has grammar and names; one active way; no table with a key is open."""
    assert [] == answers[name]["refused"]


@pytest.mark.parametrize("name", MODELS)
def test_the_engine_reads_all_that_was_written(answers: dict[str, Any], name: str) -> None:
    """As many objects as the files have, and what it writes again lacks nothing of them."""
    nodes = parse(written(*MODELS[name]), [])
    counted = Counter(
        child.kind for node in nodes if node.kind in {"table", "role"} for child in node.children
    )
    again = Path(answers[name]["again"])
    files = {
        path.relative_to(again).as_posix(): path.read_text("utf-8-sig").replace("\r\n", "\n")
        for path in again.rglob("*.tmdl")
    }

    assert (
        counted["column"],
        counted["measure"],
        counted["tablePermission"],
        sum(1 for node in nodes if node.kind == "relationship"),
    ) == tuple(answers[name][kind] for kind in ("columns", "measures", "permissions", "relationships"))
    assert set() == facts(nodes) - facts(parse(files, []))


def test_what_is_lacking_would_be_told() -> None:
    """A measure, a property, an expression that is another one."""
    whole = facts(parse(written("en", 3), []))
    for old in ("\t\tdisplayFolder: Effort\n", "SUM('Worklogs'[Days])", "\tisHidden\n"):
        files = {path: text.replace(old, "", 1) for path, text in written("en", 3).items()}

        assert whole - facts(parse(files, [])), old


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_refused(answers: dict[str, Any], name: str) -> None:
    """Each of the checks can fail, and says what."""
    told = answers[name]["refused"]

    assert any(re.search(FAULTS[name][3], one) for one in told), told


def facts(nodes: list[Node], above: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Return all that files say, whatever their order, quotes and blanks."""
    return set(_facts(nodes, above))


def _facts(nodes: list[Node], above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for node in nodes:
        here = (*above, f"{node.kind} {_bare(node.name)}")
        yield (*here, _bare(node.expression or ""))
        yield from ((*here, key, _bare(text)) for key, text in node.properties.items())
        yield from _facts(node.children, here)


def _bare(text: str) -> str:
    return re.sub(r"[\s']+", "", text)

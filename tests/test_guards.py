"""The house stays in order: front door, packaging, docs in step with code, manners."""

from __future__ import annotations

import ast
import functools
import inspect
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import duckdb
import pytest

import hub
from hub import hookspecs
from hub.feed import catalogue, model
from hub.feed.model import table_sql

ROOT = Path(__file__).parents[1]
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
MODULES = sorted(
    p
    for folder in ("hub", "plugins")
    for p in (ROOT / folder).rglob("*.py")
    if "tests" not in p.parts and "build" not in p.parts
)


@functools.cache
def tree_of(path: Path) -> ast.Module:
    """Return a module as Python reads it."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module)
    return found


def test_the_front_door() -> None:
    """Every name of `__all__` loads, and is the one that type checkers see."""
    tree = ast.parse((ROOT / "hub" / "__init__.py").read_text())
    typed = {
        alias.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hub.")
        for alias in node.names
    }

    assert typed == set(hub.__all__)
    for name in hub.__all__:
        assert getattr(hub, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = hub.nonsense


def test_importing_the_front_door_is_cheap() -> None:
    """`import hub` opens nothing: no database, no network code, no terminal."""
    code = (
        "import sys, hub; print(sorted({m.split('.')[0] for m in sys.modules} & "
        "{'duckdb','requests','sqlite_utils','rich','click','keyring'}))"
    )
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]" == seen.stdout.strip()


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda p: p.name)
def test_a_plugin_is_a_distribution_of_its_own(folder: Path) -> None:
    """Folder NAME, distribution pm-hub-NAME, package hub_NAME, entry point NAME.

    Nothing but the front door is imported.
    """
    facts = tomllib.loads((folder / "pyproject.toml").read_text())
    name = folder.name
    own = list((folder / f"hub_{name}").rglob("*.py"))
    foreign = {
        module
        for path in own
        for module in imports(path)
        if module == "hub" or module.startswith(("hub.", "hub_"))
    }

    assert f"pm-hub-{name}" == facts["project"]["name"]
    assert {name: f"hub_{name}"} == facts["project"]["entry-points"]["hub"]
    assert "Apache-2.0" == facts["project"]["license"]
    assert not (folder / "__init__.py").exists()
    assert (folder / "README.md").read_text().startswith(f"# pm-hub-{name}\n")
    assert {module for module in foreign if not module.startswith(f"hub_{name}")} <= {
        "hub",
        "hub.testing",
        "hub.testing.kit",
    }
    assert (folder / f"hub_{name}" / "py.typed").exists()
    assert (ROOT / "LICENSE").read_bytes() == (folder / "LICENSE").read_bytes()
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for key in ("classifiers", "urls", "license", "license-files", "requires-python"):
        assert ours[key] == facts["project"][key]
    bounds = bounds_of(ours["version"])
    of_ours = [one for one in facts["project"]["dependencies"] if one.startswith("pm-hub")]
    assert f"pm-hub{bounds}" in of_ours
    assert all(one.endswith(bounds) for one in of_ours)


def bounds_of(version: str) -> str:
    major, minor, _ = version.split(".")
    return f">={major}.{minor},<{major}.{int(minor) + 1}"


def test_the_bundled_plugins_are_one_list() -> None:
    """The folders of plugins/ are the list; what has to name them each by each names the same."""
    names = [folder.name for folder in PLUGINS]
    facts = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = facts["project"]["optional-dependencies"]
    bounds = bounds_of(facts["project"]["version"])
    heavy = {
        f"pm-hub-{folder.name}[{extra}]{bounds}"
        for folder in PLUGINS
        for extra in tomllib.loads((folder / "pyproject.toml").read_text())["project"].get(
            "optional-dependencies", {}
        )
    }
    roots = facts["tool"]["importlinter"]["root_packages"]
    (alone,) = (
        one["modules"] for one in facts["tool"]["importlinter"]["contracts"] if one["type"] == "independence"
    )
    listed = re.findall(r"^-e plugins/(\w+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)

    assert names == sorted(listed)
    assert ["hub", *(f"hub_{name}" for name in names)] == sorted(roots)
    assert [f"hub_{name}" for name in names] == sorted(alone)
    assert {name: [f"pm-hub-{name}{bounds}"] for name in names} == {name: extras[name] for name in names}
    assert [f"pm-hub[{','.join(names)}]"] == extras["all"]
    own = {"cluster"}  # what the hub itself can do with it
    assert heavy == {one for name in extras.keys() - {*names, "all", *own} for one in extras[name]}
    assert names == sorted(re.findall(r"\]\(plugins/(\w+)/README.md\)", (ROOT / "README.md").read_text()))


@pytest.mark.parametrize("page", ["README.md", "docs/pmo.md", "docs/fr/pmo.md"])
def test_pages_count_the_kpis_of_the_catalogue(page: str) -> None:
    """A number that a person reads is the number there is."""
    told = re.findall(r"(\d+) (?:KPIs|indicateurs)\b", (ROOT / page).read_text(encoding="utf-8"))

    assert [str(len(catalogue()))] == told


def test_manners_of_modules() -> None:
    """A module opens with one sentence, is no drawer of odds, and retries only where patience lives."""
    first = {path: (ast.get_docstring(tree_of(path)) or "").split("\n")[0].rstrip() for path in MODULES}

    assert len(MODULES) > 500
    assert [] == [path for path in MODULES if not first[path].endswith((".", ":"))], "no opening sentence"
    assert [] == [path for path in MODULES if path.name in {"utils.py", "helpers.py", "common.py"}]
    assert [ROOT / "hub" / "http" / "session.py"] == [path for path in MODULES if "tenacity" in imports(path)]


def test_every_hook_is_documented_with_its_signature() -> None:
    """docs/hooks.md holds every hook with its signature and an example, and no other."""
    text = (ROOT / "docs" / "hooks.md").read_text()
    hooks = {
        name: f for name, f in vars(hookspecs).items() if inspect.isfunction(f) and hasattr(f, "hub_spec")
    }
    titles = re.findall(r"^## (.+)$", text, re.MULTILINE)
    signatures = [f"{name}{inspect.signature(function)}".replace("'", "") for name, function in hooks.items()]

    assert signatures == titles
    for name in hooks:
        assert f"def {name}(" in text


PAGES = sorted([*ROOT.glob("docs/**/*.md"), *ROOT.glob("*.md"), *ROOT.glob("plugins/*/README.md")])
WRITTEN = [path for path in PAGES if "[[[cog" in path.read_text(encoding="utf-8")]
_LONG = (
    "first-connector", "first-portfolio", "fr/premier-portefeuille", "kit", "rest", "pmo", "fr/pmo",
    "operations", "fr/exploitation",
)  # fmt: skip
LONG = {f"docs/{name}.md" for name in _LONG}
"""Pages that certify a connector or live through the demonstration as they are written.

They are looked at in `make proof`, and in `.ci/run`.
"""


def place_of(path: Path) -> str:
    """Return where a file stands in the repository."""
    return path.relative_to(ROOT).as_posix()


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="the help text names this system's own scheduler")
def test_generated_docs_are_in_step(proof: bool) -> None:
    """The pages written by code are what the code says now: run `make docs`, which is one process too."""
    pages = [page for page in WRITTEN if proof or place_of(page) not in LONG]
    seen = subprocess.run(
        [sys.executable, "-m", "cogapp", "--check", "--diff", "--check-fail-msg=Run make docs.", *pages],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == seen.returncode, seen.stdout + seen.stderr


@pytest.mark.parametrize("page", PAGES, ids=place_of)
def test_every_shown_output_is_produced(page: Path) -> None:
    """A transcript stands where a program writes it: nobody pastes one by hand."""
    text = re.sub(r"(?s)<!-- \[\[\[cog.*?<!-- \[\[\[end", "", page.read_text(encoding="utf-8"))

    assert "```console" not in text


def test_both_glossaries_hold_the_same_words() -> None:
    """Each word of one page stands in the other, with the same words of the other language."""
    rows = {
        name: re.findall(
            r"(?m)^\| (?!word|mot)(.+?) \| .+ \| (.+?) \|$", (ROOT / name).read_text(encoding="utf-8")
        )
        for name in ("docs/glossary.md", "docs/fr/glossaire.md")
    }
    english, french = rows.values()

    assert len(english) > 40
    assert sorted(english) == sorted((there, here) for here, there in french)


def test_every_command_has_an_example() -> None:
    """Each command's help shows how it is called."""
    text = (ROOT / "docs" / "cli.md").read_text()
    pages = re.split(r"^## ", text, flags=re.MULTILINE)[1:]

    assert len(pages) > 15
    assert [] == [
        page.split("\n")[0]
        for page in pages
        if "Example:" not in page and not page.startswith("hub schedule list")
    ]


def test_model_and_queries_are_in_step() -> None:
    """Every table of the model has its query with its grain, and no query is left over."""
    on_disk = {path.stem for path in (ROOT / "hub" / "feed" / "tables").glob("*.sql")}

    assert on_disk == set(model().tables)
    for name, table in model().tables.items():
        assert "-- Grain: " in table_sql(name), name
        assert set(table.key) <= set(table.columns)
        assert all(column.ref in {None, *model().tables} for column in table.columns.values())


def unruly(text: str) -> list[str]:
    """Return what is wrong with *text* as a file of SQL: lines that are too long, what DuckDB cannot read."""
    lines = enumerate(text.split("\n"), 1)
    found = [f"line {no} is over 120 columns" for no, line in lines if len(line) > 120]
    try:
        duckdb.extract_statements(text.replace("{left}", "('gone')"))
    except duckdb.Error as exc:
        found.append(str(exc))
    return found


def test_sql_fits_its_lines_and_is_read() -> None:
    """No line of an SQL file is over 120 columns, and DuckDB's own parser reads every statement."""
    files = sorted((ROOT / "hub").rglob("*.sql"))
    found = {path.name: wrong for path in files if (wrong := unruly(path.read_text(encoding="utf-8")))}

    assert len(files) > 60
    assert ["line 1 is over 120 columns"] == unruly("SELECT " + "1 + " * 40 + "1")
    assert 1 == len(unruly("SELECT 1 FROM WHERE"))
    assert {} == found


def test_dependencies_are_pinned_without_addresses() -> None:
    """Whatever the packages need is in constraints.txt, by name and version only."""
    lines = [
        line
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    pinned = {re.split(r"==", line)[0].lower().replace("_", "-").replace(".", "-") for line in lines}
    needed = set()
    for path in (ROOT / "pyproject.toml", *(folder / "pyproject.toml" for folder in PLUGINS)):
        project = tomllib.loads(path.read_text())["project"]
        for text in (
            *project["dependencies"],
            *(one for extra in project.get("optional-dependencies", {}).values() for one in extra),
        ):
            needed.add(re.split(r"[ <>=;\[]", text)[0].lower().replace("_", "-"))

    assert not [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+]+(; .+)?", line)]
    assert {name for name in needed if not name.startswith("pm-hub")} <= pinned
    assert "://" not in (ROOT / "requirements.txt").read_text() + (ROOT / "constraints.txt").read_text()


def test_the_version_is_one() -> None:
    """Package, front door and plugins bear one version, and the changelog knows it."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    assert version == hub.__version__
    for folder in PLUGINS:
        assert version == tomllib.loads((folder / "pyproject.toml").read_text())["project"]["version"]


@pytest.mark.long
@pytest.mark.parametrize("said", ["abc1234", None])
def test_the_commit_is_said(
    hub_folder: Path, run_hub, monkeypatch: pytest.MonkeyPatch, said: str | None
) -> None:
    """Version and commit stand in `hub --version`, in the store and in the feed's manifest.

    Without git the version alone.
    """
    monkeypatch.setattr("hub.version.commit", lambda: said)
    expected = f"{hub.__version__} ({said})" if said else hub.__version__
    (hub_folder / "config" / "projects.csv").write_text("code,name,level\nP1,One,project\n")
    (hub_folder / "config" / "hub.toml").write_text(
        '[destinations.o]\nkind = "files"\npath = "out"\nformats = ["parquet"]\n'
    )
    ran = run_hub("run")

    assert 0 == ran.exit_code, ran.output + ran.error
    assert f"hub {expected}\n" == run_hub("--version").output
    assert expected == json.loads(run_hub("store", "info", "--json").output)["written_by"]
    assert expected == json.loads((hub_folder / "out" / "latest" / "manifest.json").read_text())["hub"]


@pytest.mark.parametrize("git", ["clone", "worktree of another", "no git", "broken git"])
def test_which_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, git: str) -> None:
    """A clone is asked for its commit, a built package holds it.

    A repository around an installed package is not ours.
    """
    from hub import version

    here = tmp_path / "site-packages"
    (here / "hub").mkdir(parents=True)
    outer = here if git == "clone" else tmp_path
    if git in {"clone", "worktree of another"}:
        subprocess.run(["git", "init", "-q", str(outer)], check=True)
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(
            ["git", "-C", str(outer), *identity, "commit", "-q", "--allow-empty", "-m", "x"], check=True
        )
    if git == "broken git":
        (here / ".git").write_text("gitdir: nowhere")
    monkeypatch.setattr(version, "HERE", here / "hub")
    version.commit.cache_clear()
    found = version.commit()
    version.commit.cache_clear()
    (here / "hub" / "commit.txt").write_text("1234567\n")
    built = version.commit()
    version.commit.cache_clear()

    assert ("clone" == git) == (found is not None)
    assert found is None or re.fullmatch("[0-9a-f]{7,}", found)
    assert "1234567" == built


def test_every_directory_of_tests_has_a_budget() -> None:
    """What `make test` may take is said by directory; the sum only goes down from here, to 600 seconds."""
    import conftest

    assert {"tests", *(f"plugins/{folder.name}" for folder in PLUGINS)} == set(conftest.BUDGET)
    assert sum(conftest.BUDGET.values()) <= 480


@pytest.mark.parametrize(("size", "kept"), [(1, "0"), (3, "036"), (10, "0123456789"), (20, "0123456789")])
def test_a_sample_is_spread_over_the_cases_and_always_the_same(size: int, kept: str) -> None:
    """Of ten cases the first and those at equal distances; a test without the mark keeps all of its own."""
    import conftest

    class Item:
        def __init__(self, name: str, *marks: pytest.Mark) -> None:
            self.nodeid, self.marks = name, marks

        def get_closest_marker(self, _: str) -> pytest.Mark | None:
            return next(iter(self.marks), None)

    cases: list[Any] = [Item(f"t.py::test_a[{n}]", pytest.mark.sample(size).mark) for n in range(10)]
    left = conftest.beyond_the_samples([*cases, Item("t.py::test_b[1]")])

    assert kept == "".join(one.nodeid[-2] for one in cases if one.nodeid not in left)
    assert left <= {one.nodeid for one in cases}


@pytest.mark.parametrize(
    ("schema", "pattern"),
    [
        ("vendor.github-workflows", ".github/workflows/*.yml"),
        ("vendor.github-issue-forms", ".github/ISSUE_TEMPLATE/*_*.yml"),
        ("vendor.github-issue-config", ".github/ISSUE_TEMPLATE/config.yml"),
    ],
)
def test_what_github_reads_is_well_formed(schema: str, pattern: str) -> None:
    """Workflows and forms are as the schemas of GitHub's own say."""
    pytest.importorskip("check_jsonschema")
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        schema,
        *map(str, ROOT.glob(pattern)),
    ]
    seen = subprocess.run(command, capture_output=True, text=True, check=False)

    assert 0 == seen.returncode, seen.stdout + seen.stderr


def test_the_workflow_runs_what_is_promised() -> None:
    """Three systems by three Pythons, and the sessions that it names exist."""
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    sessions = set(re.findall(r"@nox.session\ndef (\w+)", (ROOT / "noxfile.py").read_text()))
    named = {word for line in re.findall(r"--session (.+)", text) for word in line.split()}

    assert "os: [ubuntu-latest, windows-latest, macos-latest]" in text
    assert 'python: ["3.11", "3.13", "3.14"]' in text
    assert named <= sessions


def test_the_example_configuration_is_valid(tmp_path: Path) -> None:
    """Every commented line of the template is a setting that exists."""
    from hub.plugins import Plugins
    from hub.settings import load

    text = (ROOT / "hub" / "cli" / "templates" / "hub.toml").read_text()
    live = re.sub(r"^# (\[|[a-z_]+ = )", r"\1", text, flags=re.MULTILINE)
    path = tmp_path / "hub.toml"
    path.write_text(live)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "secrets.env").touch(mode=0o600)
    plugins = Plugins()
    settings = load(path, sources=plugins.sources, destinations=plugins.destinations)

    assert {"plans", "hours", "jira"} == set(settings.sources)
    assert "0 6 * * 1-5" == settings.schedule.run
    assert "block" in text
    assert (ROOT / "config" / "hub.example.toml").read_text() == text


def test_the_connector_of_the_docs_works(hub_folder: Path, run_hub) -> None:
    """The example of docs/administrator.md is a plugin that syncs."""
    text = (ROOT / "docs" / "administrator.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (hub_folder / "config" / "plugins").mkdir()
    (hub_folder / "config" / "plugins" / "notes.py").write_text(code)
    (hub_folder / "config" / "hub.toml").write_text('[sources.n]\nkind = "notes"\npath = "notes"\n')
    (hub_folder / "notes").mkdir()
    for n in range(6):
        (hub_folder / "notes" / f"{n}.txt").write_text(f"Task {n}")
    first = run_hub("sync")
    (hub_folder / "notes" / "5.txt").unlink()
    second = run_hub("sync", "--json")

    assert 0 == first.exit_code, first.output + first.error
    assert '"presence_changed": 1' in second.output


def test_the_charset_jar_is_built_from_its_source() -> None:
    """The small jar in the package holds the class of the source beside it."""
    import zipfile

    folder = ROOT / "plugins" / "msproject" / "hub_msproject" / "files" / "charset"
    with zipfile.ZipFile(folder / "pm-hub-charset.jar") as jar:
        names = set(jar.namelist())
        service = jar.read("META-INF/services/java.nio.charset.spi.CharsetProvider").decode().strip()

    assert "pmhub.charset.MacRomanProvider" == service
    assert f"{service.replace('.', '/')}.class" in names
    assert "package pmhub.charset;" in (folder / "MacRomanProvider.java").read_text()


def test_the_house_has_no_circles() -> None:
    """import-linter's floors hold (the same check as `make lint`)."""
    command = Path(sys.executable).with_name("lint-imports")
    seen = subprocess.run([str(command), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert 0 == seen.returncode, seen.stdout


_FIGURE = re.compile(
    r"(?:sum|avg)\(\s*(?:CASE[^()]*|coalesce\()?\s*(?:\w+\.)?"
    r"(?:(?:baseline|estimate|spent|remaining|reported)_(?:days|amount)|days|amount|percent|\w+_amount|exposure_minor|effort_s|remaining_s|estimate_s)\b",
    re.IGNORECASE,
)


def test_figures_are_computed_in_one_room() -> None:
    """No command and no destination sums days or money in SQL.

    What the catalogue has comes from `fact_kpi`, the rest from declared measures.
    """
    places = [*(ROOT / "hub" / "cli").rglob("*.py"), *(ROOT / "plugins").glob("*/hub_*/**/*.py")]
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in places
        if "testing" not in path.parts
        for match in _FIGURE.finditer(path.read_text(encoding="utf-8"))
        if "SELECT" in path.read_text(encoding="utf-8")
    ]

    assert len(places) > 50
    for text in ("SELECT sum(f.estimate_days)", "sum(w.days)", "SUM(coalesce(amount, 0))"):
        assert _FIGURE.search(text), "the pattern finds what it looks for"
    assert [] == found


_SQL = re.compile(
    r"\s*(?:SELECT\s|INSERT\s+(?:OR\s+\w+\s+)?INTO\s|REPLACE\s+INTO\s|DELETE\s+FROM\s"
    r"|UPDATE\s+\S+\s+SET\s|WITH\s+(?:RECURSIVE\s+)?\w+\s*(?:\([^)]*\)\s*)?AS\s)"
)
_SQL_ROOMS = {"store", "feed", "placement", "testing"}


def sql_in(source: str) -> list[int]:
    """Return the lines of the texts in *source* that begin like SQL; what an f-string computes is a word."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "x" for part in node.values]
            text = "".join(str(part) for part in parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if _SQL.match(text):
            found.append(node.lineno)
    return sorted(set(found))


@pytest.mark.parametrize(
    "text",
    [
        '"SELECT 1"',
        'f"SELECT {names} FROM t"',
        '"""\\n    SELECT a\\n    FROM t"""',
        '"INSERT OR IGNORE INTO t VALUES (?)"',
        'f"INSERT INTO {table} VALUES (?)"',
        'f"UPDATE {table} SET {column} = 1"',
        '"DELETE FROM t"',
        '"WITH RECURSIVE a(n) AS (SELECT 1) SELECT n FROM a"',
        '"WITH a AS (VALUES (1)) SELECT 1"',
    ],
)
def test_sql_is_seen(text: str) -> None:
    """A text that begins like SQL is found, in an f-string too, by its line."""
    assert [2] == sql_in(f"x = 1\nrun({text})\n")


@pytest.mark.parametrize(
    "text", ['"Select a row"', '"With names as people call them"', '"Update the SET"', '"DELETE"']
)
def test_prose_and_methods_are_no_sql(text: str) -> None:
    """A sentence, and the method of a request, may begin with the same words."""
    assert [] == sql_in(f"run({text})")


def test_sql_stands_in_its_rooms() -> None:
    """SQL stands in hub/store, hub/feed and hub/placement (testing simulates tools); others ask by function.

    Plugins speak SQL to their own targets.
    """
    paths = [
        path for path in sorted((ROOT / "hub").rglob("*.py"))
        if path.relative_to(ROOT).parts[1] not in _SQL_ROOMS
    ]  # fmt: skip
    found = [
        f"{path.relative_to(ROOT).as_posix()}:{line}"
        for path in paths
        for line in sql_in(path.read_text(encoding="utf-8"))
    ]

    assert len(paths) > 50
    assert sql_in((ROOT / "hub" / "store" / "questions.py").read_text(encoding="utf-8"))
    assert [] == found, "move it to hub/store (a question to the store) or hub/feed/questions.py (to a feed)"

"""The command line as a person runs it, on small files of their own."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from hub.cli.configure import _ask_settings
from hub.cli.first import suggestions
from hub.cli.jobs import worst
from hub.entra import Entra
from hub.feed.reasons import _CHECKS
from hub.reference.beginning import beginnings
from hub.source import Source, Suggestion
from hub.testing import HubResult

Run = Callable[..., HubResult]
MAPPING = """record = "worklog"
key = ["Id"]
[fields]
account_id = "Qui"
container_id = "Projet"
day = { column = "Jour", format = "%d/%m/%Y" }
seconds = { column = "Heures", unit = "hours" }
"""
WHOLE = """lang = "en"
[sources.hours]
kind = "tabular"
path = "hours/*.csv"
mapping = "mappings/hours.toml"
[destinations.office]
kind = "files"
path = "out"
"""
"""Every format."""
CONFIG = f'{WHOLE}formats = ["csv"]\n'


@pytest.fixture
def folder(hub_folder: Path) -> Path:
    (hub_folder / "hours").mkdir()
    (hub_folder / "mappings").mkdir()
    (hub_folder / "mappings" / "hours.toml").write_text(MAPPING)
    (hub_folder / "config" / "hub.toml").write_text(CONFIG)
    hours(hub_folder, 10)
    return hub_folder


def hours(folder: Path, count: int, *, name: str = "a.csv", bad: bool = False) -> None:
    rows = [f"{n};M{n % 3};P-1;0{n % 9 + 1}/10/2026;7,5" for n in range(count)]
    if bad:
        rows.append("99;M1;P-1;not a day;7")
    (folder / "hours" / name).write_text(
        "Id;Qui;Projet;Jour;Heures\n" + "\n".join(rows) + "\n", encoding="utf-8"
    )


def test_the_main_job(folder: Path, run_hub: Run) -> None:
    """run syncs and publishes, says what to open, and exits 0; the hours are in every format.

    Again changes nothing.
    """
    (folder / "config" / "hub.toml").write_text(WHOLE)
    first = run_hub("run")
    second = run_hub("run", "--json")
    said = json.loads(second.output)
    with (folder / "out" / "latest" / "csv" / "fact_worklog.csv").open() as file:
        total = sum(int(row["seconds"]) for row in csv.DictReader(file))

    assert 0 == first.exit_code, first.output + first.error
    assert "portfolio.xlsx" in first.output
    assert 10 * 27000 == total
    assert (0, 0) == (said["exit_code"], said["sync"][0]["changes"]["inserted"])
    assert "team-week" == json.loads((folder / "out" / "latest" / "manifest.json").read_text())["privacy"]


@pytest.mark.long
def test_a_wrong_row_makes_the_run_partial(folder: Path, run_hub: Run) -> None:
    """Exit 3, the row is named with file, row, column and value, and the feed is marked."""
    hours(folder, 10, bad=True)
    result = run_hub("run")

    assert 3 == result.exit_code
    assert "a.csv, row 12, Jour: 'not a day' is not a date" in result.output
    status = json.loads(run_hub("status", "--json").output)
    assert ("partial", False) == (status["sources"][0]["state"], status["feed"]["complete"])


@pytest.mark.long
def test_a_vanished_file_is_held_then_accepted(folder: Path, run_hub: Run) -> None:
    """The hours stay until a person lets them go; status and presence say so."""
    (folder / "hours" / "b.csv").write_text("Id;Qui;Projet;Jour;Heures\n")
    run_hub("run")
    (folder / "hours" / "a.csv").unlink()
    gone = run_hub("run")
    presence = run_hub("presence")
    status = run_hub("status")
    accepted = run_hub("presence", "accept", "hours", "--yes")
    again = run_hub("run")

    assert 3 == gone.exit_code
    assert (0, True) == (status.exit_code, "10 rows" in status.output)
    assert "10 rows (0 tasks, 75 timesheet hours)" in gone.output
    assert "75" in presence.output
    assert "10 worklog" in accepted.output
    assert 0 == again.exit_code
    assert "not counted: 75.0 h: deleted" in again.output
    assert "Not present" in run_hub("presence").output
    assert "Nothing is held." in run_hub("presence", "accept").output


def test_a_path_that_matches_nothing_is_not_green(folder: Path, run_hub: Run) -> None:
    """A mistyped glob is failed at the first run already, not an empty success."""
    (folder / "hours" / "a.csv").unlink()
    result = run_hub("run")

    assert 1 == result.exit_code
    assert "no file matches hours/*.csv" in result.output
    assert "the last good feed stays" in result.output


@pytest.mark.long
def test_a_run_that_died_is_told_at_once(folder: Path, run_hub: Run) -> None:
    """After a power loss status says interrupted, not running; while a run lives it says running.

    Publish marks the feed.
    """
    from hub.store import Store
    from hub.sync import lock

    run_hub("run")
    with lock(folder / "data" / "hub.db"), Store.open(folder / "data" / "hub.db") as store:
        store.begin_run("hours", "increment")
        alive = json.loads(run_hub("status", "--json").output)
    dead = json.loads(run_hub("status", "--json").output)
    published = run_hub("publish")

    assert "running" == alive["sources"][0]["state"]
    assert "interrupted" == dead["sources"][0]["state"]
    assert "killed, or the machine stopped" in dead["sources"][0]["missing"][0]
    assert "its last run was interrupted" in published.output
    assert 0 == run_hub("run").exit_code


def test_dry_run(folder: Path, run_hub: Run) -> None:
    """Hours per project before and after; nothing is stored."""
    result = run_hub("sync", "--dry-run")
    said = json.loads(run_hub("sync", "--dry-run", "--json").output)

    assert 0 == result.exit_code
    assert "0 → 75 (+75)" in result.output
    assert [0.0, 75.0] == said["effects"][0]["logged"]
    assert '"rows": 0' in run_hub("store", "info", "--json").output


@pytest.mark.long
def test_publish_as_of(folder: Path, run_hub: Run) -> None:
    """Before anything was known the feed is empty."""
    run_hub("sync")
    result = run_hub("publish", "office", "--as-of", "2020-01-01")
    with (folder / "out" / "latest" / "csv" / "fact_worklog.csv").open() as file:
        lines = list(csv.DictReader(file))

    assert 0 == result.exit_code
    assert [] == lines


def test_check_names_what_is_wrong(folder: Path, run_hub: Run) -> None:
    """Well: exit 0. A column that is missing: exit 1, with the columns that are there."""
    well = run_hub("check")
    (folder / "hours" / "b.csv").write_text("Id;Who\n1;2\n")
    wrong = run_hub("check", "hours")

    assert (0, 1) == (well.exit_code, wrong.exit_code)
    assert "has no column 'Heures', 'Jour', 'Projet', 'Qui'; it has Id, Who" in wrong.output


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("sync", "nope"), 2, "There is no source 'nope'; configured in"),
        (("publish", "nope"), 2, "There is no destination 'nope'"),
        (("publish", "--as-of", "soon"), 2, "'soon' is not a date"),
        (("status",), 1, "run `hub sync` first"),
        (("nonsense",), 2, "No such command"),
        (("--config", "missing.toml", "run"), 2, "There is no configuration at missing.toml"),
        (("check", "nope"), 2, "There is no source or destination 'nope'"),
        (("init",), 2, "already there and was not touched"),
    ],
)
def test_mistakes(folder: Path, run_hub: Run, arguments: tuple[str, ...], code: int, words: str) -> None:
    """Every mistake has its exit code and its sentence, never a trace."""
    result = run_hub(*arguments)

    assert code == result.exit_code
    assert words in result.error
    assert "Traceback" not in result.error


def test_a_plain_run_without_sources(hub_folder: Path, run_hub: Run) -> None:
    """An empty configuration says what to add."""
    (hub_folder / "config" / "hub.toml").write_text("")

    assert "No source is configured" in run_hub("run").error


def test_the_lock_is_told(folder: Path, run_hub: Run) -> None:
    """A second run exits 5 and names the first."""
    from hub.sync import lock

    (folder / "data").mkdir()
    with lock(folder / "data" / "hub.db"):
        result = run_hub("run")

    assert 5 == result.exit_code
    assert "Another run is writing" in result.error


def test_init_asks_and_tests(hub_folder: Path, run_hub: Run) -> None:
    """init writes a configuration that loads, with the sources asked for, tests it, offers the schedule."""
    (hub_folder / "plans").mkdir()
    result = run_hub("init", stdin="en\n\nmsproject\nplans\nplans\n\n0 6 * * 1-5\n")
    text = (hub_folder / "config" / "hub.toml").read_text()

    assert 0 == result.exit_code, result.error
    assert '[sources.plans]\nkind = "msproject"\npath = "plans"' in text
    assert '[schedule]\nrun = "0 6 * * 1-5"' in text
    assert "no schedule file matches plans" in result.output
    assert (hub_folder / "config" / "projects.example.csv").exists()


def test_init_asks_for_a_table_inside_a_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account of Microsoft is written on one line, its secret by reference.

    What is left empty is left out.
    """
    answers = iter(["contoso.example", "c0de", "PLANNER_SECRET", "contoso.example", "c0de", ""])
    monkeypatch.setattr("click.prompt", lambda *_, **__: next(answers))

    asked = [_ask_settings(Asking) for _ in range(2)]

    assert [
        (
            'account = { tenant = "contoso.example", client_id = "c0de", '
            'client_secret = { env = "PLANNER_SECRET" } }'
        )
    ] == asked[0]
    assert ['account = { tenant = "contoso.example", client_id = "c0de" }'] == asked[1]


class Asking(Source, frozen=True, kw_only=True):
    """A source that signs in to Microsoft."""

    account: Entra


def test_init_without_questions(hub_folder: Path, run_hub: Run) -> None:
    """init --yes writes the commented example, which is valid."""
    result = run_hub("init", "--yes")

    assert 0 == result.exit_code
    assert "No source is configured" in run_hub("run").error


def test_schema(folder: Path, run_hub: Run) -> None:
    """The configuration's JSON Schema names the installed kinds."""
    schema = json.loads(run_hub("config", "schema").output)
    kinds = {choice["title"] for choice in schema["properties"]["sources"]["additionalProperties"]["oneOf"]}

    assert {"msproject", "tabular"} <= kinds


@pytest.mark.long
def test_status_tells_runs_and_feed(folder: Path, run_hub: Run) -> None:
    """After a run, status shows the source, the feed and the destination."""
    run_hub("run")
    result = run_hub("status", "--runs", "3")

    assert 0 == result.exit_code
    assert "hours" in result.output
    assert "complete" in result.output
    assert "office: published" in result.output
    assert "read 14, new 14" in result.output


@pytest.mark.long
def test_the_portfolio_in_config(folder: Path, run_hub: Run) -> None:
    """CSV files a PMO edits in Excel give projects.

    A wrong line is named and half a portfolio is never used.
    """
    config = folder / "config"
    (config / "projects.csv").write_bytes("\ufeffcode;name\nINFRA;Infrastructure é\n".encode())
    (config / "project_links.csv").write_text("project_code,source,container\nINFRA,hours,P-1\n")
    well = run_hub("run")
    named = (folder / "out" / "latest" / "csv" / "dim_project.csv").read_text()
    (config / "projects.csv").write_text("code;name;state\nINFRA;Infrastructure;running\n")
    wrong = run_hub("run")

    assert 0 == well.exit_code, well.output
    assert "Infrastructure é" in named
    assert 3 == wrong.exit_code
    assert "projects.csv, line 2, column state: 'running' is not one of proposed, active" in wrong.output
    assert "Infrastructure é" in (folder / "out" / "latest" / "csv" / "dim_project.csv").read_text()


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("projects.csv", "code;nom\nA;B\n", "line 1: unknown column nom; known: code, name"),
        ("projects.csv", "code\nA\n", "line 1: the column name is missing"),
        ("projects.csv", "code;name\nA;\n", "line 2, column name: it may not be empty"),
        ("projects.csv", "code;name\nA;x\nA;y\n", "line 3, column code: 'A' is already on line 2"),
        ("projects.csv", "code;name;parent_code\nA;x;Z\n", "there is no line with the code 'Z'"),
        ("projects.csv", "code;name;level\nA;x;epic\n", "'epic' is not one of portfolio"),
        ("projects.csv", "code;name;priority\nA;x;high\n", "'high' is not a whole number"),
        (
            "project_links.csv",
            "project_code;source;container;facets\nA;s;c;hours\n",
            "hours is not one of schedule",
        ),
        ("project_links.csv", "project_code;source;container\nA;s;c\nB;s;c\n", "already linked on line 2"),
        (
            "project_links.csv",
            "project_code;source;container;facets\nA;s;c;effort\nA;t;d;effort\n",
            "already given to s on line 2",
        ),
    ],
)
def test_portfolio_mistakes(folder: Path, run_hub: Run, name: str, text: str, words: str) -> None:
    """check names file, line and column."""
    (folder / "config" / name).write_text(text)
    result = run_hub("check", "config")

    assert 1 == result.exit_code
    assert words in result.output


def test_which_exit_code_applies_first() -> None:
    """130, 5, 2, 1, 4, 3, 0."""
    assert [130, 1, 4, 3, 0] == [worst([3, 130]), worst([4, 1, 3]), worst([4, 3]), worst([0, 3]), worst([0])]


def test_sources_are_offered_in_the_order_of_their_files(tmp_path: Path) -> None:
    """Whichever plugin answers first."""
    for name in ("a.csv", "b.xml"):
        (tmp_path / "files" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "files" / name).write_text("x", encoding="utf-8")

    def offered(folder: Path, files: list[Path]) -> list[list[Suggestion]]:
        made = [Suggestion(name=one.stem, kind="x", files=(one,), says="", settings={}) for one in files]
        return [[one] for one in reversed(made)]

    hook = SimpleNamespace(suggest_sources=offered)
    app = SimpleNamespace(config=tmp_path / "config" / "hub.toml", plugins=SimpleNamespace(hook=hook))
    assert ["a", "b"] == [one.name for one in suggestions(app, "files")]  # type: ignore[arg-type]


@pytest.mark.long
def test_init_reads_a_folder(hub_folder: Path, run_hub: Run) -> None:
    """init finds what can be read, names what cannot, writes projects from what was read, and publishes."""
    (hub_folder / "files").mkdir()
    plan = Path(__file__).parents[1] / "docs" / "first_portfolio" / "website.xml"
    (hub_folder / "files" / "website.xml").write_bytes(plan.read_bytes())
    (hub_folder / "files" / "holiday.jpg").write_bytes(b"\xff\xd8")
    result = run_hub("init", "--yes", "--from", "files")
    projects = (hub_folder / "config" / "projects.csv").read_text(encoding="utf-8-sig").splitlines()
    links = (hub_folder / "config" / "project_links.csv").read_text(encoding="utf-8-sig").splitlines()

    assert 0 == result.exit_code, result.error
    assert "not read: holiday.jpg" in result.output
    assert "WEBSITE;New website;project;;active" == projects[2]
    assert "WEBSITE;plans;website;;" == links[2]
    assert (hub_folder / "out" / "latest" / "portfolio.xlsx").exists()


def test_beginnings() -> None:
    """Containers of one code or name are one project, accounts of one address or name one person."""
    known: dict[str, str | None] = dict.fromkeys(("email", "employee_no", "login"))
    found = beginnings(
        {
            "containers": [
                {"source_id": "plans", "id": "plans:1", "code": None, "name": "Nouveau site"},
                {"source_id": "jira", "id": "jira:p1", "code": "WEB", "name": "nouveau  site"},
                {"source_id": "hours", "id": "hours:WEB", "code": "WEB", "name": "WEB"},
                {"source_id": "hours", "id": "hours:=1+1", "code": "=1+1", "name": "=1+1"},
            ],
            "codes": [{"code": "CRM"}],
            "accounts": [
                known | {"source_id": "jira", "id": "jira:1", "display_name": "Ada", "email": "ada@x.org"},
                known | {"source_id": "hours", "id": "hours:2", "display_name": "Ada L.",
                         "email": "ADA@x.org", "employee_no": "7"},
                known | {"source_id": "hours", "id": "hours:Bob", "display_name": "Bob"},
            ],
            "statuses": [
                {"source_id": "list", "status_raw": status}
                for status in ("Terminée", "TERMINEE", "In-Progress", "en  cours", "Won't do", "On hold")
            ],
        }
    )  # fmt: skip
    body = {name: text.splitlines()[2:] for name, text in found.items()}

    assert ["CRM;CRM;project;;active", "WEB;nouveau  site;project;;active",
            "1-1;'=1+1;project;;active"] == body["projects.csv"]  # fmt: skip
    assert ["WEB;jira;WEB;;", "WEB;hours;WEB;;", "1-1;hours;'=1+1;;",
            "WEB;plans;Nouveau site;;"] == body["project_links.csv"]  # fmt: skip
    assert ["Ada;ada@x.org;7;;", "Bob;;;;"] == body["people.csv"]
    assert ["hours;Bob;;Bob"] == body["accounts.csv"]
    assert ["list;*;In-Progress;in_progress;", "list;*;On hold;;",
            "list;*;TERMINEE;done;", "list;*;Terminée;done;", "list;*;Won't do;cancelled;",
            "list;*;en  cours;in_progress;"] == body["statuses.csv"]  # fmt: skip


def test_every_check_of_the_quality_has_words() -> None:
    """`hub status` names the checks that cost points in words, all that the feed has."""
    sql = (Path(__file__).parents[1] / "hub" / "feed" / "tables" / "fact_quality.sql").read_text()
    codes = set(re.findall(r"SELECT '([a-z0-9_]+)'", sql))

    assert codes == _CHECKS.keys()


@pytest.mark.long
def test_the_committee_meets_today(folder: Path, run_hub: Run) -> None:
    """The run publishes, then takes and closes the cut of what it published; the next run takes none."""
    (folder / "config" / "hub.toml").write_text(f"{CONFIG}[committee]\ndates = [{date.today()}]\n")
    first = run_hub("run")
    listed = json.loads(run_hub("cut", "list", "--json").output)
    run_hub("run")
    again = json.loads(run_hub("cut", "list", "--json").output)
    manifest = json.loads((folder / "out" / "latest" / "manifest.json").read_text())

    assert [f"COPIL {date.today()}"] == [one["label"] for one in listed]
    assert listed == again
    assert "took the cut" in first.error
    assert listed[0]["closed_at"]
    assert manifest["next_committee"] is None


@pytest.mark.long
def test_a_committees_cut_that_a_killed_run_left_open(folder: Path, run_hub: Run) -> None:
    """The next run closes it, without taking another; a cut that a person took stays open."""
    (folder / "config" / "hub.toml").write_text(
        f"{CONFIG}[committee]\ndates = [{date.today()}]\nclose = false\n"
    )
    run_hub("run")
    run_hub("cut", "take", "--label", "Mine")
    (folder / "config" / "hub.toml").write_text(f"{CONFIG}[committee]\ndates = [{date.today()}]\n")
    run_hub("run")
    closed = {
        one["label"]: bool(one["closed_at"]) for one in json.loads(run_hub("cut", "list", "--json").output)
    }

    assert {f"COPIL {date.today()}": True, "Mine": False} == closed


def test_a_rhythm_that_nobody_understands(folder: Path, run_hub: Run) -> None:
    """The configuration is refused, with what to write."""
    (folder / "config" / "hub.toml").write_text(f'{CONFIG}[committee]\nrhythm = "fridays"\n')
    result = run_hub("status")

    assert 2 == result.exit_code
    assert "last friday" in result.error

"""The seven rule sets of the design, each through the code that applies it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from filling import ask, fill

from hub.matching import Face, identify, match_tasks
from hub.matching.tasks import ExecTask, PlanTask
from hub.records import Account, Container, Project, Rate, Record, StatusMap, Task, Worklog
from hub.store import Store

EXAMPLES = Path(__file__).parent / "golden" / "kpi_examples.json"
pytestmark = pytest.mark.skipif(
    not EXAMPLES.exists(), reason="../shared/design/kpi_examples.json is not here"
)
RULES: dict[str, Any] = json.loads(EXAMPLES.read_text(encoding="utf-8"))["rules"]


@pytest.mark.long
def test_cost_rounding(store: Store, tmp_path: Path) -> None:
    """Per line, half up on minor units, sign kept."""
    rule = RULES["cost_rounding"]
    lines = [Worklog(id=f"h:{n}", day="2026-03-02", seconds=s) for n, s in enumerate(rule["lines_s"])]
    rate = Rate(
        id="config:r", scope="default", valid_from="2026-01-01", minor_per_day=rule["rate_minor_per_day"]
    )
    fill(store, lines, [rate], seconds_per_day=rule["seconds_per_day"])

    assert [(value,) for value in rule["expected_minor"]] == ask(
        store, tmp_path, "SELECT (amount * 100)::BIGINT FROM fact_worklog ORDER BY worklog_id"
    )


@pytest.mark.long
@pytest.mark.parametrize(
    "case", RULES.get("day_conversion", {}).get("cases", []), ids=lambda case: case["source"]
)
def test_day_conversion(store: Store, tmp_path: Path, case: dict[str, Any]) -> None:
    """Days are seconds over the source's own day: person-days add up across tools, hours do not."""
    fill(
        store,
        [Worklog(id="s:1", day="2026-03-02", seconds=case["seconds"])],
        seconds_per_day=case["seconds_per_day"],
    )

    assert [(case["days"],)] == ask(store, tmp_path, "SELECT days FROM fact_worklog")


@pytest.mark.parametrize("case", RULES.get("work_day", {}).get("cases", []), ids=lambda case: case["started"])
def test_work_day(case: dict[str, Any]) -> None:
    """An instant becomes the civil day of its author; a date stays what it is."""
    from hub_jira.mapping import Bindings, Mapper

    mapper = Mapper(
        name="j", url="", zone="UTC", types={}, levels={}, bindings=Bindings(), history=(), people=True
    )
    day = mapper.day(case["started"], case["tz"]) if "T" in case["started"] else case["started"]

    assert case["day"] == day


@pytest.mark.long
@pytest.mark.parametrize(("on_summary", "own"), [(0, None), (3, 3)])
def test_own_effort(tmp_path: Path, store: Store, on_summary: int, own: int | None) -> None:
    """The work of a summary row is a roll-up; only what is assigned to the row itself is its own."""
    from hub_msproject.files.source import MsProjectSource

    from hub.testing import sync_once

    children = RULES["own_effort"]["cases"][0]["children"]
    rows = [(1, 1, 1, sum(children) + on_summary)] + [(n + 2, 2, 0, days) for n, days in enumerate(children)]
    tasks = "".join(
        f"<Task><UID>{uid}</UID><ID>{uid}</ID><Name>T{uid}</Name>"
        f"<OutlineLevel>{level}</OutlineLevel><Work>PT{days * 8}H0M0S</Work>"
        f"<Summary>{summary}</Summary></Task>"
        for uid, level, summary, days in rows
    )
    mine = (
        "<Assignment><UID>1</UID><TaskUID>1</TaskUID><ResourceUID>1</ResourceUID>"
        f"<Work>PT{on_summary * 8}H0M0S</Work></Assignment>"
        if on_summary
        else ""
    )
    (tmp_path / "p.xml").write_text(
        "<Project "
        f'xmlns="http://schemas.microsoft.com/project"><GUID>g</GUID><Name>p</Name><MinutesPerDay>480</MinutesPerDay><Tasks>{tasks}</Tasks>'
        f"<Resources><Resource><UID>1</UID><Name>A</Name><Type>1</Type></Resource></Resources><Assignments>{mine}</Assignments></Project>"
    )
    report = sync_once(store, MsProjectSource(name="plans", path="p.xml"), base=tmp_path)
    found = ask(
        store,
        tmp_path,
        "SELECT sum(estimate_days) FROM fact_task_snapshot f JOIN dim_task USING (task_key) "
        "WHERE kind = 'summary'",
    )

    assert "ok" == report.verdict
    assert [(own,)] == found
    assert [(sum(children) + on_summary,)] == ask(
        store, tmp_path, "SELECT sum(estimate_days) FROM fact_task_snapshot"
    )


def as_stored(case: dict[str, Any]) -> Task:
    """Return the record a connector makes of what its tool says."""
    from hub_jira.mapping import CATEGORIES

    base: dict[str, Any] = {"id": "s:t", "container_id": "s:c", "title": "T"}
    match case["plugin"]:
        case "jira":
            native = CATEGORIES.get(case["category_key"])
            return Task(
                **base, status_raw=case["status"], status_native=native, resolution_raw=case["resolution"]
            )
        case "msproject":
            active, start, percent = case.get("is_active", True), case.get("actual_start"), case["percent"]
            native = (
                "cancelled"
                if not active
                else "done"
                if percent >= 100
                else "in_progress"
                if percent or start
                else "todo"
            )
            return Task(
                **base,
                percent=percent,
                actual_start_on=start,
                status_native=native,
                status_raw=None if active else "inactive",
            )
        case "taskworld":
            return Task(**base, status_raw=case["list"], percent=100.0 if case["completed"] else None)
        case _:
            return Task(
                **base, status_raw=case["state"], status_native="done", resolution_raw=case["state_reason"]
            )


@pytest.fixture(scope="module")
def statuses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Put every status rule into one feed, each case with a source of its own.

    Gives the category per source.
    """
    folder = tmp_path_factory.mktemp("statuses")
    with Store.open(folder / "hub.db") as store:
        for no, case in enumerate(RULES["status"]):
            name = f"s{no}"
            task = msgspec.structs.replace(as_stored(case), id=f"{name}:t", container_id=f"{name}:c")
            fill(store, [Container(id=f"{name}:c", kind="project", name=name), task])
            maps: list[Record] = [
                StatusMap(id=f"config:{name}{raw}", source=name, status_raw=raw, category=to)
                for raw, to in case.get("map", {}).items()
            ]
            if maps:
                fill(store, maps)
        return dict(
            ask(
                store,
                folder,
                "SELECT d.name, category FROM fact_task_snapshot JOIN dim_status USING (status_key) "
                "JOIN dim_task USING (task_key) JOIN dim_source d USING (source_key)",
            )
        )


@pytest.mark.parametrize("no", range(len(RULES.get("status", []))))
def test_status(no: int, statuses: dict[str, str]) -> None:
    """Facts first, then the site's map, then the tool's category, then percent and dates.

    The rest is unknown.
    """
    assert (RULES["status"][no]["expected"], RULES["status"][no]) == (statuses[f"s{no}"], RULES["status"][no])


@pytest.mark.parametrize("case", RULES.get("identity", []), ids=lambda case: case["method"])
def test_identity(case: dict[str, Any]) -> None:
    """Exact identifiers decide, names only propose, robots and placeholders are nobody."""

    def face(one: dict[str, Any] | None) -> Face | None:
        if one is None:
            return None
        emails = (one["email"],) if one.get("email") else ()
        return Face(
            id=one.get("source", "x"), kind=one.get("kind", "human"), name=one.get("name"), emails=emails
        )

    first = face(case["a"])
    assert first is not None
    assert (case["expected"], case["method"]) == identify(
        first, face(case["b"]), case.get("domain_alias", {})
    )


@pytest.mark.parametrize("case", RULES.get("task_match", []), ids=lambda case: case["method"][:30])
def test_task_match(case: dict[str, Any]) -> None:
    """A key counts only with the prefix of a Jira project; the same name only proposes."""
    plan = PlanTask(id="p", project=1, title=case["plan"], texts=(case["text1"],) if "text1" in case else ())
    work = ExecTask(id="e", project=1, title=case.get("exec_title", "Other"), key=case.get("exec_key"))
    found = match_tasks([plan], [work], set(case.get("jira_projects", ["INF"])))

    assert [case["expected"]] == ([match.state for match in found] or ["none"])
    if found:
        assert case["method"] == found[0].method


@pytest.mark.long
def test_a_project_map_goes_before_the_source_map(store: Store, tmp_path: Path) -> None:
    """What one container says of a status wins over what its source says."""
    maps = [
        StatusMap(id="config:1", source="s", status_raw="Recette", category="done"),
        StatusMap(
            id="config:2", source="s", container_id="INF", status_raw="recette", category="in_progress"
        ),
    ]
    rows: list[Record] = [Container(id=f"s:{c}", kind="project", code=c, name=c) for c in ("INF", "POR")]
    rows += [Task(id=f"s:t{c}", container_id=f"s:{c}", title=c, status_raw="Recette") for c in ("INF", "POR")]
    fill(store, rows, maps, [Project(id="config:X", code="X", name="X"), Account(id="config:a")])

    assert [("INF", "in_progress"), ("POR", "done")] == ask(
        store,
        tmp_path,
        "SELECT title, category FROM fact_task_snapshot JOIN dim_status USING (status_key) "
        "JOIN dim_task USING (task_key) ORDER BY 1",
    )

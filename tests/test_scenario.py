"""One effort told by three tools: a plan of MS Project, issues and worklogs of Jira, timesheets in CSV.

It counts once, to the second.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from hub_jira.source import JiraSource
from hub_jira.testing import EMAIL, KEYS, JiraWorld
from hub_msproject.files.source import MsProjectSource
from hub_tabular.source import TabularSource

from hub.feed import BuildOptions, open_feed
from hub.publish import PublishOptions, publish
from hub.reference import ConfigSource
from hub.store import Store
from hub.sync import Options, sync
from hub.testing.kit import SimulatorServer, credential, faults

MAPPING = """record = "worklog"
period = "week"
delimiter = ";"
key = ["Ref"]
[fields]
account_id = "Who"
container_id = "Project"
day = "Day"
seconds = { column = "Seconds", unit = "seconds" }
"""
DAY = 7 * 3600


def write_plan(world: JiraWorld, code: str, container: str, path: Path) -> tuple[int, int]:
    """Write a plan whose tasks are the issues of one project, with the hours logged there as actual work.

    A plan knows no work below nothing. Gives its seconds of work, and those of actual work.
    """
    tasks, days, total, done = [], [], 0, 0
    for place, item in enumerate((item for item in world.seen() if item.container == container), start=1):
        logged = sum(round(log.hours * 3600) for log in world.logs.values() if log.item == item.native)
        spent = max(0, logged)
        work = spent + 4 * 3600
        total, done = total + work, done + spent
        tasks.append(
            f"<Task><UID>{place}</UID><ID>{place}</ID><Name>{code}-{item.native}</Name><OutlineLevel>1</OutlineLevel><Work>PT{work}S</Work>"
            f"<ActualWork>PT{spent}S</ActualWork><RemainingWork>PT{work - spent}S</RemainingWork>"
            "<Baseline><Number>0</Number>"
            f"<Finish>2026-06-30T17:00:00</Finish><Work>PT{work}S</Work></Baseline></Task>"
        )
        days.append(
            f"<Assignment><UID>{place}</UID><TaskUID>{place}</TaskUID><ResourceUID>1</ResourceUID><Work>PT{work}S</Work><ActualWork>PT{spent}S</ActualWork>"
            f"<TimephasedData><Type>2</Type><UID>{place}</UID><Start>2026-03-02T09:00:00</Start><Finish>2026-03-02T17:00:00</Finish><Unit>2</Unit>"
            f"<Value>PT{spent}S</Value></TimephasedData></Assignment>"
        )
    path.write_text(
        "<Project "
        f'xmlns="http://schemas.microsoft.com/project"><GUID>{code}</GUID><Name>{code}</Name><MinutesPerDay>420</MinutesPerDay>'
        f"<Tasks>{''.join(tasks)}</Tasks><Resources><Resource><UID>1</UID><Name>Somebody</Name><Type>1</Type></Resource></Resources>"
        f"<Assignments>{''.join(days)}</Assignments></Project>",
        encoding="utf-8",
    )
    return total, done


@pytest.mark.long
@pytest.mark.parametrize("links", ["said", "not said"])
def test_three_tools_one_effort(tmp_path: Path, store: Store, links: str) -> None:
    """Baseline and effort come from the plan, hours from the timesheets, flow from Jira.

    Each second once, whether links say so or codes.
    """
    world = JiraWorld(11, scale=2)
    for name in ("config", "plans", "hours"):
        (tmp_path / name).mkdir()
    written = {
        code: write_plan(world, code, container, tmp_path / "plans" / f"{code}.xml")
        for container, code in KEYS.items()
    }
    planned = {code: total for code, (total, _) in written.items()}
    code_of = {item.native: KEYS[item.container] for item in world.seen()}
    logged: dict[str, int] = {}
    with (tmp_path / "hours" / "h.csv").open("w", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["Ref", "Who", "Project", "Day", "Seconds"])
        for native, log in world.logs.items():
            seconds = round(log.hours * 3600)
            logged[code_of[log.item]] = logged.get(code_of[log.item], 0) + seconds
            writer.writerow([native, "somebody", code_of[log.item], "2026-03-02", seconds])
    (tmp_path / "hours.toml").write_text(MAPPING)
    projects = [["code", "name"], *([code, code] for code in KEYS.values())]
    rows = [["project_code", "source", "container", "facets"]]
    for code in KEYS.values():
        rows += [
            [code, "plans", code, "schedule,baseline,effort"],
            [code, "jira", code, "status,flow,nature"],
            [code, "hours", code, "actuals"],
        ]
    for name, lines in (
        ("projects.csv", projects),
        *((("project_links.csv", rows),) if links == "said" else ()),
    ):
        with (tmp_path / "config" / name).open("w", newline="") as file:
            csv.writer(file, delimiter=";").writerows(lines)
    with SimulatorServer(world) as site:
        sources: list[Any] = [
            ConfigSource(name="config", folder=str(tmp_path / "config")),
            MsProjectSource(name="plans", path="plans"),
            JiraSource(name="jira", url=site.url, email=EMAIL, token=credential()),
            TabularSource(name="hours", path="hours/*.csv", mapping="hours.toml"),
        ]
        synced = sync(store, sources, Options(base=tmp_path, session=faults.hurried))
    report = publish(store, tmp_path / "feed", [], PublishOptions(base=tmp_path, build=BuildOptions()))
    feed = open_feed(Path(report.folder))
    hours = dict(
        feed.execute(
            "SELECT code, sum(seconds)::BIGINT FROM fact_worklog JOIN dim_project USING (project_key) "
            "GROUP BY 1"
        ).fetchall()
    )
    effort = feed.execute(
        "SELECT code, round(sum(baseline_days) * 25200)::BIGINT, round(sum(estimate_days) * 25200)::BIGINT, "
        "sum(points) FROM fact_task_snapshot "
        "JOIN dim_project USING (project_key) GROUP BY 1"
    ).fetchall()
    tools = feed.execute(
        "SELECT DISTINCT s.name FROM fact_worklog JOIN dim_source s USING (source_key)"
    ).fetchall()
    feed.close()
    told = sum(line["amount"] for line in report.excluded if line["measure"] == "seconds")
    points = sum(item.native % 8 for item in world.seen() if world.field(item, "issuetype")["name"] != "Epic")

    assert {"ok"} == {one.verdict for one in synced.sources}, [one.missing for one in synced.sources]
    assert report.current
    assert logged == hours
    assert [("hours",)] == tools
    assert {code: (total, total) for code, total in planned.items()} == {
        code: (base, estimate) for code, base, estimate, _ in effort
    }
    assert points == sum(row[3] for row in effort)
    done = sum(actual for _, actual in written.values())
    assert sum(logged.values()) + done == told, (
        "the same seconds of the plan and of Jira are listed, not lost"
    )

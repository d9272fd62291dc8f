"""Make a small place by the code of an earlier commit: ``python tests/upgrade/make.py COMMIT``.

It holds what a person keeps (sources, configuration, store, cuts), and the figures of the feed that this
commit built: figures.json. The archive is called after the last migration of its store.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
HUB = """store = "sqlite:///data/hub.db"
feed = "data/feed"

[sources.tasks]
kind = "tabular"
path = "tasks/*.csv"
mapping = "mappings/tasks.toml"

[sources.hours]
kind = "tabular"
path = "hours/*.csv"
mapping = "mappings/hours.toml"

[sources.money]
kind = "tabular"
path = "money/*.csv"
mapping = "mappings/money.toml"
"""
MAPPINGS = {
    "tasks": """record = "task"
key = ["no"]

[fields]
container_id = "project"
title = "title"
estimate_s = { column = "hours", unit = "hours" }
planned_start_on = "start"
planned_finish_on = "finish"
status_raw = "status"
status_native = { column = "status", values = { "todo" = "todo", "doing" = "in_progress", "done" = "done" } }
""",
    "hours": """record = "worklog"
key = ["no"]

[fields]
task_id = { column = "task", source = "tasks" }
account_id = "who"
container_id = "project"
day = "day"
seconds = { column = "hours", unit = "hours" }

[account]
display_name = "name"
employee_no = "who"
""",
    "money": """record = "budget_line"
key = ["project", "month", "kind"]

[fields]
project_code = "project"
month = "month"
category = { value = "services" }
kind = "kind"
amount_minor = "amount"
currency = { value = "EUR" }
""",
}


def fill(place: Path) -> None:
    """Write sources and configuration: two projects, twelve tasks, hours of three months, money."""
    people = [("7001", "Ann Example"), ("7002", "Bob Sample"), ("7003", "Zoé Modèle")]
    tasks = ["no,project,title,hours,start,finish,status"]
    hours = ["no,task,project,who,name,day,hours"]
    money = ["project,month,kind,amount"]
    for number in range(12):
        project = ("INFRA", "APPLI")[number % 2]
        status = ("done", "doing", "todo")[number % 3]
        tasks.append(
            f"{number},{project},Task {number} é,{20 + number},2026-0{7 + number % 3}-06,"
            f"2026-0{7 + number % 3}-24,{status}"
        )
    for number in range(90):
        month, day = 7 + number % 3, 1 + number % 28
        who, name = people[number % 3]
        project = ("INFRA", "APPLI")[number % 2]
        hours.append(
            f"{number},{number % 12},{project},{who},{name},2026-{month:02d}-{day:02d},{1 + number % 7}.5"
        )
    for project in ("INFRA", "APPLI"):
        for month in ("2026-07", "2026-08", "2026-09"):
            money += [f"{project},{month},baseline,1000.00", f"{project},{month},consumed,812.50"]
    files = {
        "config/hub.toml": HUB,
        "config/projects.csv": "code,name,level\nINFRA,Infrastructure,project\nAPPLI,Applications,project\n",
        "config/project_links.csv": "project_code,source,container,facets\n"
        'INFRA,tasks,INFRA,"schedule,effort,status"\nAPPLI,tasks,APPLI,"schedule,effort,status"\n'
        "INFRA,hours,INFRA,actuals\nAPPLI,hours,APPLI,actuals\n",
        "tasks/tasks.csv": "\n".join(tasks) + "\n",
        "hours/hours.csv": "\n".join(hours) + "\n",
        "money/money.csv": "\n".join(money) + "\n",
        **{f"mappings/{name}.toml": text for name, text in MAPPINGS.items()},
    }
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")


def main(commit: str) -> None:
    """Run the commit's own hub in a fresh place, and keep it."""
    with tempfile.TemporaryDirectory() as scratch:
        code, place = Path(scratch) / "code", Path(scratch) / "place"
        code.mkdir()
        place.mkdir()
        pack = ["git", "-C", ROOT, "archive", commit]
        packed = subprocess.run(pack, check=True, capture_output=True).stdout
        subprocess.run(["tar", "x", "-C", code], input=packed, check=True)
        fill(place)
        paths = [code, *sorted(path for path in (code / "plugins").iterdir() if path.is_dir())]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "PM_HUB_CACHE": str(Path(scratch) / "cache"),
        }

        def hub(*arguments: str) -> None:
            done = subprocess.run(
                [sys.executable, "-m", "hub", *arguments],
                cwd=place, env=environment, capture_output=True, text=True, check=False,
            )  # fmt: skip
            print(commit, arguments, done.returncode, done.stdout[-2000:], done.stderr[-600:])

        hub("run")
        hub("cut", "take", "--label", "A committee")
        hub("cut", "take", "--label", "Still open")
        hub("cut", "close", "A committee")
        hub("close", "2026-07")
        hub("publish")
        feed = place / "data" / "feed"
        manifest = json.loads(
            (feed / (feed / "CURRENT").read_text().strip() / "manifest.json").read_text(encoding="utf-8")
        )
        figures = {name: {"rows": one["rows"], **one["sums"]} for name, one in manifest["tables"].items()}
        (place / "figures.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
        shutil.rmtree(feed)
        with sqlite3.connect(place / "data" / "hub.db") as store:
            store.execute("PRAGMA journal_mode = DELETE")
            store.execute("VACUUM")
            (last,) = store.execute("SELECT name FROM _sqlite_migrations ORDER BY id DESC LIMIT 1").fetchone()
        store.close()
        target = HERE / f"{last}.tar.gz"
        with tarfile.open(target, "w:gz") as archive:
            archive.add(place, arcname=".")
        print(target, target.stat().st_size)


if __name__ == "__main__":
    main(sys.argv[1])

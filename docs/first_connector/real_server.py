"""Hold the connector of this page against a real Tryton: what the hub stores equals what the server's SQL says."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from hub.cli.connectors import write_plugin
from hub.http import Session
from hub.secrets import Secret
from hub.store import Store
from hub.testing import sync_once

HERE = Path(__file__).parent
PORT, WORD = 3217, "kit-real-word"
PYTHON = os.environ.get("PM_HUB_TRYTON", sys.executable)
SERIES = "import trytond.modules.project, trytond.modules.timesheet, importlib.metadata as m; print(m.version('trytond'))"


class Tryton:
    """A server with SQLite in *folder*, and its JSON-RPC as an administrator."""

    def __init__(self, folder: Path, series: str) -> None:
        """Make the database, start, and sign in; from 8.0 on, an API has an address of its own."""
        self.url = f"http://127.0.0.1:{PORT}/pm/" + ("rpc/" if int(series.partition(".")[0]) >= 8 else "")
        self.database = folder / "pm.sqlite"
        self.database.touch()
        config = folder / "trytond.conf"
        config.write_text(f"[database]\nuri = sqlite://\npath = {folder}\n[web]\nlisten = 127.0.0.1:{PORT}\n")
        (folder / "word").write_text(WORD)
        bin_ = Path(PYTHON).parent
        made = [bin_ / "trytond-admin", "-c", config, "-d", "pm", "--email", "pmo@example.org", "-p"]
        subprocess.run(
            [*made, "-u", "timesheet", "project", "--activate-dependencies"],
            check=True, capture_output=True, env=os.environ | {"TRYTONPASSFILE": str(folder / "word")},
        )  # fmt: skip
        self.process = subprocess.Popen(
            [bin_ / "trytond", "-c", config, "-d", "pm"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.http = Session(patience_s=60)
        self.context: dict[str, Any] = {}
        try:
            self._sign_in()
        except BaseException:
            self.close()
            raise

    def _sign_in(self) -> None:
        import base64

        until = time.monotonic() + 90
        while True:
            try:
                user, key = self.ask("common.db.login", "admin", {"password": WORD}, "en")[:2]
                break
            except Exception:  # it is still starting
                if time.monotonic() > until:
                    raise
                time.sleep(0.3)
        word = base64.b64encode(f"admin:{user}:{key}".encode()).decode()
        self.http.credentials = {"Authorization": f"Session {word}"}

    def ask(self, method: str, *params: Any) -> Any:
        """Ask one question. Raises RuntimeError with what the server says."""
        answer = self.http.json("POST", self.url, json={"id": 1, "method": method, "params": params})
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def model(self, model: str, verb: str, *params: Any) -> Any:
        """Ask a model."""
        return self.ask(f"model.{model}.{verb}", *params, self.context)

    def make(self, model: str, **values: Any) -> int:
        """Make a row and return its id."""
        return int(self.model(model, "create", [values])[0])

    def sql(self, question: str) -> list[tuple[Any, ...]]:
        """Ask the server's database itself."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as connection:
            return connection.execute(question).fetchall()

    def close(self) -> None:
        """Stop it."""
        self.process.terminate()
        self.process.wait()


def span(hours: float) -> dict[str, Any]:
    """Write a duration as Tryton does."""
    return {"__class__": "timedelta", "seconds": hours * 3600}


def day(number: int) -> dict[str, Any]:
    """Write a day of March 2026."""
    return {"__class__": "date", "year": 2026, "month": 3, "day": number}


def fill(tryton: Tryton) -> tuple[list[int], list[int]]:
    """Make two projects, tasks of three levels, and hours; return the tasks and the hours."""
    euro = tryton.make("currency.currency", name="Euro", code="EUR", symbol="E")
    firm = tryton.make("company.company", party=tryton.make("party.party", name="ACME"), currency=euro)
    tryton.context = {"company": firm}
    people = [
        tryton.make("company.employee", party=tryton.make("party.party", name=name), company=firm)
        for name in ("Engineer 1", "Engineer 2")
    ]
    user = tryton.model("res.user", "search", [["login", "=", "admin"]], 0, None, None)
    tryton.model("res.user", "write", user, {
        "companies": [["add", [firm]]], "company": firm, "employees": [["add", people]], "employee": people[0]
    })  # fmt: skip
    projects = [
        tryton.make("project.work", name=name, type="project", company=firm) for name in ("Portail", "Refonte")
    ]
    tasks: list[int] = []
    for number in range(30):
        above = projects[number % 2] if number < 10 else tasks[number - 10]
        tasks.append(tryton.make(
            "project.work", name=f"Tâche {number}", type="task", company=firm, parent=above,
            timesheet_available=True, effort_duration=span(number / 4) if number % 5 else None,
        ))  # fmt: skip
    works = {row["id"]: row["timesheet_works"][0]
             for row in tryton.model("project.work", "read", tasks, ["timesheet_works"])}  # fmt: skip
    hours = [
        tryton.make("timesheet.line", employee=people[number % 2], company=firm, date=day(1 + number % 28),
                    work=works[tasks[number % 30]], duration=span(0.25 * (1 + number % 9)))
        for number in range(60)
    ]  # fmt: skip
    return tasks, hours


def truth(tryton: Tryton) -> dict[str, set[tuple[Any, ...]]]:
    """Return what the server's database says of tasks and hours: durations are kept there in seconds."""
    parents = dict(tryton.sql("SELECT id, parent FROM project_work WHERE type = 'task'"))

    def home(work: int) -> int:
        while work in parents:
            work = parents[work]
        return work

    return {
        "task": {
            (f"erp:{id_}", name, f"erp:p{home(id_)}", round(effort) if effort is not None else None)
            for id_, name, effort in tryton.sql(
                "SELECT id, name, effort_duration FROM project_work WHERE type = 'task'"
            )
        },
        "worklog": {
            (f"erp:w{id_}", at, round(spent), f"erp:{origin.partition(',')[2]}", f"erp:u{who}")
            for id_, at, spent, origin, who in tryton.sql(
                "SELECT l.id, l.date, l.duration, w.origin, l.employee "
                "FROM timesheet_line l JOIN timesheet_work w ON w.id = l.work"
            )
        },
    }


def stored(store: Store) -> dict[str, set[tuple[Any, ...]]]:
    """Return what the hub holds of the same."""
    return {
        "task": set(store.connection.execute(
            "SELECT id, title, container_id, estimate_s FROM task WHERE presence = 'present'"
        )),
        "worklog": set(store.connection.execute(
            "SELECT id, day, seconds, task_id, account_id FROM worklog WHERE presence = 'present'"
        )),
    }  # fmt: skip


def compare(store: Store, source: Any, tryton: Tryton, what: str) -> None:
    """Sync and compare. Raises AssertionError where the store is not what the database says."""
    report = sync_once(store, source, census=True)
    assert report.verdict == "ok", [*report.missing, *report.rejections, report.error]
    said, held = truth(tryton), stored(store)
    for table in said:
        assert said[table] == held[table], (what, table, sorted(said[table] ^ held[table], key=str)[:6])
    print(f"{what}: {len(said['task'])} tasks, {len(said['worklog'])} hours, {report.requests} requests: equal")


def main() -> int:
    """Run the day; 0 also where there is no Tryton, and it says so."""
    found = subprocess.run([PYTHON, "-c", SERIES], check=False, capture_output=True, text=True)
    if found.returncode:
        print(f"skipped: {PYTHON} has no trytond, trytond_project and trytond_timesheet (PM_HUB_TRYTON names another)")
        return 0
    os.environ["HUB_KIT_REAL"] = WORD
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "tryton"
        write_plugin("tryton", "jsonrpc", made)
        (made / "hub_tryton" / "source.py").write_text((HERE / "source.py").read_text())
        sys.path.insert(0, str(made))
        from hub_tryton.source import TrytonSource  # type: ignore[import-not-found]

        tryton = Tryton(Path(folder), found.stdout.strip())
        try:
            tasks, hours = fill(tryton)
            source = TrytonSource(
                name="erp", url=tryton.url, user="admin", password=Secret("env", "HUB_KIT_REAL", Path()), max_leave=0.5
            )
            with Store.open(Path(folder) / "hub.db") as store:
                compare(store, source, tryton, "a first reading")
                tryton.model("project.work", "write", tasks[:3], {"name": "edited"})
                tryton.model("timesheet.line", "write", hours[:2], {"duration": span(31.5)})
                compare(store, source, tryton, "after edits")
                other = tryton.model("project.work", "search", [["name", "=", "Refonte"]], 0, None, None)[0]
                tryton.model("project.work", "write", [tasks[28]], {"parent": other})
                compare(store, source, tryton, "after a move")
                tryton.model("timesheet.line", "delete", hours[5:8])
                compare(store, source, tryton, "after a deletion")
        finally:
            tryton.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

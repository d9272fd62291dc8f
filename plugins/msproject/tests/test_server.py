"""Project Server, and its exports, against a simulator of ProjectData: certified, exact after random days.

And each thing that no stamp tells.
"""

from __future__ import annotations

import base64
import json
import random
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hub_msproject.services.exports import ExportSource
from hub_msproject.services.server import ServerSource
from hub_msproject.testing.certification import ServerCertification
from hub_msproject.testing.server import CAP, ExportWorld, ServerWorld, as_csv, guid, monday

from hub import ConfigError, clock
from hub.source import Context
from hub.store import Store
from hub.sync import SourceReport
from hub.testing import store, sync_once
from hub.testing.kit import (
    Request,
    Response,
    SimulatorServer,
    certify,
    credential,
    differences,
    faults,
    out_of_sight,
)

__all__ = ["store"]
SAMPLE = (
    "reads-everything",
    "secrets-stay-secret",
    "requests-within-plan",
    "cursor-is-a-stamp-seen",
    "ties-at-the-cursor",
    "late-arrivals",
    "increments-are-used",
    "deleted-while-paging",
    "unknown-filters",
    "a-page-that-repeats",
    "deletions-are-found",
    "mass-leave-is-held",
    "ids-survive-a-rename",
)


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    yield
    clock.pretend(None)


def source(site: SimulatorServer, **settings: Any) -> ServerSource:
    made = ServerCertification().source(site.url)
    return ServerSource(**{name: getattr(made, name) for name in made.__struct_fields__} | settings)


def go(
    store: Store, site: SimulatorServer, settings: dict[str, Any] | None = None, **options: Any
) -> SourceReport:
    site.asked.clear()
    return sync_once(store, source(site, **settings or {}), session=faults.hurried, **options)


def rows(store: Store, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in store.connection.execute(sql)]


@pytest.mark.long
def test_it_is_gold(proof: bool, said_level: Callable[[str], str]) -> None:
    for seed in range(2026, 2031 if proof else 2027):
        report = certify(ServerCertification(), seed=seed, only=() if proof else SAMPLE)

        assert [] == [f"{one.code}: {one.saw}" for one in report.failures()]
        if proof:
            assert said_level("Project Server") == report.level


@pytest.mark.long
def test_after_random_days_the_store_is_the_site(store: Store, proof: bool) -> None:
    """Tasks and hours come, change and go, and faults; each day a calm run is equal.

    Lines that are deleted are found by their number, once a day.
    """
    world = ServerWorld(3)
    rng = random.Random(3)
    deeds = (
        world.add,
        world.edit,
        world.edit,
        world.delete,
        world.edit_log,
        world.edit_log,
        world.delete_log,
        lambda: world.log(rng.choice(list(world.items)), rng.randint(0, 99)),
    )
    with SimulatorServer(world) as site:
        for day in range(30 if proof else 8):
            clock.pretend(datetime(2024, 5, 1, 6, tzinfo=UTC) + timedelta(days=day, minutes=day))
            for _ in range(rng.randint(0, 5)):
                rng.choice(deeds)()
            at = rng.randint(1, 30)
            site.fault = rng.choice(
                [None, faults.status_once(at, 503), faults.reset_once(at), faults.status_from(at, 401)]
            )
            go(store, site, {"max_leave": 1.0})
            site.fault = None
            clock.pretend(clock.now() + timedelta(days=1, minutes=1))
            report = go(store, site, {"max_leave": 1.0})

            assert ("ok", []) == (
                report.verdict,
                differences(store, "pwa", world) + out_of_sight(store, world),
            ), f"day {day}"


def test_a_quiet_run_reads_no_project_and_no_period(store: Store) -> None:
    """The list of projects, a question for changes of lines and of timesheets, and the periods."""
    with SimulatorServer(ServerWorld(4)) as site:
        go(store, site)
        quiet = go(store, site)

    assert ("ok", 0, 3) == (quiet.verdict, quiet.changes.read, quiet.skipped)
    assert {"Projects", "TimesheetLines", "TimesheetPeriods", "Timesheets"} == {
        request.path.rpartition("/")[2] for request in site.asked
    }


def test_what_people_can_work_by_the_live_calendars(store: Store) -> None:
    """By day of the site, once a day; a vacation that is entered later comes, days not told stay untold."""
    world = ServerWorld(3)
    person = f"pwa:r{guid('resource', 1)}"
    monday_now = world.able_days[0]
    sql = (
        "SELECT start_on, weekdays, seconds, units FROM capacity WHERE presence = 'present' AND "
        f"account_id = '{person}' ORDER BY start_on, weekdays"
    )
    with SimulatorServer(world) as site:
        first = go(store, site)
        usual = rows(store, sql)
        calm = go(store, site)
        asked = sum("ResourceTimephased" in request.path for request in site.asked)
        world.away = {(1, monday_now + timedelta(days=2))}
        at = clock.now() + timedelta(hours=25)
        clock.pretend(at)
        later = go(store, site)
        then = rows(store, sql)
        world.able_days = []
        clock.pretend(at + timedelta(hours=25))
        go(store, site)
        left = rows(store, sql)

    week = monday_now.isoformat()
    assert ["ok"] * 3 == [one.verdict for one in (first, calm, later)], later.missing
    assert [(week, "0000011", 0, 1.0), (week, "1111100", 7 * 3600, 1.0)] == usual
    assert 0 == asked
    assert [(week, "0010011", 0, 1.0), (week, "1101100", 7 * 3600, 1.0)] == then
    assert [] == left
    # the third resource is generic: it stands for somebody, and is no person of the calendar's
    assert {(f"pwa:r{guid('resource', 2)}", 12600)} <= {
        tuple(one) for one in rows(store, "SELECT account_id, seconds FROM capacity")
    }


@pytest.mark.parametrize(("of", "change", "said"), [
    ("Tasks", {"TaskActualWork": "-8"}, "below zero"),
    ("Tasks", {"TaskIsProjectSummary": True}, "they are the project itself"),
    ("Assignments", {"ProjectId": guid("project", 77)}, "the service does not list"),
    ("Tasks", "twice", "comes twice"),
    ("Projects", "twice", "comes twice"),
])  # fmt: skip
def test_what_the_service_says_otherwise_is_told(of: str, change: Any, said: str, store: Store) -> None:
    """Work below zero, rows of no project, twice, or that all say to be the project are never green."""

    def fault(_: int, request: Request, honest: Callable[[], Response]) -> Response:
        answer = honest()
        rows = answer.body.get("value") if isinstance(answer.body, dict) else None
        if request.path.endswith(f"/{of}") and rows and "$top" not in request.query:
            last = {**rows[-1], **({"TaskName": "x", "ProjectName": "x"} if change == "twice" else change)}
            answer.body["value"] = [*rows, last] if change == "twice" else [*rows[:-1], last]
        return answer

    with SimulatorServer(ServerWorld(3), fault) as site:
        report = go(store, site)

    assert report.verdict in {"partial", "failed"}
    told = [str(report.error), *report.missing, *report.rejections]
    assert any(said in one for one in told), told


def test_one_published_project_is_read_alone(store: Store) -> None:
    world = ServerWorld(5)
    with SimulatorServer(world) as site:
        go(store, site)
        world.edit()
        again = go(store, site)

    assert ("ok", 2, []) == (
        again.verdict,
        again.skipped,
        differences(store, "pwa", world) + out_of_sight(store, world),
    )
    assert {1} == {
        sum(
            "Tasks" == request.path.rpartition("/")[2] and "$skiptoken" not in request.query
            for request in site.asked
        )
    }


def test_a_project_read_just_after_its_publication_is_read_once_more(store: Store) -> None:
    """Its rows may come after its stamp: an hour later it is read again, and then believed."""
    world = ServerWorld(5)
    with SimulatorServer(world) as site:
        clock.pretend(world.now + timedelta(days=1))
        go(store, site)
        world.edit()
        world.now += timedelta(days=2)
        world.edit()
        skipped = []
        for minutes in (1, 30, 90, 100):
            clock.pretend(world.now + timedelta(minutes=minutes))
            skipped.append(go(store, site).skipped)

    assert [1, 3, 2, 3] == skipped, "the project of today once more, that of two days ago not"


def test_hours_that_change_touch_their_period_only(store: Store) -> None:
    world = ServerWorld(6)
    with SimulatorServer(world) as site:
        go(store, site)
        world.edit_log()
        newest = max(world.logs.values(), key=lambda log: log.updated)
        again = go(store, site)
        asked = [
            request.query["$filter"]
            for request in site.asked
            if "PeriodStartDate eq" in request.query.get("$filter", "")
        ]
        quiet = go(store, site)

    assert ("ok", []) == (again.verdict, differences(store, "pwa", world) + out_of_sight(store, world))
    assert {f"PeriodStartDate eq datetime'{monday(newest.started[:10])}T00:00:00'"} == set(asked)
    assert 0 == quiet.changes.read


def test_a_project_that_is_gone_is_gone(store: Store) -> None:
    """Who may read sees every project, so that its absence from a counted list proves it."""
    world = ServerWorld(7)
    with SimulatorServer(world) as site:
        go(store, site)
        world.removed.add("2")
        report = go(store, site, {"max_leave": 1.0}, census=True)

    assert "ok" == report.verdict
    assert [
        (
            f"pwa:{guid('project', '2')}",
            "absent from ProjectData, which shows every project to who may read it",
        )
    ] == rows(store, "SELECT id, presence_evidence FROM container WHERE presence = 'deleted'")


def test_rows_that_the_service_counts_and_does_not_show_are_missing(store: Store) -> None:
    """A page that lost a row is asked for again; where it stays so, nothing is taken as complete."""

    def fault(_: int, request: Request, honest: Callable[[], Response]) -> Response:
        answer = honest()
        if (
            request.path.endswith("/Tasks")
            and "ProjectId" in request.query.get("$filter", "")
            and len(answer.body["value"]) == CAP
        ):
            answer.body["value"] = answer.body["value"][1:]
        return answer

    with SimulatorServer(ServerWorld(8, scale=2), fault) as site:
        report = go(store, site)

    assert "partial" == report.verdict
    assert any("different rows of Tasks came where the service counts" in one for one in report.missing)


def test_a_service_that_does_not_count_is_never_complete(store: Store) -> None:
    """Rows are taken, nothing is declared gone, and the verdict says so."""
    world = ServerWorld(8)
    with SimulatorServer(world) as site:
        go(store, site)
        held = rows(store, "SELECT count(*) FROM task WHERE presence = 'present'")
        world.delete()
        site.fault = faults.ignores("$inlinecount", world)
        report = go(store, site)

    assert "partial" == report.verdict
    assert ["the service does not count its rows"] == [said[:35] for said in report.missing]
    assert held == rows(store, "SELECT count(*) FROM task WHERE presence = 'present'")


def test_links_that_may_not_be_read_are_missing_until_they_are_left_out(store: Store) -> None:
    world = ServerWorld(9)
    world.linked = False
    with SimulatorServer(world) as site:
        refused = go(store, site)
        without = go(store, site, {"links": False})

    assert ("partial", "ok") == (refused.verdict, without.verdict)
    assert any("the links of Project 1" in one and "403" in one for one in refused.missing)


def test_calendars_that_may_not_be_read_any_more_are_missing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an account that never could a note says so."""

    def refuses(_: int, request: Request, honest: Callable[[], Response]) -> Response:
        return Response(status=403, body={}) if "ResourceTimephased" in request.path else honest()

    with SimulatorServer(ServerWorld(9)) as site:
        site.fault = refuses
        never = go(store, site)
        site.fault = None
        go(store, site)
        site.fault = refuses
        a_day_later = clock.now() + timedelta(hours=25)
        monkeypatch.setattr(clock, "now", lambda: a_day_later)
        reports = [never, go(store, site), go(store, site)]
        without = go(store, site, {"calendars": False})

    assert "ok" == without.verdict, without.rejections
    said = "calendars of people were not looked at"
    assert ["ok", "partial", "partial"] == [report.verdict for report in reports]
    assert any(said in one for one in never.notes)
    assert all(any("calendars of people: " in one for one in report.rejections) for report in reports[1:])


def test_a_column_that_a_site_does_not_have_is_named(store: Store) -> None:
    """It is said, and the run is not green, until a person says that this is how the site is."""
    world = ServerWorld(10)
    honest = world.task

    def task(item: Any) -> dict[str, Any]:
        return {name: value for name, value in honest(item).items() if name != "TaskWBS"}

    world.task = task  # type: ignore[method-assign]
    with SimulatorServer(world) as site:
        loud = go(store, site)
        told = go(store, site, {"without": ("TaskWBS",)})

    assert ("partial", "ok") == (loud.verdict, told.verdict)
    assert any("Tasks of ProjectData has no TaskWBS" in one and "without" in one for one in loud.missing)


def test_verbose_json_of_older_sites_is_read(store: Store) -> None:
    """``d.results``, ``__next``, ``__count`` and ``/Date(…)/``."""

    def fault(_: int, request: Request, honest: Callable[[], Response]) -> Response:
        answer = honest()
        if "value" in answer.body:
            results = [{name: verbose(value) for name, value in row.items()} for row in answer.body["value"]]
            answer.body = {
                "d": {
                    "results": results,
                    "__next": answer.body.get("odata.nextLink"),
                    "__count": answer.body.get("odata.count"),
                }
            }
        return answer

    def verbose(value: Any) -> Any:
        if isinstance(value, str) and len(value) == 19 and value[10] == "T":
            return f"/Date({round(datetime.fromisoformat(value).replace(tzinfo=UTC).timestamp() * 1000)})/"
        return value

    world = ServerWorld(11)
    with SimulatorServer(world, fault) as site:
        report = go(store, site)

    assert ("ok", []) == (report.verdict, differences(store, "pwa", world) + out_of_sight(store, world))


def test_check_says_what_it_saw() -> None:
    with SimulatorServer(ServerWorld(12)) as site:
        context = Context(base=Path(), source_id="pwa", session=lambda: faults.hurried(context))
        said = {
            one.name: (one.state, one.detail)
            for one in source(site, custom=("Lot", "Nothing")).check(context)
        }

    assert ("ok", "all columns are there") == said["Tasks"]
    assert ("failed", "no project or task has Nothing") == said["custom"]
    assert "ok" == said["links"][0]


@pytest.mark.parametrize("wrong", [{"url": "project.example.com"}, {"user": None}, {"password": None}])
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="The source pwa"):
        ServerSource(
            **{"name": "pwa", "url": "https://p.example.com", "user": "me", "password": credential()} | wrong
        )


def test_windows_signs_in_by_ntlm(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The sign-in holds against another implementation of NTLM, which ties the connection to its account.

    The password never goes over the wire.
    """
    pytest.importorskip("requests_ntlm", reason="the extra [ntlm] is not installed")
    spnego = pytest.importorskip("spnego")
    accounts = tmp_path / "accounts"
    accounts.write_text("CONTOSO:pmo:kit-s3cret-Zq7\n")
    monkeypatch.setenv("NTLM_USER_FILE", str(accounts))
    world, seen = ServerWorld(13), []
    basic = "Basic " + base64.b64encode(b"CONTOSO\\pmo:kit-s3cret-Zq7").decode()

    class Site(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        context: Any = None

        def do_GET(self) -> None:
            said = self.headers.get("Authorization", "")
            seen.append(said)
            if said.startswith("NTLM "):
                self.context = (
                    self.context
                    if self.context and not self.context.complete
                    else spnego.server(protocol="ntlm")
                )
                token = self.context.step(base64.b64decode(said[5:]))
                if not self.context.complete:
                    return self.say(401, b"", f"NTLM {base64.b64encode(token).decode()}")
            elif not (self.context and self.context.complete):
                return self.say(401, b"", "NTLM")
            path, _, search = self.path.partition("?")
            answer = world.answer(
                Request(
                    method="GET", path=path, query=dict(parse_qsl(search)), headers={"authorization": basic}
                )
            )
            return self.say(answer.status, json.dumps(answer.body).encode())

        def say(self, status: int, body: bytes, challenge: str = "") -> None:
            self.send_response(status)
            if challenge:
                self.send_header("WWW-Authenticate", challenge)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        made = ServerSource(
            name="pwa",
            url=f"http://127.0.0.1:{server.server_address[1]}/pwa",
            user="CONTOSO\\pmo",
            password=credential(),
            custom=("Lot",),
            tz="Europe/Paris",
        )
        report = sync_once(store, made, session=faults.hurried)
    finally:
        server.shutdown()
        server.server_close()

    assert ("ok", []) == (report.verdict, differences(store, "pwa", world) + out_of_sight(store, world))
    assert any(said.startswith("NTLM ") for said in seen)
    assert not any("Zq7" in said or "Basic" in said for said in seen)


# ---------- exports ----------


def saved(folder: Path, world: ExportWorld) -> None:
    folder.mkdir(exist_ok=True)
    for name, content in world.files().items():
        (folder / name).write_bytes(content)


CONTENT = "SELECT id, title, percent, presence FROM task ORDER BY id"


def read(store: Store, tmp_path: Path, **options: Any) -> SourceReport:
    return sync_once(
        store,
        ExportSource(name="pwa", path="saved", custom=("Lot",), tz="Europe/Paris", max_leave=1.0),
        base=tmp_path,
        **options,
    )


def test_an_export_in_all_its_forms_is_the_site(store: Store, tmp_path: Path) -> None:
    """OData JSON, verbose JSON, pages in a list, CSV and Atom."""
    world = ExportWorld(20)
    saved(tmp_path / "saved", world)
    report = read(store, tmp_path)

    assert ("ok", []) == (report.verdict, differences(store, "pwa", world) + out_of_sight(store, world))
    assert 0 < rows(store, "SELECT count(*) FROM custom_value WHERE field = 'Lot'")[0][0]
    again = read(store, tmp_path)
    assert (9, 0) == (again.skipped, again.changes.read)


def test_an_export_that_was_saved_again_takes_the_place_of_the_old_one(store: Store, tmp_path: Path) -> None:
    world = ExportWorld(21)
    saved(tmp_path / "saved", world)
    read(store, tmp_path)
    for deed in (world.add, world.edit, world.delete, world.delete_log):
        deed()
    saved(tmp_path / "saved", world)
    report = read(store, tmp_path)

    assert ("ok", []) == (report.verdict, differences(store, "pwa", world) + out_of_sight(store, world))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("Tasks.csv", b"<html><body>Sign in</body></html>", "Tasks.csv has no ProjectId"),
        ("Tasks.csv", b"ProjectId,TaskId\n1\n", "Tasks.csv has no TaskActualWork"),
        ("Assignments.xml", b"<html/>", "is no feed of OData"),
        ("Assignments.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><feed/>', "carries a DTD"),
        ("Assignments.xml", b'<feed xmlns="http://www.w3.org/2005/Atom"><entry>', "is damaged or cut"),
        ("Projects.json", b'{"value": [{"ProjectId": ', "is damaged or cut"),
        (
            "Projects.json",
            b'{"value": [{"ProjectId": "x", "ProjectName": "y"}]}',
            "row 1 has no ProjectModifiedDate",
        ),
        (
            "TimesheetLines.csv",
            b"TimesheetLineId\n1\n",
            "TimesheetLines.csv has no ModifiedDate, PeriodEndDate",
        ),
        ("Tasks-old.csv", None, "says something else of a row than another file of Tasks"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_and_nothing_is_lost(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes | None, says: str
) -> None:
    """The sets belong together: one that is bad leaves the store as it was, however large the others are."""
    monkeypatch.setattr("hub_msproject.services.exports.BATCH", 5)
    world = ExportWorld(22)
    saved(tmp_path / "saved", world)
    read(store, tmp_path)
    before = rows(store, CONTENT)
    if content is None:
        task = {**world.set("Tasks")[5][2](), "TaskName": "another"}
        content = as_csv([task])
    for deed in (world.add, world.edit, world.delete):
        deed()
    saved(tmp_path / "saved", world)
    (tmp_path / "saved" / name).write_bytes(content)
    report = read(store, tmp_path)

    assert "failed" == report.verdict
    assert says in str(report.error), report.error
    assert before == rows(store, CONTENT)


@pytest.mark.parametrize("odd", ["many", "NaN", "1e999"])
def test_an_odd_row_of_an_export_costs_itself(store: Store, tmp_path: Path, odd: str) -> None:
    """What was known of it stays; the others are taken; the files as they were are read again."""
    world = ExportWorld(25)
    saved(tmp_path / "saved", world)
    read(store, tmp_path)
    before = rows(store, CONTENT)
    path = tmp_path / "saved" / "Tasks.csv"
    head, *lines = path.read_text(encoding="utf-8-sig").splitlines()
    columns = head.split(",")
    work, name = columns.index("TaskActualWork"), columns.index("TaskName")
    cells = [line.split(",") for line in lines]
    assert all(len(columns) == len(line) for line in cells[:6])
    cells[3][work], cells[4][name] = odd, "Renamed"
    path.write_text("\n".join([head, *map(",".join, cells)]) + "\n", encoding="utf-8")
    report = read(store, tmp_path)
    after = rows(store, CONTENT)
    saved(tmp_path / "saved", world)
    mended = read(store, tmp_path)

    assert ("partial", 1, []) == (report.verdict, report.rejected, report.missing)
    assert "Tasks.csv, row 4" in report.rejections[0]
    assert 1 == len(set(after) - set(before))  # the renamed one, of which the store had another name
    assert ("ok", before) == (mended.verdict, rows(store, CONTENT))


def test_a_file_that_vanished_stops_the_reading_until_it_is_meant(store: Store, tmp_path: Path) -> None:
    world = ExportWorld(23)
    saved(tmp_path / "saved", world)
    read(store, tmp_path)
    (tmp_path / "saved" / "AssignmentTimephasedDataSet.csv").unlink()
    held = read(store, tmp_path)
    assert ("failed", []) == (held.verdict, differences(store, "pwa", world) + out_of_sight(store, world))
    assert "AssignmentTimephasedDataSet.csv of the last run is not there any more" in str(held.error)

    meant = read(store, tmp_path, full=True)
    assert ("ok", [(0,)]) == (
        meant.verdict,
        rows(store, "SELECT count(*) FROM allocation WHERE presence = 'present'"),
    )


def test_check_reads_the_files(tmp_path: Path) -> None:
    saved(tmp_path / "saved", ExportWorld(24))
    (tmp_path / "saved" / "Projects.json").unlink()
    context = Context(base=tmp_path, source_id="pwa")
    said = {
        one.name: (one.state, one.detail) for one in ExportSource(name="pwa", path="saved").check(context)
    }

    assert ("failed", "no file of saved begins with Projects") == said["Projects"]
    assert ("ok", "48 rows in Tasks.csv") == said["Tasks"]


P, T, A, R1 = (f"{number}0000000-0000-4000-8000-000000000000" for number in range(1, 5))


def small(folder: Path, *, days: list[tuple[str, float]] | None = None, **more: dict[str, Any]) -> Path:
    """Save a plan of one task of 40 hours from the first to the end of April 2026, which one person does."""
    sets: dict[str, list[dict[str, Any]]] = {
        "Projects": [{"ProjectId": P, "ProjectName": "A", "ProjectModifiedDate": "2026-04-01T00:00:00"}],
        "Tasks": [
            {
                "ProjectId": P, "TaskId": T, "TaskName": "T", "TaskStartDate": "2026-04-01T08:00:00",
                "TaskFinishDate": "2026-04-30T17:00:00", "TaskWork": "40", "TaskActualWork": "0",
                "TaskRemainingWork": "40", "TaskPercentCompleted": 0, "TaskIsSummary": False,
                "TaskIsMilestone": False,
            }
        ],
        "Assignments": [
            {
                "ProjectId": P, "AssignmentId": A, "TaskId": T, "ResourceId": R1, "AssignmentWork": "40",
                "AssignmentActualWork": "0", "AssignmentRemainingWork": "40",
            }
        ],
        "Resources": [{"ResourceId": R1, "ResourceName": "Ann"}],
    }  # fmt: skip
    if days is not None:
        sets["AssignmentTimephasedDataSet"] = [
            {
                "ProjectId": P, "AssignmentId": A, "TimeByDay": f"{day}T00:00:00", "AssignmentWork": hours,
                "AssignmentActualWork": 0,
            }
            for day, hours in days
        ]  # fmt: skip
    for name, columns in more.items():
        sets[name] = [row | columns for row in sets[name]]
    folder.mkdir(exist_ok=True)
    for name, found in sets.items():
        (folder / f"{name}.json").write_text(json.dumps({"value": found}))
    return folder


@pytest.mark.parametrize(
    ("days", "planned", "said"),
    [
        ([("2026-04-01", 40)], 22, "by month"),
        ([("2026-04-06", 20), ("2026-04-13", 20)], 10, "by week"),
        ([], 22, "not kept by day"),
        ([("2026-04-02", 20), ("2026-04-03", 20)], 2, None),
    ],
)
def test_work_that_a_site_keeps_by_month_or_week_or_never(
    store: Store, tmp_path: Path, days: list[tuple[str, float]], planned: int, said: str | None
) -> None:
    """It is spread over the working days of April 2026 (22 of them), exactly, and told."""
    small(tmp_path / "saved", days=days)
    report = read(store, tmp_path)
    found = rows(store, "SELECT start_on, finish_on, seconds FROM allocation")

    assert ("ok", planned, 40 * 3600) == (report.verdict, len(found), sum(seconds for *_, seconds in found))
    assert bool(said) == any(said in note for note in report.notes if said)
    assert all(datetime.fromisoformat(day).weekday() < 5 for day, *_ in found)


def test_what_the_server_computed(store: Store, tmp_path: Path) -> None:
    """Slack, criticality, costs, status date and assignments arrive; hours become seconds."""
    small(
        tmp_path / "saved",
        Projects={"ProjectStatusDate": "2026-04-10T00:00:00", "ProjectCurrency": "EUR"},
        Tasks={
            "TaskTotalSlack": "-16", "TaskFreeSlack": "8", "TaskIsCritical": True, "TaskCost": "1234.5",
            "TaskIsManuallyScheduled": False, "TaskDuration": "176", "TaskDeadline": "2026-04-20T17:00:00",
        },
        Assignments={"AssignmentStartDate": "2026-04-01T08:00:00", "AssignmentCost": "1000"},
    )  # fmt: skip
    read(store, tmp_path)

    assert [(-57600, 28800, 1, 0, 633600, 123450, "EUR", "2026-04-20")] == rows(
        store,
        "SELECT total_slack_s, free_slack_s, is_critical, is_manual, duration_s, cost_minor, currency,"
        " deadline_on FROM task",
    )
    assert [(f"pwa:r{R1}", "2026-04-01", 144000, 0, 100000)] == rows(
        store, "SELECT account_id, start_on, planned_s, actual_s, cost_minor FROM assignment"
    )
    assert [("2026-04-10",)] == rows(store, "SELECT status_on FROM container")


def test_who_is_nobody_on_a_server(store: Store, tmp_path: Path) -> None:
    """Material (type 21) is no person and no hours; work of nobody is demand of nobody."""
    small(tmp_path / "saved", days=[("2026-04-01", 20), ("2026-04-02", 20)])
    read(store, tmp_path)
    small(tmp_path / "saved", days=[("2026-04-01", 20), ("2026-04-02", 20)], Resources={"ResourceType": 21})
    read(store, tmp_path)
    cement = rows(store, "SELECT count(*) FROM account WHERE presence = 'present'")
    small(tmp_path / "saved", days=[("2026-04-01", 20), ("2026-04-02", 20)], Assignments={"ResourceId": None})
    read(store, tmp_path)

    assert [(0,)] == cement
    assert [(None, 72000), (None, 72000)] == rows(
        store, "SELECT account_id, seconds FROM allocation WHERE presence = 'present' AND account_id IS NULL"
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nextLink", "announces another one"),
        ("count", "the service counted 48 rows of Tasks, and 1 was saved"),
        ("Atom", "announces another one"),
    ],
)
def test_a_page_that_announces_more_is_not_whole(store: Store, tmp_path: Path, name: str, said: str) -> None:
    """What is absent from it is not deleted, and it is told."""
    small(tmp_path / "saved")
    path = tmp_path / "saved" / "Tasks.json"
    page = json.loads(path.read_text())
    other = page["value"][0] | {"TaskId": A, "TaskName": "Other"}
    path.write_text(json.dumps({"value": [*page["value"], other]}))
    read(store, tmp_path)
    if name == "Atom":
        path.unlink()
        cells = "".join(
            f"<d:{key}>{str(value).lower() if isinstance(value, bool) else value}</d:{key}>"
            for key, value in page["value"][0].items()
        )
        (tmp_path / "saved" / "Tasks.xml").write_text(
            '<feed xmlns="http://www.w3.org/2005/Atom"'
            ' xmlns:d="http://schemas.microsoft.com/ado/2007/08/dataservices"'
            ' xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">'
            f"<entry><content><m:properties>{cells}</m:properties></content></entry>"
            '<link rel="next" href="Tasks?$skiptoken=1"/></feed>'
        )
    else:
        more = {"odata.nextLink": "Tasks?$skiptoken=1"} if name == "nextLink" else {"odata.count": "48"}
        path.write_text(json.dumps(page | more))
    report = read(store, tmp_path, full=True)

    assert "ok" != report.verdict
    assert any(said in one for one in report.missing), report.missing
    assert [("present", 2)] == rows(store, "SELECT presence, count(*) FROM task GROUP BY presence")


def test_pages_that_were_all_saved_are_whole(store: Store, tmp_path: Path) -> None:
    """Each page but the last announces the next one."""
    folder = small(tmp_path / "saved")
    page = json.loads((folder / "Tasks.json").read_text())
    other = page["value"][0] | {"TaskId": A, "TaskName": "Other"}
    (folder / "Tasks.json").write_text(json.dumps(page | {"odata.nextLink": "2", "odata.count": "2"}))
    (folder / "Tasks-2.json").write_text(json.dumps({"value": [other], "odata.count": "2"}))

    assert "ok" == read(store, tmp_path).verdict


@pytest.mark.parametrize(
    ("name", "row", "of"),
    [
        ("Assignments", {"AssignmentId": R1, "TaskId": A}, "Tasks"),
        ("AssignmentTimephasedDataSet", {"AssignmentId": R1}, "Assignments"),
        ("Tasks", {"TaskId": A, "ParentTaskId": R1}, "Tasks"),
    ],
)
def test_exports_that_do_not_fit_each_other(
    store: Store, tmp_path: Path, name: str, row: dict[str, Any], of: str
) -> None:
    """A row that names one that is not there is told, and nothing is taken as deleted."""
    folder = small(tmp_path / "saved", days=[("2026-04-01", 20), ("2026-04-02", 20)])
    page = json.loads((folder / f"{name}.json").read_text())
    page["value"].append(page["value"][-1] | row)
    (folder / f"{name}.json").write_text(json.dumps(page))
    report = read(store, tmp_path)

    assert "ok" != report.verdict
    assert f"1 rows of {name} name rows of {of} that the files do not hold" in report.missing[0]


def test_actuals_without_lines_are_told(store: Store, tmp_path: Path) -> None:
    world = ExportWorld(26)
    saved(tmp_path / "saved", world)
    next((tmp_path / "saved").glob("TimesheetLines.*")).unlink()
    report = read(store, tmp_path)

    assert any("TimesheetLineActualDataSet name rows of TimesheetLines" in one for one in report.missing)


@pytest.mark.parametrize(
    ("start", "work", "day", "seconds"),
    [
        ("4/13/2026 8:00:00 AM", "1,234", "2026-04-13", 1234 * 3600),
        ("13/04/2026 08:00:00", "1234,5", "2026-04-13", 4444200),
        ("2026-04-13T08:00:00", "7.5", "2026-04-13", 27000),
    ],
)
def test_exports_of_powershell(
    store: Store, tmp_path: Path, start: str, work: str, day: str, seconds: int
) -> None:
    """UTF-16, a line #TYPE, dates and numbers as the machine's language writes them."""
    folder = small(tmp_path / "saved")
    (folder / "Assignments.json").unlink()
    (row,) = json.loads((folder / "Tasks.json").read_text())["value"]
    (folder / "Tasks.json").unlink()
    row |= {"TaskStartDate": start, "TaskWork": work, "TaskDeadline": "", "TaskActualWork": "0"}
    lines = [",".join(f'"{name}"' for name in row), ",".join(f'"{value}"' for value in row.values())]
    text = "\r\n".join(["#TYPE System.Management.Automation.PSCustomObject", *lines, ""])
    (folder / "Tasks.csv").write_bytes(text.encode("utf-16"))
    report = read(store, tmp_path)

    assert ("ok", [(day, seconds)]) == (
        report.verdict, rows(store, "SELECT planned_start_on, estimate_s FROM task"),
    )  # fmt: skip


def test_a_cell_that_could_be_two_numbers_costs_its_row(store: Store, tmp_path: Path) -> None:
    folder = small(tmp_path / "saved")
    (row,) = json.loads((folder / "Tasks.json").read_text())["value"]
    (folder / "Tasks.json").unlink()
    row |= {"TaskWork": '"1,234"'}
    (folder / "Tasks.csv").write_text(f"{','.join(row)}\n{','.join(map(str, row.values()))}\n")
    report = read(store, tmp_path)

    assert "TaskWork could be a thousand or a fraction" in report.rejections[0]


@pytest.mark.parametrize("none", ["0001-01-01T00:00:00", "1984-01-01T00:00:00", "9999-12-31T00:00:00",
                                  "/Date(-62135596800000)/"])  # fmt: skip
def test_years_that_mean_none(store: Store, tmp_path: Path, none: str) -> None:
    """They are no start, no deadline and no traceback."""
    small(tmp_path / "saved", Tasks={"TaskStartDate": none, "TaskDeadline": none})
    report = read(store, tmp_path)

    assert ("ok", [(None, None)]) == (
        report.verdict, rows(store, "SELECT planned_start_on, deadline_on FROM task"),
    )  # fmt: skip


def test_a_csv_in_the_encoding_of_windows(store: Store, tmp_path: Path) -> None:
    """`Export-Csv -Encoding Default` writes é in one byte; half a character at the end is a cut."""
    folder = small(tmp_path / "saved", Tasks={"TaskName": "Étude"})
    (row,) = json.loads((folder / "Tasks.json").read_text())["value"]
    (folder / "Tasks.json").unlink()
    text = f"{','.join(row)}\n{','.join(map(str, row.values()))}\n"
    (folder / "Tasks.csv").write_bytes(text.encode("cp1252"))
    well = read(store, tmp_path)
    (folder / "Tasks.csv").write_bytes(f"{text}é".encode()[:-1])
    cut = read(store, tmp_path, full=True)

    assert ("ok", [("Étude",)]) == (well.verdict, rows(store, "SELECT title FROM task"))
    assert "failed" == cut.verdict
    assert "is damaged or cut" in " ".join(cut.missing)


def test_one_row_that_is_no_list(store: Store, tmp_path: Path) -> None:
    """ConvertTo-Json of PowerShell makes no list of one row; anything else that is no list is refused."""
    folder = small(tmp_path / "saved")
    (row,) = json.loads((folder / "Tasks.json").read_text())["value"]
    (folder / "Tasks.json").write_text(json.dumps(row))
    well = read(store, tmp_path)
    (folder / "Tasks.json").write_text(json.dumps({"error": {"message": "no rights"}}))
    refused = read(store, tmp_path, full=True)

    assert ("ok", 1) == (well.verdict, len(rows(store, "SELECT id FROM task WHERE presence = 'present'")))
    assert "Tasks.json holds no list of rows" in " ".join(refused.missing)


def test_what_people_can_work_by_the_organisations_calendars(store: Store, tmp_path: Path) -> None:
    """Two whole weeks, one with a day off and a day that is not told; of a machine nothing is taken.

    37.5 hours a week and 30 in the week with a day off: 97.5 in all, from 30 March to 17 April.
    """
    folder = small(tmp_path / "saved")
    people = [
        {"ResourceId": R1, "ResourceName": "Zoe", "ResourceType": 2, "ResourceIsActive": True},
        {"ResourceId": A, "ResourceName": "Crane", "ResourceType": 21, "ResourceIsActive": True},
    ]
    (folder / "Resources.json").write_text(json.dumps({"value": people}))
    told = []
    for number in range(21):
        day = date(2026, 3, 30) + timedelta(days=number)
        hours = 0 if day.weekday() > 4 or day == date(2026, 4, 6) else 7.5
        if day != date(2026, 4, 19):
            at = {"TimeByDay": f"{day}T00:00:00", "Capacity": f"{hours}"}
            told += [at | {"ResourceId": one} for one in (R1, A)]
    (folder / "ResourceTimephasedDataSet.json").write_text(json.dumps({"value": told}))
    report = read(store, tmp_path)
    found = rows(
        store,
        "SELECT account_id, container_id, start_on, finish_on, weekdays, seconds / 3600.0 FROM capacity "
        "WHERE seconds > 0 ORDER BY start_on",
    )

    assert ("ok", []) == (report.verdict, report.missing)
    who = f"pwa:r{R1}"
    assert [
        (who, None, "2026-03-30", "2026-04-05", "1111100", 7.5),
        (who, None, "2026-04-06", "2026-04-12", "0111100", 7.5),
        (who, None, "2026-04-13", "2026-04-19", "1111100", 7.5),
    ] == found
    assert [("0000010",)] == rows(
        store, "SELECT weekdays FROM capacity WHERE seconds = 0 AND start_on = '2026-04-13'"
    )

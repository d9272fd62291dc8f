"""The checks of the kit: each proves one law, says what it did, and how to mend."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec

from hub.errors import ConfigError
from hub.records import BY_TABLE
from hub.settings import convert
from hub.source import Context, Source
from hub.store.presence import LEFT
from hub.sync import SourceReport
from hub.testing.kit import faults
from hub.testing.kit.bench import Bench, Failed, table
from hub.testing.kit.exam import SECRET, Capability, Exam, Request, Response

Level = Literal["bronze", "silver", "gold"]
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check: *run* gives what it saw or raises `Failed`."""

    code: str
    level: Level
    law: str
    mend: str
    needs: tuple[Capability, ...]
    run: Callable[[Exam, int], str]


CHECKS: list[Check] = []


def check(
    level: Level, law: str, mend: str, *, needs: tuple[Capability, ...] = ()
) -> Callable[[Callable[[Exam, int], str]], Callable[[Exam, int], str]]:
    """Register a check under the function's name."""

    def register(function: Callable[[Exam, int], str]) -> Callable[[Exam, int], str]:
        code = function.__name__.replace("_", "-")
        CHECKS.append(Check(code=code, level=level, law=law, mend=mend, needs=needs, run=function))
        return function

    return register


def well(bench: Bench, when: str = "the calm run", **options: Any) -> None:
    """Sync without faults; fail unless it is ok and equal to the tool."""
    report = bench.sync(**options)
    if report.verdict != "ok":
        raise Failed(f"{when} ended {report.verdict}: {_reason(report)}")
    bench.must_equal(f"after {when}")


def _reason(report: SourceReport) -> str:
    return next(iter([*report.missing, *report.held]), None) or report.error or "without a reason"


def not_green(bench: Bench, fault: faults.Fault, what: str) -> str:
    """Sync with a fault; fail when the verdict is ok or when anything left."""
    before = bench.counted("task").keys()
    report = bench.sync(fault)
    if report.verdict == "ok":
        raise Failed(f"with {what} the verdict was ok, {report.changes.read} rows read")
    if gone := before - bench.counted("task").keys():
        raise Failed(f"with {what} {len(gone)} tasks were declared gone")
    return f"{what}: {report.verdict}: {_reason(report)}"


# ---------- bronze: it reads ----------


@check(
    "bronze",
    "A full reading holds every row of the tool, with the values of the answer sheet.",
    "Read all pages; map each field from its own place.",
)
def reads_everything(exam: Exam, seed: int) -> str:
    """Sync a fresh world and compare."""
    with table(exam, seed) as bench:
        well(bench)
        return ", ".join(f"{len(rows)} {name}" for name, rows in bench.world.truth().items())


@check(
    "bronze",
    "Hours in are hours out: own effort only, no roll-up, to the second.",
    "Take the item's own effort; convert hours with round(hours * 3600).",
)
def hours_in_are_hours_out(exam: Exam, seed: int) -> str:
    """Compare the sums of seconds."""
    with table(exam, seed) as bench:
        bench.sync()
        truth = bench.world.truth()
        for name, field in (("task", "estimate_s"), ("worklog", "seconds")):
            said = sum(row.get(field) or 0 for row in truth.get(name, {}).values())
            held = sum(row[field] or 0 for row in bench.counted(name).values()) if name in truth else said
            if said != held:
                raise Failed(f"{name}.{field}: the tool has {said} s, the store {held} s")
        return "sums of estimates and worklogs are equal"


@check(
    "bronze",
    "Every value has the type and form of its field: instants in UTC with Z, days as YYYY-MM-DD.",
    "Convert stamps to UTC; keep civil days as text.",
)
def types_and_forms(exam: Exam, seed: int) -> str:
    """Convert every stored row strictly and look at stamps."""
    with table(exam, seed) as bench:
        bench.sync()
        rows = 0
        for name, record in BY_TABLE.items():
            for row in bench.store.rows(f"SELECT * FROM {name}"):
                rows += 1
                values = {f: bool(row[f]) if row[f] is not None and "bool" in str(record.__annotations__.get(f, "")) else row[f]
                          for f in record.__struct_fields__}  # fmt: skip
                try:
                    msgspec.convert(values, record)
                except msgspec.ValidationError as exc:
                    raise Failed(f"{name} {row['id']}: {exc}") from exc
                for field in record.__struct_fields__:
                    value = row[field]
                    if value is None:
                        continue
                    if field.endswith("_at") and not _INSTANT.fullmatch(value):
                        raise Failed(f"{name}.{field} is {value!r}, not a UTC instant")
                    if (field.endswith("_on") or field == "day") and not _DAY.fullmatch(value):
                        raise Failed(f"{name}.{field} is {value!r}, not a day")
        return f"{rows} rows"


@check(
    "bronze",
    "A worklog's day is the author's day, on DST nights too.",
    "Take the date as the tool writes it; never the UTC date of an instant.",
    needs=("worklogs",),
)
def the_day_is_the_authors(exam: Exam, seed: int) -> str:
    """Compare days of late and early entries."""
    with table(exam, seed) as bench:
        bench.sync()
        ours = bench.counted("worklog")
        for native, row in bench.world.truth()["worklog"].items():
            if native in ours and ours[native]["day"] != row["day"]:
                raise Failed(f"worklog {native}: day {ours[native]['day']}, the author wrote {row['day']}")
        return f"{len(ours)} worklogs"


@check("bronze", "Only the declared record types are made.", "Name every record class in `provides`.")
def declared_records_only(exam: Exam, seed: int) -> str:
    """Look which tables were filled."""
    with table(exam, seed) as bench:
        bench.sync()
        declared = {record.table for record in bench.source.provides}
        for name in BY_TABLE:
            if name not in declared and bench.store.rows(f"SELECT 1 FROM {name} LIMIT 1"):
                raise Failed(f"rows of {name} were written, which `provides` does not name")
        return ", ".join(sorted(declared))


@check("bronze", "Text is kept as it is: any script, emoji, and very long.", "Do not cut or encode text.")
def text_is_kept(exam: Exam, seed: int) -> str:
    """Compare titles."""
    with table(exam, seed) as bench:
        bench.sync()
        ours = bench.counted("task")
        for native, row in bench.world.truth()["task"].items():
            if native in ours and ours[native]["title"] != row["title"]:
                raise Failed(f"task {native}: the title lost something: {ours[native]['title'][:40]!r}")
        return "titles are equal"


@check(
    "bronze",
    "The credential is found nowhere: store, log, report, repr.",
    "Keep it in a Secret; put it into ctx.http.credentials, never into a URL, a message or a record.",
)
def secrets_stay_secret(exam: Exam, seed: int) -> str:
    """Search after a calm run and after a refused one."""
    with table(exam, seed) as bench:
        calm = bench.sync()
        refused = bench.sync(faults.status_from(1, 401), full=True)
        context = Context(base=Path(), source_id="x", session=lambda: faults.hurried(context))
        said = ""
        try:
            said = str(list(bench.source.check(context)))
        except Exception as exc:  # noqa: BLE001 - only its text matters
            said = str(exc)
        finally:
            context.close()
        places = {
            "store": "\n".join(bench.store.connection.iterdump()), "log": bench.log.getvalue(), "repr": repr(bench.source),
            "report": json.dumps(msgspec.to_builtins([calm, refused])) + said,
        }  # fmt: skip
        if found := [place for place, text in places.items() if SECRET in text]:
            raise Failed(f"the credential is in the {' and the '.join(found)}")
        return "not found in store, log, report and repr"


@check(
    "bronze",
    "The number of requests stays within the connector's own plan.",
    "Ask in pages and batches, never once per item; or state the true plan.",
)
def requests_within_plan(exam: Exam, seed: int) -> str:
    """Count the requests of a full reading."""
    with table(exam, seed) as bench:
        plan = bench.world.requests()
        bench.sync()
        asked = len(bench.stand_in.asked)
        if asked > plan:
            raise Failed(f"{asked} requests, the plan says at most {plan}")
        return f"{asked} of {plan}"


@check("bronze", "Nothing happens before it is asked for.", "Open no connection when the source is made or planned.")
def quiet_when_made(exam: Exam, seed: int) -> str:
    """Make the source and count requests."""
    with table(exam, seed) as bench:
        exam.source(bench.stand_in.url)
        if bench.stand_in.asked:
            raise Failed(f"{len(bench.stand_in.asked)} requests when the source was made")
        return "no request"


@check(
    "bronze",
    "`check` says well when it is, and not when the credential is refused.",
    "Ask something that needs the credential; let SourceDenied through or say failed.",
)
def check_tells_the_truth(exam: Exam, seed: int) -> str:
    """Run `check` against a willing and a refusing tool."""
    with table(exam, seed) as bench:
        for fault, wanted in ((None, True), (faults.status_from(1, 401), False)):
            bench.stand_in.fault = fault
            context = Context(base=Path(), source_id="x", session=lambda: faults.hurried(context))  # noqa: B023 - called within the turn
            try:
                states = {one.state for one in bench.source.check(context)}
            except Exception:  # noqa: BLE001 - a refusal told as an error is told
                states = {"failed"}
            finally:
                context.close()
            if ("failed" not in states) != wanted:
                raise Failed(
                    "check said failed on a healthy tool" if wanted else "check said ok although the tool answered 401"
                )
        return "ok when well, failed on 401"


@check("bronze", "A wrong setting is an error that names it.", "Declare settings as typed fields; forbid unknown ones.")
def settings_are_checked(exam: Exam, seed: int) -> str:
    """Convert a configuration with an unknown key."""
    with table(exam, seed) as bench:
        cls: type[Source] = type(bench.source)
        try:
            convert({"name": "x", "surely_no_setting": 1}, cls, where="hub.toml [sources.x]", base=Path())
        except ConfigError as exc:
            return str(exc)[:100]
        raise Failed("an unknown setting was accepted")


# ---------- silver: it goes on ----------


@check(
    "silver",
    "A second run changes nothing.",
    "Make ids and values from the tool's answer only: no clock, no chance, no order.",
)
def second_run_changes_nothing(exam: Exam, seed: int) -> str:
    """Sync twice, then once in full."""
    with table(exam, seed) as bench:
        well(bench)
        for full in (False, True):
            report = bench.sync(full=full)
            changes = report.changes
            if changes.inserted or changes.updated or changes.presence_changed:
                raise Failed(
                    f"{'a full' if full else 'the second'} run: {changes.inserted} new, {changes.updated} changed, {changes.presence_changed} left"
                )
        return "0 rows, twice"


@check(
    "silver",
    "Edits and additions are found by the next run, whatever our clock says.",
    "Cursor = highest change stamp seen, never now.",
    needs=("increments",),
)
def cursor_is_a_stamp_seen(exam: Exam, seed: int) -> str:
    """Edit and add after a sync; the tool's clock is years behind ours."""
    with table(exam, seed) as bench:
        well(bench)
        for _ in range(3):
            bench.world.edit()
            bench.world.add()
        well(bench, "the next run")
        return "3 edits and 3 additions found"


@check(
    "silver",
    "A row with the very stamp of the cursor is found.",
    "Read the last stamp again (>=), upsert by id.",
    needs=("increments",),
)
def ties_at_the_cursor(exam: Exam, seed: int) -> str:
    """Add an item whose stamp equals the newest one."""
    with table(exam, seed) as bench:
        well(bench)
        bench.world.add_behind(0)
        well(bench, "the next run")
        return "found"


@check(
    "silver",
    "A row that was written late, with a stamp a little before the cursor, is found.",
    "Read an overlap again: a minute at least.",
    needs=("increments",),
)
def late_arrivals(exam: Exam, seed: int) -> str:
    """Add an item whose stamp is 45 seconds older than the newest one."""
    with table(exam, seed) as bench:
        well(bench)
        bench.world.add_behind(45)
        well(bench, "the next run")
        return "found"


@check(
    "silver", "A quiet increment asks less than a full reading.", "Use the cursor in the question.", needs=("increments",)
)
def increments_are_used(exam: Exam, seed: int) -> str:
    """Count the rows read by a quiet run in a larger world."""
    with table(exam, seed, scale=4) as bench:
        first = bench.sync()
        second = bench.sync()
        if second.changes.read > first.changes.read / 2:
            raise Failed(f"the quiet run read {second.changes.read} rows, the full one {first.changes.read}")
        return f"{second.changes.read} rows against {first.changes.read}"


@check(
    "silver",
    "A process killed after any write goes on to the same store.",
    "Give a cursor only with or after the records that it stands for.",
)
def killed_anywhere(exam: Exam, seed: int) -> str:
    """Die after every write in turn, then finish."""
    with table(exam, seed) as calm:
        well(calm)
        image = calm.image()
    deaths = 0
    for after in range(1, 60):
        with table(exam, seed) as bench:
            if not bench.sync_until_crash(after):
                break
            deaths += 1
            report = bench.sync()
            if report.verdict != "ok" or bench.image() != image:
                found = bench.differences()
                raise Failed(
                    f"killed after write {after}: {report.verdict}, {found[0] if found else 'the store differs from the calm one'}"
                )
    return f"{deaths} deaths"


@check(
    "silver",
    "An item edited while we page is neither lost nor doubled.",
    "Page by an immutable order (id), not by the change stamp with an offset.",
)
def edited_while_paging(exam: Exam, seed: int) -> str:
    """Edit items after each request of a run."""
    for at in range(1, 9):
        with table(exam, seed) as bench:
            natives = bench.world.tasks()
            bench.sync(faults.meanwhile(at, partial(bench.world.edit, natives[at % len(natives)])))
            well(bench, f"an edit after request {at} and one more run")
    return "8 moments"


@check(
    "silver",
    "An item deleted while we page costs no other item.",
    "Compare distinct ids with the tool's own count; page by key, not by offset.",
)
def deleted_while_paging(exam: Exam, seed: int) -> str:
    """Delete the first item after each request of a run."""
    for at in range(1, 7):
        with table(exam, seed) as bench:
            victim = bench.world.tasks()[0]
            report = bench.sync(faults.meanwhile(at, partial(bench.world.delete, victim)))
            truth = bench.world.truth()["task"].keys()
            if report.verdict == "ok" and (lost := truth - bench.counted("task").keys()):
                raise Failed(f"deleted after request {at}: ok, but {len(lost)} other tasks are missing")
    return "6 moments"


@check("silver", "A page that comes twice doubles nothing.", "Upsert by the native id alone.")
def duplicated_rows(exam: Exam, seed: int) -> str:
    """Repeat the records of each list in turn."""
    for at in range(1, 5):
        with table(exam, seed) as bench:
            bench.sync(faults.on_list(at, lambda rows: rows + rows))
            if more := [d for d in bench.differences() if "do not exist" in d]:
                raise Failed(f"list {at} doubled: {more[0]}")
            well(bench, f"list {at} doubled and one more run", full=True)
    return "4 lists"


@check("silver", "The order of a page does not matter.", "Do not take the last row for the newest.")
def reordered_rows(exam: Exam, seed: int) -> str:
    """Turn each list round in turn, then edit and sync again."""
    for at in range(1, 4):
        with table(exam, seed) as bench:
            bench.sync(faults.on_list(at, lambda rows: rows[::-1]))
            bench.world.edit()
            well(bench, f"list {at} reversed and one more run")
    return "3 lists"


@check(
    "silver",
    "Rows dropped from a page are noticed: complete, or not ok.",
    "Compare distinct ids with the tool's own count; otherwise repeat or fail.",
)
def dropped_rows(exam: Exam, seed: int) -> str:
    """Drop half of each list in turn."""
    for at in range(1, 9):
        with table(exam, seed) as bench:
            report = bench.sync(faults.on_list(at, lambda rows: rows[: len(rows) // 2]))
            if report.verdict == "ok" and (found := [d for d in bench.differences() if "missing" in d]):
                raise Failed(f"list {at} halved: ok, but {found[0]}")
    return "3 lists"


@check("silver", "A page that repeats for ever ends, and not green.", "Stop with an error when a page brings no new key.")
def a_page_that_repeats(exam: Exam, seed: int) -> str:
    """Answer every question about a list with the first answer to its path."""
    with table(exam, seed) as bench:
        first: dict[str, Any] = {}

        def fault(number: int, request: Any, honest: Any) -> Any:
            if number > 400:
                return Response(status=400, body={})
            return first.setdefault(request.path, honest())

        report = bench.sync(fault)
        if len(bench.stand_in.asked) > 400:
            raise Failed("it went on asking for the same page")
        if report.verdict == "ok" and (found := [d for d in bench.differences() if "missing" in d]):
            raise Failed(f"ok, but {found[0]}")
        return f"ended {report.verdict} after {len(bench.stand_in.asked)} requests"


def _refused(status: int) -> Callable[[Exam, int], str]:
    def run(exam: Exam, seed: int) -> str:
        said = ""
        with table(exam, seed) as bench:
            well(bench)
            for first in (1, 2, 3):
                said = not_green(bench, faults.status_from(first, status), f"{status} from request {first} on")
            well(bench, "the next calm run")
        return said

    run.__name__ = f"status_{status}"
    run.__doc__ = f"Answer {status} from some request on."
    return run


for _status in (401, 403, 404, 410, 400):
    check(
        "silver",
        f"A {_status} is never zero records: the verdict is not ok and nothing leaves.",
        "Let the error of ctx.http through; do not turn it into an empty list.",
    )(_refused(_status))
check("silver", "A tool that is down for good is told, and nothing leaves.", "Let SourceUnavailable through.")(_refused(503))


def _passing(name: str, law: str, fault: Callable[[int], faults.Fault]) -> None:
    def run(exam: Exam, seed: int) -> str:
        for at in (1, 2, 4):
            with table(exam, seed) as bench:
                report = bench.sync(fault(at))
                if report.verdict != "ok":
                    raise Failed(f"at request {at}: {report.verdict}: {'; '.join(report.missing) or report.error}")
                bench.must_equal(f"at request {at}")
        return "3 moments"

    run.__name__, run.__doc__ = name, law
    check("silver", law, "Ask through ctx.http, which waits and tries again.")(run)


for _form in ("seconds", "fraction", "date"):
    _passing(
        f"status_429_with_{_form}",
        f"A 429 with Retry-After as {_form} is waited out.",
        partial(faults.status_once, status=429, headers=faults.retry_after(_form)),
    )
for _code in (500, 502, 503, 504):
    _passing(f"status_{_code}_once", f"A passing {_code} is tried again.", partial(faults.status_once, status=_code))
_passing(
    "truncated_json", "Half an answer is asked again.", lambda at: faults.raw_once(at, lambda body: body[: len(body) // 2])
)
_passing("reset_connection", "A connection that breaks off is tried again.", faults.reset_once)


@check("silver", "HTML instead of JSON is an error, not an empty list.", "Decode with ctx.http.get_json.")
def html_for_json(exam: Exam, seed: int) -> str:
    """Answer with a sign-in page from some request on."""
    said = ""
    with table(exam, seed) as bench:
        well(bench)
        page = Response(status=200, body=b"<html>Sign in</html>", headers={"Content-Type": "text/html"})
        for first in (1, 2, 3):

            def fault(number: int, _: Request, honest: Callable[[], Response], since: int = first) -> Response:
                return page if number >= since else honest()

            said = not_green(bench, fault, "a sign-in page")
    return said


@check(
    "silver",
    "A redirect to another host never carries the credential.",
    "Put the credential into ctx.http.credentials; let ctx.http follow redirects.",
)
def redirect_to_another_host(exam: Exam, seed: int) -> str:
    """Send the source to a second server and look what that one received."""
    with table(exam, seed) as bench, table(exam, seed) as other:
        target = other.stand_in.url.replace("127.0.0.1", "localhost")
        bench.sync(lambda n, r, honest: Response(status=302, body={}, headers={"Location": target + r.path}))
        if any(SECRET in str(request) for request in other.stand_in.asked):
            raise Failed("the other host received the credential")
        return f"{len(other.stand_in.asked)} requests followed without it"


def _changed_field(name: str, make: Callable[[str], faults.Fault], verb: str) -> None:
    def run(exam: Exam, seed: int) -> str:
        fields: set[str] = set()
        with table(exam, seed) as probe:

            def note(_: int, __: Any, honest: Any) -> Any:
                answer = honest()
                for holder, key in faults.lists(answer.body):
                    fields.update(holder[key][0])
                return answer

            probe.sync(note)
        silent = []
        for field in sorted(fields):
            with table(exam, seed) as bench:
                report = bench.sync(make(field))
                if report.verdict == "ok" and bench.differences():
                    silent.append(f"{field}: {bench.differences()[0]}")
        if silent:
            raise Failed(f"{verb} {silent[0]}, and the verdict was ok")
        return f"{len(fields)} fields"

    run.__name__, run.__doc__ = name, f"A field that was {verb} is noticed."
    check(
        "silver",
        f"A field that was {verb} is noticed: right all the same, or not ok.",
        "Decode into typed structs; a field that is always there has no default.",
    )(run)


_changed_field("renamed_field", faults.rename_field, "renamed")
_changed_field("retyped_field", faults.retype_field, "retyped")


# ---------- gold: it proves ----------


@check(
    "gold",
    "What was deleted in the tool leaves, with evidence.",
    "Use the delete feed, or a census of ids per readable container.",
    needs=("deletions",),
)
def deletions_are_found(exam: Exam, seed: int) -> str:
    """Delete one item and sync with a census."""
    with table(exam, seed) as bench:
        well(bench)
        native = bench.world.delete()
        well(bench, "a deletion and a census", census=True)
        row = bench.store.rows(
            "SELECT presence, presence_evidence AS e FROM task WHERE id = ?", (bench.source.row_id(native),)
        )[0]
        if not row["e"]:
            raise Failed(f"task {native} is {row['presence']} without evidence")
        return f"{row['presence']}: {row['e']}"


@check(
    "gold",
    "A container that cannot be read any more is hidden, never deleted.",
    "Answer a 403 in the census with readable=False.",
    needs=("containers",),
)
def hidden_is_not_deleted(exam: Exam, seed: int) -> str:
    """Take the right to read one container away."""
    with table(exam, seed) as bench:
        well(bench)
        _, natives = bench.world.hide()
        report = bench.sync(census=True)
        ours = bench.counted("task")
        if gone := [native for native in natives if native not in ours]:
            raise Failed(f"{len(gone)} tasks of the hidden container were declared gone ({report.verdict})")
        if held := [stake for stake in bench.store.held() if stake.presence == "deleted"]:
            raise Failed(
                f"{held[0].rows} rows of the hidden container were declared deleted; only the hub's guard held them"
            )
        return f"{len(natives)} tasks kept, {report.verdict}"


@check(
    "gold",
    "A worklog leaves by a delete feed or a proof, never because a list lacks it.",
    "Yield no census of worklogs where the tool hides rows by permission.",
    needs=("worklogs",),
)
def worklogs_need_a_proof(exam: Exam, seed: int) -> str:
    """Hide a container, whose worklogs vanish from every list."""
    with table(exam, seed) as bench:
        well(bench)
        before = bench.counted("worklog").keys()
        bench.world.hide()
        bench.sync(census=True, full=True)
        if gone := before - bench.counted("worklog").keys():
            raise Failed(f"{len(gone)} worklogs were declared gone by absence")
        if bench.store.rows("SELECT 1 FROM presence_hold WHERE table_name = 'worklog'"):
            raise Failed("worklogs were declared gone by absence; only the hub's guard held them")
        return f"{len(before)} worklogs kept"


@check(
    "gold",
    "More than a fifth of a container leaving at once waits for a person.",
    "Prove deletions through Gone, Census or a complete partition, which the hub guards.",
    needs=("deletions",),
)
def mass_leave_is_held(exam: Exam, seed: int) -> str:
    """Delete most items."""
    with table(exam, seed) as bench:
        well(bench)
        before = len(bench.counted("task"))
        for native in bench.world.tasks()[: before * 4 // 5]:
            bench.world.delete(native)
        report = bench.sync(census=True)
        if len(bench.counted("task")) < before * 0.5 or report.verdict == "ok":
            raise Failed(f"{before - len(bench.counted('task'))} of {before} tasks left at once, verdict {report.verdict}")
        return report.held[0] if report.held else report.verdict


@check("gold", "A renamed key makes no second row.", "Make ids from the immutable native id, never from a display key.")
def ids_survive_a_rename(exam: Exam, seed: int) -> str:
    """Rename every item."""
    with table(exam, seed) as bench:
        well(bench)
        keys = {native: row["key"] for native, row in bench.counted("task").items()}
        for native in bench.world.tasks():
            bench.world.rename(native)
        well(bench, "renaming")
        if keys != {native: row["key"] for native, row in bench.counted("task").items()}:
            raise Failed("rows changed their integer key")
        return f"{len(keys)} ids"


@check(
    "gold", "A move to another container makes no second row.", "Leave the container out of the id.", needs=("containers",)
)
def ids_survive_a_move(exam: Exam, seed: int) -> str:
    """Move an item."""
    with table(exam, seed) as bench:
        well(bench)
        count = len(bench.counted("task"))
        bench.world.move(bench.world.tasks()[1])
        well(bench, "a move", census=True)
        if len(bench.store.rows("SELECT 1 FROM task")) != count:
            raise Failed("the moved item is a second row")
        return "one row"


@check(
    "gold",
    "What was not asked for is not collected: comments, free text about people.",
    "Leave such fields out of the mapping.",
)
def privacy_by_default(exam: Exam, seed: int) -> str:
    """Search the store for the world's private texts."""
    with table(exam, seed) as bench:
        bench.sync()
        dump = "\n".join(bench.store.connection.iterdump())
        if found := [text for text in exam.private if text in dump]:
            raise Failed(f"the store holds {found[0]!r}")
        return f"{len(exam.private)} private texts not found"


@check("gold", "Memory stays flat when items grow tenfold.", "Yield batches as pages come; keep no list of all records.")
def memory_stays_flat(exam: Exam, seed: int) -> str:
    """Read a small and a tenfold world and compare the largest batches."""
    peaks = []
    for scale in (4, 40):
        with table(exam, seed, scale=scale) as bench:
            context = Context(base=Path(), source_id="x", session=lambda: faults.hurried(context))  # noqa: B023
            largest = 0
            try:
                for partition in bench.source.plan(context, {}):
                    for batch in bench.source.read(context, partition, None):
                        largest = max(largest, len(batch.records))
                        del batch
            finally:
                context.close()
            peaks.append(largest)
    if peaks[1] > max(1.5 * peaks[0], 500):
        raise Failed(f"the largest batch grew from {peaks[0]} to {peaks[1]} records")
    return f"largest batch {peaks[0]} and {peaks[1]} records"


@check(
    "gold",
    "After any storm of edits and faults, a calm run equals the tool.",
    "See the check that fails more simply; else replay this seed.",
    needs=("increments",),
)
def storm(exam: Exam, seed: int) -> str:
    """Edit, add, move, delete and fail at random, then sync in calm."""
    with table(exam, seed) as bench:
        rng = bench.world.random
        bench.sync()
        told = []
        for _ in range(6):
            deed = rng.choice(("edit", "add", "rename", "move", "edit", "add"))
            told.append(deed)
            if deed in {"rename", "move"}:
                getattr(bench.world, deed)(rng.choice(bench.world.tasks()))
            else:
                getattr(bench.world, deed)()
            at = rng.randint(1, 5)
            bench.sync(rng.choice([
                faults.status_once(at, 503), faults.status_from(at, 401), faults.reset_once(at), faults.on_list(at, lambda rows: rows + rows),
                faults.meanwhile(at, bench.world.edit), faults.raw_once(at, lambda body: body[:20]), None,
            ]))  # fmt: skip
        well(bench, f"a storm of {', '.join(told)}")
        (left,) = bench.store.connection.execute(f"SELECT count(*) FROM task WHERE presence IN {LEFT}").fetchone()
        if left:
            raise Failed(f"{left} tasks left although none was deleted")
        return ", ".join(told)

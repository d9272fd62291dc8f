"""Silver: it goes on, whatever happens on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from hub.placement import left
from hub.simulator import Request, Response
from hub.testing.kit import faults
from hub.testing.kit.certification import SECRET, SawNothing, SourceCertification, World
from hub.testing.kit.checks import check, not_green, reason, well
from hub.testing.kit.harness import Failed, Harness, HttpHarness, table


@check(
    "silver",
    "A second run changes nothing.",
    "Make ids and values from the tool's answer only: no clock, no chance, no order.",
)
def second_run_changes_nothing(certification: SourceCertification, seed: int) -> str:
    """Sync twice, then once in full."""
    with table(certification, seed) as harness:
        well(harness)
        for full in (False, True):
            report = harness.sync(full=full)
            changes = report.changes
            if changes.inserted or changes.updated or changes.presence_changed:
                raise Failed(
                    f"{'a full' if full else 'the second'} run: "
                    f"{changes.inserted} new, {changes.updated} changed, {changes.presence_changed} left"
                )
        return "0 rows, twice"


@check(
    "silver",
    "Edits and additions are found by the next run, whatever our clock says.",
    "Cursor = highest change stamp seen, never now.",
    needs=("increments", "edits"),
)
def cursor_is_a_stamp_seen(certification: SourceCertification, seed: int) -> str:
    """Edit and add after a sync; the tool's clock is years behind ours."""
    with table(certification, seed) as harness:
        well(harness)
        for _ in range(3):
            harness.world.edit()
            harness.world.add()
        well(harness, "the next run")
        return "3 edits and 3 additions found"


@check(
    "silver",
    "A row with the very stamp of the cursor is found.",
    "Read the last stamp again (>=), upsert by id.",
    needs=("increments", "edits"),
    medium="http",
)
def ties_at_the_cursor(certification: SourceCertification, seed: int) -> str:
    """Add an item whose stamp equals the newest one."""
    with table(certification, seed) as harness:
        well(harness)
        harness.world.add_behind(0)
        well(harness, "the next run")
        return "found"


@check(
    "silver",
    "A row that was written late, with a stamp a little before the cursor, is found.",
    "Read an overlap again: a minute at least.",
    needs=("increments", "edits"),
    medium="http",
)
def late_arrivals(certification: SourceCertification, seed: int) -> str:
    """Add an item whose stamp is 45 seconds older than the newest one."""
    with table(certification, seed) as harness:
        well(harness)
        harness.world.add_behind(45)
        well(harness, "the next run")
        return "found"


@check(
    "silver",
    "A quiet increment asks less than a full reading.",
    "Use the cursor in the question.",
    needs=("increments", "scale"),
)
def increments_are_used(certification: SourceCertification, seed: int) -> str:
    """Count the rows read by a quiet run in a larger world."""
    with table(certification, seed, scale=4) as harness:
        first = harness.sync()
        second = harness.sync()
        if second.changes.read > first.changes.read / 2:
            raise Failed(f"the quiet run read {second.changes.read} rows, the full one {first.changes.read}")
        return f"{second.changes.read} rows against {first.changes.read}"


@check(
    "silver",
    "A process killed after any write goes on to the same store.",
    "Give a cursor only with or after the records that it stands for.",
)
def killed_anywhere(certification: SourceCertification, seed: int) -> str:
    """Die after every write in turn, then finish."""
    with table(certification, seed) as calm:
        well(calm)
        image = calm.image()
    deaths = 0
    for after in range(1, 60):
        with table(certification, seed) as harness:
            if not harness.sync_until_crash(after):
                break
            deaths += 1
            report = harness.sync()
            if report.verdict != "ok" or harness.image() != image:
                found = harness.differences()
                raise Failed(
                    f"killed after write {after}: "
                    f"{report.verdict}, {found[0] if found else 'the store differs from the calm one'}"
                )
    return f"{deaths} deaths"


@check(
    "silver",
    "An item edited while we page is neither lost nor doubled.",
    "Page by an immutable order (id), not by the change stamp with an offset.",
    needs=("edits",),
    medium="http",
)
def edited_while_paging(certification: SourceCertification, seed: int) -> str:
    """Edit items after each request of a run."""
    for at in range(1, 9):
        with table(certification, seed) as harness:
            natives = harness.world.rows()
            harness.sync(faults.meanwhile(at, partial(harness.world.edit, natives[at % len(natives)])))
            well(harness, f"an edit after request {at} and one more run")
    return "8 moments"


@check(
    "silver",
    "An item deleted while we page costs no other item.",
    "Compare distinct ids with the tool's own count; page by key, not by offset.",
    needs=("edits",),
    medium="http",
)
def deleted_while_paging(certification: SourceCertification, seed: int) -> str:
    """Delete the first rows after each request of a run."""
    for at in range(1, 7):
        with table(certification, seed) as harness:
            victims = harness.world.rows()[:3]
            report = harness.sync(faults.meanwhile(at, partial(_delete_all, harness.world, victims)))
            truth = harness.world.truth()[harness.main].keys()
            if report.verdict == "ok" and (lost := truth - harness.counted(harness.main).keys()):
                raise Failed(f"deleted after request {at}: ok, but {len(lost)} others are missing")
    return "6 moments"


def _delete_all(world: World, natives: list[str]) -> None:
    for native in natives:
        world.delete(native)


@check(
    "silver",
    "A page that comes twice doubles nothing.",
    "Upsert by the native id alone.",
    medium="http",
)
def duplicated_rows(certification: SourceCertification, seed: int) -> str:
    """Repeat the records of each list in turn."""
    for at in range(1, 5):
        with table(certification, seed) as harness:
            harness.sync(faults.on_list(at, lambda rows: rows + rows))
            if more := [d for d in harness.differences() if "do not exist" in d]:
                raise Failed(f"list {at} doubled: {more[0]}")
            well(harness, f"list {at} doubled and one more run", full=True)
    return "4 lists"


@check(
    "silver",
    "The order of a page does not matter.",
    "Do not take the last row for the newest.",
    needs=("edits",),
    medium="http",
)
def reordered_rows(certification: SourceCertification, seed: int) -> str:
    """Turn each list round in turn, then edit and sync again."""
    for at in range(1, 4):
        with table(certification, seed) as harness:
            harness.sync(faults.on_list(at, lambda rows: rows[::-1]))
            harness.world.edit()
            well(harness, f"list {at} reversed and one more run")
    return "3 lists"


@check(
    "silver",
    "Rows dropped from a page are noticed: complete, or not ok.",
    "Compare distinct ids with the tool's own count; otherwise repeat or fail.",
    needs=("counts",),
    medium="http",
)
def dropped_rows(certification: SourceCertification, seed: int) -> str:
    """Drop half of the first list of each name and path, and of eight lists in the order in which they come.

    Threads ask side by side: a list that comes once may stand at another place in each run.
    """
    named: dict[tuple[str, str], None] = {}

    def note(_: int, request: Any, honest: Any) -> Any:
        answer = honest()

        def see(name: str, rows: list[Any]) -> list[Any]:
            if name or faults.says_total(answer):
                named[request.path, name] = None
            return rows

        faults.with_lists(faults.parsed(answer), see)
        return answer

    with table(certification, seed) as harness:
        harness.sync(note)
    if not named:
        raise SawNothing("no answer held a list of two records or more beside which a number may stand")
    half = partial(faults.on_list, change=faults.halved_list, counted=True)
    ways = {f"{key} of {path}".strip(): half(1, path=path, key=key) for path, key in [*named][:12]}
    ways |= {f"list {at}": half(at) for at in range(1, 9)}
    for name, fault in ways.items():
        with table(certification, seed) as harness:
            report = harness.sync(fault)
            if report.verdict == "ok" and (found := [d for d in harness.differences() if "missing" in d]):
                raise Failed(f"{name} halved: ok, but {found[0]}")
    return f"{len(named)} lists, and 8 in the order in which they come"


@check(
    "silver",
    "A page that repeats for ever ends, and not green.",
    "Stop with an error when a page brings no new key.",
    medium="http",
)
def a_page_that_repeats(certification: SourceCertification, seed: int) -> str:
    """Answer every question about a list with the first answer to its path."""
    with table(certification, seed) as harness:
        first: dict[str, Any] = {}

        def fault(number: int, request: Any, honest: Any) -> Any:
            if number > 400:
                return Response(status=400, body={})
            return first.setdefault(request.path, honest())

        report = harness.sync(fault)
        if len(harness.simulator.asked) > 400:
            raise Failed("it went on asking for the same page")
        if report.verdict == "ok" and (found := [d for d in harness.differences() if "missing" in d]):
            raise Failed(f"ok, but {found[0]}")
        return f"ended {report.verdict} after {len(harness.simulator.asked)} requests"


def _refused(status: int) -> Callable[[SourceCertification, int], str]:
    def run(certification: SourceCertification, seed: int) -> str:
        said = ""
        with table(certification, seed) as harness:
            well(harness)
            for first in range(1, min(3, len(harness.simulator.asked)) + 1):
                said = not_green(
                    harness, faults.status_from(first, status), f"{status} from request {first} on", full=True
                )
            well(harness, "the next calm run")
        return said

    run.__name__ = f"status_{status}"
    run.__doc__ = f"Answer {status} from some request on."
    return run


for _status in (401, 403, 404, 410, 400):
    check(
        "silver",
        f"A {_status} is never zero records: the verdict is not ok and nothing leaves.",
        "Let the error of ctx.http through; do not turn it into an empty list.",
        medium="http",
    )(_refused(_status))
check(
    "silver",
    "A tool that is down for good is told, and nothing leaves.",
    "Let SourceUnavailable through.",
    medium="http",
)(_refused(503))


def _passing(name: str, law: str, fault: Callable[[int], faults.Fault]) -> None:
    def run(certification: SourceCertification, seed: int) -> str:
        for at in (1, 2, 4):
            with table(certification, seed) as harness:
                report = harness.sync(fault(at))
                if report.verdict != "ok":
                    raise Failed(
                        f"at request {at}: {report.verdict}: {'; '.join(report.missing) or report.error}"
                    )
                harness.must_equal(f"at request {at}")
        return "3 moments"

    run.__name__, run.__doc__ = name, law
    check("silver", law, "Ask through ctx.http, which waits and tries again.", medium="http")(run)


for _form in ("seconds", "fraction", "date"):
    _passing(
        f"status_429_with_{_form}",
        f"A 429 with Retry-After as {_form} is waited out.",
        partial(faults.status_once, status=429, headers=faults.retry_after(_form)),
    )
for _code in (500, 502, 503, 504):
    _passing(
        f"status_{_code}_once",
        f"A passing {_code} is tried again.",
        partial(faults.status_once, status=_code),
    )
_passing(
    "truncated_json",
    "Half an answer is asked again.",
    lambda at: faults.raw_once(at, lambda body: body[: len(body) // 2]),
)
_passing("reset_connection", "A connection that breaks off is tried again.", faults.reset_once)
_passing("slow_body", "A slow answer is waited for.", lambda at: faults.stall_once(at, 0.2))


@check(
    "silver",
    "An answer that stops in the middle is asked again.",
    "Ask through ctx.http, which has a time-out.",
    medium="http",
)
def stalled_body(certification: SourceCertification, seed: int) -> str:
    """Stop one answer for longer than anyone waits."""
    with table(certification, seed) as harness:
        soon = partial(faults.hurried, read_timeout_s=faults.SHORT_S)
        report = harness.sync(faults.stall_once(2, 1.5 * faults.SHORT_S), session=soon)
        if report.verdict != "ok":
            raise Failed(f"{report.verdict}: {'; '.join(report.missing) or report.error}")
        harness.must_equal("after it")
    return "asked again"


@check(
    "silver",
    "Pages that overlap double nothing.",
    "Upsert by the native id alone; count distinct ids.",
    medium="http",
)
def overlapping_pages(certification: SourceCertification, seed: int) -> str:
    """Begin each page with the last rows of the page before."""
    with table(certification, seed, scale=1 if "scale" in certification.cannot else 2) as harness:
        well(harness)
        report = harness.sync(faults.overlapping(2), full=True)
        if report.verdict == "ok":
            harness.must_equal("with pages that overlap by two rows")
        if report.changes.inserted or report.changes.presence_changed:
            raise Failed(f"{report.changes.inserted} rows came twice, {report.changes.presence_changed} left")
    return f"two rows of each page twice: {report.verdict}"


@check(
    "silver",
    "A parameter the tool ignores is survived: right all the same, or not ok.",
    "Do not trust a filter: upsert what comes, and stop when a page brings nothing new.",
    needs=("edits",),
    medium="http",
)
def unknown_filters(certification: SourceCertification, seed: int) -> str:
    """Answer every question as if one of its parameters were not there, for each parameter in turn."""
    asked: set[str] = set()
    with table(certification, seed) as harness:
        for _ in range(2):
            harness.sync()
            asked |= {name for request in harness.simulator.asked for name in request.query}
            harness.world.edit()
    for parameter in sorted(asked):
        with table(certification, seed) as harness:
            well(harness)
            for full in (False, True):
                harness.world.edit()
                report = harness.sync(faults.ignores(parameter, harness.world), census=True, full=full)
                if report.verdict == "ok":
                    harness.must_equal(f"with the parameter {parameter} ignored")
            if away := harness.store.rows(f"SELECT 1 FROM {harness.main} WHERE {left()}"):
                raise Failed(f"with the parameter {parameter} ignored, {len(away)} rows left")
    return f"{len(asked)} parameters: {', '.join(sorted(asked))}"


@check(
    "silver",
    "HTML instead of JSON is an error, not an empty list.",
    "Decode with ctx.http.get_json.",
    medium="http",
)
def html_for_json(certification: SourceCertification, seed: int) -> str:
    """Answer with a sign-in page from some request on."""
    said = ""
    with table(certification, seed) as harness:
        well(harness)
        page = Response(status=200, body=b"<html>Sign in</html>", headers={"Content-Type": "text/html"})
        for first in range(1, min(3, len(harness.simulator.asked)) + 1):

            def fault(
                number: int, _: Request, honest: Callable[[], Response], since: int = first
            ) -> Response:
                return page if number >= since else honest()

            said = not_green(harness, fault, "a sign-in page", full=True)
    return said


@check(
    "silver",
    "A redirect to another host never carries the credential.",
    "Put the credential into ctx.http.credentials; let ctx.http follow redirects.",
    medium="http",
)
def redirect_to_another_host(certification: SourceCertification, seed: int) -> str:
    """Send the source to a second server and look what that one received."""
    with table(certification, seed) as harness, table(certification, seed) as other:
        target = other.simulator.url.replace("127.0.0.1", "localhost")
        harness.sync(
            lambda n, r, honest: Response(status=302, body={}, headers={"Location": target + r.path})
        )
        if any(SECRET in str(request) for request in other.simulator.asked):
            raise Failed("the other host received the credential")
        return f"{len(other.simulator.asked)} requests followed without it"


def _changed_field(name: str, make: Callable[[str], faults.Fault], verb: str) -> None:
    def run(certification: SourceCertification, seed: int) -> str:
        every, at_times = set[str](), set[str]()
        with table(certification, seed) as probe:

            def note(_: int, __: Any, honest: Any) -> Any:
                answer = honest()
                if named := [{*row} for row in faults.records_in(faults.parsed(answer))]:
                    every.update(*named)
                    at_times.update(set[str]().union(*named) - named[0].intersection(*named))
                return answer

            probe.sync(note)
        if not every:
            raise Failed("no answer held a list of records: nothing could be changed in them")
        silent = []
        for field in sorted(every):
            with table(certification, seed) as harness:
                # that a field is gone which some rows lack is told where it was there before
                known = verb == "renamed" and field in at_times
                if known:
                    harness.sync()
                report = harness.sync(make(field), full=known)
                if report.verdict == "ok" and harness.differences():
                    silent.append(f"{field}: {harness.differences()[0]}")
        if silent:
            more = f"; {len(silent) - 1} more" if len(silent) > 1 else ""
            raise Failed(f"{verb} {silent[0]}, and the verdict was ok{more}")
        return f"{len(every)} fields"

    run.__name__, run.__doc__ = name, f"A field that was {verb} is noticed."
    check(
        "silver",
        f"A field that was {verb} is noticed: right all the same, or not ok.",
        "Decode into typed structs; a field that is always there has no default.",
        medium="http",
    )(run)


_changed_field("renamed_field", faults.rename_field, "renamed")
_changed_field("retyped_field", faults.retype_field, "retyped")


@check(
    "silver",
    "One odd row costs one row: the others are taken, it is named, and it comes back when it is right.",
    "Decode and map rows one by one with ctx.each; ctx.reject what cannot be taken.",
    medium="http",
)
def one_odd_row(certification: SourceCertification, seed: int) -> str:
    """Spoil each field of one row in turn, on a first run and on a full one."""
    with table(certification, seed) as probe:
        fields = faults.shown_fields(probe)
    if not fields:
        raise Failed("no row was shown: of what the tool sends, nothing has an id of `rows` or `stored_id`")
    count = 0
    for field, native in sorted(fields.items()):
        with table(certification, seed) as harness:
            for full in (False, True):
                report = harness.sync(
                    faults.odd_field(native, field, faults.natives_of(harness.world)), full=full
                )
                count += report.rejected
                lost = harness.world.truth()[harness.main].keys() - harness.counted(harness.main).keys()
                what = f"with an odd {field!r} in the row {native}"
                if len(lost) > 1:
                    raise Failed(f"{what} {len(lost)} {harness.main} rows are lacking ({report.verdict})")
                if report.verdict == "failed" or (report.verdict == "ok" and harness.differences()):
                    raise Failed(f"{what} the verdict was {report.verdict}: {reason(report)}")
            well(harness, f"a calm run after an odd {field!r}")
    return f"{len(fields)} fields in turn, {count} rejections"


@check(
    "silver",
    "A run accounts for all it saw: taken, rejected or left out, and no less than there is.",
    "Close each partition with ctx.tally(Tally(seen=…, taken=…, skipped={…}, said=the tool's own total)).",
)
def a_tally(certification: SourceCertification, seed: int) -> str:
    """Read what a calm run counted, and what one counted in which rows were odd."""
    with table(certification, seed) as harness:
        well(harness)
        rows = len(harness.world.rows() if certification.splits else harness.world.truth()[harness.main])
        _, told = _accounts(harness)
        if not told:
            raise Failed(f"the run counted nothing, and {rows} {harness.main} rows are there")
        if max(sums["seen"] for sums in told.values()) < rows:
            raise Failed(f"{_shown(told)}, and {rows} {harness.main} rows are there")
        if not isinstance(harness, HttpHarness):
            return _shown(told)
    with table(certification, seed) as probe:
        fields = faults.shown_fields(probe)
    for field, native in sorted(fields.items()):
        with table(certification, seed) as harness:
            harness.sync(faults.odd_field(native, field, faults.natives_of(harness.world)))
            refused, odd = _accounts(harness)
            # one that two lists show is rejected twice, and kept once
            if (unread := sum(map(_unread, odd.values()))) < refused:
                raise Failed(
                    f"with an odd {field!r} in the row {native} {refused} rows were rejected, and the tally "
                    f"says {unread} ({_shown(odd)})"
                )
    return f"{_shown(told)}; adds up with {len(fields)} odd fields"


def _accounts(harness: Harness) -> tuple[int, dict[str, dict[str, int]]]:
    """Return how many rows the source rejected, and what its last run counted, by unit."""
    told: dict[str, dict[str, int]] = json.loads(harness.store.runs(limit=1)[0].tally or "{}")
    return len(harness.rejections()[0]), told


def _unread(sums: dict[str, int]) -> int:
    return 2 * sums["seen"] - sum(sums.values())


def _shown(told: dict[str, dict[str, int]]) -> str:
    return ", ".join(f"{sums['seen']} {unit} seen, {sums['taken']} taken" for unit, sums in told.items())

"""One odd thing costs one thing: it is rejected, kept, listed, asked for again, and never counted as gone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.context import Context
from hub.errors import ConfigError, SourceDataError, SourceForbidden, SourceGone, SourceUnavailable
from hub.records import BudgetLine, Container, CustomValue, Record, Task, Worklog
from hub.source import Batch, Partition, Scope
from hub.store import Store, rejections
from hub.store.lean import Database
from hub.store.migrations import migrations
from hub.sync import Options, sync
from hub.sync.report import Hooks, SourceReport
from hub.tally import Rejection, Tally
from hub.testing import ScriptedSource, feed_view, sync_once
from hub.validity import fault


def hours(number: int, seconds: Any = 3600, **more: Any) -> Worklog:
    return Worklog(id=f"s:h/{number}", day="2026-10-05", seconds=seconds, **more)


class Reading(ScriptedSource, frozen=True, kw_only=True):
    """A source whose readings are given the context, as those of a real one are."""

    tell: Any = None

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        """Let the script speak to the context."""
        return self.tell(ctx, partition, cursor)  # type: ignore[no-any-return]


def reading(
    tell: Callable[[Context, Any], Iterable[Batch]], *, complete: bool = True, **more: Any
) -> Reading:
    scope = Scope(records=(Worklog,), id_prefix="s:h/")
    return Reading(
        name="s",
        script={"file": None},
        tell=lambda ctx, _, cursor: tell(ctx, cursor),
        partitions=(Partition(id="file", label="hours.csv", complete=complete, scope=scope),),
        **more,
    )


def known(store: Store) -> dict[str, tuple[str, int]]:
    return {row["id"]: (row["presence"], row["seconds"]) for row in store.rows("SELECT * FROM worklog")}


def told(report: SourceReport) -> str:
    return "\n".join(report.missing + report.rejections + [report.error or ""])


LETTERS = "".join(chr(0x20000 + n * n % 40000) for n in range(3000))
"""Of four bytes each, in which nothing repeats: an index of PostgreSQL takes 2,704 bytes of them."""


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (Task(id="s:1", container_id="s:c", title="x", due_on="31/12/2026"), "due_on"),
        (Task(id="s:1", container_id="s:c", title="x", due_on="2026-02-30"), "due_on"),
        (Task(id="s:1", container_id="s:c", title="x", created_at="2026-10-01T10:00:00+02:00"), "created_at"),
        (Task(id="s:1", container_id="s:c", title="x", created_at="2026-10-01 10:00:00Z"), "created_at"),
        (Task(id="s:1", container_id="s:c", title="x", created_at="2026-10-01"), "created_at"),
        (Task(id="s:1", container_id="s:c", title="x", percent=100.5), "percent"),
        (Task(id="s:1", container_id="s:c", title="x", percent=float("nan")), "percent"),
        (Task(id="s:1", container_id="s:c", title="x", points=float("inf")), "points"),
        (Task(id="s:1", container_id="s:c", title="x", kind="epic"), "kind"),  # type: ignore[arg-type]
        (Task(id="s:1", container_id="s:c", title=None), "title"),  # type: ignore[arg-type]
        (Worklog(id="s:1", day="2026-10-05", seconds=int(1e25) * 60), "seconds"),
        (Worklog(id="s:1", day="2026-10-05", seconds=1e30 * 3600), "seconds"),  # type: ignore[arg-type]
        (Worklog(id="s:1", day="5 oct.", seconds=60), "day"),
        (Worklog(id="t:1", day="2026-10-05", seconds=60), "id"),
        (Worklog(id="s:", day="2026-10-05", seconds=60), "id"),
        (Worklog(id=f"s:{LETTERS[:599]}", day="2026-10-05", seconds=60), "id"),
        (Worklog(id=f"s:{LETTERS}", day="2026-10-05", seconds=60), "id"),
        (
            BudgetLine(id="s:1", project_code="A", month="2026-13", kind="revised", category="x",
                       amount_minor=1, currency="EUR"), "month",
        ),
        (
            BudgetLine(id="s:1", project_code="A", month="2026-10", kind="revised", category="x",
                       amount_minor=10**20, currency="EUR"), "amount_minor",
        ),
        (
            BudgetLine(id="s:1", project_code="A", month="2026-10", kind="revised", category="x",
                       amount_minor=1, currency="€"), "currency",
        ),
    ],
)  # fmt: skip
def test_a_wrong_record(store: Store, record: Record, field: str) -> None:
    """Types, ranges, days, stamps and the own prefix are checked; the others of the batch are taken."""
    report = sync_once(
        store, ScriptedSource(name="s", script={"p": lambda _: [Batch(records=[record, hours(9)])]})
    )
    wrong = fault(record, "s:")

    assert field == (wrong.field if wrong else None)
    assert ("partial", 1, {"s:h/9": ("present", 3600)}) == (report.verdict, report.rejected, known(store))
    assert [field] == [one.field for one in rejections.rejected(store)]


def test_a_right_record_of_every_kind_of_value(store: Store) -> None:
    """What the fields allow passes: leap days, stamps with fractions, whole numbers, far years."""
    record = Task(
        id="s:1", container_id="s:c", title="", due_on="2028-02-29", created_at="2026-10-01T10:00:00.123456Z",
        percent=50, points=3, planned_finish_on="9999-12-31", estimate_s=-5, is_blocked=False,
    )  # fmt: skip

    long = Task(id=f"s:{LETTERS[:598]}", container_id="s:c", title="")
    assert None is fault(record, "s:")
    assert None is fault(long, "s:")
    assert (
        2
        == sync_once(
            store, ScriptedSource(name="s", script={"p": lambda _: [Batch(records=[record, long])]})
        ).changes.inserted
    )


def test_a_row_that_turns_wrong_keeps_its_old_image(store: Store) -> None:
    """It counts as seen, is asked for again in each run, and is forgotten once it is right."""
    rows: list[Worklog] = [hours(n) for n in range(10)]
    asked: list[Any] = []

    def tell(_: Context, cursor: Any) -> Iterator[Batch]:
        asked.append(cursor)
        yield Batch(records=rows, cursor=len(asked))

    source = reading(tell)
    first = sync_once(store, source)
    rows[3] = hours(3, "a day")
    second, third = sync_once(store, source), sync_once(store, source)
    (lacking,) = rejections.rejected(store)
    rows[3] = hours(3, 7200)
    last = sync_once(store, source)

    assert ["ok", "partial", "partial", "ok"] == [one.verdict for one in (first, second, third, last)]
    assert [None, 1, 1, 1] == asked  # the mark waited while something lacked
    assert ("worklog s:h/3", "seconds", "a day") == (lacking.place, lacking.field, lacking.value)
    assert ("present", 7200) == known(store)["s:h/3"]
    assert 10 == sum(presence == "present" for presence, _ in known(store).values())
    assert [] == rejections.rejected(store)


def test_a_place_that_is_gone(store: Store) -> None:
    """A rejection leaves with the thing it stood for, and with its partition."""
    rows: list[Worklog] = [hours(1), hours(2, "x")]
    source = reading(lambda ctx, cursor: [Batch(records=rows, cursor=1)])
    sync_once(store, source)
    rows.pop()
    sync_once(store, source)
    gone = rejections.rejected(store)
    rows.append(hours(2, "x"))
    sync_once(store, source)
    parts = ScriptedSource(name="s", script={"other": lambda _: []}, partitions=(Partition(id="other"),))
    sync_once(store, parts)

    assert ([], []) == (gone, rejections.rejected(store))


def test_a_rejection_without_an_id_spares_what_it_may_have_been(store: Store) -> None:
    """A row named by its content leaves when it was edited; one that cannot be read any more stays."""
    rows = [hours(n, n * 60) for n in range(1, 21)]
    wrong: list[int] = []

    def tell(ctx: Context, _: Any) -> Iterator[Batch]:
        for number in wrong:
            ctx.reject(
                f"hours.csv, row {number}", "is not a duration", record=Worklog,
                like={"seconds": number * 60}, field="Hours", value="1 d", seconds=None,
            )  # fmt: skip
        yield Batch(records=rows, cursor=1)

    sync_once(store, reading(tell))
    rows[4:6] = []  # the fifth cannot be read, the sixth was taken away
    wrong.append(5)
    report = sync_once(store, reading(tell))
    away = {id_ for id_, (presence, _) in known(store).items() if presence != "present"}

    assert ("partial", {"s:h/6"}) == (report.verdict, away)


def test_what_hangs_on_a_rejected_row_stays_with_it(store: Store) -> None:
    """A row that cannot be read any more shows nothing of what belongs to it: no proof that this left."""
    rows = [hours(n, n * 60) for n in range(1, 41)]
    rows += [msgspec.structs.replace(hours(n, n * 60), id=f"s:h/{n}/more") for n in (3, 4)]
    wrong: list[int] = []

    def tell(ctx: Context, _: Any) -> Iterator[Batch]:
        for number in wrong:
            ctx.reject(f"hours {number}", "is odd", record=Worklog, id=f"s:h/{number}")
        yield Batch(records=rows, cursor=1)

    sync_once(store, reading(tell))
    rows = [one for one in rows if one.id not in {"s:h/3", "s:h/3/more", "s:h/4/more"}]
    wrong.append(3)
    report = sync_once(store, reading(tell))
    away = {id_ for id_, (presence, _) in known(store).items() if presence != "present"}

    assert ("partial", {"s:h/4/more"}) == (report.verdict, away)


def test_too_many_rejections_fail_the_partition(store: Store) -> None:
    """Above the setting the partition fails and names the first; nothing of it leaves."""
    rows: list[Worklog] = [hours(n) for n in range(20)]
    source = reading(lambda ctx, cursor: [Batch(records=rows, cursor=1)])
    sync_once(store, source)
    rows[:] = [hours(n) for n in range(8)] + [hours(n, "x") for n in range(8, 12)]
    report = sync_once(store, source)
    more = reading(lambda ctx, cursor: [Batch(records=rows, cursor=1)], max_rejected=0.5)
    patient = sync_once(store, more)

    assert "failed" == report.verdict
    assert "4 of 12 could not be taken" in told(report)
    assert "worklog s:h/8" in told(report)
    assert all(presence == "present" for presence, _ in known(store).values())
    assert "partial" == patient.verdict


def test_an_accepted_rejection_is_silent_and_stays_missing(store: Store) -> None:
    """Somebody accepts it with a reason: the verdict is ok again, the hours stay listed, the mark goes on."""
    rows: list[Worklog] = [hours(n) for n in range(5)] + [hours(5, "x")]
    asked: list[Any] = []

    def tell(_: Context, cursor: Any) -> Iterator[Batch]:
        asked.append(cursor)
        yield Batch(records=rows, cursor="done")

    sync_once(store, reading(tell))
    (one,) = rejections.rejected(store)
    rejections.accept(store, [one.id], actor="pmo", why="a test line of the tool")
    report = sync_once(store, reading(tell))
    sync_once(store, reading(tell))

    assert ("ok", 1, []) == (report.verdict, report.rejected, report.rejections)
    assert [("pmo", "a test line of the tool")] == [
        (line.accepted_by, line.accepted_why) for line in rejections.rejected(store)
    ]
    assert [None, None, "done"] == asked


def test_rejections_do_not_make_a_source_stale(store: Store) -> None:
    """A complete reading with a few rejections counts as fresh; one that lacks something else does not."""
    sync_once(store, reading(lambda ctx, _: [Batch(records=[hours(1), hours(2, "x")], cursor=1)]))
    fresh = store.last_success("s")

    def tell(ctx: Context, _: Any) -> Iterator[Batch]:
        ctx.report_missing("the second sheet")
        yield Batch(records=[hours(1)], cursor=1)

    sync_once(store, reading(tell))

    assert fresh is not None
    assert fresh == store.last_success("s")


def test_the_mark_of_an_increment_waits(store: Store) -> None:
    """Batches before the first thing that could not be taken are done; what follows is asked for again."""

    def tell(ctx: Context, cursor: Any) -> Iterator[Batch]:
        for number in range(cursor or 0, 4):
            yield Batch(records=[hours(number, "x" if number == 2 else 60)], cursor=number + 1)

    sync_once(store, reading(tell, complete=False))

    assert 2 == store.cursors("s")["file"]


def test_a_mark_for_as_long_as_something_lacks(store: Store) -> None:
    """A reader may give a mark that asks for the thing again, and keeps what else it needs."""

    def tell(_: Context, __: Any) -> Iterator[Batch]:
        yield Batch(records=[hours(1), hours(2, "x")], cursor={"since": 2}, held={"since": 1, "ids": [1, 2]})

    sync_once(store, reading(tell, complete=False))

    assert {"since": 1, "ids": [1, 2]} == store.cursors("s")["file"]


def test_a_mark_that_comes_after_waits_too(store: Store) -> None:
    """A shared mark stands for all that it names."""
    parts = (Partition(id="slice"), Partition(id="mark", after=("slice",)))
    script = {"slice": lambda _: [Batch(records=[hours(1, "x")])], "mark": lambda _: [Batch(cursor="2026")]}
    sync_once(store, ScriptedSource(name="s", script=script, partitions=parts))

    assert "mark" not in store.cursors("s")


class Asking(Reading, frozen=True, kw_only=True):
    """A source that asks again for what could not be taken, one by one, in another partition than before."""

    asks_again = True


def test_a_source_that_asks_again_itself(store: Store) -> None:
    """Its mark goes on; what it asks for again and gets right is forgotten, what it did not ask for stays."""
    rows = {n: hours(n, "x" if n in {2, 3} else 60) for n in range(6)}

    def go(part: str, ids: Iterable[int], asked: Iterable[str] = ()) -> SourceReport:
        def tell(ctx: Context, _: Any, __: Any) -> Iterator[Batch]:
            ctx.asked_again.update(asked)
            yield Batch(records=[rows[n] for n in ids], cursor=part)

        parts = (Partition(id=part),)
        return sync_once(store, Asking(name="s", script={part: None}, tell=tell, partitions=parts))

    first = go("slice", range(6))
    quiet = go("changes", [])
    rows[2] = hours(2, 120)
    last = go("changes", [2], asked=["s:h/2"])

    assert ("partial", "partial", "partial") == (first.verdict, quiet.verdict, last.verdict)
    assert ["s:h/3"] == [one.place.split()[-1] for one in rejections.rejected(store)]
    assert {"slice": "slice", "changes": "changes"}.items() <= store.cursors("s").items()


def test_whatever_goes_wrong_with_a_row(store: Store) -> None:
    """Any exception that a row makes costs the row; one of the exchange ends the reading."""

    def make(number: int) -> Iterator[Worklog]:
        if number == 1:
            raise KeyError("hours")
        if number == 2:
            raise RecursionError
        if number == 3:
            raise SourceDataError("is no issue")
        yield hours(number)

    def tell(ctx: Context, _: Any) -> Iterator[Batch]:
        yield Batch(records=list(ctx.each(range(10), make, place=lambda n: f"issue {n}")), cursor=1)

    report = sync_once(store, reading(tell, max_rejected=1.0))

    def cut(ctx: Context, _: Any) -> Iterator[Batch]:
        def fails(_: int) -> Iterator[Worklog]:
            raise SourceUnavailable("no answer")

        yield Batch(records=list(ctx.each([1], fails, place=str)))

    assert ("partial", 7, 3) == (report.verdict, len(known(store)), report.rejected)
    assert ["issue 1", "issue 2", "issue 3"] == [one.place for one in rejections.rejected(store)]
    assert "failed" == sync_once(store, reading(cut)).verdict


def test_a_transformation_that_fails_on_one_record(store: Store) -> None:
    """A plugin's transformation costs the records that it fails on."""

    def odd(_: Any, record: Record) -> Record:
        if record.id == "s:h/1":
            raise ZeroDivisionError
        return record

    source = reading(lambda ctx, _: [Batch(records=[hours(n) for n in range(9)], cursor=1)])
    report = sync(store, [source], Options(base=Path()), hooks=Hooks(transform=odd))

    assert ("partial", 8) == (report.sources[0].verdict, len(known(store)))


def tallied(tally: Tally, rows: int = 10, reject: int = 0) -> Reading:
    def tell(ctx: Context, _: Any) -> Iterator[Batch]:
        for number in range(reject):
            ctx.reject(f"row {number}", "is odd", id=f"s:h/x{number}", record=Worklog)
        ctx.tally(tally)
        yield Batch(records=[hours(n) for n in range(rows)], cursor=1)

    return reading(tell)


@pytest.mark.parametrize(
    ("tally", "reject", "said"),
    [
        (Tally(seen=11, taken=10), 0, "1 are not accounted for"),
        (Tally(seen=12, taken=10), 1, "1 are not accounted for"),
        (Tally(seen=11, taken=10, said=15), 1, "the source says it has 15 rows, and 11 were read"),
        (Tally(seen=11, taken=11, record=Worklog), 0, "11 rows were read as worklog and 10 came through"),
        (Tally(seen=10, taken=10, record=Worklog, seconds=40000), 0, "11.1111 h were read and 10 h taken"),
    ],
)
def test_a_tally_that_does_not_add_up(store: Store, tally: Tally, reject: int, said: str) -> None:
    """What was seen is taken, rejected or left out with a reason, and came through; else it is partial."""
    report = sync_once(store, tallied(tally, reject=reject))

    assert "partial" == report.verdict
    assert said in told(report)


def test_a_tally_that_adds_up(store: Store) -> None:
    """Taken, rejected and left out are all that was seen, and the run keeps it."""
    tally = Tally(seen=14, taken=10, skipped={"total lines": 3}, said=14, record=Worklog, seconds=36000)
    report = sync_once(store, tallied(tally, reject=1))

    assert [] == report.missing
    assert ("partial", 1) == (report.verdict, report.rejected)
    assert '{"rows": {"left out: total lines": 3, "seen": 14, "taken": 10}}' == store.runs("s")[0].tally


def test_a_tally_that_does_not_add_up_proves_no_absence(store: Store) -> None:
    """Where something is not accounted for, what was not seen may still be there."""
    sync_once(store, tallied(Tally(seen=10, taken=10)))
    sync_once(store, tallied(Tally(seen=10, taken=9), rows=9))

    assert 10 == sum(presence == "present" for presence, _ in known(store).values())


def test_hours_of_a_name_that_nothing_answers_to(store: Store) -> None:
    """They are told with their sum at the end of the run, and the run is not green."""
    rows: list[Record] = [
        hours(1, 32400, container_id="s:gone"), hours(2, 23400, container_id="s:gone"),
        hours(3, 3600, container_id="s:c"), Container(id="s:c", kind="x", name="C", code="CODE"),
        hours(4, 3600, container_id="s:CODE"),  # a code is a name too
    ]  # fmt: skip
    report = sync_once(store, ScriptedSource(name="s", script={"p": lambda _: [Batch(records=rows)]}))

    assert "partial" == report.verdict
    assert ["nothing is known of the container s:gone, which 2 worklog rows name (15.5 h)"] == report.missing


def test_negative_hours_are_taken_and_named(store: Store) -> None:
    """A correction is taken; the person is told of it."""
    report = sync_once(
        store, ScriptedSource(name="s", script={"p": lambda _: [Batch(records=[hours(1, -7200)])]})
    )

    assert ("ok", -7200) == (report.verdict, known(store)["s:h/1"][1])
    assert ["1 line of hours is below nought (-2 h): it was taken as a correction of others"] == report.notes


def test_negative_efforts_of_tasks_are_taken_and_named(store: Store) -> None:
    """Whatever tool they come from, a person is told how many there are."""
    rows: list[Record] = [
        Container(id="s:c", kind="x", name="C"),
        Task(id="s:1", container_id="s:c", title="A", kind="work", estimate_s=-3600, spent_s=7200),
        Task(id="s:2", container_id="s:c", title="B", kind="work", remaining_s=-1800),
    ]
    report = sync_once(store, ScriptedSource(name="s", script={"p": lambda _: [Batch(records=rows)]}))

    assert "ok" == report.verdict
    assert [
        "2 efforts of tasks are below nought (-1.5 h): they were taken as the tool gives them"
    ] == report.notes


def board(*points: float | None, due: str | None = "2026-10-31", name: str = "s") -> ScriptedSource:
    """Return a source with one board and a task for each of *points*."""
    rows: list[Record] = [Container(id=f"{name}:p", kind="project", code="P", name="P")]
    rows += [
        Task(id=f"{name}:{n}", container_id=f"{name}:p", title="x", kind="work", points=one, due_on=due)
        for n, one in enumerate(points)
    ]
    return ScriptedSource(name=name, script={"p": lambda _: [Batch(records=rows)]})


NONE = (None,) * 4
QUIET = ScriptedSource(name="s", script={"p": lambda _: []})


def vanished(store: Store) -> list[tuple[str, str]]:
    return [(one.source_id, one.field) for one in rejections.rejected(store)]


def test_a_field_that_vanished_from_all_rows(store: Store) -> None:
    """Where rows had a value and none has one now, every run is partial until one comes back.

    A field that some rows lose, others keep, is what people do.
    """
    runs = [
        board(1, 2, 3, 4), board(*NONE[:3], 4), board(*NONE), board(1, 2, 3, 4), board(*NONE),
        board(*NONE), QUIET, board(None, 2, None, None), board(*NONE[:3], 4),
    ]  # fmt: skip
    reports = [sync_once(store, one) for one in runs]
    day = store.runs("s")[0].started_at[:10]

    assert ["ok", "ok", "ok", "ok", "partial", "partial", "partial", "ok", "ok"] == [
        one.verdict for one in reports
    ]
    said = (
        f"task, points: 4 rows had a value before {day} and none has one now: the tool or its settings call "
        "the field otherwise, or show it to this account no more"
    )
    assert [said] == reports[6].rejections
    assert [] == vanished(store)


def test_a_vanished_field_that_was_accepted(store: Store) -> None:
    """It stays counted and the runs are green; it comes back, vanishes anew: that is another."""
    sync_once(store, board(1, 2, 3, 4))
    sync_once(store, board(*NONE))
    (one,) = rejections.rejected(store)
    rejections.accept(store, [one.id], actor="pmo", why="no points since the reform")
    calm = [sync_once(store, source) for source in (board(*NONE), QUIET, board(*NONE))]
    (kept,) = rejections.rejected(store)
    back = sync_once(store, board(1, 2, 3, 4))
    gone = sync_once(store, board(*NONE))
    (anew,) = rejections.rejected(store)

    assert [("ok", 1, [])] * 3 == [(run.verdict, run.rejected, run.rejections) for run in calm]
    assert (one.id, one.reason, "pmo") == (kept.id, kept.reason, kept.accepted_by)
    assert (("ok", 0), ("partial", 1)) == ((back.verdict, back.rejected), (gone.verdict, gone.rejected))
    assert ("points", None) == (anew.field, anew.accepted_at)


class Listed(ScriptedSource, frozen=True, kw_only=True):
    """A source that looks at its people where *outcome* is not None: it is what that raises, if anything."""

    outcome: Any = None

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        if self.outcome is UNASKED:
            ctx.not_asked("people")
        elif self.outcome is not None:
            with ctx.looking_at("people"):
                if isinstance(self.outcome, Exception):
                    raise self.outcome
        yield Batch()


def listed(outcome: Any) -> Listed:
    return Listed(name="s", script={"p": lambda _: []}, outcome=outcome)


FORBIDDEN, UNASKED = SourceForbidden("not for this account"), object()


def test_a_list_that_is_refused_though_it_was_read(store: Store) -> None:
    """A note of who never saw it; else a rejection in every run, also in one that does not look at it."""
    runs = [FORBIDDEN, None, True, FORBIDDEN, None, SourceGone("no more"), True, None]
    reports = [sync_once(store, listed(one)) for one in runs]

    assert ["ok", "ok", "ok", "partial", "partial", "partial", "ok", "ok"] == [one.verdict for one in reports]
    assert ["people were not looked at: not for this account"] == reports[0].notes
    assert ["people: read before and refused now: not for this account"] == reports[4].rejections
    assert ["people: read before and refused now: no more"] == reports[5].rejections


def test_an_odd_answer_is_no_matter_of_rights(store: Store) -> None:
    """A list that comes as something else lacks at once, whoever saw it before."""
    reports = [sync_once(store, listed(one)) for one in (SourceDataError("no list"), None, True)]

    assert ["partial", "partial", "ok"] == [one.verdict for one in reports]


def test_a_refused_list_that_settings_leave_out(store: Store) -> None:
    """Whoever follows the advice to leave it out is told no more of it; asked for again it is as new."""
    reports = [sync_once(store, listed(one)) for one in (True, FORBIDDEN, UNASKED, None, FORBIDDEN)]

    assert ["ok", "partial", "ok", "ok", "ok"] == [one.verdict for one in reports]
    assert ["people were not looked at: not for this account"] == reports[4].notes


def test_a_refused_list_that_was_accepted(store: Store) -> None:
    """It stays counted, and is asked for once a day again, no more in each run."""
    for one in (True, FORBIDDEN):
        sync_once(store, listed(one))
    before = rejections.lists_refused(store, "s")
    (kept,) = rejections.rejected(store)
    rejections.accept(store, [kept.id], actor="pmo", why="boards are no longer ours to see")
    reports = [sync_once(store, listed(one)) for one in (None, FORBIDDEN, True, FORBIDDEN)]

    assert ({"people"}, "people") == (before, kept.place)
    assert [("ok", 1), ("ok", 1), ("ok", 0), ("partial", 1)] == [
        (one.verdict, one.rejected) for one in reports
    ]
    assert {"people"} == rejections.lists_refused(store, "s")


def test_two_fields_of_two_sources(store: Store) -> None:
    """Each field stands for itself, each source for its own."""
    for source in (board(1, 2, 3, 4), board(1, 2, 3, 4, name="o"), board(*NONE, due=None)):
        sync_once(store, source)
    other = sync_once(store, board(1, 2, 3, 4, name="o"))
    both = vanished(store)
    sync_once(store, board(*NONE))
    halved = vanished(store)
    sync_once(store, board(*NONE, name="o"))

    assert [("s", "due_on"), ("s", "points")] == sorted(both)
    assert ("ok", [("s", "points")]) == (other.verdict, halved)
    assert [("o", "points"), ("s", "points")] == sorted(vanished(store))


def test_what_is_no_vanished_field(store: Store) -> None:
    """None had the field; all that had it left; fewer than three lost it."""
    whole = Partition(id="p", complete=True, scope=Scope(records=(Task,), id_prefix="s:"))

    def all_of(*points: float | None) -> ScriptedSource:
        return msgspec.structs.replace(board(*points), partitions=(whole,))

    runs = [
        all_of(*[None] * 40),
        all_of(*[None] * 37, 1, 2, 3),
        all_of(*[None] * 37),
        all_of(1, 2, *[None] * 35),
    ]
    runs.append(all_of(*[None] * 37))

    assert ["ok"] * 5 == [sync_once(store, one).verdict for one in runs]
    assert [] == vanished(store)


@pytest.mark.parametrize("cut", ["died", "failed"])
def test_a_field_that_vanished_in_two_runs(store: Store, cut: str) -> None:
    """What a run that was cut off had taken away counts too: the next may meet nothing new."""
    sync_once(store, board(1, 2, 3, 4))
    if cut == "died":
        run = store.begin_run("s", "increment")
        rows = [row for batch in board(*NONE).script["p"](None) for row in batch.records]
        with store.transaction():
            store.count(run, store.save(rows, run_id=run, source_id="s"))
    else:
        parts = (Partition(id="a"), Partition(id="b"))

        def fails(_: Any) -> Iterator[Batch]:
            yield Batch(records=next(iter(board(None, None, 3, 4).script["p"](None))).records)
            raise SourceUnavailable("no answer")

        sync_once(store, ScriptedSource(name="s", script={"a": fails, "b": lambda _: []}, partitions=parts))

    assert ("partial", [("s", "points")]) == (sync_once(store, board(*NONE)).verdict, vanished(store))


def test_a_custom_field_that_vanished(store: Store) -> None:
    """One that fields.csv asks for is held to the same; nobody asks for it any more: nothing lacks."""
    task = Partition(id="t", complete=True, scope=Scope(records=(CustomValue,), id_prefix="s:f/"))

    def read(values: int, fields: dict[str, str]) -> SourceReport:
        rows: list[Record] = [Container(id="s:p", kind="project", code="P", name="P")]
        rows += [Task(id=f"s:{n}", container_id="s:p", title="x", kind="work") for n in range(20)]
        rows += [
            CustomValue(id=f"s:f/{n}", row_id=f"s:{n}", field="Severity", text="high") for n in range(values)
        ]
        source = ScriptedSource(name="s", script={"t": lambda _: [Batch(records=rows)]}, partitions=(task,))
        return sync(store, [source], Options(base=Path(), fields={"s": fields})).sources[0]

    asked = {"Severity": "text"}
    reports = [read(4, asked), read(0, asked), read(0, asked)]
    (one,) = rejections.rejected(store)
    reports += [read(1, asked), read(4, asked), read(0, asked), read(0, {})]

    assert ["ok", "partial", "partial", "ok", "ok", "partial", "ok"] == [run.verdict for run in reports]
    assert ("custom_value", "Severity") == (one.record, one.field)


@pytest.mark.long
def test_what_is_lacking_stands_in_the_feed(store: Store, tmp_path: Path) -> None:
    """Each rejection is a row with its hours and amounts, by source and project."""
    lines: list[Record] = [
        Container(id="s:c", kind="x", code="A", name="Alpha"),
        Worklog(id="s:h/1", day="2026-10-05", seconds=3600, container_id="s:c"),
        Worklog(id="s:h/2", day="5 oct.", seconds=9000, container_id="s:c"),
        BudgetLine(id="s:b/1", project_code="A", month="oct", kind="revised", category="x",
                   amount_minor=123456, currency="EUR"),
    ]  # fmt: skip
    sync_once(store, ScriptedSource(name="s", script={"p": lambda _: [Batch(records=lines)]}))
    for source in (board(1, 2, 3, 4, name="o"), board(*NONE, name="o")):
        sync_once(store, source)
    with feed_view(store, tmp_path) as view:
        rows = view.connection.execute(
            "SELECT d.name, p.code, record, field, value, hours, amount::DOUBLE, is_accepted "
            "FROM fact_rejection JOIN dim_source d USING (source_key) "
            "JOIN dim_project p USING (project_key) ORDER BY record DESC"
        ).fetchall()
        (source,) = [one for one in view.manifest["sources"] if one["name"] == "s"]
        said = [one["text"] for one in view.manifest["findings"] if "could not be taken" in one["text"]]

    assert [
        ("s", "A", "worklog", "day", "5 oct.", 2.5, None, 0),
        ("o", "?", "task", "points", "", None, None, 0),
        ("s", "?", "budget_line", "month", "oct", None, 1234.56, 0),
    ] == rows
    assert (2, 2.5, 123456) == (source["rejected"], source["rejected_hours"], source["rejected_amount_minor"])
    assert [
        "o: 1 thing could not be taken (0 h, 0.00 in amounts)",
        "s: 2 things could not be taken (2.5 h, 1,234.56 in amounts)",
    ] == said


def numbers(store: Store, *keys: str, run_id: int = 1) -> dict[str, int]:
    """Keep a rejection for each of *keys* and forget the others; gives the number of each."""
    found = [Rejection(key=key, place=f"row {key}", field="day", reason="is no day") for key in keys]
    rejections.keep(store, "s", "file", found, run_id=run_id)
    rejections.settle(store, "s", "file", run_id=run_id)
    return {one.place.removeprefix("row "): one.id for one in rejections.rejected(store)}


def test_a_number_is_never_given_twice(store: Store, tmp_path: Path) -> None:
    """Whoever noted a number accepts what it was given to, or nothing: after the highest row left, too."""
    assert {"a": 1, "b": 2} == numbers(store, "a", "b", run_id=1)
    assert {"a": 1} == numbers(store, "a", run_id=2)
    with pytest.raises(ConfigError, match="no rejection 2"):
        rejections.accept(store, [2], actor="ann", why="known")
    # one that is known keeps its number whatever comes before it, and uses up none
    assert {"c": 3, "a": 1, "d": 4} == numbers(store, "c", "a", "d", run_id=3)
    assert {} == numbers(store, run_id=4)
    assert {"b": 5} == numbers(store, "b", run_id=5)


def test_numbers_of_an_older_store_are_not_given_again(tmp_path: Path) -> None:
    """The migration begins above the highest number that the store has."""
    older = migrations._migrations.index(
        next(one for one in migrations._migrations if one.name == "0014_rejection_numbers")
    )
    with closing(sqlite3.connect(tmp_path / "hub.db", isolation_level=None)) as raw:
        migrations.apply(Database(raw), stop_before=migrations._migrations[older].name)
        raw.execute(
            "INSERT INTO rejection (id, source_id, partition, key, field, place, reason, first_seen, "
            "last_seen, run_id) VALUES (7, 's', 'file', 'a', 'day', 'row a', 'is no day', '2026', '2026', 1)"
        )
    with Store.open(tmp_path / "hub.db") as opened:
        assert {} == numbers(opened, run_id=2)
        assert {"b": 8} == numbers(opened, "b", run_id=3)

"""The engine: verdicts, isolation, presence by evidence, holding, stopping, rehearsing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from engines import everything

from hub.errors import LockHeld, SourceDataError, SourceDenied
from hub.records import Container, Project, ProjectLink, Record, Task, Worklog
from hub.source import Batch, Census, Gone, Partition, Scope
from hub.store import Store
from hub.store.engines import Engine
from hub.sync import Options, lock, sync
from hub.sync.report import Hooks
from hub.testing import ScriptedSource, store_image, sync_once


def tasks(*numbers: int, container: str = "s:c") -> list[Record]:
    return [Task(id=f"s:t/{n}", container_id=container, title=f"Task {n}") for n in numbers]


def once(*records: Record, cursor: Any = 1, gone: tuple[Gone, ...] = ()) -> Callable[[Any], Iterable[Batch]]:
    return lambda _: [Batch(records=records, cursor=cursor, gone=gone)]


def whole(*records: Record, cursor: Any = 1) -> ScriptedSource:
    """Return a source with one complete partition of all tasks and worklogs."""
    scope = Scope(records=(Task, Worklog), id_prefix="s:t/")
    return ScriptedSource(
        name="s",
        script={"file": once(*records, cursor=cursor)},
        partitions=(
            Partition(
                id="file", label="plan.xml", complete=True, scope=scope, evidence="absent from plan.xml"
            ),
        ),
    )


def fails(error: Exception, *first: Record) -> Callable[[Any], Iterable[Batch]]:
    def read(_: Any) -> Iterator[Batch]:
        if first:
            yield Batch(records=first)
        raise error

    return read


def presences(store: Store) -> dict[str, str]:
    return {row["id"]: row["presence"] for row in store.rows("SELECT id, presence FROM task")}


def test_a_second_run_changes_nothing(store: Store) -> None:
    """Two runs of the same source: the second inserts and updates no row."""
    first, second = sync_once(store, whole(*tasks(1, 2))), sync_once(store, whole(*tasks(1, 2)))

    assert ("ok", 2) == (first.verdict, first.changes.inserted)
    assert (0, 0, 2) == (second.changes.inserted, second.changes.updated, second.changes.unchanged)


def test_one_failing_partition_is_partial(store: Store) -> None:
    """What could not be read is listed by name, the rest is stored, the exit code says so."""
    source = ScriptedSource(
        name="s", script={"good": once(*tasks(1)), "bad": fails(SourceDenied("no right to read INF"))}
    )
    report = sync(store, [source], Options(base=Path()))

    assert 3 == report.exit_code
    assert ("partial", ["bad: no right to read INF"]) == (
        report.sources[0].verdict,
        report.sources[0].missing,
    )
    assert {"good": 1} == {k: v for k, v in store.cursors("s").items() if not k.startswith("__")}
    assert "partial" == store.runs("s")[0].verdict


def test_one_failing_source_stops_no_other(store: Store) -> None:
    """A source that breaks in any way is failed; the others are ok."""

    def explode(_: Any) -> Iterable[Batch]:
        raise ZeroDivisionError("oops")

    bad = ScriptedSource(name="bad", script={"p": explode})
    good = ScriptedSource(name="s", script={"p": once(*tasks(1))})
    report = sync(store, [bad, good], Options(base=Path()))

    assert ["failed", "ok"] == [one.verdict for one in report.sources]
    assert "p: unexpected ZeroDivisionError: oops" == report.sources[0].error
    assert 3 == report.exit_code


def test_no_source_succeeded(store: Store) -> None:
    """When nothing could be read the exit code is 1."""
    report = sync(
        store, [ScriptedSource(name="s", script={"p": fails(SourceDenied("no"))})], Options(base=Path())
    )

    assert (1, "failed") == (report.exit_code, report.sources[0].verdict)


def test_a_plan_that_fails_is_told(store: Store) -> None:
    """A source that cannot even plan is failed, with the reason."""

    class Broken(ScriptedSource, frozen=True, kw_only=True):
        def plan(self, ctx: Any, cursors: Any) -> Iterable[Partition]:
            raise SourceDenied("the token is expired")

    assert ("failed", "the token is expired") == (
        (report := sync_once(store, Broken(name="s"))).verdict,
        report.error,
    )


def test_absence_from_a_complete_reading_proves(store: Store) -> None:
    """A row that is not in the whole file any more is deleted, with the evidence."""
    sync_once(store, whole(*tasks(*range(10))))
    report = sync_once(store, whole(*tasks(*range(9)), cursor=2))

    assert ("ok", 1) == (report.verdict, report.changes.presence_changed)
    assert "deleted" == presences(store)["s:t/9"]
    assert (
        "absent from plan.xml"
        == store.rows("SELECT presence_evidence AS e FROM task WHERE id = 's:t/9'")[0]["e"]
    )


def test_a_partition_that_failed_proves_nothing(store: Store) -> None:
    """A whole file that breaks half-way deletes nothing and leaves no cursor."""
    sync_once(store, whole(*tasks(*range(10))))
    broken = whole()
    broken.script["file"] = fails(SourceDenied("broke off"), *tasks(1))
    sync_once(store, broken)

    assert {"present"} == set(presences(store).values())
    assert 1 == store.cursors("s")["file"]


def test_rows_that_could_not_be_understood_prove_nothing(store: Store) -> None:
    """A file with a missing row is partial, deletes nothing and is read again next time."""

    class Reporting(ScriptedSource, frozen=True, kw_only=True):
        def read(self, ctx: Any, partition: Partition, cursor: Any) -> Iterable[Batch]:
            ctx.report_missing("row 7 is not a date", partition=partition.id)
            return [Batch(records=tasks(*range(9)), cursor=2)]

    sync_once(store, whole(*tasks(*range(10))))
    report = sync_once(store, Reporting(name="s", partitions=whole().partitions, script={"file": once()}))

    assert ("partial", ["row 7 is not a date"]) == (report.verdict, report.missing)
    assert "present" == presences(store)["s:t/9"]
    assert 1 == store.cursors("s")["file"]


def test_too_many_at_once_are_held(store: Store) -> None:
    """More than a fifth of a container waits for a person.

    Hours at stake are said; accepting lets them go.
    """
    log = Worklog(id="s:t/w", task_id="s:t/9", container_id="s:c", day="2026-01-05", seconds=3600)
    sync_once(store, whole(Container(id="s:c", kind="plan", name="Plan"), *tasks(*range(10)), log))
    report = sync_once(store, whole(*tasks(*range(5)), cursor=2))
    (held,) = store.held()

    assert ("partial", {"present"}) == (report.verdict, set(presences(store).values()))
    assert (6, 5, 3600) == (held.rows, held.tasks, held.seconds)
    assert "5 of 10 task rows would leave at once" in held.evidence
    assert "hub presence accept s" in report.held[0]

    still = sync_once(store, whole(*tasks(*range(5)), cursor=2))
    assert "partial" == still.verdict
    done = store.accept("s", run_id=0, actor="me")
    assert {"task": 5, "worklog": 1} == done
    assert "deleted" == presences(store)["s:t/9"]
    assert "ok" == sync_once(store, whole(*tasks(*range(5)), cursor=2)).verdict


def test_held_rows_that_come_back_are_free(store: Store) -> None:
    """A row that is seen again is no longer held."""
    sync_once(store, whole(*tasks(*range(10))))
    sync_once(store, whole(*tasks(*range(5)), cursor=2))
    report = sync_once(store, whole(*tasks(*range(10)), cursor=3))

    assert ("ok", []) == (report.verdict, store.held())


def test_delete_feed_proves_and_is_guarded(store: Store) -> None:
    """A proof about a row is applied; a feed that takes a third of a container is held."""
    source = ScriptedSource(name="s", script={"p": once(*tasks(*range(9)))})
    sync_once(store, source)
    proof = Gone(record=Task, id="s:t/1", evidence="delete feed")
    source.script["p"] = once(cursor=2, gone=(proof,))
    sync_once(store, source)
    many = tuple(Gone(record=Task, id=f"s:t/{n}", evidence="delete feed") for n in (2, 3, 4))
    source.script["p"] = once(cursor=3, gone=many)
    report = sync_once(store, source)

    assert "partial" == report.verdict
    assert {"s:t/1"} == {id_ for id_, presence in presences(store).items() if presence == "deleted"}


def test_hidden_is_not_deleted(store: Store) -> None:
    """A container that cannot be read any more turns hidden, and present again when it can."""
    records = (Container(id="s:c", kind="jira", name="C"), *tasks(1))
    source = ScriptedSource(name="s", script={"p": once(*records)})
    sync_once(store, source)
    scope = Scope(records=(Task,), container_id="s:c")
    denied = ScriptedSource(
        name="s",
        script={"p": once()},
        exists=lambda: [
            Census(record=Task, scope=scope, ids=frozenset(), evidence="403 on C", readable=False)
        ],
    )
    sync_once(store, denied)

    assert ("hidden", "403 on C") == store.connection.execute(
        "SELECT presence, presence_evidence FROM container"
    ).fetchone()
    assert {"s:t/1": "present"} == presences(store)
    sync_once(store, source)
    assert ("present",) == store.connection.execute("SELECT presence FROM container").fetchone()


def test_census_finds_what_left_and_what_returned(store: Store) -> None:
    """Absence from a census of a readable container proves; an id that exists again is present."""
    ids = [f"s:t/{n}" for n in range(10)]

    def exists(count: int) -> Callable[[], Iterable[Census]]:
        scope = Scope(records=(Task,), container_id="s:c")
        return lambda: [Census(record=Task, scope=scope, ids=frozenset(ids[:count]), evidence="census")]

    sync_once(store, ScriptedSource(name="s", script={"p": once(*tasks(*range(10)))}))
    sync_once(store, ScriptedSource(name="s", script={"p": once()}, exists=exists(9)))
    assert "deleted" == presences(store)["s:t/9"]
    sync_once(store, ScriptedSource(name="s", script={"p": once()}, exists=exists(10)))

    assert "present" == presences(store)["s:t/9"]


def test_a_shared_watermark_waits_for_all(store: Store) -> None:
    """A partition that names others is read only when all of them ended well."""
    parts = (Partition(id="a"), Partition(id="b"), Partition(id="mark", after=("a", "b")))
    script = {"a": once(*tasks(1)), "b": fails(SourceDenied("no")), "mark": once(cursor="2026-01-01")}
    report = sync_once(store, ScriptedSource(name="s", script=script, partitions=parts))

    assert "mark" not in store.cursors("s")
    assert any("because b did not end well" in line for line in report.missing)
    script["b"] = once(*tasks(2))
    sync_once(store, ScriptedSource(name="s", script=script, partitions=parts))
    assert "2026-01-01" == store.cursors("s")["mark"]


def test_a_foreign_id_is_rejected(store: Store) -> None:
    """A source writes rows of its own prefix only; the one that is not costs itself."""
    rows = (Task(id="other:1", container_id="s:c", title="x"), *tasks(1))
    report = sync_once(store, ScriptedSource(name="s", script={"p": once(*rows)}))

    assert ("partial", 1) == (report.verdict, report.rejected)
    assert {"s:t/1": "present"} == presences(store)


class Held:
    """A listener that lets nothing be written until the batches of all partitions wait."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self.waiting = threading.Semaphore(0)

    def say(self, *batches: Batch) -> Callable[[Any], Iterator[Batch]]:
        def read(_: Any) -> Iterator[Batch]:
            yield from batches
            self.waiting.release()

        return read

    def started(self, report: Any) -> None: ...
    def ended(self, report: Any) -> None: ...
    def advanced(self, report: Any) -> None:
        if report.partitions == self.partitions:
            assert all(self.waiting.acquire(timeout=20) for _ in range(self.partitions))
            self.partitions = 0


def test_of_batches_that_wait_together_one_that_is_refused_costs_itself(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two are kept with their marks; of the third neither its row nor its mark."""
    held, put, together = Held(3), store.put, []

    def refuse(batches: Any, **how: Any) -> Any:
        together.append(len(batches))
        changes = put(batches, **how)
        if any(record.id == "s:t/2" for batch in batches for record in batch):
            raise SourceDataError("task s:t/2 breaks a rule")
        return changes

    monkeypatch.setattr(store, "put", refuse)
    batches = {name: Batch(records=tasks(n), cursor=n) for n, name in enumerate("abc", start=1)}
    source = ScriptedSource(name="s", script={name: held.say(one) for name, one in batches.items()})
    report = sync(store, [source], Options(base=Path(), jobs=4), listener=held).sources[0]

    assert 3 in together
    assert ("partial", ["b: task s:t/2 breaks a rule"]) == (report.verdict, report.missing)
    assert (2, 2) == (report.changes.read, report.changes.inserted)
    assert ["s:t/1", "s:t/3"] == sorted(presences(store))
    assert {"a": 1, "c": 3} == {name: at for name, at in store.cursors("s").items() if name in "abc"}


def test_what_left_and_came_back_while_it_waited_is_there(store: Store) -> None:
    """A proof of one batch is older than the rows of the next."""
    sync_once(store, ScriptedSource(name="s", script={"a": once(*tasks(1, 2, 3))}))
    held = Held(1)
    left = Batch(gone=(Gone(record=Task, id="s:t/1", evidence="deleted"),))
    source = ScriptedSource(name="s", max_leave=1.0, script={"a": held.say(left, Batch(records=tasks(1)))})
    sync(store, [source], Options(base=Path(), jobs=1), listener=held)

    assert "present" == presences(store)["s:t/1"]


def test_the_queue_is_bounded(store: Store) -> None:
    """A source that reads faster than we write waits: memory stays flat."""
    written, most = 0, 0

    def read(_: Any) -> Iterator[Batch]:
        nonlocal most
        for number in range(200):
            most = max(most, number + 1 - written)
            yield Batch(records=tasks(number))

    def slow(source: Any, record: Record) -> Record:
        return record

    class Ear:
        def started(self, report: Any) -> None: ...
        def advanced(self, report: Any) -> None:
            nonlocal written
            written = report.changes.read
            time.sleep(0.001)

        def ended(self, report: Any) -> None: ...

    sync(
        store,
        [ScriptedSource(name="s", script={"p": read})],
        Options(base=Path(), jobs=1),
        hooks=Hooks(transform=slow),
        listener=Ear(),
    )

    assert most < 20
    assert 200 == store.rows("SELECT count(*) AS n FROM task")[0]["n"]


def test_dry_run_tells_hours_and_writes_nothing(store: Store) -> None:
    """A dry run shows logged and planned hours per project, before and after.

    The store stays as it was.
    """
    link = ProjectLink(id="config:P/s:c", project_code="P", container_id="s:c", facets="")
    project = Project(id="config:P", code="P", name="Project")
    sync_once(store, ScriptedSource(name="config", script={"p": once(project, link)}))
    base = (Container(id="s:c", kind="plan", name="C"), *tasks(1))
    sync_once(store, ScriptedSource(name="s", script={"p": once(*base)}))
    image, stamp = store_image(store), everything(store.engine)
    logs = (
        Worklog(id="s:w1", task_id="s:t/1", day="2026-01-05", seconds=7200),
        Worklog(
            id="s:w2", task_id="s:t/1", container_id="s:c", day="2026-01-05", seconds=9999, origin="plan"
        ),
    )
    source = ScriptedSource(name="s", script={"p": once(*logs, cursor=2)})
    report = sync(store, [source], Options(base=Path(), dry_run=True))

    assert [("P", (0.0, 2.0))] == [(line.project, line.logged) for line in report.effects]
    assert image == store_image(store)
    assert stamp == everything(store.engine)
    assert 1 == len(store.runs("s"))


def test_ctrl_c_finishes_the_batch(store: Store) -> None:
    """Ctrl-C keeps every committed batch, says interrupted, and the next run goes on from there."""

    def read(cursor: Any) -> Iterator[Batch]:
        for number in range(cursor or 0, 40):
            if number == 5:
                os.kill(os.getpid(), signal.SIGINT)
            yield Batch(records=tasks(number), cursor=number + 1)
            time.sleep(0.002)

    report = sync(store, [ScriptedSource(name="s", script={"p": read})], Options(base=Path()))
    kept = store.rows("SELECT count(*) AS n FROM task")[0]["n"]

    assert (130, "interrupted") == (report.exit_code, report.sources[0].verdict)
    assert 0 < kept < 40
    assert kept == store.cursors("s")["p"]

    def rest(cursor: Any) -> Iterator[Batch]:
        for number in range(cursor, 40):
            yield Batch(records=tasks(number), cursor=number + 1)

    sync(store, [ScriptedSource(name="s", script={"p": rest})], Options(base=Path()))
    assert 40 == store.rows("SELECT count(*) AS n FROM task")[0]["n"]


def test_plugins_may_change_records(store: Store) -> None:
    """A site's own rule is applied before the record is stored."""

    def shout(_: Any, record: Record) -> Record:
        assert isinstance(record, Task)
        return Task(id=record.id, container_id=record.container_id, title=record.title.upper())

    sync(
        store,
        [ScriptedSource(name="s", script={"p": once(*tasks(1))})],
        Options(base=Path()),
        hooks=Hooks(transform=shout),
    )

    assert "TASK 1" == store.rows("SELECT title FROM task")[0]["title"]


def test_a_second_run_is_told_who_holds_the_lock(engine: Engine) -> None:
    """One run writes at a time; the other names the owner."""
    with (
        lock(engine),
        pytest.raises(LockHeld, match=rf"process {os.getpid()} of .* on ") as caught,
        lock(engine),
    ):
        pass
    assert 5 == caught.value.exit_code


def test_a_dead_owner_leaves_no_lock(engine: Engine) -> None:
    """A lock whose owner was killed is simply free."""
    code = (
        f"import time\nfrom hub.store.engines import engine_of\nfrom hub.sync import lock\n"
        f"with lock(engine_of({str(engine.path or engine.where)!r})):\n"
        "  print('held', flush=True); time.sleep(60)"
    )
    password = getattr(engine, "password", None)
    known = {"PGPASSWORD": password.reveal()} if password else {}
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env={**os.environ, **known}
    )
    assert child.stdout is not None
    assert b"held\n" == child.stdout.readline()
    with pytest.raises(LockHeld), lock(engine):
        pass
    child.kill()
    child.communicate()

    until = time.monotonic() + 10  # a server learns it by the connection that ended
    while True:
        with suppress(LockHeld), lock(engine):
            break
        assert time.monotonic() < until


def test_hours_follow_a_task_that_moves(store: Store) -> None:
    """Hours in the container of their task go with it; those that stood elsewhere stay."""
    boxes = [Container(id=f"s:{name}", kind="x", name=name) for name in ("c", "d", "e")]

    def hours(number: int, box: str) -> Worklog:
        return Worklog(
            id=f"s:h/{number}", task_id="s:t/1", container_id=f"s:{box}", day="2026-10-05", seconds=60
        )

    sync_once(
        store, ScriptedSource(name="s", script={"p": once(*boxes, *tasks(1), hours(1, "c"), hours(2, "e"))})
    )
    sync_once(store, ScriptedSource(name="s", script={"p": once(*tasks(1, container="s:d"))}))

    assert {"s:h/1": "s:d", "s:h/2": "s:e"} == {
        row["id"]: row["container_id"] for row in store.rows("SELECT id, container_id FROM worklog")
    }

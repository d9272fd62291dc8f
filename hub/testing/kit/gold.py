"""Gold: it proves what it says about what is no longer there."""

from __future__ import annotations

from pathlib import Path

from hub.source import Context
from hub.store.presence import LEFT
from hub.testing.kit import faults
from hub.testing.kit.bench import Failed, table
from hub.testing.kit.checks import check, well
from hub.testing.kit.exam import Exam


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

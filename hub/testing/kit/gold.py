"""Gold: it proves what it says about what is no longer there."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

from hub.placement import left
from hub.testing.kit import faults, spoiling
from hub.testing.kit.certification import HttpWorld, SourceCertification
from hub.testing.kit.checks import check, well
from hub.testing.kit.harness import Failed, table

_SCALES = {True: (4, 40), False: (2, 20)}
"""A world and a tenfold one, over HTTP (True) and of files (False)."""
LARGEST_BATCH = {True: 2000, False: 4000}
"""A batch of so many records is flat enough over HTTP (True) and from files (False)."""
ROOM = 700_000
"""Bytes that a tenfold world may take more: ids that were seen, for example."""
ROOM_PER_RECORD = 5000
"""Bytes that one record of the largest batch may take more."""


@check(
    "gold",
    "What was deleted in the tool leaves, with evidence.",
    "Use the delete feed, or a census of ids per readable container.",
    needs=("deletions", "edits"),
)
def deletions_are_found(certification: SourceCertification, seed: int) -> str:
    """Delete one item and sync with a census."""
    with table(certification, seed) as harness:
        well(harness)
        harness.without_guard()  # the hours of one row may be many of those of a small container
        native = harness.world.random.choice(harness.world.rows())
        stored = harness.world.stored_id(native)
        harness.world.delete(native)
        well(harness, "a deletion and a census", census=True)
        row = harness.store.rows(
            f"SELECT presence, presence_evidence AS e FROM {harness.main} WHERE id = ?",
            (harness.source.row_id(stored),),
        )[0]
        if not row["e"]:
            raise Failed(f"{harness.main} {stored} is {row['presence']} without evidence")
        return f"{row['presence']}: {row['e']}"


@check(
    "gold",
    "A container that cannot be read any more is hidden, never deleted.",
    "Answer a 403 in the census with readable=False.",
    needs=("containers", "edits"),
    medium="http",
)
def hidden_is_not_deleted(certification: SourceCertification, seed: int) -> str:
    """Take the right to read one container away."""
    with table(certification, seed) as harness:
        well(harness)
        _, natives = harness.world.hide()
        report = harness.sync(census=True)
        ours = harness.counted(harness.main)
        if gone := [native for native in natives if native not in ours]:
            raise Failed(f"{len(gone)} rows of the hidden container were declared gone ({report.verdict})")
        if held := [stake for stake in harness.store.held() if stake.presence == "deleted"]:
            raise Failed(
                f"{held[0].rows} rows of the hidden container were declared deleted; "
                "only the hub's guard held them"
            )
        return f"{len(natives)} rows kept, {report.verdict}"


@check(
    "gold",
    "A worklog leaves by a delete feed or a proof, never because a list lacks it.",
    "Yield no census of worklogs where the tool hides rows by permission.",
    needs=("worklogs", "containers", "edits"),
    medium="http",
)
def worklogs_need_a_proof(certification: SourceCertification, seed: int) -> str:
    """Hide a container, whose worklogs vanish from every list."""
    with table(certification, seed) as harness:
        well(harness)
        before = harness.counted("worklog").keys()
        harness.world.hide()
        harness.sync(census=True, full=True)
        if gone := before - harness.counted("worklog").keys():
            raise Failed(f"{len(gone)} worklogs were declared gone by absence")
        if harness.store.rows("SELECT 1 FROM presence_hold WHERE table_name = 'worklog'"):
            raise Failed("worklogs were declared gone by absence; only the hub's guard held them")
        return f"{len(before)} worklogs kept"


@check(
    "gold",
    "More than a fifth of a container leaving at once waits for a person.",
    "Prove deletions through Gone, Census or a complete partition, which the hub guards.",
    needs=("deletions", "edits"),
)
def mass_leave_is_held(certification: SourceCertification, seed: int) -> str:
    """Delete most items."""
    with table(certification, seed) as harness:
        well(harness)
        before = len(harness.counted(harness.main))
        for native in harness.world.rows()[: before * 4 // 5]:
            harness.world.delete(native)
        report = harness.sync(census=True)
        if len(harness.counted(harness.main)) < before * 0.5 or report.verdict == "ok":
            raise Failed(
                f"{before - len(harness.counted(harness.main))} of {before} rows left at once, "
                f"verdict {report.verdict}"
            )
        return str(report.held[0] if report.held else report.verdict)


@check(
    "gold",
    "A renamed key makes no second row.",
    "Make ids from the immutable native id, never from a display key.",
    needs=(
        "renames",
        "edits",
    ),
)
def ids_survive_a_rename(certification: SourceCertification, seed: int) -> str:
    """Rename every item."""
    with table(certification, seed) as harness:
        well(harness)
        keys = {native: row["key"] for native, row in harness.counted(harness.main).items()}
        for native in harness.world.rows():
            harness.world.rename(native)
        well(harness, "renaming")
        if keys != {native: row["key"] for native, row in harness.counted(harness.main).items()}:
            raise Failed("rows changed their integer key")
        return f"{len(keys)} ids"


@check(
    "gold",
    "A move to another container makes no second row.",
    "Leave the container out of the id.",
    needs=("containers", "edits"),
)
def ids_survive_a_move(certification: SourceCertification, seed: int) -> str:
    """Move an item."""
    with table(certification, seed) as harness:
        well(harness)
        count = len(harness.counted(harness.main))
        harness.world.move(harness.world.rows()[1])
        well(harness, "a move", census=True)
        if len(harness.store.rows(f"SELECT 1 FROM {harness.main}")) != count:
            raise Failed("the moved item is a second row")
        return "one row"


@check(
    "gold",
    "What was not asked for is not collected: comments, free text about people.",
    "Leave such fields out of the mapping.",
)
def privacy_by_default(certification: SourceCertification, seed: int) -> str:
    """Search the store for the world's private texts."""
    with table(certification, seed) as harness:
        harness.sync()
        dump = "\n".join(harness.store.connection.iterdump())
        if found := [text for text in certification.private if text in dump]:
            raise Failed(f"the store holds {found[0]!r}")
        return f"{len(certification.private)} private texts not found"


@check(
    "gold",
    "Memory stays flat when items grow tenfold.",
    "Yield batches as pages come; keep no list of all records.",
    needs=("scale",),
)
def memory_stays_flat(certification: SourceCertification, seed: int) -> str:
    """Read a world and a tenfold one.

    Compare the largest batches, and the peaks of what the reading itself holds.
    """
    largest, peaks = [], []
    for scale in _SCALES[isinstance(certification.world(seed), HttpWorld)]:
        with table(certification, seed, scale=scale) as harness:
            harness.prepare()
            biggest = peak = 0
            with harness.context() as context:
                for partition in harness.source.plan(context, {}):
                    tracemalloc.start()
                    try:
                        for batch in harness.source.read(context, partition, None):
                            biggest = max(biggest, len(batch.records))
                            del batch
                        peak = max(peak, tracemalloc.get_traced_memory()[1])
                    finally:
                        tracemalloc.stop()
            largest.append(biggest)
            peaks.append(peak)
    if largest[1] > max(1.5 * largest[0], LARGEST_BATCH[isinstance(harness.world, HttpWorld)]):
        raise Failed(f"the largest batch grew from {largest[0]} to {largest[1]} records")
    if peaks[1] > 2 * peaks[0] + ROOM + largest[1] * ROOM_PER_RECORD:
        raise Failed(f"the peak of memory grew from {peaks[0] / 1e6:.0f} to {peaks[1] / 1e6:.0f} MB")
    return (
        f"largest batches {largest[0]} and {largest[1]} records, "
        f"peaks {peaks[0] / 1e6:.1f} and {peaks[1] / 1e6:.1f} MB"
    )


@check(
    "gold",
    "History is kept: a change adds lines, and no line changes.",
    "Take each change once, by its own id, with the tool's stamp.",
    needs=("history", "edits"),
)
def history_is_kept(certification: SourceCertification, seed: int) -> str:
    """Edit a row three times and compare the lines of its history."""
    with table(certification, seed) as harness:
        well(harness)
        before = harness.counted("task_change")
        native = harness.world.edit()
        for _ in range(2):
            harness.world.edit(native)
        well(harness, "three edits")
        after = harness.counted("task_change")
        if lost := before.keys() - after.keys():
            raise Failed(f"{len(lost)} lines of history are gone, such as {min(lost)}")
        if len(after) <= len(before):
            raise Failed(f"three edits added no line of history to {len(before)}")
        return f"{len(before)} lines, then {len(after)}"


@check(
    "gold",
    "After any storm of edits and faults, a calm run equals the tool.",
    "See the check that fails more simply; else replay this seed.",
    needs=("increments", "edits"),
)
def storm(certification: SourceCertification, seed: int) -> str:
    """Edit, add, move, rename and fail at random, then sync in calm."""
    with table(certification, seed) as harness:
        rng = harness.world.random
        harness.sync()
        told = []
        deeds = ["edit", "add", "edit", "add"]
        deeds += ["rename"] * ("renames" in certification.capabilities) + ["move"] * (
            "containers" in certification.capabilities
        )
        for _ in range(6):
            deed = rng.choice(deeds)
            told.append(deed)
            if deed in {"rename", "move"}:
                getattr(harness.world, deed)(rng.choice(harness.world.rows()))
            else:
                getattr(harness.world, deed)()
            harness.sync(
                rng.choice(_WEATHER[isinstance(harness.world, HttpWorld)](harness, rng.randint(1, 5)))
            )
        well(harness, f"a storm of {', '.join(told)}")
        (away,) = harness.store.connection.execute(
            f"SELECT count(*) FROM {harness.main} WHERE {left()}"
        ).fetchone()
        if away:
            raise Failed(f"{away} rows left although none was deleted")
        return ", ".join(told)


_WEATHER: dict[bool, Callable[[Any, int], list[Any]]] = {
    True: lambda harness, at: [
        faults.status_once(at, 503),
        faults.status_from(at, 401),
        faults.reset_once(at),
        faults.on_list(at, lambda rows: rows + rows),
        faults.meanwhile(at, harness.world.edit),
        faults.raw_once(at, lambda body: body[:20]),
        None,
    ],
    False: lambda harness, at: [
        spoiling.content(lambda body: body[: len(body) // 2]),
        spoiling.content(lambda _: b""),
        spoiling.locked(0),
        spoiling.vanished(),
        spoiling.copied(0),
        spoiling.written_meanwhile(at, harness.after_edits),
        None,
    ],
}
"""What may happen to an HTTP tool (True) and to a folder of files (False)."""

"""Silver and Gold for sources that read files: half-written, locked, copied, renamed and vanished ones."""

from __future__ import annotations

import os
from copy import deepcopy
from functools import partial

from hub.testing.kit import spoiling
from hub.testing.kit.certification import SourceCertification
from hub.testing.kit.checks import check, not_green, well
from hub.testing.kit.harness import Failed, FileHarness, table

HTML = b"<!DOCTYPE html><html><body>Sign in to your account</body></html>"
STRAY = {"~$plan.xlsx": b"lock", ".DS_Store": b"\0\0", "read me.md": b"call the supplier", "Thumbs.db": b"\0"}


def _spoilt(
    name: str, law: str, mend: str, fault: spoiling.FileFault, what: str, *, guard: bool = False
) -> None:
    """Add a check; *guard* says that the hub's guard on leaving rows may be all that notices."""

    def run(certification: SourceCertification, seed: int) -> str:
        with table(certification, seed) as harness:
            well(harness)
            if not guard:
                harness.without_guard()
            said = not_green(harness, fault, what, full=True)
            well(harness, "the next calm run")
            return said

    run.__name__, run.__doc__ = name, law
    check("silver", law, mend, medium="files")(run)


_spoilt(
    "half_a_file", "Half a file is never the whole: not ok, and nothing leaves.",
    "Read to the end and look for what closes the file; let the hub's guard hold what seems to leave.",
    spoiling.content(lambda body: body[: len(body) // 2]), "half files", guard=True,
)  # fmt: skip


def _without_its_last_lines(body: bytes) -> bytes:
    """Return the first two thirds: a few last lines are what people correct, and leave."""
    lines = body.splitlines(keepends=True)
    return b"".join(lines[: -max(1, len(lines) // 3)])


_spoilt(
    "a_file_cut_at_a_line_end", "A file that lost its last lines is told, and nothing leaves.",
    "Say complete=True, so that the hub's guard weighs what seems to leave; look for what closes the file.",
    spoiling.content(_without_its_last_lines), "files without their last lines", guard=True,
)  # fmt: skip
_spoilt(
    "an_empty_file", "A file of no bytes is never zero records.", "Ask for the header before the rows.",
    spoiling.content(lambda _: b""), "empty files",
)  # fmt: skip
_spoilt(
    "html_for_a_file",
    "A sign-in page saved as the file is an error, not an empty list.",
    "Ask for the header, or the root element, before the rows.",
    spoiling.content(lambda _: HTML),
    "a sign-in page",
)
_spoilt(
    "random_bytes",
    "Bytes that are no such file are an error with the file's name.",
    "Turn the reader's own errors into SourceDataError.",
    spoiling.content(lambda body: bytes(range(256)) * 8),
    "random bytes",
)
_spoilt(
    "a_locked_file", "A file that cannot be opened is told, and what was known of it stays.",
    "Let the OSError become SourceDataError.", spoiling.locked(0), "a locked file",
)  # fmt: skip


@check(
    "silver",
    "A folder without files is a share that is not there: not ok, on the first run too, and nothing leaves.",
    "Call ctx.report_missing when no file matches.",
    medium="files",
)
def an_empty_folder(certification: SourceCertification, seed: int) -> str:
    """Take all files away, at first and later."""
    with table(certification, seed) as harness:
        not_green(harness, spoiling.vanished(), "an empty folder on the first run")
        well(harness)
        harness.without_guard()
        said = not_green(harness, spoiling.vanished(), "an empty folder")
        well(harness, "the next calm run")
        return said


@check(
    "silver",
    "A file that is written while it is read is read whole, before or after.",
    "Take a FileState first and verify it after the last row.",
    needs=("edits",),
    medium="files",
)
def a_file_that_changes(certification: SourceCertification, seed: int) -> str:
    """Write a file anew before each of its openings."""
    verdicts = []
    for opening in range(1, 9):
        with table(certification, seed) as harness:
            well(harness)
            harness.world.edit()
            report = harness.sync(spoiling.written_meanwhile(opening, harness.after_edits), jobs=1)
            verdicts.append(report.verdict)
            well(harness, f"a change before opening {opening} and one more run")
    return ", ".join(verdicts)


@check(
    "silver",
    "A file that is put back as it was is read again, where a run that died had begun to take another.",
    "Give a mark in Batch.held that stands for no content: rows of what lay there between are in the store.",
    needs=("edits",),
    medium="files",
)
def a_file_put_back(certification: SourceCertification, seed: int) -> str:
    """Edit the files, die after each write of a run that reads them, and undo the edits."""
    after = 0
    while True:
        with table(certification, seed) as harness:
            well(harness)
            before = deepcopy(harness.world)
            times = {path: path.stat().st_mtime_ns for path in spoiling.files_of(harness.folder)}
            harness.after_edits()
            after += 1
            died = harness.sync_until_crash(after)
            harness.world = before
            harness.prepare()
            for path, time in times.items():  # as from a backup, which keeps them
                os.utime(path, ns=(time, time))
            if harness.sync().held:  # what the run that died took may leave, if a person says so
                harness.store.accept(None, run_id=0, actor="kit")
            well(harness, f"a run that died after write {after}, and files put back")
        if not died:
            return f"put back after each of {after - 1} writes"


@check(
    "silver",
    "What is not the source's is left alone: locks, notes, thumbnails.",
    "Find files with hub.matching_files.",
    medium="files",
)
def stray_files(certification: SourceCertification, seed: int) -> str:
    """Lay files of other programs beside the right ones."""
    with table(certification, seed) as harness:
        report = harness.sync(spoiling.stray(STRAY))
        if report.verdict != "ok":
            raise Failed(f"{report.verdict}: {'; '.join(report.missing)}")
        harness.must_equal("with files of other programs beside")
        return f"{len(STRAY)} files ignored"


@check(
    "silver",
    "A copy of a file counts nothing twice.",
    "Make ids from what is inside, or compare contents and name the twins.",
    medium="files",
)
def a_copied_file(certification: SourceCertification, seed: int) -> str:
    """Lay a copy of a file beside it, before the first run and after it."""
    said = ""
    for known in (False, True):
        with table(certification, seed) as harness:
            if known:
                well(harness)
            report = harness.sync(spoiling.copied(0))
            if more := [one for one in harness.differences() if "do not exist" in one]:
                raise Failed(
                    f"with a copy {'added later' if known else 'from the start'}, "
                    f"verdict {report.verdict}: {more[0]}"
                )
            well(harness, "a run without the copy")
            said = f"{report.verdict}: {report.missing[0] if report.missing else 'counted once'}"
    return said


@check(
    "silver",
    "An older version of a file, laid beside it, counts nothing twice.",
    "Make ids from what is inside, and say which of two files has a row: the first, or the newest.",
    needs=("edits",),
    medium="files",
)
def an_older_version(certification: SourceCertification, seed: int) -> str:
    """Lay what a file was before its rows were edited beside it, before the first run and after it."""
    said = ""
    for known in (False, True):
        with table(certification, seed) as harness:
            name, body = sorted(harness.world.files().items())[0]
            if known:
                well(harness)
            harness.after_edits()
            stem, dot, suffix = name.rpartition(".")
            report = harness.sync(spoiling.laid(f"{stem} (1){dot}{suffix}", body))
            more = [one for one in harness.differences() if "do not exist" in one]
            if more and report.verdict == "ok":
                raise Failed(
                    f"with an older version {'beside a known file' if known else 'at first'}: {more[0]}"
                )
            harness.without_guard()
            well(harness, "a run without the older version")
            said = f"{report.verdict}: {report.missing[0] if report.missing else 'counted once'}"
    return said


@check(
    "silver",
    "One bad file takes no other with it.",
    "Make one partition per file, and raise SourceDataError in `read`.",
    needs=("edits",),
    medium="files",
)
def one_bad_file(certification: SourceCertification, seed: int) -> str:
    """Spoil each file in turn, edit the others."""
    with table(certification, seed) as probe:
        count = len(probe.world.files())
    for at in range(count):
        with table(certification, seed) as harness:
            report = harness.sync(spoiling.content(lambda _: HTML, at=at))
            if report.verdict == "ok":
                raise Failed(f"with file {at + 1} of {count} a sign-in page the verdict was ok")
            if count > 1 and not any(harness.counted(name) for name in harness.world.truth()):
                raise Failed(f"with file {at + 1} of {count} bad, nothing of the others was taken")
            well(harness, "the next calm run")
    return f"each of {count} files in turn"


@check(
    "silver",
    "A column that was renamed is noticed, with its name.",
    "Look for every column of the mapping in the header.",
    needs=("columns",),
    medium="files",
)
def renamed_column(certification: SourceCertification, seed: int) -> str:
    """Rename each column in turn."""
    with table(certification, seed) as probe:
        columns = probe.world.columns()
    for column in columns:
        with table(certification, seed) as harness:
            well(harness)
            name = column.encode(harness.world.encoding)
            said = not_green(harness, spoiling.content(partial(_renamed, name)), "one renamed")
            if column not in said:
                raise Failed(f"it does not say that {column} is lacking: {said}")
    return f"{len(columns)} columns"


def _renamed(name: bytes, body: bytes) -> bytes:
    return body.replace(name, name + b"_2", 1)


@check(
    "gold",
    "A file that vanished takes nothing with it until a person says so.",
    "Answer with a Census that has hold=True.",
    needs=("edits",),
    medium="files",
)
def a_vanished_file(certification: SourceCertification, seed: int) -> str:
    """Take each file away in turn, accept it in the end."""
    said = ""
    with table(certification, seed) as probe:
        count = len(probe.world.files())
    for at in range(count):
        with table(certification, seed) as harness:
            harness.without_guard()
            well(harness)
            before = {name: harness.counted(name).keys() for name in harness.world.truth()}
            report = harness.sync(spoiling.vanished(at))
            if any(harness.counted(name).keys() != ids for name, ids in before.items()):
                raise Failed(f"with file {at + 1} of {count} away, rows were declared gone at once")
            if report.verdict == "ok":
                raise Failed(f"with file {at + 1} of {count} away, the verdict was ok")
            said = f"{report.verdict}: {next(iter([*report.held, *report.missing]), '')}"
            _accepted(harness, at, count)
            well(harness, "the file's return")
    return said


def _accepted(harness: FileHarness, at: int, count: int) -> None:
    """Accept what is held: the rows of a file that is away leave, if others are there."""
    if count == 1:
        return
    harness.store.accept(None, run_id=0, actor="kit")
    report = harness.sync(spoiling.vanished(at))
    if report.verdict != "ok":
        raise Failed(f"after accepting, file {at + 1} of {count} is asked about again: {report.verdict}")

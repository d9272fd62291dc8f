"""The other side of `hub_msproject.files.mpxj_worker`: start it, ask it, and survive its death.

A child process keeps a JVM that runs out of memory, hangs or crashes away from the hub's own.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import msgspec

from hub import MissingExtra, SourceDataError, SourceUnavailable, enumerated, mark, tr
from hub_msproject.files.recognise import foreign, form_of
from hub_msproject.files.schedule import Header, Row

READER = "mpxj-3"
HOW = mark('install it with `pip install "pm-hub-msproject[mpp]"`')

_rows = msgspec.json.Decoder(Row)
_headers = msgspec.json.Decoder(Header)
_HEADER = b'{"type":"header"'
_JAVA = re.compile(r"(?:[a-z]\w*\.){2,}[\w$.]+:?\s*|\b\w*(?:Exception|Error)\b:?\s*")
"""Names of Java's classes, which tell nobody anything."""


def spooled(path: Path, place: int) -> Iterator[Row]:
    """Yield the rows of the project at *place*, from 0 on, of a file that `Mpxj.spool` wrote."""
    at = -1
    with path.open("rb") as file:
        for line in file:
            at += line.startswith(_HEADER)
            if at == place:
                yield _rows.decode(line)


class _Word(msgspec.Struct):
    done: bool = False
    ready: bool = False
    error: str | None = None
    fatal: str | None = None


_words = msgspec.json.Decoder(_Word)


def missing_packages() -> list[str]:
    """Return the packages of the extra that are not installed."""
    return [name for name in ("mpxj", "jpype") if importlib.util.find_spec(name) is None]


class Mpxj:
    """One child with one JVM for many files; started at the first file, started again after a death."""

    def __init__(self, *, memory_mb: int, timeout_s: float) -> None:
        """Cap the JVM at *memory_mb*; a file may take *timeout_s* seconds."""
        self.memory_mb = memory_mb
        self.timeout_s = timeout_s
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._closed = False

    def rows(self, path: Path) -> Iterator[Row]:
        """Yield the rows of *path*, project after project.

        Raises `SourceDataError` for a file MPXJ cannot read, saying why.
        """
        for line in self._lines(path):
            yield _rows.decode(line)

    def spool(self, path: Path, to: Path) -> list[Header]:
        """Read *path* whole into the file *to*, and return the projects that it holds."""
        headers = []
        with to.open("wb") as file:
            for line in self._lines(path):
                if line.startswith(_HEADER):
                    headers.append(_headers.decode(line))
                file.write(line)
        return headers

    def _lines(self, path: Path) -> Iterator[bytes]:
        form = form_of(path)
        if said := foreign(path, form):
            raise SourceDataError(said)
        with self._lock:
            timer = threading.Timer(self.timeout_s, self._kill)
            try:
                child, output = self._start()
                timer.start()
                assert child.stdin is not None
                child.stdin.write(msgspec.json.encode({"path": str(path), "form": form}) + b"\n")
                child.stdin.flush()
                yield from self._answer(output, path)
            except (BrokenPipeError, EOFError) as exc:
                raise self._died(path, timed_out=timer.finished.is_set()) from exc
            finally:
                timer.cancel()

    def _answer(self, output: IO[bytes], path: Path) -> Iterator[bytes]:
        ended = False
        try:
            while line := output.readline():
                if line.startswith(b'{"type":'):
                    yield line
                    continue
                word = _words.decode(line)
                ended = True
                if word.error is not None:
                    raise SourceDataError(
                        tr("{name} cannot be read: {explain}", name=path.name, explain=_explain(word.error))
                    )
                return
            ended = True
            raise EOFError
        finally:
            if not ended:
                # the reader stopped half-way: the rest of the answer must not meet the next question
                self._kill()

    def _start(self) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
        if self._closed:
            raise SourceUnavailable(tr("The schedule reader was stopped with the run."))
        if self._child is None or self._child.poll() is not None:
            self._reap()
            if lacking := missing_packages():
                raise MissingExtra(
                    tr(
                        "Reading this kind of file needs {lacking}: {how}.",
                        lacking=enumerated(lacking),
                        how=tr(HOW),
                    )
                )
            self._child = subprocess.Popen(
                [sys.executable, "-m", "hub_msproject.files.mpxj_worker", str(self.memory_mb)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
                    "PYTHONUTF8": "1",
                },
                # Ctrl-C is the hub's to handle: it reaches the whole group of a terminal otherwise
                start_new_session=os.name == "posix",
            )
            assert self._child.stdout is not None
            first = self._child.stdout.readline()
            word = _words.decode(first) if first else _Word(fatal=tr("the process ended at once"))
            if not word.ready:
                self._reap()
                raise MissingExtra(
                    tr(
                        "The Java side of the schedule reader did not start ({fatal}). Install a Java "
                        "runtime 17 or later, or {how}.",
                        fatal=word.fatal,
                        how=tr(HOW),
                    )
                )
        assert self._child.stdout is not None
        return self._child, self._child.stdout

    def _died(self, path: Path, *, timed_out: bool) -> SourceDataError:
        code = self._reap()
        if timed_out:
            return SourceDataError(
                tr(
                    "{name} was not read within {timeout_s:g} s, so it was given up. Raise timeout_s for "
                    "very large plans, or save the plan as XML.",
                    name=path.name,
                    timeout_s=self.timeout_s,
                )
            )
        return SourceDataError(
            tr(
                "{name} stopped the schedule reader (exit {code}), most likely for lack of memory. "
                "Raise memory_mb (now {memory_mb}), or save the plan as XML.",
                name=path.name,
                code=code,
                memory_mb=self.memory_mb,
            )
        )

    def _kill(self) -> None:
        if self._child is not None:
            self._child.kill()

    def _reap(self) -> int | None:
        """End the child, close its pipes, and return its exit code."""
        child, self._child = self._child, None
        if child is None:
            return None
        child.kill()
        code = child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        return code

    def close(self) -> None:
        """End the child; a reading in progress fails."""
        self._closed = True
        self._reap()


def _explain(reason: str) -> str:
    low = reason.lower()
    if "password" in low or "encrypt" in low:
        return tr("it is protected by a password. Save a copy without password for the hub.")
    if "outofmemory" in low or "heap space" in low:
        return tr("it needs more memory than the reader has. Raise memory_mb, or save the plan as XML.")
    said = _JAVA.sub("", reason).strip(" :.")
    if not said or re.search(r"\bjava\b|\bnull\b", said, re.IGNORECASE):
        return tr("it is not a schedule file, or it is damaged.")
    return tr("it is not a schedule file, or it is damaged ({reason}).", reason=said)

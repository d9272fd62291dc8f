"""The words of a sync: how it runs, what it did, who listens."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

from hub.context import Context, Network
from hub.records import Record
from hub.source import Source
from hub.store import Changes, RunRow
from hub.sync import effect

Verdict = Literal["ok", "partial", "failed", "interrupted"]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How a sync runs; *base* is the folder relative paths of sources start from."""

    base: Path
    full: bool = False
    census: bool = False
    since: str | None = None
    jobs: int = 8
    dry_run: bool = False
    currency: str = "EUR"
    """Of amounts that say none."""
    silence_s: float = 1800.0
    """How long a source may say and ask nothing before the run goes on without it."""
    source_s: float = 21600.0
    """How long one source may take in all."""
    network: Network = Network()
    fields: Mapping[str, Mapping[str, str]] = {}
    """By source, the fields that fields.csv asks of it, and their types."""
    beside: tuple[str, ...] = ()
    """Sources of the same run that others read meanwhile."""
    since_run: int = 0
    """The last number of a run before this one."""
    stop: threading.Event | None = None
    """Asks for a stop after the batch that is being written."""
    session: Callable[[Context], Any] | None = None
    """Makes a source's HTTP session; None for the patient one. The kit hands in one whose clock it moves."""


class SourceReport(msgspec.Struct, kw_only=True):
    """What one source's run did; *missing* lists what could not be read, *held* what waits for a person.

    *rejections* names the weightiest things that could not be taken, *rejected* counts all of them.
    """

    source_id: str
    kind: str
    verdict: Verdict = "ok"
    changes: Changes = msgspec.field(default_factory=Changes)
    requests: int = 0
    retries: int = 0
    bytes: int = 0
    seconds: float = 0.0
    partitions: int = 0
    skipped: int = 0
    estimate: int = 0
    missing: list[str] = msgspec.field(default_factory=list)
    held: list[str] = msgspec.field(default_factory=list)
    rejected: int = 0
    rejections: list[str] = msgspec.field(default_factory=list)
    notes: list[str] = msgspec.field(default_factory=list)
    error: str | None = None


class SyncReport(msgspec.Struct, kw_only=True):
    """What a sync did; *effects* is filled by a dry run."""

    sources: list[SourceReport] = msgspec.field(default_factory=list)
    effects: list[effect.Effect] = msgspec.field(default_factory=list)
    interrupted: bool = False
    dry_run: bool = False

    @property
    def exit_code(self) -> int:
        """Return 130 interrupted, 1 when no source succeeded, 3 when some source is incomplete, else 0."""
        if self.interrupted:
            return 130
        verdicts = {report.verdict for report in self.sources}
        if verdicts and verdicts == {"failed"}:
            return 1
        return 0 if verdicts <= {"ok"} else 3


class Listener(Protocol):
    """Who wants to follow a sync; called in the writing thread."""

    def started(self, report: SourceReport) -> None:
        """Hear that a source begins."""

    def advanced(self, report: SourceReport) -> None:
        """Hear that a source's counts moved."""

    def ended(self, report: SourceReport) -> None:
        """Hear that a source ended."""


class Hooks(msgspec.Struct, frozen=True, kw_only=True):
    """What plugins may add to a sync: a rule per record, and an ear for ended runs."""

    transform: Callable[[Source, Record], Record] | None = None
    run_finished: Callable[[RunRow], None] | None = None

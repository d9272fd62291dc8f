"""Run the checks on a connector and say which level it has earned."""

from __future__ import annotations

import multiprocessing
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any, Literal
from xml.etree import ElementTree as ET

import msgspec

from hub.testing.kit import bronze, deliveries, files, gold, sheet, silver
from hub.testing.kit.certification import SawNothing, SourceCertification
from hub.testing.kit.checks import CHECKS, Check, Level
from hub.testing.kit.deliveries import DestinationCertification
from hub.testing.kit.harness import Failed, NoCalmRun

MODULES = (bronze, silver, sheet, files, gold, deliveries)
"""Importing them registers their checks."""
LEVELS: tuple[Level, ...] = ("bronze", "silver", "gold")

CALM = "reads-everything"
"""The check that comes first: where its calm run does not end well, the others would say it again."""
HEART = {"cursor-is-a-stamp-seen", "deletions-are-found"}
"""The checks without which a level means nothing: increments for Silver, deletions for Gold."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one check; *saw* is what it saw, *mend* how to mend it."""

    code: str
    level: Level
    law: str
    state: Literal["passed", "failed", "skipped"]
    saw: str
    mend: str
    seconds: float
    stops: bool = False
    """Whether nothing more can be said: not even a run without faults ends well."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All results for one connector."""

    connector: str
    results: list[Result]
    seconds: float

    @property
    def level(self) -> Level | None:
        """Return the highest level reached.

        It was examined, and all of its checks and those below passed or did not apply.

        A level's `HEART` has to be passed: who cannot be edited proves no increments, who claims no deletions
        is not Gold.
        """
        earned: Level | None = None
        for level in LEVELS:
            mine = [result for result in self.results if result.level == level]
            lame = any(
                result.state == "failed" or (result.state == "skipped" and result.code in HEART)
                for result in mine
            )
            if lame or not mine:
                break
            earned = level
        return earned

    def reaches(self, level: Level) -> bool:
        """Say whether *level* was earned."""
        return self.level is not None and LEVELS.index(self.level) >= LEVELS.index(level)

    def failures(self) -> list[Result]:
        """Return what failed."""
        return [result for result in self.results if result.state == "failed"]

    def causes(self) -> list[list[Result]]:
        """Return what failed, together where the same thing was seen."""
        found: dict[str, list[Result]] = {}
        for result in self.failures():
            found.setdefault(result.saw.rpartition(": ")[2], []).append(result)
        return list(found.values())

    def junit(self) -> ET.Element:
        """Return the report as a test suite of JUnit."""
        failed = len(self.failures())
        skipped = sum(result.state == "skipped" for result in self.results)
        suite = ET.Element(
            "testsuite",
            name=f"certify {self.connector}",
            tests=str(len(self.results)),
            failures=str(failed),
            skipped=str(skipped),
            time=f"{self.seconds:.3f}",
        )
        for result in self.results:
            case = ET.SubElement(
                suite, "testcase", classname=result.level, name=result.code, time=f"{result.seconds:.3f}"
            )
            if result.state == "failed":
                ET.SubElement(case, "failure", message=result.saw).text = f"{result.law}\nMend: {result.mend}"
            elif result.state == "skipped":
                ET.SubElement(case, "skipped", message=result.saw)
        return suite


def as_junit(reports: list[Report]) -> str:
    """Return the reports as JUnit XML."""
    suites = ET.Element("testsuites")
    suites.extend(report.junit() for report in reports)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True)


def run_check(one: Check, certification: SourceCertification | DestinationCertification, seed: int) -> Result:
    """Run one check; whatever goes wrong inside is a failure with its place."""
    began = time.perf_counter()
    lacking = one.lacks(certification)
    state: Literal["passed", "failed", "skipped"]
    stops = False
    if lacking:
        state, saw = "skipped", f"not claimed, or not possible here: {', '.join(lacking)}"
    else:
        try:
            state, saw = "passed", one.run(certification, seed)
        except SawNothing as exc:
            state, saw = "skipped", str(exc)
        except Failed as exc:
            state, saw, stops = "failed", str(exc), isinstance(exc, NoCalmRun)
        except Exception as exc:  # noqa: BLE001 - a connector may break in any way
            frame = traceback.extract_tb(exc.__traceback__)[-1]
            state, saw = "failed", f"{type(exc).__name__}: {exc} ({frame.name}, line {frame.lineno})"
    seconds = time.perf_counter() - began
    return _result(one, state, saw, seconds=seconds, stops=stops)


def _result(
    one: Check,
    state: Literal["passed", "failed", "skipped"],
    saw: str,
    *,
    seconds: float = 0.0,
    stops: bool = False,
) -> Result:
    return Result(
        code=one.code, level=one.level, law=one.law, state=state, saw=saw, mend=one.mend, seconds=seconds,
        stops=stops,
    )  # fmt: skip


Told = Callable[[int, int, Check], None]
"""Is told how many checks are done, of how many, and which one came next."""


def certify(
    certification: SourceCertification | DestinationCertification,
    *,
    seed: int = 2026,
    only: tuple[str, ...] = (),
    jobs: int = 1,
    told: Told | None = None,
) -> Report:
    """Run every check (or *only* those named) that fits the medium on the connector of *certification*.

    With more than one of *jobs* they run side by side in processes, where the system can copy this one and
    nothing else runs in it.
    """
    began = time.perf_counter()
    world = certification.world(seed)
    checks = [
        one
        for one in sorted(CHECKS, key=lambda one: LEVELS.index(one.level))
        if one.fits(certification, world)
        and one.level in certification.levels
        and (not only or one.code in only)
    ]
    checks.sort(key=lambda one: one.code != CALM)
    results: list[Result] = []
    for one in checks[:1]:
        results += _each([one], certification, seed, 1, told, 0, len(checks))
    if results and results[0].stops and results[0].code == CALM:
        results += [_result(one, "skipped", f"not examined: {CALM} does not end well") for one in checks[1:]]
    else:
        results += _each(checks[1:], certification, seed, jobs, told, 1, len(checks))
    return Report(connector=certification.kind, results=results, seconds=time.perf_counter() - began)


_COPIED: list[tuple[list[Check], Any, int]] = []
"""What the processes that are copied from this one work on."""


def _numbered(number: int) -> Result:
    checks, certification, seed = _COPIED[-1]
    return run_check(checks[number], certification, seed)


def _each(
    checks: list[Check],
    certification: Any,
    seed: int,
    jobs: int,
    told: Told | None,
    done: int,
    of: int,
) -> Iterator[Result]:
    """Yield the results in order, and tell each check before its own."""
    alone = threading.active_count() == 1 and "fork" in multiprocessing.get_all_start_methods()
    if jobs < 2 or not alone:
        for number, one in enumerate(checks):
            if told:
                told(done + number, of, one)
            yield run_check(one, certification, seed)
        return
    _COPIED.append((checks, certification, seed))
    try:
        with multiprocessing.get_context("fork").Pool(jobs) as pool:
            found = pool.imap(_numbered, range(len(checks)))
            for number, one in enumerate(checks):
                if told:
                    told(done + number, of, one)
                yield next(found)
    finally:
        _COPIED.pop()

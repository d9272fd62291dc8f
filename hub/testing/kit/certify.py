"""Run the checks on a connector and say which level it has earned."""

from __future__ import annotations

import time
import traceback
from typing import Literal
from xml.etree import ElementTree as ET

import msgspec

from hub.testing.kit import bronze, deliveries, files, gold, sheet, silver
from hub.testing.kit.certification import SawNothing, SourceCertification
from hub.testing.kit.checks import CHECKS, Check, Level
from hub.testing.kit.deliveries import DestinationCertification
from hub.testing.kit.harness import Failed

MODULES = (bronze, silver, sheet, files, gold, deliveries)
"""Importing them registers their checks."""
LEVELS: tuple[Level, ...] = ("bronze", "silver", "gold")

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
    if lacking:
        state, saw = "skipped", f"not claimed, or not possible here: {', '.join(lacking)}"
    else:
        try:
            state, saw = "passed", one.run(certification, seed)
        except SawNothing as exc:
            state, saw = "skipped", str(exc)
        except Failed as exc:
            state, saw = "failed", str(exc)
        except Exception as exc:  # noqa: BLE001 - a connector may break in any way
            frame = traceback.extract_tb(exc.__traceback__)[-1]
            state, saw = "failed", f"{type(exc).__name__}: {exc} ({frame.name}, line {frame.lineno})"
    return Result(
        code=one.code,
        level=one.level,
        law=one.law,
        state=state,
        saw=saw,
        mend=one.mend,
        seconds=time.perf_counter() - began,
    )


def certify(
    certification: SourceCertification | DestinationCertification,
    *,
    seed: int = 2026,
    only: tuple[str, ...] = (),
) -> Report:
    """Run every check (or *only* those named) that fits the medium on the connector of *certification*."""
    began = time.perf_counter()
    world = certification.world(seed)
    results = [
        run_check(one, certification, seed)
        for one in sorted(CHECKS, key=lambda one: LEVELS.index(one.level))
        if one.fits(certification, world)
        and one.level in certification.levels
        and (not only or one.code in only)
    ]
    return Report(connector=certification.kind, results=results, seconds=time.perf_counter() - began)

"""Run the checks on a connector and say which level it has earned."""

from __future__ import annotations

import time
import traceback
from typing import Literal
from xml.etree import ElementTree as ET

import msgspec

from hub.testing.kit import bronze, files, gold, silver
from hub.testing.kit.bench import Failed
from hub.testing.kit.checks import CHECKS, WORLDS, Check, Level
from hub.testing.kit.exam import Exam

MODULES = (bronze, silver, files, gold)
"""Importing them registers their checks."""
LEVELS: tuple[Level, ...] = ("bronze", "silver", "gold")


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
        """Give the highest level all of whose checks, and those of the levels below, passed or did not apply."""
        earned: Level | None = None
        for level in LEVELS:
            if any(result.level == level and result.state == "failed" for result in self.results):
                break
            earned = level
        return earned

    def reaches(self, level: Level) -> bool:
        """Say whether *level* was earned."""
        return self.level is not None and LEVELS.index(self.level) >= LEVELS.index(level)

    def failures(self) -> list[Result]:
        """Give what failed."""
        return [result for result in self.results if result.state == "failed"]

    def junit(self) -> str:
        """Give the report as JUnit XML."""
        failed = len(self.failures())
        skipped = sum(result.state == "skipped" for result in self.results)
        suite = ET.Element(
            "testsuite", name=f"certify {self.connector}", tests=str(len(self.results)), failures=str(failed), skipped=str(skipped),
            time=f"{self.seconds:.3f}",
        )  # fmt: skip
        for result in self.results:
            case = ET.SubElement(suite, "testcase", classname=result.level, name=result.code, time=f"{result.seconds:.3f}")
            if result.state == "failed":
                ET.SubElement(case, "failure", message=result.saw).text = f"{result.law}\nMend: {result.mend}"
            elif result.state == "skipped":
                ET.SubElement(case, "skipped", message=result.saw)
        return ET.tostring(suite, encoding="unicode", xml_declaration=True)


def run_check(one: Check, exam: Exam, seed: int) -> Result:
    """Run one check; whatever goes wrong inside is a failure with its place."""
    began = time.perf_counter()
    lacking = one.lacks(exam)
    state: Literal["passed", "failed", "skipped"]
    if lacking:
        state, saw = "skipped", f"not claimed, or not possible here: {', '.join(lacking)}"
    else:
        try:
            state, saw = "passed", one.run(exam, seed)
        except Failed as exc:
            state, saw = "failed", str(exc)
        except Exception as exc:  # noqa: BLE001 - a connector may break in any way
            frame = traceback.extract_tb(exc.__traceback__)[-1]
            state, saw = "failed", f"{type(exc).__name__}: {exc} ({frame.name}, line {frame.lineno})"
    return Result(
        code=one.code, level=one.level, law=one.law, state=state, saw=saw, mend=one.mend, seconds=time.perf_counter() - began
    )


def certify(exam: Exam, *, seed: int = 2026, only: tuple[str, ...] = ()) -> Report:
    """Run every check (or *only* those named) that fits the medium on the connector of *exam*."""
    began = time.perf_counter()
    world = type(exam.world(seed))
    results = [
        run_check(one, exam, seed)
        for one in sorted(CHECKS, key=lambda one: LEVELS.index(one.level))
        if issubclass(world, WORLDS[one.medium]) and (not only or one.code in only)
    ]
    return Report(connector=exam.kind, results=results, seconds=time.perf_counter() - began)

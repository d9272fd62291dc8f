"""What a check is: one law, what was seen, how to mend.

The checks themselves are in `bronze`, `silver` and `gold`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

import msgspec

from hub.sync import SourceReport
from hub.testing.kit.certification import Capability, FileWorld, HttpWorld, SourceCertification, Verb, World
from hub.testing.kit.harness import Failed, Harness, NoCalmRun

Level = Literal["bronze", "silver", "gold"]
Medium = Literal["any", "http", "files", "destination"]
"""What a check is about: any source, one over HTTP, one of files, or a destination."""
_WORLDS: dict[Medium, Any] = {"any": World, "http": HttpWorld, "files": FileWorld}


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check: *run* returns what it saw or raises `Failed`."""

    code: str
    level: Level
    law: str
    mend: str
    needs: tuple[Capability | Verb, ...]
    medium: Medium
    run: Callable[[Any, int], str]

    def fits(self, certification: Any, world: object) -> bool:
        """Say whether this check is about *certification*, whose world is *world*."""
        if self.medium == "destination" or not isinstance(certification, SourceCertification):
            return self.medium == "destination" and not isinstance(certification, SourceCertification)
        return isinstance(world, _WORLDS[self.medium])

    def lacks(self, certification: Any) -> list[str]:
        """Return what this check needs and the connector does not claim, or its world cannot do."""
        return [
            need
            for need in self.needs
            if (
                need in certification.cannot
                if need in get_args(Verb)
                else need not in certification.capabilities
            )
        ]


CHECKS: list[Check] = []


def check(
    level: Level, law: str, mend: str, *, needs: tuple[Capability | Verb, ...] = (), medium: Medium = "any"
) -> Callable[[Callable[[Any, int], str]], Callable[[Any, int], str]]:
    """Register a check under the function's name."""

    def register(function: Callable[[Any, int], str]) -> Callable[[Any, int], str]:
        code = function.__name__.replace("_", "-")
        CHECKS.append(
            Check(code=code, level=level, law=law, mend=mend, needs=needs, medium=medium, run=function)
        )
        return function

    return register


def well(harness: Harness, when: str = "the calm run", **options: Any) -> None:
    """Sync without faults; fail unless it is ok and equal to the tool."""
    report = harness.sync(**options)
    if report.verdict != "ok":
        raise NoCalmRun(f"{when} ended {report.verdict}: {reason(report)}")
    harness.must_equal(f"after {when}")


def reason(report: SourceReport) -> str:
    """Return the first thing that a run says it lacks."""
    said = [*report.missing, *report.rejections, *report.held]
    return next(iter(said), None) or report.error or "without a reason"


def not_green(harness: Harness, fault: Any, what: str, **options: Any) -> str:
    """Sync with a fault; fail when the verdict is ok or when anything left."""
    before = harness.counted(harness.main).keys()
    report = harness.sync(fault, **options)
    if report.verdict == "ok":
        raise Failed(f"with {what} the verdict was ok, {report.changes.read} rows read")
    if gone := before - harness.counted(harness.main).keys():
        raise Failed(f"with {what} {len(gone)} {harness.main} rows were declared gone")
    return f"{what}: {report.verdict}: {reason(report)}"

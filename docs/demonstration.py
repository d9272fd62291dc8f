"""What the pages for the PMO are made with: the demonstration as `hub demo` leaves it, and a mishap in it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable

from transcript import Transcript, console

FRIDAY = "2026-11-20T17:00:00Z"
HOURS = "hours/2026-10.csv"
PLAN = "plans/P002.xml"
LAST = "COPIL octobre 2026"
NEXT = "COPIL novembre 2026"


class Demonstration(Transcript):
    """The demonstration's portfolio, ten projects of it, on a Friday after three committees.

    Its methods return the transcripts of the page in their order.
    """

    def __init__(self, lang: str) -> None:
        """Make it, and keep what its first run of the main job said."""
        super().__init__(lang, FRIDAY, columns=150)
        said = self.hub("demo", "--out", "demo", "--scale", "0.4", "--lang", lang)
        ran = re.search(r"(?ms)^\$ hub --config \S+ run\n(.*  demo/papers/latest/deck\.html)$", said)
        if ran is None:
            raise ValueError(f"hub demo did not end as it should:\n{said}")
        self.first_run = console("$ hub run\n" + ran[1].replace("demo/", ""))
        self.work /= "demo"

    def mistyped(self) -> str:
        """Halve one line of October, mistype the date of the next, and look before anything is written."""
        lines = self._hours()
        place = next(no for no, line in enumerate(lines) if ";P001;" in line)
        halved, self.right = lines[place].split(";"), lines[place + 1]
        halved[6] = f"{float(halved[6].replace(',', '.')) / 2:.2f}".replace(".", ",")
        self.wrong = re.sub(r";(\d\d/\d\d/2026);", r";\g<1>6;", self.right)
        lines[place : place + 2] = [";".join(halved), self.wrong]
        self._write(lines)
        return self.show(("sync", "--dry-run"))

    def lost(self) -> str:
        """Let a plan's file go too, run the main job, and see what it says next morning."""
        shutil.move(self.work / PLAN, self.work / "P002.xml")
        self.hub("run")
        return self.show(("status",), ("presence",))

    def rejected(self, why: str) -> str:
        """List what could not be taken, and accept it."""
        return self.show(("rejections",), ("rejections", "accept", "1", "--why", why))

    def mended(self) -> str:
        """Put the plan's file back, mend the date, and publish for the committee."""
        shutil.move(self.work / "P002.xml", self.work / PLAN)
        self._write([self.right if line == self.wrong else line for line in self._hours()])
        synced = self.show(("sync",), keep=_either(r"^(source|plans|hours|\$)"))
        moved = r"P00[14] |^\S.* (COPIL|projet|project) "
        self.moved = self.show(("publish", "--vs", LAST), keep=_either(moved))
        return synced

    def states(self) -> str:
        """Return what is computed beside what the committee said."""
        return self.show(("status",), keep=_either(r"^  |^(Feed|Flux)"))

    def effort(self) -> str:
        """Return effort and landing in person-days."""
        return self.show(("kpi", "--kpi", "RAF", "--kpi", "EVM_DAYS", "--project", "P001"))

    def landing(self) -> str:
        """Return the landing of a budget."""
        return self.show(("kpi", "--kpi", "LANDING", "--project", "P001"))

    def risks(self) -> str:
        """Return the risks of a project with their rows."""
        return self.show(("explain", "RISK", "--project", "P004"))

    def service(self) -> str:
        """Return service levels, defects and change requests."""
        return self.show(("kpi", "--kpi", "SLA", "--kpi", "DEFECT_VS_CHANGE", "--project", "P006"))

    def trust(self) -> str:
        """Return how fresh and how sound the data are."""
        return self.show(("kpi", "--kpi", "FRESHNESS", "--kpi", "DQ_SCORE", "--project", "P001"))

    def cuts(self) -> str:
        """Take the cut of the next committee and close it."""
        return self.show(("cut", "take", "--label", NEXT), ("cut", "close", NEXT), ("cut", "list"))

    def sealing(self) -> str:
        """Seal a month."""
        return self.show(("close", "2026-09"), ("close", "--list"))

    def matches(self) -> str:
        """Look at what is proposed to be one person."""
        return self.show(("match", "propose"), ("match", "review", "--limit", "3"))

    def _hours(self) -> list[str]:
        return (self.work / HOURS).read_text(encoding="cp1252").splitlines()

    def _write(self, lines: list[str]) -> None:
        text = "\r\n".join(lines) + "\r\n"
        (self.work / HOURS).write_text(text, encoding="cp1252", newline="")


def _either(pattern: str) -> Callable[[str], object]:
    return re.compile(pattern).search

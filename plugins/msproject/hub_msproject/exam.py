"""The exams of Microsoft's schedules: files, and each service, as far as its API allows."""

from __future__ import annotations

from hub import Source
from hub.testing.kit import FOLDER, Exam
from hub_msproject.files.source import MsProjectSource
from hub_msproject.files.world import NOTE, Plans


class MsProjectExam(Exam):
    """A folder of plans. A task that moves to another plan is another task, and Microsoft's schema fixes the names."""

    kind = "msproject"
    capabilities = frozenset({"increments", "deletions", "worklogs", "renames"})
    private = (NOTE,)

    def world(self, seed: int, *, scale: int = 1) -> Plans:
        """Make the plans."""
        return Plans(seed, scale=scale)

    def source(self, place: str) -> Source:
        """Read the folder."""
        return MsProjectSource(name="plans", path=place or FOLDER, tz="Europe/Paris")

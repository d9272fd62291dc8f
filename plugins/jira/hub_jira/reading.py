"""What one run reads with: the parts of answers, and what of a site is in scope."""

from __future__ import annotations

import msgspec

from hub_jira.parts import Parts

EVERYTHING = "created >= 0"
"""JQL for all that may be seen: Cloud refuses a search without a restriction."""
OVERLAP_MS = 10 * 60 * 1000


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What issues and hours are read with.

    *scope* is the JQL of what is asked for; *hours* says that they stand in Jira, *history* that it is kept.
    """

    parts: Parts
    scope: str
    hours: bool
    history: bool

    @property
    def everything(self) -> bool:
        """Say whether all that may be seen is in scope."""
        return self.scope == EVERYTHING

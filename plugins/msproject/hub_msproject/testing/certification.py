"""The certifications of Microsoft's schedules: files, and each service, as far as its API allows.

Exports have none: they are read whole or not at all.
"""

from __future__ import annotations

from typing import ClassVar

from hub import Source
from hub.testing.kit import FOLDER, Capability, SourceCertification, Verb, credential, microsoft
from hub_msproject.files.source import MsProjectSource
from hub_msproject.services.planner import PlannerSource
from hub_msproject.services.premium import PremiumSource
from hub_msproject.services.server import ServerSource
from hub_msproject.testing import planner, premium, server
from hub_msproject.testing.schedules import NOTE, Plans


class MsProjectCertification(SourceCertification):
    """A folder of plans.

    A task that moves to another plan is another task, and Microsoft's schema fixes the names.
    """

    kind = "msproject"
    capabilities = frozenset({"increments", "deletions", "worklogs", "renames"})
    private = (NOTE,)

    def world(self, seed: int, *, scale: int = 1) -> Plans:
        """Make the plans."""
        return Plans(seed, scale=scale)

    def source(self, place: str) -> Source:
        """Read the folder."""
        return MsProjectSource(name="plans", path=place or FOLDER, tz="Europe/Paris")


class PlannerCertification(SourceCertification):
    """Planner, of which nothing but a whole reading can be claimed.

    What changed is told by a beta only, and no list has a count.
    """

    kind = "planner"
    capabilities: ClassVar[frozenset[Capability]] = frozenset({"deletions", "containers"})
    cannot: ClassVar[frozenset[Verb]] = frozenset({"counts"})
    private = (planner.NOTE,)

    def world(self, seed: int, *, scale: int = 1) -> planner.PlannerWorld:
        """Make the tenant."""
        return planner.PlannerWorld(seed, scale=scale)

    def source(self, place: str) -> Source:
        """Make the source."""
        return PlannerSource(name="planner", url=place, account=microsoft.account(place), tz="Europe/Paris")


class PremiumCertification(SourceCertification):
    """Planner premium: a task stays in its plan, and an account sees the whole organisation or is told so."""

    kind = "planner-premium"
    capabilities: ClassVar[frozenset[Capability]] = frozenset({"increments", "deletions"})
    cannot: ClassVar[frozenset[Verb]] = frozenset({"counts"})
    # how far the account sees, and what link types are called whose values are known
    spared = ("WhoAmI", "RetrieveUserSetOfPrivilegesByNames", "PicklistAttributeMetadata")
    private = (premium.NOTE,)

    def world(self, seed: int, *, scale: int = 1) -> premium.PremiumWorld:
        """Make the organisation."""
        return premium.PremiumWorld(seed, scale=scale)

    def source(self, place: str) -> Source:
        """Make the source."""
        return PremiumSource(name="premium", url=place, account=microsoft.account(place), tz="Europe/Paris")


class ServerCertification(SourceCertification):
    """Project Server, which has no way to prove some things.

    A task that moves to another project is another task, who may read sees all projects, and links have no
    count.
    """

    kind = "project-server"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {"increments", "deletions", "worklogs", "renames"}
    )
    cannot: ClassVar[frozenset[Verb]] = frozenset({"counts"})
    private = (server.NOTE,)

    def world(self, seed: int, *, scale: int = 1) -> server.ServerWorld:
        """Make the site."""
        return server.ServerWorld(seed, scale=scale)

    def source(self, place: str) -> Source:
        """Make the source."""
        return ServerSource(
            name="pwa",
            url=f"{place}/pwa",
            user=server.USER,
            password=credential(),
            basic=True,
            custom=("Lot",),
            tz="Europe/Paris",
        )

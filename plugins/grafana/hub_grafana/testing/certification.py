"""The certification of `grafana`: its folder read as Grafana reads it, every file whole or none."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import msgspec

from hub import Destination
from hub.testing.kit import DestinationCertification, FolderPlace, Place
from hub_grafana.destination import PROVISIONING, GrafanaDestination


class Folder(FolderPlace):
    """The folder as Grafana sees it: no table of the feed, which PostgreSQL brings."""

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Read each file: Grafana would refuse one that is cut off."""
        for path in (self.folder / "out" / PROVISIONING).rglob("*"):
            if path.suffix == ".json":
                json.loads(path.read_bytes())["panels"]
            elif path.suffix == ".yaml":
                msgspec.yaml.decode(path.read_bytes())["apiVersion"]
        return {}


class GrafanaCertification(DestinationCertification):
    """The provisioning folder."""

    kind = "grafana"
    tables: ClassVar[frozenset[str]] = frozenset()

    def place(self, folder: Any) -> Place:
        """Make the folder."""
        return Folder(folder)

    def destination(self, place: Place, *, privacy: str) -> Destination:
        """Deliver into a folder of it."""
        return GrafanaDestination(
            name="kit", path=str(place.folder / "out"), host="db.example.org", database="reporting",
            privacy=privacy,  # type: ignore[arg-type]
        )  # fmt: skip

"""The certification of `deck`: papers, not tables, that are whole, private and switched last."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hub import Destination
from hub.testing.kit import DestinationCertification, FolderPlace, Place
from hub_papers.archive import LATEST, MANIFEST, altered
from hub_papers.destination import DeckDestination


class Folder(FolderPlace):
    """The folder as a committee sees it: no table, and files that are what the manifest says."""

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Return no table; a file that is not what was written is an error."""
        root = self.folder / "out" / LATEST
        if (root / MANIFEST).exists():
            json.loads((root / MANIFEST).read_text(encoding="utf-8"))
            if changed := altered(root):
                raise ValueError(f"{', '.join(changed)} are not what the manifest says")
        return {}

    def texts(self) -> str:
        """Return the page's text: that of the slides is compressed, and the same."""
        return "\n".join(path.read_text(encoding="utf-8") for path in sorted(self.folder.rglob("*.html")))


class DeckCertification(DestinationCertification):
    """A folder of papers."""

    kind = "deck"
    tables = frozenset()
    levels = ("bronze", "silver", "gold")

    def place(self, folder: Path) -> Place:
        """Make the folder."""
        return Folder(folder)

    def destination(self, place: Place, *, privacy: str) -> Destination:
        """Deliver into a folder of it."""
        return DeckDestination(
            name="kit", path=str(place.folder / "out"), privacy=privacy,  # type: ignore[arg-type]
            most_projects=2,
        )  # fmt: skip

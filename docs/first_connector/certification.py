"""The simulator of Desk: it answers as the tool does, and can be edited. `Ledger` holds items and worklogs, and knows the verbs."""

from __future__ import annotations

from typing import Any

from hub import Source
from hub.testing.kit import SECRET, SourceCertification, HttpWorld, Item, Ledger, Request, Response, credential, page
from hub_desk.source import DeskSource

SIZE = 20


class DeskWorld(Ledger, HttpWorld):
    """Write it from the tool's documentation, not from the connector: else both make the same mistake."""

    name = "desk"

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        if request.headers.get("x-desk-key") != SECRET:
            return Response(status=401, body={"error": "unauthorized"})
        if request.path != "/v2/tickets":
            return Response(status=404, body={"error": "no such path"})
        changed = [item for item in self.seen() if item.updated >= request.query.get("modified_since", "")]
        rows = page(changed, after=int(request.query.get("cursor") or 0), size=SIZE)
        after = str(rows[-1].native) if rows and rows[-1] is not changed[-1] else None
        return Response(body={"data": [self.show(item) for item in rows], "count": len(changed), "next": after})

    def show(self, item: Item) -> dict[str, Any]:
        """Show an item as the API does."""
        return {
            "uid": item.native, "ref": item.key, "board": item.container, "subject": item.title,
            "state": "closed" if item.done else "open", "planned_minutes": item.hours * 60, "opened": item.created,
            "modified": item.updated,
        }  # fmt: skip

    def requests(self) -> int:
        """Return the plan: one request a page, and one to see the end."""
        return len(self.items) // SIZE + 2

    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return what the store must hold; override `task_fields` where your mapping differs."""
        return {"task": super().truth()["task"]}


class DeskCertification(SourceCertification):
    """Claim what the tool can do. For Gold: `deletions` (yield a Census of ids), `worklogs`, `containers`, `history`."""

    kind = "desk"
    capabilities = frozenset({"increments", "renames"})

    def world(self, seed: int, *, scale: int = 1) -> DeskWorld:
        """Make the simulator."""
        return DeskWorld(seed, scale=scale)

    def source(self, place: str) -> Source:
        """Make the source against it."""
        return DeskSource(name="desk", url=place, token=credential())

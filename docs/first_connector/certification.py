"""The simulator of Tryton: it answers as the tool does, and can be edited. `Ledger` holds items and worklogs, and knows the verbs."""

from __future__ import annotations

import base64
from typing import Any

from hub_tryton.source import TrytonSource

from hub import Moment, Source
from hub.testing.kit import SECRET, RpcWorld, Item, Ledger, Log, Request, Response, SourceCertification, credential, page


class TrytonWorld(Ledger, RpcWorld):
    """Write it from the tool's documentation, not from the connector: else both make the same mistake."""

    name = "tryton"
    absent_fields = ("code",)

    def call(self, request: Request, method: str, params: Any) -> Any:
        """Return the result of one question."""
        if method == "common.db.login":
            return [1, "key"] if params[1]["password"] == SECRET else Response(body={"id": 1, "error": ["LoginException"]})
        if request.headers.get("authorization") != "Session " + base64.b64encode(b"pmo:1:key").decode():
            return Response(status=401, body={"error": "unauthorized"})
        model, _, verb = method.removeprefix("model.").rpartition(".")
        rows = self.found(model, params[0])
        return len(rows) if verb == "search_count" else rows[: params[2]]

    def found(self, model: str, domain: list[Any]) -> list[dict[str, Any]]:
        """Return the rows that a domain lets through, by id."""
        said = {one[0]: one[2] for one in domain if one[0] != "OR"}
        since = next((one[1][2] for one in domain if one[0] == "OR"), {})
        if model == "company.employee":
            rows = [{"id": n, "rec_name": f"Engineer {n}"} for n in (1, 2, 3)]
        elif said.get("type") == "project":
            rows = [{"id": int(n), "rec_name": name} for n, name in self.containers.items()]
        else:
            kept: list[Any] = self.seen() if model == "project.work" else self.seen_logs()
            rows = [self.show(row) for row in kept if [*moment(row.updated).values()] >= [*since.values()]]
        return [row for row in rows if row["id"] > said.get("id", 0)]

    def show(self, row: Item | Log) -> dict[str, Any]:
        """Show a task or a line as Tryton does: what was never edited has no write_date."""
        if isinstance(row, Log):
            return {
                "id": row.native, "employee": row.native % 3 + 1, "date": moment(f"{row.started[:10]}T00:00:00Z"),
                "duration": {"__class__": "timedelta", "seconds": row.hours * 3600}, "create_date": moment(row.updated),
                "write_date": None, "work": 900 + row.item, "work.": {"id": 900 + row.item, "origin": f"project.work,{row.item}"},
            }  # fmt: skip
        return {
            "id": row.native, "name": row.title, "parent": int(row.container), "create_date": moment(row.created),
            "effort_duration": {"__class__": "timedelta", "seconds": row.hours * 3600}, "write_date": moment(row.updated),
            "status": 1, "status.": {"id": 1, "name": "Done" if row.done else "Open", "progress": 1.0 if row.done else None},
        }  # fmt: skip

    def task_fields(self, item: Item) -> dict[str, Any]:
        """Say the status in words too."""
        return super().task_fields(item) | {"status_raw": "Done" if item.done else "Open"}

    def log_fields(self, log: Log) -> dict[str, Any]:
        """Hours are an employee's."""
        return super().log_fields(log) | {"account_id": f"tryton:u{log.native % 3 + 1}"}

    def truth(self) -> dict[str, Any]:
        """Add the employees."""
        return super().truth() | {"account": {f"u{n}": {"display_name": f"Engineer {n}"} for n in (1, 2, 3)}}

    def requests(self) -> int:
        """Return the plan: a request a page of each list, one to see its end, and the same again for the census."""
        pages = len(self.items) // 20 + len(self.logs) // 20
        return 2 * (2 * pages + 8) + 2


class TrytonSourceCertification(SourceCertification):
    """Claim what the tool can do. `history` would be one claim more."""

    kind = "tryton"
    capabilities = frozenset({"increments", "deletions", "worklogs"})

    def world(self, seed: int, *, scale: int = 1) -> TrytonWorld:
        """Make the simulator."""
        return TrytonWorld(seed, scale=scale)

    def source(self, place: str) -> Source:
        """Make the source against it."""
        return TrytonSource(name="tryton", url=f"{place}/pm/", user="pmo", password=credential())


def moment(stamp: str) -> dict[str, Any]:
    """Write an instant, or a day, as Tryton does, in UTC."""
    return {"__class__": "datetime"} | Moment.parts(stamp)

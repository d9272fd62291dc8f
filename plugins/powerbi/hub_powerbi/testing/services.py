"""Simulators of Microsoft's services that a delivery goes to: OneLake, and push models of Power BI."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from hub.testing.kit import Request, Response, microsoft
from hub_powerbi import push

WORKSPACE = "f089354e-8366-4e18-aea3-4cb4a3a50b48"


class OneLake:
    """The part of OneLake's API that a landing zone needs.

    Written from the documentation of Data Lake Storage Gen2.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.uncommitted: dict[str, bytes] = {}
        self.refuses = 0
        self.page = 3

    def answer(self, request: Request) -> Response:
        """Answer as OneLake does."""
        if (signing := microsoft.sign_in(request)) is not None:
            return signing
        if not microsoft.is_signed_in(request):
            return Response(status=401, body={"error": {"code": "InvalidAuthenticationInfo"}})
        if self.refuses:
            return Response(status=self.refuses, body={"error": {"code": "AuthorizationPermissionMismatch"}})
        path, query = unquote(request.path).strip("/"), request.query
        match request.method, query.get("action") or query.get("resource"):
            case "GET", "filesystem":
                return self.listed(path, query)
            case "PUT", "file":
                self.uncommitted[path] = b""
                return Response(status=201, body=b"")
            case "PATCH", "append":
                if int(query["position"]) != len(self.uncommitted[path]):
                    return Response(status=400, body={"error": {"code": "InvalidFlushPosition"}})
                self.uncommitted[path] += request.body
                return Response(status=202, body=b"")
            case "PATCH", "flush":
                if int(query["position"]) != len(self.uncommitted[path]):
                    return Response(status=400, body={"error": {"code": "InvalidFlushPosition"}})
                self.files[path] = self.uncommitted.pop(path)
                return Response(body=b"")
            case "PUT", None:
                self.files[path] = self.files.pop(unquote(request.headers["x-ms-rename-source"]).strip("/"))
                return Response(status=201, body=b"")
            case "DELETE", _:
                gone = [name for name in self.files if name.startswith(f"{path}/")]
                for name in gone:
                    del self.files[name]
                return (
                    Response(body=b"")
                    if gone
                    else Response(status=404, body={"error": {"code": "PathNotFound"}})
                )
        return Response(status=400, body={"error": {"code": "UnsupportedRestVersion"}})

    def listed(self, workspace: str, query: dict[str, str]) -> Response:
        """Return a page of what lies in a folder."""
        root = f"{workspace}/{query['directory']}/"
        inside = sorted(name for name in self.files if name.startswith(root))
        if not inside and "LandingZone/" in query["directory"]:
            return Response(status=404, body={"error": {"code": "PathNotFound"}})
        here = [name for name in inside if "/" not in name.removeprefix(root)]
        start = int(query.get("continuation", 0))
        shown = [
            {"name": name.removeprefix(f"{workspace}/"), "contentLength": str(len(self.files[name]))}
            for name in here[start : start + self.page]
        ]
        folders = [{"name": f"{query['directory']}/_ProcessedFiles", "isDirectory": "true"}]
        more = {"x-ms-continuation": str(start + self.page)} if start + self.page < len(here) else {}
        return Response(body={"paths": shown + folders}, headers=more)


class Workspace:
    """A workspace with push models: tables that take rows and lose all of them at once."""

    def __init__(self) -> None:
        self.models: dict[str, dict[str, Any]] = {}
        self.asked: list[Request] = []

    def answer(self, request: Request) -> Response:
        """Answer as the REST API of Power BI does."""
        if (signing := microsoft.sign_in(request)) is not None:
            return signing
        assert microsoft.is_signed_in(request)
        self.asked.append(request)
        path = unquote(request.path).removeprefix(f"/v1.0/myorg/groups/{WORKSPACE}/datasets").strip("/")
        body = json.loads(request.body) if request.body else {}
        if not path and request.method == "GET":
            return Response(
                body={"value": [{"id": native, "name": one["name"]} for native, one in self.models.items()]}
            )
        if not path:
            assert len(body["tables"]) <= 75
            assert all(len(table["columns"]) <= 75 for table in body["tables"])
            native = f"00000000-0000-4000-8000-{len(self.models):012d}"
            self.models[native] = {
                "name": body["name"],
                "tables": {
                    table["name"]: {"columns": table["columns"], "rows": []} for table in body["tables"]
                },
            }
            return Response(status=201, body={"id": native})
        native, _, rest = path.partition("/")
        if rest == "executeQueries":
            return Response(
                body={
                    "results": [
                        {
                            "tables": [
                                {"rows": [self.evaluated(self.models[native], body["queries"][0]["query"])]}
                            ]
                        }
                    ]
                }
            )
        name = rest.removeprefix("tables/").removesuffix("/rows")
        if name not in self.models[native]["tables"]:
            return Response(status=404, body={"error": {"code": "PowerBIEntityNotFound"}})
        table = self.models[native]["tables"][name]
        if request.method == "PUT":
            table["columns"] = body["columns"]
        elif request.method == "DELETE":
            table["rows"] = []
        else:
            assert len(body["rows"]) <= push.AT_ONCE
            assert {column["name"] for column in table["columns"]} >= set(body["rows"][0])
            table["rows"] += body["rows"]
        return Response(body=b"")

    def evaluated(self, one: dict[str, Any], query: str) -> dict[str, Any]:
        """Return what a query in DAX counts, and the last of each instant."""
        found: dict[str, Any] = {}
        for alias, table, column in re.findall(
            r'"(\w+ \w+)", (?:COUNTROWS|CONVERT\(MAX)\(\'([^\']+)\'(?:\[([^\]]+)\]\), DOUBLE)?\)', query
        ):
            rows = one["tables"][table]["rows"]
            if column:
                last = max((row[column] for row in rows if row[column]), default=None)
                found[f"[{alias}]"] = (
                    (datetime.fromisoformat(last) - datetime(1899, 12, 30)).total_seconds() / 86400
                    if last
                    else None
                )
            else:
                found[f"[{alias}]"] = len(rows) or None
        return found

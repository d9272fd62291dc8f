"""The fields that a site lists, and the objects of Assets that some name."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from hub.testing.kit import Request, Response
from hub_jira.testing.answers import refused

SYSTEM = frozenset({
    "summary", "status", "issuetype", "project", "created", "updated", "resolution", "priority", "assignee",
    "parent", "duedate", "labels", "timeoriginalestimate", "timespent", "timeestimate", "issuelinks",
    "fixVersions", "components", "worklog", "description", "reporter",
    "resolutiondate", "environment", "versions", "comment",
})  # fmt: skip
"""The ids of the fields that every site has."""


class FieldsOfSite:
    """The part of a site that tells its fields."""

    cloud: ClassVar[bool] = True
    field_list: Sequence[dict[str, Any]]
    words: Mapping[str, str] = {}
    """What the account's language calls fields; untranslated names stay beside."""
    objects: Mapping[str, str] = {}
    """What objects of Assets are called, by their ids."""

    def fields(self, _: Request, __: Any) -> Response:
        """List fields with their schema."""
        shown = []
        for one in self.field_list:
            name = self.words.get(one["name"], one["name"])
            more = {"untranslatedName": one["name"]} if self.cloud else {"clauseNames": [one["name"]]}
            shown.append(one | {"name": name} | (more if one["custom"] else {}))
        return Response(body=shown)

    def found_objects(self, space: str, request: Request) -> Response:
        """Return objects of Assets by their ids, as a query names them."""
        asked = re.fullmatch(r"objectId IN \(([\d, ]+)\)", json.loads(request.body)["qlQuery"])
        if asked is None:
            return refused("Invalid AQL")
        ids = [one for one in asked.group(1).split(", ") if one in self.objects]
        size = int(request.query.get("maxResults", 25))
        shown = [{"workspaceId": space, "globalId": f"{space}:{one}", "id": one, "label": self.objects[one],
                  "objectKey": f"ITSM-{one}"} for one in ids[:size]]  # fmt: skip
        return Response(body={"startAt": 0, "maxResults": size, "total": len(ids), "isLast": True,
                              "values": shown})  # fmt: skip


def field_def(native: str, name: str, kind: str, custom: str | None, items: str = "") -> dict[str, Any]:
    """Show a field as the site lists it; *custom* is the schema of a custom one, *items* that of a list."""
    more = {"custom": custom, "customId": int(native[12:])} if custom else {"system": native}
    return {
        "id": native,
        "key": native,
        "name": name,
        "custom": bool(custom),
        "schema": {"type": kind} | ({"items": items} if items else {}) | more,
    }

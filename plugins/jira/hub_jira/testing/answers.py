"""What every answer of a site is made of: pages, refusals, stamps, and how much one holds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from hub.testing.kit import Request, Response

SITE_ZONE = ZoneInfo("Europe/Paris")


class Caps(msgspec.Struct, kw_only=True):
    """How much one answer holds: the documented caps unless a test makes them smaller."""

    ids: int = 5000
    issues: int = 100
    bulk: int = 100
    projects: int = 100
    feed: int = 1000
    bulk_worklogs: int = 1000
    changelog_issues: int = 1000
    changelogs: int = 10_000
    embedded_worklogs: int = 20
    embedded_histories: int = 40
    server: int = 1000


def paged(rows: list[dict[str, Any]], request: Request) -> Response:
    """Show a page of the agile API."""
    start, size = int(request.query.get("startAt", 0)), min(int(request.query.get("maxResults", 50)), 50)
    page = rows[start : start + size]
    last = start + size >= len(rows)
    return Response(body={"startAt": start, "maxResults": size, "isLast": last, "values": page})


def refused(why: str) -> Response:
    """Refuse a question, and say why."""
    return Response(status=400, body={"errorMessages": [why], "errors": {}})


def stamp_of(moment: datetime) -> str:
    """Return an instant with Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def millis(text: str) -> int:
    """Return milliseconds since 1970."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def local(text: str) -> str:
    """Write a stamp as Jira does: in the site's zone, with milliseconds, without a colon in the offset."""
    moment = datetime.fromisoformat(text).astimezone(SITE_ZONE)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000%z")

"""Hear in an answer what a tool says of an end: ``Deprecation``, ``Sunset``, a token's day, warnings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests

from hub.expiry import Ending

_WARNINGS = ("deprecation", "deprecated", "warnings", "warning", "warningMessages", "notices", "messages")
_WORD = re.compile(r"deprecat|sunset|end[- ]of[- ]life|will be removed|will be retired", re.IGNORECASE)
_HEAD = 20_000
"""A warning stands at the beginning or end of an answer; a body of this size is read twice at no cost."""
_TOKEN = "GitHub-Authentication-Token-Expiration"  # noqa: S105 - the name of a header
"""The header that says when the token ends, as ``2027-01-31 17:00:00 UTC`` or with a shift such as -0800."""


def endings(response: requests.Response, place: str) -> Iterator[Ending]:
    """Yield what *response* says of the end of what was asked at *place*, or of the token it was asked with.

    ``Deprecation`` is a date after ``@`` (RFC 9745), or ``true`` and a date of HTTP as its drafts had it;
    ``Sunset`` is a date of HTTP (RFC 8594). A link may say more.
    """
    deprecated, sunset = response.headers.get("Deprecation"), response.headers.get("Sunset")
    if deprecated or sunset:
        ends, since = _moment(sunset), _moment(deprecated)
        links = [
            link["url"]
            for link in requests.utils.parse_header_links(response.headers.get("Link", ""))
            if {"deprecation", "sunset", "successor-version"} & set(link.get("rel", "").split())
        ]
        on = ends or since
        yield Ending(
            place=place, kind="sunset" if ends else "deprecated", on=on.date() if on else None,
            detail=links[0] if links else "",
        )  # fmt: skip
    if token := _moment(response.headers.get(_TOKEN)):
        yield Ending(place=urlsplit(response.url).hostname or place, kind="token", on=token.date())
    for text in _warnings(response):
        yield Ending(place=place, kind="warning", detail=text[:300])


def _moment(value: str | None) -> datetime | None:
    if not value:
        return None
    try:
        if value.startswith("@"):
            return datetime.fromtimestamp(int(value[1:]), UTC)
        if value[:4].isdigit():
            found = datetime.fromisoformat(re.sub(" (?=[+-])", "", value.strip().replace(" UTC", "Z")))
        else:
            found = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError, OSError):
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def _warnings(response: requests.Response) -> Iterator[str]:
    content = response.content
    if len(content) > _HEAD or not _WORD.search(content.decode("utf-8", "replace")):
        return
    try:
        body: Any = msgspec.json.decode(content)
    except msgspec.DecodeError:
        return
    if isinstance(body, dict):
        for name in _WARNINGS:
            for text in _texts(body.get(name)):
                if _WORD.search(text) or name.startswith("deprecat"):
                    yield text


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)

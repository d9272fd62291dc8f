"""What a tool says of its own end: the headers ``Deprecation`` and ``Sunset``, and warnings in answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec
import requests

from hub.words import day, tr

_WARNINGS = ("deprecation", "deprecated", "warnings", "warning", "warningMessages", "notices", "messages")
_WORD = re.compile(r"deprecat|sunset|end[- ]of[- ]life|will be removed|will be retired", re.IGNORECASE)
_HEAD = 20_000
"""A warning stands at the beginning or end of an answer; a body of this size is read twice at no cost."""


def endings(response: requests.Response, place: str) -> Iterator[str]:
    """Yield what *response* says of the end of what was asked at *place*.

    ``Deprecation`` is a date after ``@`` (RFC 9745), or ``true`` and a date of HTTP as its drafts had it;
    ``Sunset`` is a date of HTTP (RFC 8594). A link may say more.
    """
    deprecated, sunset = response.headers.get("Deprecation"), response.headers.get("Sunset")
    if deprecated or sunset:
        ends, since = _moment(sunset), _moment(deprecated)
        said = (
            tr("{place} ends on {day} (its header Sunset)", place=place, day=day(ends.date()))
            if ends
            else tr("{place} is deprecated since {day}", place=place, day=day(since.date()))
            if since and since <= datetime.now(UTC)
            else tr("{place} will be deprecated on {day}", place=place, day=day(since.date()))
            if since
            else tr("{place} is deprecated", place=place)
        )
        links = [
            link["url"]
            for link in requests.utils.parse_header_links(response.headers.get("Link", ""))
            if {"deprecation", "sunset", "successor-version"} & set(link.get("rel", "").split())
        ]
        yield said + (tr(": see {link}", link=links[0]) if links else "")
    for text in _warnings(response):
        yield f"{place}: {text[:300]}"


def _moment(value: str | None) -> datetime | None:
    if not value:
        return None
    try:
        if value.startswith("@"):
            return datetime.fromtimestamp(int(value[1:]), UTC)
        found = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError, OSError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


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

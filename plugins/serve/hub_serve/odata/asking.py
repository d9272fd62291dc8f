"""One request to the service, and what is written of its answer whatever it asks for."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from hub import FeedView
from hub_serve.app import etag, unchanged
from hub_serve.odata.headers import Format
from hub_serve.odata.options import Asked, asked_of
from hub_serve.odata.paths import path_of, root_of
from hub_serve.odata.questions import Question
from hub_serve.odata.writing import Writing

if TYPE_CHECKING:
    from starlette.requests import Request

AT_ONCE = threading.BoundedSemaphore(max(2, os.cpu_count() or 2))
"""Questions that are worked on at once: more would only share the processors, and need memory each."""


class Asking:
    """One request and its options; *version* is that of OData which it is answered in."""

    def __init__(self, request: Request, version: str) -> None:
        """Read the options. Raises `Refused`."""
        self.request, self.version = request, version
        self.headers = request.headers
        self.asked: Asked = asked_of(request.url.query)
        self.root, self.path = root_of(request), path_of(request)

    def tag(self, feed: FeedView) -> str:
        """Return the entity tag of the answer from *feed*."""
        prefer, version = self.headers.get("prefer"), self.version
        return etag(self.request, feed.feed_id, prefer, version, self.headers.get("host"))

    def writing(self, form: Format, feed: FeedView) -> Writing:
        """Return how rows of *feed* are written in *form*."""
        return Writing(
            metadata=form.metadata, as_text=form.as_text,
            root=self.root, feed=feed.feed_id, others=self.asked.others,
        )  # fmt: skip

    def same(self, feed: FeedView) -> Response | None:
        """Return the answer that what the one who asks has is still right, None where it is not."""
        return unchanged(self.request, self.tag(feed))


def one_row(feed: FeedView, question: Question, sql: str) -> tuple[Any, ...]:
    """Return the one row of *sql*, an empty one where there is none."""
    with AT_ONCE:
        found = feed.connection.execute(sql, question.values.of(sql)).fetchone()
    return tuple(found) if found else ()

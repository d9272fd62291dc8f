"""The feed as OData v4 under ``/odata/v4/``, and the files that open it in the tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub_serve.odata.batch import batch
from hub_serve.odata.connect import connect
from hub_serve.odata.posted import posted
from hub_serve.odata.service import answer

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

METHODS = (
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT",
    "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH", "MERGE",
)  # fmt: skip
"""All are answered, with an error of OData where it has none: Office looks for a shared folder."""


def routes() -> list[BaseRoute]:
    """Return the routes of the service."""
    from starlette.routing import Route

    return [
        Route("/odata/v4/$batch", batch, methods=["POST"]),
        Route("/odata/v4/{rest:path}/$query", posted, methods=list(METHODS)),
        Route("/odata/v4", answer, methods=list(METHODS)),
        Route("/odata/v4/{rest:path}", answer, methods=list(METHODS)),
        Route("/connect/{file}", connect),
    ]

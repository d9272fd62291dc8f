"""What the service refuses, as OData says it: a status, a code, a sentence and the place."""

from __future__ import annotations

import json

from starlette.responses import Response

_CODES = {
    400: "BadRequest", 404: "NotFound", 405: "MethodNotAllowed", 406: "NotAcceptable", 410: "Gone",
    413: "ContentTooLarge", 415: "UnsupportedMediaType", 424: "FailedDependency", 501: "NotImplemented",
    503: "ServiceUnavailable",
}  # fmt: skip


class Refused(Exception):
    """A request that cannot be answered; *target* is the option, property or segment that is meant."""

    def __init__(self, status: int, message: str, target: str = "") -> None:
        """Refuse with *status* and the sentence *message*."""
        super().__init__(message)
        self.status, self.target = status, target


def bad(message: str, target: str = "") -> Refused:
    """Return that a request is wrong."""
    return Refused(400, message, target)


def unsupported(message: str, target: str = "") -> Refused:
    """Return that OData has it and this service does not."""
    return Refused(501, message, target)


def as_answer(refused: Refused, version: str = "4.01") -> Response:
    """Return *refused* as the body that OData wants (JSON format 4.01, 21.1)."""
    error = {"code": _CODES[refused.status], "message": str(refused)}
    if refused.target:
        error["target"] = refused.target
    headers = {"odata-version": version}
    if refused.status == 405:
        headers["allow"] = "POST, OPTIONS" if refused.target in {"$batch", "$query"} else "GET, HEAD, OPTIONS"
    return Response(
        json.dumps({"error": error}, ensure_ascii=False), refused.status, headers, "application/json"
    )

"""JSON-RPC, and instants in parts, as ERP systems send them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from hub.errors import SourceDataError, SourceDenied
from hub.http.session import Session
from hub.words import tr


class Moment(msgspec.Struct, frozen=True):
    """An instant in UTC, or a day, part by part: ``{"year": 2026, "month": 3, "day": 29}``."""

    year: int
    month: int
    day: int
    hour: int = 0
    minute: int = 0
    second: int = 0

    @property
    def at(self) -> datetime:
        """Return the instant. Raises ValueError for parts that are none."""
        return datetime(self.year, self.month, self.day, self.hour, self.minute, self.second, tzinfo=UTC)

    @property
    def on(self) -> str:
        """Return the day, as records hold it."""
        return self.at.date().isoformat()

    @classmethod
    def parts(cls, stamp: str) -> dict[str, int]:
        """Return the parts of a stamp or a day of ISO 8601, in UTC, with microseconds of nought."""
        at = datetime.fromisoformat(stamp)
        at = at.astimezone(UTC) if at.tzinfo else at
        found = {name: getattr(at, name) for name in cls.__struct_fields__}
        return found | {"microsecond": 0}


class _Answer(msgspec.Struct):
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: Any = None


_ANSWER = msgspec.json.Decoder(_Answer)


def json_rpc(
    http: Session,
    url: str,
    method: str,
    *params: Any,
    type: Any = Any,  # noqa: A002 - msgspec calls it so
    version: str | None = "2.0",
    denied: tuple[str, ...] = ("Login", "401", "403"),
) -> Any:
    """Ask a method of a tool that speaks JSON-RPC, and return its result as *type*.

    *version* None says none, for tools that know no other keys than id, method and params. An error comes
    with status 200 there. Raises `SourceDenied` where what it says holds one of *denied*, else
    `SourceDataError`; the same for a result of another type.
    """
    body = {"id": 1, "method": method, "params": params} | ({"jsonrpc": version} if version else {})
    answer: _Answer = http.json("POST", url, json=body, decoder=_ANSWER, route=method)
    if answer.error:
        said = f"{answer.error}"[:200]
        kind = SourceDenied if any(word in said for word in denied) else SourceDataError
        raise kind(tr("{method} was answered by an error: {said}", method=method, said=said))
    try:
        return msgspec.json.decode(answer.result, type=type)
    except msgspec.ValidationError as exc:
        raise SourceDataError(
            tr("{method} answers in another shape than expected: {error}", method=method, error=exc)
        ) from exc

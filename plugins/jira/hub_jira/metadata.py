"""What is small of a Jira site: fields, statuses, types, the site and oneself.

The `jira` package reads it over our session.
"""

from __future__ import annotations

from typing import Any, TypeVar

import jira
import msgspec
import requests

from hub import Context, SourceDataError, tr
from hub_jira.wire import API

T = TypeVar("T")


class _Patient:
    """The session that the `jira` package works with: ours, which waits, counts and never retries twice."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.headers: dict[str, str] = {}

    def get(self, url: str, *, params: Any = None, headers: Any = None, **_: Any) -> Any:
        """Ask; a truncated answer is asked again, HTML is told."""
        answer = requests.Response()
        answer.status_code = 200
        answer._content = msgspec.json.encode(self.ctx.http.get_json(url, params=params))
        return answer

    def close(self) -> None:
        """Leave it to the context."""


class Metadata(jira.JIRA):
    """The `jira` package for what is small: fields, statuses, types, the site and oneself."""

    def __init__(self, ctx: Context, base: str) -> None:
        """Ask nothing yet."""
        super().__init__(server=base, options={"check_update": False}, get_server_info=False, max_retries=0)
        self._session = _Patient(ctx)  # type: ignore[assignment]

    def close(self) -> None:
        """Leave the session open: the context closes it."""

    def listed(self, path: str, kind: type[T]) -> T:
        """Return *path* of the API as *kind*. Raises `SourceDataError` when it is of another shape."""
        try:
            return msgspec.convert(self._get_json(path), kind)
        except (msgspec.ValidationError, ValueError) as exc:
            raise SourceDataError(
                tr(
                    "{api}/{path} did not answer as Jira does ({error}): most likely a sign-in page, a "
                    "proxy, or a wrong address. Open the address in a browser, then check url and "
                    "credentials.",
                    api=API,
                    path=path,
                    error=exc,
                )
            ) from exc

"""What Microsoft's services share: a signed session, and lists.

Lists are followed from page to page to their end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import urljoin, urlsplit
from zlib import crc32

import msgspec

from hub import Context, SourceDataError, tr, utc_stamp
from hub_msproject.files.schedule import when

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """A page of a list (OData JSON 4.0, sections 4.5.5 and 4.5.7).

    *next* is where it goes on, *delta* where to ask what changed since.
    """

    value: list[T]
    next: str | None = msgspec.field(default=None, name="@odata.nextLink")
    delta: str | None = msgspec.field(default=None, name="@odata.deltaLink")


Key = Annotated[str, msgspec.Meta(pattern=r"^\S+$")]
"""What names a row: a text, and not an empty one."""
_YEAR = re.compile(r"\d{4}-\d\d-\d\d")


def instant_of(text: str | None, sender: str) -> str | None:
    """Return an instant in the store's form; None for none, and for a year by which tools say that.

    Raises `SourceDataError` for a date of another form than ISO 8601, also for an empty one.
    """
    if text is None or (_YEAR.match(text) and not when(text)):
        return None
    return utc_stamp(text or " ", sender)


class Twice:
    """Tells of rows that come twice, each time otherwise: which one is meant nobody knows."""

    def __init__(self, ctx: Context, name: str) -> None:
        """Take the run, and what the rows are called."""
        self.ctx, self.name = ctx, name
        self._seen: dict[str, int] = {}

    def met(self, key: str, content: bytes) -> bool:
        """Say whether a row is new."""
        new, here = key not in self._seen, crc32(content)
        if self._seen.setdefault(key, here) != here:
            self._seen[key] = here
            said = tr("{name}: the row {key} comes twice, each time otherwise.", name=self.name, key=key)
            self.ctx.report_missing(said)
        return new


class Service:
    """A service under one address."""

    def __init__(self, ctx: Context, root: str) -> None:
        """Ask nothing yet."""
        self.ctx, self.root = ctx, root.rstrip("/")
        self._decoders: dict[Any, msgspec.json.Decoder[Any]] = {}

    def get(self, path: str, shape: type[T], *, route: str | None = None, **kwargs: Any) -> T:
        """Ask for one thing, or for one page by its address."""
        found: T = self.ctx.http.get_json(
            self.address(path), route=route or path, decoder=self.decoder(shape), **kwargs
        )
        return found

    def post(self, path: str, shape: type[T], body: Any, *, route: str | None = None) -> T:
        """Ask with a body."""
        found: T = self.ctx.http.json(
            "POST", self.address(path), route=route or path, decoder=self.decoder(shape), json=body
        )
        return found

    def pages(
        self,
        path: str,
        shape: type[T],
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        route: str | None = None,
    ) -> Iterator[Page[T]]:
        """Return the pages of a list, to the end.

        Raises `SourceDataError` when the service sends to a page twice.
        """
        name = route or path
        kind = Page[shape]  # type: ignore[valid-type]
        page = self.get(path, kind, route=name, params=params, headers=headers)
        asked: set[str] = set()
        here = self.address(path)
        while True:
            self.ctx.raise_if_cancelled()
            yield page
            if not page.next:
                return
            here = self.address(urljoin(here, page.next))
            if here in asked:
                raise SourceDataError(tr("{name}: the service sends to the same page for ever.", name=name))
            asked.add(here)
            page = self.get(here, kind, route=name, headers=headers)

    def rows(self, path: str, shape: type[T], **kwargs: Any) -> Iterator[T]:
        """Return the rows of a list, to the end."""
        for page in self.pages(path, shape, **kwargs):
            yield from page.value

    def address(self, path: str) -> str:
        """Return the address of a path.

        Raises `SourceDataError` for one of another host: it would get what opens this one.
        """
        found = path if path.startswith(("http://", "https://")) else f"{self.root}/{path}"
        if [part.lower() for part in urlsplit(found)[:2]] != [
            part.lower() for part in urlsplit(self.root)[:2]
        ]:
            raise SourceDataError(
                tr(
                    "The service sends us to another host, {hostname}: it was not asked.",
                    hostname=urlsplit(found).hostname,
                )
            )
        return found

    def decoder(self, shape: Any) -> msgspec.json.Decoder[Any]:
        """Return the decoder of a shape, made once."""
        if shape not in self._decoders:
            self._decoders[shape] = msgspec.json.Decoder(shape)
        return self._decoders[shape]


def age_of(ctx: Context, mark: Mapping[str, Any]) -> timedelta:
    """Return how old a mark is; one of the future is too old."""
    age = ctx.now() - datetime.fromisoformat(mark["at"])
    return age if age >= timedelta(0) else timedelta.max

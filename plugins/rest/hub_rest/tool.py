"""A tool over HTTP, as its mapping describes it.

Signing in, and lists paged to the end, held to their totals.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec

from hub import ConfigError, Context, SourceDataError, tr
from hub_rest.mapping import NAME, Mapping, Paging, Wanted, expression, fill

TRIES = 3
BATCH = 1000


class Shifted(Exception):
    """A page does not go on where the one before ended."""


class Page(msgspec.Struct, frozen=True):
    """One page: its rows, and how many there are in all where the tool says so."""

    rows: list[Any]
    total: int | None


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a page begins, in what its list counts by."""

    offset: int = 0
    number: int = 0
    token: Any = None
    address: str = ""


class Tool:
    """The tool over HTTP: it signs in, and pages to the end."""

    def __init__(
        self,
        ctx: Context,
        described: Mapping,
        url: str,
        words: dict[str, str | None],
        *,
        size: int | None = None,
    ) -> None:
        """Sign in with *words*: the settings by name.

        Raises `ConfigError` for what is lacking, `SourceDenied` for what is refused.
        """
        self.ctx, self.described, self.words, self.size = ctx, described, words, size
        self.url = url.rstrip("/")
        self.headers = {"Accept": "application/json"}
        ctx.http.credentials = {}
        ctx.http.credentials = self._sign_in()
        ctx.http.credentials |= self._filled(described.headers)

    def _needed(self, name: str) -> str:
        value = self.words.get(name)
        if not value:
            raise ConfigError(
                tr(
                    "{title} signs in by {kind} and needs {name}: add it to the source.",
                    title=self.described.title,
                    kind=self.described.auth.kind,
                    name=name,
                )
            )
        return value

    def _filled(self, headers: dict[str, str]) -> dict[str, str]:
        return {name: NAME.sub(lambda match: self._needed(match[1]), text) for name, text in headers.items()}

    def _sign_in(self) -> dict[str, str]:
        auth = self.described.auth
        match auth.kind:
            case "basic":
                user = auth.user if auth.user is not None else self._needed("user")
                word = self.words.get("password") or self._needed("token")
                return {"Authorization": "Basic " + base64.b64encode(f"{user}:{word}".encode()).decode()}
            case "bearer":
                return {"Authorization": f"Bearer {self._needed('token')}"}
            case "header":
                return {str(auth.header): self._needed("token")}
            case "oauth2":
                body = {
                    "grant_type": "client_credentials",
                    "client_id": self._needed("client_id"),
                    "client_secret": self._needed("client_secret"),
                }
                body |= {"scope": auth.scope} if auth.scope else {}
                answer = self.ctx.http.json("POST", self.address(fill(auth.url, self.words) or ""), data=body)
                return {"Authorization": f"Bearer {_found(answer, 'access_token', 'the token')}"}
            case "session":
                self.ctx.http.credentials = self._filled(auth.headers)
                answer = self.ctx.http.json("GET", self.address(auth.url or ""))
                return {str(auth.header): str(_found(answer, auth.token or "", tr("the session")))}
        return {}

    def address(self, path: str) -> str:
        """Return the address of a path."""
        return path if path.startswith(("http://", "https://")) else f"{self.url}/{path.lstrip('/')}"

    def get(self, path: str, *, route: str | None = None) -> Any:
        """Ask for one thing."""
        return self.ctx.http.get_json(self.address(path), headers=self.headers, route=route)

    def whole(
        self, one: Wanted, variables: dict[str, Any], *, mark: dict[str, Any] | None = None
    ) -> Iterator[list[Any]]:
        """Return the rows of a list, page by page, to the end.

        Raises `SourceDataError` when it does not hold what its total says, after some tries: it may have
        changed meanwhile.
        """
        find = expression(one.key)
        said = ""
        for attempt in range(TRIES):
            seen: set[int] = set()
            totals: list[int] = []  # pages that overlap prove themselves
            try:
                for page in self.pages(one, variables, mark):
                    if page.total is not None:
                        totals.append(page.total)
                    for row in page.rows:
                        native = find(row)
                        if native is None:
                            raise SourceDataError(
                                tr(
                                    "{name}: a row has nothing at {key!r}, its key.",
                                    name=one.name,
                                    key=one.key,
                                )
                            )
                        if not one.paging.overlap:
                            seen.add(hash(native))
                    for start in range(0, len(page.rows), BATCH):
                        yield page.rows[start : start + BATCH]
            except Shifted as exc:
                said = str(exc)
            else:
                # rows that were added meanwhile may be there or not: the next run asks for them;
                # one that was taken away shifts the pages
                if (
                    not totals
                    or one.paging.overlap
                    or (min(totals) == totals[0] and totals[0] <= len(seen) <= totals[-1])
                ):
                    return
                said = tr(
                    "{name}: {count} different rows came where its total says {totals}",
                    name=one.name,
                    count=len(seen),
                    totals=totals[-1],
                )
            self.ctx.log.info("%s: asked again (%d)", said, attempt + 1)
        raise SourceDataError(
            tr("{said}, {tries} times: nothing was taken as complete.", said=said, tries=TRIES)
        )

    def pages(
        self, one: Wanted, variables: dict[str, Any], mark: dict[str, Any] | None = None
    ) -> Iterator[Page]:
        """Return the pages of a list; *mark* gets the last token."""
        paging, size = one.paging, self.size or one.paging.size
        place: Place | None = Place(number=paging.first, token=variables.get("token"))
        last: str | None = None
        before: list[str] = []
        asked: set[str] = set()
        while place is not None:
            self.ctx.raise_if_cancelled()
            answer, response = self._ask(one, variables | _counted(paging, place, size), place.address)
            rows = _found(answer, one.rows, one.name) if one.rows else answer
            if not isinstance(rows, list):
                raise SourceDataError(
                    tr(
                        "{name}: at {rows} stands no list: the mapping, or the API, is another one.",
                        name=one.name,
                        rows=one.rows or tr("the top"),
                    )
                )
            page = Page(rows, self._total(one, answer, response))
            total = page.total
            if total is not None and paging.kind == "offset" and len(rows) < min(size, total - place.offset):
                raise SourceDataError(
                    tr(
                        "{name}: {count} rows from row {offset} on came of {total}, and {size} were asked "
                        "for: the list is cut.",
                        name=one.name,
                        count=len(rows),
                        offset=place.offset + 1,
                        total=total,
                        size=size,
                    )
                )
            if mark is not None and paging.next and (word := expression(paging.next)(answer)):
                mark["token"] = word
            yield page
            natives = [f"{expression(one.key)(row)}" for row in rows]
            if rows and natives == before:
                raise SourceDataError(
                    tr("{name}: the tool gives the same page again and again.", name=one.name)
                )
            before = natives
            if paging.overlap:
                if last is not None and last not in natives:
                    raise Shifted(tr("{name}: a row went while the list was read", name=one.name))
                last = natives[-1] if natives else last
            place = self._after(one, place, page, size, answer, response)
            if str(place) in asked:
                raise SourceDataError(tr("{name}: the tool sends to the same page for ever.", name=one.name))
            asked.add(str(place))

    def _after(
        self, one: Wanted, place: Place, page: Page, size: int, answer: Any, response: Any
    ) -> Place | None:
        """Return where the page after *page* begins; None after the last."""
        paging, rows, total = one.paging, page.rows, page.total
        if (paging.end and expression(paging.end)(answer)) or (
            paging.more and not expression(paging.more)(answer)
        ):
            return None
        match paging.kind:
            case "none":
                return None
            case "offset" | "page":
                more = len(rows) >= size
                offset = place.offset + len(rows) - (paging.overlap if more else 0)
                if not rows or (offset >= total if total is not None else not more):
                    return None
                return Place(offset=offset, number=place.number + 1)
            case "token":
                token = expression(paging.next or "")(answer)
                return Place(token=token) if token else None
            case "next":
                address = self._next(one, response.url, expression(paging.next or "")(answer))
            case "link":
                address = self._next(one, response.url, response.links.get("next", {}).get("url"))
        return Place(address=address) if address else None

    def _ask(self, one: Wanted, variables: dict[str, Any], address: str) -> Any:
        path = fill(one.path, variables)
        if path is None:
            raise SourceDataError(
                tr("{name}: {path} has a variable without a value.", name=one.name, path=one.path)
            )
        if address:
            return self.ctx.http.answer(one.method, address, headers=self.headers, route=one.path)
        body = {"json": fill(one.body, variables)} if one.body is not None else {}
        return self.ctx.http.answer(
            one.method,
            self.address(path),
            params=fill(one.params | (one.incremental if variables.get("since") else {}), variables),
            headers=self.headers,
            route=one.path,
            **body,
        )

    def _total(self, one: Wanted, answer: Any, response: Any) -> int | None:
        where = one.paging.total
        if where is None:
            return None
        if where.startswith("header:"):  # tools leave it out where counting is dear
            value = response.headers.get(where.removeprefix("header:"), "").rsplit("/", 1)[-1]
            return int(value) if value.isdigit() else None
        value = _found(answer, where, tr("the number of {name}", name=one.name))
        if not isinstance(value, int):
            raise SourceDataError(tr("{name}: the number of rows is {value!r}.", name=one.name, value=value))
        return value

    def _next(self, one: Wanted, here: str, found: Any) -> str:
        """Return the address of the next page: on the same host, since the credentials go with it."""
        if not found:
            return ""
        address = urljoin(here, str(found))
        if urlsplit(address)[:2] != urlsplit(here)[:2]:
            raise SourceDataError(
                tr(
                    "{name}: the next page is said to be on another host, {hostname}: it was not asked for.",
                    name=one.name,
                    hostname=urlsplit(address).hostname,
                )
            )
        return address


def _counted(paging: Paging, place: Place, size: int) -> dict[str, Any]:
    """Return what a request says of the page it asks for."""
    match paging.kind:
        case "offset":
            return {"size": size, "offset": place.offset, "last": place.offset + size - 1}
        case "page":
            return {"size": size, "page": place.number}
        case "token":
            return {"size": size, "token": place.token}
    return {"size": size}


def _found(answer: Any, path: str, what: str) -> Any:
    value = expression(path)(answer)
    if value is None:
        keys = (
            tr("it has {answer}", answer=", ".join(sorted(answer)))
            if isinstance(answer, dict)
            else f"it is {type(answer).__name__}"
        )
        raise SourceDataError(
            tr(
                "The answer has nothing at {path!r}, where {what} should stand; {keys}.",
                path=path,
                what=what,
                keys=keys[:200],
            )
        )
    return value

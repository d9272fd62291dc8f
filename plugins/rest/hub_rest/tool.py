"""A tool over HTTP, as its mapping describes it.

Signing in, and lists paged to the end, held to their totals.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec

from hub import ConfigError, Context, SourceDataError, SourceDenied, SourceForbidden, SourceGone, tr
from hub_rest.mapping import NAME, Mapping, Wanted, expression, fill, fill_path, is_true, parts
from hub_rest.paging import (
    Capped,
    Page,
    Place,
    Shifted,
    check_cap,
    counted,
    first_token,
    holds,
    is_last,
    is_unproven,
    key_of,
    last_key,
    overlap_of,
)

TRIES = 3
BATCH = 1000
IDLE = 100
"""Pages in a row that may bring no new row; ten times as many where rows are taken out of pages."""
_SECRET = ("password", "token", "app_token", "client_secret")


class Refused(Exception):
    """A page is refused that was asked for as the tool itself said; *first*: as an earlier run was told."""

    def __init__(self, said: str, *, first: bool) -> None:
        """Keep what the tool said."""
        super().__init__(said)
        self.first = first


class Lenient:
    """Decodes JSON as some servers write it: with NaN, with half a character, with a mark at its beginning.

    Such a value costs its row then, and not the list. What is broken stays broken.
    """

    def decode(self, content: bytes) -> Any:
        """Decode *content*. Raises `msgspec.DecodeError`."""
        try:
            return msgspec.json.decode(content)
        except msgspec.DecodeError as exc:
            try:
                return _whole_texts(json.loads(content))
            except (ValueError, RecursionError):
                raise exc from None


LENIENT: Any = Lenient()


def _whole_texts(value: Any) -> Any:
    """Replace halves of characters, which no database takes."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_whole_texts(name): _whole_texts(one) for name, one in value.items()}
    return [_whole_texts(one) for one in value] if isinstance(value, list) else value


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
        besides = self._filled(described.headers)
        ctx.http.credentials = self._sign_in() | besides

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
                return {str(auth.header): str(_found(answer, auth.token or "", "the session"))}
        return {}

    def address(self, path: str) -> str:
        """Return the address of a path."""
        return path if path.startswith(("http://", "https://")) else f"{self.url}/{path.lstrip('/')}"

    def get(self, path: str, *, route: str | None = None) -> Any:
        """Ask for one thing."""
        answer = self.ctx.http.get_json(
            self.address(path), headers=self.headers, route=route, decoder=LENIENT
        )
        self._check_refusal(path.partition("?")[0], answer)
        return answer

    def signed_in(self) -> str:
        """Ask who is signed in, where the tool can say it. Raises `SourceDenied` for nobody."""
        path, where = self.described.check, self.described.account
        if not path:
            return ""
        try:
            answer = self.get(path)
        except SourceForbidden:
            if where:
                raise
            return ""  # this account may not read that; each list says for itself what it may
        who = expression(where)(answer) if where else answer
        if not is_true(who):
            raise SourceDenied(
                tr(
                    "{title} answers as to nobody ({path} names no account): what it shows to all is not "
                    "what was asked for. Check the credentials.",
                    title=self.described.title,
                    path=path.partition("?")[0],
                )
            )
        return f"{who}" if where else ""

    def close(self) -> None:
        """End the session where the tool keeps one; that it cannot be ended is no fault of the run."""
        if self.described.auth.end:
            http = self.ctx.http
            try:  # without patience: the run is over, and was stopped perhaps
                http.requests.get(
                    self.address(self.described.auth.end), headers=self.headers | http.credentials,
                    timeout=http.timeout_s, allow_redirects=False,
                ).close()  # fmt: skip
            except OSError as exc:
                self.ctx.log.info("the session was not ended: %s", type(exc).__name__)

    def whole(
        self, one: Wanted, variables: dict[str, Any], *, mark: dict[str, Any] | None = None
    ) -> Iterator[list[Any]]:
        """Return the rows of a list, page by page, to the end.

        *mark* gets the last token, at *said* how many rows the tool counts, and at *anew* whether the token
        of an earlier run was refused, so that the list was read from its start. Raises `SourceDataError` when
        the list does not hold what its total says, after some tries: it may have changed meanwhile.
        """
        mark = {} if mark is None else mark
        said, size, tries, anew = "", None, 0, False
        while tries < TRIES:
            seen: set[int] = set()
            totals: list[int] = []
            mark.clear()
            mark["anew"] = anew
            try:
                for page in self._bounded(one, variables, mark, size, seen):
                    if page.total is not None:
                        totals.append(page.total)
                    for start in range(0, len(page.rows), BATCH):
                        yield page.rows[start : start + BATCH]
            except Shifted as exc:
                said = str(exc)
            except Capped as exc:
                size = exc.size
                self.ctx.log.info("%s: pages have %d rows at most: asked again", one.name, size)
                continue
            except Refused as exc:
                said = tr(
                    "{name}: the tool refuses the next page as it named it itself ({error})",
                    name=one.name,
                    error=exc,
                )
                anew |= exc.first
                variables = variables | {"token": None} if anew else variables
            else:
                if not totals:
                    return
                mark["said"] = len(seen) if min(totals) <= len(seen) <= max(totals) else totals[-1]
                if holds(one.paging, totals, len(seen)):
                    return
                said = tr(
                    "{name}: {count} different rows came where its total says {total}",
                    name=one.name,
                    count=len(seen),
                    total=totals[-1],
                )
            tries += 1
            self.ctx.log.info("%s: asked again (%d)", said, tries)
        raise SourceDataError(
            tr("{said}, {tries} times: nothing was taken as complete.", said=said, tries=TRIES)
        )

    def _bounded(
        self,
        one: Wanted,
        variables: dict[str, Any],
        mark: dict[str, Any],
        size: int | None,
        seen: set[int],
    ) -> Iterator[Page]:
        """Return the pages of a list, as long as they bring new rows; *seen* gets the keys."""
        idle, most = 0, IDLE * 10 if one.paging.holes else IDLE
        for page in self.pages(one, variables, mark=mark, size=size):
            count = len(seen)
            seen.update(map(hash, page.keys))
            idle = 0 if len(seen) > count else idle + 1
            if idle > most:
                raise SourceDataError(
                    tr(
                        "{name}: {idle} pages in a row brought no new row, and the tool names a next one "
                        "each time: nothing was taken as complete.",
                        name=one.name,
                        idle=idle,
                    )
                )
            yield page

    def pages(
        self,
        one: Wanted,
        variables: dict[str, Any],
        *,
        mark: dict[str, Any] | None = None,
        size: int | None = None,
    ) -> Iterator[Page]:
        """Return the pages of a list; *mark* gets the last token.

        *size* rows are asked for at a time; None for what the source or the mapping says.
        """
        paging, asked_for = one.paging, size or self.size or one.paging.size
        place: Place | None = Place(number=paging.first, token=first_token(paging, variables))
        last: str | None = None
        before: Page | None = None
        asked: set[str] = set()
        while place is not None:
            self.ctx.raise_if_cancelled()
            answer, response = self._answered(one, variables, place, asked_for, first=before is None)
            rows = _found(answer, one.rows, one.name) if one.rows else answer
            if not isinstance(rows, list):
                raise SourceDataError(
                    tr(
                        "{name}: at {rows} stands no list: the mapping, or the API, is another one.",
                        name=one.name,
                        rows=one.rows or "the top",
                    )
                )
            page = Page(rows, self._total(one, answer, response), [key_of(one, row) for row in rows])
            if before is not None and rows and page.keys == before.keys:
                if is_unproven(paging, page) and len(rows) < asked_for:
                    return  # it does not page at all: that was everything
                raise SourceDataError(
                    tr("{name}: the tool gives the same page again and again", name=one.name)
                    + (tr(": if it counts pages, say overlap = 0.") if paging.kind == "offset" else ".")
                )
            if paging.kind == "page" and size is None:
                check_cap(page, before, asked_for, place.number - paging.first)
            if last is not None and last not in page.keys:
                raise Shifted(f"{one.name}: a row went while the list was read")
            if mark is not None and paging.next and (word := expression(paging.next)(answer)):
                mark["token"] = word
            yield page
            overlap = overlap_of(paging, page, asked_for)
            last = page.keys[-1] if overlap else None
            if before is not None and is_unproven(paging, page) and set(page.keys) <= set(before.keys):
                return  # the proof that nothing follows
            before = page if rows else before
            place = self._after(one, place, page, asked_for, overlap, answer, response)
            if str(place) in asked:
                raise SourceDataError(tr("{name}: the tool sends to the same page for ever.", name=one.name))
            asked.add(str(place))

    def _after(
        self, one: Wanted, place: Place, page: Page, size: int, overlap: int, answer: Any, response: Any
    ) -> Place | None:
        """Return where the page after *page* begins; None after the last."""
        paging = one.paging
        if (paging.end and expression(paging.end)(answer)) or (
            paging.more and not expression(paging.more)(answer)
        ):
            return None
        match paging.kind:
            case "none":
                return None
            case "offset" | "page" | "after":
                step = size if paging.holes else len(page.rows)
                if is_last(paging, page, place.offset + step):
                    return None
                if paging.kind == "after":
                    return Place(token=last_key(one, page.rows))
                return Place(offset=place.offset + step - overlap, number=place.number + 1)
            case "token":
                token = expression(paging.next or "")(answer)
                return Place(token=token) if token else None
            case "next":
                address = self._next(one, response.url, expression(paging.next or "")(answer))
            case "link":
                address = self._next(one, response.url, response.links.get("next", {}).get("url"))
        return Place(address=address) if address else None

    def _answered(
        self, one: Wanted, variables: dict[str, Any], place: Place, size: int, *, first: bool
    ) -> tuple[Any, Any]:
        """Ask for a page. Raises `Refused` for one that was asked for as the tool itself named it."""
        try:
            answer, response = self._ask(one, variables | counted(one.paging, place, size), place.address)
            self._check_refusal(one.name, answer, one.rows)
        except (SourceGone, SourceDataError) as exc:
            if place.address or (one.paging.kind == "token" and place.token):
                raise Refused(str(exc), first=first) from exc
            raise
        return answer, response

    def _check_refusal(self, what: str, answer: Any, rows: str = "") -> None:
        """Raise `SourceDataError` for an answer that says by itself that it is none, with or without rows."""
        if not isinstance(answer, dict):
            return
        named = {path[0] for path in parts(rows) if path} if rows else set()
        for name in ("errors", "error"):
            if is_true(answer.get(name)) and name not in named:
                said = " ".join(dict.fromkeys(_texts(answer[name]))) or f"{answer[name]}"
                said = self._without_secrets(said)[:300]
                raise SourceDataError(
                    tr(
                        "{what}: {title} answers with an error: {said}",
                        what=what,
                        title=self.described.title,
                        said=said,
                    )
                )

    def _without_secrets(self, text: str) -> str:
        given = [self.words.get(name) for name in _SECRET]
        for secret in filter(None, [*given, *" ".join(self.ctx.http.credentials.values()).split()]):
            text = text.replace(secret, "…") if len(secret) > 3 else text
        return text

    def _ask(self, one: Wanted, variables: dict[str, Any], address: str) -> Any:
        path = fill_path(one.path, variables)
        if path is None:
            raise SourceDataError(
                tr("{name}: {path} has a variable without a value.", name=one.name, path=one.path)
            )
        if address:
            return self.ctx.http.answer(
                one.method, address, headers=self.headers, route=one.path, decoder=LENIENT
            )
        body = {"json": fill(one.body, variables)} if one.body is not None else {}
        return self.ctx.http.answer(
            one.method,
            self.address(path),
            params=fill(one.params | (one.incremental if variables.get("since") else {}), variables),
            headers=self.headers,
            route=one.path,
            decoder=LENIENT,
            **body,
        )

    def _total(self, one: Wanted, answer: Any, response: Any) -> int | None:
        where = one.paging.total
        if where is None:
            return None
        if where.startswith("header:"):  # tools leave it out where counting is dear
            value = response.headers.get(where.removeprefix("header:"), "").rsplit("/", 1)[-1]
            return int(value) if value.isdigit() else None
        value = _found(answer, where, f"the number of {one.name}")
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


def _texts(value: Any) -> list[str]:
    """Return what an error says, wherever it says it."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        told = [value[name] for name in ("message", "detail", "title", "description") if value.get(name)]
        value = told or list(value.values())
    return [text for one in value for text in _texts(one)] if isinstance(value, list) else []


def _found(answer: Any, path: str, what: str) -> Any:
    value = expression(path)(answer)
    if value is None:
        keys = (
            f"it has {', '.join(sorted(answer))}"
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

"""A tool over HTTP, as its mapping describes it.

Signing in, and lists paged to the end, held to their totals.
"""

from __future__ import annotations

import base64
import json
from array import array
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from urllib.parse import urljoin, urlsplit

from hub import (
    ConfigError,
    Context,
    SourceDataError,
    SourceDenied,
    SourceError,
    SourceForbidden,
    SourceGone,
    complaint,
    sign_in_client,
    tr,
)  # fmt: skip
from hub_rest.mapping import GIVEN, NAME, Mapping, Wanted, fill, fill_path, is_true, texts_of
from hub_rest.paging import (
    KEYED,
    Capped,
    Page,
    Place,
    Shifted,
    check_cap,
    counted,
    ended,
    first_token,
    holds,
    is_last,
    is_unproven,
    key_of,
    names_next,
    next_key,
    overlap_of,
    said_next,
    unfolded,
    usual_total,
)
from hub_rest.paths import expression, places

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


_OUTCOMES = ("success", "ok", "succeeded", "successful")
_FAILED = frozenset({"error", "fail", "failed", "failure"})
_FAULTS = ("exception", "fault", "errormessage", "error_message", "errormessages")
_STATUSES = ("status", "statuscode", "status_code", "code", "httpstatus")
"""Names, in lower case, under which answers say that they failed."""


def _says_no(answer: dict[str, Any], rows: str, named: set[str]) -> bool:
    """Say whether what lies around the rows of a list says that it failed.

    One thing may have failed by its own nature, such as a build: it has an id. A number such as 401 may be
    anything beside rows; where none are it is the status of the answer.
    """
    if not rows or "id" in answer:
        return False
    told = {f"{name}".lower(): value for name, value in answer.items() if name not in named}
    if any(told.get(name) is not None and not is_true(told[name]) for name in _OUTCOMES):
        return True
    status = told.get("status")
    if isinstance(status, str) and status.casefold() in _FAILED:
        return True
    return not any(answer.get(name) for name in named) and (
        any(is_true(told.get(name)) for name in _FAULTS)
        or any(_is_refusal(told.get(name)) for name in _STATUSES)
    )


def _is_refusal(status: Any) -> bool:
    """Say whether a status in an answer is that of a refusal in HTTP."""
    text = f"{status}"
    return not isinstance(status, bool) and text.isdecimal() and 400 <= int(text) <= 599 and len(text) == 3


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
        self.session: Any = None
        ctx.http.credentials = {}
        besides = self._filled(described.headers)

        def sign_in() -> None:
            ctx.http.credentials = self._sign_in() | besides

        auth = described.auth
        if auth.kind == "oauth2":
            sign_in_client(
                ctx.http, self.address(fill(auth.url, words) or ""), client_id=self._needed("client_id"),
                client_secret=self._needed("client_secret"), scope=auth.scope, besides=besides,
            )  # fmt: skip
            return
        sign_in()
        if auth.kind == "session":
            ctx.http.renew = sign_in

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

    def _given(self, name: str) -> Any:
        """Return a variable that the settings give, or signing in gave. Raises `ConfigError` for none."""
        return self.session if name == "session" else self._needed("token" if name == "secret" else name)

    def _filled(self, headers: dict[str, str]) -> dict[str, str]:
        return {name: NAME.sub(lambda match: self._word(match[1]), text) for name, text in headers.items()}

    def _word(self, name: str) -> str:
        if name == "basic":
            return base64.b64encode(f"{self._needed('user')}:{self._needed('password')}".encode()).decode()
        return self._needed(name)

    def _sign_in(self) -> dict[str, str]:
        auth = self.described.auth
        match auth.kind:
            case "basic":
                user = self._needed("user") if auth.user is None else self._filled({"": auth.user})[""]
                if auth.password is not None:
                    word = self._filled({"": auth.password})[""]
                else:
                    word = self.words.get("password") or self._needed("token")
                return {"Authorization": "Basic " + base64.b64encode(f"{user}:{word}".encode()).decode()}
            case "bearer":
                return {"Authorization": f"Bearer {self._needed('token')}"}
            case "header":
                return {str(auth.header): self._needed("token")}
            case "session":
                self.ctx.http.credentials = self._filled(auth.headers)
                url = self.address((auth.url or "").replace("{host}", urlsplit(self.url).netloc))
                if auth.body is None:
                    answer = self.ctx.http.json("GET", url)
                else:
                    named = {name for text in texts_of(auth.body) for name in NAME.findall(text)}
                    body = fill(auth.body, self.words | {name: self._needed(name) for name in named})
                    sent = {"json": body} if auth.encoding == "json" else {"data": body}
                    answer = self.ctx.http.json("POST", url, **sent)
                self._check_refusal(auth.url or "", answer)
                self.session = _found(answer, auth.token or "", "the session")
                if not is_true(self.session):  # some tools answer a wrong password with false
                    raise SourceDenied(tr("{title} refuses the credentials.", title=self.described.title))
                return {auth.header: f"{auth.scheme} {self.session}".strip()} if auth.header else {}
        return {}

    def address(self, path: str) -> str:
        """Return the address of a path."""
        return path if path.startswith(("http://", "https://")) else f"{self.url}/{path.lstrip('/')}"

    def get(self, path: str, *, route: str | None = None) -> Any:
        """Ask for one thing."""
        answer = self.ctx.http.get_json(self.address(path), headers=self.headers, route=route)
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

    def hear_of_token(self) -> None:
        """Ask when the token ends, where the tool can say it; that it may not be asked is no fault."""
        path, where = self.described.token, self.described.token_ends
        if not path or not where:
            return
        try:
            said = str(expression(where)(self.get(path)) or "")
            on = date.fromisoformat(said[:10])
        except (SourceError, TypeError, ValueError):  # a token of another kind, or one without an end
            return
        self.ctx.http.hear_of_token(self.address(path), on)

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
        self,
        one: Wanted,
        variables: dict[str, Any],
        *,
        mark: dict[str, Any] | None = None,
        until: Callable[[list[Any]], bool] | None = None,
    ) -> Iterator[list[Any]]:
        """Return the rows of a list, page by page, to the end, or to the page of which *until* is true.

        *mark* gets the last token, at *said* how many rows the tool counts, and at *anew* whether the token
        of an earlier run was refused, so that the list was read from its start. Raises `SourceDataError` when
        the list does not hold what its total says, after some tries: it may have changed meanwhile.
        """
        mark = {} if mark is None else mark
        said, size, tries, anew = "", None, 0, False
        former: array[int] | None = None
        while tries < TRIES:
            seen: set[int] = set()
            count, is_cut = 0, False
            totals: list[int] = []
            usual: list[tuple[int, str]] = []
            mark.clear()
            mark["anew"] = anew
            try:
                for page in self._bounded(one, variables, mark, size, seen):
                    count += bool(page.rows)
                    if page.total is not None:
                        totals.append(page.total)
                    usual.append(page.counted[::-1])
                    rows = unfolded(one, page.rows)
                    for start in range(0, len(rows), BATCH):
                        yield rows[start : start + BATCH]
                    if until is not None and until(rows):
                        is_cut = True
                        break
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
                if (
                    not totals
                    and one.paging.twice
                    and count > 1
                    and not is_cut
                    and not (former and seen.issuperset(former))
                ):
                    lost = former is not None
                    former, said = array("q", seen), tr("{name}: two readings of it differ", name=one.name)
                    tries += lost
                    continue
                if not totals and not is_cut and (lacking := _lacking(one, variables, usual, len(seen))):
                    said = lacking
                    tries += 1
                    self.ctx.log.info("%s: asked again (%d)", said, tries)
                    continue
                if not totals or (is_cut and min(totals) >= totals[0]):
                    return  # of a list that was not read to its end, the total only says that none went
                if not one.is_nested:
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
            top = one.steps[0]
            rows = _found(answer, top, one.name) if top else answer
            if not isinstance(rows, list):
                raise SourceDataError(
                    tr(
                        "{name}: at {rows} stands no list: the mapping, or the API, is another one.",
                        name=one.name,
                        rows=top or "the top",
                    )
                )
            told = unfolded(one, rows) if len(one.steps) > 1 else rows
            total = self._total(one, answer, response)
            counted_there = ("", 0) if total is not None else usual_total(answer, response)
            keys = [key_of(one, row) for row in told]
            page = Page(rows, total, keys, ended(paging, answer), counted_there)
            if before is not None and rows and page.keys == before.keys:
                if is_unproven(paging, page) and len(rows) < asked_for and not names_next(answer, response):
                    return  # it does not page at all: that was everything
                raise SourceDataError(
                    tr("{name}: the tool gives the same page again and again", name=one.name)
                    + (tr(": if it counts pages, say overlap = 0.") if paging.kind == "offset" else ".")
                )
            if paging.kind == "page" and size is None:
                check_cap(page, before, asked_for, place.number - paging.first)
            if last is not None and last not in page.keys:
                raise Shifted(f"{one.name}: a row went while the list was read")
            if mark is not None and paging.next and (word := said_next(paging, answer, response)):
                mark["token"] = word
            yield page
            overlap = overlap_of(paging, page, asked_for)
            last = page.keys[-1] if overlap else None
            if before is not None and is_unproven(paging, page) and set(page.keys) <= set(before.keys):
                return  # the proof that nothing follows
            before = page if rows else before
            place = self._after(one, place, page, asked_for, overlap, answer, response)
            if str(place) in asked:
                if paging.more and page.ended is None and not page.rows:
                    return  # it leaves out the word where nothing follows, and names itself
                raise SourceDataError(tr("{name}: the tool sends to the same page for ever.", name=one.name))
            asked.add(str(place))

    def _after(
        self, one: Wanted, place: Place, page: Page, size: int, overlap: int, answer: Any, response: Any
    ) -> Place | None:
        """Return where the page after *page* begins; None after the last."""
        paging = one.paging
        if page.ended:
            return None
        address = ""
        match paging.kind:
            case "none":
                pass
            case "offset" | "page" | "after" | "before":
                step = size if paging.holes else len(page.rows)
                # where the answer names a next page, one more question shows whether there is one
                if is_last(paging, page, place.offset + step) and not (
                    page.rows and names_next(answer, response)
                ):
                    return None
                if paging.kind in KEYED:
                    return Place(token=next_key(one, page.rows))
                return Place(offset=place.offset + step - overlap, number=place.number + 1)
            case "token":
                if token := said_next(paging, answer, response):
                    return Place(token=token)
            case "next":
                address = self._next(one, response.url, said_next(paging, answer, response))
            case "link":
                address = self._next(one, response.url, response.links.get("next", {}).get("url"))
        if not address and not paging.resume and (named := names_next(answer, response)):
            raise SourceDataError(
                tr(
                    "{name}: the answer names a next page at {named!r}, and the mapping does not go there: "
                    "its paging, or where its next page stands, is another one. Nothing was taken as "
                    "complete.",
                    name=one.name,
                    named=named,
                )
            )
        if (
            paging.kind == "none"
            and paging.total is None
            and page.counted[1] > max(len(page.rows), len(page.keys))
        ):
            raise SourceDataError(
                tr(
                    "{name}: the answer counts more rows at {named!r} than it holds, and the mapping asks "
                    "for no further page: say its paging. Nothing was taken as complete.",
                    name=one.name,
                    named=page.counted[0],
                )
            )
        total = answer.get("total") if isinstance(answer, dict) else None
        if paging.kind == "none" and type(total) is int and total > len(page.rows):
            self.ctx.note(
                tr(
                    "{name}: the answer says total = {total} beside {count} rows: if it counts rows, say the "
                    "paging of the list",
                    name=one.name, total=total, count=len(page.rows),
                )
            )  # fmt: skip
        return Place(address=address) if address else None

    def _answered(
        self, one: Wanted, variables: dict[str, Any], place: Place, size: int, *, first: bool
    ) -> tuple[Any, Any]:
        """Ask for a page. Raises `Refused` for one that was asked for as the tool itself named it."""
        try:
            answer, response = self._ask(one, variables | counted(one.paging, place, size), place.address)
            if response.status_code == 204 and not one.steps[0]:
                answer = []  # nothing is there
            if response.status_code == 202 or (response.status_code == 206 and one.paging.kind == "none"):
                raise SourceDataError(
                    tr(
                        "{what}: {title} answers {status}, which is only a part of the rows or none yet: "
                        "nothing was taken as complete.",
                        what=one.name,
                        title=self.described.title,
                        status=response.status_code,
                    )
                )
            self._check_refusal(one.name, answer, one.steps[0])
        except (SourceGone, SourceDataError) as exc:
            if place.address or (one.paging.kind == "token" and place.token):
                raise Refused(str(exc), first=first) from exc
            raise
        return answer, response

    def _check_refusal(self, what: str, answer: Any, rows: str = "") -> None:
        """Raise `SourceDataError` for an answer that says by itself that it is none, with or without rows."""
        if not isinstance(answer, dict):
            return
        named = {place[0] for place in places(rows)[0]} if rows else set()
        said = complaint(answer, frozenset(named))
        refused = self.described.refused
        if (refused and is_true(expression(refused)(answer))) or _says_no(answer, rows, named):
            said = said or complaint({"error": {name: answer[name] for name in answer if name not in named}})
        if said:
            raise SourceDataError(
                tr(
                    "{what}: {title} answers with an error: {said}",
                    what=what,
                    title=self.described.title,
                    said=self._without_secrets(said)[:300],
                )
            )

    def _without_secrets(self, text: str) -> str:
        given = [*(self.words.get(name) for name in _SECRET), f"{self.session or ''}"]
        for secret in filter(None, [*given, *" ".join(self.ctx.http.credentials.values()).split()]):
            text = text.replace(secret, "…") if len(secret) > 3 else text
        return text

    def _ask(self, one: Wanted, variables: dict[str, Any], address: str) -> Any:
        if address and one.method == "GET":
            return self.ctx.http.answer(one.method, address, headers=self.headers, route=one.path, also={204})
        since = variables.get("since")
        params = one.params | (one.incremental if since else {})
        body = one.body
        if body is not None and since and one.incremental_body:
            body = merged(body, one.incremental_body)
        named = {name for text in texts_of((one.path, params, body)) for name in NAME.findall(text)}
        variables = {name: self._given(name) for name in named & GIVEN} | variables
        path = fill_path(one.path, variables)
        if path is None:
            raise SourceDataError(
                tr("{name}: {path} has a variable without a value.", name=one.name, path=one.path)
            )
        sent: dict[str, Any] = {}
        if body is not None:
            filled = fill(body, variables) or {}
            sent = {"json": filled} if one.encoding == "json" else {"data": _form(filled)}
        return self.ctx.http.answer(
            one.method,
            address or self.address(path),
            params={} if address else fill(params, variables) or {},
            headers=self.headers,
            route=one.path,
            also={204},
            **sent,
        )

    def _total(self, one: Wanted, answer: Any, response: Any) -> int | None:
        where = one.paging.total
        if where is None:
            return None
        if where.startswith("header:"):  # tools leave it out where counting is dear
            value = response.headers.get(where.removeprefix("header:"), "").rsplit("/", 1)[-1]
            return int(value) if value.isdigit() else None
        value = _found(answer, where, f"the number of {one.name}")
        if isinstance(value, str) and value.isdecimal():
            return int(value)
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


def _lacking(one: Wanted, variables: dict[str, Any], usual: list[tuple[int, str]], count: int) -> str:
    """Say that answers count more rows than all their pages held, though the mapping asks for no total.

    The least that they count, since rows may have gone meanwhile; a question for what changed may count all.
    """
    told = [pair for pair in usual if pair[1]]
    if not told or variables.get("since") or one.paging.resume or one.is_nested or min(told)[0] <= count:
        return ""
    total, where = min(told)
    return tr(
        "{name}: {count} different rows came, and the answer counts {total} at {where!r}",
        name=one.name,
        count=count,
        total=total,
        where=where,
    )


def merged(body: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Return a body with *more* in it; tables of both are merged."""
    both = {
        name: merged(body[name], one) if isinstance(one, dict) and isinstance(body.get(name), dict) else one
        for name, one in more.items()
    }
    return body | both


def _form(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body as a form has it: what is more than a text is written as JSON."""
    return {
        name: one if isinstance(one, str | int | float) and not isinstance(one, bool) else json.dumps(one)
        for name, one in body.items()
    }


def _found(answer: Any, path: str, what: str) -> Any:
    try:
        value = expression(path)(answer)
    except TypeError:
        value = None
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

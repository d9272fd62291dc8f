"""One Jira site and the questions that can be asked of it: Cloud and Data Center behind the same verbs."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any, Literal, TypeVar

import msgspec

from hub import (
    ConfigError,
    Context,
    Secret,
    SourceDataError,
    SourceDenied,
    named,
    sign_in_client,
    tr,
)  # fmt: skip
from hub_jira import wire
from hub_jira.fields import FieldDef
from hub_jira.wire import API

T = TypeVar("T")
GATEWAY = "https://api.atlassian.com/ex/jira"
LOGIN = "https://auth.atlassian.com/oauth/token"
IDS, ISSUES, CHANGELOG_ISSUES, CHANGELOGS, FEED, SERVER_PAGE = 5000, 100, 1000, 10_000, 1000, 500
CHANGELOG_FIELDS, FEW, KEYS = 10, 20, 50
Each = Literal["there", "hidden", "gone", "unknown"]
"""What Jira says of one issue that it is asked for by its id."""
Deployment = Literal["auto", "cloud", "datacenter"]


def _decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    return msgspec.json.Decoder(kind)


_FOUND, _FOUND_IDS, _COUNT, _BULK, _BULK_LOG = (
    _decoder(wire.Found),
    _decoder(wire.FoundIds),
    _decoder(wire.Count),
    _decoder(wire.Bulk),
    _decoder(wire.BulkLog),
)
_PAGE, _PAGE_IDS, _PROJECTS, _PROJECT_LIST = (
    _decoder(wire.Page), _decoder(wire.PageIds), _decoder(wire.Projects), _decoder(list[wire.Project]),
)  # fmt: skip
_BULK_BARE = _decoder(wire.BulkBare)
_FEED, _LOGS, _LOGS_OF = _decoder(wire.Feed), _decoder(list[msgspec.Raw]), _decoder(wire.Worklogs)


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """How to sign in to Jira.

    E-mail and API token (Cloud), a token alone (Data Center, or Cloud through the gateway), or a client of
    OAuth 2.0.
    """

    url: str
    token: Secret | None = None
    email: str | None = None
    cloud_id: str | None = None
    client_id: str | None = None
    client_secret: Secret | None = None


def together(*asks: Callable[[], Any]) -> list[Any]:
    """Ask several things at once and return the answers in order.

    Raises the error of the first that failed.
    """
    with ThreadPoolExecutor(max(1, len(asks))) as pool:
        return [future.result() for future in [pool.submit(ask) for ask in asks]]


def ahead(ask: Callable[[], T]) -> Callable[[], T]:
    """Begin to ask, and return what waits for the answer, or raises what was raised."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(ask)
    pool.shutdown(wait=False)
    return future.result


class Site:
    """A site as one run sees it; safe to use from several threads."""

    def __init__(self, ctx: Context, access: Access, deployment: Deployment) -> None:
        """Sign in lazily; ask for nothing but a token of OAuth."""
        self.ctx = ctx
        self.base = f"{GATEWAY}/{access.cloud_id}" if access.cloud_id else access.url.rstrip("/")
        _sign_in(ctx, access)
        from hub_jira.metadata import Metadata  # the `jira` package loads where a site is asked

        self.metadata = Metadata(ctx, self.base)
        self._deployment = deployment
        self._server: wire.Server | None = None
        self._me: wire.Person | None = None
        self._fields: list[FieldDef] | None = None
        self._types: list[wire.Kind] | None = None
        self._projects: list[wire.Project] | None = None
        self.keys: dict[str, str] = {}
        """The ids of issues by their keys, as far as they were met; empty for one that is not there."""
        self.objects: dict[str, str] = {}
        """What objects of Assets are called, by their workspace and id."""
        self.gateway = self.base if access.cloud_id else f"{self.base}/gateway/api"
        self._lock, self._asking = threading.Lock(), threading.Lock()

    def server(self) -> wire.Server:
        """Ask who the site is, once."""
        with self._asking:
            if self._server is None:
                self._server = self.listed("serverInfo", wire.Server)
            return self._server

    def me(self, *, again: bool = False) -> wire.Person:
        """Return who is signed in, asked once a run, or *again*.

        A token that expired is answered like a visitor, who sees nothing: every list is empty then, and
        well. Raises `SourceDenied` for nobody.
        """
        with self._lock:
            if self._me is None or again:
                self._me = self.listed("myself", wire.Person)
            if self._me.native is None:
                raise SourceDenied(
                    tr(
                        "Jira says that nobody is signed in: the token is wrong or has expired. Make a new "
                        "one, and look at email and token."
                    )
                )
            return self._me

    def fields(self) -> list[FieldDef]:
        """Return the fields of the site; asked once a run."""
        if self._fields is None:
            self._fields = self.listed("field", list[FieldDef])
            own = [one for one in self._fields if one.id.startswith("customfield_")]
            if own and not any(one.custom for one in own):
                self.ctx.report_missing(
                    tr("Jira says of no custom field what it is (schema): none but those of a name was found")
                )
        return self._fields

    def types(self) -> list[wire.Kind]:
        """Return the types of issues; asked once a run."""
        if self._types is None:
            self._types = self.listed("issuetype", list[wire.Kind])
        return self._types

    def listed(self, path: str, kind: type[T]) -> T:
        """Return a small list of the site as *kind*. Raises `SourceDataError` for one of another shape."""
        return self.metadata.listed(path, kind)

    @property
    def cloud(self) -> bool:
        """Say whether this is Cloud."""
        if self._deployment == "auto":
            return self.server().deployment_type == "Cloud"
        return self._deployment == "cloud"

    def get(self, path: str, decoder: Any, **params: Any) -> Any:
        """Return what a path of the API answers."""
        return self.ctx.http.get_json(f"{self.base}{API}{path}", params=params, decoder=decoder)

    def post(self, path: str, decoder: Any, body: dict[str, Any]) -> Any:
        """Return what a path of the API answers to a body."""
        return self.ctx.http.json("POST", f"{self.base}{API}{path}", decoder=decoder, json=body)

    # ---------- projects ----------

    def projects(self) -> list[wire.Project]:
        """Return the projects that may be seen, archived and deleted ones among them; asked once a run."""
        if self._projects is None:
            self._projects = self._list_projects()
        return self._projects

    def named(self, keys: Sequence[str]) -> list[wire.Project]:
        """Return the projects of *keys* that may be seen, and perhaps others."""
        if self._projects is not None or not self.cloud or len(keys) > KEYS:
            return self.projects()
        return self._list_projects(keys)

    def _list_projects(self, keys: Sequence[str] = ()) -> list[wire.Project]:
        if not self.cloud:
            found: list[wire.Project] = self.get("/project", _PROJECT_LIST, includeArchived="true")
            return found
        rows: dict[str, wire.Project] = {}
        start = 0
        while True:
            page: wire.Projects = self.get(
                "/project/search", _PROJECTS, startAt=start, maxResults=100, status="live,archived,deleted",
                **({"keys": list(keys)} if keys else {}),
            )  # fmt: skip
            before = len(rows)
            rows |= {one.id: one for one in page.values}
            start += len(page.values)
            if page.is_last:
                break
            if len(rows) == before:
                raise SourceDataError(tr("/project/search brings no new project before its last page."))
        if page.total is not None and len(rows) < page.total:
            raise SourceDataError(
                tr(
                    "/project/search: {count} projects came, Jira counts {total}.",
                    count=len(rows),
                    total=page.total,
                )
            )
        return list(rows.values())

    # ---------- ids ----------

    def newest(self, scope: str, names: Sequence[str]) -> wire.Issue | None:
        """Return the issue that changed last."""
        return next(iter(self.page(scope, names, size=1)), None)

    def page(self, scope: str, names: Sequence[str], *, size: int = ISSUES) -> list[wire.Issue]:
        """Return the issues that changed last."""
        return self._search(f"{scope} ORDER BY updated DESC", names, size=size).issues

    def sweep(self, scope: str) -> Iterator[list[str]]:
        """Yield the id of every issue in *scope* once, page by page.

        Raises `SourceDataError` when Jira counts more than ever come.
        """
        return self._sweep_cloud(scope) if self.cloud else self._sweep_server(scope)

    def _sweep_cloud(self, scope: str) -> Iterator[list[str]]:
        found: set[int] = set()
        counts: list[int] = []
        for attempt in range(3):
            # counted first: what is deleted while the pages come makes them too few, and they are read again
            counted: wire.Count = self.post("/search/approximate-count", _COUNT, {"jql": scope})
            before = len(found)
            for page in self._tokens(f"{scope} ORDER BY created ASC, key ASC"):
                yield [one for one in page if int(one) not in found]
                found.update(map(int, page))
            counts.append(counted.count)
            # the count is near, not exact: one that two sweeps cannot reach is an index that lags
            if len(found) >= counted.count or (
                attempt and len(found) == before and counted.count - len(found) <= counted.count // 100
            ):
                return
        raise SourceDataError(
            tr(
                "The search for ids gives {count} issues, Jira counts {counts}. The next run reads "
                "them again.",
                count=len(found),
                counts=counts[-1],
            )
        )

    def _tokens(self, jql: str) -> Iterator[list[str]]:
        seen: set[str] = set()
        token: str | None = None
        while True:
            body: dict[str, Any] = {"jql": jql, "fields": ["id"], "maxResults": IDS} | (
                {"nextPageToken": token} if token else {}
            )
            page: wire.FoundIds = self.post("/search/jql", _FOUND_IDS, body)
            yield list(dict.fromkeys(one.id for one in page.issues))
            token = page.next_page_token
            if not token:
                return
            _only_once(token, seen, "/search/jql")

    def _sweep_server(self, scope: str) -> Iterator[list[str]]:
        """Page by `created`, which never changes; within one instant by offset.

        The total of the first page is what has to come.
        """
        found: set[int] = set()
        for _ in range(3):
            since: int | None = None
            came: set[int] = set()
            offset, total, stale = 0, 0, 0
            while True:
                clause = (
                    f"{scope}{' AND ' if scope else ''}created >= {since}" if since is not None else scope
                )
                page: wire.Page = self.post(
                    "/search",
                    _PAGE,
                    {
                        "jql": f"{clause} ORDER BY created ASC, key ASC",
                        "fields": ["created"],
                        "startAt": offset,
                        "maxResults": 1000,
                    },
                )
                if page.total < len(page.issues):
                    raise SourceDataError(tr("/search shows more issues than it counts."))
                total = max(total, page.total if since is None else 0)
                self.keys.update((str(one.key), one.id) for one in page.issues)
                before = len(came)
                came.update(int(one.id) for one in page.issues)
                yield list(dict.fromkeys(one.id for one in page.issues if int(one.id) not in found))
                found |= came
                if not page.issues or page.start_at + len(page.issues) >= page.total:
                    break
                # a page that begins at a stamp may hold what the one before held, two in a row do not
                stale = 0 if len(came) > before else stale + 1
                if stale > 1:
                    raise SourceDataError(tr("/search brings no new issue before its last page."))
                # what stands behind the last stamp that can be read comes again with the next page
                last = next((at for one in reversed(page.issues) if (at := one.stamp("created"))), since)
                offset = offset + len(page.issues) if last == since else 0
                since = last
            if len(found) >= total:
                return
        raise SourceDataError(
            tr(
                "The search for ids gives {count} issues, Jira counts {total}. The next run reads "
                "them again.",
                count=len(found),
                total=total,
            )
        )

    def matching(self, jql: str) -> list[str]:
        """Return the ids of what *jql* finds, uncounted."""
        pages = self._tokens(jql) if self.cloud else self._sweep_server(jql)
        return sorted(set(chain.from_iterable(pages)), key=int)

    def look_up(self, keys: Sequence[str]) -> None:
        """Learn the ids of issues by their keys; one that may not be seen has none."""
        for start in range(0, len(keys), self.slice):
            part = keys[start : start + self.slice]
            if self.cloud:
                body = {"issueIdsOrKeys": list(part), "fields": ["id"]}
                bulk: wire.BulkBare = self.post("/issue/bulkfetch", _BULK_BARE, body)
                self.keys.update((str(one.key), one.id) for one in bulk.issues)
            else:
                self.keys.update((str(one.key), one.id) for one in self._among("key", part, ("created",)))
            for one in part:
                self.keys.setdefault(one, "")

    def each(self, ids: Sequence[str]) -> dict[str, tuple[Each, str]]:
        """Ask for issues one by one, past the search; return what Jira says, and the project of those there.

        Where Jira's words do not say whether one is hidden or not there at all, they are taken for the
        latter: its project can be browsed.
        """
        return self._each_cloud(ids) if self.cloud else self._each_server(ids)

    def _each_cloud(self, ids: Sequence[str]) -> dict[str, tuple[Each, str]]:
        found: dict[str, tuple[Each, str]] = dict.fromkeys(ids, ("unknown", ""))
        for start in range(0, len(ids), ISSUES):
            body = {"issueIdsOrKeys": list(ids[start : start + ISSUES]), "fields": ["project"]}
            bulk: wire.Bulk = self.post("/issue/bulkfetch", _BULK, body)
            found |= {one.id: ("gone" if not _hides(one.error_message) else "hidden", "")
                      for one in bulk.issue_errors if one.id in found}  # fmt: skip
            found |= {one.id: ("there", _project(one)) for one in bulk.issues if one.id in found}
        return found

    def _each_server(self, ids: Sequence[str]) -> dict[str, tuple[Each, str]]:
        def ask(one: str) -> tuple[Each, str]:
            url = f"{self.base}{API}/issue/{one}"
            answer = self.ctx.http.request(
                "GET", url, route=f"{API}/issue", params={"fields": "project"}, also={403, 404}
            )
            if answer.status_code == 200:
                return "there", _project(msgspec.json.decode(answer.content, type=wire.Issue))
            return ("hidden" if answer.status_code == 403 or _hides(answer.text) else "gone"), ""

        found: dict[str, tuple[Each, str]] = {}
        for start in range(0, len(ids), SERVER_PAGE):
            found |= self._stands(ids[start : start + SERVER_PAGE])
        rest = [one for one in ids if one not in found]
        for start in range(0, len(rest), 4):
            part = rest[start : start + 4]
            asks: list[Callable[[], Any]] = [lambda one=one: ask(one) for one in part]  # type: ignore[misc]
            found |= dict(zip(part, together(*asks), strict=True))
        return found

    def _stands(self, ids: Sequence[str]) -> dict[str, tuple[Each, str]]:
        """Return where those of *ids* stand that a search finds at all: they only moved.

        A site that refuses or answers nothing for the sake of the others says nothing: few are asked alone.
        """
        if len(ids) < FEW:
            return {}
        try:
            rows = self._pages(f"id in ({', '.join(ids)}) ORDER BY id ASC", ("project",), history=False)
        except SourceDataError:
            return {}
        return {one.id: ("there", _project(one)) for one in rows}

    # ---------- issues ----------

    @property
    def slice(self) -> int:
        """Return how many issues one request brings."""
        return ISSUES if self.cloud else SERVER_PAGE

    def issues(self, ids: Sequence[str], names: Sequence[str], *, history: bool) -> list[wire.Issue]:
        """Return issues by id, past the index on Cloud.

        Those that are gone meanwhile are skipped after a second look.
        """
        refused: set[str] = set()
        found = {one.id: one for one in self._issues(ids, names, history=history, refused=refused)}
        if lost := [one for one in ids if one not in found]:
            found |= {one.id: one for one in self._issues(lost, names, history=history, refused=refused)}
        if self.cloud and (silent := [one for one in lost if one not in found and one not in refused]):
            raise SourceDataError(
                tr(
                    "/issue/bulkfetch leaves out {count} issues without a reason, such as {silent}.",
                    count=len(silent),
                    silent=silent[0],
                )
            )
        return [found[one] for one in ids if one in found]

    def _issues(
        self, ids: Sequence[str], names: Sequence[str], *, history: bool, refused: set[str]
    ) -> list[wire.Issue]:
        if self.cloud:
            body: dict[str, Any] = {"issueIdsOrKeys": list(ids), "fields": list(names)} | (
                {"expand": ["changelog"]} if history else {}
            )
            bulk: wire.Bulk = self.post("/issue/bulkfetch", _BULK, body)
            refused |= {one.id for one in bulk.issue_errors}
            return bulk.issues
        return self._among("id", ids, names, history=history)

    def _among(
        self, by: str, asked: Sequence[str], names: Sequence[str], *, history: bool = False
    ) -> list[wire.Issue]:
        """Search for issues by their ids or keys; those that may not be seen are left out."""
        try:
            return self._searched(by, asked, names, history=history)
        except SourceDataError:
            self._search("created >= 0", names, size=1)  # it was not the question that was refused
            return []

    def _searched(
        self, by: str, asked: Sequence[str], names: Sequence[str], *, history: bool = False
    ) -> list[wire.Issue]:
        """Search for issues by their ids or keys.

        One that may not be seen makes some sites refuse them all, and others answer nothing at all: then
        the halves are asked, down to the one. Raises what the site says when it refuses every single one.
        """
        try:
            rows = self._pages(f"{by} in ({', '.join(asked)}) ORDER BY id ASC", names, history=history)
        except SourceDataError:
            if len(asked) == 1:
                raise
            rows = []
        if rows or len(asked) == 1:
            return rows
        refused: SourceDataError | None = None
        middle, answered = len(asked) // 2, False
        for half in (asked[:middle], asked[middle:]):
            try:
                rows += self._searched(by, half, names, history=history)
                answered = True
            except SourceDataError as exc:
                refused = exc
        if refused and not answered:
            raise refused
        return rows

    def _pages(self, jql: str, names: Sequence[str], *, history: bool) -> list[wire.Issue]:
        rows: list[wire.Issue] = []
        while True:
            page: wire.Page = self.post(
                "/search",
                _PAGE,
                {
                    "jql": jql,
                    "fields": list(names),
                    "startAt": len(rows),
                    "maxResults": SERVER_PAGE,
                    "validateQuery": False,
                    **({"expand": ["changelog"]} if history else {}),
                },
            )
            rows += page.issues
            if not page.issues or len(rows) >= page.total:
                return rows

    def changed(
        self, scope: str, since: int, names: Sequence[str], *, history: bool
    ) -> Iterator[list[wire.Issue]]:
        """Yield pages of what changed since *since* (ms), oldest first."""
        clause = f"{scope}{' AND ' if scope else ''}updated >= {since}"
        if self.cloud:
            seen: set[str] = set()
            jql = f"{clause} ORDER BY updated ASC, key ASC"
            page = self._search(jql, names, size=ISSUES, history=history)
            while True:
                yield page.issues
                if not page.next_page_token:
                    return
                _only_once(page.next_page_token, seen, "/search/jql")
                page = self._search(jql, names, size=ISSUES, history=history, token=page.next_page_token)
        # Data Center: rows jump between offset pages when they change, so that each page starts at the last
        # stamp seen
        offset = 0
        while True:
            clause = f"{scope}{' AND ' if scope else ''}updated >= {since}"
            found: wire.Page = self.post(
                "/search",
                _PAGE,
                {
                    "jql": f"{clause} ORDER BY updated ASC, key ASC",
                    "fields": list(names),
                    "startAt": offset,
                    "maxResults": SERVER_PAGE,
                    **({"expand": ["changelog"]} if history else {}),
                },
            )
            yield found.issues
            if not found.issues or found.start_at + len(found.issues) >= found.total:
                return
            last = max(one.stamp("updated") for one in found.issues)
            offset = offset + len(found.issues) if last <= since else 0
            since = max(since, last)

    def _search(
        self,
        jql: str,
        names: Sequence[str],
        *,
        size: int,
        history: bool = False,
        token: str | None = None,
    ) -> wire.Found:
        if not self.cloud:
            page: wire.Page = self.post(
                "/search", _PAGE, {"jql": jql, "fields": list(names), "startAt": 0, "maxResults": size}
            )
            return wire.Found(issues=page.issues, is_last=True)
        body: dict[str, Any] = {"jql": jql, "fields": list(names), "maxResults": size}
        body |= {"nextPageToken": token} if token else {}
        body |= {"expand": "changelog"} if history else {}
        found: wire.Found = self.post("/search/jql", _FOUND, body)
        return found

    def histories(self, ids: Sequence[str], fields: Sequence[str]) -> Iterator[tuple[str, list[msgspec.Raw]]]:
        """Yield the whole history of issues, piece by piece, of the fields with these ids; Cloud only.

        Without *fields* it is of all. More than ten are several requests.
        """
        parts = [fields[at : at + CHANGELOG_FIELDS] for at in range(0, len(fields), CHANGELOG_FIELDS)]
        for start in range(0, len(ids), CHANGELOG_ISSUES):
            for part in parts or [()]:
                body: dict[str, Any] = {
                    "issueIdsOrKeys": list(ids[start : start + CHANGELOG_ISSUES]),
                    "maxResults": CHANGELOGS,
                } | ({"fieldIds": list(part)} if part else {})
                seen: set[str] = set()
                while True:
                    page: wire.BulkLog = self.post("/changelog/bulkfetch", _BULK_LOG, body)
                    yield from ((one.issue_id, one.change_histories) for one in page.issue_change_logs)
                    if not page.next_page_token:
                        break
                    _only_once(page.next_page_token, seen, "/changelog/bulkfetch")
                    body["nextPageToken"] = page.next_page_token

    # ---------- worklogs ----------

    def feed(self, name: Literal["updated", "deleted"], since: int) -> Iterator[list[wire.Changed]]:
        """Yield pages of a worklog feed from *since* (ms, included)."""
        while True:
            page: wire.Feed = self.get(f"/worklog/{name}", _FEED, since=since)
            yield page.values
            if page.last_page:
                return
            until = max([page.until, *(one.updated_time for one in page.values)])
            if until <= since:
                raise SourceDataError(
                    tr(
                        "/worklog/{name} holds more than a page of worklogs stamped {since}: it cannot be "
                        "paged further.",
                        name=name,
                        since=since,
                    )
                )
            since = until

    def worklogs(self, ids: Iterable[int]) -> Iterator[list[msgspec.Raw]]:
        """Yield worklogs by id; those that may not be read are left out by Jira without a word."""
        wanted = list(ids)
        for start in range(0, len(wanted), FEED):
            found: list[msgspec.Raw] = self.post(
                "/worklog/list", _LOGS, {"ids": wanted[start : start + FEED]}
            )
            yield found

    def worklogs_of(self, issue: str) -> tuple[list[msgspec.Raw], int]:
        """Return the worklogs of one issue and how many Jira counts: more than it shows to this account."""
        rows: dict[str, msgspec.Raw] = {}
        while True:
            params = {"startAt": len(rows), "maxResults": 5000} if self.cloud else {}
            page: wire.Worklogs = self.get(f"/issue/{issue}/worklog", _LOGS_OF, **params)
            before = len(rows)
            rows |= {named(one): one for one in page.worklogs}
            if len(rows) >= page.total or len(rows) == before:
                return list(rows.values()), page.total


def _only_once(token: str, seen: set[str], where: str) -> None:
    if token in seen:
        raise SourceDataError(
            tr("{where} gives the same page token twice: it would go on for ever.", where=where)
        )
    seen.add(token)


def _sign_in(ctx: Context, access: Access) -> None:
    """Let the session bring what signs in.

    Raises `ConfigError` when the settings are neither of Cloud nor of Data Center.
    """
    if access.client_id and access.client_secret:
        sign_in_client(
            ctx.http, LOGIN, client_id=access.client_id, client_secret=access.client_secret.reveal(),
            as_json=True,
        )  # fmt: skip
        return
    if access.token is None:
        raise ConfigError(
            tr(
                "Say how to sign in to Jira: email and token (Cloud), token (Data Center), or "
                "client_id, client_secret and cloud_id."
            )
        )
    signs = f"Bearer {access.token.reveal()}"
    if access.email:
        pair = f"{access.email}:{access.token.reveal()}"
        signs = f"Basic {base64.b64encode(pair.encode()).decode()}"
    ctx.http.credentials = {"Authorization": signs}


def _hides(said: str) -> bool:
    """Say whether Jira's words are of a right that lacks, and not of an issue that may not be there."""
    words = said.casefold()
    return "permission" in words and "not exist" not in words


def _project(issue: wire.Issue) -> str:
    """Return the number of the project of an issue; empty where it is not told."""
    try:
        return str(msgspec.json.decode(issue.fields)["project"]["id"])
    except (msgspec.DecodeError, LookupError, TypeError):
        return ""

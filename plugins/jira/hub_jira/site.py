"""One Jira site and the questions that can be asked of it: Cloud and Data Center behind the same verbs."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, TypeVar

import msgspec

from hub import ConfigError, Container, Context, Secret, SourceDataError, TaskChange, Worklog, named, tr
from hub_jira import wire
from hub_jira.wire import API

T = TypeVar("T")
GATEWAY = "https://api.atlassian.com/ex/jira"
LOGIN = "https://auth.atlassian.com/oauth/token"
IDS, ISSUES, CHANGELOG_ISSUES, CHANGELOGS, FEED, SERVER_PAGE = 5000, 100, 1000, 10_000, 1000, 500
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
    _decoder(wire.Page), _decoder(wire.PageIds), _decoder(wire.Projects), _decoder(list[msgspec.Raw]),
)  # fmt: skip
_PROJECT, _LOG, _CHANGED = _decoder(wire.Project), _decoder(wire.Log), _decoder(wire.Changed)
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


class Site:
    """A site as one run sees it; safe to use from several threads."""

    def __init__(self, ctx: Context, name: str, access: Access, deployment: Deployment) -> None:
        """Sign in lazily, for the source called *name*; ask for nothing but a token of OAuth."""
        self.ctx, self.name = ctx, name
        self.shown: set[str] = set()
        """Ids of the projects that were shown, odd ones among them."""
        self.base = f"{GATEWAY}/{access.cloud_id}" if access.cloud_id else access.url.rstrip("/")
        ctx.http.credentials = {"Authorization": _authorization(ctx, access)}
        from hub_jira.metadata import Metadata  # the `jira` package loads where a site is asked

        self.metadata = Metadata(ctx, self.base)
        self._deployment = deployment
        self._server: wire.Server | None = None
        self._lock = threading.Lock()

    def server(self) -> wire.Server:
        """Ask who the site is, once."""
        with self._lock:
            if self._server is None:
                self._server = self.metadata.listed("serverInfo", wire.Server)
            return self._server

    @property
    def cloud(self) -> bool:
        """Say whether this is Cloud."""
        if self._deployment == "auto":
            return self.server().deployment_type == "Cloud"
        return self._deployment == "cloud"

    def _get(self, path: str, decoder: Any, **params: Any) -> Any:
        return self.ctx.http.get_json(f"{self.base}{API}{path}", params=params, decoder=decoder)

    def _post(self, path: str, decoder: Any, body: dict[str, Any]) -> Any:
        return self.ctx.http.json("POST", f"{self.base}{API}{path}", decoder=decoder, json=body)

    # ---------- projects ----------

    def projects(self) -> list[wire.Project]:
        """Return the projects that may be seen, archived and deleted ones among them."""
        begins = f"{self.name}:p"
        self.ctx.asked_again |= {one for one in self.ctx.again if one.startswith(begins)}
        rows = self._projects()
        self.shown |= rows.keys()
        return list(self.ctx.each(
            rows.values(), lambda row: [_PROJECT.decode(row)], record=Container,
            key=lambda row: f"p{named(row)}", id=lambda row: f"{begins}{named(row)}",
            place=lambda row: tr("project {id}", id=named(row)),
        ))  # fmt: skip

    def _projects(self) -> dict[str, msgspec.Raw]:
        if not self.cloud:
            found: list[msgspec.Raw] = self._get("/project", _PROJECT_LIST, includeArchived="true")
            return {named(one): one for one in found}
        rows: dict[str, msgspec.Raw] = {}
        start = 0
        while True:
            page: wire.Projects = self._get(
                "/project/search", _PROJECTS, startAt=start, maxResults=100, status="live,archived,deleted"
            )
            before = len(rows)
            rows |= {named(one): one for one in page.values}
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
        return rows

    # ---------- ids ----------

    def newest(self, scope: str, names: Sequence[str]) -> wire.Issue | None:
        """Return the issue that changed last."""
        jql = f"{scope} ORDER BY updated DESC"
        page = self._search(jql, names, size=1)
        return page.issues[0] if page.issues else None

    def sweep(self, scope: str) -> list[str]:
        """Return the id of every issue in *scope*.

        Raises `SourceDataError` when Jira counts more than ever come.
        """
        if self.cloud:
            return self._sweep_cloud(scope)
        return self._sweep_server(scope)

    def _sweep_cloud(self, scope: str) -> list[str]:
        found: set[str] = set()
        counts: list[int] = []
        for attempt in range(3):
            # counted first: what is deleted while the pages come makes them too few, and they are read again
            counted: wire.Count = self._post("/search/approximate-count", _COUNT, {"jql": scope})
            before = len(found)
            found |= self._tokens(f"{scope} ORDER BY created ASC, key ASC")
            counts.append(counted.count)
            # the count is near, not exact: one that two sweeps cannot reach is an index that lags
            if len(found) >= counted.count or (
                attempt and len(found) == before and counted.count - len(found) <= counted.count // 100
            ):
                return sorted(found, key=int)
        raise SourceDataError(
            tr(
                "The search for ids gives {count} issues, Jira counts {counts}. The next run reads "
                "them again.",
                count=len(found),
                counts=counts[-1],
            )
        )

    def _tokens(self, jql: str) -> set[str]:
        found: set[str] = set()
        seen: set[str] = set()
        token: str | None = None
        while True:
            body: dict[str, Any] = {"jql": jql, "fields": ["id"], "maxResults": IDS} | (
                {"nextPageToken": token} if token else {}
            )
            page: wire.FoundIds = self._post("/search/jql", _FOUND_IDS, body)
            found |= {one.id for one in page.issues}
            token = page.next_page_token
            if not token:
                return found
            _only_once(token, seen, "/search/jql")

    def _sweep_server(self, scope: str) -> list[str]:
        """Page by `created`, which never changes; within one instant by offset.

        The total of the first page is what has to come.
        """
        found: dict[str, None] = {}
        for _ in range(3):
            since: int | None = None
            offset, total = 0, 0
            while True:
                clause = (
                    f"{scope}{' AND ' if scope else ''}created >= {since}" if since is not None else scope
                )
                page: wire.Page = self._post(
                    "/search",
                    _PAGE,
                    {
                        "jql": f"{clause} ORDER BY created ASC, key ASC",
                        "fields": ["created"],
                        "startAt": offset,
                        "maxResults": 1000,
                    },
                )
                total = max(total, page.total if since is None else 0)
                found |= dict.fromkeys(one.id for one in page.issues)
                if not page.issues or page.start_at + len(page.issues) >= page.total:
                    break
                # what stands behind the last stamp that can be read comes again with the next page
                last = next((at for one in reversed(page.issues) if (at := one.stamp("created"))), since)
                offset = offset + len(page.issues) if last == since else 0
                since = last
            if len(found) >= total:
                return sorted(found, key=int)
        raise SourceDataError(
            tr(
                "The search for ids gives {count} issues, Jira counts {total}. The next run reads "
                "them again.",
                count=len(found),
                total=total,
            )
        )

    def among(self, scope: str, ids: Iterable[str]) -> set[str]:
        """Return those of *ids* that are in *scope*: the feeds of hours are of the whole site."""
        wanted, found = sorted(set(ids), key=int), set[str]()
        for start in range(0, len(wanted), SERVER_PAGE):
            jql = f"id in ({', '.join(wanted[start : start + SERVER_PAGE])}) AND {scope}"
            if self.cloud:
                found |= self._tokens(jql)
                continue
            offset = 0
            while True:
                page: wire.PageIds = self._post(
                    "/search",
                    _PAGE_IDS,
                    {
                        "jql": jql,
                        "fields": ["id"],
                        "startAt": offset,
                        "maxResults": SERVER_PAGE,
                        "validateQuery": False,
                    },
                )
                found |= {one.id for one in page.issues}
                offset += len(page.issues)
                if not page.issues or offset >= page.total:
                    break
        return found

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
            bulk: wire.Bulk = self._post("/issue/bulkfetch", _BULK, body)
            refused |= {one.id for one in bulk.issue_errors}
            return bulk.issues
        rows: list[wire.Issue] = []
        while True:
            page: wire.Page = self._post(
                "/search",
                _PAGE,
                {
                    "jql": f"id in ({', '.join(ids)}) ORDER BY id ASC",
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
            page = self._search(f"{clause} ORDER BY updated ASC, key ASC", names, size=ISSUES)
            while True:
                yield page.issues
                if not page.next_page_token:
                    return
                _only_once(page.next_page_token, seen, "/search/jql")
                page = self._search(
                    f"{clause} ORDER BY updated ASC, key ASC", names, size=ISSUES, token=page.next_page_token
                )
        # Data Center: rows jump between offset pages when they change, so that each page starts at the last
        # stamp seen
        offset = 0
        while True:
            clause = f"{scope}{' AND ' if scope else ''}updated >= {since}"
            found: wire.Page = self._post(
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
            last = max(one.updated for one in found.issues)
            offset = offset + len(found.issues) if last <= since else 0
            since = max(since, last)

    def _search(self, jql: str, names: Sequence[str], *, size: int, token: str | None = None) -> wire.Found:
        if not self.cloud:
            page: wire.Page = self._post(
                "/search", _PAGE, {"jql": jql, "fields": list(names), "startAt": 0, "maxResults": size}
            )
            return wire.Found(issues=page.issues, is_last=True)
        body: dict[str, Any] = {"jql": jql, "fields": list(names), "maxResults": size} | (
            {"nextPageToken": token} if token else {}
        )
        found: wire.Found = self._post("/search/jql", _FOUND, body)
        return found

    def histories(self, ids: Sequence[str], fields: Sequence[str]) -> Iterator[tuple[str, list[msgspec.Raw]]]:
        """Yield the whole history of issues, piece by piece; Cloud only."""
        for start in range(0, len(ids), CHANGELOG_ISSUES):
            body: dict[str, Any] = {
                "issueIdsOrKeys": list(ids[start : start + CHANGELOG_ISSUES]),
                "fieldIds": list(fields[:10]),
                "maxResults": CHANGELOGS,
            }
            seen: set[str] = set()
            while True:
                page: wire.BulkLog = self._post("/changelog/bulkfetch", _BULK_LOG, body)
                yield from self.ctx.each(
                    page.issue_change_logs, _told, record=TaskChange,
                    place=lambda row: tr("history of issue {issue}", issue=named(row, "issueId")),
                    id=lambda row: f"{self.name}:{named(row, 'issueId')}",
                )  # fmt: skip
                if not page.next_page_token:
                    break
                _only_once(page.next_page_token, seen, "/changelog/bulkfetch")
                body["nextPageToken"] = page.next_page_token

    # ---------- worklogs ----------

    def feed(self, name: Literal["updated", "deleted"], since: int) -> Iterator[list[wire.Changed]]:
        """Yield pages of a worklog feed from *since* (ms, included)."""
        while True:
            page: wire.Feed = self._get(f"/worklog/{name}", _FEED, since=since)
            found = list(self.ctx.each(
                page.values, lambda row: [_CHANGED.decode(row)], record=Worklog,
                place=lambda row: tr("worklog {id}", id=named(row, "worklogId")),
                id=lambda row: f"{self.name}:w{named(row, 'worklogId')}",
            ))  # fmt: skip
            yield found
            if page.last_page:
                return
            until = max([page.until, *(one.updated_time for one in found)])
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
            found: list[msgspec.Raw] = self._post(
                "/worklog/list", _LOGS, {"ids": wanted[start : start + FEED]}
            )
            yield found

    def worklogs_of(self, issue: str) -> list[msgspec.Raw]:
        """Return all worklogs of one issue: for lists that were cut."""
        start = 0
        rows: list[msgspec.Raw] = []
        while True:
            params = {"startAt": start, "maxResults": 5000} if self.cloud else {}
            page: wire.Worklogs = self._get(f"/issue/{issue}/worklog", _LOGS_OF, **params)
            rows += page.worklogs
            start += len(page.worklogs)
            if start >= page.total:
                return rows
            if not page.worklogs:
                raise SourceDataError(
                    tr(
                        "/issue/{issue}/worklog: {count} worklogs came, Jira counts {total}.",
                        issue=issue,
                        count=len(rows),
                        total=page.total,
                    )
                )


def _told(row: msgspec.Raw) -> Iterator[tuple[str, list[msgspec.Raw]]]:
    one = _LOG.decode(row)
    yield one.issue_id, one.change_histories


def _only_once(token: str, seen: set[str], where: str) -> None:
    if token in seen:
        raise SourceDataError(
            tr("{where} gives the same page token twice: it would go on for ever.", where=where)
        )
    seen.add(token)


def _authorization(ctx: Context, access: Access) -> str:
    """Return the header that signs in.

    Raises `ConfigError` when the settings are neither of Cloud nor of Data Center.
    """
    if access.client_id and access.client_secret:
        body = {
            "grant_type": "client_credentials",
            "client_id": access.client_id,
            "client_secret": access.client_secret.reveal(),
        }
        answer = ctx.http.json("POST", LOGIN, json=body)
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not token:
            raise SourceDataError(
                tr("{login} gave no access token: check client_id and client_secret.", login=LOGIN)
            )
        return f"Bearer {token}"
    if access.token is None:
        raise ConfigError(
            tr(
                "Say how to sign in to Jira: email and token (Cloud), token (Data Center), or "
                "client_id, client_secret and cloud_id."
            )
        )
    if access.email:
        pair = f"{access.email}:{access.token.reveal()}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"
    return f"Bearer {access.token.reveal()}"

"""Taskworld's public API as documented.

Everything is a POST with the token in the body, and ``ok`` says whether it went well.

Source: api-docs.taskworld.com and the official samples (github taskworld/tw-api-samples), read in November
2026.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from hub import (
    ConfigError,
    Container,
    Context,
    Record,
    Secret,
    SourceDataError,
    SourceDenied,
    SourceGone,
    complaint,
    tr,
)

REGIONS = {
    "us": "https://us.taskworld.com/api/public/v1",
    "asia": "https://asia-api.taskworld.com/v1",
    "europe": "https://europe-api.taskworld.com/v1",
}
PAGE = 500
"""Asked of every list, or more where more is known to be there.

No way to ask for what follows is documented, so that a full page is an error.
"""
_REFUSED = frozenset({"invalid_auth", "not_authed", "token_expired", "invalid_token", "unauthorized"})
_ABSENT = frozenset({"not_found", "project_not_found", "permission_denied", "forbidden", "no_permission"})
T = TypeVar("T")


class Member(msgspec.Struct, frozen=True):
    """Somebody on a task."""

    user_id: str
    is_assignee: bool = False


class Project(msgspec.Struct, frozen=True):
    """A project; one that is not *understood* is known by its id alone."""

    project_id: str
    title: str
    is_deleted: bool = False
    is_archived: bool = False
    understood: bool = True


class Tasklist(msgspec.Struct, frozen=True):
    """A column of a board; *tasks* are the ids it holds."""

    list_id: str
    title: str
    project_id: str | None = None
    tasks: list[str] = []
    is_deleted: bool = False


class Task(msgspec.Struct, frozen=True):
    """A task: dates are ISO 8601 in UTC or empty, *status* 0 is open and 2 completed."""

    task_id: str
    title: str
    owner_id: str | None = None
    status: int = 0
    members: list[Member] = []
    points: float | None = None
    start_date: str | None = None
    due_date: str | None = None
    completed_date: str | None = None
    created: str | None = None
    updated: str | None = None
    is_deleted: bool = False


KNOWN = frozenset(
    [
        "task_id",
        "owner_id",
        "space_id",
        "title",
        "description",
        "members",
        "checklist",
        "tags",
        "comments_count",
        "color",
        "points",
        "status",
        "start_date",
        "due_date",
        "completed_date",
        "created",
        "updated",
        "is_deleted",
        "labels",
        "followers",
        "attachments_count",
        "list_id",
        "project_id",
        "tasklist_id",
        "has_description",
    ]
)
"""Keys of a task that are documented or have been seen.

Another one is told, since it may hold what should be read.
"""


def filled(value: Any) -> Any:
    """Return what came without its empty values.

    Taskworld sends an empty text, or nothing, where a list, a number or a date is not set.
    """
    if isinstance(value, dict):
        return {
            key: filled(one)
            for key, one in value.items()
            if key == "title" or (one is not None and one != "")
        }
    return [filled(one) for one in value if one != ""] if isinstance(value, list) else value


class Workspace:
    """One workspace as one run sees it; safe to use from several threads."""

    def __init__(
        self,
        ctx: Context,
        name: str,
        url: str,
        *,
        email: str | None,
        password: Secret | None,
        token: Secret | None,
        space: str | None,
    ) -> None:
        """Sign in at the first question, for the source called *name*."""
        self.ctx, self.name, self.url = ctx, name, url.rstrip("/")
        self._email, self._password, self._token_setting, self._space = email, password, token, space
        self._token: str | None = None
        self._denied: str | None = None
        self._lock = threading.Lock()

    def sign_in(self, *, ended: str = "") -> tuple[str, str]:
        """Return the token and the workspace; another token than the one that has *ended*.

        Raises `ConfigError` for settings that cannot sign in, `SourceDenied` for a wrong password: it is sent
        once, whichever thread asks next, since a tool may lock an account that is wrong again and again.
        """
        with self._lock:
            if ended and ended == self._token and self._token_setting is None:
                self._token = None
            if self._token is None:
                if self._token_setting is not None:
                    self._token = self._token_setting.reveal()
                elif self._denied is not None:
                    raise SourceDenied(self._denied)
                elif self._email and self._password:
                    try:
                        answer = self._post(
                            "auth", {"email": self._email, "password": self._password.reveal()}
                        )
                    except SourceDenied as exc:
                        self._denied = str(exc)
                        raise
                    self._token = str(answer.get("access_token") or "")
                    self._space = self._space or answer.get("default_space_id")
                    if not self._token:
                        raise SourceDataError(tr("{url}/auth gave no access_token.", url=self.url))
                else:
                    raise ConfigError(
                        tr("Say how to sign in to Taskworld: email and password, or token and space.")
                    )
            if not self._space:
                raise ConfigError(
                    tr("Say which workspace to read: space, the id that stands in the address of Taskworld.")
                )
            return self._token, self._space

    def ask(self, method: str, **body: Any) -> dict[str, Any]:
        """Call *method* with the token.

        Raises `SourceDenied`, `SourceGone` or `SourceDataError` with Taskworld's own words.
        """
        token, space = self.sign_in()
        try:
            return self._post(method, {"access_token": token, "space_id": space, **body})
        except SourceDenied:
            another, space = self.sign_in(ended=token)
            if another == token:
                raise
        return self._post(method, {"access_token": another, "space_id": space, **body})

    def _post(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = self.ctx.http.json("POST", f"{self.url}/{method}", json=body)
        except SourceDataError as exc:  # HTTP 400 with the reason in its body
            if any(code in str(exc) for code in _REFUSED):
                raise SourceDenied(
                    tr("{error} Check email and password, or the token and the region.", error=exc)
                ) from exc
            raise
        if not isinstance(answer, dict) or "ok" not in answer:
            raise SourceDataError(
                tr(
                    "{method} did not answer as Taskworld does: check url, which is that of the region "
                    "where the account was created.",
                    method=method,
                )
            )
        if answer["ok"] is not True:
            code = str(answer.get("error", tr("no reason")))
            said = tr(
                "Taskworld refused {method}: {code}. {answer}",
                method=method,
                code=code,
                answer=answer.get("error_description") or "",
            ).strip()
            if code in _REFUSED:
                raise SourceDenied(
                    tr("{said} Check email and password, or the token and the region.", said=said)
                )
            raise SourceGone(said) if code in _ABSENT else SourceDataError(said)
        if said := complaint(answer):
            raise SourceDataError(
                tr("Taskworld answers {method} with an error: {said}", method=method, said=said[:300])
            )
        return answer

    def rows(self, method: str, where: str, answer: dict[str, Any], *, full: int | None = None) -> list[Any]:
        """Return the list at *where* (a dotted path) as it came.

        Raises `SourceDataError` when it is not there or holds *full* rows, as many as asked (`PAGE`).
        """
        full = full or PAGE
        value: Any = answer
        for name in where.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if value == "":
            value = []
        if not isinstance(value, list):
            raise SourceDataError(
                tr(
                    "{method} has no list at {where}; it has {answer}. The API changed: please report it.",
                    method=method,
                    where=where,
                    answer=", ".join(sorted(answer)) or tr("nothing"),
                )
            )
        if len(value) >= full:
            raise SourceDataError(
                tr(
                    "{method} gave {count} rows, a full page, and Taskworld documents no way to ask for "
                    "the next: nothing of it was taken as complete.",
                    method=method,
                    count=len(value),
                )
            )
        return value

    def understood(
        self,
        method: str,
        rows: list[Any],
        kind: type[T],
        name: Callable[[Any], str],
        record: type[Record] | None = None,
        id: Callable[[Any], str | None] = lambda row: None,  # noqa: A002 - it is the field's name
    ) -> list[T]:
        """Return rows of a short list as *kind*, each but once; an odd one is rejected by itself.

        One that comes twice may stand where another should: what shifted while it was read lacks.
        """
        single = once(rows)
        if len(single) < len(rows):
            self._lacks(tr("{method} gives the same twice: another may lack", method=method))
        return list(
            self.ctx.each(
                single, lambda row: [msgspec.convert(filled(row), kind)], record=record, id=id,
                place=lambda row: f"{method}, {name(row)}", key=lambda row: f"{method} {name(row)}",
            )
        )  # fmt: skip

    def projects(self) -> list[Project]:
        """Return the projects of the workspace that this account is in."""
        rows = self.rows("project.get-all", "projects", self.ask("project.get-all", limit=PAGE))
        found = self.understood(
            "project.get-all", rows, Project, lambda row: shown(row, "project_id"), Container,
            lambda row: f"{self.name}:p{shown(row, 'project_id')}",
        )  # fmt: skip
        # what is odd in a project costs its row: its tasks are read all the same
        odd = {shown(row, "project_id") for row in rows} - {one.project_id for one in found} - {""}
        found += [Project(project_id=one, title=one, understood=False) for one in sorted(odd)]
        counts = Counter(one.project_id for one in found)
        if twice := {one for one, count in counts.items() if count > 1}:
            self.ctx.report_missing(
                tr(
                    "project.get-all gives {project} twice, each time another: neither was read.",
                    project=min(twice),
                )
            )
        return [one for one in found if not one.is_deleted and one.project_id not in twice]

    def lists(self, project: str) -> list[Tasklist]:
        """Return the columns of a project; what cannot be one of it is said to be missing."""
        answer = self.ask("tasklist.get-all", project_id=project, limit=PAGE)
        rows = self.rows("tasklist.get-all", "tasklists", answer)
        found = self.understood("tasklist.get-all", rows, Tasklist, lambda row: shown(row, "list_id"))
        if len(found) < len(once(rows)):
            self._lacks(tr("not every list of it could be read"))
        if foreign := [one.title for one in found if one.project_id not in {None, project}]:
            self._lacks(
                tr(
                    "tasklist.get-all gives lists of another project, such as {foreign!r}: they were left "
                    "out.",
                    foreign=foreign[0],
                )
            )
        return [one for one in found if not one.is_deleted and one.project_id in {None, project}]

    def tasks(self, column: Tasklist) -> list[Any]:
        """Return the tasks of a column as they came, each to be understood by itself.

        Those that the column does not name are left out, and it is said which of those it names do not come.
        """
        # every other method calls it list_id
        size = max(PAGE, len(column.tasks) + 1)
        answer = self.ask("tasklist.get-tasks", tasklist_id=column.list_id, limit=size)
        found = once(self.rows("tasklist.get-tasks", "tasklist.tasks", answer, full=size))
        strange = {key for row in found if isinstance(row, dict) for key in row} - KNOWN
        if strange:
            self.ctx.shared("strange keys", set).update(strange)
        named, came = set(column.tasks), {shown(row, "task_id") for row in found} - {""}
        if more := came - named if named else set():
            self._lacks(
                tr(
                    "The list {title!r} gives {task}, which it does not name: it changed while it was "
                    "read. The next run takes it.",
                    title=column.title,
                    task=min(more),
                )
            )
        if lacking := named - came:
            self._lacks(
                tr(
                    "The list {title!r} names {named} tasks and gives {given}: {lost} did not come, "
                    "such as {lacking}.",
                    title=column.title,
                    named=len(column.tasks),
                    given=len(found),
                    lost=len(lacking),
                    lacking=min(lacking),
                )
            )
        return [row for row in found if shown(row, "task_id") not in more]

    def _lacks(self, what: str) -> None:
        """Say what of the partition that is being read could not be; it proves nothing gone."""
        self.ctx.report_missing(what, partition=self.ctx.partition or None)


def once(rows: list[Any]) -> list[Any]:
    """Return *rows* without those that are there already."""
    kept = {msgspec.json.encode(row): row for row in reversed(rows)}
    return list(kept.values())[::-1]


def shown(row: Any, name: str) -> str:
    """Return the id that a row shows under *name*, however odd; nothing where it shows none."""
    value = row.get(name) if isinstance(row, dict) else None
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""

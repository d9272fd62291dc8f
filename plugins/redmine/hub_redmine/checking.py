"""What `hub check` looks at in a Redmine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hub import Check, Context, SourceForbidden, tr
from hub_redmine import lists, mapping, rights, wire
from hub_redmine.parts import Parts
from hub_redmine.settings import RedmineSettings


def check(ctx: Context, source: RedmineSettings) -> Iterator[Check]:
    """Sign in, count, say what statuses are taken for, and whether the custom fields are there."""
    site = source.site(ctx)
    me = lists.me(site)
    yield Check(name="account", state="ok", detail=tr("signed in as {login}", login=me.login))
    projects = source.wanted(ctx)
    yield Check(
        name="projects",
        state="ok" if projects else "failed",
        detail=tr("{count} {count:project|projects} can be read", count=len(projects)),
    )
    for name in source.projects:
        if name not in {one.identifier for one in projects}:
            yield Check(
                name=name,
                state="failed",
                detail=tr("no such project, or this account is no member of it"),
            )
    sight = rights.look(site, me, projects)
    for what, where in sight.items():
        yield Check(
            name="rights",
            state="failed" if what in rights.HIDDEN else "warning",
            detail=rights.sentence(what, where),
        )
    if not sight:
        yield Check(name="rights", state="ok", detail=tr("all issues and hours of these projects"))
    yield _users(ctx, source)
    yield from _lists(ctx, source)
    yield from _rows(ctx, source, projects)


def _users(ctx: Context, source: RedmineSettings) -> Check:
    try:
        users, locked = lists.users(source.site(ctx))
    except SourceForbidden:
        detail = tr(
            "only administrators may list users: people come with the names on issues and hours, "
            "without mail addresses"
        )
        return Check(name="users", state="warning", detail=detail)
    said = tr(
        "{count} {count:user|users}, {locked} locked or registered only", count=len(users), locked=len(locked)
    )
    return Check(name="users", state="ok", detail=said)


def _lists(ctx: Context, source: RedmineSettings) -> Iterator[Check]:
    statuses, trackers = lists.statuses(source.site(ctx)), lists.trackers(source.site(ctx))
    first = {status for _, status in lists.opening(statuses, trackers)}
    words = [
        f"{one.name} {'done' if one.is_closed else 'to do' if one.id in first else 'in progress'}"
        for one in statuses
    ]
    yield Check(
        name="statuses",
        state="ok",
        detail=tr("{words}; statuses.csv says it better", words=", ".join(words)),
    )
    kinds = {one.name.casefold() for one in trackers}
    for unknown in sorted(name for name in source.types if name.casefold() not in kinds):
        yield Check(
            name=f"types.{unknown}",
            state="failed",
            detail=tr(
                "no such tracker; there are {trackers}", trackers=", ".join(one.name for one in trackers)
            ),
        )


def _rows(ctx: Context, source: RedmineSettings, projects: Iterable[wire.Project]) -> Iterator[Check]:
    site, narrow = source.site(ctx), source.narrow(projects)
    newest = Parts(ctx, source.name, source.mapper(ctx, mapping.Meta())).issues(
        site.newest_issues(narrow, relations=True)
    )
    seen = (
        tr(
            "{count} {count:issue|issues}, last change {updated_on}",
            count=site.count("issues", narrow),
            updated_on=newest[0].updated_on,
        )
        if newest
        else tr("no issue can be seen")
    )
    yield Check(name="issues", state="ok" if newest else "warning", detail=seen)
    have = {one.name for one in newest[0].custom_fields} if newest else source.expected(ctx)
    for name in sorted(source.expected(ctx) - have):
        yield Check(
            name=name,
            state="warning",
            detail=tr("the issue changed last has no such custom field; check its name and its trackers"),
        )
    if source.worklogs:
        count = site.count("time_entries", narrow)
        yield Check(
            name="hours",
            state="ok" if count else "warning",
            detail=tr("{count} time {count:entry|entries}", count=count),
        )

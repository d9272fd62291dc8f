"""What the account may see: Redmine shows a part of the issues and the hours without saying so."""

from __future__ import annotations

from collections.abc import Iterable

from hub import Context, SourceForbidden, mark, tr
from hub_redmine import lists, wire
from hub_redmine.asking import Asker
from hub_redmine.settings import RedmineSettings

Sight = dict[str, list[str]]
"""What is hidden, then the identifiers of the projects in which it is."""
HIDDEN = {
    "own issues": mark(
        "in {projects} this account sees only the issues that it wrote or is assigned: give its role "
        'the visibility "All issues" (Administration, Roles and permissions)'
    ),
    "no issues": mark("in {projects} this account may not see issues: give its role that permission"),
    "own hours": mark(
        "in {projects} this account sees only its own hours: give its role the visibility "
        '"All time entries" (Administration, Roles and permissions)'
    ),
    "no hours": mark("in {projects} this account may not see time entries: give its role that permission"),
}
"""What makes the figures wrong; the others are told without it."""
PRIVATE = "private issues"
_PRIVATE_SAID = mark("in {projects} this account does not see the private issues of others")


def look(site: Asker, mine: wire.Me, projects: Iterable[wire.Project]) -> Sight:
    """Return what the account *mine* does not see; an administrator sees everything.

    Several roles in a project add up. Of public projects in which it has none Redmine's API tells nothing.
    """
    if mine.admin:
        return {}
    roles: dict[int, wire.Role] = {}
    for native in sorted({one.id for place in mine.memberships for one in place.roles}):
        try:
            found = lists.role(site, native)
        except SourceForbidden:
            found = None
        if found is not None:
            roles[native] = found
    names = {one.id: one.identifier for one in projects}
    sight: Sight = {}
    for place in mine.memberships:
        have = [roles[one.id] for one in place.roles if one.id in roles]
        if place.project.id in names and have:
            for what in _hidden(have):
                sight.setdefault(what, []).append(names[place.project.id])
    return {what: sorted(where) for what, where in sorted(sight.items())}


def _hidden(roles: list[wire.Role]) -> Iterable[str]:
    show = [one.issues_visibility for one in roles if "view_issues" in one.permissions]
    if not show:
        yield "no issues"
    elif set(show) == {"own"}:
        yield "own issues"
    elif "all" not in show:
        yield PRIVATE
    show = [one.time_entries_visibility for one in roles if "view_time_entries" in one.permissions]
    if not show:
        yield "no hours"
    elif "all" not in show:
        yield "own hours"


def sentence(what: str, projects: list[str]) -> str:
    """Say what is hidden, and what to do."""
    return tr(HIDDEN.get(what, _PRIVATE_SAID), projects=", ".join(projects))


def tell(ctx: Context, source: RedmineSettings, sight: Sight) -> None:
    """Say in each run what the account does not see: as something that lacks, until somebody accepts it."""
    begins = source.row_id("sight ")
    ctx.asked_again |= {one for one in ctx.again if one.startswith(begins)}
    for what, projects in sight.items():
        if what in HIDDEN and (source.worklogs or "hours" not in what):
            ctx.reject(tr("rights"), sentence(what, projects), key=f"sight {what}", id=f"{begins}{what}")
        elif what == PRIVATE:
            ctx.note(sentence(what, projects))

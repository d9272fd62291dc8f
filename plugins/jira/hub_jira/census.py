"""Who is still there: an issue that the search does not find is asked for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from heapq import merge

from hub import LEFT, Census, Container, Context, Gone, Scope, Source, Task, tr
from hub_jira import wire
from hub_jira.ids import Ids
from hub_jira.site import Site

FEW = 200
"""Archived issues of Data Center that are asked for in a census, one by one: others each day."""
Standing = Mapping[str, tuple[str, str]]


def within(source: Source, project: str) -> Scope:
    """Return the scope of the issues of a project."""
    return Scope(records=(Task,), container_id=source.row_id(f"p{project}"))


def lacking(
    source: Source, known: Standing, projects: Mapping[str, wire.Project], found: AbstractSet[str]
) -> list[str]:
    """Return the issues that the store has in *projects* and that the search did not find."""
    boxes = {source.row_id(f"p{native}") for native in projects}
    here = (one for one, (presence, box) in known.items() if presence not in LEFT and box in boxes)
    return sorted((one for one in here if one not in found), key=int)


def judge(
    ctx: Context,
    source: Source,
    site: Site,
    projects: Mapping[str, wire.Project],
    *,
    known: Standing,
    swept: Ids,
    lacking: Sequence[str],
    narrow: bool,
    unmet: Callable[[], AbstractSet[str]] | None,
) -> Iterator[Census | Gone]:
    """Say of each issue of *projects* whether it is there, archived, hidden, outside of the scope, or gone.

    *narrow* says that the source names its projects. *unmet* gives all that can be found where the source
    asks for a part of it by JQL.
    """
    old = [one for one in lacking if known[one][0] == "archived"]
    asked = [one for one in lacking if known[one][0] != "archived"]
    if not site.cloud and len(old) > FEW:
        day = ctx.now().toordinal()
        old = sorted(old, key=lambda one: (int(one) + day * 7919) * 2654435761 % 2**32)[:FEW]
    found = site.each([*asked, *old])
    silent = [one for one, (state, _) in found.items() if state == "unknown"]
    if silent:
        ctx.report_missing(
            tr("Jira says nothing of {count} issues, such as {one}.", count=len(silent), one=silent[0])
        )
    inside = {one for one, (state, stands) in found.items() if state == "there" and stands in projects}
    others = unmet() if unmet is not None and inside else frozenset()
    if unmet is not None and inside and not others:
        site.me(again=True)
    for one, (state, stands) in found.items():
        if one in inside and one in others:
            yield _proof(source, one, "outside", tr("it does not meet jql any more"))
        elif one in inside:
            yield _proof(source, one, "archived", tr("Jira serves it, and no search finds it"))
        elif state == "there" and stands and narrow:
            yield _proof(source, one, "outside", tr("its project is not among those of projects"))
        elif state == "hidden":
            yield _proof(source, one, "hidden", tr("this account may not see it any more"))
    for one in sorted(one for one, (presence, _) in known.items() if presence == "archived" and one in swept):
        yield _proof(source, one, "present", tr("the search finds it again"))
    # Jira often says the same of what is hidden with its project: absence counts in projects that are seen
    gone = {one for one, (state, _) in found.items() if state == "gone"}
    left = sorted(int(one) for one in lacking if one not in gone)
    there = Ids(merge(swept.numbers, left), source.row_id(""))
    for native, project in projects.items():
        evidence = tr("absent from the ids of {key}", key=project.key)
        yield Census(record=Task, scope=within(source, native), ids=there, evidence=evidence)


def beyond(ctx: Context, source: Source, projects: Sequence[str]) -> Iterator[Gone]:
    """Say of *projects* that the settings name no more that they are outside, with all they hold."""
    mine = ctx.known_ids(Container, source.row_id("p"))
    for one in sorted(projects):
        if (row := source.row_id(f"p{one}")) in mine:
            said = tr("the settings do not name it any more")
            yield Gone(record=Container, id=row, presence="outside", evidence=said)


def _proof(source: Source, native: str, presence: str, evidence: str) -> Gone:
    return Gone(record=Task, id=source.row_id(native), presence=presence, evidence=evidence)  # type: ignore[arg-type]

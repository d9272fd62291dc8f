"""Who is still there: an issue that the search does not find is asked for itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hub import Census, Context, Gone, Scope, Source, Task, tr
from hub_jira import wire
from hub_jira.site import Site

FEW = 200
"""Issues that Data Center is asked for one by one in a census; where more are lacking, others each day."""


def within(source: Source, project: str) -> Scope:
    """Return the scope of the issues of a project."""
    return Scope(records=(Task,), container_id=source.row_id(f"p{project}"))


def lacking(ctx: Context, source: Source, swept: Sequence[str]) -> list[str]:
    """Return the issues that the store has and the search did not find."""
    begins = source.row_id("")
    known = {one[len(begins) :] for one in ctx.known_ids(Task, begins)}
    return sorted((one for one in known - set(swept) if one.isdigit()), key=int)


def judge(
    ctx: Context,
    source: Source,
    site: Site,
    projects: Mapping[str, wire.Project],
    *,
    swept: Sequence[str],
    lacking: Sequence[str],
) -> Iterator[Census | Gone]:
    """Say of each issue of *projects* whether it is there, archived, hidden, or gone."""
    asked = list(lacking)
    if not site.cloud and len(asked) > FEW:
        day = ctx.now().toordinal()
        asked = sorted(asked, key=lambda one: (int(one) + day * 7919) * 2654435761 % 2**32)[:FEW]
    found = site.each(asked)
    silent = [one for one in lacking if found.get(one, ("unknown", ""))[0] == "unknown"]
    if silent and site.cloud:
        ctx.report_missing(
            tr("Jira says nothing of {count} issues, such as {one}.", count=len(silent), one=silent[0])
        )
    for one, (state, stands) in found.items():
        if state == "there" and stands in projects:
            yield _proof(source, one, "archived", tr("Jira serves it, and no search finds it"))
        elif state == "hidden":
            yield _proof(source, one, "hidden", tr("this account may not see it any more"))
    # Jira often says the same of what is hidden with its project: absence counts in projects that are seen
    gone = frozenset(source.row_id(one) for one, (state, _) in found.items() if state == "gone")
    there = (frozenset(map(source.row_id, swept)) | frozenset(map(source.row_id, lacking))) - gone
    for native, project in projects.items():
        evidence = tr("absent from the ids of {key}", key=project.key)
        yield Census(record=Task, scope=within(source, native), ids=there, evidence=evidence)


def _proof(source: Source, native: str, presence: str, evidence: str) -> Gone:
    return Gone(record=Task, id=source.row_id(native), presence=presence, evidence=evidence)  # type: ignore[arg-type]

"""What changes without touching an issue, read once a day: sprints, statuses, versions, people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from hub import Account, Batch, Context, CustomValue, Gone, Record, Source, SourceForbidden, SourceGone, tr
from hub_jira import lists, mapping, wire
from hub_jira.partitions import Meta
from hub_jira.parts import Parts, batches

Names = dict[str, dict[str, str]]
AT_ONCE = 200
"""Ids in one search."""


def read(
    ctx: Context, source: Source, parts: Parts, meta: Meta, scope: str, before: Names
) -> Iterator[Batch]:
    """Read the lists of a site, and anew the issues in *scope* that name what is called otherwise now.

    *before* is what everything was called, by kind and id.
    """
    site, mapper = parts.site, parts.mapper
    now: Names = {one: dict(before.get(one, {})) for one in mapping.LOOKUPS}

    def asked(label: str, ask: Callable[[], Iterable[Record | Gone]]) -> Iterator[Batch]:
        """Read a list; one that this account may not read is told and left as it was."""
        try:
            yield from batches(ask())
        except (SourceForbidden, SourceGone) as exc:
            ctx.note(tr("{label} were not looked at: {error}", label=label, error=exc))

    def statuses() -> Iterator[Record]:
        now["status"] |= {one.id: mapping.status_word(one) for one in lists.statuses(site)}
        yield from ()

    def sprints() -> Iterator[Record]:
        for page in lists.sprints(site):
            for one in page:
                now["sprint"][str(one.id)] = mapping.sprint_word(one)
                yield from mapper.sprint(one)

    def people() -> Iterator[Record]:
        begins = source.row_id("u")
        natives = sorted(one[len(begins) :] for one in ctx.known_ids(Account, begins))
        for page in lists.people(site, natives):
            for one in page:
                yield from mapper.person(one)

    yield from asked(tr("statuses"), statuses)
    if "sprint" in meta.bindings.roles:
        yield from asked(tr("sprints"), sprints)
    yield from asked(tr("versions and components"), lambda: _versions(ctx, source, parts, meta, now))
    yield from asked(tr("people"), people)
    yield from _renamed(parts, scope, before, now)
    yield Batch(cursor=now)


def _versions(ctx: Context, source: Source, parts: Parts, meta: Meta, now: Names) -> Iterator[Record | Gone]:
    """Read the versions and components of projects; one that refuses costs itself and is told."""
    known: dict[str, set[str]] = {}
    for row in ctx.known_ids(CustomValue, source.row_id("p")):
        known.setdefault(row.partition("/")[0], set()).add(row)
    live = [one.id for one in meta.projects if not (one.archived or one.deleted)]
    refused: list[Exception] = []
    for found in lists.lists(parts.site, live, refused):
        now["fixVersion"] |= {one.id: one.name for one in found.versions}
        now["component"] |= {one.id: one.name for one in found.components}
        here = [parts.mapper.version(found.id, one) for one in found.versions]
        yield from here
        gone = known.get(source.row_id(f"p{found.id}"), set()) - {one.id for one in here}
        for one in sorted(gone):
            said = tr("the project has this version no more")
            yield Gone(record=CustomValue, id=one, evidence=said)
    if refused:
        label = tr("versions and components")
        ctx.note(tr("{label} were not looked at: {error}", label=label, error=refused[0]))


def _renamed(parts: Parts, scope: str, before: Names, now: Names) -> Iterator[Batch]:
    """Read anew the issues that name what is called, or means, something else than when they were read."""
    site, mapper = parts.site, parts.mapper
    issues: set[str] = set()
    looked = False
    for kind, names in now.items():
        known = before.get(kind, {})
        # a sprint that no issue names yet is told by the issues that come into it
        told = names.keys() & known.keys() if kind == "sprint" else names.keys()
        changed = sorted(one for one in told if known.get(one) != names[one])
        for start in range(0, len(changed), AT_ONCE):
            looked = True
            ids_of = ", ".join(changed[start : start + AT_ONCE])
            issues |= set(site.matching(f"{kind} in ({ids_of}) AND {scope}"))
    if looked and not issues:
        site.me(again=True)  # a visitor finds nothing, and what is called otherwise is looked for only once
    ids = sorted(issues, key=int)
    fields = mapper.bindings.asked

    def make(issue: wire.Issue) -> Iterator[Record | Gone]:
        return parts.whole(issue, parts.fields(issue))

    for start in range(0, len(ids), site.slice):
        page: Any = site.issues(ids[start : start + site.slice], fields, history=False)
        yield from batches(parts.issues(page, make))

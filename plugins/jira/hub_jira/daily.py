"""What changes without touching an issue, read once a day: lists, sprints, people, and what names mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from hub import (
    Account,
    Batch,
    Context,
    CustomValue,
    Gone,
    Record,
    Source,
    TaskLink,
    mark,
    tr,
)  # fmt: skip
from hub_jira import lists, mapping, wire
from hub_jira.partitions import Meta
from hub_jira.parts import Parts, batches
from hub_jira.values import parted

Names = dict[str, dict[str, str]]
AT_ONCE = 200
"""Ids in one search."""
LINKS = "issueLinkType"
"""By which word it is kept what links were called."""


def read(
    ctx: Context, source: Source, parts: Parts, meta: Meta, scope: str, before: Names
) -> Iterator[Batch]:
    """Read the lists of a site, and anew the issues in *scope* that name what is called otherwise now.

    *before* is what everything was called, by kind and id.
    """
    site, mapper = parts.site, parts.mapper
    now: Names = {one: dict(before.get(one, {})) for one in (*mapping.LOOKUPS, LINKS)}
    stale: set[str] = set()

    def asked(label: str, ask: Callable[[], Iterable[Record | Gone]]) -> Iterator[Batch]:
        """Read a list; one that is refused is told and left as it was."""
        with ctx.looking_at(label):
            yield from batches(ask())

    def words(kind: str, ask: Callable[[], dict[str, str]]) -> Callable[[], Iterator[Record]]:
        def told() -> Iterator[Record]:
            now[kind] |= ask()
            yield from ()

        return told

    def statuses() -> dict[str, str]:
        return {one.id: mapping.status_word(one) for one in lists.statuses(site)}

    def links() -> Iterator[Record]:
        if known := ctx.known_texts(TaskLink, source.row_id("l"), "type"):
            now[LINKS] = lists.link_types(site)
            if not now[LINKS]:
                site.me(again=True)  # a visitor sees none
            stale.update(_links(known, before.get(LINKS, {}), now[LINKS]))
        yield from ()

    def sprints() -> Iterator[Record]:
        for page in lists.sprints(site):
            for one in page:
                now["sprint"][str(one.id)] = mapping.sprint_word(one)
                yield from mapper.sprint(one)

    now["issuetype"] |= {one.id: mapper.type_word(one) for one in site.types()}
    now["project"] |= {one.id: one.key for one in meta.projects if not (one.archived or one.deleted)}
    yield from asked(mark("statuses"), words("status", statuses))
    yield from asked(mark("priorities"), words("priority", lambda: lists.called(site, "priority")))
    yield from asked(mark("resolutions"), words("resolution", lambda: lists.called(site, "resolution")))
    yield from asked(mark("kinds of links"), links)
    if "sprint" in meta.bindings.roles:
        yield from asked(mark("sprints"), sprints)
    else:
        ctx.not_asked("sprints")
    yield from asked(mark("versions and components"), lambda: _versions(ctx, source, parts, meta, now))
    yield from asked(mark("people"), lambda: _people(ctx, source, parts))
    stale |= _renamed(parts, scope, before, now)
    stale |= _options(ctx, source, parts)
    yield from _anew(parts, stale)
    yield Batch(cursor=now)


def _people(ctx: Context, source: Source, parts: Parts) -> Iterator[Record]:
    begins = source.row_id("u")
    natives = sorted(one[len(begins) :] for one in ctx.known_ids(Account, begins))
    for page in lists.people(parts.site, natives):
        for one in page:
            yield from parts.mapper.person(one)


def _versions(ctx: Context, source: Source, parts: Parts, meta: Meta, now: Names) -> Iterator[Record | Gone]:
    """Read the versions and components of projects; one that refuses costs itself and is told."""
    known: dict[str, set[str]] = {}
    for row in ctx.known_ids(CustomValue, source.row_id("p")):
        project, _, field = row.partition("/")
        if field.startswith("version/"):
            known.setdefault(project, set()).add(row)
    live = [one.id for one in meta.projects if not (one.archived or one.deleted)]
    for found in lists.lists(parts.site, live):
        now["fixVersion"] |= {one.id: one.name for one in found.versions}
        now["component"] |= {one.id: one.name for one in found.components}
        here = [parts.mapper.version(found.id, one) for one in found.versions]
        yield from here
        gone = known.get(source.row_id(f"p{found.id}"), set()) - {one.id for one in here}
        for one in sorted(gone):
            said = tr("the project has this version no more")
            yield Gone(record=CustomValue, id=one, evidence=said)


def _renamed(parts: Parts, scope: str, before: Names, now: Names) -> set[str]:
    """Return the issues that name what is called, or means, something else than when they were read."""
    issues: set[str] = set()
    looked = False
    for kind in mapping.LOOKUPS:
        names, known = now[kind], before.get(kind, {})
        # a sprint that no issue names yet is told by the issues that come into it
        told = names.keys() & known.keys() if kind == "sprint" else names.keys()
        changed = sorted(one for one in told if known.get(one) != names[one])
        for start in range(0, len(changed), AT_ONCE):
            looked = True
            ids_of = ", ".join(changed[start : start + AT_ONCE])
            issues |= set(parts.site.matching(f"{kind} in ({ids_of}) AND {scope}"))
    if looked and not issues:
        parts.site.me(again=True)  # a visitor finds nothing, and a new name is looked for only once
    return issues


def _links(links: Mapping[str, str], before: Mapping[str, str], now: Mapping[str, str]) -> set[str]:
    """Return the issues of links that are called as no kind of link is called now, or as another was."""
    otherwise = {name for one, name in before.items() if now.get(one) != name}
    known = set(now.values()) - otherwise
    stale = (one.partition(":l")[2] for one, name in links.items() if name not in known)
    ends = (one.split("/")[:2] for one in stale)
    return {end for both in ends for end in both if end.isdigit()}


def _options(ctx: Context, source: Source, parts: Parts) -> set[str]:
    """Return the issues whose chosen fields say what is called otherwise by now: options, objects, groups.

    No list of them is open to everybody. So one issue a value is asked what it says now; where that is
    something else, as nobody touched it, all that say the same are to be read anew.
    """
    mapper, begins = parts.mapper, source.row_id("")
    fields = {words: field for words, field in mapper.bindings.kept.items() if field.renames}
    if not fields:
        return set()
    says: dict[tuple[str, str], list[str]] = {}
    texts: dict[tuple[str, str], str] = {}
    for row, text in ctx.known_texts(CustomValue, begins, "text").items():
        issue, _, words = row[len(begins) :].partition("/")
        if words in fields and issue.isdigit():
            texts[issue, words] = text
            for one in parted(text):
                says.setdefault((words, one), []).append(issue)
    asked: dict[str, None] = {}
    for issues in says.values():
        if not any(one in asked for one in issues):
            asked[issues[0]] = None
    stale: set[str] = set()
    for issue, words, text in parts.values(sorted(asked, key=int), fields):
        otherwise = set(parted(texts.get((issue, words), ""))) - set(parted(text))
        stale |= {one for name in otherwise for one in says[words, name]}
    return stale


def _anew(parts: Parts, issues: set[str]) -> Iterator[Batch]:
    """Read issues that nothing touched, by their ids."""
    ids = sorted(issues, key=int)
    site, fields = parts.site, parts.mapper.bindings.asked

    def make(issue: wire.Issue) -> Iterator[Record | Gone]:
        return parts.whole(issue, parts.fields(issue))

    for start in range(0, len(ids), site.slice):
        page: Any = site.issues(ids[start : start + site.slice], fields, history=False)
        yield from batches(parts.issues(page, make))

"""What `hub check` looks at: who signs in, the clock, the projects, the fields, the issues."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from hub import Check, ConfigError, SourceDataError, tr
from hub_jira.fields import Bindings, FieldDef, bind, field_named
from hub_jira.site import Site


def look(
    site: Site,
    fields: list[FieldDef],
    roles: Mapping[str, str | tuple[str, ...]],
    projects: Iterable[str],
    chosen: Iterable[str],
    scope: str,
) -> Iterator[Check]:
    """Look at the clock, the *projects*, the fields bound to *roles* or *chosen*, and issues in *scope*."""
    server = site.server()
    kind = "Cloud" if site.cloud else tr("Data Center")
    yield Check(name="site", state="ok", detail=f"{kind} {server.version or ''}".strip())
    myself = site.me()
    yield Check(
        name="account",
        state="ok",
        detail=tr("signed in, time zone {time_zone}", time_zone=myself.time_zone or tr("not told")),
    )
    if server.server_time:
        skew = abs((site.ctx.now() - datetime.fromisoformat(server.server_time)).total_seconds())
        detail = tr(
            "the site's clock differs by {skew:.0f} s; nothing depends on ours"
            if skew > 60
            else "the site's clock differs by {skew:.0f} s",
            skew=skew,
        )
        yield Check(name="clock", state="warning" if skew > 300 else "ok", detail=detail)
    browsed = {one.key for one in site.projects()}
    for key in projects:
        if key not in browsed:
            yield Check(
                name=key, state="failed", detail=tr("no such project, or this account may not browse it")
            )
    yield Check(
        name="projects",
        state="ok" if browsed else "failed",
        detail=tr("{count} {count:project|projects} may be browsed", count=len(browsed)),
    )
    known = {one.id for one in fields}
    bindings = bind(fields, roles)
    for role, ids in roles.items():
        for one in (ids,) if isinstance(ids, str) else ids:
            if one not in known:
                yield Check(
                    name=f"fields.{role}",
                    state="failed",
                    detail=tr("the site has no field {one}", one=one),
                )
    yield from _bound(fields, bindings)
    yield from _chosen(fields, chosen)
    try:
        newest = site.newest(scope, ("updated",))
    except SourceDataError as exc:  # a JQL that the site refuses is told in its own words
        yield Check(name="issues", state="failed", detail=str(exc))
        return
    yield Check(
        name="issues",
        state="ok" if newest else "warning",
        detail=tr("issues can be read") if newest else tr("no issue can be seen in scope"),
    )


def _bound(fields: list[FieldDef], bindings: Bindings) -> Iterator[Check]:
    """Say which custom fields were found for what."""
    names = {one.id: one.name for one in fields}
    for role, ids in bindings.roles.items():
        shown = [f"{one} ({names.get(one, '?')})" for one in ids]
        more = tr(": of several the first that an issue has counts") if len(ids) > 1 else ""
        yield Check(name=f"fields.{role}", state="ok", detail=tr(", then ").join(shown) + more)
    if not {"sprint", "points"} & bindings.roles.keys():
        detail = tr(
            "no field for sprints or story points was found: where the site has them, say which with "
            'fields = {{ sprint = "customfield_…" }}'
        )
        yield Check(name="fields", state="warning", detail=detail)


def _chosen(fields: list[FieldDef], chosen: Iterable[str]) -> Iterator[Check]:
    """Say which fields of fields.csv the site does not have, and which names are those of several."""
    for words in sorted(chosen):
        try:
            found = field_named(fields, words) is not None
        except ConfigError as exc:
            yield Check(name=words, state="failed", detail=str(exc))
            continue
        if not found:
            yield Check(name=words, state="failed", detail=tr("the site has no field {one}", one=words))

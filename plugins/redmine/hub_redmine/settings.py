"""The settings of a Redmine, and what everything that reads it in one run shares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from hub import ConfigError, Context, Count, Gone, Record, Scope, Secret, Source, Task, Worklog, mark, tr
from hub_redmine import lists, mapping, terms, wire
from hub_redmine.site import Site

READS = 2
"""The version of what rows become: another one reads everything anew."""
NOT_FOUND = mark("Redmine answers 404 for it")


class RedmineSettings(Source, frozen=True, kw_only=True):
    """What can be set, and what follows from it."""

    url: str
    key: Secret | None = None
    projects: tuple[str, ...] = ()
    types: dict[str, terms.Nature] = msgspec.field(default_factory=dict)
    activities: dict[str, terms.Kind] = msgspec.field(default_factory=dict)
    fields: dict[terms.Role, str] = msgspec.field(default_factory=dict)
    custom: tuple[str, ...] = ()
    history: bool = True
    worklogs: bool = True
    worklog_people: bool = True
    hours_days: Count = 90
    hours_sweep_days: Count = 7

    def __post_init__(self) -> None:
        """Check what only a person can mend. Raises `ConfigError`."""
        if not self.url.startswith(("http://", "https://")):
            raise ConfigError(
                tr(
                    "The source {name}: url is the address of Redmine, such as https://redmine.example.com.",
                    name=self.name,
                )
            )

    @property
    def address(self) -> str:
        """Return the site."""
        return self.url

    def site(self, ctx: Context) -> Site:
        """Return the site as this run sees it."""
        return ctx.shared("site", lambda: Site(ctx, self.name, self.url, self.key))

    def wanted(self, ctx: Context) -> list[wire.Project]:
        """Return the projects in scope that can be read now."""
        found: list[wire.Project] = ctx.shared("projects", lambda: lists.projects(self.site(ctx)))
        if not self.projects:
            return found
        inside = {one.id for one in found if one.identifier in self.projects}
        while more := {one.id for one in found if one.parent and one.parent.id in inside} - inside:
            inside |= more
        return [one for one in found if one.id in inside]

    def narrow(self, projects: Iterable[wire.Project]) -> list[int] | None:
        """Return the ids of the projects to ask for, None for all."""
        return [one.id for one in projects] if self.projects else None

    def kept(self, ctx: Context) -> list[str]:
        """Return the custom fields to keep: those of the settings, and those that fields.csv asks for."""
        own = {terms.CATEGORY, terms.PRIVATE, terms.PARENT, terms.PATH}
        return sorted({*self.custom, *ctx.fields} - own)

    def expected(self, ctx: Context) -> set[str]:
        """Return the custom fields that issues are expected to have."""
        return {*self.kept(ctx), *(name for role, name in self.fields.items() if role != "billable")}

    def fingerprint(self, ctx: Context) -> str:
        """Return what decides which rows are read and what they become.

        Another value reads everything anew.
        """
        chosen = [
            READS,
            self.url,
            self.projects,
            self.types,
            self.activities,
            self.fields,
            self.kept(ctx),
            self.history,
            self.worklog_people,
            self.hours_per_day,
            self.tz,
        ]
        return msgspec.json.encode(chosen, order="sorted").decode()

    def mapper(self, ctx: Context, meta: mapping.Meta) -> mapping.Mapper:
        """Return what maps the rows of this run."""
        return ctx.shared(
            "mapper",
            lambda: mapping.Mapper(
                name=self.name,
                url=self.url,
                meta=meta,
                types=self.types,
                activities=self.activities,
                fields=self.fields,
                custom=self.kept(ctx),
                people=self.worklog_people,
                day_s=round(self.hours_per_day * 3600),
                zone=self.tz,
            ),
        )

    def gone(self, record: type[Record], native: object, *, hidden: bool = False) -> Gone:
        """Return the proof that a row was deleted, or is not for us."""
        said = tr("Redmine answers 403 for it, in a project that can be read") if hidden else tr(NOT_FOUND)
        return Gone(
            record=record, id=self.row_id(native), presence="hidden" if hidden else "deleted", evidence=said
        )

    def inside(self, project: object) -> Scope:
        """Return the issues and hours of a project."""
        return Scope(records=(Task, Worklog), container_id=self.row_id(f"p{project}"))


def told(ctx: Context, site: Site, name: str, lacking: set[str], optional: set[str], narrow: Any) -> bool:
    """Say what no row of a whole reading of *name* had; True when all is to be read again next time.

    *lacking* are custom fields of the settings, *optional* keys that may now have another name.
    """
    said = [
        tr("{name}: none has a custom field {one!r}: it was renamed, or is for others", name=name, one=one)
        for one in sorted(lacking)
    ]
    for renamed in site.renamed(name, narrow, optional):
        said.append(
            tr("{name} have {renamed}: the API changed, please report it", name=name, renamed=renamed)
        )
    for one in said:
        ctx.report_missing(one)
    return bool(said)


def known_projects(before: Mapping[str, Any]) -> dict[int, list[str]]:
    """Return identifier and name of each project that was ever read; nothing where an older hub kept ids."""
    known = before.get("known", {})
    pairs = known.items() if isinstance(known, dict) else ((one, []) for one in known)
    return {int(native): said for native, said in pairs}

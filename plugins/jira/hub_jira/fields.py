"""What the fields of a site are for: found by their schema and names, or chosen in fields.csv."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import msgspec

from hub import ConfigError, tr
from hub_jira import wire

SCHEMAS = {
    "com.pyxis.greenhopper.jira:gh-sprint": "sprint",
    "com.pyxis.greenhopper.jira:gh-epic-link": "epic",
    "com.pyxis.greenhopper.jira:jsw-story-points": "points",
    "com.atlassian.jpo:jpo-custom-field-parent": "parent",
    "com.atlassian.jpo:jpo-custom-field-baseline-start": "start",
    "com.atlassian.jpo:jpo-custom-field-baseline-end": "finish",
    "com.atlassian.servicedesk:sd-sla-field": "sla",
}
NAMED = {
    "flagged": ("multicheckboxes", "flagged"), "signalé": ("multicheckboxes", "flagged"),
    "story points": ("float", "points"), "story point estimate": ("float", "points"),
    "start date": ("datepicker", "start"), "date de début": ("datepicker", "start"),
}  # fmt: skip
"""Fields whose schema does not tell what they are: a name in small letters, the end of the schema, a role."""
ROLES = ("sprint", "epic", "parent", "points", "start", "finish", "flagged")
ABOVE = ("epic", "parent")
"""Roles of fields that name the issue above by its key, nearest first."""
CUSTOM = "customfield_"
ALWAYS = frozenset({"fixversions", "components", "sprints"})
"""What is kept of every issue, by the names that fields.csv calls it with."""
NO_VALUE = (":gh-lexo-rank", ":devsummarycf", ":vulnerabilitycf", ":design")
"""The ends of the schemas of fields that hold nothing to slice by."""
PLAIN = frozenset({"number", "date", "datetime", "string", "user"})
"""The kinds of values that mean nothing but themselves; a sprint is looked at by itself."""
OfferType = Literal["text", "number", "date", "list"]
Chosen = Mapping[str, str | tuple[str, ...]]


class FieldDef(msgspec.Struct, frozen=True, rename="camel"):
    """A field as Jira lists it; *scope* is a team-managed project's own.

    *name* is in the language of the account; *untranslated_name* and *clause_names* are not.
    """

    id: str
    name: str | None = None
    untranslated_name: str | None = None
    clause_names: list[str] | None = None
    schema: dict[str, Any] | None = None
    scope: dict[str, Any] | None = None

    @property
    def custom(self) -> str:
        """Return the schema of a custom field."""
        return str((self.schema or {}).get("custom") or "")

    @property
    def titles(self) -> set[str]:
        """Return what people call it, in small letters: in the language of the account, and in none."""
        return {one.casefold() for one in (self.untranslated_name, self.name) if one}

    @property
    def names(self) -> set[str]:
        """Return every name it has, in small letters."""
        return self.titles | {one.casefold() for one in self.clause_names or () if one}

    @property
    def kept(self) -> Kept:
        """Return how its values are to be read."""
        schema = self.schema or {}
        kind, items = str(schema.get("type") or "any"), str(schema.get("items") or "")
        return Kept(self.id, kind, items, self.custom)

    @property
    def offer(self) -> OfferType | None:
        """Return the type it has in fields.csv; None for one that nobody can slice by, or that is read."""
        if self.role in {"sprint", "epic", "parent", "sla"} or self.custom.endswith(NO_VALUE):
            return None
        if not self.custom:
            return "list" if self.id == "versions" else "text" if self.id == "environment" else None
        kinds: dict[str, OfferType] = {
            "number": "number", "date": "date", "datetime": "date", "array": "list",
        }  # fmt: skip
        return kinds.get(self.kept.kind, "text")

    @property
    def role(self) -> str | None:
        """Return what it is for, by its schema, else by its untranslated name."""
        if role := SCHEMAS.get(self.custom):
            return role
        named = (NAMED[one] for one in sorted(self.names & NAMED.keys()))
        return next((role for end, role in named if self.custom.endswith(f":{end}")), None)


class Kept(msgspec.Struct, frozen=True):
    """A field whose values are kept as they are: its *id*, and the words of its schema."""

    id: str
    kind: str = "any"
    items: str = ""
    custom: str = ""

    @property
    def renames(self) -> bool:
        """Say whether a value may be called otherwise without its issue being touched."""
        kind = self.items if self.kind == "array" else self.kind
        return kind not in PLAIN and not self.custom.endswith(":gh-sprint")


class Bindings(msgspec.Struct, frozen=True):
    """Which custom fields mean what: role to ids; *sla* are all service-level fields.

    *words* are the kept fields of a history, by their ids, *titles* by their names, for lines without ids;
    *nameless* says that some have none. *kept* are
    the fields that fields.csv names, by the words it names them with.
    """

    roles: dict[str, tuple[str, ...]] = {}
    sla: tuple[str, ...] = ()
    words: dict[str, str] = {}
    nameless: bool = False
    kept: dict[str, Kept] = {}
    titles: dict[str, str] = {}

    @property
    def fields(self) -> tuple[str, ...]:
        """Return every custom field that means something."""
        return tuple(sorted({one for ids in self.roles.values() for one in ids} | set(self.sla)))

    @property
    def asked(self) -> tuple[str, ...]:
        """Return every field of an issue to ask for, but its hours."""
        known = (*wire.SYSTEM_FIELDS, *self.fields)
        return (*known, *sorted({one.id for one in self.kept.values()} - set(known)))

    @property
    def above(self) -> tuple[str, ...]:
        """Return the fields that name the issue above."""
        return tuple(one for role in ABOVE for one in self.roles.get(role, ()))


def bind(
    fields: list[FieldDef], chosen: Chosen, history: Iterable[str] = (), kept: Iterable[str] = ()
) -> Bindings:
    """Find the custom fields by what they are; *chosen* (role to ids) goes before what is found.

    Of several fields for one role those of single projects come first: an issue has its own or the site's.
    *kept* are ids or names, of which unknown ones are left out. Raises `ConfigError` for a name that several
    fields bear.
    """
    roles: dict[str, list[str]] = {}
    sla = []
    for one in sorted(fields, key=lambda one: one.scope is None):
        role = one.role
        if role == "sla":
            sla.append(one.id)
        elif role:
            roles.setdefault(role, []).append(one.id)
    bound = {role: tuple(ids) for role, ids in roles.items()} | {
        role: (ids,) if isinstance(ids, str) else tuple(ids) for role, ids in chosen.items()
    }
    words: dict[str, str] = {}
    nameless = False
    for changed in history:
        if changed in ROLES:
            ids = bound.get(changed, ())
            if changed == "parent":  # a change of the parent comes without the id of a field
                ids, nameless = ("parent", *bound.get("epic", ()), *ids), True
        else:
            ids = tuple(one.id for one in fields if changed == one.id or changed.casefold() in one.names)
            ids = ids or ((changed,) if changed in wire.SYSTEM_FIELDS else ())
            nameless = nameless or not ids
        words |= dict.fromkeys(ids, changed)
    titles: dict[str, str] = {}
    for one in fields:
        if (word := words.get(one.id)) and one.custom:
            titles |= dict.fromkeys(one.names, word)
    found = {one: field for one in kept if (field := field_named(fields, one))}
    return Bindings(
        roles=bound, sla=tuple(sorted(sla)), words=words, nameless=nameless,
        kept={one: field.kept for one, field in sorted(found.items())}, titles=titles,
    )  # fmt: skip


def field_named(fields: Iterable[FieldDef], words: str) -> FieldDef | None:
    """Return the field that *words* name: by its id, by a name in any language, or as JQL calls it.

    None for what is none, or is read anyway. Raises `ConfigError` for a name that several fields bear.
    """
    wanted = words.casefold()
    if wanted in ALWAYS:
        return None
    fields = list(fields)
    ways: tuple[Callable[[FieldDef], bool], ...] = (
        lambda one: one.id == words,
        lambda one: wanted in one.titles,
        lambda one: one.id.casefold() == wanted or wanted in one.names,
    )
    for same in ways:
        found = {one.id: one for one in fields if same(one)}
        if len(found) > 1:
            raise ConfigError(
                tr(
                    "fields.csv: several fields of Jira are called {words}: {ids}. Write the id of the one "
                    "that is meant.",
                    words=words,
                    ids=", ".join(sorted(found)),
                )
            )
        if found:
            return next(iter(found.values()))
    return None

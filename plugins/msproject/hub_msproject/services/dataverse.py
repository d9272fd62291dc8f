"""Dataverse as it is read.

Which tables and columns an organisation has, what changed in one since, and how far an account sees.

Source: learn.microsoft.com/power-apps/developer/data-platform/webapi (query data, use change tracking,
EntityMetadata, RetrieveUserSetOfPrivilegesByNames).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import msgspec

from hub import Context, SourceDataError, SourceError, SourceForbidden, SourceGone, SourceUnavailable, tr
from hub_msproject.services.odata import Page, Service, Twice, instant_of

MOST = 5000
"""Rows of one page, at most."""
OVERLAP = timedelta(minutes=10)
"""How long a change may take until it can be read."""
_TRACK = {"Prefer": f"odata.track-changes,odata.maxpagesize={MOST}"}
_PLAIN = {"Prefer": f"odata.maxpagesize={MOST}"}
_DELETED = b"$deletedEntity"


class Table(msgspec.Struct, frozen=True):
    """A table: its logical name, the columns that we need, and those that we take where they exist."""

    name: str
    needed: tuple[str, ...]
    wanted: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Return the column of the key."""
        return f"{self.name}id"


class Known(msgspec.Struct, frozen=True):
    """What an organisation says of a table.

    Its entity set, whether changes are tracked, and which of our columns it has.
    """

    set: str
    tracked: bool
    columns: tuple[str, ...]

    @property
    def select(self) -> str:
        """Return the columns as a query names them."""
        return ",".join(self.columns)


class _Attribute(msgspec.Struct, frozen=True, rename="pascal"):
    logical_name: str


class _Entity(msgspec.Struct, frozen=True, rename="pascal"):
    logical_name: str
    entity_set_name: str
    change_tracking_enabled: bool
    attributes: list[_Attribute]


class _Label(msgspec.Struct, frozen=True, rename="pascal"):
    label: str
    language_code: int | None = None


class _Labels(msgspec.Struct, frozen=True, rename="pascal"):
    localized_labels: list[_Label] = []


class _Option(msgspec.Struct, frozen=True, rename="pascal"):
    value: int
    label: _Labels = _Labels()


class _Options(msgspec.Struct, frozen=True, rename="pascal"):
    options: list[_Option] = []


class _Choice(msgspec.Struct, frozen=True, rename="pascal"):
    """The values of a choice, its own or those that several share."""

    option_set: _Options | None = None
    global_option_set: _Options | None = None


class _Count(msgspec.Struct, frozen=True):
    count: int


class _Tombstone(msgspec.Struct, frozen=True):
    context: str = msgspec.field(default="", name="@odata.context")
    id: str = ""
    reason: str = ""


class Row(dict[str, Any]):
    """A row by column; a column that was asked for and is not there, or of another type, is an error."""

    asked: tuple[str, ...] = ()

    def _of(self, name: str, kind: type | tuple[type, ...], what: str) -> Any:
        if name not in self:
            if name in self.asked:
                raise SourceDataError(
                    tr("Dataverse left out {name}, which was asked for: the API changed.", name=name)
                )
            return None
        value = self[name]
        if value is not None and (
            not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)
        ):
            self._wrong(name, value, what)
        return value

    @staticmethod
    def _wrong(name: str, value: Any, what: str) -> None:
        raise SourceDataError(
            tr(
                "Dataverse sent {name} as {value!r:.60} where {what} was expected.",
                name=name,
                value=value,
                what=what,
            )
        )

    def text(self, name: str) -> str | None:
        """Return a text."""
        found: str | None = self._of(name, str, tr("a text"))
        return found

    def key(self, name: str) -> str:
        """Return a text that must be there."""
        found = self.text(name)
        if not found:
            raise SourceDataError(tr("Dataverse sent a row without {name}.", name=name))
        return found

    def number(self, name: str) -> float | None:
        """Return a number."""
        found: float | None = self._of(name, (int, float), tr("a number"))
        return found

    def choice(self, name: str) -> float | str | None:
        """Return the value of a choice: its number, or a text."""
        found: float | str | None = self._of(name, (int, float, str), tr("a number"))
        return found

    def flag(self, name: str) -> bool | None:
        """Return yes or no."""
        found: bool | None = self._of(name, bool, tr("yes or no"))
        return found

    def instant(self, name: str) -> str | None:
        """Return an instant in UTC to the second; None for a year that means none."""
        return instant_of(self.text(name), f"Dataverse, for {name},")

    def hours(self, name: str) -> float | None:
        """Return a number that is not below 0."""
        found = self.number(name)
        if found is not None and found < 0:
            self._wrong(name, found, tr("a number of hours"))
        return found


class Changes(msgspec.Struct):
    """A page of what a table holds or what changed in it.

    Rows, and the keys of those that were deleted; *delta* on the last page.
    """

    rows: Iterator[Row]
    deleted: list[str]
    delta: str | None


class Dataverse:
    """An organisation, asked for tables."""

    def __init__(self, ctx: Context, service: Service) -> None:
        """Ask nothing yet."""
        self.ctx, self.service = ctx, service

    # ---------- what there is ----------

    def known(self, tables: tuple[Table, ...], optional: tuple[Table, ...] = ()) -> dict[str, Known]:
        """Return what is known of tables, by name; an *optional* one that cannot be read is left out.

        Raises `SourceDataError` for another table or a column of it that we need and that is not there.
        """
        names = " or ".join(f"LogicalName eq '{table.name}'" for table in tables)
        params = {
            "$select": "LogicalName,EntitySetName,ChangeTrackingEnabled",
            "$filter": names,
            "$expand": "Attributes($select=LogicalName)",
        }
        found = {
            one.logical_name: one
            for one in self.service.get("EntityDefinitions", Page[_Entity], params=params).value
        }
        answer = {}
        for table in tables:
            have = (
                {one.logical_name for one in found[table.name].attributes} if table.name in found else set()
            )
            lacking = [name for name in table.needed if _plain(name) not in have]
            if lacking and table in optional:
                continue
            if table.name not in found:
                raise SourceDataError(
                    tr(
                        "This organisation has no table {name}: Planner premium is not installed in it, or "
                        "the account may not read its metadata.",
                        name=table.name,
                    )
                )
            if lacking:
                raise SourceDataError(
                    tr(
                        "The table {name} has no {lacking}: its solution is of another version than the one "
                        "this connector knows.",
                        name=table.name,
                        lacking=", ".join(lacking),
                    )
                )
            columns = (table.key, *table.needed, *(name for name in table.wanted if _plain(name) in have))
            answer[table.name] = Known(
                found[table.name].entity_set_name, found[table.name].change_tracking_enabled, columns
            )
        return answer

    def labels(self, table: str, column: str) -> dict[str, str]:
        """Return the English names of the values of a choice, or those there are; none of a hidden one."""
        path = (
            f"EntityDefinitions(LogicalName='{table}')/Attributes(LogicalName='{column}')/"
            "Microsoft.Dynamics.CRM.PicklistAttributeMetadata"
        )
        params = {
            "$select": "LogicalName",
            "$expand": "OptionSet($select=Options),GlobalOptionSet($select=Options)",
        }
        try:
            found: _Choice = self.service.get(path, _Choice, params=params, route="choices")
        except SourceUnavailable:
            raise
        except SourceError as exc:
            self.ctx.log.info("the names of %s cannot be read: %s", column, exc)
            return {}
        names = {}
        for option in (found.option_set or found.global_option_set or _Options()).options:
            chosen = sorted(option.label.localized_labels, key=lambda label: label.language_code != 1033)
            if chosen:
                names[str(option.value)] = chosen[0].label
        return names

    def me(self) -> str:
        """Return the id of the account."""
        found: dict[str, Any] = self.service.get("WhoAmI", dict)
        return str(found.get("UserId"))

    def sees_all(self, tables: tuple[Table, ...]) -> bool:
        """Say whether the account reads these tables in the whole organisation.

        Only then does what is absent not exist.
        """
        names = [f"prvRead{table.name}" for table in tables]
        path = (
            f"systemusers({self.me()})/"
            "Microsoft.Dynamics.CRM.RetrieveUserSetOfPrivilegesByNames(PrivilegeNames=@names)"
        )
        try:
            found: dict[str, Any] = self.service.get(
                path, dict, params={"@names": json.dumps(names)}, route="privileges"
            )
        except SourceUnavailable:
            raise
        except SourceError as exc:
            self.ctx.log.info("privileges cannot be read: %s", exc)
            return False
        told = found.get("RolePrivileges")
        rights = told if isinstance(told, list) else []
        depths = [one.get("Depth") for one in rights if isinstance(one, dict)]
        return len(depths) >= len(names) and set(depths) == {"Global"}

    # ---------- what is in it ----------

    def rows(self, known: Known, **params: str) -> Iterator[Changes]:
        """Return the rows of a table, page by page.

        *params* narrow it (``filter``, ``orderby``, ``top``, ``expand``).
        """
        query = {"$select": known.select} | {f"${name}": value for name, value in params.items()}
        yield from self._pages(known, known.set, query, _PLAIN)

    def whole(self, known: Known) -> Iterator[Changes]:
        """Return all rows of a tracked table; the last page has the link to what changes from then on."""
        yield from self._pages(known, known.set, {"$select": known.select}, _TRACK)

    def since(self, known: Known, delta: str) -> Iterator[Changes] | None:
        """Return what changed since *delta*, or None where the link has expired.

        Links last 7 days, unless the organisation says otherwise.
        """
        pages = self._pages(known, delta, None, _TRACK)
        try:
            first = next(pages)
        except (SourceDataError, SourceGone) as exc:
            self.ctx.log.info("%s is read whole: the link to its changes is refused: %s", known.set, exc)
            return None

        def all_of() -> Iterator[Changes]:
            yield first
            yield from pages

        return all_of()

    def there(self, known: Known, key: str) -> bool:
        """Say whether a row can be read by its key, past any list."""
        path = f"{known.set}({key})?$select={known.columns[0]}"
        try:
            self.service.get(path, dict, route=f"{known.set}(…)")
        except (SourceGone, SourceForbidden, SourceDataError):
            return False
        return True

    def count(self, known: Known) -> int | None:
        """Return how many rows of a table the account sees, or None where that cannot be told.

        Aggregates end at 50,000 rows with an error (learn.microsoft.com, "Aggregate data").
        """
        params = {"$apply": "aggregate($count as count)"}
        try:
            found = self.service.get(known.set, Page[_Count], params=params, route=f"{known.set} counted")
        except SourceUnavailable:
            raise
        except SourceError as exc:
            self.ctx.log.info("the rows of %s are not counted: %s", known.set, exc)
            return None
        return found.value[0].count if found.value else None

    def newest(self, known: Known) -> str:
        """Return the stamp of the last change, or nothing."""
        for page in self.rows(known, orderby="modifiedon desc", top="10"):
            for row in page.rows:
                with suppress(SourceDataError):  # an odd one is told where the table is read
                    return row.instant("modifiedon") or ""
        return ""

    def changed(self, known: Known, since: str) -> Iterator[Changes]:
        """Return the rows that changed since an instant, and some from before."""
        return self.rows(
            known, filter=f"modifiedon ge {datetime.fromisoformat(since) - OVERLAP:%Y-%m-%dT%H:%M:%SZ}"
        )

    def _pages(
        self, known: Known, path: str, query: dict[str, str] | None, headers: dict[str, str]
    ) -> Iterator[Changes]:
        twice = Twice(self.ctx, known.set)
        for page in self.service.pages(path, msgspec.Raw, params=query, headers=headers, route=known.set):
            deleted = []
            alive = []
            for raw in page.value:
                stone = msgspec.json.decode(raw, type=_Tombstone) if _DELETED in bytes(raw) else None
                if stone is not None and stone.context.endswith("$deletedEntity"):
                    if stone.reason == "deleted":
                        deleted.append(stone.id)
                else:
                    alive.append(raw)
            yield Changes(_rows(alive, known.columns, twice), deleted, page.delta)


def _rows(raws: list[msgspec.Raw], columns: tuple[str, ...], twice: Twice) -> Iterator[Row]:
    for raw in raws:
        decoded = msgspec.json.decode(raw)
        if not isinstance(decoded, dict):
            raise SourceDataError(
                tr("Dataverse sent {decoded!r:.60} where a row was expected.", decoded=decoded)
            )
        row = Row(decoded)
        row.asked = columns
        # the same state of a row (its etag) is the same wherever it comes
        twice.met(f"{row.get(columns[0])} {row.get('@odata.etag')}", bytes(raw))
        yield row


def _plain(column: str) -> str:
    """Return the logical name of a column: a query names a reference ``_NAME_value``."""
    match = re.fullmatch(r"_(\w+)_value", column)
    return match[1] if match else column

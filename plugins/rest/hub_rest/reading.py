"""What becomes of the rows of one list: taken, rejected, left out or gone, and the tally of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from hub import BY_TABLE, Batch, Context, Gone, HubError, Record, SourceDataError, Tally, tr
from hub_rest.mapping import Wanted, endings, is_true, own, plain
from hub_rest.paging import KEYLESS, key_of
from hub_rest.paths import expression
from hub_rest.rows import RowError, RowMapper

TAKEN, REJECTED = "taken", "rejected"
UNWANTED, THERE_GONE = "no record wants it", "deleted there"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Reading:
    """The rows of one list, as they come; one that comes twice is one."""

    def __init__(
        self,
        ctx: Context,
        mapper: RowMapper,
        one: Wanted,
        variables: dict[str, Any],
        known: dict[str, list[str]],
        newest: str,
    ) -> None:
        """Take the list, its *variables*, what was *known* of it by container, and the *newest* stamp."""
        self.ctx, self.mapper, self.one, self.variables, self.known = ctx, mapper, one, variables, known
        self.newest, self.latest = newest, ctx.now() + timedelta(days=1)
        self.itself = own(one)
        self.fates: dict[str, str] = {}
        self.boxes: dict[str, list[str]] = {}
        """The rows that are there, by container."""
        self.unwanted: set[str] = set()
        """The rows that the list shows and of which there is no record any more."""
        self.made: set[str] = set()
        """The ids of own records where a row may become several."""
        self.nameless = False
        """A row came of which nobody knows which one it is."""
        self.shapes = mapper.shapes(one, variables)
        self._stamp_of = expression(one.cursor.field) if one.cursor else None

    @cached_property
    def box_of(self) -> dict[str, str]:
        """Return the containers of the rows that were known."""
        return {native: box for box, natives in self.known.items() for native in natives}

    @cached_property
    def stored(self) -> frozenset[str]:
        """Return the ids of the list's own table that the store had and that have not left."""
        return self.ctx.known_ids(BY_TABLE[self.itself.table], self._start)

    @cached_property
    def _start(self) -> str:
        """Return what the ids of the list's own records begin with."""
        return self.mapper.row_id(self.itself.table, plain(self.itself.fields["id"]).prefix)

    @property
    def natives(self) -> set[str]:
        """Return the rows that the list shows."""
        return self.unwanted | {native for natives in self.boxes.values() for native in natives}

    def take(self, rows: list[Any]) -> Batch:
        """Return what *rows* become. A row that makes an error of any kind costs that row only."""
        records: list[Record] = []
        gone: dict[str, Gone] = {}
        self.shapes.note(rows)
        for row in rows:
            key = key_of(self.one, row)
            try:
                fate, made, left = self._judge(row, key)
            except Exception as exc:  # one odd row costs one row, in whatever way it is odd
                if isinstance(exc, HubError) and not isinstance(exc, SourceDataError):
                    raise
                self._reject(row, key, exc)
                continue
            if self.fates.get(key) != REJECTED:
                self.fates[key] = fate
            for record in made:  # what was gone and came back, within the page
                gone.pop(record.id, None)
            records += made
            gone |= {one.id: one for one in left}
        return Batch(records=records, gone=tuple(gone.values()))

    def older(self, overlap_s: int) -> Callable[[list[Any]], bool] | None:
        """Return what says of each page whether only older rows follow; None where pages do not say it.

        Pages that are not in order say nothing: then the list is read to its end.
        """
        cursor, find = self.one.cursor, self._stamp_of
        if cursor is None or find is None or not cursor.descending:
            return None
        limit = datetime.fromisoformat(self.newest) - timedelta(seconds=overlap_s)
        last, in_order = self.latest, True

        def until(rows: list[Any]) -> bool:
            nonlocal last, in_order
            for row in rows:
                try:
                    stamp = self.mapper.instant(find(row))
                except Exception:  # noqa: BLE001, S112 - an odd row says nothing of the others
                    continue
                in_order &= stamp <= last
                last = stamp
            return in_order and last < limit

        return until

    def tally(self, said: int | None) -> Tally:
        """Return the account of the rows met; *said* is the tool's own count."""
        count = Counter(self.fates.values())
        taken, _ = count.pop(TAKEN, 0), count.pop(REJECTED, 0)
        return Tally(seen=len(self.fates), taken=taken, skipped=dict(count), said=said)

    def ids(self) -> dict[str, list[str]]:
        """Return the rows that are there by container, each once."""
        return {
            box: [native for native in dict.fromkeys(natives) if native not in self.unwanted]
            for box, natives in self.boxes.items()
        }

    # ---------- one row ----------

    def _judge(self, row: Any, key: str) -> tuple[str, list[Record], list[Gone]]:
        one, mapper = self.one, self.mapper
        if key.startswith(KEYLESS):
            raise RowError(mapper.place(one, row), tr("a row has nothing at {path!r}, its key", path=one.key))
        self.shapes.check(row)
        for presence, path in (("trashed", one.deletes.trashed), ("deleted", one.deletes.field)):
            flag = expression(path)(row) if path else None
            if isinstance(flag, dict | list) and flag:  # nothing leaves on evidence that nobody understands
                raise RowError(mapper.place(one, row), tr("is no flag"), field=path or "", value=flag)
            if is_true(flag):
                left = mapper.native(one, row, self.variables)
                self.newest = self._stamped(row)
                self.unwanted.add(left)
                return (
                    THERE_GONE,
                    [],
                    self._left(mapper.ids(one, left), tr("{path} is true of it", path=path), presence),
                )
        made = list(mapper.records(one, row, self.variables))
        mine = {record.id: record for record in made if record.table == self.itself.table}
        self.newest = self._stamped(row)
        several = len(self._endings) > 1
        if one.deletes.probe and (named := self._native(row)) is not None:
            note_other_id(self.ctx, one, row, named)
        native = self._native(row) if several or not mine else next(iter(mine))[len(self._start) :]
        native = key if native == key else native  # one text of it is held
        if mine and native is not None:
            self.unwanted.discard(native)
            box = getattr(next(iter(mine.values())), "container_id", None) or ""
            self.boxes.setdefault(box, []).append(native)
        elif native in self.box_of:
            self.unwanted.add(native)
        else:
            native = None
        # what the row was before and is not any more: a part of it, or all
        self.made.update(mine if several else ())
        ids = mapper.ids(one, native) if native is not None and (several or not mine) else []
        lacking = self._left(
            [id_ for id_ in ids if id_ not in mine], tr("its row in {list} is none now", list=one.name)
        )
        return TAKEN if made else UNWANTED, made, lacking

    def _native(self, row: Any) -> str | None:
        """Return what names a row in the store's ids, where that can be said."""
        try:
            return self.mapper.native(self.one, row, self.variables)
        except Exception:  # noqa: BLE001 - the row is odd in whatever way it is odd
            return None

    @cached_property
    def _endings(self) -> list[str]:
        return endings(self.one)

    def _left(self, ids: list[str], evidence: str, presence: Any = "deleted") -> list[Gone]:
        cls = BY_TABLE[self.itself.table]
        if len(self._endings) > 1:  # of what a row may become, some was not
            ids = [id_ for id_ in ids if id_ in self.made or id_ in self.stored]
        return [Gone(record=cls, id=id_, evidence=evidence, presence=presence) for id_ in ids]

    def _stamped(self, row: Any) -> str:
        """Return the newest stamp, that of *row* included; one of the future is no mark."""
        if self._stamp_of is None or not (value := self._stamp_of(row)):
            return self.newest
        try:
            moment = self.mapper.instant(value)
        except Exception as exc:
            assert self.one.cursor is not None
            where = self.mapper.place(self.one, row)
            raise RowError(where, f"{exc}", field=self.one.cursor.field, value=value) from exc
        if not _EPOCH <= moment <= self.latest:
            return self.newest
        return max(self.newest, f"{moment:%Y-%m-%dT%H:%M:%SZ}")

    def _reject(self, row: Any, key: str, exc: Exception) -> None:
        one, cls = self.one, BY_TABLE[self.itself.table]
        found = self.mapper.understood(one, row, self.variables)
        native = None if key.startswith(KEYLESS) else self._native(row)
        self.nameless |= native is None
        if native is not None:  # it is there, whatever it is
            box = self.box_of.get(native, found.get("container_id") or "")
            self.boxes.setdefault(box, []).append(native)
        if self.fates.get(key) == REJECTED:
            return
        self.fates[key] = REJECTED
        if not isinstance(exc, HubError):
            self.ctx.log.debug("a row was rejected", exc_info=exc)
        said = f"{exc}" if isinstance(exc, HubError) else f"{type(exc).__name__}: {exc}"
        url = found.get("url")
        self.ctx.reject(
            self.mapper.place(one, row) + (f" ({url})" if url else ""),
            exc.reason if isinstance(exc, RowError) else said,
            key=key,
            record=cls,
            id=found.get("id"),
            field=exc.field if isinstance(exc, RowError) else "",
            value=exc.value if isinstance(exc, RowError) else None,
            container=found.get("container_id"),
            seconds=found.get("seconds"),
            amount_minor=found.get("amount_minor"),
            currency=found.get("currency"),
        )


def other_ids(ctx: Context, one: Wanted) -> bool:
    """Say whether rows of a list are stored by another id than the tool may mean: a proof is tried first."""
    field = plain(own(one).fields["id"])
    return one.name in ctx.shared("other ids", set[str]) or field.path != one.key or field.values is not None


def note_other_id(ctx: Context, one: Wanted, row: Any, native: str) -> None:
    """Note that a row has an id beside the one that it is stored by."""
    if isinstance(row, dict) and row.get("id") is not None and f"{row['id']}" != native:
        ctx.shared("other ids", set[str]).add(one.name)

"""What has left: which of the rows that were known are gone, and by what proof."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from hub import BY_TABLE, Batch, Gone, SourceDataError, SourceForbidden, SourceGone, tr
from hub_rest import mapping as maps
from hub_rest.lists import Lists, found_at, partition_of
from hub_rest.mapping import Wanted, fill_path, is_true, own
from hub_rest.paging import KEYLESS, key_of
from hub_rest.reading import Reading, note_other_id, other_ids

FEW = 5
SHOWN = 20
"""Rows that a list does not show and that are asked for one by one, as long as each of them answers."""
Presence = Literal["deleted", "hidden", "trashed"]


class Lost(msgspec.Struct, kw_only=True):
    """What became of rows that were known and that a whole list does not show.

    *gone* are the proofs, *kept* the others with their containers, *answering* those that are there all the
    same.
    """

    gone: list[Gone] = []
    kept: dict[str, str] = {}
    answering: list[str] = []
    wrong: str = ""
    """A row that the list shows, and whose address answers 404 too: then that proves nothing."""

    def sentence(self, one: Wanted) -> str:
        """Say that the list does not show what is there."""
        if self.wrong:
            return tr(
                "{name}: the address by which rows are proven gone answers 404 for {wrong} too, which the "
                "list shows: it names another id than the rows have. Nothing was taken for gone; correct "
                "deletes.probe.",
                name=one.name,
                wrong=self.wrong,
            )
        count, first = len(self.answering), ", ".join(self.answering[:FEW])
        asked = tr(" (the first {count} were asked)", count=SHOWN) if count > SHOWN else ""
        return tr(
            "{name}: {count} rows that were known are not in the whole list and still answer at their own "
            "address{asked}: {first}{more}. The list does not show all it has.",
            name=one.name,
            count=count,
            asked=asked,
            first=first,
            more=", …" if count > FEW else "",
        )


class Leaving:
    """Judges the rows that were known and that the lists of a run do not show."""

    def __init__(self, lists: Lists) -> None:
        """Take the lists of the run."""
        self.lists, self.ctx = lists, lists.ctx

    def listed(self, one: Wanted, rows: Reading, told: set[str]) -> tuple[list[Gone], list[str]]:
        """Return the proofs of the list of what is deleted, and the keys that they were.

        What was *told* before is no news: the row may have come back. One that the list shows is there.
        """
        shown = next(other for other in self.lists.described.list if other.name == one.deletes.list)
        named = {
            key_of(shown, row)
            for variables in self.lists.asked(shown)
            for row in self.lists.held(shown, variables).rows
        }
        gone: list[Gone] = []
        for native in sorted((named - told) & set(rows.box_of) - rows.natives):
            gone += self._proofs(one, native, "deleted", tr("named in the list {list}", list=shown.name))
        return gone, sorted(named)

    def was_emptied(self, one: Wanted, before: dict[str, Any]) -> bool:
        """Say whether a list that had rows has none, where the hub's guard does not ask a person."""
        table = own(one).table
        if not before.get("rows") or table not in {"container", "account", "task", "worklog"}:
            return False
        if one.each is not None:  # one of several may well be empty
            return table == "container" and not self._readable()
        return table in {"container", "account"} or one.deletes.kind in {"none", "flag"}

    def lost(
        self,
        one: Wanted,
        variables: dict[str, Any],
        known: dict[str, list[str]],
        there: set[str],
        *,
        provable: bool = True,
    ) -> Lost:
        """Judge rows that were known and are not *there*.

        Unless *provable*, what is lacking may be one that could not be seen: nothing is gone then.
        """
        lost = Lost()
        lacking = [
            (native, box) for box, natives in known.items() for native in natives if native not in there
        ]
        if lacking and (elsewhere := self._elsewhere(one)):
            lacking = [pair for pair in lacking if pair[0] not in elsewhere]
        # a list that makes its containers along the way cannot say which of them are out of sight
        makes = any(made.table == "container" for made in one.record)
        readable = None if makes or not lacking else self._readable()
        for native, box in lacking:
            # what is in a container that is not shown any more, or is archived, is out of sight, not gone
            if not provable or (box and readable is not None and box not in readable):
                lost.kept[native] = box
                continue
            if len(lost.answering) >= SHOWN:  # the list is proven wrong: each one more is a request
                lost.answering.append(native)
                lost.kept[native] = box
                continue
            if one.each and one.deletes.probe is None:
                # only when all of them are read is it sure that it is in no other: `_leaving` says so
                if self._is_stored(one, native):
                    self.ctx.shared(f"lacking {one.name}", set[str]).add(native)
                    lost.kept[native] = box
                continue
            found = self._presence(one, variables, native, box)
            if found is None:
                lost.answering.append(native)
                lost.kept[native] = box
                continue
            where, evidence = found
            if where == "moved":
                continue
            if where == "deleted" and (wrong := self._misled(one, variables, there)):
                lost.wrong = wrong
                lost.kept[native] = box
                continue
            lost.gone += self._proofs(one, native, where, evidence)
            if where == "hidden":
                lost.kept[native] = box
        return lost

    def _misled(self, one: Wanted, variables: dict[str, Any], there: set[str]) -> str:
        """Return a row that is there and whose address answers 404 all the same; empty where it answers."""
        if one.deletes.probe is None or not there or not other_ids(self.ctx, one):
            return ""

        def ask() -> str:
            native = max(there)
            found = self._presence(one, variables, native)
            return native if found is not None and found[0] == "deleted" else ""

        return self.ctx.shared(f"control of {partition_of(one, variables)}", ask)

    def _elsewhere(self, one: Wanted) -> set[str]:
        """Return the rows of other lists that become records of the same ids, such as archived projects."""
        mine = maps.plain(own(one).fields["id"])
        others = [
            other
            for other in self.lists.described.list
            if other is not one
            and other.record
            and not other.cursor
            and not other.paging.resume
            and own(other).table == own(one).table
            and maps.plain(own(other).fields["id"]).prefix == mine.prefix
        ]
        found = set()
        for other in others:
            for variables in self.lists.asked(other):
                for row in self.lists.held(other, variables).rows:
                    try:
                        found.add(self.lists.mapper.native(other, row, variables))
                    except SourceDataError:
                        continue
        return found

    def _presence(
        self, one: Wanted, variables: dict[str, Any], native: str, box: str = ""
    ) -> tuple[Presence | Literal["moved"], str] | None:
        """Return where a row is that its list does not show, with the evidence; None where it answers.

        It is moved where it answers and says that it is in another container than *box*, where it was.
        """
        probe, trashed, title = one.deletes.probe, one.deletes.trashed, self.lists.described.title
        if probe is None:
            return self._absent(one)
        try:
            answer = self.lists.tool.get(
                fill_path(probe, variables | {"id": native}) or "", route=f"probe {one.name}"
            )
        except SourceGone:
            return "deleted", tr("{title} answers 404 for it", title=title)
        except SourceForbidden:
            return "hidden", tr("{title} answers 403 for it", title=title)
        except SourceDataError:  # whatever it says, it does not say that the row is gone
            return None
        if self._names_another(one, variables, native, answer):
            return None  # of this row it says nothing
        flag = found_at(trashed, answer) if trashed else None
        if isinstance(flag, dict | list) and flag:
            return None  # nothing leaves on evidence that nobody understands
        if is_true(flag):
            return "trashed", tr("{title} says that {path} is true of it", title=title, path=trashed)
        if one.each and box and self._boxes_in(one, answer) - {box}:
            return "moved", ""
        return None

    def _absent(self, one: Wanted) -> tuple[Presence, str]:
        """Return what it proves that a row is in no whole list any more."""
        name = one.deletes.list or one.name
        if own(one).table == "container":  # it may be closed to this account as well
            return "hidden", tr("absent from the whole list {list}: deleted, or out of sight", list=name)
        return "deleted", tr("absent from the whole list {list}", list=name)

    def _boxes_in(self, one: Wanted, answer: Any) -> set[str]:
        """Return the containers that an answer about a row names."""
        told = (self.lists.mapper.understood(one, value, self.lists.given) for value in _objects(answer))
        return {found["container_id"] for found in told if found.get("id") and found.get("container_id")}

    def _is_stored(self, one: Wanted, native: str) -> bool:
        """Say whether the store holds a record of a row that has not left."""
        cls, start = BY_TABLE[own(one).table], self.lists.mapper.row_id(own(one).table, "")
        stored = self.ctx.shared(f"stored {cls.table}", lambda: self.ctx.known_ids(cls, start))
        return not stored.isdisjoint(self.lists.mapper.ids(one, native))

    def leaving(self, one: Wanted) -> Batch:
        """Return the proofs of what lacks in each of the lists of one kind: it is in no other either."""
        lacking = self.ctx.shared(f"lacking {one.name}", set[str]) - self.ctx.shared(
            f"there {one.name}", set[str]
        )
        gone: list[Gone] = []
        for native in sorted(lacking):
            gone += self._proofs(one, native, *self._absent(one))
        return Batch(gone=tuple(gone))

    def _names_another(self, one: Wanted, variables: dict[str, Any], native: str, answer: Any) -> bool:
        """Say whether an answer bears ids and none of them is that of the row asked for."""
        named = set()
        for value in _objects(answer):
            try:
                named.add(self.lists.mapper.native(one, value, variables))
            except Exception:  # noqa: BLE001, S112 - it is no row, or an odd one
                continue
        return bool(named) and native not in named

    def _proofs(self, one: Wanted, native: str, presence: Presence, evidence: str) -> Iterator[Gone]:
        cls, ids = BY_TABLE[own(one).table], self.lists.mapper.ids(one, native)
        if len(ids) > 1:  # of what a row may become, some were not
            start = self.lists.mapper.row_id(cls.table, "")
            stored = self.ctx.shared(f"stored {cls.table}", lambda: self.ctx.known_ids(cls, start))
            ids = [id_ for id_ in ids if id_ in stored]
        yield from (Gone(record=cls, id=id_, presence=presence, evidence=evidence) for id_ in ids)

    def _readable(self) -> set[str] | None:
        """Return the containers that this run saw and whose rows lists show.

        None where the mapping lists no containers.
        """
        boxes = [
            one for one in self.lists.described.list if any(made.table == "container" for made in one.record)
        ]
        if not boxes:
            return None

        def read() -> set[str]:
            found = [
                self.lists.mapper.understood(one, row, variables, "container")
                for one in boxes
                for variables in self.lists.asked(one)
                for row in self.lists.held(one, variables).rows
            ]
            return {box["id"] for box in found if "id" in box and not box.get("archived")}

        return self.ctx.shared("readable", read)

    def there(self, one: Wanted, variables: dict[str, Any]) -> tuple[set[str], bool]:
        """Return the rows that a whole list shows now, and whether it shows all that there are."""
        shown = next((other for other in self.lists.described.list if other.name == one.deletes.list), one)
        askings = [variables | {"since": None}] if shown is one else list(self.lists.asked(shown))
        there: set[str] = set()
        provable = True
        for asking in askings:
            mark: dict[str, Any] = {}
            keys: set[str] = set()
            for page in self.lists.tool.whole(shown, asking, mark=mark):
                for row in page:
                    keys.add(key := key_of(shown, row))
                    try:
                        native = key if shown is not one else self.lists.mapper.native(one, row, asking)
                        note_other_id(self.ctx, one, row, native)
                    except SourceDataError:
                        provable = False
                        continue
                    there.add(native)
            provable &= mark.get("said", 0) <= len(keys) and not any(key.startswith(KEYLESS) for key in keys)
        return there, provable


def _objects(answer: Any) -> list[dict[str, Any]]:
    """Return the objects of an answer about one row that may be that row: itself, or one that it wraps."""
    inner = answer.values() if isinstance(answer, dict) else answer if isinstance(answer, list) else ()
    firsts = [value[0] for value in inner if isinstance(value, list) and len(value) == 1]
    return [value for value in (answer, *inner, *firsts) if isinstance(value, dict)]

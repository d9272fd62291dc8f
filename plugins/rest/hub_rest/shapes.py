"""What shape the rows of a list have: where the mapping looks, what stands there, what has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from hub import tr
from hub_rest.mapping import ITEM, Mapping, Wanted, plain
from hub_rest.paths import EACH, Place, places

Filled = Callable[[str], str | None]
"""Puts the params of the source into a path; None for one that needs a param which it does not give."""


def read_paths(described: Mapping, one: Wanted, filled: Filled) -> dict[Place, set[str]]:
    """Return the names that the mapping reads of an object in a row of *one*, by its place."""
    found: dict[Place, set[str]] = {}

    def add(path: str | None, items: list[Place] | None = None) -> list[Place]:
        text = filled(path) if path and not path.startswith("spread.") else None
        if text is None:
            return []
        seen, ends = places(text, {ITEM: items} if items is not None else {})
        for place in seen:
            found.setdefault(place[:-1], set()).add(place[-1])
        return ends

    for made in one.record:
        items = [(*place, EACH) for place in add(made.of)] if made.of else None
        add(made.when, items)
        for field in map(plain, made.fields.values()):
            for path in (field.path, *(part for case in field.cases for part in (case.when, case.path))):
                add(path, items)
        for name in made.spread:
            found.setdefault((), set()).add(name)
    for below in described.list:
        if below.each and below.each.list == one.name:
            for path in (below.each.when, *below.each.set.values()):
                add(path)
        for field in (plain(field) for made in below.record for field in made.fields.values()):
            if field.lookup == one.name:
                add(field.take)
    return found


class Shapes:
    """The objects in the rows of one list, at the places where the mapping reads something of them.

    A name that none has, beside one that begins like it, was changed; an object that has nothing of what is
    read of it, and nothing of what the others have, is another thing.
    """

    def __init__(self, wanted: dict[Place, set[str]], variables: Iterable[str] = ()) -> None:
        """Take the names by place, and the *variables* that a row needs not have."""
        self.wanted = {place: set(names) for place, names in wanted.items()}
        if () in self.wanted:
            self.wanted[()] -= {*variables, ITEM}
        self.seen: dict[Place, set[str]] = {place: set() for place in self.wanted}
        self._right: dict[Place, set[str]] = {place: set() for place in self.wanted}

    def note(self, rows: Iterable[Any]) -> None:
        """Note the keys of rows."""
        for row in rows:
            for place, keys in self.seen.items():
                for here in _objects(row, place):
                    keys.update(here)
                    if here.keys() & self.wanted[place]:
                        self._right[place].update(here)

    def check(self, row: Any) -> None:
        """Raise `TypeError` for a row in which an object has nothing of what such objects have."""
        for place, names in self.wanted.items():
            right = self._right[place]
            if not place or not right:
                continue
            for here in _objects(row, place):
                if here and not here.keys() & names and not here.keys() & right:
                    told = ", ".join(map(str, here))[:60]
                    raise TypeError(tr("{place} has {names}", place=_shown(place), names=told))

    def renamed(self) -> list[str]:
        """Say which names none of the rows has, where something shows that they should.

        One that begins alike is there, or other things are where they should be.
        """
        said = []
        for place, names in self.wanted.items():
            lacking, others = names - self.seen[place], self.seen[place] - names
            said += [
                tr("no row has {path}, but {other}", path=_shown((*place, name)), other=key)
                for name in lacking
                for key in others
                if key.startswith(name)
            ]
            if place and others and lacking == names and not said:
                said.append(
                    tr(
                        "{path} has {others}, and not {names}",
                        path=_shown(place),
                        others=", ".join(sorted(others))[:80],
                        names=", ".join(sorted(names))[:80],
                    )
                )
        return sorted(said)


def _objects(row: Any, place: Place) -> list[dict[str, Any]]:
    """Return the objects that stand at a place of a row."""
    found = [row]
    for name in place:
        if name == EACH:
            found = [inner for one in found if isinstance(one, list) for inner in one]
        else:
            found = [one.get(name) for one in found if isinstance(one, dict)]
    return [one for one in found if isinstance(one, dict)]


def _shown(place: Place) -> str:
    return ".".join(place).replace(f".{EACH}", EACH)

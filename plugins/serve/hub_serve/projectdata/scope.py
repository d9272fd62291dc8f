"""What the names of a filter of an old report mean: the columns of one entity set."""

from __future__ import annotations

from typing import NoReturn

from hub import tr
from hub_serve.expressions import Typed
from hub_serve.projectdata.sets import Edm, EntitySet
from hub_serve.refusals import bad, unsupported

_TYPES: dict[Edm, str] = {
    "Boolean": "BOOLEAN", "Byte": "BIGINT", "DateTime": "TIMESTAMPTZ", "Decimal": "DECIMAL(19,4)",
    "Double": "DOUBLE", "Guid": "UUID", "Int16": "BIGINT", "Int32": "BIGINT", "String": "VARCHAR",
}  # fmt: skip


class Columns:
    """The columns of an entity set; its moments are of UTC."""

    def __init__(self, one: EntitySet) -> None:
        """Ask *one*."""
        self._set = one

    def named(self, path: tuple[str, ...]) -> Typed:
        """Return the column that *path* names."""
        name = "/".join(path)
        if path[1:] and path[0] not in self._set.columns:
            raise unsupported(tr("{place}: {what} is not supported.", place="$filter", what=name), "$filter")
        if name not in self._set.columns:
            raise bad(tr("{table} has no property {name!r}.", table=self._set.name, name=name), name)
        kind = _TYPES[self._set.columns[name]]
        return Typed(f'"{name}"::{kind}', kind)

    def count(self, path: tuple[str, ...]) -> NoReturn:
        """Refuse, for the same reason."""
        self.members(path)

    def members(self, path: tuple[str, ...], alias: str = "") -> NoReturn:
        """Refuse: no set has collections."""
        raise unsupported(
            tr("{place}: {what} is not supported.", place="$filter", what="any, all"), "$filter"
        )

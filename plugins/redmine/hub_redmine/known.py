"""Which ids were there, by project and bucket, written as ranges.

Ids are dense, so that 100,000 of them are a short text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

Places = dict[str, dict[str, str]]
"""Project, then bucket (a stretch of days, or empty), then ranges such as ``1-66,68``."""


class Known:
    """Ids and where each was seen last."""

    def __init__(self, places: Places | None = None) -> None:
        """Take what `places` returned."""
        self.where: dict[int, tuple[str, str]] = {}
        self._places: dict[tuple[int | str, str], tuple[str, str]] = {}
        for project, buckets in msgspec.convert(places or {}, Places).items():
            for bucket, text in buckets.items():
                self.where |= dict.fromkeys(ids_of(text), (project, bucket))

    def add(self, native: int, project: int, bucket: str = "") -> None:
        """Note where *native* is."""
        place = self._places.get((project, bucket))
        if place is None:
            place = self._places[project, bucket] = (str(project), bucket)
        self.where[native] = place

    def drop(self, natives: Iterable[int]) -> None:
        """Forget."""
        for native in natives:
            self.where.pop(native, None)

    def lost(self, seen: Known, *, since: str = "") -> dict[str, list[int]]:
        """Return, per project, the ids in buckets from *since* on that *seen* lacks."""
        found: dict[str, list[int]] = {}
        for native, (project, bucket) in sorted(self.where.items()):
            if bucket >= since and native not in seen.where:
                found.setdefault(project, []).append(native)
        return found

    def places(self) -> Places:
        """Return JSON, for a cursor."""
        grouped: dict[str, dict[str, list[int]]] = {}
        for native, (project, bucket) in sorted(self.where.items()):
            grouped.setdefault(project, {}).setdefault(bucket, []).append(native)
        return {
            project: {bucket: ranges(ids) for bucket, ids in buckets.items()}
            for project, buckets in grouped.items()
        }


def ids_of(text: str) -> Iterator[int]:
    """Return the ids of ranges such as ``1-66,68``."""
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def ranges(ids: list[int]) -> str:
    """Write sorted ids as ranges."""
    return ",".join(_ranges(ids)) if ids else ""


def _ranges(ids: list[int]) -> Iterator[str]:
    start = end = ids[0]
    for native in ids[1:]:
        if native != end + 1:
            yield f"{start}-{end}" if end > start else str(start)
            start = native
        end = native
    yield f"{start}-{end}" if end > start else str(start)

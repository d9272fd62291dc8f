"""Many ids of issues in little room."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Set


class Ids(Set[str]):
    """The ids of issues, kept as numbers: as texts in a set a hundred thousand of them take 10 MB.

    *numbers* ascend; each id is one of them after *begins*.
    """

    def __init__(self, numbers: Iterable[int], begins: str = "") -> None:
        """Keep them."""
        self.numbers, self.begins = array("q", numbers), begins

    @classmethod
    def of(cls, ids: Iterable[str]) -> Ids:
        """Keep *ids*, in whatever order they come, each once."""
        return cls(sorted(array("q", map(int, ids))))

    def __contains__(self, one: object) -> bool:
        """Say whether an id is among them."""
        if not isinstance(one, str) or not one.startswith(self.begins):
            return False
        native = one[len(self.begins) :]
        number = int(native) if native.isdecimal() else -1
        at = bisect_left(self.numbers, number)
        return at < len(self.numbers) and self.numbers[at] == number

    def __iter__(self) -> Iterator[str]:
        """Yield them, the lowest number first."""
        return (f"{self.begins}{number}" for number in self.numbers)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.numbers)

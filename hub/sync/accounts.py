"""Account for what a source met: faulty records are rejected, tallies compared, what is lacking is told."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from hub.context import Context
from hub.errors import HubError, SourceDataError
from hub.records import Record, Worklog
from hub.source import Partition, Source
from hub.store import Store, rejections
from hub.tally import FEW, Rejection, Tally, too_many
from hub.validity import fault

SHOWN = 5


class Accounts:
    """What one source met in one run, partition by partition; used in the writing thread."""

    def __init__(self, source: Source, ctx: Context, store: Store) -> None:
        """Take what a person accepted as missing."""
        self.source, self.ctx, self.store = source, ctx, store
        self.accepted = rejections.accepted(store, source.name)
        self.received: defaultdict[str, Counter[type[Record]]] = defaultdict(Counter)
        self.seconds: Counter[str] = Counter()
        self.faulty: Counter[str] = Counter()
        self.corrections: list[int] = []
        """Hours below nought, which a source may write to correct others."""
        self._looked: dict[str, tuple[int, bool]] = {}

    def sound(self, partition: Partition, records: Iterable[Record]) -> list[Record]:
        """Return the records that may be stored; the others are rejected."""
        prefix = f"{self.source.name}:"
        received, good = self.received[partition.id], []
        for record in records:
            received[type(record)] += 1
            if wrong := fault(record, prefix):
                self.faulty[partition.id] += 1
                self.ctx.reject(
                    f"{record.table} {record.id}",
                    wrong.reason,
                    key=f"{record.table} {record.id}",
                    record=type(record),
                    id=record.id if wrong.field != "id" else None,
                    field=wrong.field,
                    value=wrong.value,
                    container=_text(getattr(record, "container_id", None)),
                    seconds=_number(getattr(record, "seconds", None)),
                    amount_minor=_number(getattr(record, "amount_minor", None)),
                    currency=_text(getattr(record, "currency", None)),
                    partition=partition.id,
                )
                continue
            if isinstance(record, Worklog):
                self.seconds[partition.id] += record.seconds
                if record.seconds < 0:
                    self.corrections.append(record.seconds)
            good.append(record)
        return good

    def waits(self, partition: Partition) -> bool:
        """Say whether the mark of *partition* must wait: something of it, or before it, lacks."""
        return not self.source.asks_again and any(map(self._lacks, (partition.id, *partition.after)))

    def _lacks(self, partition: str) -> bool:
        count = self.ctx.rejected[partition]
        looked = self._looked.get(partition)
        if looked is None or looked[0] != count:
            looked = self._looked[partition] = count, bool(self.open(partition))
        return looked[1]

    def open(self, partition: str) -> list[Rejection]:
        """Return what of *partition* could not be taken and nobody accepted."""
        door = self.store.door.id
        return [
            one
            for one in self.ctx.rejections.get(partition, [])
            if (door(partition), door(one.key), one.field) not in self.accepted
        ]

    def keep(self, run_id: int, partition: str) -> None:
        """Keep the rejections of *partition*, or those of no partition, in the store."""
        rejections.keep(
            self.store, self.source.name, partition, self.ctx.rejections.get(partition, []), run_id=run_id
        )

    def compare(self, partition: Partition) -> list[str]:
        """Return what does not add up in the tallies of *partition*."""
        found = []
        tallies = self.ctx.tallies.get(partition.id, [])
        refused = self.ctx.rejected[partition.id] - self.faulty[partition.id]
        for unit in dict.fromkeys(one.unit for one in tallies):
            mine = [one for one in tallies if one.unit == unit]
            # rejections are told by the thing they stand for, and of one thing there is one tally
            rejected = refused if unit == tallies[0].unit else 0
            found += _differences(mine, rejected, self.received[partition.id])
        if any(one.seconds is not None for one in tallies):
            said = sum(one.seconds or 0 for one in tallies)
            if said != self.seconds[partition.id]:
                found.append(f"{said / 3600:g} h were read and {self.seconds[partition.id] / 3600:g} h taken")
        return found

    def share(self, partition: Partition) -> HubError | None:
        """Return an error where more of *partition* was rejected than the source's setting allows."""
        rejected = self.ctx.rejected[partition.id]
        seen = sum(one.seen for one in self.ctx.tallies.get(partition.id, [])) or (
            sum(self.received[partition.id].values()) + rejected - self.faulty[partition.id]
        )
        if not too_many(rejected, seen, self.source.max_rejected):
            return None
        first = "; ".join(one.sentence for one in self.ctx.rejections[partition.id][:FEW])
        return SourceDataError(
            f"{rejected} of {seen} could not be taken, more than max_rejected = "
            f"{self.source.max_rejected:g} allows. The first: {first}"
        )

    def tally(self) -> dict[str, object]:
        """Return the sums of the run for the store: by unit, what was seen, taken and left out, and why."""
        sums: dict[str, Counter[str]] = {}
        for one in (one for tallies in self.ctx.tallies.values() for one in tallies):
            mine = sums.setdefault(one.unit, Counter())
            mine["seen"] += one.seen
            mine["taken"] += one.taken
            for reason, count in one.skipped.items():
                mine[f"left out: {reason}"] += count
        return {unit: dict(counts) for unit, counts in sums.items()}

    def lines(self) -> list[str]:
        """Return the weightiest open rejections in words, and how many more there are."""
        found = sorted(
            (one for partition in self.ctx.rejections for one in self.open(partition)),
            key=lambda one: (-abs(one.seconds or 0), -abs(one.amount_minor or 0)),
        )
        lines = [one.sentence for one in found[:SHOWN]]
        if len(found) > SHOWN:
            lines.append(f"{len(found) - SHOWN} more could not be taken: `hub rejections {self.source.name}`")
        return lines


def _differences(tallies: list[Tally], rejected: int, received: Counter[type[Record]]) -> list[str]:
    unit = tallies[0].unit
    seen, taken = sum(one.seen for one in tallies), sum(one.taken for one in tallies)
    skipped = sum(sum(one.skipped.values()) for one in tallies)
    found = []
    if seen != taken + rejected + skipped:
        found.append(
            f"of {seen} {unit}, {taken} were taken, {rejected} rejected and {skipped} left out: "
            f"{abs(seen - taken - rejected - skipped)} are not accounted for"
        )
    if (
        all(one.said is not None for one in tallies)
        and (said := sum(one.said or 0 for one in tallies)) != seen
    ):
        found.append(f"the source says it has {said} {unit}, and {seen} were read")
    for record in {one.record for one in tallies if one.record}:
        mine = sum(one.taken for one in tallies if one.record is record)
        if mine != received[record]:
            found.append(f"{mine} {unit} were read as {record.table} and {received[record]} came through")
    return found


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None

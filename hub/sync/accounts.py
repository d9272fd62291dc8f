"""Account for what a source met: faulty records are rejected, tallies compared, what is lacking is told."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from hub.context import Context
from hub.errors import HubError, SourceDataError
from hub.records import Record, Task, Worklog
from hub.source import Partition, Source
from hub.store import Store, rejections
from hub.tally import FEW, Rejection, Tally, too_many
from hub.validity import all_right, fault
from hub.words import tr

SHOWN = 5


def _below(task: Task) -> list[int]:
    return [one for one in (task.estimate_s, task.spent_s, task.remaining_s) if one is not None and one < 0]


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
        self.negative: list[int] = []
        """Efforts of tasks below nought, each estimated, spent or remaining, in seconds."""
        self._looked: dict[str, tuple[int, bool]] = {}

    def sound(self, partition: Partition, records: Iterable[Record]) -> list[Record]:
        """Return the records that may be stored; the others are rejected."""
        groups: dict[type[Record], list[Record]] = {}
        for record in records:
            try:
                groups[type(record)].append(record)
            except KeyError:
                groups[type(record)] = [record]
        good: list[Record] = []
        prefix = f"{self.source.name}:"
        for kind, mine in groups.items():
            self.received[partition.id][kind] += len(mine)
            if not all_right(mine, prefix):
                mine = [one for one in mine if not self._is_faulty(partition, one, prefix)]
            if kind is Worklog:
                hours = [one.seconds for one in mine if isinstance(one, Worklog)]
                self.seconds[partition.id] += sum(hours)
                self.corrections += [one for one in hours if one < 0]
            elif kind is Task:
                self.negative += [effort for one in mine if isinstance(one, Task) for effort in _below(one)]
            good += mine
        return good

    def _is_faulty(self, partition: Partition, record: Record, prefix: str) -> bool:
        wrong = fault(record, prefix)
        if wrong is None:
            return False
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
        return True

    def waits(self, partition: Partition) -> bool:
        """Say whether the mark of *partition* must wait: something of it, or before it, lacks."""
        return not self.source.asks_again and any(map(self._lacks, (partition.id, *partition.after)))

    def _lacks(self, partition: str) -> bool:
        count = self.ctx.rejected[partition]
        looked = self._looked.get(partition)
        if looked is None or looked[0] != count:
            looked = self._looked[partition] = count, bool(self.open(partition))
        return looked[1]

    def _room(self, partition: str) -> str:
        """Return under what the rejections of *partition* are kept.

        A source that asks again by itself meets them in another partition than before.
        """
        return "" if self.source.asks_again else partition

    def open(self, partition: str) -> list[Rejection]:
        """Return what of *partition* could not be taken and nobody accepted."""
        door, room = self.store.door.id, self._room(partition)
        return [
            one
            for one in self.ctx.rejections.get(partition, [])
            if (door(room), door(one.key), one.field) not in self.accepted
        ]

    def keep(self, run_id: int, partition: str) -> None:
        """Keep the rejections of *partition*, or those of no partition, in the store."""
        found = self.ctx.rejections.get(partition, [])
        rejections.keep(self.store, self.source.name, self._room(partition), found, run_id=run_id)

    def settle(self, run_id: int, partition: str) -> None:
        """Forget what *partition*, read to its end, did not meet again."""
        if not self.source.asks_again:
            rejections.settle(self.store, self.source.name, partition, run_id=run_id)

    def settle_source(self, run_id: int, planned: Iterable[str], marked: Iterable[str]) -> None:
        """Forget what a run that went well did not meet again, where it was asked for."""
        store, name = self.store, self.source.name
        if not self.source.asks_again:
            rejections.settle(store, name, "", run_id=run_id)
            rejections.settle_partitions(store, name, planned, marked)
        elif self.ctx.full:
            rejections.settle(store, name, "", run_id=run_id)
        else:
            rejections.settle_asked(store, name, self.ctx.asked_again, run_id=run_id)

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
                found.append(
                    tr(
                        "{read:g} h were read and {taken:g} h taken",
                        read=said / 3600,
                        taken=self.seconds[partition.id] / 3600,
                    )
                )
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
            tr(
                "{rejected} of {seen} could not be taken, more than max_rejected = {most:g} allows. "
                "The first: {first}",
                rejected=rejected, seen=seen, most=self.source.max_rejected, first=first,
            )
        )  # fmt: skip

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

    def lines(self) -> tuple[int, list[str]]:
        """Return how many things are missing, and the weightiest that nobody accepted, in words."""
        kept = rejections.rejected(self.store, self.source.name)
        unaccepted = [one for one in kept if one.accepted_at is None]
        lines = [one.sentence for one in unaccepted[:SHOWN]]
        if more := len(unaccepted) - SHOWN if len(unaccepted) > SHOWN else 0:
            lines.append(
                tr(
                    "{more} more could not be taken: `hub rejections --source {name}`",
                    more=more,
                    name=self.source.name,
                )
            )
        return len(kept), lines


def _differences(tallies: list[Tally], rejected: int, received: Counter[type[Record]]) -> list[str]:
    unit = tallies[0].unit
    seen, taken = sum(one.seen for one in tallies), sum(one.taken for one in tallies)
    skipped = sum(sum(one.skipped.values()) for one in tallies)
    found = []
    if seen != taken + rejected + skipped:
        found.append(
            tr(
                "of {seen} {unit}, {taken} were taken, {rejected} rejected and {skipped} left out: "
                "{lost} are not accounted for",
                seen=seen,
                unit=tr(unit),
                taken=taken,
                rejected=rejected,
                skipped=skipped,
                lost=abs(seen - taken - rejected - skipped),
            )
        )
    if (
        all(one.said is not None for one in tallies)
        and (said := sum(one.said or 0 for one in tallies)) != seen
    ):
        found.append(
            tr(
                "the source says it has {said} {unit}, and {seen} were read",
                said=said,
                unit=tr(unit),
                seen=seen,
            )
        )
    for record in {one.record for one in tallies if one.record}:
        mine = sum(one.taken for one in tallies if one.record is record)
        if mine != received[record]:
            found.append(
                tr(
                    "{count} {unit} were read as {table} and {received} came through",
                    count=mine, unit=tr(unit), table=record.table, received=received[record],
                )
            )  # fmt: skip
    return found


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None

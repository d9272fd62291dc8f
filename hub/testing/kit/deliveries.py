"""Bronze to Gold for destinations.

The whole feed, at its privacy, however often and wherever a delivery is cut.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, ClassVar

from hub.context import Context
from hub.destination import Destination
from hub.errors import ConfigError
from hub.feed import BuildOptions, model, open_feed, project_to
from hub.publish import PublishOptions, PublishReport, check_destination, deliver_current, publish
from hub.records import (
    Account,
    Container,
    CustomValue,
    FieldLevel,
    FieldType,
    Record,
    SiteField,
    Task,
    Worklog,
)  # fmt: skip
from hub.settings import convert
from hub.source import Batch, Census, Check, Partition, Scope, Source
from hub.store import Store
from hub.sync import Options, sync
from hub.testing.empty import store_at
from hub.testing.kit.checks import check
from hub.testing.kit.harness import Crash, Failed
from hub.testing.kit.ledger import Ledger
from hub.testing.kit.spoiling import watching

PEOPLE = ("Zélie Quartermaine", "Ambrose Featherstone", "Ottilie Vandersloot", "Casimir Threlkeld")
MOMENTS = 6
_WRITES = {
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.mkdir",
    "os.truncate",
    "shutil.rmtree",
    "shutil.copyfile",
}


class Place(ABC):
    """Where a destination delivers: what its readers see, and how it refuses."""

    def __init__(self, folder: Path) -> None:
        """Lie in *folder*, which is empty."""
        self.folder = folder

    @abstractmethod
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Return what a reader sees now: table, then rows; nothing before the first delivery."""

    @abstractmethod
    def refusing(self) -> AbstractContextManager[None]:
        """Refuse deliveries while the context is open: read-only, no right, full."""

    def texts(self) -> str:
        """Return all that lies there, for a search for names."""
        return "\n".join(
            path.read_bytes().decode("utf-8", "replace") for path in self.folder.rglob("*") if path.is_file()
        )

    @contextmanager
    def dying(self, at: int) -> Iterator[list[int]]:
        """Let the process die before the write number *at* under the folder.

        Return a list that counts them (0: never die).
        """
        seen: list[int] = []

        def watcher(event: str, arguments: tuple[Any, ...]) -> None:
            writes = event in _WRITES or (event == "open" and _writing(arguments))
            if writes and any(self._inside(one) for one in arguments):
                seen.append(len(seen) + 1)
                if len(seen) == at:
                    raise Crash

        with watching(watcher):
            yield seen

    def _inside(self, value: Any) -> bool:
        return isinstance(value, (str, os.PathLike)) and str(value).startswith(str(self.folder))


def _writing(arguments: tuple[Any, ...]) -> bool:
    mode, flags = arguments[1], arguments[2]
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


class FolderPlace(Place):
    """A destination that writes below the folder ``out``."""

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Let a file stand where the folder has to be, as a share that is gone leaves one."""
        out, aside = self.folder / "out", self.folder / "aside"
        moved = out.exists()
        if moved:
            out.rename(aside)
        out.write_text("in the way")
        try:
            yield
        finally:
            out.unlink()
            if moved:
                aside.rename(out)


class DestinationCertification(ABC):
    """The destination's side of the table. *tables* are those of the feed that reach its readers.

    *tablewise* says that a delivery brings one table after the other, so that readers of a cut one see tables
    of two feeds.
    """

    kind: ClassVar[str]
    tables: ClassVar[frozenset[str]] = frozenset(model().tables)
    tablewise: ClassVar[bool] = False
    capabilities: ClassVar[frozenset[str]] = frozenset()
    cannot: ClassVar[frozenset[str]] = frozenset()
    levels: ClassVar[tuple[str, ...]] = ("bronze", "silver", "gold")

    @abstractmethod
    def place(self, folder: Path) -> Place:
        """Make the place in an empty folder."""

    @abstractmethod
    def destination(self, place: Place, *, privacy: str) -> Destination:
        """Make the destination that delivers there at the level *privacy*."""

    def world(self, seed: int, *, scale: int = 1) -> Portfolio:
        """Return what is delivered: the kit's own portfolio."""
        return Portfolio(seed, scale=scale)


class Portfolio(Ledger):
    """Projects, people, tasks and hours to deliver."""

    name = "seed"


FIELDS: tuple[tuple[FieldLevel, FieldType, str], ...] = (
    ("task", "text", "text"), ("task", "number", "number"), ("task", "date", "date"),
    ("task", "amount", "amount"), ("task", "days", "days"), ("task", "flag", "flag"),
    ("task", "list", "list"), ("hours", "amount", "fee"),
)  # fmt: skip
"""Fields of the site, one of each type: every destination has to show them."""


def _own(native: int) -> Iterator[CustomValue]:
    values: dict[str, dict[str, Any]] = {
        "text": {"text": f"é{native % 3}"}, "number": {"number": native / 4},
        "date": {"day": f"2026-10-{native % 28 + 1:02d}"}, "amount": {"number": native + 0.5},
        "days": {"number": native % 7 / 2}, "flag": {"text": "yes" if native % 2 else "no"},
        "list": {"text": f"A{native % 2}, B"},
    }  # fmt: skip
    for name, value in values.items():
        if native % 5:  # some have none
            row = f"seed:{native}"
            yield CustomValue(id=f"{row}/{name}", row_id=row, field=name, **value)


class Seed(Source, frozen=True, kw_only=True):
    """Puts a portfolio into the store."""

    kind: ClassVar[str] = "seed"
    provides: ClassVar[tuple[type[Record], ...]] = (
        Container, Account, Task, Worklog, CustomValue, SiteField,
    )  # fmt: skip
    census_every_hours: ClassVar[float] = 0.0
    world: Portfolio

    def check(self, ctx: Context) -> Iterable[Check]:
        """Say nothing."""
        return ()

    def plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Partition]:
        """Read all of it."""
        yield Partition(id="all")

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        """Return every record."""
        yield Batch(records=list(self.records()), cursor=1)

    def records(self) -> Iterator[Record]:
        """Yield the portfolio."""
        world = self.world
        for native, name in world.containers.items():
            yield Container(id=f"seed:p{native}", kind="project", code=f"P-{native}", name=name)
        for number, name in enumerate(PEOPLE):
            yield Account(
                id=f"seed:a{number}", display_name=name, email=f"{name.split()[0].lower()}@corp.example"
            )
        for item in world.seen():
            yield from _own(item.native)
            yield Task(
                id=f"seed:{item.native}",
                assignee_id=f"seed:a{item.native % len(PEOPLE)}",
                **world.task_fields(item),
            )
        for log in world.seen_logs():
            account = f"seed:a{log.native % len(PEOPLE)}"
            yield Worklog(id=f"seed:w{log.native}", account_id=account, **world.log_fields(log))
            row = f"seed:w{log.native}"
            yield CustomValue(id=f"{row}/fee", row_id=row, field="fee", number=log.native % 5 + 0.25)
        for level, kind, name in FIELDS:
            yield SiteField(
                id=f"seed:f/{name}", field=f"own_{name}", level=level, source="seed", native=name, type=kind,
                fr=f"Champ {name}", en=f"Field {name}",
            )  # fmt: skip

    def census(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Census]:
        """Say which tasks exist."""
        ids = frozenset(f"seed:{item.native}" for item in self.world.seen())
        yield Census(record=Task, scope=Scope(records=(Task,)), ids=ids, evidence="the kit's portfolio")


class Counter:
    """A portfolio in a store, a destination and its place: *deliver* builds a feed and delivers it."""

    def __init__(
        self, certification: DestinationCertification, seed: int, root: Path, *, privacy: str
    ) -> None:
        """Fill the store."""
        self.tables = certification.tables
        self.root = root
        self.world = certification.world(seed)
        shutil.copytree(_begun(certification, seed), root, dirs_exist_ok=True)
        self.store = Store.open(root / "hub.db")
        self.is_begun = True
        (root / "place").mkdir()
        self.place = certification.place(root / "place")
        self.destination = certification.destination(self.place, privacy=privacy)

    def sync(self) -> None:
        """Bring the store up to the portfolio."""
        self.is_begun = False
        _sync(self.store, self.world, self.root)

    def change(self) -> None:
        """Edit and add an item, delete one with its hours: most tables change."""
        self.world.edit()
        self.world.add()
        self.world.delete(str(next(iter(self.world.logs.values())).item))
        self.sync()

    def deliver(self, *, again: bool = False) -> PublishReport:
        """Build a feed and deliver it; the first of what every counter begins with is built once for all.

        *again* True delivers the feed that is there.
        """
        act, self.is_begun = deliver_current if self.is_begun or again else publish, False
        return act(self.store, self.root / "feed", [self.destination], _options(self.root))

    def wanted(self, report: PublishReport) -> dict[str, list[str]]:
        """Return the rows that the destination should show of the feed in *report*."""
        folder = project_to(
            self.destination.privacy, Path(report.folder), self.root / "feed" / "projections",
            addresses=self.destination.addresses,
        )  # fmt: skip
        connection = open_feed(folder)
        try:
            found = {}
            for name in sorted(self.tables):
                cursor = connection.execute(f"SELECT * FROM {name}")
                names = [column[0] for column in cursor.description]
                found[name] = _sorted(dict(zip(names, row, strict=True)) for row in cursor.fetchall())
            return found
        finally:
            connection.close()

    def shown(self) -> dict[str, list[str]]:
        """Return the rows that readers see."""
        return {name: _sorted(rows) for name, rows in self.place.tables().items()}

    def must_show(self, report: PublishReport, when: str) -> int:
        """Fail unless readers see the feed of *report*, and return the number of rows."""
        state = report.deliveries[0]
        if state.state == "failed":
            raise Failed(f"{when}: {state.error}")
        wanted, shown = self.wanted(report), self.shown()
        for name, rows in wanted.items():
            if rows != shown.get(name, []):
                have = len(shown.get(name, []))
                raise Failed(
                    f"{when}: {name} shows {have} rows of {len(rows)}"
                    + (", with other values" if have == len(rows) else "")
                )
        return sum(len(rows) for rows in wanted.values())


_BEGUN: dict[tuple[Any, int], Path] = {}


def _begun(certification: DestinationCertification, seed: int) -> Path:
    """Return a folder with the store of a fresh portfolio and its first feed, which no destination has."""
    key = (type(certification).world, seed)
    if key not in _BEGUN:
        base = Path(tempfile.mkdtemp(prefix="hub-kit-"))
        atexit.register(shutil.rmtree, base, ignore_errors=True)
        with store_at(base / "hub.db") as store:
            _sync(store, certification.world(seed), base)
            publish(store, base / "feed", [], _options(base))
        _BEGUN[key] = base
    return _BEGUN[key]


def _sync(store: Store, world: Portfolio, base: Path) -> None:
    sync(store, [Seed(name="seed", world=world, max_leave=1.0)], Options(base=base, census=True))


def _options(base: Path) -> PublishOptions:
    return PublishOptions(base=base, build=BuildOptions(), force="certification")


def _sorted(rows: Iterable[dict[str, Any]]) -> list[str]:
    return sorted(
        str(sorted((name, str(value)) for name, value in row.items() if value is not None)) for row in rows
    )


@contextmanager
def counter(
    certification: DestinationCertification, seed: int, *, privacy: str = "nominative-line"
) -> Iterator[Counter]:
    """Open a fresh one."""
    with tempfile.TemporaryDirectory(prefix="hub-kit-") as folder:
        found = Counter(certification, seed, Path(folder).resolve(), privacy=privacy)
        try:
            yield found
        finally:
            found.store.close()


@check(
    "bronze",
    "Readers see every row of the feed, with its values.",
    "Deliver all tables of `feed.tables`.",
    medium="destination",
)
def delivers_the_feed(certification: DestinationCertification, seed: int) -> str:
    """Deliver once and read back."""
    with counter(certification, seed) as desk:
        return f"{desk.must_show(desk.deliver(), 'after a delivery')} rows"


@check(
    "bronze",
    "Nobody's name goes where the level of privacy forbids it.",
    "Take everything from the view's own folder, connection and changes, never from the store.",
    medium="destination",
)
def privacy_level_is_kept(certification: DestinationCertification, seed: int) -> str:
    """Deliver at the level `project` and search for names."""
    with counter(certification, seed, privacy="project") as desk:
        desk.must_show(desk.deliver(), "at the level project")
        text = desk.place.texts() + str(desk.place.tables())
        if found := [name for person in PEOPLE for name in (person, *person.split()) if name in text]:
            raise Failed(f"the place holds {found[0]!r}")
        return f"{len(PEOPLE)} people not found"


@check(
    "bronze",
    "A wrong setting of a destination is an error that names it.",
    "Declare settings as typed fields.",
    medium="destination",
)
def destination_settings_are_checked(certification: DestinationCertification, seed: int) -> str:
    """Convert a configuration with an unknown key."""
    with tempfile.TemporaryDirectory() as folder:
        destination = certification.destination(certification.place(Path(folder)), privacy="project")
        try:
            convert(
                {"name": "x", "surely_no_setting": 1},
                type(destination),
                where="hub.toml [destinations.x]",
                base=Path(folder),
            )
        except ConfigError as exc:
            return str(exc)[:100]
        raise Failed("an unknown setting was accepted")


@check(
    "bronze",
    "`check` says well when the place is willing, and not when it refuses.",
    "Try what a delivery needs: a right, a folder, a token.",
    medium="destination",
)
def destination_check_tells_the_truth(certification: DestinationCertification, seed: int) -> str:
    """Run `check` against a willing and a refusing place."""
    with counter(certification, seed) as desk:

        def states() -> set[str]:
            return {one.state for one in check_destination(desk.destination, desk.root)}

        if "failed" in states():
            raise Failed("check said failed on a willing place")
        with desk.place.refusing():
            if "failed" not in states():
                raise Failed("check said ok on a place that refuses")
        return "ok when willing, failed when refused"


@check(
    "silver",
    "A delivery that is repeated changes nothing.",
    "Replace or upsert by key; never append.",
    medium="destination",
)
def repeated_delivery(certification: DestinationCertification, seed: int) -> str:
    """Deliver the same store three times."""
    with counter(certification, seed) as desk:
        for number in range(3):
            rows = desk.must_show(desk.deliver(), f"after delivery {number + 1}")
        return f"{rows} rows, three times"


@check(
    "silver",
    "What changed and what left is what readers see after the next delivery.",
    "Apply `changes` with its deletes, or write the whole feed.",
    medium="destination",
)
def changes_arrive(certification: DestinationCertification, seed: int) -> str:
    """Edit, add and delete, deliver, three times."""
    with counter(certification, seed) as desk:
        desk.must_show(desk.deliver(), "at first")
        for number in range(3):
            desk.change()
            desk.must_show(desk.deliver(), f"after round {number + 1} of changes")
        return "3 rounds"


@check(
    "silver",
    "A delivery cut anywhere and repeated ends in the same state.",
    "Write beside and switch last; clean up at the next delivery.",
    medium="destination",
)
def cut_anywhere(certification: DestinationCertification, seed: int) -> str:
    """Die before writes from the first to the last.

    Readers see the old feed, the new one or none, and the next delivery mends all.
    """
    with counter(certification, seed) as desk:
        with desk.place.dying(0) as begun:
            desk.deliver()
        desk.change()
        with desk.place.dying(0) as writes:
            old = desk.wanted(desk.deliver())
        if begun and not writes:
            return _cut_the_first(desk, len(begun))
        if not writes:
            raise Failed("no write was seen under the place: override `Place.dying`")
        moments = _moments(len(writes))
        for at in moments:
            desk.change()
            try:
                with desk.place.dying(at):
                    desk.deliver()
            except Crash:
                pass
            shown = desk.shown()
            report = desk.deliver()
            desk.must_show(report, f"killed before write {at} and delivered again")
            new = desk.wanted(report)
            parts = [
                ({name: rows}, {name: old.get(name)}, {name: new.get(name)}) for name, rows in shown.items()
            ]
            whole = [(shown, old, new)] if not certification.tablewise else parts
            if any(shown.values()) and any(one not in states for one, *states in whole):
                raise Failed(
                    f"killed before write {at} of {len(writes)}: "
                    "readers saw neither the old feed nor the new one"
                )
            old = new
        return f"{len(moments)} deaths among {len(writes)} writes"


def _moments(writes: int) -> list[int]:
    """Return the writes before which to die: some from the first to the last, and the last: the switch."""
    spread = {1 + round(part * (writes - 1) / MOMENTS) for part in range(MOMENTS)}
    return sorted(spread | set(range(max(1, writes - 3), writes + 1)))


def _cut_the_first(desk: Counter, writes: int) -> str:
    """Die in first deliveries: what this destination writes is the same whatever the rows are."""
    moments, told = _moments(writes), sorted(desk.place.texts().splitlines())
    for at in moments:
        for one in desk.place.folder.iterdir():
            shutil.rmtree(one) if one.is_dir() else one.unlink()
        died = False
        try:
            with desk.place.dying(at):
                desk.deliver(again=True)
        except Crash:
            died = True
        desk.shown()
        report = desk.deliver(again=True)
        desk.must_show(report, f"killed before write {at} of the first delivery and delivered again")
        if not died or sorted(desk.place.texts().splitlines()) != told:
            raise Failed(
                f"killed before write {at} of {writes} of the first delivery and delivered again: "
                "the place does not hold what it does without a death"
            )
    return f"{len(moments)} deaths among the {writes} writes of a first delivery"


@check(
    "silver",
    "A refusal is told in a sentence, readers keep what they had, and the next delivery goes through.",
    "Turn the place's errors into DeliveryError with what to do.",
    medium="destination",
)
def refusals_are_told(certification: DestinationCertification, seed: int) -> str:
    """Refuse one delivery."""
    with counter(certification, seed) as desk:
        old = desk.wanted(desk.deliver())
        desk.world.edit()
        desk.sync()
        with desk.place.refusing():
            refused = desk.deliver().deliveries[0]
        if refused.state != "failed":
            raise Failed(f"the place refused, the delivery says {refused.state}")
        if (refused.error or "unexpected").startswith("unexpected"):
            raise Failed(f"the refusal is not diagnosed: {refused.error}")
        if desk.shown() != old:
            raise Failed("after the refusal readers no longer see what they had")
        desk.must_show(desk.deliver(), "after the refusal")
        return str(refused.error)[:200]


@check(
    "gold",
    "Over many days of cuts, refusals and changes, the last delivery is the feed.",
    "See the check that fails more simply; else replay this seed.",
    medium="destination",
)
def a_month_of_deliveries(certification: DestinationCertification, seed: int) -> str:
    """Change, cut and refuse at random, then deliver in calm."""
    with counter(certification, seed) as desk:
        rng = desk.world.random
        for _ in range(6):
            for _ in range(rng.randint(0, 3)):
                rng.choice((desk.world.edit, desk.world.add, desk.world.delete))()
            desk.sync()
            weather = rng.choice(("calm", "cut", "refused"))
            try:
                if weather == "cut":
                    with desk.place.dying(rng.randint(1, 20)):
                        desk.deliver()
                elif weather == "refused":
                    with desk.place.refusing():
                        desk.deliver()
                else:
                    desk.must_show(desk.deliver(), "on a calm day")
            except Crash:
                continue
        return f"{desk.must_show(desk.deliver(), 'in the end')} rows in the end"

"""A night to be killed: sync and publish to every kind of destination, the same whenever it is run again.

The folder's *site* holds where the simulators and the database listen.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import kill_target
import msgspec
from hub_files.testing.certification import FilesCertification
from hub_grafana.testing.certification import GrafanaCertification
from hub_papers.digest import DigestDestination
from hub_papers.testing.certification import DeckCertification
from hub_powerbi.mirror import MirrorDestination
from hub_powerbi.push import PushDestination
from hub_powerbi.testing.certification import MirrorCertification, PowerBiCertification
from hub_powerbi.testing.services import WORKSPACE

from hub import Batch, Container, Destination, Partition, Secret, clock
from hub.feed import BuildOptions
from hub.publish import PublishOptions, publish
from hub.store import Store
from hub.sync import Options, lock, sync
from hub.testing import ScriptedSource
from hub.testing.kit import microsoft
from hub.testing.kit.deliveries import Portfolio, Seed

BEGAN = datetime(2026, 11, 2, 6, tzinfo=UTC)
LANDING = f"{WORKSPACE}/pmo.MountedRelationalDatabase/Files/LandingZone"
NAMES = ("a", "b", "c", "d")


def certifications() -> dict[str, Any]:
    """Return those of the destinations that write below a folder; what is not installed is left out."""
    found = {
        "files": FilesCertification(), "grafana": GrafanaCertification(), "deck": DeckCertification(),
        "powerbi": PowerBiCertification(), "fabric-mirror": MirrorCertification(),
    }  # fmt: skip
    if importlib.util.find_spec("tableauhyperapi"):
        from hub_tableau.testing.certification import TableauCertification

        found["tableau"] = TableauCertification()
    return found


def destinations(root: Path) -> list[Destination]:
    """Return one of each kind, which deliver below *root* and to what its *site* names.

    Where the site names *kinds*, only those.
    """
    site = json.loads((root / "site").read_text())
    found: list[Destination] = []
    for name, certification in certifications().items():
        (root / "place" / name).mkdir(parents=True, exist_ok=True)
        made = certification.destination(
            certification.place(root / "place" / name), privacy="nominative-line"
        )
        found.append(msgspec.structs.replace(made, name=name))
    if importlib.util.find_spec("deltalake"):
        from hub_powerbi.delta import DeltaDestination

        found.append(
            DeltaDestination(name="delta", path=str(root / "place" / "delta"), privacy="nominative-line")
        )
    if site.get("postgresql"):
        from hub_postgresql.destination import PostgresqlDestination

        password = Secret("file", "password", root)
        found.append(
            PostgresqlDestination(
                name="postgresql", **site["postgresql"], password=password, privacy="nominative-line"
            )
        )
    account = microsoft.account(site["url"])
    found += [
        MirrorDestination(
            name="onelake", url=f"{site['url']}/{LANDING}", account=account, privacy="nominative-line"
        ),
        PushDestination(
            name="push", account=account, workspace=WORKSPACE, powerbi_url=site["url"],
            privacy="nominative-line",
        ),
        DigestDestination(
            name="digest", path=str(root / "place" / "digest"), privacy="nominative-line",
            to=(Secret("file", "mail", root),),
        ),
    ]  # fmt: skip
    return [one for one in found if not site["kinds"] or one.name in site["kinds"]]


def world(number: int) -> Portfolio:
    """Return the portfolio after *number* days: each day one item is edited, one comes, one goes."""
    found = Portfolio(11)
    for _ in range(number):
        found.edit()
        found.add()
        found.delete(str(next(iter(found.logs.values())).item))
    return found


def slowly(number: int, pause: float) -> ScriptedSource:
    """Return a source of four partitions with marks, which go on by some batches a day."""

    def part(name: str) -> Callable[[Any], Iterator[Batch]]:
        whole = kill_target.part(name, pause)
        most = 2 * (number + 1)

        def read(cursor: Any) -> Iterator[Batch]:
            for batch in whole(cursor):
                if batch.cursor > most:
                    return
                yield batch

        return read

    script: dict[str, Any] = {name: part(name) for name in NAMES} | {"box": box}
    return ScriptedSource(
        name="s", script=script, partitions=tuple(Partition(id=name) for name in ("box", *NAMES))
    )


def box(_: Any) -> Iterator[Batch]:
    """Yield what the tasks of the four stand in."""
    yield Batch(records=[Container(id="s:c", kind="plan", name="C")])


def night(root: Path, number: int, *, tries: int, first: str, say: Callable[[str], None]) -> int:
    """Run the night *number*, say where it is, and deliver to the destination *first* before the others."""
    clock.pretend(BEGAN + timedelta(days=number, minutes=tries))
    places = sorted(destinations(root), key=lambda one: one.name != first)
    for kind in {type(one) for one in places}:
        _tell(kind, say)
    store_path = root / "data" / "hub.db"
    with lock(store_path), Store.open(store_path) as store:
        say("sync")
        sources = [Seed(name="seed", world=world(number), max_leave=1.0), slowly(number, 0.03)]
        done = sync(store, sources, Options(base=root, jobs=3, census=True))
        say("feed")
        options = PublishOptions(base=root, build=BuildOptions(), force="a proof")
        published = publish(store, root / "feed", places, options)
    return done.exit_code or published.exit_code


def _tell(kind: type[Destination], say: Callable[[str], None]) -> None:
    honest = kind.deliver

    def deliver(self: Destination, ctx: Any, feed: Any) -> Any:
        say(self.name)
        return honest(self, ctx, feed)

    kind.deliver = deliver  # type: ignore[method-assign]


def serve(root: Path) -> None:
    """Run the nights that are asked for on standard input, each in a process of its own, which may be killed.

    A line holds the night's number, which try it is and the destination that comes first. What is said is
    ``pid N``, the phases as they begin, and ``ended CODE``.
    """
    import apprise  # noqa: F401 - what takes a second to load is loaded once

    print("ready", flush=True)
    for line in sys.stdin:
        number, tries, first = line.rstrip("\n").split(" ")
        pid = os.fork()
        if not pid:
            print(f"pid {os.getpid()}", flush=True)
            try:
                code = night(
                    root, int(number), tries=int(tries), first=first, say=lambda word: print(word, flush=True)
                )
            except BaseException:  # noqa: BLE001 - the process of a night has no other end
                traceback.print_exc()
                code = 99
            os._exit(code)
        _, status = os.waitpid(pid, 0)
        print(f"ended {os.waitstatus_to_exitcode(status)}", flush=True)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))

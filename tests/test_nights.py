"""Kill -9 at any moment of a night: the next calm one leaves store and destinations as if nothing had been.

Kinds of destinations whose libraries are not installed are left out.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import delta_reader
import duckdb
import night_target
import pytest
from hub_powerbi.names import Names
from hub_powerbi.testing.certification import replayed
from hub_powerbi.testing.services import OneLake, Workspace

from hub.feed import model, open_feed, project_to
from hub.feed.fields import fields_in_use, fields_of, use_fields
from hub.store import Store
from hub.store.questions import publications
from hub.testing import store_image
from hub.testing.kit import Request, Response, SimulatorServer

pytestmark = [
    pytest.mark.proof("kills"),
    pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGKILL to send"),
]
SCRIPT = Path(night_target.__file__)
PARTS, KILLS = 20, 10
FEW = ("files", "deck", "fabric-mirror", "push")
"""The kinds of the sample."""


class Site:
    """All services on one port: OneLake, Power BI and a mailbox."""

    def __init__(self) -> None:
        self.lake, self.workspace = OneLake(), Workspace()
        self.mails = 0

    def answer(self, request: Request) -> Response:
        if request.path.startswith("/mail"):
            self.mails += 1
            return Response(body={})
        service = self.workspace if request.path.startswith("/v1.0/myorg") else self.lake
        return service.answer(request)


class Nights:
    """A hub and its destinations in a folder, night after night."""

    def __init__(self, root: Path, *, kinds: Sequence[str] = ()) -> None:
        self.root, self.site, self.tries = root, Site(), 0
        (root / "data").mkdir(parents=True)
        self.server = SimulatorServer(self.site, most=10**9)  # type: ignore[arg-type]
        site: dict[str, Any] = {"url": self.server.url, "kinds": kinds}
        secrets = {"mail": self.server.url.replace("http://", "json://") + "/mail"}
        self.database = None if kinds else _database()
        if self.database:
            server, name = self.database
            site["postgresql"] = {"host": "127.0.0.1", "port": server.port, "database": name, "user": "hub"}
            secrets["password"] = server.password
        for name, text in secrets.items():
            (root / name).write_text(text)
            (root / name).chmod(0o600)
        (root / "site").write_text(json.dumps(site))
        self.destinations = night_target.destinations(root)

        with (root / "said").open("w") as said:
            self.child = subprocess.Popen(
                [sys.executable, str(SCRIPT), str(root)], cwd=root, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said,
            )  # fmt: skip
        assert "ready" == self.heard()

    def __enter__(self) -> Nights:
        return self

    def __exit__(self, *_: object) -> None:
        self.child.communicate()
        self.server.__exit__()

    def heard(self) -> str:
        assert self.child.stdout is not None
        return self.child.stdout.readline().strip()

    def start(self, number: int, first: str = "") -> int:
        """Begin a night, and return the number of its process."""
        assert self.child.stdin is not None
        self.tries += 1
        self.child.stdin.write(f"{number} {self.tries} {first}\n")
        self.child.stdin.flush()
        word, _, pid = self.heard().partition(" ")
        assert "pid" == word, (self.root / "said").read_text()
        return int(pid)

    def calm(self, number: int) -> dict[str, float]:
        """Run a night to its end, and return how long each of its phases took."""
        self.start(number)
        began = [(self.heard(), time.monotonic())]
        while not began[-1][0].startswith("ended"):
            began.append((self.heard(), time.monotonic()))
        assert ("ended 0", "") == (began[-1][0], (self.root / "said").read_text())
        return {name: end - at for (name, at), (_, end) in itertools.pairwise(began)}

    def kill(self, number: int, phase: str, after: float) -> bool:
        """Kill a night so long after a phase began; False where it was done before."""
        pid = self.start(number, phase)
        while self.heard() != phase:
            pass
        time.sleep(after)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        while not (word := self.heard()).startswith("ended"):
            pass
        return word == f"ended {-signal.SIGKILL}"

    def image(self) -> dict[str, Any]:
        """Return what the store knows and what readers of the feed see, but for stamps of runs."""
        with Store.open(self.root / "data" / "hub.db") as store:
            assert {"ok", "interrupted"} >= {run.verdict for run in store.runs(limit=1000)}
            known = store_image(store)
            (feed,) = {one["feed_id"] for one in publications(store)}
            assert {"published"} == {one["state"] for one in publications(store)}
            assert sorted(one.name for one in self.destinations) == [
                one["destination"] for one in publications(store)
            ]
        use_fields(fields_of(self.root / "data" / "hub.db"))
        return {"store": known, "feed": self.wanted(self.root / "feed" / feed)}

    @property
    def phases(self) -> list[str]:
        return ["sync", "feed", *(one.name for one in self.destinations)]

    def wanted(self, folder: Path) -> dict[str, list[str]]:
        connection = open_feed(project_to("nominative-line", folder, self.root / "feed" / "projections"))
        with contextlib.closing(connection):
            return {name: _sorted(_rows(connection, f"SELECT * FROM {name}")) for name in model().tables}

    def shown(self) -> dict[str, dict[str, list[str]]]:
        """Return by destination what its readers see."""
        found = {}
        there = {one.name for one in self.destinations}
        for name, certification in night_target.certifications().items():
            if name not in there:
                continue
            place = certification.place(self.root / "place" / name)
            found[name] = {table: _sorted(rows) for table, rows in place.tables().items()}
        if (self.root / "place" / "delta").is_dir():
            found["delta"] = _delta(self.root / "place" / "delta")
        brought = self.root / "brought"
        for path, content in self.site.lake.files.items():
            place = brought / path.partition("LandingZone/")[2]
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        if "onelake" in there:
            found["onelake"] = {table: _sorted(rows) for table, rows in replayed(brought).items()}
        if self.database:
            found["postgresql"] = _postgresql(*self.database)
        return found

    def pushed(self) -> dict[str, int]:
        names = {caption: name for name, caption in Names("en").tables.items()}
        (one,) = self.site.workspace.models.values()
        return {names[caption]: len(table["rows"]) for caption, table in one["tables"].items()}


def _rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _sorted(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(
        str(sorted((name, str(value)) for name, value in row.items() if value is not None)) for row in rows
    )


def _database() -> tuple[Any, str] | None:
    if importlib.util.find_spec("hub_postgresql") is None:
        return None
    from hub_postgresql.testing import scratch

    if scratch.programs() is None:
        return None
    server = scratch.scratch()
    return server, server.database()


def _postgresql(server: Any, name: str) -> dict[str, list[str]]:
    found = {}
    with server.connect(name) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for table in model().tables:
            cursor = connection.execute(f"SELECT * FROM feed.{table}")
            names = [column.name for column in cursor.description]
            found[table] = _sorted([dict(zip(names, row, strict=True)) for row in cursor])
    return found


def _delta(folder: Path) -> dict[str, list[str]]:
    found = {}
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for place in folder.iterdir():
            state = delta_reader.read(place)
            names = [name for name in state.columns if name in model().tables[place.name].columns]
            rows = state.relation(connection).select(*names).fetchall()
            found[place.name] = _sorted([dict(zip(names, row, strict=True)) for row in rows])
    return found


def _natural(feed: dict[str, list[str]]) -> dict[str, list[str]]:
    """Leave out the keys that the hub gives, which hang on the order in which rows came, and when it ran."""
    odd = re.compile(r"\('(\w+_key', '-?\d+|last_success_at', '[^']+)'\)(, )?")
    return {name: sorted(odd.sub("", row) for row in rows) for name, rows in feed.items()}


@pytest.fixture(scope="module")
def fields_as_they_were() -> Iterator[None]:
    """Leave the model to other tests as it was."""
    was = fields_in_use()
    yield
    use_fields(was)


@pytest.fixture(scope="module")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, fields_as_they_were: None, proof: bool
) -> Iterator[Callable[[int], Any]]:
    """Return what gives the durations and the image of a night that nobody disturbed, by its number."""
    known: list[tuple[dict[str, float], dict[str, Any]]] = []

    with Nights(tmp_path_factory.mktemp("undisturbed"), kinds=() if proof else FEW) as nights:

        def of(number: int) -> tuple[dict[str, float], dict[str, Any]]:
            while len(known) <= number:
                known.append((nights.calm(len(known)), nights.image()))
            return known[number]

        yield of


@pytest.mark.long
@pytest.mark.sample(1)
@pytest.mark.parametrize("part", range(PARTS))
def test_killed_nights_end_like_calm_ones(
    part: int, undisturbed: Callable[[int], Any], tmp_path: Path, proof: bool
) -> None:
    """Killed at random moments of reading, building and each delivery, the next calm run mends all.

    The store equals that of nights that nobody disturbed, so does the feed, and each destination shows it.
    """
    rng = random.Random(part)
    told: Counter[str] = Counter()
    most, number = (KILLS if proof else 3), 0
    with Nights(tmp_path / "nights", kinds=() if proof else FEW) as nights:
        phases = nights.phases
        while told.total() < most:
            took, wanted = undisturbed(number)
            for _ in range(min(most - told.total(), rng.randint(4, 9) if number else 2)):
                # each phase has its turn, parts begin at others
                phase = phases[(told.total() + part * KILLS) % len(phases)]
                told[phase] += nights.kill(number, phase, rng.uniform(0.0, 1.1 * took[phase]))
            nights.calm(number)
            seen = nights.image()

            assert wanted["store"] == seen["store"], (number, told)
            assert _natural(wanted["feed"]) == _natural(seen["feed"]), (number, told)
            for name, tables in nights.shown().items():
                for table, rows in tables.items():
                    assert seen["feed"][table] == rows, (name, table, number, told)
            counts = {name: len(rows) for name, rows in seen["feed"].items()}
            assert nights.pushed().items() <= counts.items(), (number, told)
            assert nights.site.mails or not proof
            number += 1
    print(f"{told.total()} kills in {number} nights: {dict(told)}")

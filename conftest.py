"""Shared fixtures, the two sizes of the long proofs and their parts, and what tests cost."""

from __future__ import annotations

import gc
import os
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

from hub import clock
from hub.feed.kpi import table
from hub.store import Store
from hub.store.engines import Engine, engine_of
from hub.testing import hub_folder, run_hub
from hub.testing.empty import store_at, store_in_memory
from hub.testing.kit import deliveries

__all__ = ["hub_folder", "run_hub"]

ROOT = Path(__file__).parent
PROOF = bool(os.environ.get("PM_HUB_PROOF"))
_CHECKS = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile(
    "sample", max_examples=10, derandomize=True, deadline=None, suppress_health_check=_CHECKS
)
settings.register_profile("proof", max_examples=400, deadline=None, suppress_health_check=_CHECKS)
settings.load_profile("proof" if PROOF else "sample")
os.environ.setdefault("PM_HUB_CACHE", str(ROOT / ".pytest_cache" / "pm-hub"))  # not the account's own
os.environ["PM_HUB_LANG"] = "en"  # whatever the machine speaks
if sys.dont_write_bytecode:  # a machine that keeps no bytecode would compile everything in each process
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(ROOT / ".pytest_cache" / "bytecode")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix
if not PROOF:
    os.environ.setdefault(
        "OPENBLAS_NUM_THREADS", "1"
    )  # threads that wait for each other take both processors

BUDGET = {
    "tests": 200,
    "plugins/demo": 1,
    "plugins/files": 11,
    "plugins/grafana": 14,
    "plugins/hub": 5,
    "plugins/jira": 39,
    "plugins/msproject": 20,
    "plugins/papers": 24,
    "plugins/postgresql": 13,
    "plugins/powerbi": 28,
    "plugins/redmine": 14,
    "plugins/rest": 17,
    "plugins/serve": 49,
    "plugins/tableau": 3,
    "plugins/tabular": 20,
    "plugins/taskworld": 4,
}
"""Seconds of processor time that the tests of a directory may take in `make test`.

The figures are those of one machine, on whose two processors their sum takes 4 min 40 s. They are reported,
and never decide a test: another machine is slower.
A directory without a budget fails (tests/test_guards.py).
"""


SLOW = (
    "tests/test_access.py",
    "tests/test_capacity.py",
    "tests/test_cli.py",
    "tests/test_cuts.py",
    "tests/test_damage.py",
    "tests/test_encodings.py",
    "tests/test_erasure.py",
    "tests/test_feed.py",
    "tests/test_fields.py",
    "tests/test_figures.py",
    "tests/test_forecast.py",
    "tests/test_groups.py",
    "tests/test_guards.py::test_generated_docs_are_in_step",
    "tests/test_measures.py",
    "tests/test_new_plugin.py",
    "tests/test_placement.py",
    "tests/test_privacy.py",
    "tests/test_publish.py",
    "tests/test_rules.py",
    "tests/test_schedules.py",
    "tests/test_spans.py",
    "tests/test_start.py",
    "tests/test_story.py",
    "tests/test_installing.py",
    "tests/test_store_postgresql.py",
    "tests/test_store_servers.py",
    "tests/test_upkeep.py",
    "plugins",
)
"""What `make test-fast` leaves out beside the parts of the long proofs.

Whole feeds again and again, pages that are written from the code, and the plugins: each has its own line.
"""


@pytest.fixture(scope="session")
def proof() -> bool:
    """Say whether the long proofs run whole (`make proof`) or as a fixed-seed sample (`make test`)."""
    return PROOF


@pytest.fixture(scope="session")
def said_level() -> Callable[[str], str]:
    """Return what gives the level that README.md says of a connector."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    row = r"^\| (?:\[([^]]+)\]\([^)]*\)[^|]*|([^|[]+)) \| (Bronze|Silver|Gold) \|"
    levels = {linked or name: said.lower() for linked, name, said in re.findall(row, text, re.MULTILINE)}
    return levels.__getitem__


ON_BOTH = ("tests/test_store.py", "tests/test_sync.py", "tests/test_rejections.py", "tests/test_guard.py")
"""The tests of the store's laws: each that is given one runs on SQLite and on PostgreSQL."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give the tests of `ON_BOTH` a store of each kind, but for what is a law of files only."""
    here = metafunc.definition.nodeid.startswith(ON_BOTH)
    if "engine" in metafunc.fixturenames and here and not metafunc.definition.get_closest_marker("of_files"):
        metafunc.parametrize("engine", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    """Return where an empty store may be made: a file, or a schema of a server of this process."""
    kind = getattr(request, "param", None) or request.config.getoption("--store")
    if kind == "sqlite" or request.node.get_closest_marker("of_files"):
        return engine_of(tmp_path / "hub.db")
    return on_postgresql()


@pytest.fixture
def fresh(engine: Engine) -> Callable[[], Store]:
    """Return what opens one empty store after another, of the kind that *engine* is."""
    return store_in_memory if engine.path else lambda: Store.open(on_postgresql())


@pytest.fixture
def store(engine: Engine) -> Iterator[Store]:
    """Return an empty store."""
    with store_at(engine.path) if engine.path else Store.open(engine) as opened:
        yield opened


def on_postgresql() -> Engine:
    """Return an empty store in a database of its own. Skips where there is no server, or no driver."""
    reason = "PostgreSQL's server is not installed (Debian: postgresql)"
    room = pytest.importorskip("hub_postgresql.testing.scratch", reason="pm-hub-postgresql is not installed")
    pytest.importorskip("adbc_driver_postgresql", reason="adbc-driver-postgresql is not installed")
    if room.programs() is None:
        pytest.skip(reason)
    found: Engine = room.empty_store()
    return found


@pytest.fixture(scope="session", autouse=True)
def small_and_hasty() -> Iterator[None]:
    """Let many small feeds be built side by side: DuckDB in one thread, and files that await no disk.

    A proof has all threads and waits: only a loss of power tells whether a file was awaited.
    """
    with pytest.MonkeyPatch.context() as patch:
        if not PROOF:
            patch.setattr(duckdb, "connect", partial(duckdb.connect, config={"threads": 1}))
            patch.setattr(os, "fsync", lambda _: None)
        yield


FEW_FIGURES = (
    "tests/test_capacity.py",
    "tests/test_cli.py",
    "tests/test_cuts.py",
    "tests/test_damage.py",
    "tests/test_feed.py",
    "tests/test_fields.py",
    "tests/test_groups.py",
    "tests/test_kit.py",
    "tests/test_matching.py",
    "tests/test_outside.py",
    "tests/test_placement.py",
    "tests/test_publish.py",
    "tests/test_rejections.py",
    "tests/test_rules.py",
    "tests/test_spans.py",
    "tests/test_upgrade.py",
    "tests/test_upkeep.py",
    "plugins/hub/tests/test_feeds.py",
    "plugins/hub/tests/test_group.py",
    "plugins/postgresql/tests/test_postgresql.py",
    "plugins/powerbi/tests/test_mirror.py",
)
"""The tests of runs, files and rows, whose feeds hold few figures in `make test`.

None hangs on the others; to plan a figure takes longer than to run it on a small store.
"""
_BEGUN_WITH_FEW: dict[Any, Path] = {}
"""The feeds that the kit keeps for these modules, which are for no other."""
_FIGURES = ("RAF", "EVM_DAYS", "MONTHLY_SPENT", "DQ_SCORE")


@pytest.fixture(scope="module", autouse=True)
def few_figures(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fill feeds with a sample of the catalogue, where the module asks for no other figure."""
    with pytest.MonkeyPatch.context() as patch:
        if not PROOF and request.node.nodeid in FEW_FIGURES:
            wide = table._wide
            patch.setattr(table, "_wide", lambda kpi: wide(kpi) if kpi.code in _FIGURES else None)
            patch.setattr(deliveries, "_BEGUN", _BEGUN_WITH_FEW)
        yield


@pytest.fixture(autouse=True)
def real_time() -> Iterator[None]:
    """Leave the clock as it was: a command that was told ``--now`` here speaks of no other test."""
    yield
    clock.pretend(None)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return one worker more than there are processors: tests that wait for a socket leave one free."""
    return (os.cpu_count() or 1) + 1


def part_of(item: pytest.Item) -> str | None:
    """Return the part of `make proof` that a test belongs to; None for one that is the same in both sizes."""
    if marked := item.get_closest_marker("proof"):
        return str(marked.args[0])
    if is_hypothesis_test(getattr(item, "obj", None)):
        return "laws"
    if "proof" not in getattr(item, "fixturenames", ()) and not item.get_closest_marker("sample"):
        return None
    return "connectors" if directory_of(item.nodeid) != "tests" else "figures"


def directory_of(nodeid: str) -> str:
    """Return the directory of tests: ``tests``, or ``plugins/NAME``."""
    parts = nodeid.split("/")
    return "/".join(parts[:2]) if parts[0] == "plugins" else parts[0]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the choice of tests."""
    group = parser.getgroup("pm-hub")
    group.addoption(
        "--part", help="Only this part of the long proofs: kills, kit, connectors, figures, laws."
    )
    group.addoption(
        "--store", choices=["sqlite", "postgresql"], default="sqlite",
        help="Where the stores lie that tests are given, but for those that run on both.",
    )  # fmt: skip
    group.addoption("--fast", action="store_true", help="Only what is quick, for every change.")
    group.addoption("--long", action="store_true", help="Only what is marked long: whole runs and nights.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what was not asked for."""
    part, fast, long = (config.getoption(name) for name in ("--part", "--fast", "--long"))
    all_long = PROOF or any("::" in one for one in config.args)  # a test that somebody names is run
    beyond = set() if PROOF else beyond_the_samples(items)
    kept, left = [], []
    for item in items:
        slow = part_of(item) is not None or item.nodeid.startswith(SLOW)
        is_long = item.get_closest_marker("long") is not None
        if part:
            wanted = part == part_of(item)
        elif long:
            wanted = is_long
        else:
            wanted = (all_long or not is_long) and not (fast and slow)
        (kept if wanted and item.nodeid not in beyond else left).append(item)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = kept


def beyond_the_samples(items: Iterable[pytest.Item]) -> set[str]:
    """Return the ids of the cases that only `make proof` runs, of tests that are marked ``sample(n)``.

    The *n* that `make test` keeps are spread over all: the first, and others at equal distances.
    """
    cases: defaultdict[str, list[str]] = defaultdict(list)
    size: dict[str, int] = {}
    for item in items:
        if marked := item.get_closest_marker("sample"):
            name = item.nodeid.partition("[")[0]
            cases[name].append(item.nodeid)
            size[name] = marked.args[0]
    return {
        one
        for name, found in cases.items()
        for one in set(found) - {found[n * len(found) // size[name]] for n in range(size[name])}
    }


def pytest_collection_finish() -> None:
    """Let the collector of garbage leave alone what stays: modules, and thousands of tests."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Let what stayed be collected: bindings complain of what is left when the process ends."""
    gc.unfreeze()


def _spent() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Remember what the test costs, for the report that the last of its phases gives."""
    item.user_properties.append(("part", part_of(item) or "the rest"))
    item.stash[_BEGUN] = (_spent(), time.monotonic())
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Put what the test cost into its report; under xdist it travels to the process that sums it."""
    report = yield
    if call.when == "teardown":
        spent, begun = item.stash[_BEGUN]
        report.user_properties = [  # type: ignore[attr-defined]
            *item.user_properties,
            ("spent", _spent() - spent),
            ("took", time.monotonic() - begun),
        ]
    return report


_BEGUN = pytest.StashKey[tuple[float, float]]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what each directory cost (each part, in a proof), and which went clearly over its budget."""
    tests: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    spent: defaultdict[str, float] = defaultdict(float)
    took: defaultdict[str, float] = defaultdict(float)
    for state, reports in terminalreporter.stats.items():
        for report in reports:
            facts = dict(getattr(report, "user_properties", ()))
            if "part" not in facts:
                continue
            name = facts["part"] if PROOF else directory_of(report.nodeid)
            failed[name] += state in {"failed", "error"}
            if "spent" in facts:
                tests[name] += 1
                spent[name] += facts["spent"]
                took[name] += facts["took"]
    if sum(tests.values()) < 100 and not PROOF:
        return
    line = terminalreporter.write_line
    unbounded = PROOF or terminalreporter.config.getoption("--long")  # budgets are those of `make test`
    line("")
    line(f"{'part' if PROOF else 'directory':<20}{'tests':>7}{'seconds':>10}{'processor':>11}  result")
    for name in sorted(tests):
        over = (
            ""
            if unbounded or spent[name] <= 2 * BUDGET.get(name, 0)
            else f", over twice its budget of {BUDGET.get(name, 0)} s"
        )
        result = f"{failed[name]} FAILED" if failed[name] else "passed"
        line(f"{name:<20}{tests[name]:>7}{took[name]:>10.1f}{spent[name]:>11.1f}  {result}{over}")
    line(f"{'all':<20}{sum(tests.values()):>7}{sum(took.values()):>10.1f}{sum(spent.values()):>11.1f}")

"""Kill -9 at any moment: the next run goes on, and the store equals that of an uninterrupted run."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import kill_target
import pytest

from hub.store import Store
from hub.testing import store_image

pytestmark = pytest.mark.proof("kills")
SCRIPT = Path(__file__).with_name("kill_target.py")


def start(path: Path) -> subprocess.Popen[bytes]:
    child = subprocess.Popen([sys.executable, str(SCRIPT), str(path), "0.004"], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert b"go\n" == child.stdout.readline()
    return child


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[object, ...]]]:
    """Return the store of a run that nobody disturbed."""
    path = tmp_path_factory.mktemp("calm") / "hub.db"
    assert kill_target.run(path, pause=0) == 0
    with Store.open(path) as store:
        return store_image(store)


@pytest.mark.long
def test_killed_syncs_end_like_calm_ones(
    tmp_path: Path, calm: dict[str, list[tuple[object, ...]]], proof: bool
) -> None:
    """Stores killed up to four times at random moments equal the calm one; runs say they were interrupted."""
    rng = random.Random(2026)
    kills = 0
    for number in range(60 if proof else 2):
        path = tmp_path / str(number) / "hub.db"
        path.parent.mkdir()
        for _ in range(rng.randint(1, 4)):
            child = start(path)
            time.sleep(rng.uniform(0.0, 0.3))
            kills += child.poll() is None
            child.kill()
            child.communicate()
        child = start(path)
        child.communicate()

        assert 0 == child.returncode
        with Store.open(path) as store:
            assert calm == store_image(store)
            runs = store.runs("s", limit=100)
            assert {"ok", "interrupted"} >= {run.verdict for run in runs}
            (hours,) = store.connection.execute("SELECT sum(seconds) FROM worklog").fetchone()
            assert 4 * kill_target.BATCHES * kill_target.ROWS * 60 == hours

    assert kills > 0

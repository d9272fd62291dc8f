"""Publishing: the last good feed stays, the switch is one step, destinations end in one state."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, ClassVar

import pytest
from test_feed import HOURS, PLAN, fill

from hub.destination import Delivery, DeliveryContext, Destination, FeedView
from hub.errors import ConfigError, DeliveryError, FeedError
from hub.feed import BuildOptions
from hub.publish import PublishOptions, PublishReport, current, deliver_current, publish
from hub.records import Worklog
from hub.store import Store


class Copy(Destination, frozen=True, kw_only=True):
    """A destination that keeps changes, and fails on request."""

    kind: ClassVar[str] = "copy"
    privacy: Any = "nominative-line"
    got: list[Any]
    fail: bool = False

    def deliver(self, ctx: DeliveryContext, feed: FeedView) -> Delivery:
        if self.fail:
            raise DeliveryError("no right to write there")
        moves = [row[:2] for row in feed.changes("fact_worklog").fetchall()]
        self.got.append((feed.manifest["privacy"], moves))
        return Delivery(where="memory", rows={"fact_worklog": len(moves)})


def go(store: Store, tmp_path: Path, *destinations: Destination, **options: Any) -> PublishReport:
    return publish(
        store,
        tmp_path / "feed",
        list(destinations),
        PublishOptions(base=tmp_path, build=BuildOptions(), **options),
    )


def test_the_current_feed_is_switched_and_complete(store: Store, tmp_path: Path) -> None:
    """CURRENT names the new feed; its manifest tells every source's verdict."""
    fill(store, PLAN, HOURS)
    first = go(store, tmp_path)
    second = go(store, tmp_path)
    manifest = json.loads((Path(second.folder) / "manifest.json").read_text())

    assert (0, True) == (first.exit_code, first.current)
    assert Path(second.folder) == current(tmp_path / "feed")
    assert manifest["complete"]
    assert {"plans": "ok", "hours": "ok"} == {s["name"]: s["verdict"] for s in manifest["sources"]}


@pytest.mark.long
def test_a_partial_source_is_marked_inside_the_feed(store: Store, tmp_path: Path) -> None:
    """Never green with data missing: the feed itself says what is not there.

    A setting may block it instead.
    """
    fill(store, PLAN)
    run = store.begin_run("plans", "increment")
    store.end_run(run, "partial", missing=["b.mpp: half-written"])
    report = go(store, tmp_path)
    manifest = json.loads((Path(report.folder) / "manifest.json").read_text())
    blocked = go(store, tmp_path, failed_sources="block")

    assert not manifest["complete"]
    assert ["b.mpp: half-written"] == manifest["sources"][0]["missing"]
    assert (4, False) == (blocked.exit_code, blocked.current)
    assert Path(report.folder) == current(tmp_path / "feed")


@pytest.mark.long
def test_force_goes_past_the_gate_with_its_reason(store: Store, tmp_path: Path) -> None:
    """The reason is written inside the feed."""
    fill(store, PLAN)
    store.end_run(store.begin_run("plans", "increment"), "failed", error="no")
    report = go(store, tmp_path, failed_sources="block", force="committee at 9")

    assert report.current
    assert "committee at 9" == json.loads((Path(report.folder) / "manifest.json").read_text())["forced"]


@pytest.mark.long
def test_changes_since_the_last_published_feed(store: Store, tmp_path: Path) -> None:
    """A destination gets everything first, then only what changed, then nothing."""
    fill(store, HOURS)
    got: list[Any] = []
    place = Copy(name="c", got=got)
    go(store, tmp_path, place)
    fill(store, [Worklog(id="hours:9", day="2026-03-05", seconds=1)])
    go(store, tmp_path, place)
    go(store, tmp_path, place)

    assert [4, 1, 0] == [len(moves) for _, moves in got]
    assert [("insert", "hours:9")] == got[1][1]


@pytest.mark.long
def test_a_failed_delivery_stops_no_other_and_is_tried_again(store: Store, tmp_path: Path) -> None:
    """The exit code is 1, the other destination has the feed, and the next delivery catches up."""
    fill(store, HOURS)
    got: list[Any] = []
    go(store, tmp_path, Copy(name="b", got=got))
    fill(store, [Worklog(id="hours:9", day="2026-03-05", seconds=1)])
    report = go(store, tmp_path, Copy(name="a", got=got, fail=True), Copy(name="b", got=[]))
    go(store, tmp_path, Copy(name="a", got=got))

    assert 1 == report.exit_code
    assert [("failed", "no right to write there"), ("published", None)] == [
        (d.state, d.error) for d in report.deliveries
    ]
    assert 5 == len(got[-1][1])


class Caller(Copy, frozen=True, kw_only=True):
    """A destination that asks an address where nobody answers."""

    def deliver(self, ctx: DeliveryContext, feed: FeedView) -> Delivery:
        ctx.http.patience_s = 0.0
        return ctx.http.json("POST", "http://127.0.0.1:9/feed", json={})


@pytest.mark.long
def test_a_dead_address_is_told_in_words_of_a_delivery(store: Store, tmp_path: Path) -> None:
    """What a run that reads would say makes no sense where something is written.

    It says that nothing read is lost.
    """
    fill(store, PLAN, HOURS)
    (delivery,) = go(store, tmp_path, Caller(name="dead", got=[])).deliveries

    assert "failed" == delivery.state
    assert "What was delivered before stays" in (delivery.error or "")
    assert "read is lost" not in (delivery.error or "")


@pytest.mark.long
def test_a_dry_run_writes_nothing(store: Store, tmp_path: Path) -> None:
    """Nothing is left of it."""
    fill(store, HOURS)
    report = go(store, tmp_path, dry_run=True)

    assert 4 == report.rows["fact_worklog"]
    assert [] == [p for p in (tmp_path / "feed").iterdir() if p.name != "projections"]


@pytest.mark.long
def test_an_interrupted_build_is_swept(store: Store, tmp_path: Path) -> None:
    """What a killed build left is removed; the current feed is not."""
    fill(store, HOURS)
    kept = go(store, tmp_path)
    (tmp_path / "feed" / "20200101T000000Z-dead" / "dim_task").mkdir(parents=True)
    go(store, tmp_path, keep=10)

    assert Path(kept.folder).exists()
    assert not (tmp_path / "feed" / "20200101T000000Z-dead").exists()


@pytest.mark.long
def test_the_current_feed_is_delivered_without_a_build(store: Store, tmp_path: Path) -> None:
    """A destination is given the feed that readers see; where there is none, it says what to run first."""
    got: list[Any] = []
    ask = (store, tmp_path / "feed", [Copy(name="late", got=got)])
    options = PublishOptions(base=tmp_path, build=BuildOptions())
    with pytest.raises(ConfigError, match="run `hub publish` first"):
        deliver_current(*ask, options)
    fill(store, HOURS)
    first = go(store, tmp_path)
    report = deliver_current(*ask, options)

    assert (first.feed_id, "published") == (report.feed_id, report.deliveries[0].state)
    assert [4] == [len(moves) for _, moves in got]


@pytest.mark.long
def test_old_feeds_are_retired(store: Store, tmp_path: Path) -> None:
    """Only the newest are kept, and what a destination still has."""
    fill(store, HOURS)
    had = go(store, tmp_path, Copy(name="c", got=[]))
    for _ in range(3):
        last = go(store, tmp_path, keep=2)
    left = {p.name for p in (tmp_path / "feed").iterdir() if (p / "manifest.json").exists()}

    assert {had.feed_id, last.feed_id} <= left
    assert 3 == len(left)


def test_a_feed_folder_that_cannot_be_written(store: Store, tmp_path: Path) -> None:
    """The sentence names the folder and says that the last good feed stays."""
    fill(store, HOURS)
    (tmp_path / "feed").write_text("a file in the way")

    with pytest.raises(FeedError, match=r"cannot be written under .*feed: .*last good feed stays"):
        go(store, tmp_path)


@pytest.mark.long
def test_an_older_as_of_does_not_become_current(store: Store, tmp_path: Path) -> None:
    """Looking back leaves readers on today's feed."""
    fill(store, HOURS)
    now = go(store, tmp_path)
    options = PublishOptions(base=tmp_path, build=BuildOptions(as_of="2020-01-01T00:00:00.000000Z"))
    report = publish(store, tmp_path / "feed", [], options)

    assert 0 == report.rows["fact_worklog"]
    assert Path(now.folder) == current(tmp_path / "feed")
    shutil.rmtree(report.folder)

"""One feed for each request, the rows of the one who asks, and an end to what takes too long."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import msgspec
import pytest
from hub_serve import feeds as feeds_room
from hub_serve.feeds import Feeds, TooLong
from hub_serve.tokens import Reader

from hub import ConfigError, FeedView
from hub.records import Container
from hub.store import Store
from hub.testing import kept_feed, view_of

HERE = Reader(name="here", level="project")


def portfolio(store: Store, count: int) -> None:
    store.register_source(
        "tool", kind="test", base_url=None, tz="UTC", seconds_per_day=25200, freshness_max_s=3600
    )
    run = store.begin_run("tool", "full")
    projects = [Container(id=f"tool:{at}", kind="project", code=f"C{at}", name="One") for at in range(count)]
    store.write_batch(projects, run_id=run, source_id="tool")
    store.end_run(run, "ok")


class House:
    """Feeds of one, two and three projects, of which one is current, and how often each was opened."""

    def __init__(self) -> None:
        self.current: str | None = "one"
        self.open: list[str] = []
        self.closed: list[str] = []
        self.feeds = Feeds(self._opened, lambda: self.current, seconds=30)

    @contextmanager
    def _opened(self, level: str, person: str | None, feed_id: str) -> Iterator[FeedView]:
        places = {"one": 1, "two": 2, "three": 3}
        if feed_id not in places:
            raise ConfigError(f"{feed_id} is not kept")
        self.open.append(f"{feed_id} {level} {person}")
        with view_of(kept_feed(portfolio, places[feed_id])) as view:
            yield msgspec.structs.replace(view, feed_id=feed_id)
        self.closed.append(feed_id)

    def projects(self, reader: Reader = HERE, feed_id: str | None = None) -> int:
        with self.feeds.view(reader, feed_id) as feed:
            return count(feed)


def count(feed: FeedView) -> int:
    return feed.connection.execute("SELECT count(*) FROM dim_project WHERE project_key < -1").fetchall()[0][0]


@pytest.mark.long
def test_a_new_feed_is_shown_from_the_next_request_on() -> None:
    """And who is looking keeps the old one to the end."""
    house = House()
    with house.feeds.view(HERE) as feed:
        before = count(feed)
        house.current = "two"
        during, beside = count(feed), house.projects()

    assert (1, 1, 2) == (before, during, beside)


@pytest.mark.long
def test_an_earlier_feed_is_read_by_its_name_while_it_is_kept() -> None:
    """A page of rows that was begun goes on in its feed; one that is gone is told."""
    house = House()

    assert (3, 1) == (house.projects(feed_id="three"), house.projects())
    with pytest.raises(ConfigError, match="is not kept"):
        house.projects(feed_id="nine")


def test_without_a_feed_it_says_so() -> None:
    """A server may start before the first publication."""
    house = House()
    house.current = None

    with pytest.raises(ConfigError, match="run `hub publish` first"):
        house.projects()


def test_a_feed_is_opened_once_for_all_who_see_the_same() -> None:
    """Readers of one level share it; a person and another level have their own."""
    house = House()
    for reader in (
        HERE, Reader(name="excel", level="project"), Reader(name="a", level="project", person="a@x.org"),
        Reader(name="b", level="team-week"), HERE,
    ):  # fmt: skip
        house.projects(reader)

    assert ["one project None", "one project a@x.org", "one team-week None"] == house.open


def test_threads_that_come_at_once_open_it_once() -> None:
    """The first opens, the others wait for it."""
    house = House()
    barrier, found = threading.Barrier(8), []

    def look() -> None:
        barrier.wait()
        found.append(house.projects())

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ([1] * 8, ["one project None"]) == (found, house.open)


def test_the_least_used_feed_closes_when_its_last_reader_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not while somebody looks at it."""
    monkeypatch.setattr(feeds_room, "OPEN_AT_MOST", 1)
    house = House()
    with house.feeds.view(HERE, "one") as feed:
        house.projects(feed_id="two")
        closed = [*house.closed]
        assert 1 == count(feed)

    assert ([], ["one"]) == (closed, house.closed)


def test_a_question_that_takes_too_long_ends() -> None:
    """It does not hold a processor for ever, and the next one is answered."""
    house = House()
    house.feeds = Feeds(house._opened, lambda: "one", seconds=0.3)
    endless = "SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range * b.range % 7 = 3"

    with pytest.raises(TooLong), house.feeds.view(HERE) as feed:
        feed.connection.execute(endless).fetchall()
    assert 1 == house.projects()


def test_an_erasure_that_begins_is_asked_for_each_time() -> None:
    """A feed that was opened before shows no person any more, and does again when the erasure is over."""
    house, erasing = House(), [False]

    def may_show(level: str, person: str | None) -> None:
        if erasing[0] and level == "nominative-line":
            raise ConfigError("an erasure is not finished")

    house.feeds = Feeds(house._opened, lambda: "one", may_show=may_show)
    names = Reader(name="dpo", level="nominative-line")
    before = house.projects(names)
    erasing[0] = True

    with pytest.raises(ConfigError, match="erasure"):
        house.projects(names)
    assert 1 == house.projects(HERE)
    assert ["one"] == house.closed  # that of the names, though nobody asks for it any more
    erasing[0] = False
    assert before == house.projects(names)


def test_a_feed_that_is_removed_is_not_shown_from_memory() -> None:
    """An erasure takes the files of every feed away: what is open of them closes, and is refused."""
    house, kept = House(), {"one", "two", "three"}
    house.feeds = Feeds(house._opened, lambda: house.current, is_kept=lambda feed: feed in kept)
    opened = house._opened

    @contextmanager
    def still(level: str, person: str | None, feed_id: str) -> Iterator[FeedView]:
        if feed_id not in kept:
            raise ConfigError(f"{feed_id} is not kept any more")
        with opened(level, person, feed_id) as view:
            yield view

    house.feeds._opened = still
    with house.feeds.view(HERE) as feed:
        kept.remove("one")
        house.current = "two"
        with pytest.raises(ConfigError, match="not kept any more"):
            house.projects(feed_id="one")
        during = [*house.closed]
        assert 1 == count(feed)  # an answer that was begun ends

    assert ([], ["one"], 2) == (during, house.closed, house.projects())


def test_the_end_closes_what_is_open() -> None:
    """Nothing of a feed stays open behind a server that stopped."""
    house = House()
    with house.feeds.view(HERE) as feed:
        house.projects(feed_id="two")
        house.feeds.close()
        during = [*house.closed]
        assert 1 == count(feed)
        connection = feed.connection

    assert (["two"], ["two", "one"]) == (during, house.closed)
    with pytest.raises(duckdb.Error):
        connection.execute("SELECT 1")


def test_kept_feeds_are_files_of_the_test(tmp_path: Path) -> None:
    """The three feeds differ by their number of projects, as the tests above take for granted."""
    house = House()

    assert [1, 2, 3] == [house.projects(feed_id=name) for name in ("one", "two", "three")]

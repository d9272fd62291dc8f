"""What one request for a page asks: of which cut, in which language, and what it may see."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from hub import FeedView, Lang, Story, day, listed, number, tell, tr, trn
from hub_serve.pages.blocks import ROWS_A_PAGE, Pager
from hub_serve.tokens import Reader

T = TypeVar("T")


class NotThere(Exception):
    """What a page is asked of is not there, or not for the one who asks: it cannot be told which."""


class Shelf:
    """What was told or drawn once, for as long as it is asked for: the oldest goes first."""

    def __init__(self, most: int) -> None:
        """Keep *most* things."""
        self._most = most
        self._kept: OrderedDict[Any, Any] = OrderedDict()
        self._making: dict[Any, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Any, make: Callable[[], T]) -> T:
        """Return what stands under *key*; who asks first makes it, and others wait for that."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                found: T = self._kept[key]
                return found
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                kept: T | None = self._kept.get(key)
            if kept is not None:
                return kept
            found = make()
            with self._lock:
                self._kept[key] = found
                self._making.pop(key, None)
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
        return found


class Asked(msgspec.Struct, kw_only=True):
    """One request for a page: the feed as the reader may see it, the story of the cut, and the question."""

    view: FeedView
    reader: Reader
    lang: Lang
    story: Story
    cuts: list[dict[str, Any]]
    query: Mapping[str, str]
    root: str = ""

    @property
    def cut(self) -> str | None:
        """Return the label of the cut that is looked at, None for now."""
        return None if self.story.is_now else self.story.label

    def named(self, label: str) -> str:
        """Return what the cut *label* is called; the one of now has no name of its own."""
        is_now = any(one["label"] == label and one["cut_key"] == 0 for one in self.cuts)
        return tr("Now") if is_now else label

    @property
    def who(self) -> str:
        """Return what the reader is called."""
        plain = tr("this machine") if self.reader.name == "here" else self.reader.name
        return self.reader.person or plain

    @property
    def sees_teams(self) -> bool:
        """Say whether the reader's level shows teams."""
        return self.story.privacy != "project"

    @property
    def sees_all(self) -> bool:
        """Say whether the reader's rows are those of the whole portfolio."""
        return self.reader.person is None

    def to(self, path: str, **more: str | int | None) -> str:
        """Return the address of a page at the cut that is looked at."""
        asked = {"cut": self.cut, **more}
        query = urlencode({key: value for key, value in asked.items() if value is not None})
        return f"{quote(path)}?{query}" if query else quote(path)

    def project(self, key: int | None) -> tuple[str, str | None]:
        """Return what a project is called, and the address of its page where it has one."""
        found = self.story.project(key) if key is not None else None
        return (found.called, self.to(f"/projects/{found.code}")) if found else ("–", None)

    def listed(self, name: str, **how: Any) -> list[dict[str, Any]]:
        """Return the rows of a list at the cut that is looked at."""
        return listed(self.view, name, cut=self.cut, **how)

    def number(self, name: str, otherwise: int, low: int, high: int) -> int:
        """Return a whole number of the question, within limits; *otherwise* where there is none."""
        try:
            return min(high, max(low, int(self.query.get(name, ""))))
        except ValueError:
            return otherwise

    def paged(self, name: str, path: str, **how: Any) -> tuple[list[dict[str, Any]], Pager | None]:
        """Return one part of a long list, and the ways to the others; ``?NAME=2`` is the second part."""
        at = self.number(name, 1, 1, 1_000_000)
        rows = self.listed(name, most=ROWS_A_PAGE, skip=(at - 1) * ROWS_A_PAGE, **how)
        if not rows and at > 1:
            raise NotThere
        return rows, self.pager(name, path, at, rows[0]["n"] if rows else 0)

    def pager(self, name: str, path: str, at: int, n: int) -> Pager | None:
        """Return the ways from part *at* of *n* rows to the parts beside it."""
        if n <= ROWS_A_PAGE:
            return None
        kept = {key: value for key, value in self.query.items() if key not in {"cut", "lang", name}}
        first, last = (at - 1) * ROWS_A_PAGE + 1, min(n, at * ROWS_A_PAGE)
        return Pager(
            text=tr("{first:,} to {last:,} of {n:,}", first=first, last=last, n=n),
            before=self.to(path, **kept, **{name: at - 1}) + f"#{name}" if at > 1 else None,
            after=self.to(path, **kept, **{name: at + 1}) + f"#{name}" if last < n else None,
        )

    def limits(self) -> list[str]:
        """Say what this reader's level and rows do not show, and what the data lacks."""
        story, found = self.story, []
        if not self.sees_all:
            found.append(
                trn(
                    "You see what access.csv allows you, {n} project: no figure of the whole portfolio.",
                    "You see what access.csv allows you, {n} projects: no figure of the whole portfolio.",
                    len(story.projects),
                )
            )
        if story.privacy == "project":
            found.append(tr("Your level of detail shows projects: persons and teams are not shown."))
        elif story.privacy == "team-week":
            found.append(
                tr(
                    "Your level of detail shows teams and weeks: persons are not shown, nor sums of fewer "
                    "than {k} of them.",
                    k=self.view.manifest.get("k", 5),
                )
            )
        elif story.privacy == "pseudonym-week":
            found.append(tr("Your level of detail shows pseudonyms and weeks: no names."))
        if not story.is_now:
            found.append(
                tr("This is what the cut {label} of {day} kept.", label=story.label, day=day(story.as_of))
            )
        if not story.complete:
            what = tr("; ").join(story.missing)
            found.append(
                tr("Data is incomplete: {what}.", what=what) if what else tr("The data is incomplete.")
            )
        return found


def story_key(view: FeedView, reader: Reader, cut: str | None, lang: Lang) -> tuple[Any, ...]:
    """Return what makes two stories the same."""
    return (view.feed_id, reader.level, reader.person, cut, lang)


def told(shelf: Shelf, view: FeedView, reader: Reader, cut: str | None, lang: Lang) -> Story:
    """Return the story of *cut* as *reader* may see it; it is told once for each feed."""
    return shelf.get(story_key(view, reader, cut, lang), lambda: tell(view, cut=cut, lang=lang))


def hours(value: float | None) -> str:
    """Return hours, whole."""
    return "–" if value is None else f"{number(value, ',.0f')}\N{NO-BREAK SPACE}h"

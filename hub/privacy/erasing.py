"""Take somebody away for ever, by stages that a killed run leaves to the next one.

``store``: identifiers are known as salted digests only, and every text of the store loses them in one
transaction.
``files``: closed cuts, feeds, projections and sign-ins lose them. ``compact``: nothing of it stays in free
pages.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from hub.feed import cut_folder, forget_projections
from hub.feed.kept import forget_open_cuts
from hub.store import Store
from hub.store.engines.sqlite import BEFORE
from hub.store.erasure import Pending
from hub.store.subjects import Subject


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """What an erasure did: rows rewritten per table, files rewritten or removed."""

    rows: dict[str, int]
    files: list[str]


def begin(store: Store, subject: Subject, *, actor: str, texts: bool = False) -> None:
    """Note that *subject* is to be erased; nothing nominative is published until `finish` has done it.

    Links of their accounts stay as they are: a later matching could not find them again.
    """
    store.start_erasure(subject.marks, texts=texts, actor=actor, accounts=subject.accounts)


def finish(store: Store, feed: Path, base: Path, redact: Callable[[Store], list[str]]) -> Erased:
    """Do what is left of every pending erasure; *redact* rewrites the closed cuts and gives their labels.

    *feed* is the folder of the feeds, *base* that of the configuration.
    """
    rows: dict[str, int] = {}
    files: list[str] = []
    if _stage(store, "store"):
        rows = store.rewrite_erased()
    if _stage(store, "files"):
        files += [f"cut {label}" for label in redact(store)]
        files += _feeds(feed) + _sign_ins(store, base) + _copies(store)
        store.erasure_stage("compact")
    if _stage(store, "compact"):
        store.compact()
        store.erasure_stage("done")
    return Erased(rows=rows, files=files)


def pending(store: Store) -> list[Pending]:
    """Return the erasures that were begun and not finished."""
    return store.erasures()


def _stage(store: Store, name: str) -> bool:
    return any(one.stage == name for one in store.erasures())


def _feeds(feed: Path) -> list[str]:
    """Remove every snapshot, projection and kept row of an open cut: they were built of what is gone."""
    gone: list[str] = []
    forget_open_cuts(cut_folder(feed, 0).parent)
    if not feed.is_dir():
        return gone
    for path in sorted(feed.iterdir()):
        if path.is_dir() and path.name != "projections":
            shutil.rmtree(path)
            gone.append(f"feed {path.name}")
    forget_projections(feed / "projections", keep=None)
    return gone


def _copies(store: Store) -> list[str]:
    """Remove what was kept of the store before a migration: it knows who was erased."""
    gone = []
    place = store.engine.path
    for path in sorted(place.parent.glob(place.name + BEFORE + "*")) if place else ():
        path.unlink()
        gone.append(f"copy {path.name}")
    return gone


def _sign_ins(store: Store, base: Path) -> list[str]:
    """Remove sign-ins that name somebody who was erased; whoever needs them signs in again."""
    gone = []
    for path in sorted((base / "data" / "signin").glob("*")):
        text = path.read_text(encoding="utf-8", errors="replace")
        if store.door.text(text) != text:
            path.unlink()
            gone.append(f"sign-in {path.stem}")
    return gone

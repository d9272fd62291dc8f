"""Cuts of the portfolio: take one, close it for ever, give them to the feed."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from hub.errors import ConfigError, FeedError
from hub.feed import BuildOptions, Cut, cut_folder, digest, instant, keep_cut, redact_cut, rewritten
from hub.feed.cuts import AD_HOC
from hub.feed.kept import place_of
from hub.store import Store
from hub.store import cuts as rows
from hub.store.retention import must_remember
from hub.store.store import utc_now
from hub.words import tr


def take(store: Store, *, kind: str, label: str, actor: str, as_of: str | None = None) -> Cut:
    """Take a cut of what the store knows now, or knew at the day or instant *as_of*. Raises `ConfigError`."""
    now = utc_now()
    stamp = min(instant(as_of), now) if as_of else now
    if as_of and stamp[:10] < instant(as_of)[:10]:
        raise ConfigError(
            tr("{as_of} is not over yet: take the cut today, or of a day in the past.", as_of=as_of)
        )
    if not label.strip() or label.strip().lower() == "now":
        raise ConfigError(tr('A cut needs a label of its own, such as --label "COPIL octobre 2026".'))
    if rows.moment(store, label) is not None:
        raise ConfigError(tr("There is already a cut {label!r}: `hub cut list` shows them.", label=label))
    must_remember(store, stamp)
    with store.transaction():
        cut_id = rows.add(store, as_of=stamp, kind=kind, label=label, taken_at=now, actor=actor)
        store.audit("cut take", label, actor=actor, after=stamp)
    return Cut(key=cut_id, as_of=stamp, kind=kind, label=label)


def close(store: Store, root: Path, label: str, options: BuildOptions, *, actor: str) -> Path:
    """Freeze the cut *label*: its rows are written once and reused by every feed.

    Raises `ConfigError`, `FeedError`.
    """
    cut = named(store, root, label)
    if cut.folder is not None:
        raise ConfigError(tr("The cut {label!r} is closed already.", label=label))
    folder = cut_folder(root, cut.key)
    shutil.rmtree(folder, ignore_errors=True)  # left by a close that was interrupted before it was noted
    known_now = tuple(known(store, root))
    sealed = keep_cut(store.engine, folder, cut, msgspec.structs.replace(options, cuts=known_now))
    with store.transaction():
        rows.close(store, cut.key, sealed)
        store.audit("cut close", label, actor=actor, after=sealed)
    shutil.rmtree(place_of(folder.parent, cut), ignore_errors=True)
    return folder


def known(store: Store, root: Path, *, as_of: str | None = None) -> list[Cut]:
    """Return the cuts taken up to *as_of*, oldest first.

    A closed one was proven to be what it was when it closed. Raises `FeedError` when the files of a closed
    cut are gone or altered.
    """
    cuts = []
    for row in rows.taken(store, as_of=as_of):
        folder = None
        if row["closed_at"] and (as_of is None or row["closed_at"] <= as_of):
            folder = cut_folder(root, row["id"])
            _swap(folder, row["digest"])
            if not folder.is_dir() or digest(folder) != row["digest"]:
                raise FeedError(
                    tr(
                        "The closed cut {label!r} in {folder} is gone or was altered: restore that folder "
                        "from a copy. The last good feed stays.",
                        label=row["label"],
                        folder=folder,
                    )
                )
        cuts.append(
            Cut(key=row["id"], as_of=row["as_of"], kind=row["kind"], label=row["label"], folder=folder)
        )
    return cuts


def redact(store: Store, root: Path, *, again: bool = False) -> list[str]:
    """Take persons out of cuts that an earlier hub closed, and *again* out of all; gives the labels.

    The old and the new digest are recorded; from then on only the new one is the cut. A killed run is
    taken up by the next.
    """
    done = []
    door = store.door
    for row in rows.closed(store):
        folder = cut_folder(root, row["id"])
        _swap(folder, row["digest"])
        if (row["redacted_at"] and not again) or not folder.is_dir() or digest(folder) != row["digest"]:
            continue  # one that is gone or altered is told by `known`
        target = rewritten(folder)
        redact_cut(
            folder, target, lambda text, is_id: door.id(text) if is_id else door.text(text, always=False)
        )
        new = digest(target)
        with store.transaction():
            rows.redact(store, row["id"], new)
            store.audit("cut redact", row["label"], actor="hub", before=row["digest"], after=new)
        _swap(folder, new)
        done.append(row["label"])
    return done


def _swap(folder: Path, wanted: str | None) -> None:
    """Put a cut that was written again in its place, where the store says that it is the cut now."""
    beside = rewritten(folder)
    if beside.is_dir() and wanted and (not folder.is_dir() or digest(folder) != wanted):
        if digest(beside) == wanted:
            shutil.rmtree(folder, ignore_errors=True)
            beside.rename(folder)
    elif beside.is_dir():
        shutil.rmtree(beside, ignore_errors=True)


def named(store: Store, root: Path, label: str) -> Cut:
    """Return the cut *label*. Raises `ConfigError` naming those there are."""
    cuts = known(store, root)
    for cut in cuts:
        if cut.label == label:
            return cut
    labels = ", ".join(repr(cut.label) for cut in cuts) or tr("none yet; `hub cut take` makes one")
    raise ConfigError(tr("There is no cut {label!r}; known: {labels}.", label=label, labels=labels))


def moment_of(store: Store, text: str) -> str | None:
    """Return the stamp of what a person calls a moment: the label of a cut, a date, an instant.

    It is None for ``now``.
    """
    if text.lower() == "now":
        return None
    stamp = rows.moment(store, text)
    if stamp is not None:
        return stamp
    labels = ", ".join(rows.last_labels(store))
    stamp = instant(text, also=tr("nor the label of a cut ({labels})", labels=labels or tr("none was taken")))
    must_remember(store, stamp)
    return stamp


def cuts_for(
    store: Store, root: Path, *, as_of: str | None, vs: str | None
) -> tuple[tuple[Cut, ...], int | None]:
    """Return the cuts a feed as of *as_of* holds, and the key of the one to tell moves from.

    That key is None for the last committee.
    """
    cuts = known(store, root, as_of=as_of)
    if vs is None:
        return tuple(cuts), None
    for cut in cuts:
        if cut.label == vs:
            return tuple(cuts), cut.key
    later = [cut for cut in known(store, root) if cut.label == vs]
    if later:
        # computed again as of its moment: a feed of an earlier one needs the names of its tasks too
        return (*cuts, msgspec.structs.replace(later[0], folder=None)), later[0].key
    stamp = moment_of(store, vs) or utc_now()
    return (*cuts, Cut(key=AD_HOC, as_of=stamp, kind="daily", label=vs)), AD_HOC

"""Lists that were read and are refused now: each is a rejection until it is read again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hub.store.rejections import LISTS, keep, settle_keys
from hub.store.store import Store
from hub.tally import Rejection
from hub.words import tr


def account_for(
    store: Store,
    source: str,
    looked: Iterable[str],
    refused: Mapping[str, tuple[str, bool]],
    unasked: Iterable[str],
    *,
    run_id: int,
) -> list[str]:
    """Keep which lists of *source* are refused though they were read before, and forget those that are read.

    *looked* are the lists that were read in this run, *refused* those that were not, with what was said and
    whether the answer itself was odd, which never is a matter of rights; *unasked* are those that settings
    leave out. Returns what is told of lists that this account never saw.
    """
    memory: list[str] = store.cursors(source).get(LISTS, [])
    read = {*looked} - {*refused}
    seen = sorted({*memory, *read} - {*unasked})
    if seen != memory:
        store.set_cursor(source, LISTS, seen, run_id=run_id)
    found, notes = [], []
    for label, (reason, odd) in refused.items():
        if odd or label in memory:
            said = reason if odd else tr("read before and refused now: {error}", error=reason)
            found.append(Rejection(place=tr(label), reason=said, key=label))
        else:
            notes.append(tr("{label} were not looked at: {error}", label=tr(label), error=reason))
    settle_keys(store, source, LISTS, read | {*unasked})
    keep(store, source, LISTS, found, run_id=run_id)
    return notes

"""What tools said of an end, kept until they are asked again and say it no more."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from hub.expiry import Ending
from hub.store.store import Store


def keep(store: Store, owner: str, heard: Iterable[Ending], asked: Iterable[str]) -> None:
    """Keep what the source or destination *owner* heard; at a place that was *asked*, it is all there is."""
    said = store.door.text  # a route may name somebody who was erased
    rows = [
        (owner, said(one.place), one.kind, one.on.isoformat() if one.on else None, said(one.detail))
        for one in heard
    ]
    gone = [(owner, said(place)) for place in asked]
    if not rows and not store.rows("SELECT 1 FROM ending WHERE owner = ? LIMIT 1", (owner,)):
        return
    with store.transaction():
        store.connection.executemany("DELETE FROM ending WHERE owner = ? AND place = ?", gone)
        store.connection.executemany(
            "INSERT INTO ending (owner, place, kind, ends_on, detail) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (owner, place, kind, detail) DO UPDATE SET ends_on = excluded.ends_on",
            rows,
        )


def known(store: Store) -> list[tuple[str, Ending]]:
    """Return who heard what, the soonest first."""
    return [
        (
            row["owner"],
            Ending(
                place=row["place"], kind=row["kind"], detail=row["detail"],
                on=date.fromisoformat(row["ends_on"]) if row["ends_on"] else None,
            ),
        )
        for row in store.rows(
            "SELECT owner, place, kind, ends_on, detail FROM ending "
            "ORDER BY ends_on IS NULL, ends_on, owner, place, kind, detail"
        )
    ]  # fmt: skip

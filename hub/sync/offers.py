"""Say what fields of its tools a site could slice by: what a tool lists, and what the store has of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from hub.source import Check, Offer
from hub.store import Store
from hub.store.questions import custom_fields
from hub.words import tr


def lines(
    store: Store | None, source: str, offers: Iterable[Offer], chosen: Mapping[str, str], *, listed: bool
) -> Iterator[Check]:
    """Yield a line a field that *source* offers, with how often it is filled and the line for fields.csv.

    Without *listed* only how many there are.
    """
    known = {one.native.casefold(): one for one in offers}
    for one in _kept(store, source) if store is not None else ():
        before = known.get(one.native.casefold(), one)
        known[one.native.casefold()] = Offer(
            native=before.native, title=before.title, level=before.level, type=before.type,
            filled=before.filled if before.filled is not None else one.filled,
        )  # fmt: skip
    if not known:
        return
    taken = {name.casefold() for name in chosen}
    if not listed:
        detail = tr(
            "{count} {count:field|fields} could be sliced by, {taken} {taken:is|are} in fields.csv; "
            "`hub check {source}` lists them",
            count=len(known), taken=len(taken & known.keys()), source=source,
        )  # fmt: skip
        yield Check(name="fields", state="ok", detail=detail)
        return
    for key, one in sorted(known.items(), key=lambda pair: (-(pair[1].filled or 0.0), pair[0])):
        filled = tr("filled {share:.0%}", share=one.filled) if one.filled is not None else tr("not read yet")
        line = tr("in fields.csv") if key in taken else tr("line: {line}", line=line_of(source, one))
        name = tr("field {name}", name=one.title or one.native)
        yield Check(name=name, state="ok", detail=f"{filled}; {line}")


def line_of(source: str, one: Offer) -> str:
    """Return the line of fields.csv that asks for the field *one* of *source*."""
    title = one.title or one.native
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:40] or "field"
    name = name if name[0].isalpha() else f"f_{name}"[:40]
    cells = [name, one.level, source, one.native, one.type, title, title, "", ""]
    return ";".join(f'"{cell}"' if ";" in cell else cell for cell in cells)


def _kept(store: Store, source: str) -> Iterator[Offer]:
    for native, level, kind, share in custom_fields(store, source):
        yield Offer(native=native, level=level, type=kind, filled=share)  # type: ignore[arg-type]

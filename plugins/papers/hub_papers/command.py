"""`hub deck`: the papers of now, or again those that a committee saw."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from hub import ConfigError, DeliveryContext, Lang, tell, tr, write_atomically
from hub_papers.archive import LATEST, archived, differing, put
from hub_papers.destination import DeckDestination

FOLDER = "papers"


def make(
    app: Any, *, cut: str | None, out: str | None, formats: tuple[str, ...], lang: Lang | None, as_json: bool
) -> int:
    """Write the papers of *cut* (None: of now) and say where; gives the exit code.

    Without *out* they go where the destination has them: ``latest``, or the folder of the cut. There a file
    of another content is left as it was, and `ConfigError` names it.
    """
    place = next(
        (one for one in app.settings.destinations.values() if isinstance(one, DeckDestination)),
        DeckDestination(name="deck", path=FOLDER),
    )
    if formats:
        place = msgspec.structs.replace(place, formats=formats)
    base = app.settings.base
    root = base / place.path
    context = DeliveryContext(base=base, name=place.name)
    with app.feed_view(place.privacy) as feed:
        story = tell(feed, cut=cut, lang=lang)
        papers = place.papers(context, story)
        is_closed = any(one["label"] == cut for one in feed.manifest.get("closed_cuts", ()))
    if out is not None:
        folder = Path(out)
        _write(folder, papers)
    elif cut is None:
        folder = root / LATEST
        _write(folder, papers)
    else:
        folder = archived(root, cut)
        if is_closed and not folder.exists():
            put(folder, papers, story)
        else:
            _add(folder, papers, cut)
    notes = []
    if cut is not None and not is_closed:
        notes.append(
            tr(
                "The cut {label} is open, and its papers may still change: `hub cut close {label!r}`.",
                label=cut,
            )
        )
    if as_json:
        app.as_json({"folder": str(folder), "files": sorted(papers), "notes": notes})
    else:
        for name in papers:
            app.say(str(folder / name))
        for note in notes:
            app.say(tr("note: {text}", text=note), "yellow")
    return 0


def _write(folder: Path, papers: Mapping[str, bytes]) -> None:
    for name, content in papers.items():
        with write_atomically(folder / name) as file:
            file.write(content)


def _add(folder: Path, papers: Mapping[str, bytes], label: str) -> None:
    """Write those of *papers* that *folder* lacks; what was handed out stays."""
    if changed := differing(folder, papers):
        raise ConfigError(
            tr(
                "{folder} holds what was handed out for {label}, and {files} would be another content now: "
                "it was left as it is. Write the new one elsewhere with --out.",
                folder=folder, label=label, files=", ".join(changed),
            )
        )  # fmt: skip
    _write(folder, {name: content for name, content in papers.items() if not (folder / name).exists()})

"""`hub deck`: the papers of now, or again those that a committee saw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from hub import ConfigError, DeliveryContext, Lang, tell, tr, write_atomically
from hub_papers.archive import LATEST, add, archived, differing
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
        for name, content in papers.items():
            with write_atomically(folder / name) as file:
                file.write(content)
    elif cut is None:
        folder = root / LATEST
        add(folder, papers, story)
    elif not is_closed:
        raise ConfigError(
            tr(
                "The cut {label} is open, and what it shows may still change: close it with `hub cut close`, "
                "or write its papers elsewhere with --out.",
                label=cut,
            )
        )
    else:
        folder = archived(root, cut)
        if changed := differing(folder, papers):
            raise ConfigError(
                tr(
                    "{folder} holds what was handed out for {label}, and {files} would be another content "
                    "now: it was left as it is. Write the new one elsewhere with --out.",
                    folder=folder, label=cut, files=", ".join(changed),
                )
            )  # fmt: skip
        if lacking := {name: papers[name] for name in papers if not (folder / name).exists()}:
            add(folder, lacking, story)
    if as_json:
        app.as_json({"folder": str(folder), "files": sorted(papers)})
    else:
        for name in papers:
            app.say(str(folder / name))
    return 0

"""A folder of papers as a destination: the newest in ``latest``, what committees had beside it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Literal

from hub import (
    Check,
    ConfigError,
    Count,
    Delivery,
    DeliveryContext,
    DeliveryError,
    Destination,
    FeedView,
    Story,
    folder_check,
    mend_folder,
    replace_folder,
    tell,
    tr,
)
from hub_papers.archive import LATEST, altered, archived, put, write
from hub_papers.deck import write_deck
from hub_papers.html import write_html
from hub_papers.pages import paper
from hub_papers.pdf import write_pdf
from hub_papers.template import opened

COMMITTEE = "copil"


class DeckDestination(Destination, frozen=True, kw_only=True):
    """The committee's papers in ``<path>/latest``: slides, a page, a PDF.

    *template* is the company's own PowerPoint file. With *project_pages* each project has a page, the worst
    first and *most_projects* of them. When the newest committee's cut is closed, its papers are kept in a
    folder of their own, and never replaced.
    """

    kind: ClassVar[str] = "deck"

    path: str
    formats: tuple[Literal["pptx", "html", "pdf"], ...] = ("pptx", "html")
    template: str | None = None
    project_pages: bool = True
    most_projects: Count = 30

    def check(self, ctx: DeliveryContext) -> Iterable[Check]:
        """Look whether the folder can be written and the template be used."""
        yield folder_check(ctx.resolve(self.path))
        if self.template:
            place = ctx.resolve(self.template)
            try:
                found = opened(place)
            except ConfigError as exc:
                yield Check(name="template", state="failed", detail=str(exc))
            else:
                detail = tr(
                    "{path}: titles on the layout {cover!r}, pages on {page!r}",
                    path=place, cover=found.cover.name, page=found.page.name,
                )  # fmt: skip
                yield Check(name="template", state="ok", detail=detail)

    def deliver(self, ctx: DeliveryContext, feed: FeedView) -> Delivery:
        """Write the papers of now, and those of the newest committee where its closed cut has none yet."""
        root = ctx.resolve(self.path)
        fresh = root / f".{feed.feed_id}.new"
        story = tell(feed)
        papers = self.papers(ctx, story)
        try:
            root.mkdir(parents=True, exist_ok=True)
            mend_folder(root / LATEST)
            shutil.rmtree(fresh, ignore_errors=True)
            write(fresh, papers, story)
            ctx.give(fresh)
            replace_folder(root / LATEST, fresh)
            notes = self._keep(ctx, feed, root)
        except OSError as exc:
            shutil.rmtree(fresh, ignore_errors=True)
            raise DeliveryError(
                tr(
                    "{root} could not be replaced ({reason}): it is read-only, the disk is full, or a file "
                    "in it is open in another program such as PowerPoint. Close it and publish again; the "
                    "papers that were there are still there.",
                    root=root / LATEST, reason=exc.strerror,
                )
            ) from exc  # fmt: skip
        latest = root / LATEST
        return Delivery(
            where=str(latest), rows={"projects": len(story.projects)},
            open_next=tuple(str(latest / name) for name in papers), notes=tuple(notes),
        )  # fmt: skip

    def papers(self, ctx: DeliveryContext, story: Story) -> dict[str, bytes]:
        """Return the files of *story* by their names."""
        made = paper(story, project_pages=self.project_pages, most_projects=self.most_projects)
        found: dict[str, bytes] = {}
        if "pptx" in self.formats:
            found["deck.pptx"] = write_deck(made, ctx.resolve(self.template) if self.template else None)
        if {"html", "pdf"} & set(self.formats):
            page = write_html(made)
            if "html" in self.formats:
                found["deck.html"] = page
            if "pdf" in self.formats:
                found["deck.pdf"] = write_pdf(page, story.as_of)
        return found

    def _keep(self, ctx: DeliveryContext, feed: FeedView, root: Path) -> list[str]:
        """Keep what the newest committee was handed out; return what is wrong with what was kept."""
        closed = [one for one in feed.manifest.get("closed_cuts", ()) if one["kind"] == COMMITTEE]
        if not closed:
            return []
        label = max(closed, key=lambda one: one["as_of"])["label"]
        place = archived(root, label)
        if place.exists():
            changed = altered(place)
            text = tr(
                "{folder} is no longer what was handed out ({files}): restore it from a copy, or move it "
                "away and publish again.",
                folder=place, files=", ".join(changed),
            )  # fmt: skip
            return [text] if changed else []
        story = tell(feed, cut=label)
        put(place, self.papers(ctx, story), story)
        return []

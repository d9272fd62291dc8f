"""A folder of extracts and data sources as a destination: written beside, switched together."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from hub import (
    Check,
    ConfigError,
    Delivery,
    DeliveryContext,
    DeliveryError,
    Destination,
    FeedView,
    MissingExtra,
    folder_check,
    mend_folder,
    model,
    replace_folder,
    table_caption,
    tell,
    tr,
)
from hub_tableau import hyper
from hub_tableau.package import pack
from hub_tableau.server import Server
from hub_tableau.source import written
from hub_tableau.star import data_source

LATEST = "latest"
FACTS = (
    "fact_worklog",
    "fact_task_snapshot",
    "fact_kpi",
    "fact_budget",
    "fact_allocation_week",
    "fact_capacity_week",
    "fact_project_snapshot",
    "fact_register",
    "fact_sla",
    "fact_quality",
    "fact_move",
    "fact_weather",
)


class TableauDestination(Destination, frozen=True, kw_only=True):
    """The feed in ``<path>/latest/``: each fact with the dimensions it points to, as an extract and described.

    *facts* are those to write: ``<fact>.hyper`` has the rows, ``<fact>.tdsx`` the same as a data source with
    captions, relationships and calculated fields. It shows the latest cut, with *history* all of them. With
    *server* the data sources are published there.
    """

    kind: ClassVar[str] = "tableau"

    path: str
    facts: tuple[str, ...] = FACTS
    history: bool = False
    server: Server | None = None

    def __post_init__(self) -> None:
        """Check what only a person can mend. Raises `ConfigError`."""
        known = [name for name in model().tables if name.startswith("fact_")]
        if unknown := [name for name in self.facts if name not in known]:
            raise ConfigError(
                tr(
                    "The destination {name}: facts knows no {unknown}. It knows {known}.",
                    name=self.name,
                    unknown=", ".join(unknown),
                    known=", ".join(known),
                )
            )

    def check(self, ctx: DeliveryContext) -> Iterable[Check]:
        """Look whether the folder can be written and the engine is here."""
        yield folder_check(ctx.resolve(self.path))
        here = importlib.util.find_spec("tableauhyperapi") is not None
        yield Check(
            name="engine",
            state="ok" if here else "failed",
            detail=tr("Tableau's engine is here") if here else hyper.HOW,
        )
        if self.server is not None:
            yield from self.server.check(ctx)

    def deliver(self, ctx: DeliveryContext, feed: FeedView) -> Delivery:
        """Write every file beside, then switch all at once."""
        root = ctx.resolve(self.path)
        fresh, latest = root / f".{feed.feed_id}.new", root / LATEST
        try:
            root.mkdir(parents=True, exist_ok=True)
            mend_folder(latest)
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir(mode=0o700)
            with hyper.engine() as process:
                self._write(process, feed, fresh)
                replace_folder(latest, fresh)
                notes = self._publish(ctx, process, feed, latest)
        except OSError as exc:
            raise DeliveryError(
                tr(
                    "{latest} could not be replaced ({reason}): it is read-only, the disk is full, or a "
                    "file in it is open in Tableau. Close it and publish again; the files that were "
                    "there are still there.",
                    latest=latest,
                    reason=exc.strerror,
                )
            ) from exc
        except MissingExtra:
            raise
        except RuntimeError as exc:  # HyperException is one
            raise DeliveryError(
                tr(
                    "Tableau's engine could not write {latest}: {answer}",
                    latest=latest,
                    answer=str(exc).splitlines()[0],
                )
            ) from exc
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        rows = {
            table: feed.manifest["tables"][table]["rows"]
            for fact in self.facts
            for table in hyper.tables_of(fact)[1]
        }
        return Delivery(
            where=str(latest),
            rows=rows,
            open_next=tuple(str(latest / f"{fact}.tdsx") for fact in self.facts[:1]),
            notes=notes,
        )

    def _publish(self, ctx: DeliveryContext, process: Any, feed: FeedView, latest: Path) -> tuple[str, ...]:
        if self.server is None:
            return ()
        return self.server.publish(
            ctx, process, feed, {fact: latest / f"{fact}.tdsx" for fact in self.facts}
        )

    def _write(self, process: Any, feed: FeedView, fresh: Path) -> None:
        story = tell(feed)
        for fact in self.facts:
            extract = fresh / f"{fact}.hyper"
            hyper.write(process, fact, feed, extract)
            extract.chmod(0o600)
            one = data_source(
                fact, feed.lang, table_caption(fact, feed.lang), story.as_of, history=self.history
            )
            pack(
                fresh / f"{fact}.tdsx",
                {f"{fact}.tds": written(one.element(alone=True))},
                {one.extract: extract},
            )

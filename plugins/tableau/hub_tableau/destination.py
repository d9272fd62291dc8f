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
    Story,
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
from hub_tableau.server import Server, Thing
from hub_tableau.source import written
from hub_tableau.star import data_source
from hub_tableau.workbook import WORKBOOK, committee_name, rows_in, write_workbook

LATEST = "latest"
FACTS = (
    "fact_worklog",
    "fact_task_snapshot",
    "fact_kpi",
    "fact_budget",
    "fact_allocation_week",
    "fact_capacity_week",
    "fact_project_snapshot",
    "fact_evm_month",
    "fact_register",
    "fact_sla",
    "fact_quality",
    "fact_move",
    "fact_weather",
)


class TableauDestination(Destination, frozen=True, kw_only=True):
    """The feed in ``<path>/latest/``: each fact with the dimensions it points to, and the workbook.

    *facts* are those to write: ``<fact>.hyper`` has the rows, ``<fact>.tdsx`` the same as a data source,
    with captions, relationships and calculated fields; it shows the latest cut, with *history* all of them.
    ``committee.twbx`` is the committee's workbook. With *server* data sources and workbook are published
    there.
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
            story = tell(feed)
            with hyper.engine() as process:
                self._write(process, feed, story, fresh)
                ctx.give(fresh)
                replace_folder(latest, fresh)
                notes = self._publish(ctx, process, feed, story, latest)
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
            open_next=(str(latest / WORKBOOK),),
            notes=notes,
        )

    def _write(self, process: Any, feed: FeedView, story: Story, fresh: Path) -> None:
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
        write_workbook(process, story, fresh / WORKBOOK)

    def _publish(
        self, ctx: DeliveryContext, process: Any, feed: FeedView, story: Story, latest: Path
    ) -> tuple[str, ...]:
        if self.server is None:
            return ()
        things = [
            Thing(
                name=self.server.name_of(table_caption(fact, feed.lang)),
                path=latest / f"{fact}.tdsx",
                rows={
                    table_caption(one, feed.lang): feed.manifest["tables"][one]["rows"]
                    for one in hyper.tables_of(fact)[1]
                },
            )
            for fact in self.facts
        ]
        things.append(
            Thing(
                name=self.server.name_of(committee_name(story)),
                path=latest / WORKBOOK,
                rows=rows_in(story),
                is_workbook=True,
            )
        )
        return self.server.publish(ctx, process, things)

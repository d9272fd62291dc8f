"""A Power BI project as a destination.

The feed as Parquet files, and beside them the model and the report that read them.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar

import msgspec

from hub import (
    Check,
    ConfigError,
    Count,
    Delivery,
    DeliveryContext,
    DeliveryError,
    Destination,
    Entra,
    FeedView,
    folder_check,
    mend_folder,
    model,
    replace_folder,
    tr,
    write_atomically,
)
from hub_powerbi import source_m
from hub_powerbi.content import Content, in_bytes
from hub_powerbi.look import look_of
from hub_powerbi.project import project_files
from hub_powerbi.service.delivery import Service
from hub_powerbi.service.workspace import POWERBI

DATA = "data"
RECORD = ".pm-hub.json"
BESIDE = "new"
"""Where the hub's own project goes once the first one is somebody's."""


class PowerBiDestination(Destination, frozen=True, kw_only=True):
    """The feed in ``<path>/data`` and a Power BI project ``<path>/<project>.pbip`` that reads it.

    *location* says where Power BI finds the files when that is not the folder on this machine: a share, an
    https address, a folder of SharePoint or OneLake to which they are copied. *incremental_months* refreshes
    timesheets by months, the last ones again each time; without it every refresh reads everything, which no
    correction of an old month can escape. *service* brings files, model and report into Microsoft's cloud,
    refreshes and reads back. *theme* is a theme of Power BI (JSON) laid over ours, *logo* a picture for the
    head of the pages.
    """

    kind: ClassVar[str] = "powerbi"

    path: str
    project: str = "Hub"
    location: str | None = None
    incremental_months: Count | None = None
    theme: str | None = None
    logo: str | None = None
    service: Service | None = None

    @property
    def addresses(self) -> bool:
        """Say that the role of the model compares who looks with the addresses of ``dim_access``."""
        return True

    def __post_init__(self) -> None:
        """Check what only a person can mend. Raises `ConfigError`."""
        if not self.project or any(letter in '<>:"/\\|?*.' or ord(letter) < 32 for letter in self.project):
            raise ConfigError(
                tr(
                    "The destination {name}: project {project!r} has to be a plain name, such as Hub.",
                    name=self.name,
                    project=self.project,
                )
            )
        if self.incremental_months is not None and not 1 <= self.incremental_months <= 120:
            raise ConfigError(
                tr(
                    "The destination {name}: incremental_months goes from 1 to 120, or leave it out.",
                    name=self.name,
                )
            )
        if self.location is not None:
            source_m.reader(source_m.sas_free(self.location))
        if self.service is not None:
            self.service.must_fit(self.name, self.location)

    @property
    def signs_in(self) -> tuple[Entra, str] | None:
        """Return the account, and Power BI."""
        return (self.service.account, POWERBI) if self.service else None

    def check(self, ctx: DeliveryContext) -> Iterable[Check]:
        """Look whether the folder can be written."""
        yield folder_check(ctx.resolve(self.path))
        yield Check(
            name="location",
            state="ok",
            detail=tr(
                "Power BI will look for the files in {location}",
                location=self._location(ctx.resolve(self.path)),
            ),
        )
        if self.theme or self.logo:
            look_of(self.name, self.theme and ctx.resolve(self.theme), self.logo and ctx.resolve(self.logo))
            yield Check(name="look", state="ok", detail=tr("the report has your theme or logo"))
        if self.service is not None:
            yield from self.service.check(
                ctx, self.name, self.project, self._location(ctx.resolve(self.path))
            )

    def deliver(self, ctx: DeliveryContext, feed: FeedView) -> Delivery:
        """Write the files beside, then let them take the place of the old ones.

        The project is written last, unless someone edited it.
        """
        root = ctx.resolve(self.path)
        fresh = root / f".{feed.feed_id}.new"
        files = project_files(
            name=self.project,
            lang=feed.lang,
            location=self._location(root),
            incremental_months=self.incremental_months,
            look=look_of(
                self.name, self.theme and ctx.resolve(self.theme), self.logo and ctx.resolve(self.logo)
            ),
        )
        try:
            root.mkdir(parents=True, exist_ok=True)
            mend_folder(root / DATA)
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir(mode=0o700)
            rows = {table: _write(feed, table, fresh) for table in feed.tables}
            (fresh / "manifest.json").write_text(
                json.dumps(feed.manifest, ensure_ascii=False, indent=1), encoding="utf-8"
            )
            ctx.give(fresh)
            replace_folder(root / DATA, fresh)
            notes = write_project(root, files)
        except OSError as exc:
            shutil.rmtree(fresh, ignore_errors=True)
            raise DeliveryError(
                tr(
                    "{root} could not be written ({reason}): it is read-only, the disk is full, or a "
                    "file in it is open in another program such as Power BI Desktop. Close it and "
                    "publish again; the files that were there are still there.",
                    root=root,
                    reason=exc.strerror,
                )
            ) from exc
        if self.service is not None:
            location = self._location(root)
            notes += tuple(
                self.service.bring(
                    ctx,
                    self.name,
                    root=root,
                    project=self.project,
                    files=files,
                    location=location,
                    feed=feed,
                    ours=not notes,
                )
            )
        return Delivery(
            where=str(root), rows=rows, open_next=(str(root / f"{self.project}.pbip"),), notes=notes
        )

    def _location(self, root: Path) -> str:
        return self.location.rstrip("/\\") if self.location else str((root / DATA).resolve())


def _write(feed: FeedView, table: str, folder: Path) -> int:
    """Write one table as one file, and return its rows.

    Instants are UTC without a zone, which Power BI reads alike everywhere.
    """
    columns = model().tables[table].columns
    shown = ", ".join(
        f"{name} AT TIME ZONE 'UTC' AS {name}" if column.type == "TIMESTAMPTZ" else name
        for name, column in columns.items()
    )
    place = str(folder / f"{table}.parquet").replace("'", "''")
    feed.connection.execute(
        f"COPY (SELECT {shown} FROM {table}) TO '{place}' (FORMAT parquet, COMPRESSION snappy)"
    )
    ((count,),) = feed.connection.execute(f"SELECT count(*) FROM {table}").fetchall()
    return int(count)


def write_project(root: Path, files: Mapping[str, Content]) -> tuple[str, ...]:
    """Write the project's *files* below *root*, and return what to tell the person.

    Where somebody edited them since, theirs stay, and the new ones go beside into `BESIDE`: pages can be
    copied from there.

    What was written is kept by hash in `RECORD`, old and new together while writing, so that an interruption
    is no edit.
    """
    record = root / RECORD
    try:
        before: dict[str, list[str]] = msgspec.json.decode(record.read_bytes(), type=dict[str, list[str]])
    except (OSError, msgspec.DecodeError):
        before = {}
    wanted = {path: hashlib.sha256(in_bytes(one)).hexdigest() for path, one in files.items()}
    edited = [
        path
        for path in before.keys() | wanted.keys()
        if not _ours(root / path, [*before.get(path, []), wanted.get(path, "")])
    ]
    if edited:
        if all(wanted.get(path) in hashes for path, hashes in before.items()):
            return ()
        beside = root / BESIDE
        write_project(beside, files)
        return (
            tr(
                "{count} {count:file of the project was|files of the project were} edited, such as "
                "{edited}: it is left as it is, "
                "though the hub would write it otherwise now. The new one is in {beside}: open it "
                "and copy the pages you want into yours.",
                count=len(edited),
                edited=min(edited),
                beside=beside,
            ),
        )
    _keep(
        record,
        {
            path: sorted({*before.get(path, []), *([wanted[path]] if path in wanted else [])})
            for path in before.keys() | wanted.keys()
        },
    )
    for path in sorted(before.keys() - wanted.keys()):
        (root / path).unlink(missing_ok=True)
    for path, content in files.items():
        place = root / path
        if not place.exists() or hashlib.sha256(place.read_bytes()).hexdigest() != wanted[path]:
            with write_atomically(place) as file:
                file.write(in_bytes(content))
    _keep(record, {path: [one] for path, one in wanted.items()})
    return ()


def _ours(path: Path, hashes: list[str]) -> bool:
    """Say whether *path* is not there, or as the hub wrote it."""
    return not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() in hashes


def _keep(record: Path, value: dict[str, list[str]]) -> None:
    with write_atomically(record) as file:
        file.write(msgspec.json.encode(value, order="sorted"))

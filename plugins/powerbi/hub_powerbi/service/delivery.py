"""From files on this machine to a report that shows them.

Bring the files, the model and the report, refresh, read back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from hub import Check, ConfigError, DeliveryContext, Entra, FeedView, tr, write_atomically
from hub_powerbi.content import Content, in_bytes
from hub_powerbi.service.onelake import RESOURCE as ONELAKE
from hub_powerbi.service.onelake import OneLakeFiles
from hub_powerbi.service.sharepoint import RESOURCE as GRAPH
from hub_powerbi.service.sharepoint import SharePoint
from hub_powerbi.service.web import Web
from hub_powerbi.service.workspace import FABRIC, POWERBI, Workspace, report_files

KEPT = ".pm-hub-service.json"


class Service(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the hub does in Microsoft's cloud.

    With *upload* it brings the files to the location, with *workspace* (an id) the model and the report,
    which it refreshes and reads back. *refresh* is ``enhanced`` (Premium, PPU, Fabric) or ``plain`` (eight a
    day). *read_as* is somebody who may see everything: a service principal cannot ask a model with roles.
    *powerbi_url*, *fabric_url* and *graph_url* are those of the public cloud.
    """

    account: Entra
    upload: bool = False
    workspace: str | None = None
    refresh: Literal["enhanced", "plain"] = "enhanced"
    read_as: str | None = None
    wait_minutes: float = 120.0
    powerbi_url: str = "https://api.powerbi.com"
    fabric_url: str = FABRIC
    graph_url: str = GRAPH

    def must_fit(self, name: str, location: str | None) -> None:
        """Refuse a location that the service cannot read, or that files cannot be brought to.

        Raises `ConfigError`.
        """
        readable = ("https://", "http://127.0.0.1:", *(() if self.upload else ("postgresql://",)))
        if (self.upload or self.workspace) and not (location or "").startswith(readable):
            raise ConfigError(
                tr(
                    "The destination {name}: service needs location, an https address in SharePoint or "
                    "OneLake that Power BI can read."
                    if self.upload
                    else "The destination {name}: service needs location, an https address in SharePoint or "
                    "OneLake that Power BI can read, or postgresql://server/database/schema.",
                    name=name,
                )
            )

    def check(self, ctx: DeliveryContext, name: str, project: str, location: str) -> list[Check]:
        """Sign in to each service that is used, and look at what is there."""
        found = []
        if self.upload:
            where = self._files(ctx, name, location)
            found.append(
                Check(
                    name="files",
                    state="ok",
                    detail=tr(
                        "{location} can be reached by {protocol}",
                        location=location,
                        protocol=type(where).__name__,
                    ),
                )
            )
        if self.workspace:
            there = self._workspace(ctx, name).find("semanticModels", project)
            detail = (
                tr("it has the model {project}", project=project)
                if there
                else tr("the model {project} will be made in it", project=project)
            )
            found.append(Check(name="workspace", state="ok", detail=detail))
        return found

    def bring(
        self,
        ctx: DeliveryContext,
        name: str,
        *,
        root: Path,
        project: str,
        files: Mapping[str, Content],
        location: str,
        feed: FeedView,
        ours: bool,
    ) -> list[str]:
        """Do it all, in this order, and return what to tell.

        What was done before an interruption is done again and ends alike.
        """
        notes = []
        if self.upload:
            place, data = self._files(ctx, name, location), root / "data"
            for file in sorted(data.glob("*.parquet")):
                place.put(file.name, file)
            place.put("manifest.json", data / "manifest.json")
            notes.append(tr("The files are in {location}.", location=location))
        if self.workspace:
            workspace = self._workspace(ctx, name)
            native = self._item(workspace, root, project, files, ours=ours)
            took = workspace.refresh(native, enhanced=self.refresh == "enhanced", now=ctx.now())
            rows = workspace.must_show(native, feed, read_as=self.read_as)
            notes.append(
                tr(
                    "Power BI shows {rows} {rows:row|rows}, as the feed has them; {took}.",
                    rows=rows,
                    took=took,
                )
            )
        return notes

    def _item(
        self, workspace: Workspace, root: Path, project: str, files: Mapping[str, Content], *, ours: bool
    ) -> str:
        """Bring model and report where they are new or others than we brought.

        A project that somebody edited is theirs to bring.
        """
        parts = {
            kind: {
                path.removeprefix(f"{project}.{kind}/"): content
                for path, content in files.items()
                if path.startswith(f"{project}.{kind}/")
            }
            for kind in ("SemanticModel", "Report")
        }
        told = {
            kind: {path: hashlib.sha256(in_bytes(one)).hexdigest() for path, one in held.items()}
            for kind, held in parts.items()
        }
        digest = hashlib.sha256(json.dumps([self.workspace, told], sort_keys=True).encode()).hexdigest()
        native = workspace.find("semanticModels", project)
        if native and (not ours or _kept(root) == digest) and workspace.find("reports", project):
            return native
        native = workspace.bring("semanticModels", project, parts["SemanticModel"])
        workspace.bring("reports", project, report_files(parts["Report"], native))
        with write_atomically(root / KEPT) as file:
            file.write(json.dumps({"brought": digest}).encode())
        return native

    def _files(self, ctx: DeliveryContext, name: str, location: str) -> SharePoint | OneLakeFiles:
        if (urlsplit(location).hostname or "").startswith("onelake."):
            return OneLakeFiles(Web(ctx, self.account, name, ONELAKE), location)
        return SharePoint(Web(ctx, self.account, name, GRAPH), self.graph_url, location)

    def _workspace(self, ctx: DeliveryContext, name: str) -> Workspace:
        fabric, powerbi = Web(ctx, self.account, name, FABRIC), Web(ctx, self.account, name, POWERBI)
        return Workspace(
            fabric,
            powerbi,
            self.workspace or "",
            fabric_url=self.fabric_url,
            powerbi_url=self.powerbi_url,
            wait_minutes=self.wait_minutes,
        )


def _kept(root: Path) -> str | None:
    try:
        found: str | None = json.loads((root / KEPT).read_text(encoding="utf-8")).get("brought")
        return found
    except (OSError, ValueError):
        return None

"""Data sources and the workbook on Tableau Server or Cloud, by tableauserverclient.

Published in place of the old ones, waited for, downloaded and counted.

Source: help.tableau.com/current/api/rest_api (publish and download of data sources and workbooks, query job).
Publishing overwrites, so that a publish that was cut and is repeated ends alike; files of 64 MB and more go
in pieces.
"""

from __future__ import annotations

import importlib
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from hub import (
    Check,
    ConfigError,
    DeliveryContext,
    DeliveryError,
    MissingExtra,
    Secret,
    mark,
    tr,
    trn,
)
from hub_tableau import hyper

HOW = 'pip install "pm-hub-tableau[server]"'
# help.tableau.com/current/api/rest_api/en-us/REST: rest_api_ref_authentication.htm and
# rest_api_concepts_errors.htm
_REASONS = {
    "401001": mark("the token's name or its secret is wrong, or the token has expired"),
    "401002": mark(
        "the sign-in has ended: the token was used elsewhere meanwhile; give the hub one of its own"
    ),
    "403004": mark(
        "the account may not do this in the project: give it the role Creator or Explorer "
        "(can publish) and the right to publish there"
    ),
    "403007": mark("the account may not publish to the project"),
    "403014": mark(
        "the account may not download the data source, so that it cannot be read back: give "
        "the right, or set read_back = false"
    ),
    "404000": mark("there is no such site"),
    "404005": mark("there is no such project"),
    "413000": mark("the file is larger than the server allows"),
}


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """What is published: a data source or a workbook, its file, and the rows of each table of its extract."""

    name: str
    path: Path
    rows: dict[str, int]
    is_workbook: bool = False


class Server(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A site of Tableau Server or Cloud; the account is that of a personal access token.

    *project* is the name of the project for data sources and workbook, *prefix* stands before their names.
    With *read_back* each is downloaded and its rows are counted.
    """

    url: str
    token_name: str
    token: Secret
    site: str = ""
    project: str = "default"
    prefix: str = "Hub"
    read_back: bool = True
    wait_minutes: float = 30.0
    ca_bundle: str | None = None

    def __post_init__(self) -> None:
        """Check what only a person can mend. Raises `ConfigError`."""
        if not self.url.startswith(("https://", "http://127.0.0.1:")):
            raise ConfigError(tr("server: url is the https address of Tableau Server or Cloud."))

    def name_of(self, caption: str) -> str:
        """Return the name there of what is called *caption*."""
        return f"{self.prefix} - {caption}".removeprefix(" - ")

    # ---------- asking ----------

    @contextmanager
    def signed_in(self, ctx: DeliveryContext) -> Iterator[Any]:
        """Sign in, and out again. Raises `DeliveryError` for a refusal, in a sentence."""
        try:
            tsc: Any = importlib.import_module("tableauserverclient")
            exceptions: Any = importlib.import_module("tableauserverclient.server.endpoint.exceptions")
        except ImportError as exc:
            raise MissingExtra(
                tr("Publishing to Tableau needs tableauserverclient: {how}.", how=HOW)
            ) from exc
        requests: Any = importlib.import_module("requests")
        server = tsc.Server(
            self.url,
            http_options={
                "verify": str(ctx.resolve(self.ca_bundle)) if self.ca_bundle else True,
                "timeout": 120,
            },
        )
        try:
            server.use_server_version()
            with server.auth.sign_in(
                tsc.PersonalAccessTokenAuth(self.token_name, self.token.reveal(), self.site)
            ):
                yield server
        except (exceptions.ServerResponseError, exceptions.FailedSignInError) as exc:
            reason = tr(_REASONS.get(str(exc.code), "")) or f"{exc.summary}: {exc.detail}"
            raise DeliveryError(
                tr("Tableau at {url} refused ({code}): {reason}.", url=self.url, code=exc.code, reason=reason)
            ) from None
        except exceptions.JobFailedException as exc:
            raise DeliveryError(
                tr(
                    "Tableau at {url} could not take what was published: {text}.",
                    url=self.url,
                    text="; ".join(map(str, exc.notes)) or tr("its job says no more"),
                )
            ) from None
        except TimeoutError as exc:
            raise DeliveryError(
                tr(
                    "Tableau at {url} has not taken what was published within {wait_minutes:g} minutes; "
                    "publish again later.",
                    url=self.url,
                    wait_minutes=self.wait_minutes,
                )
            ) from exc
        except (exceptions.TableauError, requests.exceptions.RequestException) as exc:
            raise DeliveryError(
                tr(
                    "Tableau at {url} does not answer as it should ({error_type}): publish again; what "
                    "was there is still there.",
                    url=self.url,
                    error_type=type(exc).__name__,
                )
            ) from None

    def _project(self, server: Any) -> Any:
        found = list(server.projects.filter(name=self.project))
        if len(found) != 1:
            raise DeliveryError(
                trn(
                    "The site has {n} project named {project}, as far as the account sees.",
                    "The site has {n} projects named {project}, as far as the account sees.",
                    len(found),
                    project=self.project,
                )
                if found
                else tr(
                    "The site has no project named {project}, as far as the account sees.",
                    project=self.project,
                )
            )
        return found[0]

    # ---------- doing ----------

    def check(self, ctx: DeliveryContext) -> list[Check]:
        """Sign in and look for the project."""
        with self.signed_in(ctx) as server:
            self._project(server)
            return [
                Check(
                    name="server",
                    state="ok",
                    detail=tr(
                        "signed in to {url}, version {version} of its API; the project {project} is there",
                        url=self.url,
                        version=server.version,
                        project=self.project,
                    ),
                )
            ]

    def publish(self, ctx: DeliveryContext, process: Any, things: list[Thing]) -> tuple[str, ...]:
        """Publish the data sources and the workbook, count their rows there, and return what to tell.

        The count waits until the file is taken.
        """
        with self.signed_in(ctx) as server:
            project = self._project(server)
            for one in things:
                job = self._send(server, one, project.id)
                server.jobs.wait_for_job(job, timeout=self.wait_minutes * 60)
                if self.read_back:
                    self._must_show(server, process, one, project.id)
        return (
            tr(
                "{count} data sources and the workbook are published in the project {project} and read back."
                if self.read_back
                else "{count} data sources and the workbook are published in the project {project} and not "
                "read back.",
                count=sum(1 for one in things if not one.is_workbook),
                project=self.project,
            ),
        )

    @staticmethod
    def _send(server: Any, one: Thing, project: str) -> Any:
        tsc: Any = importlib.import_module("tableauserverclient")
        mode = tsc.Server.PublishMode.Overwrite
        if one.is_workbook:
            item = tsc.WorkbookItem(project, name=one.name, show_tabs=True)
            return server.workbooks.publish(item, str(one.path), mode, as_job=True)
        item = tsc.DatasourceItem(project, name=one.name)
        return server.datasources.publish(item, str(one.path), mode, as_job=True)

    def _must_show(self, server: Any, process: Any, one: Thing, project: str) -> None:
        kept = server.workbooks if one.is_workbook else server.datasources
        found = [item for item in kept.filter(name=one.name) if item.project_id == project]
        if len(found) != 1:
            raise DeliveryError(
                tr(
                    "Tableau took {name} and shows {count} of that name in the project: nothing is said to "
                    "be published.",
                    name=one.name,
                    count=len(found),
                )
            )
        with tempfile.TemporaryDirectory(prefix="pm-hub-") as folder:
            place = Path(folder)
            loaded = Path(kept.download(found[0].id, filepath=str(place / "loaded"), include_extract=True))
            inside = place / "inside.hyper"
            self._unpack(loaded, inside, one.name)
            with hyper.opened(process, inside, new=False) as connection:
                for table, wanted in one.rows.items():
                    shown = connection.execute_scalar_query(f"SELECT COUNT(*) FROM {hyper.quoted(table)}")
                    if shown != wanted:
                        raise DeliveryError(
                            tr(
                                "Tableau shows {shown} rows of {table} in {name} where the feed has "
                                "{wanted}: nothing is said to be published.",
                                shown=shown,
                                table=table,
                                name=one.name,
                                wanted=wanted,
                            )
                        )

    @staticmethod
    def _unpack(loaded: Path, inside: Path, name: str) -> None:
        """Take the extract out of what was downloaded."""
        if not zipfile.is_zipfile(loaded):
            loaded.replace(inside)
            return
        with zipfile.ZipFile(loaded) as packed:
            members = [one for one in packed.namelist() if one.endswith(".hyper")]
            if len(members) != 1:
                raise DeliveryError(
                    tr(
                        "{name} came back from Tableau with {count} extracts: nothing is said to be "
                        "published.",
                        name=name,
                        count=len(members),
                    )
                )
            with packed.open(members[0]) as source, inside.open("wb") as target:
                shutil.copyfileobj(source, target)

"""Data sources on Tableau Server or Cloud, by tableauserverclient.

Published in place of the old ones, waited for, downloaded and counted.

Source: help.tableau.com/current/api/rest_api (publish data source, query job, download data source).
Publishing overwrites, so that a publish that was cut and is repeated ends alike; files of 64 MB and more go
in pieces.
"""

from __future__ import annotations

import importlib
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
    FeedView,
    MissingExtra,
    Secret,
    mark,
    table_caption,
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


class Server(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A site of Tableau Server or Cloud; the account is that of a personal access token.

    *project* is the name of the project for the data sources, *prefix* stands before their names. With
    *read_back* each is downloaded and its rows are counted.
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

    def name_of(self, fact: str, lang: str) -> str:
        """Return the name of the data source of a fact."""
        return f"{self.prefix} - {table_caption(fact, lang)}".removeprefix(" - ")

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
                    "Tableau at {url} could not take a data source: {text}.",
                    url=self.url,
                    text="; ".join(map(str, exc.notes)) or tr("its job says no more"),
                )
            ) from None
        except TimeoutError as exc:
            raise DeliveryError(
                tr(
                    "Tableau at {url} has not taken a data source within {wait_minutes:g} minutes; "
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

    def publish(
        self, ctx: DeliveryContext, process: Any, feed: FeedView, files: dict[str, Path]
    ) -> tuple[str, ...]:
        """Publish the file of each fact, count its rows there, and return what to tell.

        The count waits until the file is taken.
        """
        with self.signed_in(ctx) as server:
            tsc: Any = importlib.import_module("tableauserverclient")
            project = self._project(server)
            for fact, path in files.items():
                name = self.name_of(fact, feed.lang)
                job = server.datasources.publish(
                    tsc.DatasourceItem(project.id, name=name),
                    str(path),
                    tsc.Server.PublishMode.Overwrite,
                    as_job=True,
                )
                server.jobs.wait_for_job(job, timeout=self.wait_minutes * 60)
                if self.read_back:
                    self._must_show(server, process, feed, fact, name, project.id)
        return (
            tr(
                "{count} data sources are published in the project {project} and read back."
                if self.read_back
                else "{count} data sources are published in the project {project} and not read back.",
                count=len(files),
                project=self.project,
            ),
        )

    def _must_show(
        self, server: Any, process: Any, feed: FeedView, fact: str, name: str, project: str
    ) -> None:
        found = [one for one in server.datasources.filter(name=name) if one.project_id == project]
        if len(found) != 1:
            raise DeliveryError(
                tr(
                    "Tableau took {name} and shows {count} data sources of that name in the project: "
                    "nothing is said to be published.",
                    name=name,
                    count=len(found),
                )
            )
        with tempfile.TemporaryDirectory(prefix="pm-hub-") as folder:
            place = Path(folder)
            loaded = Path(
                server.datasources.download(found[0].id, filepath=str(place / "loaded"), include_extract=True)
            )
            inside = place / "inside.hyper"
            if zipfile.is_zipfile(loaded):
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
                    inside.write_bytes(packed.read(members[0]))
            else:
                loaded.replace(inside)
            with hyper.opened(process, inside, new=False) as connection:
                for table in hyper.tables_of(fact)[1]:
                    shown = connection.execute_scalar_query(
                        f"SELECT COUNT(*) FROM {hyper.quoted(table_caption(table, feed.lang))}"
                    )
                    wanted = feed.manifest["tables"][table]["rows"]
                    if shown != wanted:
                        raise DeliveryError(
                            tr(
                                "Tableau shows {shown} rows of {table} in {name} where the feed has "
                                "{wanted}: nothing is said to be published.",
                                shown=shown,
                                table=table,
                                name=name,
                                wanted=wanted,
                            )
                        )

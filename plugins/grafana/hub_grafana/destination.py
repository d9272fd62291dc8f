"""Provisioning files of Grafana as a destination: each is written whole, and only where it changed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from hub import (
    Check,
    ConfigError,
    Delivery,
    DeliveryContext,
    DeliveryError,
    Destination,
    FeedView,
    Lang,
    Port,
    folder_check,
    tr,
    write_atomically,
)

PROVISIONING = "provisioning"
DASHBOARDS = f"{PROVISIONING}/dashboards/pm-hub"


class GrafanaDestination(Destination, frozen=True, kw_only=True):
    """Dashboards and alert rules below ``<path>/provisioning``, on the tables of a `postgresql` destination.

    *host*, *port*, *database* and *schema* are that destination's, as Grafana reaches them; *user* is one of
    its readers, whose password Grafana takes from its own environment, the variable *password_env*. *ca* is
    the file of the authority that signed the server's certificate, and *location* the folder that *path* is,
    both as Grafana's machine sees them.
    """

    kind: ClassVar[str] = "grafana"

    path: str
    host: str
    database: str
    user: str = "grafana"
    port: Port = 5432
    schema: str = "feed"
    password_env: str = "PM_HUB_GRAFANA_PASSWORD"  # noqa: S105 - the name of a variable
    ca: str | None = None
    location: str | None = None

    def __post_init__(self) -> None:
        """Check what only a person can mend. Raises `ConfigError`."""
        if not self.host or any(letter in "/@," for letter in self.host):
            raise ConfigError(
                tr(
                    "The destination {name}: host is the name or address of one machine, as Grafana reaches "
                    "it, without a folder, an account or a password.",
                    name=self.name,
                )
            )
        if not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", self.password_env):
            raise ConfigError(
                tr(
                    "The destination {name}: password_env is the name of a variable of Grafana's "
                    "environment, such as PM_HUB_GRAFANA_PASSWORD, never the password itself.",
                    name=self.name,
                )
            )

    def check(self, ctx: DeliveryContext) -> Iterable[Check]:
        """Look whether the folder can be written; PostgreSQL is Grafana's to reach, not the hub's."""
        yield folder_check(ctx.resolve(self.path) / PROVISIONING)

    def deliver(self, ctx: DeliveryContext, feed: FeedView) -> Delivery:
        """Write what changed. Other people's files beside are left alone; the folder of dashboards is ours.

        Each file is whole by itself: an interrupted delivery leaves old ones beside new ones, and the next
        one goes on.
        """
        root = ctx.resolve(self.path)
        files = self._files(feed, root)
        try:
            changed = [name for name, content in files.items() if _write(root / name, content)]
            for left in sorted((root / DASHBOARDS).glob("*.json")):
                if f"{DASHBOARDS}/{left.name}" not in files:
                    left.unlink()
                    changed.append(left.name)
        except OSError as exc:
            raise DeliveryError(
                tr(
                    "{root} could not be written ({reason}): it is read-only, the disk is full, or a file "
                    "stands where a folder has to be. Mend it and publish again.",
                    root=root / PROVISIONING,
                    reason=exc.strerror,
                )
            ) from exc
        note = (
            tr("{count} {count:file|files} changed; Grafana reads data source and alert rules when "
                "it starts.",
               count=len(changed))
            if changed
            else tr("No file changed.")
        )  # fmt: skip
        return Delivery(
            where=str(root / PROVISIONING), rows={}, open_next=(str(root / DASHBOARDS),), notes=(note,)
        )

    def _files(self, feed: FeedView, root: Path) -> dict[str, bytes]:
        """Return the files by their names below *root*; they hold no row of the feed."""
        from hub_grafana.dashboards import dashboards  # the SDK is needed for nothing else
        from hub_grafana.provisioning import Address, alerting, datasource, provider

        lang: Lang = "fr" if feed.lang == "fr" else "en"
        seen_at = self.location.rstrip("/\\") if self.location else str(root)
        address = Address(
            host=self.host, port=self.port, database=self.database, user=self.user,
            password_env=self.password_env, ca=self.ca,
        )  # fmt: skip
        drawn = dashboards(lang=lang, schema=self.schema, currency=feed.manifest["currency"])
        return {
            f"{PROVISIONING}/datasources/pm-hub.yaml": datasource(address),
            **{f"{DASHBOARDS}/{name}": text.encode() for name, text in drawn.items()},
            f"{PROVISIONING}/dashboards/pm-hub.yaml": provider(f"{seen_at}/{DASHBOARDS}"),
            f"{PROVISIONING}/alerting/pm-hub.yaml": alerting(lang=lang, schema=self.schema),
        }


def _write(place: Path, content: bytes) -> bool:
    """Write *content* to *place* unless it is there, and say whether it was written."""
    if place.is_file() and place.read_bytes() == content:
        return False
    with write_atomically(place, mode=0o644) as file:  # Grafana runs under another account
        file.write(content)
    return True

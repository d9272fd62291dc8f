"""Files in SharePoint or OneDrive, by upload sessions of Microsoft Graph that go on where they broke off.

Source: learn.microsoft.com/graph/api/driveitem-createuploadsession. The address of a session is a credential:
it is asked without ours, and never shown.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from hub import DeliveryError, DeliveryGone, HubError, tr
from hub_powerbi.service.web import Web

RESOURCE = "https://graph.microsoft.com"
BLOCK = 32 * 320 * 1024
"""Bytes of one question: a multiple of 320 KiB, as Graph asks."""
TRIES = 3


class SharePoint:
    """A folder of a library, by the address that people see, as *web* asks Graph at *root* for it."""

    def __init__(self, web: Web, root: str, location: str) -> None:
        """Find the library. Raises `DeliveryError` where the address names none that the account sees."""
        self.web, self.root = web, f"{root.rstrip('/')}/v1.0"
        parts = urlsplit(location)
        path = unquote(parts.path).strip("/")
        pieces = path.split("/")
        site = "/".join(pieces[:2]) if pieces[0] in {"sites", "teams", "personal"} else ""
        found = web.json(
            "GET", f"{self.root}/sites/{parts.hostname}" + (f":/{quote(site)}" if site else ""), route="site"
        )
        drives = web.json(
            "GET",
            f"{self.root}/sites/{found['id']}/drives",
            params={"$select": "id,name,webUrl"},
            route="drives",
        )["value"]
        holders = [(unquote(urlsplit(drive["webUrl"]).path).strip("/"), drive["id"]) for drive in drives]
        inside = [(place, drive) for place, drive in holders if path == place or path.startswith(f"{place}/")]
        if not inside:
            raise DeliveryError(
                tr(
                    "{location} lies in no library of its site; there are {drives}.",
                    location=location,
                    drives=", ".join(drive["name"] for drive in drives) or tr("none that the account sees"),
                )
            )
        place, self.drive = max(inside)
        self.folder = path.removeprefix(place).strip("/")

    def put(self, name: str, file: Path) -> None:
        """Bring a file there, in place of the one of that name.

        Raises `DeliveryError` when it does not arrive whole.
        """
        size = file.stat().st_size
        for _ in range(TRIES):
            if (arrived := self._session(name, file, size)) is not None:
                if arrived.get("size") != size:
                    raise DeliveryError(
                        tr(
                            "{name} arrived in SharePoint with {arrived} bytes of {size}: publish again.",
                            name=name,
                            arrived=arrived.get("size"),
                            size=size,
                        )
                    )
                return
        raise DeliveryError(
            tr(
                "{name} did not arrive in SharePoint: its upload was given up {tries} times. Publish again.",
                name=name,
                tries=TRIES,
            )
        )

    def _session(self, name: str, file: Path, size: int) -> dict[str, Any] | None:
        """Upload by one session; None when Graph forgot it."""
        place = quote("/".join(piece for piece in (self.folder, name) if piece))
        body = {"item": {"@microsoft.graph.conflictBehavior": "replace"}}
        address = self.web.json(
            "POST",
            f"{self.root}/drives/{self.drive}/root:/{place}:/createUploadSession",
            json=body,
            route="createUploadSession",
        )["uploadUrl"]
        plain = self.web.ctx.another_session("upload")
        start = 0
        try:
            with file.open("rb") as content:
                while True:
                    content.seek(start)
                    block = content.read(BLOCK)
                    headers = {
                        "Content-Range": f"bytes {start}-{start + len(block) - 1}/{size}",
                        "Content-Length": str(len(block)),
                    }
                    response = plain.request(
                        "PUT", address, data=block, headers=headers, route="upload", also={404, 416}
                    )
                    if response.status_code == 404:
                        return None
                    if response.status_code == 416:  # it has come already: our connection broke after it
                        response = plain.request("GET", address, route="upload", also={404})
                        if response.status_code == 404:
                            return None
                    answer = response.json()
                    if "id" in answer:
                        found: dict[str, Any] = answer
                        return found
                    start = int(answer["nextExpectedRanges"][0].split("-")[0])
        except (DeliveryGone, ValueError, KeyError, IndexError):
            return None
        except HubError as exc:
            raise DeliveryError(
                tr(
                    "{name} did not arrive in SharePoint: {error_type} while it was uploaded. Publish again.",
                    name=name,
                    error_type=type(exc).__name__,
                )
            ) from None

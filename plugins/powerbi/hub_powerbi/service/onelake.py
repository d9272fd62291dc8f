"""Files in a folder or in OneLake, each put in its place in one step.

Source: learn.microsoft.com/rest/api/storageservices/datalakestoragegen2 (Path: Create, Update, Delete, List),
which OneLake speaks.
"""

from __future__ import annotations

import os
import shutil
from abc import ABC, abstractmethod
from pathlib import Path
from urllib.parse import quote, urlsplit

from hub import DeliveryError, DeliveryGone, tr, write_atomically
from hub_powerbi.service.web import Web

RESOURCE = "https://storage.azure.com"
CHUNK = 8 << 20
VERSION = {"x-ms-version": "2023-11-03"}


class Files(ABC):
    """A place for files below a root; paths have forward slashes."""

    @abstractmethod
    def names(self, folder: str) -> list[str]:
        """Return the names of the files in a folder; none where it is not there."""

    @abstractmethod
    def put(self, path: str, file: Path) -> None:
        """Put a file in its place, whole or not at all; what stood there is replaced."""

    @abstractmethod
    def remove(self, folder: str) -> None:
        """Remove a folder with all that is in it."""


class LocalFiles(Files):
    """A folder of this machine or a share."""

    def __init__(self, root: Path) -> None:
        """Start at *root*."""
        self.root = root

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in a folder."""
        place = self.root / folder
        return sorted(path.name for path in place.iterdir() if path.is_file()) if place.is_dir() else []

    def put(self, path: str, file: Path) -> None:
        """Write beside, then rename."""
        with write_atomically(self.root / path) as out, file.open("rb") as content:
            shutil.copyfileobj(content, out)

    def remove(self, folder: str) -> None:
        """Remove a folder."""
        place = self.root / folder
        if place.exists():
            aside = place.with_name(f".{place.name}.old")
            shutil.rmtree(aside, ignore_errors=True)
            os.replace(place, aside)
            shutil.rmtree(aside)


class OneLakeFiles(Files):
    """A folder of OneLake, as *web* asks for it.

    Its address is ``https://onelake.dfs.fabric.microsoft.com/<workspace>/<item>/Files/…``.
    """

    def __init__(self, web: Web, url: str) -> None:
        """Start at *url*."""
        parts = urlsplit(url.rstrip("/"))
        pieces = [piece for piece in parts.path.split("/") if piece]
        if len(pieces) < 2:
            raise DeliveryError(
                tr("{url} is no folder of OneLake: it names no workspace and no item.", url=url)
            )
        self.web, self.host, self.workspace, self.root = (
            web,
            f"{parts.scheme}://{parts.netloc}",
            pieces[0],
            "/".join(pieces[1:]),
        )

    def names(self, folder: str) -> list[str]:
        """List a folder, to its end."""
        found: list[str] = []
        more = ""
        while True:
            params = {
                "resource": "filesystem",
                "recursive": "false",
                "directory": f"{self.root}/{folder}".strip("/"),
            }
            params |= {"continuation": more} if more else {}
            try:
                answer, response = self.web.answer(
                    "GET", f"{self.host}/{self.workspace}", params=params, headers=VERSION, route="list"
                )
            except DeliveryGone:
                return []
            found += [
                one["name"].rpartition("/")[2]
                for one in answer["paths"]
                if one.get("isDirectory") not in {"true", True}
            ]
            more = response.headers.get("x-ms-continuation", "")
            if not more:
                return sorted(found)

    def put(self, path: str, file: Path) -> None:
        """Write under a name with an underscore, which readers of a landing zone pass over, then rename."""
        folder, _, name = path.rpartition("/")
        aside = f"{folder}/_{name}.new".lstrip("/")
        self.web.request(
            "PUT",
            self._address(aside),
            params={"resource": "file"},
            headers=VERSION | {"Content-Length": "0"},
            route="create",
        )
        place = 0
        with file.open("rb") as content:
            while block := content.read(CHUNK):
                self.web.request(
                    "PATCH",
                    self._address(aside),
                    params={"action": "append", "position": str(place)},
                    data=block,
                    headers=VERSION,
                    route="append",
                )
                place += len(block)
        self.web.request(
            "PATCH",
            self._address(aside),
            params={"action": "flush", "position": str(place), "close": "true"},
            headers=VERSION,
            route="flush",
        )
        source = quote(f"/{self.workspace}/{self.root}/{aside}")
        self.web.request(
            "PUT",
            self._address(path),
            headers=VERSION | {"x-ms-rename-source": source, "Content-Length": "0"},
            route="rename",
        )

    def remove(self, folder: str) -> None:
        """Remove a folder."""
        try:
            self.web.request(
                "DELETE", self._address(folder), params={"recursive": "true"}, headers=VERSION, route="delete"
            )
        except DeliveryGone:
            return

    def _address(self, path: str) -> str:
        return f"{self.host}/{quote(f'{self.workspace}/{self.root}/{path}')}"

"""A real Redmine as another client of it sees it, and as its own database does."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import requests

URL, KEY = os.environ.get("REDMINE_URL", ""), os.environ.get("REDMINE_API_KEY", "")
DATABASE = os.environ.get("REDMINE_DB", "")
"""Its SQLite file, where it is on this machine."""


class Server:
    """Another client of the same server: an administrator, who may act for others."""

    def __init__(self) -> None:
        """Sign in with each call."""
        self.session = requests.Session()
        self.session.headers["X-Redmine-API-Key"] = KEY
        self.refused = 0
        """How many calls it did not take."""

    def call(self, method: str, path: str, body: Any = None, *, user: str | None = None) -> Any:
        """Call the API and return what it says; None where it refuses, which is counted."""
        headers = {"X-Redmine-Switch-User": user} if user else {}
        answer = self.session.request(method, f"{URL}{path}", json=body, headers=headers, timeout=60)
        if answer.status_code >= 400:
            self.refused += 1
            return None
        return answer.json() if answer.content.strip() else {}

    def all(self, name: str, query: str = "") -> list[dict[str, Any]]:
        """Return all rows of a list, page by page."""
        rows: dict[int, dict[str, Any]] = {}
        total = 1
        while len(rows) < total:
            answer = self.call("GET", f"/{name}.json?limit=100&offset={len(rows)}&{query}")
            total = answer["total_count"]
            rows |= {row["id"]: row for row in answer[name]}
        return list(rows.values())

    def issues(self) -> list[dict[str, Any]]:
        """Return all issues, with their relations."""
        return self.all("issues", "status_id=*&sort=id:asc&include=relations")

    def entries(self) -> list[dict[str, Any]]:
        """Return all time entries."""
        return self.all("time_entries", "sort=created_on:asc")

    def make(self, name: str, body: dict[str, Any], *, path: str = "") -> int:
        """Make a row, such as an ``issue``, and return its id."""
        made: int = self.call("POST", f"{path or f'/{name}s'}.json", {name: body})[name]["id"]
        return made

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        """Ask its database."""
        connection = sqlite3.connect(Path(DATABASE).as_uri() + "?mode=ro", uri=True, timeout=20)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def rule(self, statement: str) -> None:
        """Change in its database what only its pages, and not its API, can change; it reads it anew."""
        connection = sqlite3.connect(DATABASE, timeout=20)
        try:
            with connection:
                connection.execute(statement)
        finally:
            connection.close()

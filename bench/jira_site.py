"""A site of Jira in a process of its own for `jira_sync.py`.

3 worklogs and 5 changes an issue, answers kept as bytes once they were made.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import ssl
import threading
import time
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

from hub_jira.testing import Caps, JiraWorld
from hub_jira.testing.world import FLAGGED, POINTS, SLA, SPRINT, START
from hub_jira.wire import SYSTEM_FIELDS

from hub.testing.kit import Request

EVERY = (*SYSTEM_FIELDS, "worklog", SPRINT, POINTS, FLAGGED, START, SLA)


class LargeSite(JiraWorld):
    """As many issues as asked; titles of everyday length."""

    def __init__(self, issues: int) -> None:
        """Fill it."""
        type(self).count, type(self).logged = issues, 3 * issues
        super().__init__(1, caps=Caps())
        rng = random.Random(1)
        for item in self.items.values():
            item.title = f"Issue {item.native}: {'adjust the interface ' * rng.randint(1, 4)}"
        natives = [str(native) for native in self.items]
        for _ in range(5 * issues):
            self.edit(rng.choice(natives))

    def issue(self, item: Any, names: list[str], expand: str) -> dict[str, Any]:
        """Show all fields when asked for all, without comments and transitions."""
        if "*all" not in names:
            return super().issue(item, names, expand)
        shown = super().issue(item, list(EVERY), expand)
        shown["fields"]["comment"] = {"comments": [], "total": 0}
        return shown | ({"transitions": []} if "transitions" in expand else {})

    def _found(self, jql: str, *, bounded: bool) -> list[Any]:
        """Understand a date of the asking account, as tap-jira writes it."""
        if match := re.match(r"updated >= '(.+?)' order by updated asc", jql):
            since = datetime.strptime(match.group(1), "%Y-%m-%d %H:%M").replace(
                tzinfo=ZoneInfo("America/New_York")
            )
            jql = f"updated >= {round(since.timestamp() * 1000)} ORDER BY updated ASC"
        return super()._found(jql, bounded=bounded)


class Handler(BaseHTTPRequestHandler):
    """Answers from memory what was answered before."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    disable_nagle_algorithm = True
    world: LargeSite
    latency_s = 0.0
    kept: dict[Any, tuple[int, bytes]] = {}  # noqa: RUF012
    asked = [0]  # noqa: RUF012
    lock = threading.Lock()

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        key = (self.command, self.path, body)
        if parts.path == "/bench":
            settings = dict(parse_qsl(parts.query))
            Handler.latency_s = float(settings.get("latency", Handler.latency_s))
            answer = (200, json.dumps({"asked": Handler.asked[0]}).encode())
            Handler.asked[0] = 0
        else:
            if Handler.latency_s:
                time.sleep(Handler.latency_s)
            with self.lock:
                Handler.asked[0] += 1
                if key not in self.kept:
                    headers = {name.lower(): value for name, value in self.headers.items()}
                    made = self.world.answer(
                        Request(
                            method=self.command,
                            path=parts.path,
                            query=_query(parts.query),
                            headers=headers,
                            body=body,
                        )
                    )
                    self.kept[key] = (made.status, json.dumps(made.body).encode())
                answer = self.kept[key]
        self.send_response(answer[0])
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer[1])))
        self.end_headers()
        self.wfile.write(answer[1])

    do_GET = do_POST = _serve  # noqa: N815 - the names the base class looks for

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


def _query(text: str) -> dict[str, str]:
    """Join what is asked several times, as the `jira` package asks for fields."""
    found: dict[str, str] = {}
    for name, value in (one for one in parse_qsl(text) if one[0] != "validateQuery"):
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("issues", type=int)
    parser.add_argument("--certificate", help="speak TLS with the certificate and key in this file")
    arguments = parser.parse_args()
    Handler.world = LargeSite(arguments.issues)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if arguments.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(arguments.certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()

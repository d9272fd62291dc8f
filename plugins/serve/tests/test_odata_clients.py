"""The service over HTTP: one who hangs up, and independent clients, which `make check-odata` brings."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from odata_site import Site, feed_folder

from hub import model

CLIENTS = os.environ.get("PM_HUB_ODATA_CLIENTS", "")
PYTHON = os.environ.get("PM_HUB_ODATA_PYTHON", "")
READS = """
import json, sys
import requests
from odata import ODataService

root, token = sys.argv[1:]
session = requests.Session()
session.auth = ("any", token)
service = ODataService(root, reflect_entities=True, session=session)
project, budget, task = (service.entities[name] for name in ("dim_project", "fact_budget", "dim_task"))
query = service.query
print(json.dumps({
    "sets": len(service.entities),
    "found": [one.name for one in query(project).filter(project.code == "B").all()],
    "ordered": [one.code for one in query(project).order_by(project.code.desc()).limit(2).all()],
    "spent": [str(one.consumed_amount) for one in query(budget).filter(budget.consumed_amount > 60).all()],
    "titles": [one.key for one in query(task).filter(task.title.contains("Brien")).all()],
}))
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(feed_folder(), tmp_path)


@pytest.fixture
def served(site: Site) -> Iterator[tuple[str, str]]:
    """Serve the portfolio on a port of this machine; gives the root and a token."""
    token = site.client().token
    server = uvicorn.Server(uvicorn.Config(site.app, port=0, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/odata/v4/", token
    server.should_exit = True
    thread.join()


def test_one_who_hangs_up_leaves_nothing_open(site: Site, served: tuple[str, str]) -> None:
    """The feed of an answer that nobody reads to its end is let go."""
    root, token = served
    port = int(root.rpartition(":")[2].partition("/")[0])
    sign = b64encode(f"any:{token}".encode()).decode()
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(
                f"GET /odata/v4/fact_kpi?$expand=* HTTP/1.1\r\nHost: localhost\r\n"
                f"Authorization: Basic {sign}\r\n\r\n".encode()
            )
            first = line.recv(20)
    until = time.monotonic() + 20
    while any(room.readers for room in site.feeds._rooms.values()) and time.monotonic() < until:
        time.sleep(0.05)

    assert first.startswith(b"HTTP/1.1 200")
    assert [0] == [room.readers for room in site.feeds._rooms.values()]


@pytest.mark.skipif(not CLIENTS, reason="clients from npm: make check-odata")
def test_clients_of_javascript(served: tuple[str, str]) -> None:
    """odata-csdl reads the same model of XML and JSON; the others get on; Excel's query is M."""
    done = subprocess.run(
        ["node", f"{CLIENTS}/clients.js", *served], check=True, capture_output=True, text=True
    )
    told = json.loads(done.stdout)

    assert ([], [], True) == (told["messages"], told["differences"], told["formula"])
    assert told["paths"] > len(model().tables)
    assert ([{"name": "Project A"}], [{"code": "B"}], 3) == (told["found"], told["last"], told["count"])


@pytest.mark.skipif(not PYTHON, reason="python-odata in an environment of its own: make check-odata")
def test_python_odata(served: tuple[str, str]) -> None:
    """python-odata makes its classes of `$metadata`, filters, orders and reads decimals."""
    done = subprocess.run([PYTHON, "-c", READS, *served], check=True, capture_output=True, text=True)

    assert {
        "sets": len(model().tables), "found": ["Projet Été"], "ordered": ["B", "A"],
        "spent": ["100.25", "100.25"], "titles": ["b2"],
    } == json.loads(done.stdout.splitlines()[-1])  # fmt: skip

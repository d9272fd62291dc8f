"""A PostgreSQL server that lives for one process, for tests and the certification.

And a wire to it that can break at any message.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import itertools
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

USER = "hub"
TRIES = 3
_NUMBERS = itertools.count(1)


class Scratch:
    """A server in a folder of its own, with the superuser `USER` and a password.

    It listens on a free port of the loopback address.
    """

    def __init__(self, programs: Path, *, certificate: tuple[bytes, bytes] | None = None) -> None:
        """Make it by the programs in a folder, ``initdb`` and ``postgres``, and start it.

        Raises RuntimeError.

        With *certificate* (PEM: certificate, key) it listens on every address and lets others in only
        encrypted.
        """
        self.folder = Path(tempfile.mkdtemp(prefix="pm-hub-postgres-"))
        self.password = secrets.token_urlsafe(12)
        secret = self.folder / "password"
        secret.write_text(self.password)
        secret.chmod(0o600)
        # PostgreSQL refuses to run as root: its packages bring an account for it
        self.account: dict[str, Any] = (
            {"user": "postgres"} if os.name == "posix" and os.geteuid() == 0 else {}
        )
        if self.account:
            for path in (self.folder, secret):
                shutil.chown(path, "postgres")
        self.data = self.folder / "data"
        self._run(
            programs / "initdb",
            "-D",
            self.data,
            "-U",
            USER,
            "-A",
            "scram-sha-256",
            f"--pwfile={secret}",
            "-E",
            "UTF8",
            "--locale=C",
            "-N",
        )
        options = ["fsync=off", "unix_socket_directories=", "max_connections=50"]
        if certificate:
            for name, text in zip(("server.crt", "server.key"), certificate, strict=True):
                (self.data / name).write_bytes(text)
                (self.data / name).chmod(0o600)
                if self.account:
                    shutil.chown(self.data / name, "postgres")
            with (self.data / "pg_hba.conf").open("a") as rules:
                rules.write("hostssl all all all scram-sha-256\n")
            options += ["ssl=on", "listen_addresses=*"]
        else:
            options += ["listen_addresses=127.0.0.1"]
        self.log = (self.folder / "log").open("wb")
        stands = any(self._starts(programs / "postgres", options) for _ in range(TRIES))
        atexit.register(self.stop)
        if not stands:
            said = (self.folder / "log").read_text(errors="replace")[-500:]
            raise RuntimeError(f"PostgreSQL did not start: {said}")

    def _starts(self, program: Path, options: list[str]) -> bool:
        """Start on a free port, and say whether it stands.

        Another program may have taken the port meanwhile.
        """
        self.port = _free_port()
        words = (word for option in [*options, f"port={self.port}"] for word in ("-c", option))
        self.process = subprocess.Popen(
            [program, "-D", self.data, *words],
            stdout=self.log,
            stderr=self.log,
            cwd=self.folder,
            **self.account,
        )
        until = time.monotonic() + 60
        while self.process.poll() is None and time.monotonic() < until:
            with contextlib.suppress(psycopg.OperationalError):
                self.connect("postgres").close()
                return True
            time.sleep(0.05)
        return False

    def _run(self, *command: Any) -> None:
        done = subprocess.run(
            list(map(str, command)),
            check=False,
            capture_output=True,
            text=True,
            cwd=self.folder,
            **self.account,
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed: {done.stderr[-500:]}")

    def connect(
        self, database: str, *, user: str = USER, password: str | None = None
    ) -> psycopg.Connection[Any]:
        """Return a connection that commits each statement."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            dbname=database,
            user=user,
            password=password or self.password,
            autocommit=True,
        )

    def database(self) -> str:
        """Make an empty database and return its name."""
        name = f"pm{next(_NUMBERS)}"
        with self.connect("postgres") as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return name

    def stop(self) -> None:
        """Stop it and remove its folder."""
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def programs() -> Path | None:
    """Return the folder of the server's programs, or None where PostgreSQL is not installed."""
    found = [Path(one).resolve().parent for name in ("initdb", "postgres") if (one := shutil.which(name))]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((one for one in found if (one / "initdb").exists() and (one / "postgres").exists()), None)


@functools.cache
def scratch() -> Scratch:
    """Return the server of this process, started when first asked for.

    Raises RuntimeError where PostgreSQL is not installed.
    """
    place = programs()
    if place is None:
        raise RuntimeError(
            "this needs PostgreSQL's server: install it (Debian: "
            "postgresql), its programs initdb and postgres are used."
        )
    return Scratch(place)


_IMAGE = "pm_hub_image"


def empty_store() -> Any:
    """Return the engine of an empty store in a database of its own: migrated once, then copied."""
    from hub.testing import store_on

    server = scratch()

    def at(database: str) -> Any:
        return store_on(f"postgresql://{USER}@127.0.0.1:{server.port}/{database}", server.folder / "password")

    with server.connect("postgres") as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_IMAGE]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_IMAGE)))
            at(_IMAGE)
        name = f"pm{next(_NUMBERS)}"
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(_IMAGE))
        )
    return at(name)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


class Pool:
    """A port before a server that hands its connections out as PgBouncer does, by transaction or session.

    Sources: pgbouncer.org/features.html, postgresql.org/docs/current/protocol-message-formats.html. Clients
    speak by simple queries and are let in as they come; what they set is given to whoever comes next.
    """

    def __init__(self, server: Scratch, database: str, *, by: str) -> None:
        """Stand before *server*; *by* is ``transaction`` or ``session``."""
        self.target, self.database, self.by = server, database, by
        self.idle: list[socket.socket] = []
        self.opened: list[psycopg.Connection[Any]] = []
        self.clients = itertools.count(700_000)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Let nobody in any more."""
        _end(self.server, *self.idle)
        for one in self.opened:
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.server.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _take(self) -> socket.socket:
        if self.idle:
            return self.idle.pop()  # the one that was used last
        raw = psycopg.connect(
            host="127.0.0.1", port=self.target.port, dbname=self.database, user=USER,
            password=self.target.password, sslmode="disable",
        )  # fmt: skip
        self.opened.append(raw)  # which would end it
        return _prompt(socket.socket(fileno=os.dup(raw.fileno())))

    def _serve(self, client: socket.socket) -> None:
        held: socket.socket | None = None
        with contextlib.suppress(OSError, EOFError), _prompt(client):
            while int.from_bytes(_exactly(client, 4), "big") == 8:  # whether it may be encrypted
                _exactly(client, 4)
                client.sendall(b"N")
            client.recv(1 << 16)
            key = next(self.clients).to_bytes(4, "big") + b"\0\0\0\1"
            told = {"server_version": "15.0", "client_encoding": "UTF8", "standard_conforming_strings": "on"}
            client.sendall(_message(b"R", b"\0\0\0\0"))
            for name, value in told.items():
                client.sendall(_message(b"S", f"{name}\0{value}\0".encode()))
            client.sendall(_message(b"K", key) + _message(b"Z", b"I"))
            while (said := _read(client))[0] != b"X":
                end = held = held or self._take()
                end.sendall(_message(*said))
                answer = (b"", b"") if said[0] in b"QSc" else (b"Z", b"")
                while answer[0] not in {b"Z", b"G"}:
                    answer = _read(end)
                    client.sendall(_message(*answer))
                if answer[1] == b"I" and self.by == "transaction":
                    self.idle.append(end)
                    held = None
        if held is not None:
            _end(held)


def _prompt(end: socket.socket) -> socket.socket:
    """Let *end* wait for what it reads, and for nothing that it sends."""
    end.setblocking(True)
    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return end


def _message(letter: bytes, body: bytes) -> bytes:
    return letter + (len(body) + 4).to_bytes(4, "big") + body


def _exactly(end: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        part = end.recv(count - len(found))
        if not part:
            raise EOFError
        found += part
    return found


def _read(end: socket.socket) -> tuple[bytes, bytes]:
    letter = _exactly(end, 1)
    return letter, _exactly(end, int.from_bytes(_exactly(end, 4), "big") - 4)


class Wire:
    """A port before a server that counts what clients say, message by message.

    It breaks the connection before the number *cut* (0: never).

    Source: postgresql.org/docs/current/protocol-message-formats.html. With *closed* nobody is let through.
    """

    def __init__(self, port: int) -> None:
        """Stand before *port*."""
        self.target = port
        self.cut, self.closed, self.seen = 0, False, [0]
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def begin(self, cut: int) -> list[int]:
        """Count anew, and return a list that grows with each message."""
        self.cut, self.seen = cut, []
        return self.seen

    def close(self) -> None:
        """Let nobody in any more."""
        self.server.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            if self.closed:
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self._back, args=(server, client), daemon=True).start()
            threading.Thread(target=self._forth, args=(client, server), daemon=True).start()

    def _back(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while block := server.recv(1 << 16):
                client.sendall(block)
        _end(server, client)

    def _forth(self, client: socket.socket, server: socket.socket) -> None:
        """Pass on whole messages.

        A length of four bytes that counts itself, after the first one behind a letter.
        """
        with contextlib.suppress(OSError), client.makefile("rb") as said:
            letter = b""
            while len(head := said.read(len(letter) + 4)) == len(letter) + 4:
                body = said.read(int.from_bytes(head[-4:], "big") - 4)
                self.seen.append(len(self.seen) + 1)
                if self.cut and len(self.seen) >= self.cut:
                    break
                server.sendall(head + body)
                if (
                    not letter and body[:2] == b"\x00\x03"
                ):  # the start; what comes before it asks for encryption and has no letter either
                    letter = b"?"
        _end(server, client)


def _end(*sockets: socket.socket) -> None:
    for one in sockets:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
            one.close()

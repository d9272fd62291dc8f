"""One run writes at a time: a lock the operating system itself releases when its owner dies."""

from __future__ import annotations

import getpass
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from filelock import FileLock, Timeout

from hub.errors import LockHeld, StoreFull
from hub.store.engines import StoreAt, engine_of
from hub.store.store import utc_now
from hub.words import tr


@contextmanager
def lock(store: StoreAt | None) -> Iterator[None]:
    """Hold the lock of *store*: beside a file, else its server's; a killed owner leaves nothing to clean up.

    Raises `LockHeld` naming the owner.

    The lock is the kernel's (flock, or LockFileEx on Windows), so a stale one cannot exist on this machine;
    the owner's host and process are kept in a file of their own, for the sentence only.
    """
    engine = engine_of(store) if store is not None else None
    if engine is None or engine.path is None:
        with engine.lock() if engine is not None else nullcontext():
            yield
        return
    store = engine.path
    owner = store.with_name(store.name + ".owner")
    file_lock = FileLock(str(store.with_name(store.name + ".lock")), timeout=0, mode=0o600)
    try:
        file_lock.acquire()
    except Timeout as exc:
        raise LockHeld(
            tr(
                "Another run is writing to {store}: {who}. Wait for it to end, or stop it.",
                store=store,
                who=_who(owner),
            )
        ) from exc
    except OSError as exc:
        raise StoreFull(
            tr(
                "The folder {parent} cannot be written ({reason}). Give this account the right to "
                "write there, or choose another place with `store = …`.",
                parent=store.parent,
                reason=exc.strerror,
            )
        ) from exc
    try:
        owner.write_text(
            json.dumps(
                {"host": socket.gethostname(), "pid": os.getpid(), "user": account(), "since": utc_now()}
            ),
            encoding="utf-8",
        )
        yield
    finally:
        owner.unlink(missing_ok=True)
        file_lock.release()


def account() -> str:
    """Return who runs this program; its number where the machine has no name for it, as in a container."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "?"


def _who(owner: Path) -> str:
    try:
        said = json.loads(owner.read_text(encoding="utf-8"))
        return tr(
            "process {pid} of {user} on {host}, since {since}Z",
            pid=said["pid"],
            user=said["user"],
            host=said["host"],
            since=said["since"][:19],
        )
    except (OSError, ValueError, KeyError):
        return tr("its owner did not leave a name")

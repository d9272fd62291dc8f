"""Being stopped: what asks a program to end is heard like Ctrl-C, and passed on to the run it started."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import AbstractContextManager
from typing import Any

from hub.signals import ENDS, heard

PATIENCE_S = 60.0
"""A run that is asked to stop writes the batch it holds; only then is it killed."""


def stopped_by_signals() -> AbstractContextManager[None]:
    """Let what a service manager sends to end a program end the block as Ctrl-C does."""

    def stop() -> None:
        raise KeyboardInterrupt

    return heard(ENDS, stop, once=False)


class Child:
    """A run in a process of its own, that ends when its parent is asked to."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, command: list[str]) -> int:
        """Run *command* to its end and return its exit code."""
        group: dict[str, Any] = {}
        if sys.platform == "win32":
            group["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP
        self._process = subprocess.Popen(command, **group)
        return self._process.wait()

    def stop(self) -> None:
        """Ask the run to stop, wait until it has, and kill it when patience ends."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        if sys.platform == "win32":
            process.send_signal(signal.CTRL_BREAK_EVENT)
        else:
            process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

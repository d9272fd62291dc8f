"""What happens inside, written down: on the screen when it is asked for, in a file that never grows for ever.

No line holds a secret that this program has revealed.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from hub.errors import ConfigError
from hub.secrets import redacted
from hub.words import tr

_OURS: dict[str, logging.Handler] = {}


class _Plain(logging.Formatter):
    """One event a line: instant in UTC, level, who, what; the lines of a traceback follow it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = datetime.fromtimestamp(record.created, UTC)
        said = record.getMessage().replace("\n", " | ")  # one event, one line: what tools say must forge none
        text = f"{at:%Y-%m-%dT%H:%M:%SZ} {record.levelname} {record.name} {said}"
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return redacted(text)


class _Json(logging.Formatter):
    """One event a line, as a JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "at": f"{datetime.fromtimestamp(record.created, UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redacted(record.getMessage()),
            "pid": record.process,
        }
        if record.exc_info:
            line["error"] = redacted(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


class _Private(RotatingFileHandler):
    """A file that only this account reads; what cannot be written is lost, not the work that it tells of."""

    def _open(self) -> TextIOWrapper:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        return os.fdopen(os.open(self.baseFilename, flags, 0o600), "a", encoding="utf-8")

    def doRollover(self) -> None:  # noqa: N802 - the library's name
        """Put the file aside; one that another process holds open goes on growing until the next time."""
        try:
            super().doRollover()
        except OSError:
            if self.stream is None:
                self.stream = self._open()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """Lose the line."""


def to_screen(*, verbose: bool) -> None:
    """Write errors to the screen, and with *verbose* what happens too, each line with its time."""
    _begin("screen", logging.StreamHandler(sys.stderr), logging.INFO if verbose else logging.ERROR)
    _OURS["screen"].setFormatter(_Plain())
    _end("file")


def to_file(path: Path, *, as_json: bool, max_mb: float, keep: int) -> None:
    """Write what happens to the file at *path* too. Raises `ConfigError` where it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = _Private(path, maxBytes=int(max_mb * 1e6), backupCount=keep, encoding="utf-8")
    except OSError as exc:
        raise ConfigError(
            tr("[log] file = {path} cannot be written: {reason}.", path=path, reason=exc.strerror)
        ) from exc
    handler.setFormatter(_Json() if as_json else _Plain())
    _begin("file", handler, logging.INFO)


def _begin(name: str, handler: logging.Handler, level: int) -> None:
    _end(name)
    handler.setLevel(level)
    _OURS[name] = handler
    root = logging.getLogger()
    root.addHandler(handler)
    hub = logging.getLogger("hub")
    hub.setLevel(min(one.level for one in _OURS.values()))


def _end(name: str) -> None:
    if old := _OURS.pop(name, None):
        logging.getLogger().removeHandler(old)
        old.close()

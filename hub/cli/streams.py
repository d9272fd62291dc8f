"""The outputs of a command: what cannot be said there costs words, never the work that is told of."""

from __future__ import annotations

import codecs
import io
import select
import sys
from typing import Any

_said_on: dict[str, _Lossy] = {}


def lose_words_only() -> None:
    """Let the outputs of this program lose what they cannot say: a letter, or all of it.

    A letter that an old code page or the C locale does not have is said by its number, as JSON does. What a
    closed pipe, a full disk or a lost terminal does not take is left out, and the command goes on.
    """
    codecs.register_error("hub", _by_number)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        buffer = getattr(stream, "buffer", None)
        if buffer is None:
            continue  # no output at all, or one that Python did not open
        raw = _said_on[name] = _Lossy(getattr(buffer, "raw", buffer))
        again = io.TextIOWrapper(
            io.BufferedWriter(raw),
            encoding=stream.encoding,
            errors="hub",
            line_buffering=stream.line_buffering,
            write_through=stream.write_through,
        )
        setattr(sys, name, again)


def lost() -> OSError | None:
    """Return why some of the standard output was not written; None where all was, or nobody reads it."""
    raw = _said_on.get("stdout")
    if raw is None:
        return None
    sys.stdout.flush()
    return raw.lost


class _Lossy(io.RawIOBase):
    """A file that takes everything; what the real one refuses is lost."""

    def __init__(self, raw: Any) -> None:
        """Write to *raw*."""
        self.raw = raw
        self.lost: OSError | None = None
        self.mode, self.name = "wb", raw.name

    def write(self, data: Any, /) -> int:
        """Return how many bytes of *data* are dealt with."""
        try:
            while (taken := self.raw.write(data)) is None:  # a pipe that another program made non-blocking
                select.select([], [self.raw], [])
        except BrokenPipeError:
            return memoryview(data).nbytes  # `hub sync | head -1`: nobody wants more
        except OSError as exc:
            self.lost = exc
            return memoryview(data).nbytes
        return int(taken)

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def fileno(self) -> int:
        """Return the number of the real file."""
        return int(self.raw.fileno())

    def isatty(self) -> bool:
        """Say whether the real file is a terminal."""
        return bool(self.raw.isatty())


def _by_number(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)), error.end

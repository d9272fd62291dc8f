"""Which hub this is: the version of the package, and the commit that it was built from."""

from __future__ import annotations

import functools
import importlib.metadata
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
COMMIT = "commit.txt"  # written into wheels and sdists when they are built (setup.py)


@functools.cache
def version() -> str:
    """Return the version of the package, as pyproject.toml says it."""
    return importlib.metadata.version("pm-hub")


@functools.cache
def commit() -> str | None:
    """Return the short commit of a built package or of the clone that it runs from.

    It is None where there is none to be known.
    """
    try:
        return (HERE / COMMIT).read_text(encoding="ascii").strip() or None
    except OSError:
        pass
    if not (HERE.parent / ".git").exists():  # else the repository of whoever installed us would answer
        return None
    asked = ["git", "-C", str(HERE.parent), "rev-parse", "--short=7", "HEAD"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=5)
    except (OSError, subprocess.SubprocessError):
        return None
    return told.stdout.strip() or None if told.returncode == 0 else None


def release() -> str:
    """Return version and commit as people read them: ``0.2.0 (abc1234)``, or ``0.2.0`` alone."""
    built = commit()
    return f"{version()} ({built})" if built else version()

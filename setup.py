"""Write into what is built which commit it was built from; everything else stands in pyproject.toml."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

HERE = Path(__file__).resolve().parent


def _commit() -> str:
    """Return PM_HUB_COMMIT, else what the sources say of themselves: a file of an sdist, or their clone.

    It is empty without git.
    """
    if told := os.environ.get("PM_HUB_COMMIT"):
        return told
    spec = importlib.util.spec_from_file_location("version", HERE / "hub" / "version.py")
    assert spec is not None
    assert spec.loader is not None
    version = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(version)
    return version.commit() or ""


def _write(hub: Path) -> None:
    if commit := _commit():
        place = hub / "commit.txt"
        place.unlink(missing_ok=True)  # an sdist may hold a hard link to a file of the clone
        place.write_text(f"{commit}\n", encoding="ascii", newline="\n")


class BuildPy(build_py):
    """Build the package, with its commit."""

    def run(self) -> None:
        """Write the commit beside the modules; an editable clone is asked itself."""
        super().run()
        if not self.editable_mode:
            _write(Path(self.build_lib) / "hub")


class Sdist(sdist):
    """Build the sources, with their commit."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        """Write the commit into the copy of the sources."""
        super().make_release_tree(base_dir, files)
        _write(Path(base_dir) / "hub")


setup(cmdclass={"build_py": BuildPy, "sdist": Sdist})

"""Build wheels and sdists of the hub and every plugin into dist/, the same bytes for the same sources."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = shutil.ignore_patterns(
    ".*",
    "__pycache__",
    "*.egg-info",
    "build",
    "dist",
    "demo",
    "data",
    "tests",
    "bench",
    "site",
    "node_modules",
)
EPOCH = "1767225600"  # 2026-01-01, where no git tells the day of the last commit


def asked_of_git(*words: str) -> str:
    """Return what git says of the clone; empty without git or outside one."""
    if not (ROOT / ".git").exists():
        return ""
    try:
        told = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return told.stdout.strip() if told.returncode == 0 else ""


def copied(folder: Path, to: Path) -> Path:
    """Copy what a package is made of, without what earlier builds and runs left beside it."""
    if folder == ROOT:
        to.mkdir()
        for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
            shutil.copy2(folder / name, to)
        shutil.copytree(
            folder / "hub", to / "hub", ignore=shutil.ignore_patterns("__pycache__", "commit.txt")
        )
    else:
        shutil.copytree(folder, to, ignore=LEFT_OUT)
        package = next(folder.glob("hub_*"))
        shutil.rmtree(to / package.name)
        shutil.copytree(package, to / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (to, *to.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)  # whatever the umask of the clone
    return to


def repacked(sdist: Path, epoch: int) -> None:
    """Write *sdist* anew without clock, account and order of the machine.

    Setuptools keeps those of the files.
    """
    packed = io.BytesIO()
    with tarfile.open(sdist) as old, tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as new:
        for member in sorted(old.getmembers(), key=lambda one: one.name):
            content = old.extractfile(member)
            member.mtime, member.uid, member.gid, member.uname, member.gname = epoch, 0, 0, "", ""
            member.mode = 0o755 if member.isdir() else 0o644
            member.pax_headers = {}
            new.addfile(member, content)
    sdist.write_bytes(gzip.compress(packed.getvalue(), mtime=epoch))


def build(folder: Path, dist: Path, environment: dict[str, str]) -> None:
    """Build one package's sdist, and the wheel from that."""
    with tempfile.TemporaryDirectory() as scratch:
        sources = copied(folder, Path(scratch) / "sources")
        made = Path(scratch) / "made"
        command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(made), str(sources)]
        seen = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if seen.returncode:
            sys.exit(f"{folder.name} could not be built:\n{seen.stdout[-3000:]}{seen.stderr[-3000:]}")
        for path in made.iterdir():
            if path.name.endswith(".tar.gz"):
                repacked(path, int(environment["SOURCE_DATE_EPOCH"]))
            shutil.copy(path, dist)


def main(dist: Path) -> None:
    """Empty *dist* and build everything into it."""
    environment = os.environ | {
        "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH")
        or asked_of_git("log", "-1", "--format=%ct")
        or EPOCH,
        "PM_HUB_COMMIT": os.environ.get("PM_HUB_COMMIT") or asked_of_git("rev-parse", "--short=7", "HEAD"),
    }
    shutil.rmtree(dist, ignore_errors=True)
    dist.mkdir(parents=True)
    folders = [ROOT, *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(build, folder, dist, environment) for folder in folders]:
            done.result()
    print(f"{len(list(dist.iterdir()))} files in {dist}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "dist").resolve())

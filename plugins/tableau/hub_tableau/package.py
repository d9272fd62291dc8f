"""Pack files as Tableau does: a zip that is the same for the same content, and that only we may read."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

_PIECE = 1 << 20
_THEN = (1980, 1, 1, 0, 0, 0)


def pack(path: Path, described: Mapping[str, bytes], extracts: Mapping[str, Path]) -> None:
    """Write to *path* the files *described* by their content and the *extracts*, by their names inside."""
    with (
        os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as target,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        for name, content in described.items():
            archive.writestr(_member(name), content)
        for name, extract in extracts.items():
            member = _member(name)
            member.file_size = extract.stat().st_size  # whether it needs the form for large files
            with extract.open("rb") as source, archive.open(member, "w") as inside:
                shutil.copyfileobj(source, inside, _PIECE)


def _member(name: str) -> zipfile.ZipInfo:
    found = zipfile.ZipInfo(name, _THEN)
    found.compress_type, found.external_attr, found.create_system = zipfile.ZIP_DEFLATED, 0o600 << 16, 3
    return found

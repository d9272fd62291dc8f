"""Read a company's theme of Power BI and its logo, and say in a sentence what is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path

from hub import ConfigError, tr
from hub_powerbi.report.theme import Look

LARGEST = 1_000_000
_PICTURES = {".png": b"\x89PNG\r\n\x1a\n", ".jpg": b"\xff\xd8\xff", ".jpeg": b"\xff\xd8\xff"}
"""The endings of pictures that pages can show, and what such a file begins with."""


def look_of(name: str, theme: Path | str | None, logo: Path | str | None) -> Look:
    """Return the look of the destination *name* from the files *theme* and *logo*, where they are given.

    Raises `ConfigError`.
    """
    said = {}
    if theme:
        try:
            said = json.loads(_read(name, "theme", Path(theme)))
        except ValueError as exc:
            raise ConfigError(
                tr("The destination {name}: the theme {place} is no JSON ({reason}).", name=name, place=theme,
                   reason=exc)
            ) from exc  # fmt: skip
        if not isinstance(said, dict):
            raise ConfigError(
                tr("The destination {name}: the theme {place} is no theme of Power BI: it has to be one "
                   "JSON object, such as one exported by Power BI Desktop (View, Themes, Save).",
                   name=name, place=theme)
            )  # fmt: skip
    if not logo:
        return Look(said)
    picture, ending = _read(name, "logo", Path(logo)), Path(logo).suffix.lower()
    if ending not in _PICTURES or not picture.startswith(_PICTURES[ending]):
        raise ConfigError(
            tr("The destination {name}: the logo {place} is no picture that pages show: give a PNG or JPEG.",
               name=name, place=logo)
        )  # fmt: skip
    return Look(said, picture, ending)


def _read(name: str, setting: str, place: Path) -> bytes:
    try:
        found = place.read_bytes()
    except OSError as exc:
        raise ConfigError(
            tr("The destination {name}: {setting} {place} could not be read ({reason}).", name=name,
               setting=setting, place=place, reason=exc.strerror)
        ) from exc  # fmt: skip
    if len(found) > LARGEST:
        raise ConfigError(
            tr("The destination {name}: {setting} {place} is larger than 1 MB, which every reader would "
               "load: give a smaller one.", name=name, setting=setting, place=place)
        )  # fmt: skip
    return found

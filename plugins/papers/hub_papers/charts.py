"""Draw the story's charts without a browser, as SVG or PNG."""

from __future__ import annotations

import json
import re
import zlib
from typing import Any, Literal, overload

from hub import Lang, MissingExtra, tr

HOW = 'pip install "pm-hub-papers"'
_LOCALES = {"fr": "fr-FR", "en": "en-GB"}


@overload
def render(spec: dict[str, Any], form: Literal["svg"], lang: Lang, *, scale: float = 1) -> str: ...
@overload
def render(spec: dict[str, Any], form: Literal["png"], lang: Lang, *, scale: float = 1) -> bytes: ...
def render(spec: dict[str, Any], form: str, lang: Lang, *, scale: float = 1) -> str | bytes:
    """Return the Vega-Lite specification *spec* as a picture, its numbers and days as *lang* writes them.

    The names inside an SVG are its own, so that several stand in one page. Raises `MissingExtra`.
    """
    try:
        import vl_convert
    except ImportError as exc:
        raise MissingExtra(tr("Charts need vl-convert-python: {how}.", how=HOW)) from exc
    how: dict[str, Any] = {"format_locale": _LOCALES[lang], "time_format_locale": _LOCALES[lang]}
    text = json.dumps(spec, sort_keys=True)
    if form == "png":
        return bytes(vl_convert.vegalite_to_png(text, scale=scale, **how))
    drawn = str(vl_convert.vegalite_to_svg(text, **how))
    own = f"{zlib.crc32(text.encode()):x}"
    drawn = re.sub(r'\bid="([^"]+)"', rf'id="\1-{own}"', drawn)
    return re.sub(r"url\(#([^)]+)\)", rf"url(#\1-{own})", drawn)


def sized(spec: dict[str, Any], width: int, step: int | None = None) -> dict[str, Any]:
    """Return *spec* drawn *width* pixels large, each of its rows *step* high, without its title.

    The paper writes the title beside the picture, as text.
    """
    found = {key: value for key, value in spec.items() if key != "title"} | {"width": width}
    if step is not None:
        found["height"] = {"step": step}
    return found

"""Fit words into a width: wrap them, and cut what is too long with an ellipsis, before anything overlaps."""

from __future__ import annotations

import functools

ELLIPSIS = "…"
_NARROW = frozenset("iljtfrI.,:;'|!()[]/ \u2019\u202f\u00a0-")
_WIDE = frozenset("mwMWOQGDCNHU%@&ÔÖŒœÆæ—…■▲●◆↗↘→")


def width_of(text: str, size: float) -> float:
    """Return about how wide *text* is in points at the font size *size*, rather too wide."""
    return size * _ems(text)


@functools.lru_cache(maxsize=100_000)
def _ems(text: str) -> float:
    # a table of thousands of rows is measured anew on each of its pages
    return sum(0.34 if one in _NARROW else 0.88 if one in _WIDE else 0.58 + 0.11 * one.isupper()
               for one in text)  # fmt: skip


def fitted(text: str, size: float, width: float) -> str:
    """Return *text* on one line of *width* points; what is cut away is an ellipsis."""
    text = " ".join(text.split(" ")).replace("\n", " ")
    if width_of(text, size) <= width:
        return text
    while text and width_of(text + ELLIPSIS, size) > width:
        text = text[:-1]
    return text.rstrip() + ELLIPSIS


def wrapped(text: str, size: float, width: float, most: int) -> list[str]:
    """Return *text* as *most* lines at most, broken between words; the last may be cut."""
    lines: list[str] = []
    rest = text.replace("\n", " ").split(" ")
    while rest and len(lines) < most - 1:
        line = rest.pop(0)
        while rest and width_of(f"{line} {rest[0]}", size) <= width:
            line += f" {rest.pop(0)}"
        lines.append(fitted(line, size, width))
    if rest:
        lines.append(fitted(" ".join(rest), size, width))
    return lines

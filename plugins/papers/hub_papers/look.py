"""How every paper looks: the colours, with a symbol and a word beside each, and what contrast they have."""

from __future__ import annotations

from hub import tr

RED, AMBER, GREEN, GREY = "#B3261E", "#E0A100", "#2E7D4F", "#8A949E"
BLUE, INK, WHITE, LINE, PALE = "#1F3A5F", "#22303C", "#FFFFFF", "#C9D1D9", "#E8EDF2"
FILLS = {"red": RED, "amber": AMBER, "green": GREEN, "grey": GREY}
GLYPHS = {"red": RED, "amber": "#8A5A00", "green": "#226B42", "grey": "#5A6570"}
"""The colours of a symbol on white: those of the fills, darker where they would be too faint."""
SYMBOLS = {"red": "■", "amber": "▲", "green": "●", "grey": "◆"}
DARK = "#111A22"
"""The ink on a coloured ground where white is too faint."""
SERIES = ("#1F3A5F", "#B3261E", "#2E7D4F", "#8A5A00", "#6A3D9A", "#0B7A75", "#5A6570", "#A23B72")
"""The colours of lines, each at least 3 to 1 on white; the shape of the points tells them apart too."""


def word_of(rag: str) -> str:
    """Return the word of a colour, in the language spoken."""
    return {"red": tr("Red"), "amber": tr("Amber"), "green": tr("Green")}.get(rag, tr("Grey"))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ink_on(ground: str) -> str:
    """Return the ink that is read best on *ground*."""
    return max((WHITE, DARK), key=lambda ink: contrast(ink, ground))

"""Answers as they should not be: JSON of which all but one value is right, and errors with status 200."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_PARTS = re.compile(
    rb'"(?:[^"\\]|\\.)*"'  # a text
    rb"|-?(?:NaN|Infinity)"  # what some programs write for no number
    rb"|-?\d[\d.eE+-]*",
    re.DOTALL,
)
_INSIDE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a letter of two halves
    rb"|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"  # half a letter: a text that was cut there
    rb"|\\.|[\x00-\x1f]",
    re.DOTALL,
)
_BOM = b"\xef\xbb\xbf"


def mended(body: bytes) -> bytes:
    """Return *body* with what strict JSON does not allow and many programs write, so that it can be read.

    Half a letter becomes U+FFFD, a control character its escape; what is no number, or too large for one,
    becomes a text, which whoever expects a number refuses. A byte order mark is left out. What is truncated
    stays so.
    """
    return _PARTS.sub(_part, body.removeprefix(_BOM))


def _part(found: re.Match[bytes]) -> bytes:
    text = found[0]
    if text.startswith(b'"'):
        return _INSIDE.sub(_inside, text)
    if text.strip(b"-").isdigit():
        return text
    try:
        fits = abs(float(text)) < float("inf")
    except ValueError:
        return text
    return text if fits else b'"' + text + b'"'


def _inside(found: re.Match[bytes]) -> bytes:
    text = found[0]
    if len(text) == 1:
        return b"\\u%04x" % text[0]
    return b"\\ufffd" if len(text) == 6 else text


def complaint(answer: Mapping[str, Any], besides: frozenset[str] = frozenset()) -> str:
    """Return the error that an answer tells, with or without rows; empty where it tells none.

    *besides* are keys under which this tool keeps something else.
    """
    for name in ("errors", "error"):
        told = None if name in besides else answer.get(name)
        if told not in (None, "", "0", "false", "False", 0, [], {}):
            return " ".join(dict.fromkeys(_texts(told))) or f"{told}"
    return ""


def _texts(value: Any) -> list[str]:
    """Return what an error says, wherever it says it."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        told = [value[name] for name in ("message", "detail", "title", "description") if value.get(name)]
        value = told or list(value.values())
    return [text for one in value for text in _texts(one)] if isinstance(value, list) else []

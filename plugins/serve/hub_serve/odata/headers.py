"""What the headers of a request ask for: version, format, metadata and the size of a page."""

from __future__ import annotations

import re
from typing import Literal

import msgspec
from starlette.datastructures import Headers

from hub import tr
from hub_serve.odata.writing import Metadata
from hub_serve.refusals import Refused, bad

Kind = Literal["json", "csv", "xml", "text"]
_TYPES: dict[str, Kind] = {
    "application/json": "json", "text/csv": "csv", "application/xml": "xml", "text/plain": "text",
}  # fmt: skip
_SHORT: dict[str, str] = {"json": "application/json", "csv": "text/csv", "xml": "application/xml"}
_METADATA: tuple[Metadata, ...] = ("minimal", "full", "none")
_PAGE = re.compile(r"(?:^|[,;\s])((?:odata\.)?maxpagesize)\s*=\s*\"?(\d{1,18})\"?", re.IGNORECASE)


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """How an answer is written; *as_text* puts 64-bit and decimal numbers in quotes."""

    kind: Kind
    metadata: Metadata = "minimal"
    as_text: bool = False

    @property
    def media_type(self) -> str:
        """Return what the answer says of itself."""
        match self.kind:
            case "json":
                numbers = ";IEEE754Compatible=true" if self.as_text else ""
                return f"application/json;odata.metadata={self.metadata}{numbers};charset=utf-8"
            case "csv":
                return "text/csv;charset=utf-8;header=present"
            case "xml":
                return "application/xml;charset=utf-8"
        return "text/plain;charset=utf-8"


def version_of(headers: Headers) -> str:
    """Return the version to answer in: the newest that the one who asks knows. Raises `Refused`."""
    for name in ("odata-version", "odata-maxversion"):
        value = headers.get(name, "4.01").strip()
        if not re.fullmatch(r"\d+\.\d+", value):
            raise bad(tr("{place} cannot be read: {text!r}.", place=name, text=value[:40]), name)
        if float(value) < 4 or (name == "odata-version" and float(value) > 4.01):
            raise bad(tr("This service speaks OData 4.0 and 4.01, not {version}.", version=value), name)
    return "4.01" if float(headers.get("odata-maxversion", "4.01")) >= 4.01 else "4.0"


def format_of(headers: Headers, asked: str | None, offered: tuple[Kind, ...]) -> Format:
    """Return the format of the answer: that of ``$format``, else the one of *offered* that Accept likes best.

    Raises `Refused`.
    """
    if asked is not None:
        found = _read(_SHORT.get(asked.strip().lower(), asked), offered)
        if found is None:
            raise Refused(
                415, tr("{place}: {what} is not supported.", place="$format", what=asked[:60]), "$format"
            )
        return found
    accept = headers.get("accept", "")
    best: tuple[float, Format] | None = None
    for part in accept.split(","):
        found = _read(part, offered) if part.strip() else None
        quality = _quality(part)
        if found is not None and quality > 0 and (best is None or quality > best[0]):
            best = (quality, found)
    if best is None:
        if accept.strip():
            raise Refused(
                406, tr("{place}: {what} is not supported.", place="Accept", what=accept[:60]), "Accept"
            )
        return Format(kind=offered[0])
    return best[1]


def page_of(headers: Headers) -> tuple[int | None, str | None]:
    """Return the size of a page that a request prefers, and how it says so."""
    found = _PAGE.search(headers.get("prefer", ""))
    if found is None or int(found[2]) == 0:
        return None, None
    return int(found[2]), f"{found[1]}={found[2]}"


def _read(text: str, offered: tuple[Kind, ...]) -> Format | None:
    """Return the format that a media type names, None where it is none of *offered*."""
    name, *params = (part.strip() for part in text.split(";"))
    name = "*/*" if name == "*" else name.lower()  # as old clients write it
    if name in {"*/*", "application/*"}:
        kind: Kind | None = offered[0] if name == "*/*" or offered[0] in {"json", "xml"} else None
    else:
        kind = _TYPES.get(name)
    if kind not in offered or kind is None:
        return None
    metadata: Metadata = "minimal"
    as_text = False
    for param in params:
        key, _, value = (one.strip().lower() for one in param.partition("="))
        value = value.strip('"')
        if key.removeprefix("odata.") == "metadata":
            chosen = next((one for one in _METADATA if one == value), None)
            if chosen is None:
                return None
            metadata = chosen
        elif key == "ieee754compatible":
            as_text = value == "true"
    return Format(kind=kind, metadata=metadata, as_text=as_text)


def _quality(text: str) -> float:
    found = re.search(r";\s*q\s*=\s*([\d.]+)", text)
    try:
        return float(found[1]) if found else 1.0
    except ValueError:
        return 0.0

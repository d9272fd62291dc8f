"""Take names, addresses, tokens and texts out of a recording.

What is equal stays equal and nothing can be read.
"""

from __future__ import annotations

import bisect
import hmac
import re
from collections.abc import Iterable
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit, urlunsplit

ORIGIN = "http://simulator.invalid"
"""Stands for the address of the recorded tool."""
_KEPT = re.compile(
    r"\d{4}-\d\d(-\d\d)?([T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?(Z|[+-]\d\d:?\d\d))?)?"  # days and instants
    r"|-?(0|[1-9]\d{0,8})(\.\d{1,6})?"  # numbers too short for a telephone
    r"|1\d{12}"  # instants in milliseconds
    r"|true|false|null"
)
_DIGITS = re.compile(r"\d{10,}|0\d+|\+\d[\d .-]+")
_LONG = re.compile(r"[1-9]\d{9,18}")
"""A number that is too long to be kept and may be an id by which a list is paged."""
_LARGEST = 2**63 - 1
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_KEY = re.compile(r"([A-Z][A-Z0-9_]{0,19})(-\d{1,9})?")
_PERSONAL = re.compile(
    r"name|user|login|mail|author|account|owner|assignee|display|person|member", re.IGNORECASE
)
_WORD = re.compile(r"[A-Za-z]{1,20}")
_NAME = re.compile(r"[A-Za-z_$@][\w.@$:]{0,39}")


class Anonymiser:
    """Pseudonyms by HMAC under *key*, a new one for each recording.

    *keep* names fields whose values stay as they are.

    *origin* is the address of the tool. Numbers, days, instants and the names of fields stay. Longer numbers
    become others of as many digits in the same order, for lists are paged by ids that rise.
    """

    def __init__(self, key: bytes, *, origin: str, keep: Iterable[str] = ()) -> None:
        """Start with no text seen."""
        self.key = key
        self.origin = origin.rstrip("/")
        self.keep = frozenset(keep)
        self.kept: set[str] = set()
        self.seen: set[str] = set()
        self.people: set[str] = set()
        self._longs: set[int] = set()
        self._ranked: dict[int, tuple[list[int], list[int]]] = {}
        """By the count of digits, the long numbers that were seen and what stands for each."""

    def look(self, value: Any, field: str = "") -> None:
        """Note the texts of a body.

        Where one of them is part of a path or the name of a field, it is anonymised there too.
        """
        if isinstance(value, dict):
            for name, one in value.items():
                if name not in self.keep:
                    self.look(one, name)
        elif isinstance(value, list):
            for one in value:
                self.look(one, field)
        elif isinstance(value, int) and not isinstance(value, bool):
            self._note_long(str(abs(value)))
        elif isinstance(value, str):
            self._note_long(value)
            (self.people if _PERSONAL.search(field) else self.seen).add(value)

    def json(self, value: Any, name: str = "") -> Any:
        """Anonymiser a decoded body; *name* is the field it stands in."""
        if isinstance(value, dict):
            return {self.name(field): self.json(one, field) for field, one in value.items()}
        if isinstance(value, list):
            return [self.json(one, name) for one in value]
        if isinstance(value, str):
            if name in self.keep:
                self.kept.add(f"{name}: {value}")
                return value
            return self.text(value)
        if isinstance(value, int) and not isinstance(value, bool) and name not in self.keep:
            return int(self.text(str(abs(value)))) * (-1 if value < 0 else 1)
        return value

    def _note_long(self, text: str) -> None:
        if _LONG.fullmatch(text):
            self._longs.add(int(text))
            self._ranked.clear()

    def _long(self, text: str) -> str:
        """Return another number of as many digits, in the order of those that were seen.

        One that was not seen, such as the id after the last, stays as far behind the one before it as it was.
        """
        size, number = len(text), int(text)
        lowest, above = 2 * 10 ** (size - 1), min(10**size, _LARGEST + 1)
        if size not in self._ranked:
            known = sorted(one for one in self._longs if len(str(one)) == size)
            room = (above - lowest) // (len(known) + 2)
            shift = [self._digest(str(one)) % (room // 2) for one in known]
            self._ranked[size] = known, [lowest + room * at + one for at, one in enumerate(shift, start=1)]
        known, stand = self._ranked[size]
        at = bisect.bisect_right(known, number) - 1
        if at < 0:
            return str(lowest + self._digest(text) % ((above - lowest) // (len(known) + 2)))
        upper = stand[at + 1] if at + 1 < len(stand) else above
        return str(min(stand[at] + number - known[at], upper - 1))

    def _digest(self, text: str) -> int:
        return int(hmac.new(self.key, text.encode(), sha256).hexdigest(), 16)

    def name(self, field: str) -> str:
        """Keep the name of a field, unless it is data: someone's name in some body, or no name at all."""
        return (
            field
            if field in self.keep or (_NAME.fullmatch(field) and field not in self.people)
            else self.text(field)
        )

    def text(self, text: str) -> str:
        """Return the pseudonym of a text; of the same kind where the kind matters to a connector."""
        if not text or _KEPT.fullmatch(text):
            return text
        digest = hmac.new(self.key, text.encode(), sha256).hexdigest()
        if text.startswith(("http://", "https://")):
            return self.url(text)
        if "@" in text and " " not in text:
            return f"{digest[:10]}@example.org"
        if _UUID.fullmatch(text):
            return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"
        if _LONG.fullmatch(text):
            return self._long(text)
        if _DIGITS.fullmatch(text):
            return "1" + str(int(digest, 16))[: max(9, len(text) - 1)]
        if key := _KEY.fullmatch(text):
            letters = hmac.new(self.key, key.group(1).encode(), sha256).hexdigest()[:6].upper()
            return f"K{letters}{key.group(2) or ''}"
        return f"x{digest[:10]}"

    def url(self, url: str) -> str:
        """Anonymiser an address: the tool's own keeps its path's words, any other keeps nothing."""
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}" != self._host():
            return f"https://example.org/{hmac.new(self.key, url.encode(), sha256).hexdigest()[:10]}"
        query = "&".join(
            f"{field}={self.value(field, value)}"
            for field, _, value in (one.partition("=") for one in parts.query.split("&"))
            if field
        )
        return ORIGIN + urlunsplit(("", "", self.path(parts.path), query, ""))

    def value(self, field: str, value: str) -> str:
        """Return what stands for a value of a query; one that is kept stays."""
        if field in self.keep:
            self.kept.add(f"{field}: {value}")
            return value
        return self.text(value)

    def path(self, path: str) -> str:
        """Anonymise the parts of a path that are texts of some body.

        A plain word only when it is someone's name.
        """
        return "/".join(self.text(part) if self._tells(part) else part for part in path.split("/"))

    def _tells(self, part: str) -> bool:
        return part in self.people or (part in self.seen and not _WORD.fullmatch(part))

    def _host(self) -> str:
        parts = urlsplit(self.origin)
        return f"{parts.scheme}://{parts.netloc}"

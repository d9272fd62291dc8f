"""YAML as what JSON can say: texts, numbers, true, false, null, lists, and objects whose names are texts.

By the core schema of YAML 1.2, which OpenAPI asks for: a day, ``on`` and ``yes`` are texts, a name ``200`` is
the text 200. Only the events of the parser are used: nothing is made or run that a file names, and how deep
it is and what it unpacks to is bounded.
"""

from __future__ import annotations

import importlib
import re
from typing import Any

import msgspec

from hub import ConfigError, tr

LARGEST = 50_000_000
"""Bytes of a file."""
_MOST = 3_000_000
"""Values that a file unpacks to, each as often as something refers to it."""
_DEEP = 200
_TAG = "tag:yaml.org,2002:"
_NULL = re.compile(r"~|null|Null|NULL|")
_FLAG = re.compile(r"true|True|TRUE|false|False|FALSE")
_WHOLE = re.compile(r"[-+]?[0-9]{1,300}")
_OTHER = re.compile(r"0o[0-7]{1,300}|0x[0-9a-fA-F]{1,300}")
_REAL = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,2})?")


class _Open(msgspec.Struct, kw_only=True):
    """A list or an object that is being read, with how many values it holds so far."""

    anchor: str | None
    is_list: bool
    size: int = 1
    rows: list[Any] = []
    pairs: list[tuple[str, bool, Any]] = []
    """What an object says, and whether it is brought from other ones (``<<``)."""
    key: tuple[str, bool] | None = None


def read_yaml(text: str, name: str) -> Any:
    """Return what *text*, the file *name*, says.

    Raises `ConfigError` where it is no YAML, has a tag of its own, holds itself, or unpacks to too much.
    """
    yaml: Any = importlib.import_module("yaml")  # only who suggests a mapping waits for it
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Reader(name).read(yaml.parse(text, Loader=loader))
    except (yaml.YAMLError, ValueError) as exc:
        error = " ".join(str(exc).split())
        raise ConfigError(tr("{path} is neither JSON nor YAML ({error}).", path=name, error=error)) from exc


class _Reader:
    """Puts together what the events of a parser say, without going down by itself."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.open: list[_Open] = []
        self.known: dict[str, tuple[Any, int]] = {}
        """What an anchor stands for, and how many values that is."""
        self.whole: list[Any] = []

    def read(self, events: Any) -> Any:
        for event in events:
            kind = type(event).__name__
            if kind in {"SequenceStartEvent", "MappingStartEvent"}:
                is_list = kind == "SequenceStartEvent"
                _check_tag(event.tag, "seq" if is_list else "map")
                if len(self.open) >= _DEEP:
                    raise ConfigError(
                        tr(
                            "{path} is nested more than {most} deep: it was not read.",
                            path=self.name,
                            most=_DEEP,
                        )
                    )
                self.open.append(_Open(anchor=event.anchor, is_list=is_list, rows=[], pairs=[]))
            elif kind in {"SequenceEndEvent", "MappingEndEvent"}:
                one = self.open.pop()
                self._take(one.rows if one.is_list else _object(one.pairs), one.size, one.anchor)
            elif kind == "ScalarEvent":
                self._scalar(event)
            elif kind == "AliasEvent":
                if event.anchor not in self.known:
                    raise ValueError(
                        tr("*{name} stands for nothing, or for what it is in", name=event.anchor)
                    )
                self._take(*self.known[event.anchor], None)
        if len(self.whole) > 1:
            raise ValueError(tr("it holds several documents"))
        return self.whole[0] if self.whole else None

    def _scalar(self, event: Any) -> None:
        value = (
            _plain(event.value) if event.implicit[0] and event.style in {None, "", "plain"} else event.value
        )
        if not event.implicit[0]:
            _check_tag(event.tag, "str", "int", "float", "bool", "null", "timestamp")
        above = self.open[-1] if self.open else None
        if above is not None and not above.is_list and above.key is None:
            # a name is what stands there: 200 is no number, true no flag
            above.key = event.value, event.value == "<<" and event.implicit[0]
            above.size += 1
            if event.anchor:
                self.known[event.anchor] = event.value, 1
            return
        self._take(value, 1, event.anchor)

    def _take(self, value: Any, size: int, anchor: str | None) -> None:
        if anchor:
            self.known[anchor] = value, size
        above = self.open[-1] if self.open else None
        if above is None:
            self.whole.append(value)
            return
        above.size += size
        if above.size > _MOST:
            raise ConfigError(
                tr("{path} unpacks to more than {most} values: it was not read.", path=self.name, most=_MOST)
            )
        if above.is_list:
            above.rows.append(value)
        elif above.key is None:
            if isinstance(value, dict | list):
                raise ValueError(tr("{tag} is no value that JSON has", tag="? …"))
            above.key = f"{value}", False
        else:
            above.pairs.append((*above.key, value))
            above.key = None


def _check_tag(tag: str | None, *known: str) -> None:
    if tag not in {None, "!", *(f"{_TAG}{one}" for one in known)}:
        raise ValueError(tr("{tag} is no value that JSON has", tag=tag))


def _plain(text: str) -> Any:
    """Return what a text without quotation marks is; an infinity is a text, for JSON has none."""
    if _NULL.fullmatch(text):
        return None
    if _FLAG.fullmatch(text):
        return text.lower() == "true"
    if _WHOLE.fullmatch(text):
        return int(text)
    if _OTHER.fullmatch(text):
        return int(text, 0)
    return float(text) if _REAL.fullmatch(text) else text


def _object(pairs: list[tuple[str, bool, Any]]) -> dict[str, Any]:
    """Return an object; ``<<`` brings what other ones say where it says nothing itself."""
    under: dict[str, Any] = {}
    for key, is_merge, value in pairs:
        for one in (value if isinstance(value, list) else [value]) if is_merge else ():
            if not isinstance(one, dict):
                raise ValueError(tr("{tag} is no value that JSON has", tag=key))
            under = one | under
    return under | {key: value for key, is_merge, value in pairs if not is_merge}

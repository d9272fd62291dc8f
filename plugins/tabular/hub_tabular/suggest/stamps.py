"""Tables that say when work began and ended, and not how long it was."""

from __future__ import annotations

import re
from datetime import time

import msgspec

from hub import cell_text, unit_of
from hub_tabular import tables
from hub_tabular.clocks import BARE, ClockReader, is_clock
from hub_tabular.suggest.looking import Looked, number_of, toml
from hub_tabular.suggest.words import assign, plain

_BEGINS = (
    r"debut|start|beg[ia]n|\bvon\b|\bde\b|\bfrom\b|arriv|komm(en|t)|anfang|\bab\b|entree|(clock|punch|check).?in"
    r"|\bin\b|\bvan\b|aanvang|\bod\b|poczat|rozpocz|zacat|prichod|inizio|inicio|comienzo|entrada|entrata|fra\b"
)
_ENDS = (
    r"\bfin\b|\bend|\bbis\b|\bto\b|\ba\b|depart|geh(en|t)\b|sortie|(clock|punch|check).?out|\bout\b|stop|ende\b|ending"
    r"|finish|\btot\b|einde|\bdo\b|koniec|zakoncz|konec|odchod|\bfine\b|salida|uscita|\btil\b|schluss"
)
_PAUSE = r"pause|break|unterbrech|przerw|prestavk|pauz|descanso|pausa|dejeuner|lunch|repas|rast"
_TASKS = frozenset(
    {"title", "container_id", "planned_start_on", "planned_finish_on", "actual_finish_on", "due_on",
     "is_milestone", "assignee_id"}
)  # fmt: skip
"""What a list of tasks has that a list of hours may have too."""
_DOTTED = re.compile(r"[0-9]{1,2}\.[0-9]{2}")
_WHOLE = re.compile(r"[01]?[0-9]|2[0-4]")
_MUCH = 0.8
_LONG_MIN = 5


class Clocks(msgspec.Struct, kw_only=True):
    """The columns of when work began and ended, of the day on which it ended, and of the pause."""

    start: list[str]
    end: list[str]
    end_day: str = ""
    pause: list[str] = []
    unit: str = ""

    @property
    def columns(self) -> list[str]:
        """Return all of them."""
        return [*self.start, *self.end, *([self.end_day] if self.end_day else []), *self.pause]

    @property
    def field(self) -> str:
        """Return where an effort comes from."""
        parts = [f"start = {_listed(self.start)}", f"end = {_listed(self.end)}"]
        parts += [f"end_day = {toml(self.end_day)}"] if self.end_day else []
        parts += [f"pause = {_listed(self.pause)}"] if self.pause else []
        parts += [f'unit = "{self.unit}"'] if self.unit else []
        return f"{{ {', '.join(parts)} }}"


def _listed(names: list[str]) -> str:
    return toml(names[0] if len(names) == 1 else names)


def holds_clocks(looked: Looked, name: str) -> bool:
    """Say whether most of what is filled in a column are times of the day, with their days or without."""
    values = [value for value in looked.values(name) if not tables.TOTAL.search(cell_text(value))]
    reader = ClockReader()
    for value in values:
        reader.look(value)
    bare = [
        value
        for value in values
        if BARE.fullmatch(text := cell_text(value)) and (reader.has_parts or not _DOTTED.fullmatch(text))
    ]
    if bare and len(bare) == len(values) and all(_WHOLE.fullmatch(cell_text(value)) for value in values):
        bare = []  # from 8 to 17, which says a time where another column says the day
    found = sum(is_clock(value, reader) for value in values)
    return bool(values) and len(bare) < len(values) and found >= _MUCH * len(values)


def is_moment(looked: Looked, name: str) -> bool:
    """Say whether a column says when something began or ended, and not how long it was."""
    return re.search(f"{_BEGINS}|{_ENDS}", plain(name)) is not None and holds_clocks(looked, name)


def clocks_of(looked: Looked) -> Clocks | None:
    """Return the columns of when work began and ended, None where they do not come in pairs."""
    found: dict[str, list[str]] = {"start": [], "end": [], "pause": []}
    open_ = ""
    for name in looked.names:
        bare = plain(name)
        is_pause = re.search(_PAUSE, bare) is not None
        if not holds_clocks(looked, name):
            continue
        begins, ends = re.search(_BEGINS, bare) is not None, re.search(_ENDS, bare) is not None
        if is_pause:
            found["pause"].append(name)
        elif begins and not ends and not open_:
            open_ = name
        elif ends and open_:
            found["start"].append(open_)
            found["end"].append(name)
            open_ = ""
        elif begins or ends:
            return None  # two beginnings, or an end of nothing
    pause = found["pause"]
    if not found["start"] or open_ or len(pause) not in {0, 1, 2}:
        return None
    whole = [text for name in found["start"] for text in looked.texts(name) if not _WHOLE.fullmatch(text)]
    if not whole and "day" not in assign(
        "worklog", [one for one in looked.names if one not in found["start"]]
    ):
        return None  # mere numbers may be weeks or months
    if len(pause) == 1 and re.search(f"{_BEGINS}|{_ENDS}", plain(pause[0])):
        return None
    made = Clocks(start=found["start"], end=found["end"], pause=pause)
    if not pause:
        _find_pause(looked, made)
    _find_end_day(looked, made)
    return made


def _find_pause(looked: Looked, made: Clocks) -> None:
    for name in looked.names:
        values = [value for value in looked.values(name) if not tables.TOTAL.search(cell_text(value))]
        if not re.search(_PAUSE, plain(name)) or name in made.columns or not values:
            continue
        numbers = [number_of(value) for value in values if BARE.fullmatch(cell_text(value))]
        largest = max((number or 0.0 for number in numbers), default=0.0)
        made.pause = [name]
        if numbers and largest and not unit_of(name):
            made.unit = "minutes" if largest >= _LONG_MIN else "hours"
        return


def _find_end_day(looked: Looked, made: Clocks) -> None:
    """Let the day of the end come from a column of its own, where there is one beside the times."""
    if any(re.search("[0-9]{4}|/", text) for text in looked.texts(made.end[-1])):
        return
    for name in looked.names:
        bare = plain(name)
        if (
            re.search(_ENDS, bare)
            and re.search(r"date|datum|\bday\b|\bjour\b|\btag\b", bare)
            and not re.search(_PAUSE, bare)
            and name not in made.columns
            and looked.values(name)
        ):
            made.end_day = name
            return


def may_be_hours(looked: Looked, clocks: Clocks) -> bool:
    """Say whether what has a beginning and an end is somebody's work, and no task that lasts for days."""
    names = [name for name in looked.names if name not in clocks.columns and looked.values(name)]
    if not set(assign("task", names)) <= _TASKS or "account_id" not in assign("worklog", names):
        return False
    days = [[_day(row.get(one)) for one in (clocks.start[0], clocks.end[-1])] for row in looked.data]
    whole = [one for one in days if all(one)]
    return sum(first == last for first, last in whole) >= _MUCH * len(whole) - 1


def _day(cell: object) -> str:
    """Return what stands before the time of a stamp, nothing for a mere time."""
    text = cell_text(cell)
    return re.split("[ T]", text)[0] if re.search("[ T]", text) and not isinstance(cell, time) else ""


def empty_rows(looked: Looked, clocks: Clocks) -> bool:
    """Say whether in some rows nobody worked: neither a beginning nor an end stands there."""
    return any(looked.is_empty(row, [*clocks.start, *clocks.end]) for row in looked.data)

"""One field of a mapping: its column, with what the cells show of how they are written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from hub import (
    BY_TABLE,
    CellReader,
    Declared,
    Worklog,
    columns_of,
    scale_of,
    tr,
)
from hub_tabular.suggest.days import (
    Period,
    day_parts,
    fiscal_years,
    holds_days,
    joined,
    may_be_days,
    period_of,
    period_parts,
)
from hub_tabular.suggest.looking import (
    Draft,
    Looked,
    is_numeric,
    is_of_absences,
    number_of,
    per_of,
    remark_of,
    toml,
)
from hub_tabular.suggest.words import MUST, OPEN_FORECAST, RATE, choices_of_field, guessed, plain


def amount_of(draft: Draft, looked: Looked, column: str, headers: Sequence[str]) -> str:
    """Return where amounts come from, and in what they are counted where only the rows above say it."""
    scale = next((found for text in looked.above if (found := scale_of(text))), None)
    headed = {scale_of(name) for name in headers}
    unit = {1_000: "thousands", 1_000_000: "millions"}.get(scale or 0)
    if unit and headed == {None}:
        return f'{{ column = {toml(column)}, unit = "{unit}" }}' + remark_of(tr("by the rows above"))
    said = [name for name in headers if scale_of(name)]
    return toml(column) + (
        remark_of(tr("counted in what the headers say: {names}", names=", ".join(said))) if said else ""
    )


def take(
    draft: Draft, looked: Looked, field: str, columns: Sequence[str], *, days: str = "", unit: str = "",
    pattern: str = "",
) -> None:  # fmt: skip
    """Let a field come from *columns*, or what *pattern* finds there, written as their cells show."""
    name = columns[0]
    draft.used[field] = name
    column = toml(name) if len(columns) == 1 else toml(list(columns))
    parts, doubt = [f"column = {column}"], ""
    kind = columns_of(BY_TABLE[draft.kind])[field].kind
    if field == "month" and _take_fiscal(draft, looked, name):
        return
    period = _period(looked, field, columns)
    if period:
        if period.year:
            parts = [f"column = {toml(joined(looked, name, period.year))}"]
            draft.used["#year"] = period.year
        written, doubt = period_parts(looked, name, period)
        parts += written
    elif kind in {"day", "instant"} or (kind == "month" and holds_days(looked, name)):
        more, doubt = day_parts(looked, name, days)
        if (more is None and field not in MUST[draft.kind]) or (kind == "instant" and doubt and not more):
            del draft.used[field]  # a row is worth more than its stamp
            return
        parts += more or []
    elif kind == "seconds":
        found, doubt = (unit, "") if unit else _unit(looked, name, per_of(draft))
        parts.append(f'unit = "{found}"')
    elif kind == "minor":
        draft.fields[field] = amount_of(draft, looked, name, [name])
        return
    elif scale := _words_as_numbers(looked, name, field):
        parts.append(f"values = {{ {scale} }}")
        doubt = tr("not clear: words taken as numbers; correct them to your scale")
    elif kind == "percent" and not _above_one(looked, name):
        doubt = tr('say unit = "share" or "percent" if its numbers have no percent sign')
    elif kind == "percent" and any(isinstance(value, int | float) for value in looked.values(name)) is False:
        parts.append('unit = "percent"')
    elif known := choices_of_field(draft.kind, field):
        pairs, doubt = _choices(draft, looked, field, name, known)
        parts += [f"values = {{ {pairs} }}"] if pairs else []
    if pattern:
        parts.append(f"pattern = {toml(pattern)}")
    text = (
        f"{{ {', '.join(parts)} }}"
        if len(parts) > 1
        else column
        if len(columns) == 1
        else f"{{ {parts[0]} }}"
    )
    draft.fields[field] = text + (remark_of(doubt) if doubt else "")


def _period(looked: Looked, field: str, columns: Sequence[str]) -> Period | None:
    """Return what period each row stands for, where the reader has to be told."""
    if field not in {"day", "start_on", "month"} or len(columns) > 1:
        return None
    found = period_of(looked, columns[0])
    if found and field == "month" and found.per == "month" and not (found.is_open or found.year):
        return None  # 2026-10 is read without being told
    return found


def _take_fiscal(draft: Draft, looked: Looked, name: str) -> bool:
    """Say whether a column names fiscal years, and let their months come from it."""
    years = fiscal_years(list(dict.fromkeys(looked.words(name))))
    if None in years.values():
        del draft.used["month"]
        draft.doubts.append(fiscal_doubt(name, years))
    elif years:
        draft.fields["month"] = f"{{ column = {toml(name)}, {fiscal_values(years)} }}" + fiscal_remark()
    return bool(years)


def _choices(draft: Draft, looked: Looked, field: str, name: str, known: tuple[str, ...]) -> tuple[str, str]:
    """Return what the words of a column mean, and what is not sure of it."""
    seen = list(dict.fromkeys(looked.words(name)))[:12]
    unsure = [text for text in seen if not guessed(text, known, default="")]
    # what stands in a table of leave is leave, however it is called
    usual = "absence" if field == "category" and is_of_absences(looked) else known[0]
    is_amount = draft.kind == "budget_line" and field == "kind"
    if is_amount:  # an amount of a wrong kind is a wrong figure: its row is refused until somebody says it
        seen = [text for text in seen if text not in unsure]
    pairs = ", ".join(f"{toml(text)} = {toml(guessed(text, known, default=usual))}" for text in seen)
    names = ", ".join(unsure)
    if unsure and is_amount:
        return pairs, tr("not clear: {names}; rows with these words are refused until values has them",
                         names=names)  # fmt: skip
    if unsure:
        return pairs, tr("not clear: {names}", names=names)
    ends = [text for text in seen if is_amount and re.search(OPEN_FORECAST, plain(text))]
    return pairs, (
        tr("not clear: is {names} what is still to come, or what it costs in the end?", names=", ".join(ends))
        if ends
        else ""
    )


def fits(looked: Looked, kind: str, field: str, name: str) -> bool:
    """Say whether what stands in a column may be of a field: days are no times, kinds are known ones."""
    if field in {"day", "start_on"}:
        return may_be_days(looked, name)
    if columns_of(BY_TABLE[kind])[field].kind == "day" and is_numeric(looked, name):
        return max((number_of(value) or 0.0 for value in looked.values(name)), default=0.0) >= 10_000
    if kind == "budget_line" and field == "kind":
        known = choices_of_field(kind, field)
        return any(guessed(text, known, default="") for text in looked.words(name))
    return True


def say_kind(draft: Draft, said: str) -> None:
    """Let amounts be of the kind that the names of file and sheet say, and of one category, where none is."""
    guess = guessed(said, choices_of_field("budget_line", "kind"), default="")
    if "kind" not in draft.fields and guess:
        remark = remark_of(tr("not clear: by the names of file and sheet"))
        draft.fields["kind"] = f'{{ value = "{guess}" }}{remark}'
    if "category" not in draft.fields:
        draft.fields["category"] = '{ value = "all" }' + remark_of(tr("no column says the category"))


def fiscal_remark() -> str:
    """Return what is not sure of a fiscal year."""
    return remark_of(
        tr("not clear: a fiscal year may begin in another month than January; then correct the months")
    )


def fiscal_values(years: dict[str, str | None]) -> str:
    """Return the months in which the amounts of fiscal years are put."""
    pairs = ", ".join(f"{toml(text)} = {toml(month or '…')}" for text, month in years.items())
    return f"values = {{ {pairs} }}"


def fiscal_doubt(name: str, years: dict[str, str | None]) -> str:
    """Return a line that asks in which month fiscal years begin that go over the end of a year."""
    return f"month = {{ column = {toml(name)}, {fiscal_values(years)} }}" + remark_of(
        tr("not clear: say the first month of each year, such as 2025-07")
    )


_DEGREES: tuple[tuple[str, int], ...] = (
    (r"tres (?:faible|improbable|bas|peu)|\brare|very (?:low|unlikely)|neglig|insignif", 1),
    (r"tres |quasi|certain|very |criti|catastroph|extreme|severe|bloquant", 5),
    (r"faible|peu|improbable|mineure?|\blow\b|unlikely|minor\b|basse?", 2),
    (r"moyen|modere|possible|significati|medium|moderate|normal", 3),
    (r"forte?|elevee?|haute?|probable|majeure?|grave|important|\bhigh\b|likely|major", 4),
)  # fmt: skip
"""Words of the scale of five by which risks are weighed, the outer ones first."""
_CHANCES = {1: 0.1, 2: 0.3, 3: 0.5, 4: 0.7, 5: 0.9}


def _words_as_numbers(looked: Looked, name: str, field: str) -> str:
    """Return the values of a column that weighs risks in words, none where it is not one."""
    if field not in {"probability", "impact"}:
        return ""
    texts = list(dict.fromkeys(looked.texts(name)))[:12]
    words = [text for text in texts if re.search(r"[^\W\d_]{2}", text)]
    found = {text: degree for text in words if (degree := _degree(text))}
    if not words:
        return _scale_as_numbers(looked, name, field, texts)
    if len(found) < len(words):
        return ""
    pairs = {text: _CHANCES[degree] if field == "probability" else degree for text, degree in found.items()}
    for text in texts:  # numbers beside words are what they are
        if (
            text not in pairs
            and (number := _share_of(text) if field == "probability" else _whole_of(text)) is not None
        ):
            pairs[text] = number
    return ", ".join(f"{toml(text)} = {number}" for text, number in pairs.items())


def _scale_as_numbers(looked: Looked, name: str, field: str, texts: list[str]) -> str:
    """Return what the numbers of a scale mean as probabilities: 3 of 1 to 5 is a half."""
    numbers = {text: number for text in texts if (number := number_of(text)) is not None}
    largest = max(numbers.values(), default=0.0)
    if field != "probability" or len(numbers) < len(texts) or not 1 < largest <= 10:
        return ""
    if any(number != int(number) or number < 1 for number in numbers.values()):
        return ""
    said = re.search(r"(?:[-–/àa]|to|sur)\s*([3-9]|10)\b", plain(name))
    steps = int(said[1]) if said and int(said[1]) >= largest else 5 if largest <= 5 else 10
    return ", ".join(f"{toml(str(one))} = {(one - 0.5) / steps:g}" for one in range(1, steps + 1))


def _degree(text: str) -> int | None:
    return next((degree for words, degree in _DEGREES if re.search(words, plain(text))), None)


def _share_of(text: str) -> float | None:
    number = number_of(text.rstrip("% "))
    return None if number is None else number / 100 if "%" in text or number > 1 else number


def _whole_of(text: str) -> int | None:
    number = number_of(text)
    return int(number) if number is not None and number == int(number) else None


_HOURS = r"heures?|hours?|stunden|\bstd\b|\(h\)|^h$"


def _above_one(looked: Looked, name: str) -> bool:
    return any(
        (number_of(str(value).rstrip("% ")) or 0) > 1 or "%" in str(value) for value in looked.values(name)
    )


def _as_clock(values: list[Any]) -> str:
    """Return a doubt about numbers that may be hours and minutes: 7.30, 1,45."""
    reader = CellReader(columns_of(Worklog)["seconds"], Declared(unit="hours"))
    for value in values:
        reader.look(value)
    if (found := reader.minutes.are) in {"parts", "minutes"}:
        return ""
    shown = reader.minutes.shown
    hours, minutes = re.split("[.,]", shown)
    if found == "asked":
        return tr('not clear: is {shown} {hours} h {minutes}, or a part of an hour? Say unit = "clock" if so',
                  shown=shown, hours=hours, minutes=minutes)  # fmt: skip
    return tr('not clear: is {shown} {hours} h {minutes}, or a part of an hour? Taken as a part; else say '
              'unit = "clock"', shown=shown, hours=hours, minutes=minutes)  # fmt: skip


def _eighths(numbers: list[float]) -> bool:
    """Say whether all numbers are parts of a day as people write them: 1, 0.5, 0.25, 0.125."""
    return all(number * 8 == int(number * 8) for number in numbers)


FULL = {
    "day": (1.0, 1.5, 24),
    "week": (5.0, 7.0, 24 * 7),
    "month": (23.0, 31.0, 24 * 31),
    "quarter": (66.0, 92.0, 24 * 92),
    "half": (131.0, 184.0, 24 * 184),
    "year": (262.0, 366.0, 24 * 366),
}
"""Of a period: the days that a person works in it, above which they are no days, and its hours."""


def _unit(looked: Looked, name: str, per: str) -> tuple[str, str]:
    """Return the unit of an effort by its header and its numbers, and a doubt.

    *per* is what a row stands for.
    """
    bare = re.sub(RATE, " ", plain(name))
    for unit, words in (
        ("days", r"\b(jh|jours?|days?|charge|j|jours-homme|md|tage|personentage)\b"),
        ("minutes", r"\bmin(ute)?[sn]?\b"),
        ("seconds", r"\bsec(onde?)?s?\b"),
    ):  # fmt: skip
        if re.search(words, bare):
            return unit, ""
    values = looked.values(name)
    numbers = [number for value in values if (number := number_of(value)) is not None]
    if len(numbers) < len(values) * 0.8 or not numbers:
        return "hours", ""  # durations say their units
    whole, largest = all(number == int(number) for number in numbers), max(map(abs, numbers))
    if per == "day" and largest <= 1 and not re.search(_HOURS, bare) and 1 in numbers and _eighths(numbers):
        return "days", tr("not clear: no row is above {largest:g}, days or hours", largest=largest)
    if per != "day" and largest <= FULL[per][0] and not re.search(_HOURS, bare):
        return "days", tr("not clear: no row is above {largest:g}, days or hours", largest=largest)
    if largest <= FULL[per][2]:
        return "hours", _as_clock(values)
    if re.search(_HOURS, bare):
        return "hours", tr("not clear: up to {largest:g} in one row", largest=largest)
    if whole and largest > 24 * 60 and sorted(numbers)[len(numbers) // 2] >= 300:
        return "seconds", tr("not clear: whole numbers up to {largest:g}, taken as seconds", largest=largest)
    if whole and largest <= 24 * 60:
        return "minutes", tr("not clear: whole numbers up to {largest:g}, taken as minutes", largest=largest)
    return "hours", tr("not clear: up to {largest:g} in one row", largest=largest)

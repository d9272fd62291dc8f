"""Words: each message in the language of the configuration. English stands in the code, others in catalogues.

``tr("{count:,} rows of {file}", count=1234, file="x.csv")`` looks its template up and fills it in, numbers
and days as the language writes them. A template that no catalogue has stays English. Catalogues are gettext
files: ``hub/words/fr.mo``, and ``words/fr.mo`` in the package of each plugin; ``make words`` makes them of
what the code says and of the translations in the ``.po`` file beside.
"""

from __future__ import annotations

import gettext
import os
import string
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

Lang = Literal["en", "fr"]
LANGS: tuple[Lang, ...] = ("en", "fr")
_THIN = "\u202f"
"""Between groups of three digits in French (Lexique des règles typographiques, Imprimerie nationale)."""

_lang: Lang = "en"
_spoken: ContextVar[Lang | None] = ContextVar("spoken", default=None)
"""What a thread beside the first one speaks: it answers one reader while another asks in another."""
_reading = threading.Lock()
_packages: set[str] = {"hub"}
_read: set[str] = set()
_looked = 0
"""How many modules were imported when catalogues were last looked for."""
_known: dict[str | tuple[str, int], str] = {}


def use(lang: Lang) -> None:
    """Speak *lang* from now on."""
    global _lang, _looked  # noqa: PLW0603 - one program speaks one language
    if lang != _lang:
        _known.clear()
        _read.clear()
        _looked = 0
    _lang = lang


@contextmanager
def speaking(lang: Lang) -> Iterator[None]:
    """Speak *lang*, then again what was spoken before.

    The first thread speaks for the whole program, as a command does; each other one for itself alone.
    """
    if threading.current_thread() is not threading.main_thread():
        token = _spoken.set(lang)
        try:
            yield
        finally:
            _spoken.reset(token)
        return
    before = _lang
    use(lang)
    try:
        yield
    finally:
        use(before)


def language() -> Lang:
    """Return the language spoken now."""
    return _spoken.get() or _lang


def of_environment(environment: Mapping[str, str] | None = None) -> Lang:
    """Return the language that the environment asks for, for as long as no configuration says one.

    PM_HUB_LANG goes before LC_ALL, LC_MESSAGES and LANG, of which the first that is set is asked.
    """
    known = os.environ if environment is None else environment
    asked = (known[name] for name in ("PM_HUB_LANG", "LC_ALL", "LC_MESSAGES", "LANG") if known.get(name))
    return "fr" if next(asked, "").lower().startswith("fr") else "en"


def hear(package: str) -> None:
    """Let the catalogue of a plugin's *package* be asked too, whether it is imported or not."""
    global _looked  # noqa: PLW0603 - what was read belongs to the one language
    _packages.add(package)
    _looked = 0


def mark(template: str) -> str:
    """Return *template* as it is: a mark for the catalogue on what `tr` is given later."""
    return template


def tr(template: str, /, **values: Any) -> str:
    """Return *template* in the language spoken, with *values* in it.

    ``{count:row|rows}`` is the one word or the other, as the language counts: a sentence may tell of several
    numbers. Without any values it is text, braces and all.
    """
    if language() == "en":
        if not values:
            return template
        return _ENGLISH.vformat(template, (), values) if "|" in template else template.format_map(values)
    found = _translated(template, template)
    return _FRENCH.vformat(found, (), values) if values else found


def trn(one: str, many: str, n: float, /, **values: Any) -> str:
    """Return *one* or *many*, as the language counts *n*, with ``{n}`` and *values* in it."""
    values["n"] = n
    if language() == "en":
        return _ENGLISH.vformat(one if n == 1 else many, (), values)
    return _FRENCH.vformat(_translated((one, int(_is_many(n))), many if n != 1 else one), (), values)


def number(value: float | None, form: str = ",") -> str:
    """Return *value* in the form of a format specification, as the language writes it; nothing for None."""
    if value is None:
        return ""
    return format(value, form) if language() == "en" else _FRENCH.format_field(value, form)


def day(value: date | str | None) -> str:
    """Return a day (a date, or a text that begins with one of ISO 8601) as the language writes it."""
    if value is None or value == "":
        return ""
    found = date.fromisoformat(value[:10]) if isinstance(value, str) else value
    return f"{found:%d/%m/%Y}" if language() == "fr" else f"{found:%Y-%m-%d}"


def enumerated(names: Iterable[str]) -> str:
    """Return names as one names them in a sentence: ``a``, ``a and b``, ``a, b and c``."""
    *others, last = names
    return tr(" and ").join(part for part in (", ".join(others), last) if part)


# ---------- inside ----------


def _is_many(n: float) -> bool:
    """Say whether French has *n* of a thing in the plural: 0 and 1,5 are singular."""
    return abs(n) >= 2


class _English(string.Formatter):
    """Fill templates in with the word for one or for many."""

    def format_field(self, value: Any, format_spec: str) -> str:
        """Return *value* in its form, or the word that goes with it."""
        one, is_choice, many = format_spec.partition("|")
        if not is_choice:
            return str(super().format_field(value, format_spec))
        return one if value in {1, "1"} else many


class _French(string.Formatter):
    """Fill templates in with decimal commas, thin blanks between groups, and days as 31/10/2026."""

    def format_field(self, value: Any, format_spec: str) -> str:
        """Return *value* as French writes it, or the word that goes with it; texts are as they are."""
        one, is_choice, several = format_spec.partition("|")
        if is_choice:
            return one if value in {"0", "1"} or not (isinstance(value, str) or _is_many(value)) else several
        if isinstance(value, date) and not format_spec:
            return f"{value:%d/%m/%Y %H:%M}" if isinstance(value, datetime) else f"{value:%d/%m/%Y}"
        text = str(super().format_field(value, format_spec))
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return text
        return text.translate({ord(","): _THIN, ord("."): ",", ord("%"): f"{_THIN}%"})


_ENGLISH, _FRENCH = _English(), _French()


def _translated(asked: str | tuple[str, int], otherwise: str) -> str:
    found = _known.get(asked)
    if found is None:
        _read_catalogues()
        found = _known.get(asked, otherwise)
    return found


def _read_catalogues() -> None:
    """Read the catalogues of the hub, of the plugins heard of, and of those imported since the last look."""
    global _looked  # noqa: PLW0603 - what was read belongs to the one language
    with _reading:
        if (modules := len(sys.modules)) == _looked:
            return
        imported = {name for name in list(sys.modules) if name.startswith("hub_") and "." not in name}
        for package in sorted((_packages | imported) - _read):
            _read.add(package)
            for folder in _folders(package):
                try:
                    with (folder / "words" / f"{language()}.mo").open("rb") as file:
                        catalogue = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
                except OSError:
                    continue
                for asked, text in catalogue.items():
                    if asked and text:
                        _known.setdefault(asked, text)
        _looked = modules


def _folders(package: str) -> list[Path]:
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return []
    return [Path(place) for place in (spec.submodule_search_locations if spec else None) or ()]

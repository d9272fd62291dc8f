"""Words: each message in the language of the configuration.

English stands in the code, other languages in catalogues. ``tr("{count:,} rows of {file}", count=1234,
file="x.csv")`` looks its template up and fills it in, numbers and days as the language writes them. A
template that no catalogue has stays English. Catalogues are gettext files: ``hub/words/fr.mo``, and
``words/fr.mo`` in the package of each plugin; ``make words`` makes them of what the code says and of the
translations in the ``.po`` file beside.
"""

from __future__ import annotations

import gettext
import os
import string
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from importlib.resources import files
from typing import Any, Literal

Lang = Literal["en", "fr"]
LANGS: tuple[Lang, ...] = ("en", "fr")
_THIN = "\u202f"
"""Between groups of three digits in French.

Lexique des règles typographiques en usage à l'Imprimerie nationale.
"""

_lang: Lang = "en"
_known: dict[str, str] = {}
_read: set[str] = set()


def use(lang: Lang) -> None:
    """Speak *lang* from now on."""
    global _lang  # noqa: PLW0603 - one program speaks one language
    if lang != _lang:
        _known.clear()
        _read.clear()
    _lang = lang


def language() -> Lang:
    """Return the language spoken now."""
    return _lang


def of_environment(environment: Mapping[str, str] | None = None) -> Lang:
    """Return the language that the environment asks for, for as long as no configuration says one.

    It asks by LC_ALL, LC_MESSAGES or LANG.
    """
    known = os.environ if environment is None else environment
    said = next((known[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if known.get(name)), "")
    return "fr" if said.lower().startswith("fr") else "en"


def mark(template: str) -> str:
    """Return *template* as it is: a mark for the catalogue on what `tr` is given later."""
    return template


def tr(template: str, /, **values: Any) -> str:
    """Return *template* in the language spoken, with *values* in it.

    Without any it is text, braces and all.
    """
    found = template if _lang == "en" else _translated(template)
    if not values:
        return found
    return _FORMATTERS[_lang].vformat(found, (), values)


def number(value: float | None, form: str = ",") -> str:
    """Return *value* in the form of a format specification, as the language writes numbers.

    Nothing for None.
    """
    return "" if value is None else _FORMATTERS[_lang].format_field(value, form)


def day(value: date | str | None) -> str:
    """Return a day (a date, or a text that begins with one of ISO 8601) as the language writes it.

    Nothing for None.
    """
    if value is None or value == "":
        return ""
    found = date.fromisoformat(value[:10]) if isinstance(value, str) else value
    return f"{found:%d/%m/%Y}" if _lang == "fr" else f"{found:%Y-%m-%d}"


# ---------- inside ----------


class _English(string.Formatter):
    """Fill templates in as `str.format` does."""

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        return super().get_value(key, args, kwargs)


class _French(_English):
    """Fill templates in with decimal commas, thin blanks between groups, and days as 31/10/2026."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, bool) or not isinstance(value, (int, float, date)):
            return str(super().format_field(value, format_spec))
        if isinstance(value, date) and not format_spec:
            return f"{value:%d/%m/%Y %H:%M}" if isinstance(value, datetime) else f"{value:%d/%m/%Y}"
        text = str(super().format_field(value, format_spec))
        if isinstance(value, date):
            return text
        return text.translate({ord(","): _THIN, ord("."): ",", ord("%"): f"{_THIN}%"})


_FORMATTERS: dict[Lang, _English] = {"en": _English(), "fr": _French()}


def _translated(template: str) -> str:
    found = _known.get(template)
    if found is None:
        _read_catalogues()
        found = _known.get(template, template)
    return found


def _read_catalogues() -> None:
    """Read the catalogues of the hub and of the plugins that were imported since the last look."""
    packages = {name.partition(".")[0] for name in sys.modules if name.startswith("hub_")}
    for package in ("hub", *sorted(packages)):
        if package in _read:
            continue
        _read.add(package)
        try:
            place = files(package) / "words" / f"{_lang}.mo"
            with place.open("rb") as file:
                catalogue = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
        except (OSError, ModuleNotFoundError, TypeError):
            continue
        for template, text in catalogue.items():
            if isinstance(template, str) and template and text:
                _known.setdefault(template, text)

"""Words: templates in two languages, numbers and days as each writes them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from hub import words


@pytest.fixture(autouse=True)
def english_after() -> Iterator[None]:
    """Speak English again."""
    yield
    words.use("en")


@pytest.mark.parametrize(
    ("form", "value", "en", "fr"),
    [
        (",", 1234567, "1,234,567", "1\u202f234\u202f567"),
        (",.1f", 1234.56, "1,234.6", "1\u202f234,6"),
        ("g", 0.5, "0.5", "0,5"),
        ("+.2f", -3.14159, "-3.14", "-3,14"),
        (".0%", 0.25, "25%", "25\u202f%"),
        ("", 7, "7", "7"),
    ],
)
def test_numbers(form: str, value: float, en: str, fr: str) -> None:
    """A comma and thin blanks in French, a point and commas in English."""
    for lang, expected in (("en", en), ("fr", fr)):
        words.use(lang)  # type: ignore[arg-type]

        assert expected == words.number(value, form)
        assert f"<{expected}>" == words.tr(f"<{{n:{form}}}>" if form else "<{n}>", n=value)


def test_days() -> None:
    """31/10/2026 in French; texts that hold a stamp are read too; an instant keeps its time."""
    words.use("fr")

    assert "31/10/2026" == words.day(date(2026, 10, 31)) == words.day("2026-10-31T10:00:00Z")
    assert "le 31/10/2026" == words.tr("le {when}", when=date(2026, 10, 31))
    assert "31/10/2026 09:05" == words.tr("{when}", when=datetime(2026, 10, 31, 9, 5, tzinfo=UTC))
    assert "" == words.day(None) == words.number(None)
    words.use("en")
    assert "2026-10-31" == words.day("2026-10-31")


def test_a_template_without_values_is_text() -> None:
    """Braces in it are braces; a template that no catalogue has stays English; texts are not touched."""
    words.use("fr")

    assert "key = { env = 1.5 }" == words.tr("key = { env = 1.5 }")
    assert "nothing of this 1,234.5 is translated" == words.tr(
        "nothing of this {x} is translated", x="1,234.5"
    )


@pytest.mark.parametrize(
    ("environment", "lang"),
    [
        ({"LANG": "fr_FR.UTF-8"}, "fr"), ({"LC_ALL": "C", "LANG": "fr_FR.UTF-8"}, "en"), ({}, "en"),
        ({"LC_MESSAGES": "fr", "LANG": "en_GB"}, "fr"), ({"LANG": "de_DE"}, "en"),
    ],
)  # fmt: skip
def test_the_environment_speaks_until_a_configuration_does(environment: dict[str, str], lang: str) -> None:
    """LC_ALL before LC_MESSAGES before LANG, as gettext has it."""
    assert lang == words.of_environment(environment)

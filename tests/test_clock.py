"""Instants as tools send them become the store's; what is none is refused with its sender."""

from __future__ import annotations

import pytest

from hub import SourceDataError, civil_day, utc_stamp


@pytest.mark.parametrize(
    ("text", "stamp"),
    [
        ("2026-10-31T23:30:00+02:00", "2026-10-31T21:30:00Z"),
        ("2026-10-31T23:30:00.9876543Z", "2026-10-31T23:30:00Z"),
        ("2026-10-31 23:30:00", "2026-10-31T23:30:00Z"),
        ("", None),
        (None, None),
    ],
)
def test_an_instant_is_in_utc_to_the_second(text: str | None, stamp: str | None) -> None:
    assert stamp == utc_stamp(text, "Acme")


@pytest.mark.parametrize("text", ["31/10/2026", "0001-01-01T00:00:00+14:00", "soon"])
def test_another_text_is_refused_with_its_sender(text: str) -> None:
    with pytest.raises(SourceDataError, match=f"Acme sent '{text}".replace("+", r"\+")):
        utc_stamp(text, "Acme")


def test_a_day_is_that_of_the_zone() -> None:
    assert "2026-11-01" == civil_day("2026-10-31T23:30:00Z", "Europe/Paris")
    assert civil_day(None, "Europe/Paris") is None

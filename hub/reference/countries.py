"""Which countries, and parts of them, have public holidays that are known."""

from __future__ import annotations

import difflib

from hub.words import tr


def unknown_country(country: str, subdivision: str | None = None) -> str | None:
    """Say what is wrong with *country*, or with its *subdivision*.

    None where their public holidays are known.
    """
    import holidays

    parts = holidays.list_supported_countries(include_aliases=True)
    if country not in parts:
        close = difflib.get_close_matches(country.upper(), parts, n=1)
        hint = tr("; did you mean {close}?", close=close[0]) if close else ""
        return tr(
            "{country!r} is not the ISO code of a country whose public holidays are known, such as FR{hint}",
            country=country,
            hint=hint,
        )
    if not subdivision:
        return None
    try:
        holidays.country_holidays(
            country, subdiv=subdivision
        )  # it knows older codes too, which the list leaves out
    except NotImplementedError:
        known = ", ".join(parts[country]) or tr("none")
        return tr(
            "{subdivision!r} is not a part of {country} whose public holidays are known; there are {known}",
            subdivision=subdivision,
            country=country,
            known=known,
        )
    return None

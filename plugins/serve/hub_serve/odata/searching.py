"""``$search``: words that are looked for in the names and titles of a row, without accents and capitals."""

from __future__ import annotations

from hub import tr
from hub_serve.expressions import Values
from hub_serve.odata.names import searched
from hub_serve.odata.options import searched_terms
from hub_serve.odata.scopes import Entities, Made
from hub_serve.refusals import unsupported


def search_condition(text: str, rows: Entities | Made, values: Values, place: str) -> str:
    """Return the condition of the rows that *text* finds. Raises `Refused`."""
    if isinstance(rows, Made):
        raise unsupported(tr("{place}: {what} is not supported.", place=place, what="$apply"), place)
    if not (columns := searched(rows.name)):
        raise unsupported(tr("{name} has no texts to search.", name=rows.name), place)
    either = []
    for words in searched_terms(text):
        parts = []
        for is_there, word in words:
            value = f"lower(strip_accents({values.add(word)}::VARCHAR))"
            found = " OR ".join(
                f"contains(lower(strip_accents({rows.find((one,)).sql})), {value})" for one in columns
            )
            parts.append(f"coalesce({found}, false)" if is_there else f"NOT coalesce({found}, false)")
        either.append(" AND ".join(parts))
    return " OR ".join(f"({one})" for one in either)

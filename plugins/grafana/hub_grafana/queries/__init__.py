"""The SQL of dashboards and alert rules, one file a panel: PostgreSQL, with Grafana's variables."""

from __future__ import annotations

import re
from importlib.resources import files

from hub import Lang

SCHEMA = re.compile(r"\bfeed\.")


def sql_of(name: str, *, schema: str, lang: Lang) -> str:
    """Return the query *name* on the tables of *schema*, its texts in *lang*.

    What it asks of the dashboard stays a variable of Grafana in the format ``sqlstring``, which quotes each
    value: nobody writes SQL by an address.
    """
    text = (files(__package__) / f"{name}.sql").read_text(encoding="utf-8")
    quoted = '"' + schema.replace('"', '""') + '".'
    return SCHEMA.sub(lambda _: quoted, text).replace("{lang}", lang).strip()


def columns_of_query(text: str) -> list[str]:
    """Return the names of the columns of a query, as it says them."""
    body = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    return [quoted or plain for quoted, plain in re.findall(r'\bAS\s+(?:"([^"]+)"|([a-z_]+)\b)', body)]

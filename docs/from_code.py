"""What pages write from the code, in either language: the commands, the measures, the KPIs, the tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from hub.cli import build_cli
from hub.feed import catalogue, measures, model
from hub.words import Lang, speaking

FRENCH = {
    "English": "anglais", "French": "français", "code": "code", "by": "par", "column": "colonne",
    "type": "type", "in DAX, with the feed's names": "en DAX, avec les noms du flux", "": "",
    "definition and edge cases": "définition et cas limites", "Key:": "Clé :", "additive": "additif",
}  # fmt: skip
"""The heads of the tables."""


def commands(lang: Lang) -> str:
    """Return a section per command: what its help says."""
    with speaking(lang):
        return "\n".join(_command(build_cli([]), "hub"))


def _command(command: click.Command, path: str) -> Iterator[str]:
    ctx = click.Context(command, info_name=path, max_content_width=100)
    ctx.terminal_width = 100
    group = isinstance(command, click.Group)
    if not group or command.invoke_without_command:
        yield f"\n## {path}\n\n```text\n{command.get_help(ctx)}\n```"
    for name, sub in command.commands.items() if group else ():
        yield from _command(sub, f"{path} {name}")


def measures_table(lang: Lang) -> str:
    """Return the table of the measures."""
    rows = [(*_both(lang, measures()[code]), f"`{measures()[code].dax}`") for code in model().measures]
    return _table(lang, [*_captions(lang), "in DAX, with the feed's names"], rows)


def kpi_table(lang: Lang) -> str:
    """Return the table of the KPIs."""
    rows = []
    for code, kpi in catalogue().items():
        text = kpi.definition.rstrip(".") + "."
        text += f" *{kpi.edge_cases.rstrip('.')}.*" if kpi.edge_cases else ""
        period = f", {kpi.period}" if kpi.period else ""
        rows.append((code, *_both(lang, kpi), f"{kpi.scope}{period}", text))
    return _table(lang, ["code", *_captions(lang), "by", "definition and edge cases"], rows)


def feed_tables(lang: Lang) -> str:
    """Return a section per table of the feed, with its columns."""
    said = []
    for name, table in model().tables.items():
        first, second = _both(lang, table)
        key = f"{_head(lang, 'Key:')} {', '.join(table.key)}."
        rows = []
        for column, facts in table.columns.items():
            notes = [facts.description] if facts.description else []
            notes += [f"→ {facts.ref}"] if facts.ref else []
            notes += [_head(lang, "additive")] if facts.additive else []
            rows.append((column, facts.type, *_both(lang, facts), "; ".join(notes)))
        said.append(f"\n### {name}\n\n{first} ({second}). {table.description} {key}\n")
        said.append(_table(lang, ["column", "type", *_captions(lang), ""], rows))
    return "\n".join(said)


def _head(lang: Lang, text: str) -> str:
    return FRENCH[text] if lang == "fr" else text


def _captions(lang: Lang) -> tuple[str, str]:
    return ("French", "English") if lang == "fr" else ("English", "French")


def _both(lang: Lang, one: Any) -> tuple[str, str]:
    """Return the captions of *one*, that of the page's language first."""
    return (one.fr, one.en) if lang == "fr" else (one.en, one.fr)


def _table(lang: Lang, heads: list[str], rows: list[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(_head(lang, one) for one in heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)

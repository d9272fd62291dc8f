"""A fact of the feed as a data source: its dimensions around it with their lists, and the hub's measures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from hub import HIERARCHIES, column_captions, measures, model, speaking, table_caption, tr
from hub_tableau import hyper
from hub_tableau.formulas import field, formula
from hub_tableau.source import Calculation, DataSource, Field, told_apart

EXTRACTS = "Data/Extracts"
"""Where a package of Tableau has its extracts."""
_LATEST = ("dim_cut", "is_latest")
_NUMBERS = {"BIGINT": "n0;-0", "DOUBLE": "n#,##0.00;-#,##0.00", "DECIMAL(18,2)": "n#,##0.00;-#,##0.00"}
_DAYS = {"fr": "*dd/mm/yyyy", "en": "*yyyy-mm-dd"}


def data_source(fact: str, lang: str, caption: str, as_of: date, *, history: bool) -> DataSource:
    """Return the data source of *fact*, called *caption*; it shows the latest cut, or with *history* all.

    *as_of* is the day of the latest cut.
    """
    refs, tables = hyper.tables_of(fact)
    with speaking("fr" if lang == "fr" else "en"):  # the language of the feed, whoever publishes it
        fields = tuple(_fields(tables, lang))
        calculations = tuple(_calculations(fact, lang, as_of, {one.caption for one in fields}))
    return DataSource(
        name=fact,
        caption=caption,
        extract=f"{EXTRACTS}/{fact}.hyper",
        tables={one: table_caption(one, lang) for one in (fact, *tables[:-1])},
        fields=fields,
        calculations=calculations,
        relations=(
            *((field(fact, name), _key(target)) for name, target in refs.items()),
            # a list of values hangs on its dimension: who filters by one adds nothing up twice
            *(
                (_key(target), field(table, name))
                for table, pointing in hyper.bridges(refs.values()).items()
                for name, target in pointing.items()
            ),
        ),
        hierarchies={
            (fr if lang == "fr" else en): tuple(field(table, one) for one in levels)
            for table, ((fr, en), levels) in HIERARCHIES.items()
            if table in tables
        },
        only={field(*_LATEST): "1"} if _LATEST[0] in tables and not history else {},
    )


def _key(dimension: str) -> str:
    return field(dimension, model().tables[dimension].key[0])


def number_format(shape: str) -> str:
    """Return a number's format as Tableau writes it: a share is one, others say how they are below zero."""
    if not shape:
        return ""
    return f"p{shape}" if shape.endswith("%") else f"n{shape};-{shape}"


def day_format(lang: str) -> str:
    """Return how days are written in a language."""
    return _DAYS[lang]


def _fields(tables: tuple[str, ...], lang: str) -> Iterator[Field]:
    captions = dict(told_apart(
        (field(table, name), caption, table_caption(table, lang))
        for table in (tables[-1], *tables[:-1])
        for name, caption in column_captions(table, lang).items()
    ))  # fmt: skip
    for table in (tables[-1], *tables[:-1]):
        facts, remotes = model().tables[table], hyper.captions(table, lang)
        for name, column in facts.columns.items():
            is_number = column.type in {"DOUBLE", "DECIMAL(18,2)"}
            yield Field(
                name=field(table, name), table=table, remote=remotes[name], kind=column.type,
                caption=captions[field(table, name)],
                is_measure=(is_number or column.additive) and not column.hidden and not column.flag,
                adds_up=facts.adds_up(name),
                is_hidden=column.hidden or name.endswith("_en" if lang == "fr" else "_fr"),
                format=_yes_no(lang) if column.flag else _format(column.type, lang),
                folder=table_caption(table, lang),
                description=tr(column.description) if column.description else "",
            )  # fmt: skip


def _calculations(fact: str, lang: str, as_of: date, taken: set[str]) -> Iterator[Calculation]:
    """Yield the measures of the fact; which cut they are of, its own columns say."""
    for code, one in measures().items():
        said = formula(one, as_of) if one.table == fact else None
        if said is None:
            continue
        caption = one.fr if lang == "fr" else one.en
        folder = one.folder_fr if lang == "fr" else one.folder_en
        while caption in taken:  # a column of the same name is another thing
            caption = f"{caption} ({folder})"
        taken.add(caption)
        yield Calculation(
            name=f"[{code}]", caption=caption, formula=said, is_text=one.text, is_hidden=one.hidden,
            format=number_format(one.format), folder=folder,
            description=tr(one.description) if one.description else "",
        )  # fmt: skip


def _format(kind: str, lang: str) -> str:
    if kind == "TIMESTAMPTZ":
        return f"{_DAYS[lang]} hh:nn"
    return _DAYS[lang] if kind == "DATE" else _NUMBERS.get(kind, "")


def _yes_no(lang: str) -> str:
    yes, no = ("Oui", "Non") if lang == "fr" else ("Yes", "No")
    return f'*"{yes}";"{yes}";"{no}"'

"""The data dictionary: every table and column of the feed, from the one model."""

from __future__ import annotations

from hub import column_captions, model, number, table_caption, tr, trn
from hub_serve.pages.asked import Asked, NotThere
from hub_serve.pages.blocks import Cell, Column, Facts, Page, Section, Table, count


def dictionary(asked: Asked) -> Page:
    """Return the list of tables."""
    found = model()
    rows = [
        [
            Cell(text=table_caption(name, asked.lang), note=name, href=asked.to(f"/dictionary/{name}")),
            Cell(text=tr(table.description)),
            count(len(table.columns)),
            Cell(text=", ".join(table.key)),
        ]
        for name, table in found.tables.items()
        if not name.startswith("meta_")
    ]
    measures = [
        [
            Cell(text=one.fr if asked.lang == "fr" else one.en, note=name),
            Cell(text=one.sum or one.count or " / ".join(one.ratio or ())),
        ]
        for name, one in found.measures.items()
    ]
    return Page(
        place="/dictionary",
        title=tr("Data dictionary"),
        lead=trn(
            "Contract {contract}: {n} table, as OData, files and dashboards have them.",
            "Contract {contract}: {n} tables, as OData, files and dashboards have them.",
            len(rows),
            contract=found.contract,
        ),
        sections=[
            Section(
                id="tables",
                title=tr("Tables"),
                blocks=[
                    Table(
                        caption=tr("Tables of the feed"),
                        rows=rows,
                        empty="",
                        columns=(
                            Column(name=tr("Table"), wide=True),
                            Column(name=tr("One row is"), wide=True),
                            Column(name=tr("Columns"), align="right"),
                            Column(name=tr("Key"), spare=True),
                        ),
                    )
                ],
            ),
            Section(
                id="measures",
                title=tr("Measures"),
                blocks=[
                    Table(
                        caption=tr("Sums, counts and ratios that dashboards show beside the figures"),
                        rows=measures,
                        empty="",
                        dense=True,
                        columns=(Column(name=tr("Measure"), wide=True), Column(name=tr("Of"))),
                    )
                ],
            ),
        ],
    )


def one_table(asked: Asked, name: str) -> Page:
    """Return the columns of the table *name*. Raises `NotThere`."""
    found = model().tables.get(name)
    if found is None:
        raise NotThere
    captions = column_captions(name, asked.lang)
    rows = []
    for column, facts in found.columns.items():
        notes = [
            tr("key") if column in found.key else "",
            tr("can be summed") if found.adds_up(column) else "",
            tr("for machines") if facts.hidden else "",
            tr("blank below persons and lines") if facts.goes_blank else "",
        ]
        to = asked.to(f"/dictionary/{facts.ref}") if facts.ref else None
        rows.append(
            [
                Cell(text=captions[column], note=column),
                Cell(text=facts.type.lower()),
                Cell(text=tr(facts.description) if facts.description else "–"),
                Cell(text=table_caption(facts.ref, asked.lang) if facts.ref else "–", href=to),
                Cell(text=", ".join(filter(None, notes)) or "–"),
            ]
        )
    n = asked.view.manifest["tables"].get(name, {}).get("rows")
    facts_of = [
        (tr("One row is"), Cell(text=tr(found.description))),
        (tr("Key"), Cell(text=", ".join(found.key))),
        *(((tr("Rows of the feed"), Cell(text=number(n))),) if n is not None and asked.sees_all else ()),
    ]
    return Page(
        place="/dictionary",
        title=table_caption(name, asked.lang),
        lead=name,
        above=[(tr("Data dictionary"), asked.to("/dictionary"))],
        sections=[
            Section(
                id="columns",
                title=tr("Columns"),
                blocks=[
                    Facts(facts=facts_of),
                    Table(
                        caption=trn("{n} column", "{n} columns", len(rows)),
                        rows=rows,
                        empty="",
                        dense=True,
                        columns=(
                            Column(name=tr("Column"), wide=True),
                            Column(name=tr("Type")),
                            Column(name=tr("What it holds"), wide=True),
                            Column(name=tr("Points to"), spare=True),
                            Column(name=tr("Notes"), spare=True),
                        ),
                    ),
                ],
            )
        ],
    )

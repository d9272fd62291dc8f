"""Write the semantic model as TMDL: star schema, measures, hierarchies, roles, translations.

Rules: learn.microsoft.com, TMDL overview.
"""

from __future__ import annotations

from collections.abc import Iterator

from hub import BRIDGE, HIERARCHIES, measures, model, speaking, tr
from hub_powerbi import source_m
from hub_powerbi.made import made
from hub_powerbi.names import DATED, Names, tmdl_name
from hub_powerbi.roles import role, role_name
from hub_powerbi.worded import STEP, STEPS, steps_table, worded

_TYPES = {
    "BIGINT": "int64",
    "DOUBLE": "double",
    "DECIMAL(18,2)": "decimal",
    "VARCHAR": "string",
    "DATE": "dateTime",
    "TIMESTAMPTZ": "dateTime",
}
_CULTURES = {"fr": ("fr-FR", 1036), "en": ("en-US", 1033)}
_HIDDEN_TABLES = {"dim_access", "dim_target", BRIDGE}
INCREMENTAL = ("fact_worklog", "work_date")
"""The fact that can be refreshed by parts, and the date of a row that never changes."""


class Relationship:
    """A fact's column and the dimension's it points to; only one way between two tables is active."""

    def __init__(self, name: str, source: tuple[str, str], target: tuple[str, str], *, active: bool) -> None:
        """Name it and say its ends."""
        self.name, self.source, self.target, self.active = name, source, target, active


def relationships() -> list[Relationship]:
    """Return all relationships: active from facts to dimensions.

    The others serve only measures that ask for them.
    """
    found: list[Relationship] = []
    for table in Names("en").tables:
        taken: set[str] = set()
        columns = model().tables[table].columns
        refs = [
            (name, (column.ref, model().tables[column.ref].key[0]))
            for name, column in columns.items()
            if column.ref
        ]
        if day := DATED.get(table):
            refs.append((day, ("dim_date", "date")))
        for name, target in refs:
            # what rights reach is asked by the role alone, and filters nothing by itself
            active = table.startswith(("fact_", "bridge_")) and table != BRIDGE and target[0] not in taken
            taken.add(target[0])
            found.append(Relationship(f"{table}_{name}", (table, name), target, active=active))
    return found


def model_files(*, name: str, lang: str, location: str, incremental_months: int | None) -> dict[str, str]:
    """Return the files of ``definition/`` by their path there.

    *location* is where the files of the feed lie; *incremental_months* refreshes the timesheets by parts, the
    last ones again each time.
    """
    with speaking("fr" if lang == "fr" else "en"):  # the language of the feed, whoever publishes it
        return _model_files(name, lang, location, incremental_months)


def _model_files(name: str, lang: str, location: str, incremental_months: int | None) -> dict[str, str]:
    names = Names(lang)
    culture, lcid = _CULTURES[lang]
    other, _ = _CULTURES["en" if lang == "fr" else "fr"]
    files = {
        "database.tmdl": (
            f"database {tmdl_name(name)}\n\tcompatibilityLevel: 1520\n\tcompatibilityMode: powerBI\n"
            f"\tlanguage: {lcid}\n"
        ),
        "model.tmdl": "\n".join(
            [
                "model Model",
                f"\tculture: {culture}",
                "\tdefaultPowerBIDataSourceVersion: powerBI_V3",
                f"\tsourceQueryCulture: {culture}",
                "",
                *(
                    f"ref table {tmdl_name(caption)}"
                    for caption in [names.measures_table, names.steps_table, *names.tables.values()]
                ),
                "",
                f"ref role {tmdl_name(role_name(names))}",
                "",
                f"ref cultureInfo {other}",
                "",
            ]
        ),
        "expressions.tmdl": _expressions(location, incremental=incremental_months is not None),
        "relationships.tmdl": "\n".join(
            line for one in relationships() for line in _relationship(one, names)
        ),
        f"cultures/{other}.tmdl": "\n".join(_translations(names, other)),
    }
    files[f"tables/{file_name(names.measures_table)}.tmdl"] = "\n".join(_measures_table(names))
    files[f"tables/{file_name(names.steps_table)}.tmdl"] = "\n".join(steps_table(lang))
    for table, caption in names.tables.items():
        files[f"tables/{file_name(caption)}.tmdl"] = "\n".join(_table(table, names, incremental_months))
    files[f"roles/{file_name(role_name(names))}.tmdl"] = "\n".join(role(names))
    return files


def file_name(name: str) -> str:
    """Return *name* without what a file's name may not hold."""
    return "".join("_" if letter in '<>:"/\\|?*' else letter for letter in name)


def _expressions(location: str, *, incremental: bool) -> str:
    lines = []
    for name, expression in source_m.parameters(location).items():
        lines += [f"expression {name} = {expression}", ""]
    lines += ["expression HubTable ="]
    lines += [f"\t\t{line}" for line in source_m.reader(location).split("\n")]
    for name, year in (("RangeStart", 2000), ("RangeEnd", 2100)) if incremental else ():
        lines += [
            "",
            (
                f"expression {name} = #datetime({year}, 1, 1, 0, 0, 0) meta [IsParameterQuery=true, "
                'Type="DateTime", IsParameterQueryRequired=true]'
            ),
        ]
    return "\n".join([*lines, ""])


def _relationship(one: Relationship, names: Names) -> Iterator[str]:
    yield f"relationship {one.name}"
    if not one.active:
        yield "\tisActive: false"
    if one.active and one.source[0].startswith(
        "bridge_"
    ):  # a chosen label narrows the tasks, and with them the facts
        yield "\tcrossFilteringBehavior: bothDirections"
    for side, (table, column) in (("fromColumn", one.source), ("toColumn", one.target)):
        yield f"\t{side}: {tmdl_name(names.tables[table])}.{tmdl_name(names.columns[table][column])}"
    yield ""


def _table(table: str, names: Names, incremental_months: int | None) -> Iterator[str]:
    facts = model().tables[table]
    if facts.description:
        yield f"/// {tr(facts.description)}"
    yield f"table {tmdl_name(names.tables[table])}"
    if table in _HIDDEN_TABLES:
        yield "\tisHidden"
    if table == "dim_date":
        yield "\tdataCategory: Time"
    yield ""
    for name in facts.columns:
        yield from _column(table, name, names)
    for name, one in made().get(table, {}).items():
        shape = _format(one.format, names.lang)
        yield from (
            f"\tcolumn {tmdl_name(names.columns[table][name])}",
            f"\t\tdataType: {one.type}",
            *(["\t\tisHidden"] if one.hidden else []),
            *([f"\t\tformatString: {shape}"] if shape else []),
            "\t\tsummarizeBy: none",
            f"\t\tsourceColumn: {name}",
            "",
        )
    if table in HIERARCHIES:
        (fr, en), levels = HIERARCHIES[table]
        yield f"\thierarchy {tmdl_name(fr if names.lang == 'fr' else en)}"
        for level in levels:
            caption = tmdl_name(names.columns[table][level])
            yield from ("", f"\t\tlevel {caption}", f"\t\t\tcolumn: {caption}")
        yield ""
    ranged = incremental_months is not None and table == INCREMENTAL[0]
    source = source_m.query(table, lang=names.lang, range_on=INCREMENTAL[1] if ranged else None).split("\n")
    yield from (
        f"\tpartition {tmdl_name(names.tables[table])} = m",
        "\t\tmode: import",
        "\t\tsource =",
        *(f"\t\t\t\t{line}" for line in source),
        "",
    )
    if ranged:
        yield from (
            "\trefreshPolicy",
            "\t\tpolicyType: basic",
            "\t\trollingWindowGranularity: year",
            "\t\trollingWindowPeriods: 10",
            "\t\tincrementalGranularity: month",
            f"\t\tincrementalPeriods: {incremental_months}",
            "\t\tsourceExpression =",
            *(f"\t\t\t\t{line}" for line in source),
            "",
        )


_SORTED_BY = {
    ("dim_cut", "label"): "ordinal",
    **{("dim_status", name): "sort_order" for name in ("category", "label_fr", "label_en")},
}


def _column(table: str, name: str, names: Names) -> Iterator[str]:
    facts = model().tables[table]
    column = facts.columns[name]
    if column.description:
        yield f"\t/// {tr(column.description)}"
    yield f"\tcolumn {tmdl_name(names.columns[table][name])}"
    yield f"\t\tdataType: {_TYPES[column.type]}"
    if (table, name) == ("dim_date", "date"):
        yield "\t\tisKey"
    if column.hidden or name.endswith("_en" if names.lang == "fr" else "_fr"):
        yield "\t\tisHidden"
    shape = _yes_no(names.lang) if column.flag else _format(column.type, names.lang)
    if shape:
        yield f"\t\tformatString: {shape}"
    yield f"\t\tsummarizeBy: {'sum' if facts.adds_up(name) else 'none'}"
    yield f"\t\tsourceColumn: {name}"
    if name == "url":
        yield "\t\tdataCategory: WebUrl"
    if (table, name) in _SORTED_BY:
        yield f"\t\tsortByColumn: {tmdl_name(names.columns[table][_SORTED_BY[table, name]])}"
    yield ""


def _yes_no(lang: str) -> str:
    """Return the format of a flag; TMDL doubles the quotes of a text that begins and ends with one."""
    yes, no = ("Oui", "Non") if lang == "fr" else ("Yes", "No")
    return f'"""{yes}"";""{yes}"";""{no}"""'


def _format(kind: str, lang: str) -> str:
    if kind == "DATE":
        return "dd/mm/yyyy" if lang == "fr" else "yyyy-mm-dd"
    if kind == "TIMESTAMPTZ":
        return "dd/mm/yyyy hh:nn" if lang == "fr" else "yyyy-mm-dd hh:nn"
    return {"BIGINT": "0", "DOUBLE": "#,##0.00", "DECIMAL(18,2)": "#,##0.00"}.get(kind, "")


def _measures_table(names: Names) -> Iterator[str]:
    yield from ("/// Every measure of the hub.", f"table {tmdl_name(names.measures_table)}", "")
    for code, one in measures().items():
        if one.description:
            yield f"\t/// {tr(one.description)}"
        yield f"\tmeasure {tmdl_name(names.measures[code])} = {names.dax(one.dax)}"
        if one.hidden:
            yield "\t\tisHidden"
        if one.format:
            yield f"\t\tformatString: {one.format}"
        yield f"\t\tdisplayFolder: {names.folder(one)}"
        yield ""
    for code, word in worded().items():
        dax = word.dax_fr if names.lang == "fr" else word.dax_en
        yield f"\tmeasure {tmdl_name(names.measures[code])} = {names.dax(dax)}"
        if word.hidden:
            yield "\t\tisHidden"
        if word.format:
            yield f"\t\tformatString: {word.format}"
        yield f"\t\tdisplayFolder: {names.folder(word)}"
        yield ""
    yield from (
        "\tcolumn n",
        "\t\tdataType: int64",
        "\t\tisHidden",
        "\t\tformatString: 0",
        "\t\tsummarizeBy: none",
        "\t\tsourceColumn: n",
        "",
    )
    yield from (f"\tpartition {tmdl_name(names.measures_table)} = m", "\t\tmode: import", "\t\tsource =",
                "\t\t\t\t#table(type table [n = Int64.Type], {{0}})", "")  # fmt: skip


def _translations(names: Names, culture: str) -> Iterator[str]:
    other = Names("en" if names.lang == "fr" else "fr")
    yield from (f"cultureInfo {culture}", "", "\ttranslations", "\t\tmodel Model")
    yield f"\t\t\ttable {tmdl_name(names.measures_table)}"
    yield f"\t\t\t\tcaption: {other.measures_table}"
    for code, caption in names.measures.items():
        if caption != other.measures[code]:
            yield from (f"\t\t\t\tmeasure {tmdl_name(caption)}", f"\t\t\t\t\tcaption: {other.measures[code]}")
    mine = 0 if names.lang == "fr" else 1
    yield f"\t\t\ttable {tmdl_name(STEPS[mine])}"
    yield f"\t\t\t\tcaption: {STEPS[1 - mine]}"
    yield from (f"\t\t\t\tcolumn {tmdl_name(STEP[mine])}", f"\t\t\t\t\tcaption: {STEP[1 - mine]}")
    for table, caption in names.tables.items():
        yield from (f"\t\t\ttable {tmdl_name(caption)}", f"\t\t\t\tcaption: {other.tables[table]}")
        for column, text in names.columns[table].items():
            if text != other.columns[table][column]:
                yield from (
                    f"\t\t\t\tcolumn {tmdl_name(text)}",
                    f"\t\t\t\t\tcaption: {other.columns[table][column]}",
                )
    yield ""

"""Measures of the pictures alone: what a colour or trend is called, shades of cells, steps of a waterfall.

They are of Power BI and of one language; figures are the hub's.
"""

from __future__ import annotations

import msgspec

from hub import CONFIDENCE, DECLARED, HEALTH, TREND

RED, AMBER, GREEN, GREY = "#B3261E", "#E0A100", "#2E7D4F", "#8A949E"
BLUE, TEXT = "#1F3A5F", "#22303C"
_RISK = "MAX(fact_register[probability_band]) * MAX(fact_register[impact])"
_SAID = {
    "red": ("■", "Rouge", "Red"), "amber": ("▲", "Orange", "Amber"), "green": ("●", "Vert", "Green"),
    "better": ("↗", "Mieux", "Better"), "same": ("→", "Stable", "Stable"),
    "worse": ("↘", "Moins bien", "Worse"),
    "low": ("◔", "Faible", "Low"), "medium": ("◑", "Moyenne", "Medium"), "high": ("●", "Élevée", "High"),
}  # fmt: skip
"""A code, its symbol, and what it is called in French and in English."""


class Worded(msgspec.Struct, frozen=True, kw_only=True):
    """One measure: its *code*, captions, folders, DAX by language and number format."""

    code: str
    fr: str
    en: str
    folder_fr: str
    folder_en: str
    dax_fr: str
    dax_en: str
    format: str = ""
    hidden: bool = False


def _shown(code: str, of: str, values: tuple[str, ...], fr: str, en: str) -> list[Worded]:
    """Return the word of the measure *of*, whose *values* are codes: bare, and with its symbol before it."""
    found = []
    for suffix, signed, after_fr, after_en in (
        ("name", False, "", ""), ("word", True, " et symbole", " and symbol"),
    ):  # fmt: skip
        told = []
        for lang in (1, 2):
            said = {
                one: f"{_SAID[one][0]} {_SAID[one][lang]}" if signed else _SAID[one][lang] for one in values
            }
            cases = ", ".join(f'"{value}", "{text}"' for value, text in said.items())
            told.append(f"SWITCH([{of}], {cases})")
        found.append(
            Worded(
                code=f"{code}_{suffix}",
                fr=fr + after_fr,
                en=en + after_en,
                folder_fr="Affichage",
                folder_en="Display",
                dax_fr=told[0],
                dax_en=told[1],
            )
        )
    return found


def worded() -> dict[str, Worded]:
    """Return the measures by code."""
    colours = ("red", "amber", "green")
    found = [
        *_shown("weather", HEALTH, colours, "Météo", "Weather"),
        *_shown("declared", DECLARED, colours, "Météo du comité", "Weather of the committee"),
        *_shown("trend", TREND, ("better", "same", "worse"), "Évolution", "Movement"),
        *_shown("confidence", CONFIDENCE, ("low", "medium", "high"), "Confiance accordée",
                "Confidence given"),
        *_shaded("load", "VAR shown_load = [load_at_hand] ", "ISBLANK(shown_load)", "shown_load > 1",
                 "shown_load > 0.85", "Charge", "Load shown"),
        *_shaded("risk", f"VAR shown_weight = {_RISK} ", "ISBLANK(shown_weight)", "shown_weight >= 15",
                 "shown_weight >= 6", "Criticité", "Criticality shown"),
        _waterfall(),
    ]  # fmt: skip
    return {one.code: one for one in found}


def _shaded(code: str, of: str, none: str, red: str, amber: str, fr: str, en: str) -> list[Worded]:
    """Return the colours of a cell by two limits; a load and a weight are figures, which the cell shows."""
    shades = {"colour": (RED, AMBER, GREEN), "ink": ("#FFFFFF", TEXT, "#FFFFFF")}
    names = {"colour": (f"{fr}, couleur", f"{en}, colour"),
             "ink": (f"{fr}, couleur du texte", f"{en}, colour of the text")}  # fmt: skip
    found = []
    for suffix, (high, middle, low) in shades.items():
        dax = f'{of}RETURN IF(NOT {none}, IF({red}, "{high}", IF({amber}, "{middle}", "{low}")))'
        found.append(
            Worded(
                code=f"{code}_{suffix}",
                fr=names[suffix][0],
                en=names[suffix][1],
                folder_fr="Affichage",
                folder_en="Display",
                dax_fr=dax,
                dax_en=dax,
                hidden=True,
            )
        )
    return found


STEPS = ("Étapes", "Steps")
STEP = ("Étape", "Step")
"""A table of two rows, of this model alone: what a waterfall begins and ends with."""


def _waterfall() -> Worded:
    """Return the budget at the first step and the landing at the second, of projects that land somewhere."""
    dax = [
        "VAR landed = FILTER(VALUES(dim_project[project_key]), NOT ISBLANK([LANDING landing])) "
        f"RETURN SWITCH(SELECTEDVALUE('{table}'[n], 2), 1, SUMX(landed, [LANDING budget]), 2, "
        "SUMX(landed, [LANDING landing]))"
        for table in STEPS
    ]
    return Worded(
        code="waterfall", fr="Du budget à l'atterrissage", en="From budget to landing", folder_fr="Budget",
        folder_en="Money", dax_fr=dax[0], dax_en=dax[1], format="#,##0",
    )  # fmt: skip


def steps_table(lang: str) -> list[str]:
    """Return the lines of the table of steps."""
    french = lang == "fr"
    rows = '{1, "Budget"}, {2, "Atterrissage"}' if french else '{1, "Budget"}, {2, "Landing"}'
    table, step = (STEPS[0], STEP[0]) if french else (STEPS[1], STEP[1])
    told = "Where the waterfall begins and ends." if not french else "Où la cascade commence et finit."
    return [
        f"/// {told}", f"table {_quoted(table)}", "",
        f"\tcolumn {_quoted(step)}", "\t\tdataType: string", "\t\tsummarizeBy: none",
        "\t\tsourceColumn: label",
        "\t\tsortByColumn: n", "",
        "\tcolumn n", "\t\tdataType: int64", "\t\tisHidden", "\t\tformatString: 0", "\t\tsummarizeBy: none",
        "\t\tsourceColumn: n", "",
        f"\tpartition {_quoted(table)} = m", "\t\tmode: import", "\t\tsource =",
        f"\t\t\t\t#table(type table [n = Int64.Type, label = text], {{{rows}}})", "",
    ]  # fmt: skip


def _quoted(name: str) -> str:
    return name if name.isascii() else f"'{name}'"

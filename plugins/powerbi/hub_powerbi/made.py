"""Columns that the model makes of the feed's: codes in words, a month's first day, the band of a probability.

Codes stay beside the words, since measures and reports ask for them.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

MONTH = "month_start"
MONTHS = {"fact_budget", "fact_adoption"}
"""Facts that know a month as text.

They get a column with its first day, which the calendar can be joined to.
"""
BAND = "probability_band"


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """One column: its captions, its type in TMDL and in M, and the M that makes it of a row, by language."""

    fr: str
    en: str
    type: str
    m_type: str
    m_fr: str
    m_en: str
    format: str = ""
    hidden: bool = False


Words = dict[str, tuple[str, str]]
"""A code, and what it is called in French and in English."""
_COLOURS: Words = {
    "red": ("■ Rouge", "■ Red"), "amber": ("▲ Orange", "▲ Amber"), "green": ("● Vert", "● Green"),
    "grey": ("◆ Sans météo", "◆ No weather"),
}  # fmt: skip
_TRENDS: Words = {"up": ("↗ Mieux", "↗ Better"), "flat": ("→ Stable", "→ Stable"),
                  "down": ("↘ Moins bien", "↘ Worse")}  # fmt: skip
_TOPICS: Words = {
    "milestone": ("Jalon", "Milestone"), "effort": ("Effort", "Effort"), "budget": ("Budget", "Budget"),
    "risk": ("Registre", "Register"), "scope": ("Périmètre", "Scope"),
}  # fmt: skip
_CAUSES: Words = {
    "news": ("Nouveau", "News"), "correction": ("Correction", "Correction"),
    "definition changed": ("Définition changée", "Definition changed"),
}  # fmt: skip
_KINDS: Words = {
    "risk": ("Risque", "Risk"), "issue": ("Problème", "Issue"), "action": ("Action", "Action"),
    "decision": ("Décision", "Decision"),
}  # fmt: skip
_STATES: Words = {
    "open": ("Ouvert", "Open"), "closed": ("Clos", "Closed"), "cancelled": ("Abandonné", "Cancelled"),
}  # fmt: skip
_MEASURES: Words = {
    "added": ("ajout", "added"), "removed": ("retrait", "removed"), "finish": ("fin", "finish"),
    "spent": ("consommé", "spent"), "remaining": ("reste à faire", "to do"),
    "baseline": ("référence", "baseline"), "at completion": ("à terminaison", "at completion"),
    "amount": ("montant", "amount"),
    **{
        f"{kind} {state}": (f"{fr.lower()}, {said_fr}", f"{en.lower()} {said_en}")
        for kind, (fr, en) in _KINDS.items()
        for state, said_fr, said_en in (
            ("opened", "nouveau", "opened"), ("open", "rouvert", "opened again"),
            ("closed", "clos", "closed"), ("changed", "modifié", "changed"), ("removed", "retiré", "removed"),
        )
    },
}  # fmt: skip
_ITEMS: Words = {
    "baseline": ("budget initial", "baseline budget"), "revised": ("budget révisé", "revised budget"),
    "committed": ("engagé", "committed"), "consumed": ("consommé", "consumed"),
    "forecast": ("prévu", "forecast"), "raf": ("reste à faire", "to do"), "consomme": ("consommé", "spent"),
    "a_terminaison": ("à terminaison", "at completion"), "bac": ("référence", "baseline"),
    "tasks": ("tâches", "tasks"),
}  # fmt: skip
WORDS: dict[tuple[str, str], tuple[str, str, Words]] = {
    ("fact_assessment", "rag"): ("Météo en clair", "Health in words", _COLOURS),
    ("fact_assessment", "trend"): ("Tendance en clair", "Trend in words", _TRENDS),
    ("fact_move", "topic"): ("Sujet en clair", "Topic in words", _TOPICS),
    ("fact_move", "cause"): ("Cause en clair", "Cause in words", _CAUSES),
    ("fact_move", "measure"): ("Mesure en clair", "Measure in words", _MEASURES),
    ("fact_move", "item"): ("Élément en clair", "Item in words", _ITEMS),
    ("fact_register", "kind"): ("Type en clair", "Kind in words", _KINDS),
    ("fact_register", "state"): ("État en clair", "State in words", _STATES),
}
"""Codes that reports show in words: captions of the column beside, and the words."""


def words_of(column: str) -> str:
    """Return the name of the column with the words of the code *column*."""
    return f"{column}_words"


def made() -> dict[str, dict[str, Made]]:
    """Return the columns that are made, by table and name."""
    found: dict[str, dict[str, Made]] = {}
    for table in sorted(MONTHS):
        m = 'Date.FromText([year_month] & "-01", [Format = "yyyy-MM-dd"])'
        found[table] = {
            MONTH: Made(
                fr="Premier du mois", en="First of month", type="dateTime", m_type="type date", m_fr=m,
                m_en=m, format="DATE", hidden=True,
            )
        }  # fmt: skip
    for (table, column), (fr, en, words) in WORDS.items():
        found.setdefault(table, {})[words_of(column)] = Made(
            fr=fr, en=en, type="string", m_type="type text", m_fr=_said(column, words, 0),
            m_en=_said(column, words, 1),
        )  # fmt: skip
    band = "List.Max({1, List.Min({5, Number.RoundUp([probability] * 5)})})"
    m = f"if [probability] = null then null else {band}"
    found["fact_register"][BAND] = Made(
        fr="Probabilité (1 à 5)", en="Probability (1 to 5)", type="int64", m_type="Int64.Type", m_fr=m,
        m_en=m, format="BIGINT",
    )  # fmt: skip
    return found


def _said(column: str, words: Words, lang: int) -> str:
    listed = ", ".join(f'#"{code}" = "{said[lang]}"' for code, said in words.items())
    return f"if [{column}] = null then null else Record.FieldOrDefault([{listed}], [{column}], [{column}])"


def steps(table: str, lang: str, last: str) -> Iterator[tuple[str, str]]:
    """Yield name and M of the steps that add what is made to *table*, whose rows the step *last* has."""
    for number, (name, one) in enumerate(made().get(table, {}).items(), 1):
        step = f"Made{number}"
        m = one.m_fr if lang == "fr" else one.m_en
        yield step, f'Table.AddColumn({last}, "{name}", each {m}, {one.m_type})'
        last = step

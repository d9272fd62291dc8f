"""Pages that show when one points at a figure: what it means, its value there, how to have its receipt."""

from __future__ import annotations

from hub import HEALTH, Measure, measures, tr
from hub_powerbi.report.shapes import Page, Visual, row
from hub_powerbi.worded import Worded, worded

_EXPLAINED = {
    "weather": (HEALTH, "weather_word", "EVM_DAYS"),
    "effort": ("RAF raf", "RAF raf", "RAF"),
    "evm": ("EVM_DAYS cpi", "EVM_DAYS cpi", "EVM_DAYS"),
    "landing": ("LANDING variance", "LANDING variance", "LANDING"),
    "slip": ("MILESTONE_SLIP slip_days", "MILESTONE_SLIP slip_days", "MILESTONE_SLIP"),
    "risk": ("RISK expected_exposure", "RISK expected_exposure", "RISK"),
    "load": ("LOAD_TEAM load", "LOAD_TEAM load", "LOAD_TEAM"),
    "lead": ("LEAD_P85 p85", "LEAD_P85 p85", "LEAD_P85"),
    "sla": ("SLA compliance", "SLA compliance", "SLA"),
    "quality": ("DQ_SCORE score", "DQ_SCORE score", "DQ_SCORE"),
}
"""By page: the measure whose definition is told, the one whose value is shown, the KPI that has a receipt."""


def tip(code: str) -> str:
    """Return the code of the page that explains *code*."""
    return f"tip {code}"


def tips() -> tuple[Page, ...]:
    """Return the pages; the definitions are in the language that is spoken."""
    return tuple(_tip(code, *of) for code, of in _EXPLAINED.items())


def _tip(code: str, measure: str, shown: str, kpi: str) -> Page:
    known = measures()
    one = known[measure]
    value: Measure | Worded = worded()[shown] if shown in worded() else known[shown]
    definition = tr(one.description)
    receipt = f"hub explain {kpi} --project CODE"
    text = (
        (one.fr, definition, f"Le justificatif : {receipt}"),
        (one.en, definition, f"Its receipt: {receipt}"),
    )
    return Page(
        code=tip(code), fr=f"Info : {one.fr}", en=f"Info: {one.en}", kind="tip", width=360, height=290,
        rows=(
            row(Visual(key="definition", kind="textbox", fr=one.fr, en=one.en, text=text)),
            row(
                Visual(key="value", kind="card", fr=value.fr, en=value.en, roles={"Values": (shown,)}),
                height=70,
            ),
        ),
    )  # fmt: skip

"""The pictures of the workbook.

Effort and landing, budget, slip of milestones over the cuts, and the heat map of teams and months.
"""

from __future__ import annotations

from typing import Any

MOST_LINES = 8
"""Projects in the picture of slips, at most: those that slip most now."""
TEXTS = {
    "fr": {
        "charts": "Graphiques", "capacity": "Capacité", "title": "Charge, budget et jalons en images",
        "effort": "Passé + reste à faire, face à la référence (JH)",
        "spent": "Passé", "to_do": "Reste à faire", "baseline": "Référence",
        "money": "Budget et atterrissage", "budget": "Budget", "landing": "Atterrissage",
        "at_least": "Atterrissage, au moins",
        "slips": "Pire glissement de jalon, arrêté après arrêté (jours)",
        "figures": "Les chiffres de ces graphiques", "project": "Projet", "cut": "Arrêté",
        "c_title": "Part affectée de la capacité, par équipe et par mois", "team": "Équipe",
        "none": "Pas encore de chiffres à montrer.", "now": "Maintenant",
    },
    "en": {
        "charts": "Charts", "capacity": "Capacity", "title": "Effort, money and milestones in pictures",
        "effort": "Spent + to do, against the baseline (days)",
        "spent": "Spent", "to_do": "To do", "baseline": "Baseline", "money": "Budget and landing",
        "budget": "Budget", "landing": "Landing", "at_least": "Landing, at least",
        "slips": "Worst slip of a milestone, cut after cut (days)", "figures": "The figures of these charts",
        "project": "Project", "cut": "Cut",
        "c_title": "Allocated share of capacity, by team and month", "team": "Team",
        "none": "No figures to show yet.", "now": "Now",
    },
}  # fmt: skip
_FIGURES_SQL = """
SELECT p.code, max(f.value) FILTER (f.kpi = 'RAF' AND f.measure = 'consomme') AS spent,
    max(f.value) FILTER (f.kpi = 'RAF' AND f.measure = 'raf') AS to_do,
    max(f.value) FILTER (f.kpi = 'EVM_DAYS' AND f.measure = 'bac') AS baseline,
    max(f.value) FILTER (f.kpi = 'LANDING' AND f.measure = 'budget') AS budget,
    max(f.value) FILTER (f.kpi = 'LANDING' AND f.measure = 'landing') AS landing,
    CASE WHEN landing IS NULL
        THEN max(f.value) FILTER (f.kpi = 'LANDING' AND f.measure = 'landing_at_least') END AS at_least
FROM fact_kpi f JOIN dim_project p USING (project_key)
    JOIN dim_cut c ON c.cut_key = f.cut_key AND c.is_latest = 1
WHERE f.scope_kind = 'project' AND f.period = '' AND p.project_key <> -1
GROUP BY 1 HAVING count(f.value) > 0 ORDER BY 1
"""
_SLIPS_SQL = """
SELECT p.code, c.cut_key, c.as_of, c.label, f.value FROM fact_kpi f JOIN dim_project p USING (project_key)
    JOIN dim_cut c USING (cut_key)
WHERE f.kpi = 'MILESTONE_SLIP' AND f.measure = 'slip_days' AND f.scope_kind = 'project'
    AND f.value IS NOT NULL
"""
_CAPACITY_SQL = """
SELECT p.person_label, f.year_month AS month, sum(f.allocated_s) / nullif(sum(f.capacity_s), 0) AS share
FROM (SELECT f.*, p.team FROM fact_capacity_week f JOIN dim_person p USING (person_key)) f
    JOIN (SELECT person_key, coalesce(team, person_label) AS person_label FROM dim_person) p
    USING (person_key), (SELECT as_of FROM dim_cut WHERE is_latest = 1) c
WHERE f.year_month BETWEEN strftime(c.as_of - INTERVAL 3 MONTH, '%Y-%m')
    AND strftime(c.as_of + INTERVAL 6 MONTH, '%Y-%m')
GROUP BY 1, 2 HAVING sum(f.capacity_s) > 0 ORDER BY 1, 2
"""
_COLOURS = ("#1F3A5F", "#C0392B", "#27AE60", "#E67E22", "#8E44AD", "#16A085", "#7F8C8D", "#2980B9")
_SIZE = {"width": 640, "height": 330}


def write_charts(book: Any) -> None:
    """Fill the sheets ``charts`` and ``capacity`` of *book*, the workbook being written."""
    t = TEXTS[book.feed.lang]
    sheet = book.head_of("charts", t["title"])
    figures = book.rows(_FIGURES_SQL)
    slips = _slips(book, t["now"])
    if not figures and not slips:
        sheet.write(4, 0, t["none"])
    else:
        _pictures(book, sheet, t, figures, slips)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    _capacity(book, t)


def _pictures(
    book: Any,
    sheet: Any,
    t: dict[str, str],
    figures: list[Any],
    slips: tuple[list[str], list[list[Any]]] | None,
) -> None:
    first = 42  # below the pictures
    sheet.write(first - 2, 0, t["figures"], book.title)
    name = t["charts"]
    if figures:
        headers = (
            t["project"],
            t["spent"],
            t["to_do"],
            t["baseline"],
            t["budget"],
            t["landing"],
            t["at_least"],
        )
        after = book.table(
            sheet,
            first,
            headers,
            figures,
            (None, *(book.number,) * 3, *(book.whole,) * 3),
            (12, *(13,) * 6),
            "Charted",
        )
        last = first + len(figures)

        def series(column: int, colour: str) -> dict[str, Any]:
            return {
                "name": headers[column],
                "categories": [name, first + 1, 0, last, 0],
                "values": [name, first + 1, column, last, column],
                "fill": {"color": colour},
                "border": {"none": True},
                "gap": 60,
            }

        effort = book.book.add_chart({"type": "column", "subtype": "stacked"})
        effort.add_series(series(1, "#1F3A5F"))
        effort.add_series(series(2, "#9DB8D9"))
        line = book.book.add_chart({"type": "line"})
        line.add_series(
            {
                "name": headers[3],
                "categories": [name, first + 1, 0, last, 0],
                "values": [name, first + 1, 3, last, 3],
                "line": {"none": True},
                "marker": {
                    "type": "long_dash",
                    "size": 9,
                    "fill": {"color": "#C0392B"},
                    "border": {"color": "#C0392B"},
                },
            }
        )
        effort.combine(line)
        _place(sheet, effort, 3, 0, t["effort"])
        money = book.book.add_chart({"type": "column"})
        money.add_series(series(4, "#9DB8D9"))
        money.add_series(series(5, "#E67E22"))
        money.add_series(series(6, "#F5CBA7"))
        _place(sheet, money, 3, 7, t["money"])
    else:
        after = first
    if slips:
        labels, lines = slips
        book.table(
            sheet,
            after + 1,
            (t["cut"], *labels),
            lines,
            (None, *(book.whole,) * len(labels)),
            (12, *(13,) * max(5, len(labels))),
            "Slips",
        )
        trend = book.book.add_chart({"type": "line"})
        top, bottom = after + 2, after + 1 + len(lines)
        for number, label in enumerate(labels, start=1):
            trend.add_series(
                {
                    "name": label,
                    "categories": [name, top, 0, bottom, 0],
                    "values": [name, top, number, bottom, number],
                    "line": {"color": _COLOURS[number - 1], "width": 2},
                    "marker": {"type": "circle", "size": 5, "fill": {"color": _COLOURS[number - 1]}},
                }
            )
        trend.show_blanks_as("span")
        _place(sheet, trend, 21, 0, t["slips"])


def _place(sheet: Any, chart: Any, row: int, column: int, title: str) -> None:
    chart.set_title({"name": title, "name_font": {"size": 12, "color": "#1F3A5F"}})
    chart.set_legend({"position": "bottom"})
    chart.set_y_axis(
        {"major_gridlines": {"visible": True, "line": {"color": "#DDDDDD"}}, "num_format": "#,##0"}
    )
    chart.set_size(_SIZE)
    sheet.insert_chart(row, column, chart, {"object_position": 3, "description": title})


def _slips(book: Any, now: str) -> tuple[list[str], list[list[Any]]] | None:
    """Return the projects that slip most now, and one line a cut with the slip of each.

    None where nothing has a baseline.
    """
    rows = book.rows(_SLIPS_SQL)
    if not rows:
        return None
    cuts = sorted({(as_of, key == 0, key, label) for _, key, as_of, label, _ in rows})
    value = {(code, key): float(slip) for code, key, _, _, slip in rows}
    latest = 0 if any(key == 0 for _, _, key, _ in cuts) else cuts[-1][2]
    worst = sorted({code for code, *_ in rows}, key=lambda code: (-value.get((code, latest), -1e9), code))[
        :MOST_LINES
    ]
    lines = [
        [now if key == 0 else label, *(value.get((code, key)) for code in worst)] for _, _, key, label in cuts
    ]
    return worst, lines


def _capacity(book: Any, t: dict[str, str]) -> None:
    sheet = book.head_of("capacity", t["c_title"])
    rows = book.rows(_CAPACITY_SQL)
    if not rows:
        sheet.write(4, 0, t["none"])
        return
    share = {(team, month): value for team, month, value in rows}
    months, teams = sorted({month for _, month in share}), sorted({team for team, _ in share})
    lines = [[team, *(share.get((team, month)) for month in months)] for team in teams]
    book.table(
        sheet,
        4,
        (t["team"], *months),
        lines,
        (None, *(book.percent,) * len(months)),
        (30, *(10,) * len(months)),
        "Capacity",
    )
    sheet.conditional_format(5, 1, 4 + len(lines), len(months), {
        "type": "3_color_scale", "min_color": "#FFFFFF", "mid_color": "#A9D18E", "max_color": "#C0392B",
        "min_type": "num", "mid_type": "num",
        "max_type": "num", "min_value": 0, "mid_value": 0.8, "max_value": 1.2,
    })  # fmt: skip
    sheet.freeze_panes(5, 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)

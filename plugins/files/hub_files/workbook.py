"""The workbook a PMO opens first.

Portfolio, pictures, milestones, what moved, load, then every table as a native Excel table.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell

from hub import FeedView, column_captions, evaluate, model, speaking, spoken_reason, table_caption
from hub_files.charts import TEXTS, write_charts

MOST_ROWS = 100_000
_T = {
    "fr": {
        "portfolio": "Portefeuille", "milestones": "Jalons", "load": "Charge", "about": "Lisez-moi",
        "title": "Portefeuille de projets", "as_of": "Arrêté au {}",
        "complete": "Toutes les sources sont à jour et complètes.",
        "partial": "ATTENTION : données incomplètes — {}", "headers": [
            "Code", "Projet", "Programme", "État", "Météo", "Météo calculée", "CPI",
            "Tâches", "Terminées", "Avancement",
            "Référence (JH)",
            "Estimé (JH)", "Reste à faire (JH)",
            "Saisi (JH)", "Saisi + reste (JH)", "Écart (JH)", "Prochain jalon", "Le", "Fin planifiée",
            "Pourquoi cette météo"],
        "m_headers": ["Projet", "Jalon", "Référence", "Prévu / réel", "Écart (jours)", "Statut"],
        "m_title": "Jalons, du plus proche au plus lointain",
        "l_title": "Charge par projet et par mois : heures planifiées | saisies",
        "planned": "planifié", "logged": "saisi", "total": "Total", "week": "Mois", "sources": "Sources",
        "s_headers": ["Source", "Connecteur", "Dernier succès complet", "Verdict", "Lignes en attente",
            "Heures en jeu", "Rejets", "Heures rejetées"],
        "left_out": "Ce que le flux ne compte pas",
        "e_headers": ["Mesure", "Raison", "Lignes", "Quantité", "Où"],
        "in_feed": "dans le flux, pas dans tous les indicateurs", "outside": "hors du flux",
        "too_long": "La table {} ({} lignes) est trop longue pour un classeur : "
            "elle se trouve dans les dossiers csv et parquet.",
        "tables": "Tables", "t_headers": ["Table", "Contenu", "Lignes"],
        "privacy": "Niveau de détail personnel : {}",
        "moves": "Ce qui a bougé", "mv_title": "Ce qui a bougé depuis {}",
        "mv_none": "aucun arrêté pris : hub cut take",
        "mv_headers": ["Cause", "Sujet", "Projet", "Quoi", "Avant", "Après", "Écart", "Unité"],
        "causes": {"news": "nouveau", "correction": "correction", "definition changed": "définition changée"},
        "rag": {"green": "vert", "amber": "orange", "red": "rouge", "grey": "gris"},
        "done": "Terminé", "late": "En retard", "open": "À venir",
        "measures": {"seconds": "heures", "planned_s": "heures planifiées", "tasks": "tâches",
            "amount_minor": "montant", "register_items": "risques et actions",
            "checklist_items": "points de contrôle", "assessments": "avis",
            "field_values": "valeurs de champs"},
    },
    "en": {
        "portfolio": "Portfolio", "milestones": "Milestones", "load": "Load", "about": "Read me",
        "title": "Project portfolio", "as_of": "As of {}",
        "complete": "All sources are up to date and complete.",
        "partial": "WARNING: data is incomplete — {}", "headers": [
            "Code", "Project", "Program", "State", "Health", "Computed health", "CPI",
            "Tasks", "Done", "Progress",
            "Baseline (days)",
            "Estimate (days)", "To do (days)", "Logged (days)",
            "Logged + to do (days)", "Variance (days)", "Next milestone", "On", "Planned finish",
            "Why this health"],
        "m_headers": ["Project", "Milestone", "Baseline", "Forecast / actual", "Slip (days)", "Status"],
        "m_title": "Milestones, the nearest first",
        "l_title": "Load by project and month: planned | logged hours",
        "planned": "planned", "logged": "logged", "total": "Total", "week": "Month", "sources": "Sources",
        "s_headers": ["Source", "Connector", "Last complete sync", "Verdict", "Rows held", "Hours at stake",
            "Rejected", "Hours rejected"],
        "left_out": "What the feed does not count",
        "e_headers": ["Measure", "Reason", "Rows", "Amount", "Where"],
        "in_feed": "in the feed, not in every KPI", "outside": "outside the feed",
        "too_long": "The table {} ({} rows) is too long for a workbook: "
            "find it in the csv and parquet folders.",
        "tables": "Tables", "t_headers": ["Table", "Content", "Rows"],
        "privacy": "Level of personal detail: {}",
        "moves": "What moved", "mv_title": "What moved since {}", "mv_none": "no cut was taken: hub cut take",
        "mv_headers": ["Cause", "About", "Project", "What", "Before", "After", "Change", "Unit"],
        "causes": {"news": "news", "correction": "correction", "definition changed": "definition changed"},
        "rag": {"green": "green", "amber": "amber", "red": "red", "grey": "grey"},
        "done": "Done", "late": "Late", "open": "To come",
        "measures": {"seconds": "hours", "planned_s": "planned hours", "tasks": "tasks",
            "amount_minor": "amount", "register_items": "risks and actions",
            "checklist_items": "checklist lines", "assessments": "assessments",
            "field_values": "values of fields"},
    },
}  # fmt: skip
_UNITS = {"seconds": 3600, "planned_s": 3600, "amount_minor": 100}
# KPIs come from `fact_kpi` alone: what the catalogue computes is not computed again here
PORTFOLIO_SQL = """
WITH latest AS (SELECT cut_key, as_of FROM dim_cut WHERE is_latest = 1),
tasks AS (
    SELECT f.project_key, count(*) FILTER (t.kind <> 'summary') AS n,
        count(*) FILTER (t.kind <> 'summary' AND s.category = 'done') AS done,
        max(f.planned_finish) FILTER (t.kind <> 'summary') AS finish
    FROM fact_task_snapshot f JOIN latest USING (cut_key) JOIN dim_task t USING (task_key)
    JOIN dim_status s USING (status_key)
    WHERE t.is_deleted = 0 GROUP BY 1
), said AS (
    SELECT w.project_key, w.declared, w.computed, w.reason_{lang} AS reason
    FROM fact_weather w JOIN latest USING (cut_key)
), told AS (
    SELECT f.project_key, f.kpi || '.' || f.measure AS name, f.value, f.rag FROM fact_kpi f
    JOIN latest USING (cut_key)
    WHERE f.scope_kind = 'project' AND f.period = '' AND f.kpi IN ('EVM_DAYS', 'RAF')
), figure AS (
    SELECT project_key, max(value) FILTER (name = 'EVM_DAYS.cpi') AS cpi,
        max(rag) FILTER (name = 'EVM_DAYS.cpi') AS cpi_rag,
        max(value) FILTER (name = 'RAF.avancement') AS progress,
        max(value) FILTER (name = 'RAF.budget') AS baseline,
        max(value) FILTER (name = 'RAF.estimation') AS estimate,
        max(value) FILTER (name = 'RAF.raf') AS remaining,
        max(value) FILTER (name = 'RAF.consomme') AS spent,
        max(value) FILTER (name = 'RAF.a_terminaison') AS total,
        max(value) FILTER (name = 'RAF.derive') AS drift, max(rag) FILTER (name = 'RAF.derive') AS drift_rag
    FROM told GROUP BY 1
), upcoming AS (
    SELECT f.project_key, arg_min(t.title, f.planned_finish) AS title, min(f.planned_finish) AS day
    FROM fact_task_snapshot f JOIN latest c USING (cut_key) JOIN dim_task t USING (task_key)
    JOIN dim_status s USING (status_key)
    WHERE t.kind = 'milestone' AND s.category NOT IN ('done', 'cancelled') AND f.planned_finish >= c.as_of
    GROUP BY 1
)
SELECT p.code, p.name, p.program, p.state, a.declared, a.computed, k.cpi, t.n, t.done, k.progress, k.baseline,
    k.estimate,    k.remaining, k.spent, k.total, k.drift,
    u.title, u.day, t.finish, a.reason{more}, k.cpi_rag, k.drift_rag
FROM dim_project p LEFT JOIN tasks t USING (project_key) LEFT JOIN figure k USING (project_key)
    LEFT JOIN upcoming u USING (project_key)
    LEFT JOIN said a USING (project_key)
WHERE t.n > 0 OR k.spent <> 0 OR p.project_key <> -1 ORDER BY p.project_key = -1, p.code
"""
MOVES_SQL = """
SELECT m.cause, m.topic, p.code,
    CASE WHEN m.topic = 'effort' THEN m.measure ELSE m.item || ', ' || m.measure END AS what,
    coalesce(m.before_date::VARCHAR, round(m.before_value, 2)::VARCHAR),
    coalesce(m.after_date::VARCHAR, round(m.after_value, 2)::VARCHAR), m.delta,
    CASE m.unit WHEN 'date' THEN 'days' ELSE m.unit END AS unit
FROM fact_move m JOIN dim_project p USING (project_key) WHERE m.cut_key = 0
ORDER BY list_position(['milestone', 'effort', 'risk', 'budget', 'scope'], m.topic), m.cause DESC,
    abs(m.delta) DESC NULLS LAST, p.code, m.item, m.measure
"""
LOAD_SQL = """
WITH cut AS (
    SELECT cut_key, strftime(as_of - INTERVAL 6 MONTH, '%Y-%m') AS first_month,
        strftime(as_of + INTERVAL 6 MONTH, '%Y-%m') AS last_month
    FROM dim_cut WHERE is_latest = 1
), hours AS (
    SELECT project_key, year_month AS month, planned_s / 3600.0 AS planned, 0 AS spent
    FROM fact_allocation_week
    UNION ALL SELECT project_key, period, 0, value FROM fact_kpi JOIN cut USING (cut_key)
    WHERE kpi = 'MONTHLY_SPENT' AND measure LIKE 'hours.%' AND scope_kind = 'project'
)
SELECT p.name, h.month, sum(h.planned) AS planned, sum(h.spent) AS spent
FROM hours h JOIN dim_project p USING (project_key), cut
WHERE h.month BETWEEN cut.first_month AND cut.last_month GROUP BY 1, 2 ORDER BY 1, 2
"""


class _Book:
    """One workbook being written."""

    def __init__(self, path: Path, feed: FeedView) -> None:
        self.feed = feed
        self.t: dict[str, Any] = _T[feed.lang] | {
            name: TEXTS[feed.lang][name] for name in ("charts", "capacity")
        }
        self.notes: list[str] = []
        self.book = xlsxwriter.Workbook(
            str(path), {"strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True}
        )
        self.sheets = {
            name: self.book.add_worksheet(self.t[name])
            for name in ("portfolio", "charts", "milestones", "moves", "load", "capacity", "about")
        }
        self.book.set_properties({"title": self.t["title"], "comments": f"pm-hub feed {feed.feed_id}"})
        add = self.book.add_format
        self.title = add({"bold": True, "font_size": 16, "font_color": "#1F3A5F"})
        self.subtitle = add({"italic": True, "font_color": "#555555"})
        self.alarm = add({"bold": True, "font_color": "#FFFFFF", "bg_color": "#C0392B"})
        self.head = add(
            {
                "bold": True,
                "font_color": "#FFFFFF",
                "bg_color": "#1F3A5F",
                "text_wrap": True,
                "valign": "top",
                "border": 1,
            }
        )
        self.day = add({"num_format": "dd/mm/yyyy" if feed.lang == "fr" else "yyyy-mm-dd", "align": "left"})
        self.number = add({"num_format": "#,##0.0"})
        self.whole = add({"num_format": "#,##0"})
        self.percent = add({"num_format": "0%"})
        self.bold = add({"bold": True})
        self.red = add({"font_color": "#9C0006", "bg_color": "#FFC7CE"})
        self.green = add({"font_color": "#006100", "bg_color": "#C6EFCE"})
        self.amber = add({"font_color": "#7F6000", "bg_color": "#FFE699"})
        self.ratio = add({"num_format": "0.00"})
        self.red_ratio = add({"font_color": "#9C0006", "bg_color": "#FFC7CE", "num_format": "0.00"})
        self.amber_ratio = add({"font_color": "#7F6000", "bg_color": "#FFE699", "num_format": "0.00"})
        self.green_ratio = add({"font_color": "#006100", "bg_color": "#C6EFCE", "num_format": "0.00"})
        self.red_number = add({"font_color": "#9C0006", "bg_color": "#FFC7CE", "num_format": "#,##0.0"})
        self.amber_number = add({"font_color": "#7F6000", "bg_color": "#FFE699", "num_format": "#,##0.0"})
        self.green_number = add({"font_color": "#006100", "bg_color": "#C6EFCE", "num_format": "#,##0.0"})

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.feed.connection.execute(sql).fetchall()

    def head_of(self, name: str, title: str) -> Any:
        """Open a sheet with a title, the date and what is missing."""
        sheet = self.sheets[name]
        sheet.hide_gridlines(2)
        sheet.write(0, 0, title, self.title)
        as_of = str(self.feed.manifest["as_of"])[:16].replace("T", " ") + " UTC"
        sheet.write(1, 0, self.t["as_of"].format(as_of), self.subtitle)
        manifest = self.feed.manifest
        if manifest.get("complete"):
            sheet.write(2, 0, self.t["complete"], self.subtitle)
        else:
            wrong = ", ".join(
                f"{s['name']} ({s['verdict']})" for s in manifest.get("sources", []) if s["verdict"] != "ok"
            )
            sheet.write(2, 0, self.t["partial"].format(wrong), self.alarm)
        return sheet

    def table(
        self,
        sheet: Any,
        row: int,
        headers: Sequence[str],
        lines: Sequence[Sequence[Any]],
        formats: Sequence[Any],
        widths: Sequence[float],
        name: str,
    ) -> int:
        """Write a native table; gives the row after it."""
        columns = [
            {"header": header, "header_format": self.head, "format": fmt}
            for header, fmt in zip(headers, formats, strict=True)
        ]
        last = row + max(1, len(lines))
        sheet.set_row(row, 32)
        sheet.add_table(
            row, 0, last, len(headers) - 1, {"columns": columns, "name": name, "style": "Table Style Light 9"}
        )
        for number, line in enumerate(lines, start=row + 1):
            for column, (value, fmt) in enumerate(zip(line, formats, strict=True)):
                _cell(sheet, number, column, value, fmt)
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        return last + 2

    # ---------- the sheets ----------

    def portfolio(self) -> None:
        t = self.t
        sheet = self.head_of("portfolio", t["title"])
        lines, colours = [], []
        own = {
            name: column
            for name, column in model().tables["dim_project"].columns.items()
            if name.startswith("x_")
        }
        shown = {"DATE": self.day, "DOUBLE": self.number, "DECIMAL(18,2)": self.whole}
        more = "".join(f", p.{name}" for name in own)
        for *line, cpi, drift in self.rows(PORTFOLIO_SQL.format(lang=self.feed.lang, more=more)):
            line[4], line[5] = (t["rag"].get(said) for said in line[4:6])
            colours.append((cpi, drift))
            lines.append(line)
        n1, w, d = self.number, self.whole, self.day
        self.table(
            sheet, 4, [*t["headers"], *(getattr(one, self.feed.lang) for one in own.values())], lines,
            (*(None,) * 6, self.ratio, w, w, self.percent, n1, n1, n1, n1, n1, n1, None, d, d, None,
             *(shown.get(one.type) for one in own.values())),
            (12, 34, 22, 11, 10, 10, 9, 9, 11, 13, 13, 12, 13, 12, 14, 12, 30, 12, 13, 60,
             *(16 for _ in own)), "Portfolio",
        )  # fmt: skip
        sheet.freeze_panes(5, 2)
        if lines:
            last = 4 + len(lines)
            for key, fmt in (("red", self.red), ("amber", self.amber), ("green", self.green)):
                sheet.conditional_format(
                    5,
                    4,
                    last,
                    5,
                    {"type": "cell", "criteria": "==", "value": f'"{t["rag"][key]}"', "format": fmt},
                )
            paints = {
                "red": (self.red_ratio, self.red_number),
                "amber": (self.amber_ratio, self.amber_number),
                "green": (self.green_ratio, self.green_number),
            }
            for number, (line, colour) in enumerate(zip(lines, colours, strict=True), start=5):
                for column, kind in ((6, 0), (15, 1)):
                    if (paint := paints.get(colour[kind] or "")) and line[column] is not None:
                        sheet.write_number(number, column, line[column], paint[kind])
            sheet.conditional_format(
                5,
                9,
                last,
                9,
                {
                    "type": "data_bar",
                    "bar_color": "#5B9BD5",
                    "min_type": "num",
                    "max_type": "num",
                    "min_value": 0,
                    "max_value": 1,
                },
            )
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(4)

    def milestones(self) -> None:
        t = self.t
        sheet = self.head_of("milestones", t["m_title"])
        names = dict(self.rows("SELECT project_key, name FROM dim_project"))
        found = evaluate(self.feed.connection, self.feed.manifest["moment"], ("MILESTONE_SLIP",))
        today = date.fromisoformat(found.as_of)
        placed = []
        for row in found.kpis["MILESTONE_SLIP"]:
            if row["category"] == "cancelled":
                continue
            baseline, said, forecast = (
                date.fromisoformat(row[name]) if row[name] else None
                for name in ("baseline_finish", "said_finish", "forecast")
            )
            done = row["category"] == "done"
            state = t["done"] if done else t["late"] if said and said < today else t["open"]
            name, title = names[row["project_key"]], row["title"]
            away = abs((forecast - today).days) if forecast else 10**6
            placed.append(
                ((done, away, name, title), (name, title, baseline, forecast, row["slip_days"], state))
            )
        lines = [line for _, line in sorted(placed, key=lambda one: one[0])]
        self.table(
            sheet,
            4,
            t["m_headers"],
            lines,
            (None, None, self.day, self.day, self.whole, None),
            (34, 40, 14, 16, 13, 12),
            "Milestones",
        )
        sheet.freeze_panes(5, 0)
        if lines:
            sheet.conditional_format(
                5, 4, 4 + len(lines), 4, {"type": "cell", "criteria": ">", "value": 0, "format": self.red}
            )
            sheet.conditional_format(
                5,
                5,
                4 + len(lines),
                5,
                {"type": "cell", "criteria": "==", "value": f'"{t["late"]}"', "format": self.red},
            )
            sheet.conditional_format(
                5,
                5,
                4 + len(lines),
                5,
                {"type": "cell", "criteria": "==", "value": f'"{t["done"]}"', "format": self.green},
            )
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)

    def moves(self) -> None:
        t = self.t
        since = self.rows(
            "SELECT c.label FROM fact_move m JOIN dim_cut c ON c.cut_key = m.vs_cut_key WHERE m.cut_key = 0 LIMIT 1"
        )
        sheet = self.head_of("moves", t["mv_title"].format(since[0][0] if since else t["mv_none"]))
        lines = [(t["causes"].get(cause, cause), *rest) for cause, *rest in self.rows(MOVES_SQL)]
        self.table(
            sheet,
            4,
            t["mv_headers"],
            lines,
            (None, None, None, None, None, None, self.number, None),
            (12, 12, 10, 46, 14, 14, 12, 10),
            "Moves",
        )
        sheet.freeze_panes(5, 0)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)

    def load(self) -> None:
        t = self.t
        sheet = self.head_of("load", t["l_title"])
        cells: dict[tuple[str, str], tuple[float, float]] = {}
        for project, month, planned, logged in self.rows(LOAD_SQL):
            cells[project, month] = (planned or 0, logged or 0)
        months = sorted({month for _, month in cells})
        projects = sorted({project for project, _ in cells})
        headers = [t["headers"][1]] + [
            f"{month} {kind}" for month in months for kind in (t["planned"], t["logged"])
        ]
        lines: list[list[Any]] = []
        for project in projects:
            line: list[Any] = [project]
            for month in months:
                line.extend(value or None for value in cells.get((project, month), (0, 0)))
            lines.append(line)
        formats = [None] + [self.number] * (len(headers) - 1)
        after = self.table(sheet, 4, headers, lines, formats, [34] + [11] * (len(headers) - 1), "Load")
        sheet.freeze_panes(5, 1)
        if lines and months:
            row = after - 1
            sheet.write(row, 0, t["total"], self.bold)
            for column in range(1, len(headers)):
                total = sum(line[column] or 0 for line in lines)
                span = f"{xl_rowcol_to_cell(5, column)}:{xl_rowcol_to_cell(4 + len(lines), column)}"
                sheet.write_formula(row, column, f"=SUM({span})", self.number, round(total, 6))
            sheet.conditional_format(
                5,
                1,
                4 + len(lines),
                len(headers) - 1,
                {"type": "2_color_scale", "min_color": "#FFFFFF", "max_color": "#F4B183"},
            )
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)

    def about(self) -> None:
        t, manifest = self.t, self.feed.manifest
        sheet = self.head_of("about", t["sources"])
        sheet.write(3, 0, t["privacy"].format(manifest["privacy"]), self.subtitle)
        lines = [
            (
                s["name"],
                s["plugin"],
                (s["last_success_at"] or "-")[:16].replace("T", " "),
                s["verdict"],
                s["held_rows"],
                s["held_hours"],
                s["rejected"],
                s["rejected_hours"],
            )
            for s in manifest.get("sources", [])
        ]
        row = self.table(
            sheet,
            4,
            t["s_headers"],
            lines,
            (None, None, None, None, self.whole, self.number, self.whole, self.number),
            (26, 44, 24, 12, 18, 16, 12, 16),
            "Sources",
        )
        for source in manifest.get("sources", []):
            for text in source["missing"]:
                sheet.write(row, 0, f"{source['name']}: {text}", self.alarm)
                row += 1
        sheet.write(row, 0, t["left_out"], self.title)
        with speaking("fr" if self.feed.lang == "fr" else "en"):
            reasons = [spoken_reason(line["reason"]) for line in manifest["excluded"]]
        lines2 = [
            (
                t["measures"].get(line["measure"], line["measure"]),
                reason,
                line["rows"],
                line["amount"] / _UNITS.get(line["measure"], 1),
                t["in_feed"] if line.get("in_feed") else t["outside"],
            )
            for line, reason in zip(manifest["excluded"], reasons, strict=True)
        ]
        row = self.table(
            sheet,
            row + 1,
            t["e_headers"],
            lines2,
            (None, None, self.whole, self.number, None),
            (26, 44, 24, 12, 18),
            "Excluded",
        )
        sheet.write(row, 0, t["tables"], self.title)
        lines3 = [
            (name, table_caption(name, self.feed.lang), table["rows"])
            for name, table in manifest["tables"].items()
        ]
        row = self.table(
            sheet, row + 1, t["t_headers"], lines3, (None, None, self.whole), (26, 44, 24), "Contents"
        )
        for note in self.notes:
            sheet.write(row, 0, note)
            row += 1

    def data(self) -> None:
        """Write every table that is short enough as it is."""
        for name in self.feed.tables:
            captions = column_captions(name, self.feed.lang)
            count = self.rows(f"SELECT count(*) FROM {name}")[0][0]
            if name in {"meta_label", "dim_date"} or count == 0:
                continue
            if count > MOST_ROWS:
                self.notes.append(self.t["too_long"].format(name, f"{count:,}".replace(",", " ")))
                continue
            # instants are read as text: Excel has no zone, and a plain date would lose that they are UTC
            listed = ", ".join(
                f"strftime({c}, '%Y-%m-%d %H:%M:%SZ') AS {c}" if kind == "TIMESTAMPTZ" else c
                for c, kind in self.feed.manifest["tables"][name]["columns"].items()
            )
            lines = self.rows(f"SELECT {listed} FROM {name}")
            kinds = list(self.feed.manifest["tables"][name]["columns"].values())
            formats = [
                self.day if kind == "DATE" else self.number if kind in {"DOUBLE", "DECIMAL(18,2)"} else None
                for kind in kinds
            ]
            sheet = self.book.add_worksheet(name[:31])
            headers = _distinct(list(captions.values()))
            self.table(
                sheet, 0, headers, lines, formats, [max(10, min(28, len(h) + 4)) for h in headers], name
            )
            sheet.freeze_panes(1, 0)


def _distinct(names: list[str]) -> list[str]:
    """Excel compares headers without case: tell equal ones apart."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name.casefold()] = seen.get(name.casefold(), 0) + 1
        found.append(name if seen[name.casefold()] == 1 else f"{name} ({seen[name.casefold()]})")
    return found


def _cell(sheet: Any, row: int, column: int, value: Any, fmt: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_number(row, column, int(value), fmt)
    elif isinstance(value, (int, float, Decimal)):
        sheet.write_number(row, column, float(value), fmt)
    elif isinstance(value, (date, datetime)):
        if value.year < 1900:
            sheet.write_string(row, column, value.isoformat())
        else:
            sheet.write_datetime(row, column, datetime(value.year, value.month, value.day), fmt)
    else:
        sheet.write_string(row, column, str(value)[:32767], fmt)


def write_workbook(path: Path, feed: FeedView) -> list[str]:
    """Write the workbook of *feed* to *path*; gives what had to be left to the other formats."""
    book = _Book(path, feed)
    book.portfolio()
    write_charts(book)
    book.milestones()
    book.moves()
    book.load()
    book.data()
    book.about()
    book.book.close()
    return book.notes

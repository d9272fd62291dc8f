"""The configuration and the mappings of the demonstration, as a PMO would write them."""

from __future__ import annotations

CONFIG = """# The demonstration portfolio: everything below was generated, and is read by the real connectors.
store = "sqlite:///data/hub.db"
feed = "data/feed"
lang = "{lang}"
country = "FR"

[sources.plans]                  # schedules
kind = "msproject"
path = "plans"
tz = "Europe/Paris"
hours_per_day = 7

[sources.tracker]                # issues of the agile projects: \
a simulator of Jira, up while the hub reads it
kind = "jira"
url = "http://127.0.0.1:{ports[jira]}"
email = "pmo@demo.example"
token = {{ file = "config/simulators.token" }}
history = ["status", "issuetype"]
types = {{ Evolution = "evolution", Task = "unknown" }}

[sources.boards]                 # cards of a small team: a simulator of Taskworld
kind = "taskworld"
url = "http://127.0.0.1:{ports[taskworld]}/api/public/v1"
token = {{ file = "config/simulators.token" }}
space = "5f0000000000000000000001"

[sources.packages]               # work packages of another: a simulator of OpenProject, read by a mapping
kind = "rest"
mapping = "openproject"
url = "http://127.0.0.1:{ports[rest]}"
token = {{ file = "config/simulators.token" }}

[sources.support]                # requests to the support: a simulator of Redmine
kind = "redmine"
url = "http://127.0.0.1:{ports[redmine]}"
key = {{ file = "config/simulators.token" }}
history = false
worklogs = false

[sources.demands]                # what the business asks for, in a table
kind = "tabular"
path = "demands/*.csv"
mapping = "mappings/demandes.toml"

[sources.hours]                  # timesheets
kind = "tabular"
path = "hours/*.csv"
mapping = "mappings/hours.toml"
hours_per_day = 7

[sources.erp]                    # budgets, and what was spent of them
kind = "tabular"
path = "erp/*.xlsx"
mapping = "mappings/budget_initial.toml"

[sources.committed]
kind = "tabular"
path = "erp/*.xlsx"
mapping = "mappings/budget_engage.toml"

[sources.spent]
kind = "tabular"
path = "erp/*.xlsx"
mapping = "mappings/budget_consomme.toml"

[sources.forecast]
kind = "tabular"
path = "erp/*.xlsx"
mapping = "mappings/budget_prevu.toml"

[sources.registers]              # risks, actions, decisions
kind = "tabular"
path = "registers/*.csv"
mapping = "mappings/risques.toml"

[destinations.office]
kind = "files"
path = "out"
formats = ["parquet", "csv", "xlsx"]

[destinations.powerbi]           # a project to open in Power BI Desktop
kind = "powerbi"
path = "powerbi"

[destinations.committee]         # slides and a page for the committee
kind = "deck"
path = "papers"

[schedule]
run = "0 6 * * 1-5"
tz = "Europe/Paris"
"""
_BUDGET = """# The ERP's export: a banner, group rows filled once, rows of sums.
record = "budget_line"
sheet = "Exécution"
header_row = 3
carry_down = ["Projet"]
drop = [{{ column = "Projet", matches = "^Somme" }}]
key = ["Projet", "Poste", "Mois"]

[fields]
project_code = "Projet"
category = {{ column = "Poste", values = {{ "Main d'œuvre" = "labour", "Prestations" = "services" }} }}
month = "Mois"
amount_minor = "{column}"
kind = {{ value = "{kind}" }}
currency = {{ value = "EUR" }}
"""
MAPPINGS = {
    "hours": """# Monthly exports of the timesheet tool; \
a month's file is complete, so a line that leaves it is deleted.
record = "worklog"
encoding = "cp1252"
delimiter = ";"
decimal = ","
key = ["Matricule", "Projet", "Ticket", "Activité", "Date", "Nature"]

[fields]
account_id = "Matricule"
container_id = "Projet"
task_id = { column = "Ticket", source = "tracker" }
day = { column = "Date", format = "%d/%m/%Y" }
seconds = { column = "Heures", unit = "hours" }
billable = "Facturable"
category = { column = "Nature", \
values = { "Projet" = "project", "Interne" = "internal", "Absence" = "absence" } }
approval = { column = "Statut", \
values = { "Validé" = "approved", "Soumis" = "submitted", "Rejeté" = "rejected" } }

[account]
display_name = "Nom"
employee_no = "Matricule"
""",
    "budget_initial": _BUDGET.format(column="Budget initial", kind="baseline"),
    "budget_engage": _BUDGET.format(column="Engagé", kind="committed"),
    "budget_consomme": _BUDGET.format(column="Consommé", kind="consumed"),
    "budget_prevu": _BUDGET.format(column="Prévu", kind="forecast"),
    "demandes": """# The columns that are no field of the hub are named in config/fields.csv.
record = "task"
delimiter = ";"
decimal = ","
key = ["No"]

[fields]
code = "No"
container_id = "Projet"
title = "Demande"
status_native = { column = "État", values = { "En cours" = "in_progress", "Terminé" = "done" } }
created_at = { column = "Créée le", format = "%Y-%m-%d" }
""",
    "risques": """record = "register_item"
delimiter = ";"
decimal = ","
key = ["Réf"]

[fields]
project_code = "Projet"
kind = { column = "Type", \
values = { "Risque" = "risk", "Action" = "action", "Décision" = "decision", "Problème" = "issue" } }
title = "Libellé"
state = { column = "Statut", values = { "Ouvert" = "open", "Clos" = "closed" } }
probability = "Probabilité"
impact = "Impact"
exposure_minor = "Exposition"
opened_on = "Ouvert le"
due_on = "Échéance"
closed_on = "Clos le"
asked_of = "Demandé à"
""",
}

"""An example of every file of reference data, as `hub init` writes it beside the configuration.

A line that begins with # is skipped.
"""

from __future__ import annotations

EXAMPLES: dict[str, str] = {
    "projects.csv": """code;name;level;parent_code;phase;state;manager;customer;priority;currency
# portfolio, program, project, workstream; the parent is another line's code
SI;Systèmes d'information;portfolio;;;;;;;
SOCLE;Socle technique;program;SI;;;;;;
INFRA;Renouvellement infrastructure;project;SOCLE;Réalisation;active;;DSI;1;EUR
""",
    "project_links.csv": """project_code;source;container;filter;facets
# which container (its name, code or id) feeds which project, and for what: \
schedule, baseline, effort, actuals, status, flow, nature, budget
INFRA;plans;Infrastructure;;schedule,baseline,effort
INFRA;jira;INF;component = Windows and not type = Bug;status,flow,nature
INFRA;hours;P-014;;actuals
""",
    "people.csv": """name;email;employee_no;login;team;role;external;timesheet_expected;fte;active_from
# dates = dd/mm
# an employee number, an e-mail or a login recognises accounts by itself; a name is only proposed
Prénom Nom;prenom.nom@example.org;M001;;Études;Développeur;non;oui;0,8;15/02/2025
""",
    "accounts.csv": """source;account;email;person
# what a tool hides: the e-mail of an account (by its id, login or name), or the person it is
jira;5b10a2844c20165700ede21g;prenom.nom@example.org;
""",
    "calendars.csv": """calendar;country;subdivision;week;hours_per_day
# the calendar called default is the company's; week is Monday to Sunday
alsace;FR;6AE;1111100;7,5
""",
    "calendar_days.csv": """calendar;day;hours;label
# dates = dd/mm
# a bridge, a closing day, a public holiday that is worked
default;25/05/2026;7;Journée de solidarité
""",
    "rates.csv": """scope;scope_id;valid_from;valid_to;per_day;currency
# dates = dd/mm
# the narrowest rate of the day counts: person, role, team, project, default
role;Développeur;01/01/2026;;420,00;EUR
default;*;01/01/2026;;560,00;EUR
""",
    "fx.csv": """currency;month;per_eur
# units of the currency for one euro, that month
USD;10/2026;1,08
""",
    "targets.csv": """kpi;scope_id;goal;amber;red;better;valid_from;weather
# a KPI as `hub kpi --list` names it, a project code or *; weather = no: coloured, not in the weather
EVM_DAYS.cpi;*;1;0,95;0,85;up;;
MILESTONE_SLIP.slip_days;*;0;5;20;down;;
""",
    "fields.csv": """field;level;source;native;type;fr;en;personal;values
# the fields of your tools that you slice by: `hub fields` shows what each source offers, line by line
severity;task;redmine;Gravité;text;Gravité;Severity;;severity
""",
    "field_values.csv": """values;value;shown
# how the values of a field are shown: the name that fields.csv gives, what the tool says, what readers see
severity;1;Bloquante
""",
    "statuses.csv": """source;container;status;category;stage
# what a status means: todo, in_progress, done, cancelled; * is every container of the source
jira;*;En recette;in_progress;recette
""",
    "sla_goals.csv": """project_code;nature;priority;metric;goal_hours
# for tools that keep no clock: hours from creation to done, around the clock
*;incident;*;resolution;24
""",
    "assessments.csv": """project_code;day;axis;rag;trend;comment;author
# dates = dd/mm
# what the committee said: green, amber, red, grey; up, flat, down
INFRA;31/10/2026;overall;green;flat;;
""",
    "access.csv": """user_principal;project_code;team
# who may see what in BI tools with row-level security
prenom.nom@example.org;INFRA;
# a project and a team on one line mean both; a group stands for its people of access_groups.csv
group:direction;INFRA;
""",
    "access_groups.csv": """group;member
# who is in the groups of access.csv
direction;prenom.nom@example.org
""",
    "budgets.csv": """project_code;month;category;capex;baseline;revised;committed;consumed;forecast;currency
# committed includes consumed; labour spent comes from timesheets and rates
INFRA;10/2026;labour;non;38 500,00;;;;;EUR
INFRA;10/2026;services;non;40 000,00;;42 000,00;30 000,00;12 000,00;EUR
""",
    "registers.csv": """ref;project_code;kind;title;state;probability;impact;exposure;currency;owner;\
opened_on;due_on;closed_on
# dates = dd/mm
# risk, issue, action, decision; a probability is 0,3 or 30 %
R01;INFRA;risk;Retard de livraison;open;30 %;4;20 000,00;EUR;;01/09/2026;31/12/2026;
""",
    "checklists.csv": """project_code;list;ref;label;mandatory;state;checked_on;evidence_url
# dates = dd/mm
# todo, ok, nok, na; the gate opens when all mandatory lines that apply are ok
INFRA;Matrice d'exploitabilité;01;Sauvegarde testée;oui;ok;15/10/2026;
""",
}

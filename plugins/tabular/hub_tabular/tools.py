"""How the exports of common tools are recognised, and which of their columns mean what.

Sources: the tools' own documentation of their exports. Toggl Track, Clockify, Harvest and Tempo write English
headers; Kimai and Redmine also French ones; Planner, Azure DevOps, monday.com, Asana, Trello, ClickUp and
GitLab English.
"""

from __future__ import annotations

import msgspec


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of export: headers (without case and accents) that only it has, and the column of each field.

    Of several headers the first that the file has is taken; a tuple inside names columns that are joined.
    *source* are fields that name things of another source, *patterns* what of a cell is meant. ``#file`` is
    the name of the file, for exports of one plan that do not name it. *key* names the rows of tasks.
    """

    name: str
    record: str = "worklog"
    signs: tuple[tuple[str, ...], ...]
    fields: dict[str, tuple[str | tuple[str, ...], ...]]
    source: dict[str, tuple[str, str]] = {}
    patterns: dict[str, str] = {}
    key: tuple[str, ...] = ()
    account: dict[str, tuple[str, ...]] = {}
    container: dict[str, tuple[str, ...]] = {}
    days: str = ""
    """How it writes days, for people, where that depends on who exports."""
    unit: str = ""
    """In what its efforts are counted, where it is not said with each."""
    nested: str = ""
    """How the row begins that holds the headers of the rows below a row."""


TOOLS = (
    Tool(
        name="Clockify",
        signs=(("duration (h)", "duration (decimal)"), ("start date",), ("user",)),
        fields={
            "account_id": ("email", "user"), "container_id": ("project",), "day": ("start date",),
            "seconds": ("duration (h)", "duration (decimal)"), "billable": ("billable",),
        },
        account={"display_name": ("user",), "email": ("email",)},
        days="by the profile of who exports",
    ),
    Tool(
        name="Toggl",
        signs=(("start date",), ("start time",), ("duration",), ("user", "member", "email")),
        fields={
            "account_id": ("email", "user", "member"), "container_id": ("project",), "day": ("start date",),
            "seconds": ("duration",), "billable": ("billable",),
        },
        account={"display_name": ("user", "member"), "email": ("email",)},
    ),
    Tool(
        name="Harvest",
        signs=(
            ("hours", "heures"), ("first name", "prenom"), ("last name", "nom", "nom de famille"), ("date",),
            ("client",),
        ),
        fields={
            "account_id": (
                ("first name", "last name"), ("prenom", "nom"), ("prenom", "nom de famille"),
            ),
            "container_id": ("project code", "project", "code projet", "code du projet", "projet"),
            "day": ("date",), "seconds": ("hours", "heures"),
            "billable": ("billable?", "facturable ?", "facturable?"),
        },
        container={"name": ("project", "projet")},
        days="by the setting of the account",
    ),
    Tool(
        name="Tempo",
        signs=(("issue key",), ("hours", "logged"), ("work date",)),
        fields={
            "account_id": ("username", "user account id", "account id", "full name"),
            "container_id": ("project key",), "day": ("work date",), "seconds": ("hours", "logged"),
        },
        source={"task_id": ("issue key", "the name of your source of Jira")},
        account={"display_name": ("full name",)},
        container={"name": ("project name",)},
    ),
    Tool(
        name="Kimai",
        signs=(
            ("date",), ("duration", "duree"), ("customer", "client"), ("project", "projet"),
            ("activity", "activite"), ("begin", "from", "start", "debut", "de"),
        ),
        fields={
            "account_id": ("username", "user", "utilisateur", "name", "nom", "alias"),
            "container_id": ("project number", "project", "projet"), "day": ("date",),
            "seconds": ("duration", "duree"), "billable": ("billable", "facturable"),
        },
        account={"display_name": ("name", "alias", "user", "nom", "utilisateur")},
        container={"name": ("project", "projet")},
        days="by the language of who exports",
    ),
    Tool(
        name="Redmine (time entries)",
        signs=(
            ("project", "projet"), ("date",), ("user", "utilisateur"), ("activity", "activite"),
            ("issue", "demande"), ("hours", "heures", "temps", "temps passe"),
        ),
        fields={
            "account_id": ("user", "utilisateur"), "container_id": ("project", "projet"), "day": ("date",),
            "seconds": ("hours", "heures", "temps", "temps passe"),
        },
        source={"task_id": ("issue", "the name of your source of Redmine")},
        days="by the language of who exports",
    ),
    Tool(
        name="Jira (issues)",
        record="task",
        signs=(
            ("issue key", "cle de ticket"), ("summary", "resume"), ("status", "etat"),
            ("issue type", "type de ticket"),
        ),
        fields={
            "title": ("summary", "resume"), "container_id": ("project key", "cle de projet", "project name"),
            "code": ("issue key", "cle de ticket"),
            "type_raw": ("issue type", "type de ticket"),
            "status_raw": ("status", "etat"), "priority_raw": ("priority", "priorite"),
            "resolution_raw": ("resolution",), "assignee_id": ("assignee", "responsable", "attribution"),
            "due_on": ("due date", "date d'echeance", "echeance"),
            "estimate_s": ("original estimate", "estimation originale"),
            "remaining_s": ("remaining estimate", "estimation restante"),
            "spent_s": ("time spent", "temps passe", "temps consacre"),
            "reporter_id": ("reporter", "rapporteur"),
            "created_at": ("created", "creation", "cree", "date de creation"),
            "resolved_at": ("resolved", "resolu", "resolue", "date de resolution"),
        },
        container={"name": ("project name", "nom du projet")},
        unit="seconds",
        days="by the language of who exports",
    ),
    Tool(
        name="Redmine (issues)",
        record="task",
        signs=(("#",), ("tracker",), ("status", "statut"), ("subject", "sujet"), ("project", "projet")),
        fields={
            "title": ("subject", "sujet"), "container_id": ("project", "projet"), "code": ("#",),
            "parent_id": ("parent task", "tache parente"), "type_raw": ("tracker",),
            "status_raw": ("status", "statut"), "priority_raw": ("priority", "priorite"),
            "assignee_id": ("assignee", "assigne a", "assigned to"),
            "planned_start_on": ("start date", "debut", "date de debut"),
            "due_on": ("due date", "echeance", "date d'echeance"),
            "percent": ("% done", "% realise"), "estimate_s": ("estimated time", "temps estime"),
            "spent_s": ("spent time", "temps passe"), "reporter_id": ("author", "auteur"),
            "created_at": ("created", "cree"), "resolved_at": ("closed", "ferme"),
        },
        days="by the language of who exports",
    ),
    Tool(
        name="Azure DevOps (work items)",
        record="task",
        signs=(("work item type",), ("title", "title 1"), ("state",)),
        fields={
            "title": ("title", "title 1"), "container_id": ("team project", "area path"), "code": ("id",),
            "parent_id": ("parent",), "type_raw": ("work item type",), "status_raw": ("state",),
            "priority_raw": ("priority",), "assignee_id": ("assigned to",), "reporter_id": ("created by",),
            "planned_start_on": ("start date",), "due_on": ("due date", "target date"),
            "created_at": ("created date",), "resolved_at": ("closed date", "resolved date"),
            "estimate_s": ("original estimate",), "remaining_s": ("remaining work",),
            "spent_s": ("completed work",), "points": ("story points", "effort"),
        },
        patterns={"container_id": r"^([^\\]+)", "assignee_id": r"([^<>]+)>?$", "reporter_id": r"([^<>]+)>?$"},
        days="by the language of who exports",
        unit="hours",
    ),
    Tool(
        name="Microsoft Project (workbook)",
        record="task",
        signs=(
            ("name", "task name", "nom", "nom de la tache"), ("duration", "duree"), ("start", "debut"),
            ("finish", "fin"), ("predecessors", "predecesseurs", "task mode", "mode tache"),
        ),
        fields={
            "title": ("name", "task name", "nom", "nom de la tache"), "container_id": ("#file",),
            "planned_start_on": ("start", "debut"), "planned_finish_on": ("finish", "fin"),
            "actual_start_on": ("actual start", "debut reel"),
            "actual_finish_on": ("actual finish", "fin reelle"),
            "percent": ("% complete", "% acheve"), "assignee_id": ("resource names", "noms ressources"),
            "estimate_s": ("work", "travail"), "spent_s": ("actual work", "travail reel"),
            "remaining_s": ("remaining work", "travail restant"), "is_milestone": ("milestone", "jalon"),
            "deadline_on": ("deadline", "echeance"), "notes": ("notes", "remarques"),
        },
        patterns={"assignee_id": r"^([^;,\[]+)"},
        key=("unique id", "n° unique", "id", "n°"),
    ),
    Tool(
        name="Microsoft Planner",
        record="task",
        signs=(("task name",), ("bucket name",), ("progress",)),
        fields={
            "title": ("task name",), "container_id": ("#file",), "status_raw": ("progress",),
            "priority_raw": ("priority",), "assignee_id": ("assigned to",), "reporter_id": ("created by",),
            "planned_start_on": ("start date",), "due_on": ("due date",), "created_at": ("created date",),
            "actual_finish_on": ("completed date",), "notes": ("description", "notes"),
        },
        patterns={"assignee_id": "^([^;]+)"},
        key=("task id",),
        days="by the language of who exports",
    ),
    Tool(
        name="monday.com",
        record="task",
        signs=(("name",), ("subitems",)),
        fields={
            "title": ("name",), "container_id": ("#file",), "status_raw": ("status",),
            "priority_raw": ("priority",), "assignee_id": ("person", "people", "owner", "assignee"),
            "planned_start_on": ("timeline - start",), "planned_finish_on": ("timeline - end",),
            "due_on": ("due date", "deadline", "date"),
        },
        patterns={"assignee_id": "^([^,]+)", "container_id": r"^(.+?)(?:_[0-9]{6,})?$"},
        key=("item id (auto generated)", "item id"),
        nested="subitems",
    ),
    Tool(
        name="Asana",
        record="task",
        signs=(("task id",), ("section/column",), ("completed at",)),
        fields={
            "title": ("name",), "container_id": ("projects",), "status_raw": ("section/column",),
            "assignee_id": ("assignee email", "assignee"), "planned_start_on": ("start date",),
            "due_on": ("due date",), "created_at": ("created at",), "actual_finish_on": ("completed at",),
            "notes": ("notes",),
        },
        patterns={"container_id": "^([^,]+)"},
        key=("task id",),
        account={"display_name": ("assignee",), "email": ("assignee email",)},
    ),
    Tool(
        name="Trello",
        record="task",
        signs=(("card id",), ("card name",), ("list name",)),
        fields={
            "title": ("card name",), "container_id": ("board name", "#file"), "url": ("card url",),
            "status_raw": ("list name",), "assignee_id": ("members",), "planned_start_on": ("start date",),
            "due_on": ("due date",), "notes": ("card description",),
        },
        patterns={"assignee_id": "^([^,]+)"},
        key=("card id",),
    ),
    Tool(
        name="ClickUp",
        record="task",
        signs=(("task id",), ("task name",), ("space name",), ("list name",)),
        fields={
            "title": ("task name",), "container_id": ("list name",), "code": ("task id",),
            "parent_id": ("parent id",), "type_raw": ("task type",), "status_raw": ("status",),
            "priority_raw": ("priority",), "assignee_id": ("assignees", "assignee"),
            "planned_start_on": ("start date text", "start date"), "due_on": ("due date text", "due date"),
            "created_at": ("date created text", "date created"), "points": ("sprint points",),
            "resolved_at": ("date closed text", "date closed"),
        },
        patterns={"assignee_id": r"^\[?([^,\[\]]+)", "parent_id": "^(?!null$)(.+)"},
    ),
    Tool(
        name="GitLab (issues)",
        record="task",
        signs=(("issue id",), ("created at (utc)",), ("state",), ("title",)),
        fields={
            "title": ("title",), "container_id": ("#file",), "code": ("issue id",), "url": ("url",),
            "status_raw": ("state",), "assignee_id": ("assignee username", "assignee"),
            "reporter_id": ("author username", "author"), "due_on": ("due date",),
            "created_at": ("created at (utc)",), "resolved_at": ("closed at (utc)",),
            "estimate_s": ("time estimate",), "spent_s": ("time spent",), "points": ("weight",),
        },
        unit="seconds",
    ),
)  # fmt: skip
"""The more particular ones first."""

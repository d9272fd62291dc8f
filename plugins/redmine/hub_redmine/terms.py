"""What Redmine's own words mean to the hub."""

from __future__ import annotations

from typing import Literal

Nature = Literal["build", "anomaly", "evolution", "incident", "request", "internal", "unknown"]
Kind = Literal["project", "internal", "absence"]
Role = Literal["baseline_start", "baseline_finish", "points", "billable"]
ACTIVE, ARCHIVED = 1, 9
"""The status of a project; 5 is a closed one."""
NATURES: dict[str, Nature] = {
    "bug": "anomaly",
    "anomalie": "anomaly",
    "defect": "anomaly",
    "feature": "evolution",
    "evolution": "evolution",
    "évolution": "evolution",
    "support": "request",
    "assistance": "request",
    "incident": "incident",
    "task": "build",
    "tâche": "build",
}
"""Redmine's own trackers in English and French, and what else they are often called; `types` says more."""
CHANGES = {
    "status_id": "status",
    "assigned_to_id": "assignee",
    "due_date": "duedate",
    "start_date": "startdate",
    "fixed_version_id": "sprint",
    "estimated_hours": "timeoriginalestimate",
    "done_ratio": "percent",
    "parent_id": "parent",
    "tracker_id": "issuetype",
    "project_id": "project",
}
"""Attributes whose changes are kept, in the hub's words."""
ANONYMOUS = frozenset(
    """anoniem anonim anoniman anonimas anonimni anonimo anonimowy anonym anonyme anonymní anonymous anonüümne
    anonīms anònim anónimo anônimo ezezaguna névtelen аноним анониман анонимен анонім אלמוני ناشناس
    匿名ユーザー 匿名用戶 匿名用户 이름없음""".split()  # noqa: SIM905 - as a list it is a page
) | {"ẩn danh", "хамаагүй хэрэглэгч", "مجهول الهوية"}
"""What Redmine calls nobody in its languages: it answers in that of the account which reads."""
CATEGORY, PRIVATE = "components", "is_private"
"""Fields of an issue that the hub keeps beside the task: the feed has columns for components."""
PARENT, PATH = "parent", "path"
"""Fields of a project: the name of the one above, and the names from the top down to it."""

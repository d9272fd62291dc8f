"""Answer what commands ask of placed rows: hours by project, tasks of a project, what nobody claims."""

from __future__ import annotations

from typing import Any

from hub.placement.presence import here
from hub.placement.rule import Connection, place, place_containers

Rows = list[dict[str, Any]]


def hours_by_project(connection: Connection, *, check: bool) -> Rows:
    """Return logged (timesheets), estimated and remaining seconds by *identity* and *label* of a project.

    Both are empty for what belongs to no project. *check* refuses filters that claim one task alike.
    """
    place(connection, check=check)
    return _ask(
        connection,
        "WITH counted AS ("
        "SELECT project_key, seconds AS logged, 0 AS estimate, 0 AS remaining FROM hour_place "
        "WHERE kind = 'worklog' AND origin = 'timesheet' AND gone IS NULL "
        "UNION ALL SELECT coalesce(s.project_key, -1), 0, coalesce(t.estimate_s, 0), "
        "coalesce(t.remaining_s, 0) FROM task t LEFT JOIN task_slot s ON s.task_id = t.id "
        "LEFT JOIN task_gone g ON g.task_id = t.id WHERE g.task_id IS NULL) "
        "SELECT coalesce(p.identity, '') AS identity, coalesce(p.label, '') AS label, sum(logged) AS logged, "
        "sum(estimate) AS estimate, sum(remaining) AS remaining "
        "FROM counted c LEFT JOIN project_label p ON p.project_key = c.project_key GROUP BY 1, 2",
    )


def project_of_code(connection: Connection, code: str) -> int | None:
    """Return the key of the project called *code*, whatever its case where none is called exactly so.

    None for no project. Stands on tables that `place` laid.
    """
    found = connection.execute(
        "SELECT project_key FROM project_code WHERE fold(code) = fold(?) "
        "ORDER BY CASE WHEN code = ? THEN 0 ELSE 1 END, project_key",
        (code, code),
    ).fetchall()
    return int(found[0][0]) if found else None


def tasks_without_baseline(connection: Connection, code: str) -> Rows | None:
    """Return dates, effort and points of the tasks of the project *code* whose tool saved no baseline.

    None when there is no such project. Raises `FeedError` for filters that claim one task alike.
    """
    place(connection)
    project = project_of_code(connection, code)
    if project is None:
        return None
    return _ask(
        connection,
        "SELECT t.id, coalesce(t.planned_start_on, t.actual_start_on) AS start_on, "
        "coalesce(t.planned_finish_on, t.due_on) AS finish_on, t.estimate_s, t.points "
        "FROM task t JOIN task_slot s ON s.task_id = t.id LEFT JOIN task_gone g ON g.task_id = t.id "
        "WHERE s.project_key = ? AND g.task_id IS NULL AND NOT EXISTS (SELECT 1 FROM baseline b "
        f"WHERE b.task_id = t.id AND b.origin = 'source' AND {here('b.presence')}) ORDER BY t.key",
        (project,),
    )


def placed_tasks(connection: Connection) -> Rows:
    """Return the tasks that count with their *project* (-1: none), and whether a plan holds them.

    Stands on tables that `place` laid.
    """
    return _ask(
        connection,
        "SELECT t.id, t.code, t.title, t.url, c.kind = 'plan' AS planned, s.project_key AS project "
        "FROM task t JOIN container c ON c.id = t.container_id JOIN task_slot s ON s.task_id = t.id "
        "LEFT JOIN task_gone g ON g.task_id = t.id WHERE g.task_id IS NULL ORDER BY t.key",
    )


def unclaimed_containers(connection: Connection) -> Rows:
    """Return the containers that no line of project_links.csv names and that no project has by its code."""
    place_containers(connection)
    return _ask(
        connection,
        "SELECT c.key, c.id, c.code, c.name FROM container c JOIN home_slot h ON h.container_id = c.id "
        f"WHERE {here('c.presence')} AND h.project_key = -1 AND NOT EXISTS (SELECT 1 FROM slot s "
        "WHERE s.container_id = c.id AND s.link_key IS NOT NULL) ORDER BY c.key",
    )


def carried_hours(connection: Connection) -> Rows:
    """Return, per project, the timesheet seconds on issues that carry out a plan task, and on the rest.

    An issue carries out what it was matched with, or what one above it was. Raises `FeedError` for filters
    that claim one task alike.
    """
    place(connection)
    return _ask(
        connection,
        "WITH RECURSIVE up AS (SELECT id AS of_id, id, parent_id, 0 AS step FROM task "
        "UNION ALL SELECT up.of_id, t.id, t.parent_id, step + 1 FROM up JOIN task t ON t.id = up.parent_id "
        "WHERE step < 50), "
        "carried AS (SELECT DISTINCT up.of_id AS id FROM up JOIN task_match m ON m.exec_task_id = up.id "
        f"AND m.state = 'accepted' AND {here('m.presence')}) "
        "SELECT coalesce(p.label, '') AS project, "
        "sum(CASE WHEN k.id IS NULL THEN 0 ELSE h.seconds END) AS matched_s, "
        "sum(CASE WHEN k.id IS NULL THEN h.seconds ELSE 0 END) AS left_s, "
        "count(DISTINCT CASE WHEN k.id IS NULL THEN t.id END) AS unmatched_issues "
        "FROM hour_place h JOIN task t ON t.id = h.task_id "
        "JOIN container c ON c.id = t.container_id AND c.kind <> 'plan' LEFT JOIN carried k ON k.id = t.id "
        "LEFT JOIN project_label p ON p.project_key = h.project_key "
        "WHERE h.kind = 'worklog' AND h.origin = 'timesheet' AND h.gone IS NULL "
        "GROUP BY h.project_key, p.label ORDER BY left_s DESC, project",
    )


def _ask(connection: Connection, sql: str, parameters: Any = ()) -> Rows:
    cursor = connection.execute(sql, parameters)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

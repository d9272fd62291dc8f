"""The feed as a destination may see it: personal detail summed away to the level it was given."""

from __future__ import annotations

import hashlib
import hmac
import shutil
from collections import Counter
from pathlib import Path

from hub.errors import ConfigError
from hub.feed.build import describe, load_manifest, open_feed, save_manifest, write_parquet
from hub.feed.model import model

SMALLEST_GROUP = 5
_TEXTS = {"fr": ("(Sans équipe)", "(Autres équipes)"), "en": ("(No team)", "(Other teams)")}

_PEOPLE = """
CREATE TABLE dim_person AS SELECT team_key AS person_key, any_value(label) AS person_label, CASE WHEN team_key = -1 THEN NULL ELSE any_value(team) END AS team,
    NULL::VARCHAR AS role, NULL::BIGINT AS is_external, NULL::BIGINT AS timesheet_expected FROM crew_key GROUP BY team_key"""
_WORKLOG = """
CREATE TABLE fact_worklog AS SELECT
    md5(concat_ws('|', day, w.project_key, w.person_key, w.source_key, w.category, w.is_billable, w.approval, w.sealed_month)) AS worklog_id,
    day AS work_date, year(day) * 10000 + month(day) * 100 + day(day) AS date_key, project_key, -1::BIGINT AS task_key, person_key,
    source_key, category, is_billable, approval, sum(seconds)::BIGINT AS seconds, sum(days) AS days,
    sum(amount)::DECIMAL(18,2) AS amount, NULL::TIMESTAMPTZ AS updated_at, sealed_month
FROM (SELECT f.* EXCLUDE (person_key), k.team_key AS person_key, {day} AS day FROM feed.fact_worklog f JOIN crew_key k USING (person_key)) w
GROUP BY day, project_key, person_key, source_key, category, is_billable, approval, sealed_month"""
_NARROWED = {
    "fact_task_snapshot": "SELECT f.* REPLACE (k.team_key AS person_key) FROM feed.fact_task_snapshot f JOIN crew_key k USING (person_key)",
    "fact_allocation_week": "SELECT week_start, year_month, min(date_key) AS date_key, k.team_key AS person_key, project_key, sum(planned_s)::BIGINT AS planned_s, "
    "sum(logged_s)::BIGINT AS logged_s FROM feed.fact_allocation_week f JOIN crew_key k USING (person_key) GROUP BY ALL",
    "fact_capacity_week": "SELECT week_start, year_month, min(date_key) AS date_key, k.team_key AS person_key, sum(capacity_s)::BIGINT AS capacity_s, sum(absence_s)::BIGINT AS absence_s, "
    "sum(allocated_s)::BIGINT AS allocated_s, sum(logged_s)::BIGINT AS logged_s FROM feed.fact_capacity_week f JOIN crew_key k USING (person_key) GROUP BY ALL",
    "fact_register": "SELECT * REPLACE (NULL::VARCHAR AS owner_label) FROM feed.fact_register",
    "fact_assessment": "SELECT * REPLACE (NULL::VARCHAR AS author_label) FROM feed.fact_assessment",
    # a team that was merged into others keeps no figure of its own
    "fact_kpi": "SELECT * FROM feed.fact_kpi WHERE scope_kind <> 'team' OR scope_label IN (SELECT team FROM shown_team)",
}
_WEEK = "greatest(date_trunc('week', work_date), date_trunc('month', work_date))::DATE"
# a week that begins in one month and ends in the next gives two lines: months stay right to the hour
_DAY = {"team-week": _WEEK, "pseudonym-week": _WEEK, "project": "date_trunc('month', work_date)::DATE"}


def merge_small(teams: dict[int, str], others: str, *, smallest: int = SMALLEST_GROUP) -> dict[int, str]:
    """Return every person's team, teams of fewer than *smallest* people merged into *others*.

    When those together are still too few, the next smallest team joins them, so that subtraction reveals nobody.
    """
    sizes = Counter(teams.values())
    merged = {team for team, size in sizes.items() if size < smallest}
    rest = sorted((team for team in sizes if team not in merged), key=lambda team: (sizes[team], team))
    while merged and rest and sum(sizes[team] for team in merged) < smallest:
        merged.add(rest.pop(0))
    if len(merged) == 1 and not rest:
        merged = set()  # one small team alone: another name would hide nothing
    return {person: others if team in merged else team for person, team in teams.items()}


def pseudonym(person_id: str, secret: bytes) -> str:
    """Return the name under which a person appears: an HMAC-SHA256 of the id with a key that no store holds."""
    return "P-" + hmac.new(secret, person_id.encode(), hashlib.sha256).hexdigest()[:12].upper()


def project_to(level: str, snapshot: Path, root: Path, *, secret: bytes | None = None) -> Path:
    """Return the folder of the feed in *snapshot* at privacy *level*; totals are those of the feed itself.

    ``nominative-line`` is the feed as it is; ``pseudonym-week`` needs *secret*, the key of `pseudonym`.
    Built once per snapshot under *root*, then reused. Raises `ConfigError` when the key is missing.
    """
    if level == "nominative-line":
        return snapshot
    if level == "pseudonym-week" and not secret:
        raise ConfigError(
            'privacy = "pseudonym-week" needs a key outside the store: add [privacy] key = { env = "PM_HUB_KEY" }.'
        )
    target = root / level / snapshot.name
    if (target / "manifest.json").exists():
        return target
    shutil.rmtree(target, ignore_errors=True)
    manifest = load_manifest(snapshot)
    none, others = _TEXTS[manifest["lang"]]
    view = open_feed(snapshot)
    try:
        view.execute("CREATE SCHEMA feed")
        for name in model().tables:
            view.execute(f"CREATE VIEW feed.{name} AS SELECT * FROM main.{name}")
        view.execute("CREATE SCHEMA narrowed")
        view.execute("USE narrowed")
        people = view.execute(
            "SELECT person_key, team, person_label FROM feed.dim_person ORDER BY person_key"
        ).fetchall()
        teams = {key: team or none for key, team, _ in people if key != -1}
        crews = {} if level == "project" else merge_small(teams, others)
        unknown = next((label for key, _, label in people if key == -1), "")
        names = dict(crews)
        if secret and level == "pseudonym-week":
            names = {key: pseudonym(f"{key}", secret) for key in crews}
        keys = {name: -2 - place for place, name in enumerate(sorted(set(names.values())))}
        view.execute(
            "CREATE TABLE crew_key (person_key BIGINT, team_key BIGINT, team VARCHAR, label VARCHAR)"
        )
        view.executemany(
            "INSERT INTO crew_key VALUES (?, ?, ?, ?)",
            [
                (key, keys.get(names.get(key, ""), -1), crews.get(key), names.get(key, unknown))
                for key, _, _ in people
            ],
        )
        whole = {team for team in set(crews.values()) if team not in {none, others}}
        sizes = Counter(crews.values())
        view.execute("CREATE TABLE shown_team (team VARCHAR)")
        if shown := [[team] for team in sorted(whole) if sizes[team] >= SMALLEST_GROUP]:
            view.executemany("INSERT INTO shown_team VALUES (?)", shown)
        view.execute(_PEOPLE)
        view.execute(_WORKLOG.format(day=_DAY[level]))
        for name, query in _NARROWED.items():
            view.execute(f"CREATE TABLE {name} AS {query}")
        done = {"dim_person", "fact_worklog", *_NARROWED}
        for name in model().tables:
            if name not in done:
                view.execute(f"CREATE VIEW {name} AS SELECT * FROM feed.{name}")
        view.execute("CREATE SCHEMA typed")
        for name, table in model().tables.items():
            casts = ", ".join(f"t.{c}::{column.type} AS {c}" for c, column in table.columns.items())
            view.execute(f"CREATE VIEW typed.{name} AS SELECT {casts} FROM narrowed.{name} t")
        view.execute("USE typed")
        target.mkdir(parents=True, mode=0o700)
        write_parquet(view, target)
        save_manifest(target, {**manifest, "privacy": level, "tables": describe(target, view)})
    finally:
        view.close()
    return target

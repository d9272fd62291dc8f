"""The store's schema, as an append-only list of migrations; each runs in one transaction.

A released migration never changes: a new need is a new migration. Every source-owned table gets the same tail
of columns, a twin ``<table>_history`` and a trigger that keeps the old image. The trigger makes the memory of
the store a law of the database: no code path can update a row and forget its past.
"""

from __future__ import annotations

import hashlib
import hmac

from hub.store.lean import Database, Migrations

migrations = Migrations("pm-hub")

_TAIL = (
    "source_id TEXT NOT NULL, presence TEXT NOT NULL DEFAULT 'present' CHECK (presence IN "
    "('present','deleted','archived','trashed','hidden','unobserved')), presence_evidence TEXT, "
    "recorded_at TEXT NOT NULL, run_id INTEGER NOT NULL"
)
_TABLES_0001 = {
    "container": "kind TEXT NOT NULL, code TEXT, name TEXT NOT NULL, url TEXT, archived INTEGER, "
    "seconds_per_day INTEGER",
    "account": """display_name TEXT, email TEXT, login TEXT, employee_no TEXT, tz TEXT,
        kind TEXT NOT NULL DEFAULT 'human' CHECK (kind IN ('human','bot','generic')), active INTEGER""",
    "iteration": """container_id TEXT, name TEXT NOT NULL, state TEXT, start_at TEXT, finish_at TEXT,
        completed_at TEXT""",
    "task": """container_id TEXT NOT NULL, parent_id TEXT, code TEXT, wbs TEXT, title TEXT NOT NULL, url TEXT,
        kind TEXT NOT NULL DEFAULT 'work' CHECK (kind IN ('work','summary','milestone','deliverable')),
        is_milestone INTEGER,
        nature TEXT NOT NULL DEFAULT 'unknown'
            CHECK (nature IN ('build','anomaly','evolution','incident','request','internal','unknown')),
        type_raw TEXT, status_raw TEXT, resolution_raw TEXT, priority_raw TEXT,
        status_native TEXT CHECK (status_native IN ('todo','in_progress','done','cancelled')),
        is_blocked INTEGER, assignee_id TEXT, iteration_id TEXT, created_at TEXT, updated_at TEXT,
        planned_start_on TEXT, planned_finish_on TEXT, actual_start_on TEXT, actual_finish_on TEXT,
        due_on TEXT,
        percent REAL CHECK (percent BETWEEN 0 AND 100),
        percent_kind TEXT CHECK (percent_kind IN ('duration','work','physical')),
        estimate_s INTEGER, spent_s INTEGER, remaining_s INTEGER, points REAL, labels TEXT""",
    "baseline": """task_id TEXT NOT NULL, no INTEGER NOT NULL DEFAULT 0, captured_at TEXT,
        origin TEXT NOT NULL CHECK (origin IN ('source','hub')), start_on TEXT, finish_on TEXT,
        effort_s INTEGER,
        points REAL, cost_minor INTEGER, currency TEXT""",
    "task_change": """task_id TEXT NOT NULL, field TEXT NOT NULL, from_value TEXT, to_value TEXT,
        at TEXT NOT NULL,
        author_id TEXT, origin TEXT NOT NULL CHECK (origin IN ('source','observed'))""",
    "worklog": """task_id TEXT, container_id TEXT, account_id TEXT, day TEXT NOT NULL,
        seconds INTEGER NOT NULL,
        category TEXT NOT NULL DEFAULT 'project' CHECK (category IN ('project','internal','absence')),
        billable INTEGER,
        origin TEXT NOT NULL DEFAULT 'timesheet' CHECK (origin IN ('timesheet','plan')),
        approval TEXT NOT NULL DEFAULT 'unknown'
            CHECK (approval IN ('draft','submitted','approved','rejected','unknown')), updated_at TEXT""",
    "allocation": """account_id TEXT NOT NULL, task_id TEXT, container_id TEXT,
        kind TEXT NOT NULL CHECK (kind IN ('work','absence')), start_on TEXT NOT NULL,
        finish_on TEXT NOT NULL,
        seconds INTEGER NOT NULL""",
    "task_link": "from_id TEXT NOT NULL, to_id TEXT NOT NULL, type TEXT NOT NULL, lag_s INTEGER",
    "budget_line": """project_code TEXT NOT NULL, month TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('baseline','revised','committed','consumed','forecast')),
        category TEXT NOT NULL, is_capex INTEGER, amount_minor INTEGER NOT NULL, currency TEXT NOT NULL""",
    "register_item": """project_code TEXT NOT NULL, kind TEXT NOT NULL
        CHECK (kind IN ('risk','issue','action','decision')),
        category TEXT, title TEXT NOT NULL, state TEXT NOT NULL
        CHECK (state IN ('open','closed','cancelled')),
        probability REAL, impact INTEGER, exposure_minor INTEGER, currency TEXT, owner_id TEXT,
        opened_on TEXT,
        due_on TEXT, closed_on TEXT""",
    "checklist_item": """project_code TEXT, task_id TEXT, list TEXT NOT NULL, ref TEXT, label TEXT NOT NULL,
        mandatory INTEGER NOT NULL DEFAULT 1, state TEXT NOT NULL CHECK (state IN ('todo','ok','nok','na')),
        checked_on TEXT, evidence_url TEXT""",
    "sla_cycle": """task_id TEXT NOT NULL, name TEXT NOT NULL, metric TEXT NOT NULL,
        cycle_no INTEGER NOT NULL,
        start_at TEXT NOT NULL, stop_at TEXT, goal_s INTEGER, elapsed_s INTEGER, breached INTEGER NOT NULL,
        paused INTEGER""",
    "custom_value": "row_id TEXT NOT NULL, field TEXT NOT NULL, text TEXT, number REAL, day TEXT",
    "project": """code TEXT NOT NULL, parent_code TEXT,
        level TEXT NOT NULL CHECK (level IN ('portfolio','program','project','workstream')),
        name TEXT NOT NULL,
        phase TEXT, state TEXT NOT NULL DEFAULT 'active'
            CHECK (state IN ('proposed','active','on_hold','closed','cancelled')),
        manager_id TEXT, sponsor TEXT, customer TEXT, entity TEXT, strategic_axis TEXT, priority INTEGER,
        currency TEXT NOT NULL DEFAULT 'EUR', calendar_id TEXT""",
    "project_link": """project_code TEXT NOT NULL, container_id TEXT NOT NULL,
        filter TEXT NOT NULL DEFAULT '',
        facets TEXT NOT NULL""",
}
_TABLES_0002 = {
    "team": "name TEXT NOT NULL",
    "person": """display_name TEXT NOT NULL, email TEXT, aliases TEXT, employee_no TEXT, login TEXT,
        team TEXT, role TEXT,
        is_external INTEGER NOT NULL DEFAULT 0, timesheet_expected INTEGER NOT NULL DEFAULT 1,
        calendar_id TEXT,
        fte REAL NOT NULL DEFAULT 1.0, active_from TEXT, active_to TEXT""",
    "account_alias": "account_id TEXT NOT NULL, email TEXT, person_id TEXT",
    "calendar": """code TEXT NOT NULL, country TEXT, subdivision TEXT,
        week_mask TEXT NOT NULL DEFAULT '1111100',
        seconds_per_day INTEGER NOT NULL DEFAULT 25200""",
    "calendar_day": "calendar TEXT NOT NULL, day TEXT NOT NULL, seconds INTEGER NOT NULL, label TEXT",
    "rate": """scope TEXT NOT NULL CHECK (scope IN ('person','role','team','project','default')),
        scope_id TEXT NOT NULL,
        valid_from TEXT NOT NULL, valid_to TEXT, minor_per_day INTEGER NOT NULL, currency TEXT NOT NULL""",
    "fx_rate": "currency TEXT NOT NULL, month TEXT NOT NULL, per_eur REAL NOT NULL CHECK (per_eur > 0)",
    "target": """kpi TEXT NOT NULL, measure TEXT NOT NULL, scope_id TEXT NOT NULL DEFAULT '*', goal REAL,
        amber REAL, red REAL,
        direction TEXT NOT NULL CHECK (direction IN ('up','down')), valid_from TEXT NOT NULL""",
    "status_map": """source TEXT NOT NULL, container_id TEXT NOT NULL DEFAULT '*', status_raw TEXT NOT NULL,
        category TEXT NOT NULL CHECK (category IN ('todo','in_progress','done','cancelled')), stage TEXT""",
    "sla_goal": """project_code TEXT NOT NULL DEFAULT '*', nature TEXT NOT NULL DEFAULT '*',
        priority TEXT NOT NULL DEFAULT '*',
        metric TEXT NOT NULL DEFAULT 'resolution', goal_s INTEGER NOT NULL""",
    "assessment": """project_code TEXT NOT NULL, day TEXT NOT NULL, axis TEXT NOT NULL,
        rag TEXT NOT NULL CHECK (rag IN ('green','amber','red','grey')),
        trend TEXT CHECK (trend IN ('up','flat','down')), comment TEXT, author TEXT""",
    "access": "user_principal TEXT NOT NULL, project_code TEXT, team TEXT",
    "person_link": """account_id TEXT NOT NULL, person_id TEXT NOT NULL, method TEXT NOT NULL,
        score REAL NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('proposed','accepted','rejected')), reason TEXT""",
    "task_match": """plan_task_id TEXT NOT NULL, exec_task_id TEXT NOT NULL, method TEXT NOT NULL,
        score REAL NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('proposed','accepted','rejected')), reason TEXT""",
}
_PLUMBING_0002 = """
CREATE TABLE cut (id INTEGER PRIMARY KEY, as_of TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('daily','weekly','copil','month')), label TEXT NOT NULL UNIQUE,
    taken_at TEXT NOT NULL, actor TEXT NOT NULL, closed_at TEXT, digest TEXT);
CREATE TABLE erased (id TEXT PRIMARY KEY, at TEXT NOT NULL);
CREATE TABLE period_close (month TEXT PRIMARY KEY, sealed_at TEXT NOT NULL, actor TEXT NOT NULL,
    digest TEXT NOT NULL);
CREATE TABLE period_line (month TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('hours','budget')),
    row_id TEXT NOT NULL,
    project_key INTEGER NOT NULL, task_key INTEGER NOT NULL, day TEXT NOT NULL, category TEXT NOT NULL,
    flag INTEGER,
    approval TEXT NOT NULL, seconds INTEGER NOT NULL, days REAL NOT NULL, amount_minor INTEGER,
    PRIMARY KEY (month, kind, row_id));
CREATE TABLE period_variance (seq INTEGER PRIMARY KEY, sealed_month TEXT NOT NULL, posted_on TEXT NOT NULL,
    posted_at TEXT NOT NULL, kind TEXT NOT NULL, row_id TEXT NOT NULL, project_key INTEGER NOT NULL,
    task_key INTEGER NOT NULL, category TEXT NOT NULL, flag INTEGER, approval TEXT NOT NULL,
    seconds INTEGER NOT NULL,
    days REAL NOT NULL, amount_minor INTEGER, reason TEXT NOT NULL, run_id INTEGER);
CREATE UNIQUE INDEX task_match_one ON task_match (exec_task_id) WHERE state = 'accepted'
    AND presence = 'present';
CREATE UNIQUE INDEX person_link_one ON person_link (account_id) WHERE state = 'accepted'
    AND presence = 'present';
"""
_PLUMBING_0001 = """
CREATE TABLE source (id TEXT PRIMARY KEY, key INTEGER NOT NULL UNIQUE, kind TEXT NOT NULL, base_url TEXT,
    tz TEXT NOT NULL, seconds_per_day INTEGER NOT NULL, freshness_max_s INTEGER NOT NULL);
CREATE TABLE sync_run (id INTEGER PRIMARY KEY, source_id TEXT NOT NULL, mode TEXT NOT NULL,
    started_at TEXT NOT NULL,
    finished_at TEXT,
    verdict TEXT NOT NULL CHECK (verdict IN ('running','ok','partial','failed','interrupted')),
    read INTEGER NOT NULL DEFAULT 0, inserted INTEGER NOT NULL DEFAULT 0, updated INTEGER NOT NULL DEFAULT 0,
    unchanged INTEGER NOT NULL DEFAULT 0, presence_changed INTEGER NOT NULL DEFAULT 0,
    requests INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0, retries INTEGER NOT NULL DEFAULT 0,
    missing TEXT, error TEXT);
CREATE TABLE cursor (source_id TEXT NOT NULL, partition TEXT NOT NULL, value TEXT NOT NULL,
    run_id INTEGER NOT NULL,
    PRIMARY KEY (source_id, partition));
CREATE TABLE presence_hold (table_name TEXT NOT NULL, id TEXT NOT NULL, source_id TEXT NOT NULL,
    presence TEXT NOT NULL,
    evidence TEXT NOT NULL, held_since TEXT NOT NULL, run_id INTEGER NOT NULL, PRIMARY KEY (table_name, id));
CREATE TABLE clock (one INTEGER PRIMARY KEY CHECK (one = 1), last TEXT NOT NULL);
INSERT INTO clock VALUES (1, '1970-01-01T00:00:00.000000Z');
CREATE TABLE publication (destination TEXT NOT NULL, feed_id TEXT NOT NULL, state TEXT NOT NULL,
    started_at TEXT NOT NULL, finished_at TEXT, detail TEXT, PRIMARY KEY (destination, feed_id));
CREATE TABLE notice (subject TEXT PRIMARY KEY, state TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE audit_log (seq INTEGER PRIMARY KEY, at TEXT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
    object TEXT NOT NULL, before TEXT, after TEXT, reason TEXT);
"""


def _run(db: Database, script: str) -> None:
    """Run statements one by one: `executescript` would commit the migration's transaction."""
    for statement in script.split(";\n"):
        if statement.strip().rstrip(";"):
            db.execute(statement)


def memory_trigger(db: Database, table: str) -> str:
    """Return the statement that makes *table* keep the old image of a row on every update."""
    names = [column.name for column in db[table].columns]
    old = ", ".join(f"OLD.{name}" for name in names)
    return (
        f"CREATE TRIGGER {table}_memory AFTER UPDATE ON {table} BEGIN "
        f"INSERT INTO {table}_history ({', '.join(names)}, superseded_at, superseded_run) "
        f"VALUES ({old}, NEW.recorded_at, NEW.run_id); END"
    )


def _versioned(db: Database, table: str, ddl: str) -> None:
    """Create *table*, its history twin, and the trigger that fills the twin on every update."""
    db.execute(f"CREATE TABLE {table} (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, {ddl}, {_TAIL})")
    names = [column.name for column in db[table].columns]
    listed = ", ".join(names)
    db.execute(
        f"CREATE TABLE {table}_history AS SELECT {listed}, '' AS superseded_at, 0 AS superseded_run "
        f"FROM {table} LIMIT 0"
    )
    db.execute(f"CREATE INDEX {table}_history_at ON {table}_history (superseded_at)")
    db.execute(memory_trigger(db, table))
    db.execute(
        f"CREATE TRIGGER {table}_forever BEFORE DELETE ON {table} BEGIN "
        "SELECT RAISE(ABORT, 'rows are never physically deleted: change their presence'); END"
    )


@migrations(name="0001_house")
def _house(db: Database) -> None:
    """Create plumbing, source-owned and reference tables with their memory."""
    _run(db, _PLUMBING_0001)
    for table, ddl in _TABLES_0001.items():
        _versioned(db, table, ddl)


@migrations(name="0002_figures")
def _figures(db: Database) -> None:
    """Create people, calendars, rates, targets, maps, decisions; cuts and sealed months."""
    for table, ddl in _TABLES_0002.items():
        _versioned(db, table, ddl)
    _run(db, _PLUMBING_0002)


_WORKLOG_0003 = _TABLES_0001["worklog"] + ", finish_on TEXT"


@migrations(name="0003_spans")
def _spans(db: Database) -> None:
    """Let hours be entered for several days, and say how a sealed month booked those.

    The method 1 is all on their first day.
    """
    _remade(db, "worklog", _WORKLOG_0003)
    db.execute("ALTER TABLE period_close ADD COLUMN method INTEGER NOT NULL DEFAULT 1")


def _remade(db: Database, table: str, ddl: str) -> None:
    """Make *table* anew with the columns of *ddl*, and give it and its history the rows they had.

    A column that is only added would stand behind the tail, where no record has it.
    """
    both = (table, f"{table}_history")
    names = {one: ", ".join(column.name for column in db[one].columns) for one in both}
    db.execute(f"DROP TRIGGER {table}_memory")
    db.execute(f"DROP TRIGGER {table}_forever")
    db.execute(f"DROP INDEX {table}_history_at")
    for one in both:
        db.execute(f"ALTER TABLE {one} RENAME TO {one}_before")
    _versioned(db, table, ddl)
    for one in both:
        db.execute(f"INSERT INTO {one} ({names[one]}) SELECT {names[one]} FROM {one}_before")
        db.execute(f"DROP TABLE {one}_before")


_PLUMBING_0004 = """
CREATE TABLE erasure_key (one INTEGER PRIMARY KEY CHECK (one = 1), salt TEXT NOT NULL);
INSERT INTO erasure_key VALUES (1, lower(hex(randomblob(32))));
CREATE TABLE erased_mark (mark TEXT NOT NULL, shape TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN
('words','part','id','word')),
    texts INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (kind, mark));
CREATE TABLE erasure (id INTEGER PRIMARY KEY, stage TEXT NOT NULL CHECK (stage IN
('store','files','compact','done')),
    actor TEXT NOT NULL, asked_at TEXT NOT NULL, finished_at TEXT);
ALTER TABLE cut ADD COLUMN first_digest TEXT;
ALTER TABLE cut ADD COLUMN redacted_at TEXT;
"""


@migrations(name="0004_erasure")
def _erasure(db: Database) -> None:
    """Keep erased people as salted digests; ids that were kept in clear become digests."""
    _run(db, _PLUMBING_0004)
    (salt,) = db.execute("SELECT salt FROM erasure_key").fetchone()
    for (id_,) in db.execute("SELECT id FROM erased").fetchall():
        digest = hmac.new(bytes.fromhex(salt), f"id\0{id_}".encode(), hashlib.sha256).hexdigest()[:32]
        db.execute("INSERT INTO erased_mark VALUES (?, '', 'id', 0)", (digest,))
    if db.execute("SELECT 1 FROM erased").fetchone():
        db.execute(
            "INSERT INTO erasure (stage, actor, asked_at) VALUES ('store', 'migration', "
            "strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))"
        )
    db.execute("DROP TABLE erased")


@migrations(name="0005_written_by")
def _written_by(db: Database) -> None:
    """Keep which hub wrote last, beside when."""
    db.execute("ALTER TABLE clock ADD COLUMN written_by TEXT")


_PLUMBING_0006 = """
CREATE TABLE rejection (id INTEGER PRIMARY KEY, source_id TEXT NOT NULL, partition TEXT NOT NULL,
    key TEXT NOT NULL, field TEXT NOT NULL, place TEXT NOT NULL, record TEXT, row_id TEXT, container TEXT,
    value TEXT, reason TEXT NOT NULL, seconds INTEGER, amount_minor INTEGER, currency TEXT,
    first_seen TEXT NOT NULL, last_seen TEXT NOT NULL, run_id INTEGER NOT NULL,
    accepted_at TEXT, accepted_by TEXT, accepted_why TEXT);
CREATE UNIQUE INDEX rejection_one ON rejection (source_id, partition, key, field);
ALTER TABLE sync_run ADD COLUMN rejected INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sync_run ADD COLUMN tally TEXT;
"""


@migrations(name="0006_rejections")
def _rejections(db: Database) -> None:
    """Keep what could not be taken, and what each run met and took."""
    _run(db, _PLUMBING_0006)


@migrations(name="0007_outside")
def _outside(db: Database) -> None:
    """Let a row be outside of what its source is asked for: neither there nor gone."""
    for table in (*_TABLES_0001, *_TABLES_0002):
        _allow(db, table, "'unobserved')", "'unobserved','outside')")


_TABLES_0008 = {
    "container": _TABLES_0001["container"] + ", status_on TEXT",
    "task": _TABLES_0001["task"]
    + """, reporter_id TEXT, resolved_at TEXT, deadline_on TEXT,
        constraint_type TEXT CHECK (constraint_type IN ('as_soon_as_possible','as_late_as_possible',
            'start_no_earlier','start_no_later','finish_no_earlier','finish_no_later','must_start',
            'must_finish')),
        constraint_on TEXT, is_critical INTEGER, is_manual INTEGER, duration_s INTEGER,
        total_slack_s INTEGER, free_slack_s INTEGER, cost_minor INTEGER, fixed_cost_minor INTEGER,
        actual_cost_minor INTEGER, remaining_cost_minor INTEGER, currency TEXT, notes TEXT""",
    "allocation": _TABLES_0001["allocation"].replace("account_id TEXT NOT NULL", "account_id TEXT"),
    "target": _TABLES_0002["target"] + ", in_weather INTEGER NOT NULL DEFAULT 1",
}
_NEW_0008 = {
    "site_field": """field TEXT NOT NULL,
        level TEXT NOT NULL CHECK (level IN ('task','project','hours','person')),
        source TEXT NOT NULL, native TEXT NOT NULL,
        type TEXT NOT NULL CHECK (type IN ('text','number','date','amount','days','flag','list')),
        fr TEXT NOT NULL, en TEXT NOT NULL, personal INTEGER NOT NULL, value_map TEXT""",
    "field_value": "value_map TEXT NOT NULL, value TEXT NOT NULL, shown TEXT NOT NULL",
    "assignment": """task_id TEXT NOT NULL, account_id TEXT, units REAL, start_on TEXT, finish_on TEXT,
    planned_s INTEGER, actual_s INTEGER, remaining_s INTEGER, overtime_s INTEGER, cost_minor INTEGER,
    actual_cost_minor INTEGER, remaining_cost_minor INTEGER, currency TEXT""",
}


@migrations(name="0008_plans")
def _plans(db: Database) -> None:
    """Keep what a plan says beyond dates and effort, who is on which task, and demand without a resource.

    A target says whether it counts in the weather.
    """
    for table, ddl in _TABLES_0008.items():
        _remade(db, table, ddl)
        _allow(db, table, "'unobserved')", "'unobserved','outside')")
    for table, ddl in _NEW_0008.items():
        _versioned(db, table, ddl)
        _allow(db, table, "'unobserved')", "'unobserved','outside')")


@migrations(name="0009_access_groups")
def _access_groups(db: Database) -> None:
    """Keep who is in the groups that lines of access.csv name."""
    _versioned(db, "access_group", "group_name TEXT NOT NULL, member TEXT NOT NULL")
    _allow(db, "access_group", "'unobserved')", "'unobserved','outside')")


@migrations(name="0010_capacity")
def _capacity(db: Database) -> None:
    """Keep what the calendars of a tool say that people can work."""
    _versioned(
        db,
        "capacity",
        """account_id TEXT NOT NULL, container_id TEXT, start_on TEXT NOT NULL, finish_on TEXT NOT NULL,
        weekdays TEXT NOT NULL, seconds INTEGER NOT NULL, units REAL NOT NULL""",
    )
    _allow(db, "capacity", "'unobserved')", "'unobserved','outside')")


_TABLES_0011 = {
    "register_item": _TABLES_0001["register_item"] + ", asked_of TEXT",
    "assessment": _TABLES_0002["assessment"] + ", commentary TEXT",
}


@migrations(name="0011_story")
def _story(db: Database) -> None:
    """Keep what a manager writes for the committee, and whom a decision is asked of."""
    for table, ddl in _TABLES_0011.items():
        _remade(db, table, ddl)
        _allow(db, table, "'unobserved')", "'unobserved','outside')")


@migrations(name="0012_retention")
def _retention(db: Database) -> None:
    """Keep since when the store remembers what was known at any moment."""
    db.execute("ALTER TABLE clock ADD COLUMN history_from TEXT")


@migrations(name="0013_endings")
def _endings(db: Database) -> None:
    """Keep what tools say of the end of an address or a token."""
    db.execute(
        "CREATE TABLE ending (owner TEXT NOT NULL, place TEXT NOT NULL, kind TEXT NOT NULL, ends_on TEXT, "
        "detail TEXT NOT NULL, PRIMARY KEY (owner, place, kind, detail))"
    )


@migrations(name="0014_rejection_numbers")
def _rejection_numbers(db: Database) -> None:
    """Keep the highest number that a rejection ever had: SQLite gives that of a deleted row again.

    It stands beside the clock, so that whatever copies a store takes it along.
    """
    db.execute("ALTER TABLE clock ADD COLUMN rejection_no INTEGER NOT NULL DEFAULT 0")
    db.execute(HIGHEST_REJECTION)


@migrations(name="0015_hub")
def _hub(db: Database) -> None:
    """Give the hub a name of its own, by which a group knows its rows whatever way they come."""
    db.execute("ALTER TABLE clock ADD COLUMN hub TEXT")
    db.execute("UPDATE clock SET hub = lower(hex(randomblob(8)))")


HIGHEST_REJECTION = "UPDATE clock SET rejection_no = (SELECT coalesce(max(id), 0) FROM rejection)"
"""What sets the count of a store that had none; in PostgreSQL too."""


def _allow(db: Database, table: str, before: str, after: str) -> None:
    """Make *table* anew with another check, and give it the rows, indexes and triggers that it had.

    SQLite cannot change the check of a column.
    """
    made = db.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL", (table,)
    ).fetchall()
    (ddl,) = (sql for kind, _, sql in made if kind == "table")
    if db.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone():
        for kind, name, _ in made:
            if kind in {"trigger", "index"}:
                db.execute(f"DROP {kind} {name}")
        db.execute(f"ALTER TABLE {table} RENAME TO {table}_before")
        db.execute(ddl.replace(before, after, 1))
        db.execute(f"INSERT INTO {table} SELECT * FROM {table}_before")
        db.execute(f"DROP TABLE {table}_before")
    else:  # of a store that is just made: SQLite reads its whole schema again for each new name
        db.execute(f"DROP TABLE {table}")
        db.execute(ddl.replace(before, after, 1))
    for kind, _, sql in made:
        if kind in {"trigger", "index"}:
            db.execute(sql)

"""Bronze: it reads, completely and rightly, and keeps its secrets."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from hub.errors import ConfigError
from hub.records import BY_TABLE
from hub.settings import convert
from hub.source import Source
from hub.testing.kit import faults, spoiling
from hub.testing.kit.certification import SECRET, HttpWorld, SourceCertification
from hub.testing.kit.checks import check, well
from hub.testing.kit.harness import Failed, table

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@check(
    "bronze",
    "A full reading holds every row of the tool, with the values of the answer sheet.",
    "Read all pages; map each field from its own place.",
)
def reads_everything(certification: SourceCertification, seed: int) -> str:
    """Sync a fresh world and compare."""
    with table(certification, seed) as harness:
        well(harness)
        return ", ".join(f"{len(rows)} {name}" for name, rows in harness.world.truth().items())


@check(
    "bronze",
    "Hours in are hours out: own effort only, no roll-up, to the second.",
    "Take the item's own effort; convert hours with round(hours * 3600).",
)
def hours_in_are_hours_out(certification: SourceCertification, seed: int) -> str:
    """Compare the sums of seconds."""
    with table(certification, seed) as harness:
        harness.sync()
        truth = harness.world.truth()
        for name, field in (("task", "estimate_s"), ("worklog", "seconds"), ("budget_line", "amount_minor")):
            if name not in truth:
                continue
            ours = harness.counted(name)
            said = sum(row.get(field) or 0 for row in truth[name].values())
            held = sum(row[field] or 0 for row in ours.values())
            if said != held:
                raise Failed(f"{name}.{field}: the tool has {said} s, the store {held} s")
            for native, row in truth[name].items():  # what one row lacks, another may have too much
                if field in row and native in ours and ours[native][field] != row[field]:
                    raise Failed(
                        f"{name} {native}: {field} is {ours[native][field]}, the tool says {row[field]}"
                    )
        return "the sums of estimates, worklogs and amounts are equal"


@check(
    "bronze",
    "Every value has the type and form of its field: instants in UTC with Z, days as YYYY-MM-DD.",
    "Convert stamps to UTC; keep civil days as text.",
)
def types_and_forms(certification: SourceCertification, seed: int) -> str:
    """Convert every stored row strictly and look at stamps; what the hub had to reject was wrong too."""
    with table(certification, seed) as harness:
        harness.sync()
        _, refused = harness.rejections()
        if refused:
            raise Failed(refused[0].sentence)
        rows = 0
        for name, record in BY_TABLE.items():
            for row in harness.store.rows(f"SELECT * FROM {name}"):
                rows += 1
                values = {
                    f: bool(row[f])
                    if row[f] is not None and "bool" in str(record.__annotations__.get(f, ""))
                    else row[f]
                    for f in record.__struct_fields__
                }
                try:
                    msgspec.convert(values, record)
                except msgspec.ValidationError as exc:
                    raise Failed(f"{name} {row['id']}: {exc}") from exc
                for field in record.__struct_fields__:
                    value = row[field]
                    if value is None:
                        continue
                    if field.endswith("_at") and not _INSTANT.fullmatch(value):
                        raise Failed(f"{name}.{field} is {value!r}, not a UTC instant")
                    if (field.endswith("_on") or field == "day") and not _DAY.fullmatch(value):
                        raise Failed(f"{name}.{field} is {value!r}, not a day")
        return f"{rows} rows"


@check(
    "bronze",
    "A worklog's day is the author's day, on DST nights too.",
    "Take the date as the tool writes it; never the UTC date of an instant.",
    needs=("worklogs",),
)
def the_day_is_the_authors(certification: SourceCertification, seed: int) -> str:
    """Compare days of late and early entries."""
    with table(certification, seed) as harness:
        harness.sync()
        ours = harness.counted("worklog")
        for native, row in harness.world.truth()["worklog"].items():
            if native in ours and "day" in row and ours[native]["day"] != row["day"]:
                raise Failed(f"worklog {native}: day {ours[native]['day']}, the author wrote {row['day']}")
        return f"{len(ours)} worklogs"


@check(
    "bronze",
    "The declared record types are made, and no others.",
    "Name in `provides` every record class you yield, and none that you do not.",
)
def declared_records_only(certification: SourceCertification, seed: int) -> str:
    """Look which tables were filled."""
    with table(certification, seed) as harness:
        harness.sync()
        declared = {record.table for record in certification.records or harness.source.provides}
        for name in BY_TABLE:
            if name not in declared and harness.store.rows(f"SELECT 1 FROM {name} LIMIT 1"):
                raise Failed(f"rows of {name} were written, which `provides` does not name")
            if name in declared and not harness.store.rows(f"SELECT 1 FROM {name} LIMIT 1"):
                raise Failed(
                    f"`provides` names {name}, and not one came: "
                    "take it out, or show one in the certification's world"
                )
        return ", ".join(sorted(declared))


@check("bronze", "Text is kept as it is: any script, emoji, and very long.", "Do not cut or encode text.")
def text_is_kept(certification: SourceCertification, seed: int) -> str:
    """Compare titles."""
    with table(certification, seed) as harness:
        harness.sync()
        ours = harness.counted(harness.main)
        texts = 0
        for native, row in harness.world.truth()[harness.main].items():
            for field, text in row.items():
                texts += isinstance(text, str)
                if isinstance(text, str) and native in ours and ours[native][field] != text:
                    raise Failed(
                        f"{harness.main} {native}: {field} lost something: {str(ours[native][field])[:40]!r}"
                    )
        return f"{texts} texts are equal"


@check(
    "bronze",
    "The credential is found nowhere: store, log, report, repr.",
    "Keep it in a Secret; put it into ctx.http.credentials, never into a URL, a message or a record.",
    medium="http",
)
def secrets_stay_secret(certification: SourceCertification, seed: int) -> str:
    """Search after a calm run and after a refused one."""
    with table(certification, seed) as harness:
        calm = harness.sync()
        refused = harness.sync(faults.status_from(1, 401), full=True)
        said = ""
        with harness.context() as context:
            try:
                said = str(list(harness.source.check(context)))
            except Exception as exc:  # noqa: BLE001 - only its text matters
                said = str(exc)
        places = {
            "store": "\n".join(harness.store.connection.iterdump()),
            "log": harness.log.getvalue(),
            "repr": repr(harness.source),
            "report": json.dumps(msgspec.to_builtins([calm, refused])) + said,
        }
        if found := [place for place, text in places.items() if SECRET in text]:
            raise Failed(f"the credential is in the {' and the '.join(found)}")
        return "not found in store, log, report and repr"


@check(
    "bronze",
    "The number of requests stays within the connector's own plan.",
    "Ask in pages and batches, never once per item; or state the true plan.",
    medium="http",
)
def requests_within_plan(certification: SourceCertification, seed: int) -> str:
    """Count the requests of a full reading."""
    with table(certification, seed) as harness:
        plan = harness.world.requests()
        harness.sync()
        asked = len(harness.simulator.asked)
        if asked > plan:
            raise Failed(f"{asked} requests, the plan says at most {plan}")
        return f"{asked} of {plan}"


@check(
    "bronze",
    "Nothing happens before it is asked for.",
    "Open no connection when the source is made or planned.",
    medium="http",
)
def quiet_when_made(certification: SourceCertification, seed: int) -> str:
    """Make the source and count requests."""
    with table(certification, seed) as harness:
        certification.source(harness.simulator.url)
        if harness.simulator.asked:
            raise Failed(f"{len(harness.simulator.asked)} requests when the source was made")
        return "no request"


@check(
    "bronze",
    "`check` says well when it is, and not when the tool refuses or its files are gone.",
    "Ask something that needs the credential, or look for the files; let the error through or say failed.",
)
def check_tells_the_truth(certification: SourceCertification, seed: int) -> str:
    """Run `check` against a willing tool and one that refuses."""
    with table(certification, seed) as harness:
        harness.prepare()
        refusal = faults.status_from(1, 401) if isinstance(harness.world, HttpWorld) else spoiling.vanished()
        for fault, wanted in ((None, True), (refusal, False)):
            with harness.tamper(fault), harness.context() as context:
                try:
                    states = {one.state for one in harness.source.check(context)}
                except Exception:  # noqa: BLE001 - a refusal told as an error is told
                    states = {"failed"}
            if ("failed" not in states) != wanted:
                raise Failed(
                    "check said failed on a healthy tool"
                    if wanted
                    else "check said ok although the tool refused"
                )
        return "ok when well, failed when refused"


@check(
    "bronze",
    "The zone of the machine changes nothing.",
    "Never use local time: name the zone of every stamp, keep civil days as text.",
)
def zone_of_the_machine(certification: SourceCertification, seed: int) -> str:
    """Sync with the machine's clock set to zones a day apart."""
    seen = []
    for zone in ("Pacific/Kiritimati", "America/Anchorage"):
        with table(certification, seed) as harness, _zone(zone):
            well(harness, f"a sync in {zone}")
            seen.append(harness.image())
    if seen[0] != seen[1]:
        raise Failed("the store depends on the zone of the machine")
    return "equal in zones 23 hours apart"


@contextmanager
def _zone(name: str) -> Iterator[None]:
    if not hasattr(time, "tzset"):  # Windows keeps its zone
        yield
        return
    before = os.environ.get("TZ")
    os.environ["TZ"] = name
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()


@check(
    "bronze",
    "A wrong setting is an error that names it.",
    "Declare settings as typed fields; forbid unknown ones.",
)
def settings_are_checked(certification: SourceCertification, seed: int) -> str:
    """Convert a configuration with an unknown key."""
    with table(certification, seed) as harness:
        cls: type[Source] = type(harness.source)
        try:
            convert(
                {"name": "x", "surely_no_setting": 1}, cls, where="hub.toml [sources.x]", base=harness.base
            )
        except ConfigError as exc:
            return str(exc)[:100]
        raise Failed("an unknown setting was accepted")

"""The configuration: TOML checked against the settings of every source and destination."""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from hub.cells import CURRENCIES
from hub.context import Network
from hub.destination import Destination, LostDestination
from hub.errors import ConfigError
from hub.meetings import cut_due, next_meeting
from hub.secrets import Secret, read_environment, to_secret
from hub.source import LostSource, Source
from hub.words import LANGS, Lang, tr

T = TypeVar("T")
_NAME = re.compile(r"^[A-Za-z][A-Za-z0-9_-]*$")
_DRIVE = re.compile(r"^([A-Za-z]:|\\)")
_OF_PATHS = re.compile(r"(path|file|folder|store|feed|mapping|bundle|template|theme|logo)$")
_SPECIAL = re.compile(r"[\x00-\x1f]")
_KNOWN = (
    "store",
    "store_password",
    "feed",
    "environment",
    "lang",
    "country",
    "currency",
    "sources",
    "destinations",
    "schedule",
    "notify",
    "gate",
    "engine",
    "match",
    "privacy",
    "committee",
    "environment",
    "backup",
    "retention",
    "log",
    "metrics",
    "lineage",
    "delivery",
)


class Schedule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[schedule]``: when `hub run` happens, as a five-field cron expression.

    It is read in the zone *tz* (None: the machine's). *env_file* holds lines ``NAME=value`` for secrets that
    are named by ``env``, where a scheduler starts the hub with an environment of its own; what the
    environment says itself wins.
    """

    run: str | None = None
    tz: str | None = None
    env_file: str | None = None


class Notify(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[notify]``: Apprise addresses told of what goes wrong with a run, and of its recovery.

    Each address is a secret. Of a token that ends they are told *days_before*.
    """

    to: tuple[Secret, ...] = ()
    days_before: int = 14


class Log(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[log]``: a *file* that every command writes to, one line an event, or one JSON object.

    At *max_mb* it is put aside as ``….1``, and so on; *keep* of these are kept.
    """

    file: str | None = None
    json: bool = False
    max_mb: Annotated[float, msgspec.Meta(gt=0)] = 10.0
    keep: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 5


class Sharing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[delivery]``: who besides the hub's own account may read delivered files, on Linux and macOS.

    *group* gets them, with the rights *mode* (octal, such as ``0640``; a folder is entered by who may read
    it). What names persons (``nominative-line``, ``pseudonym-week``) stays with the account.
    """

    group: str | None = None
    mode: Annotated[str, msgspec.Meta(pattern="^0?[0-7]{3}$")] | None = None

    @property
    def bits(self) -> int:
        """Return the mode of a file."""
        return int(self.mode, 8) if self.mode else 0o640 if self.group else 0o600


class Gate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[gate]``: whether stale or failed sources block a feed instead of being marked in it.

    *min_quality* (0 to 100) and *max_unmapped* (a share) block too when they are set.
    """

    freshness: Literal["warn", "block"] = "warn"
    failed_sources: Literal["warn", "block"] = "warn"
    min_quality: float | None = None
    max_unmapped: float | None = None
    keep_feeds: int = 10


class Engine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[engine]``: how much runs at once, and what memory builds, checks and delivers a feed.

    *ca_bundle* is a file of the company's own certificates, instead of what the environment names;
    *max_answer_mb* and *max_request_s* bound one answer over HTTP. A source that says nothing for
    *max_silence_s*, or takes longer than *max_source_s*, is given up: the run goes on without it. With *kind*
    ``dask`` the heavy part of a feed is built by the workers of the Dask scheduler at *address*, each with
    that memory; where the store is on a server they read the sources, too.
    """

    kind: Literal["local", "dask"] = "local"
    address: Annotated[str, msgspec.Meta(pattern="^(tcp|tls)://")] | None = None
    jobs: int = 8
    memory_mb: int = 1024
    ca_bundle: str | None = None
    max_answer_mb: float = 100.0
    max_request_s: float = 300.0
    max_silence_s: float = 1800.0
    max_source_s: float = 21600.0

    @property
    def cluster(self) -> str | None:
        """Return the address of the scheduler that has work done; None where this machine does all of it."""
        return self.address if self.kind == "dask" else None

    @property
    def network(self) -> Network:
        """Return how runs use the network."""
        return Network(ca_bundle=self.ca_bundle, answer_mb=self.max_answer_mb, request_s=self.max_request_s)


class Match(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[match]``: how the accounts and tasks of several tools are matched.

    *domain_aliases* maps a mail domain to the one it stands for; *auto* looks for exact matches after every
    sync.
    """

    domain_aliases: dict[str, str] = {}
    auto: bool = True


class Committee(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[committee]``: when it meets, as days or as a rhythm (`hub.meetings.meetings`).

    On its day `hub run` publishes, then takes a cut of what it published, called *label* and the day, and
    closes it unless *close* is false.
    """

    dates: tuple[date, ...] = ()
    rhythm: str | None = None
    label: Annotated[str, msgspec.Meta(min_length=1, max_length=60)] = "COPIL"
    close: bool = True

    def next(self, today: date) -> date | None:
        """Return the first day after *today* on which it meets, as far as that is known."""
        return next_meeting(self.dates, self.rhythm, today)

    def cut_due(self, today: date, taken: list[date]) -> date | None:
        """Return the day of which a cut is to be taken *today*, where those *taken* lack it."""
        return cut_due(self.dates, self.rhythm, today, taken)


class PrivacySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[privacy]``: how long lines of persons are kept, and what hides them.

    *key* makes pseudonyms. *keep_months* is how long lines of persons are kept before `hub privacy purge`
    sums them. *k* is of how many people a sum that shows a team or a week is made at least, where a
    destination gets sums.
    """

    key: Secret | None = None
    keep_months: int = 13
    k: Annotated[int, msgspec.Meta(ge=1)] = 5


class BackupSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[backup]``: where `hub store backup` writes, and how many it keeps there.

    *key* is the passphrase that encrypts them (None: they are not). *secrets* takes the files of secrets too,
    which asks for a *key*. With *each_run* `hub run` makes one at its end.
    """

    folder: str | None = None
    keep: Annotated[int, msgspec.Meta(ge=1)] = 14
    key: Secret | None = None
    secrets: bool = False
    each_run: bool = False


class Retention(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[retention]``: what `hub store prune` frees, and `hub run` with it; None keeps it for ever.

    Older images of rows go after *history_months*, but for what a cut shows; runs after *runs_months*,
    the memory of deliveries after *deliveries_months*. Feeds are kept as ``[gate] keep_feeds`` says.
    """

    history_months: Annotated[int, msgspec.Meta(ge=1)] | None = None
    runs_months: Annotated[int, msgspec.Meta(ge=1)] | None = None
    deliveries_months: Annotated[int, msgspec.Meta(ge=1)] | None = None


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One checked configuration; *base* is the folder its relative paths start from."""

    path: Path
    base: Path
    store: str
    feed: Path
    lang: Literal["en", "fr"]
    country: str
    currency: str
    sources: dict[str, Source]
    destinations: dict[str, Destination]
    schedule: Schedule
    notify: Notify
    gate: Gate
    engine: Engine
    match: Match
    privacy: PrivacySettings
    committee: Committee
    log: Log = Log()
    delivery: Sharing = Sharing()
    environment: str | None = None
    metrics: Path | None = None
    lineage: Path | None = None
    backup: BackupSettings = BackupSettings()
    retention: Retention = Retention()
    store_password: Secret | None = None


def find_config(given: str | None) -> Path:
    """Return the configuration's path: *given*, else ./config/hub.toml, else HUB_CONFIG."""
    if given:
        return Path(given)
    default = Path("config") / "hub.toml"
    if not default.exists() and (named := os.environ.get("HUB_CONFIG")):
        return Path(named)
    return default


def base_of(path: Path) -> Path:
    """Return the folder that the relative paths of the configuration at *path* start from."""
    folder = path.resolve().parent
    return folder.parent if folder.name == "config" else folder


def lang_of(path: Path) -> Lang | None:
    """Return the language that the configuration at *path* asks for; None where it says none or is none."""
    try:
        lang = tomllib.loads(path.read_text(encoding="utf-8-sig")).get("lang")
    except (OSError, ValueError):
        return None
    return next((known for known in LANGS if known == lang), None)


def load(
    path: Path, *, sources: Mapping[str, type[Source]], destinations: Mapping[str, type[Destination]]
) -> Settings:
    """Read and check the configuration at *path*.

    *sources* and *destinations* are the known kinds. Raises `ConfigError` naming file, section, key and the
    known keys.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as exc:
        raise ConfigError(
            tr(
                "There is no configuration at {path}. Run `hub init` to write one, or point to yours "
                "with --config.",
                path=path,
            )
        ) from exc
    except tomllib.TOMLDecodeError as exc:
        said = tr("{path} is not valid TOML: {error}.", path=path, error=exc)
        raise ConfigError(said + _of_backslashes(path.read_text(encoding="utf-8-sig"), str(exc))) from exc
    except UnicodeDecodeError as exc:
        raise ConfigError(
            tr("{path} is not UTF-8 text (byte {start}): save it as UTF-8.", path=path, start=exc.start)
        ) from exc
    except OSError as exc:
        raise ConfigError(tr("{path} cannot be read: {reason}.", path=path, reason=exc.strerror)) from exc
    _no_broken_paths(raw, str(path))
    for key in raw:
        if key not in _KNOWN:
            raise ConfigError(
                tr("{path}: unknown key {key!r}{suggest}", path=path, key=key, suggest=_suggest(key, _KNOWN))
            )
    base = base_of(path)
    lang = raw.get("lang", "en")
    if lang not in {"en", "fr"}:
        raise ConfigError(tr('{path}: lang is "en" or "fr", not {lang!r}.', path=path, lang=lang))
    for key in ("store", "feed", "country", "currency", "environment", "metrics", "lineage"):
        if key in raw and not isinstance(raw[key], str):
            raise ConfigError(tr("{path}: {key} is a text, not {raw!r}.", path=path, key=key, raw=raw[key]))
    if raw.get("currency", "EUR") not in CURRENCIES:
        raise ConfigError(
            tr(
                "{path}: currency = {currency!r} is not a code of ISO 4217 such as EUR.",
                path=path,
                currency=raw["currency"],
            )
        )

    def section(name: str, cls: type[T]) -> T:
        return convert(raw.get(name, {}), cls, where=f"{path} [{name}]", base=base)

    schedule = _schedule(section("schedule", Schedule), path, base)
    delivery = _sharing(section("delivery", Sharing), path)
    engine = section("engine", Engine)
    if engine.ca_bundle is not None:
        engine = msgspec.structs.replace(engine, ca_bundle=str(base / engine.ca_bundle))
    if engine.kind == "dask" and engine.address is None:
        raise ConfigError(
            tr(
                '{path}: [engine] kind = "dask" needs address = "tcp://…:8786", where its scheduler listens.',
                path=path,
            )
        )
    committee = section("committee", Committee)
    committee.next(date.min)  # a rhythm that nobody understands is told here
    return Settings(
        path=path,
        base=base,
        store=raw.get("store", "sqlite:///data/hub.db"),
        store_password=_store_password(raw, path, base),
        feed=base / raw.get("feed", "data/feed"),
        lang=lang,
        country=raw.get("country", "FR"),
        currency=raw.get("currency", "EUR"),
        sources=_tables(raw, "sources", sources, path, base, LostSource),
        destinations=_tables(raw, "destinations", destinations, path, base, LostDestination),
        schedule=schedule,
        notify=section("notify", Notify),
        gate=section("gate", Gate),
        engine=engine,
        match=section("match", Match),
        privacy=section("privacy", PrivacySettings),
        committee=committee,
        log=section("log", Log),
        delivery=delivery,
        environment=raw.get("environment"),
        metrics=base / raw["metrics"] if "metrics" in raw else None,
        lineage=base / raw["lineage"] if "lineage" in raw else None,
        backup=section("backup", BackupSettings),
        retention=section("retention", Retention),
    )


def _store_password(raw: Mapping[str, Any], path: Path, base: Path) -> Secret | None:
    """Return where the password of a store on a server lies."""
    try:
        return to_secret(raw["store_password"], base=base) if "store_password" in raw else None
    except ValueError as exc:
        raise ConfigError(tr("{path}: store_password: {reason}", path=path, reason=exc)) from exc


def _schedule(schedule: Schedule, path: Path, base: Path) -> Schedule:
    if schedule.tz is not None and not is_zone(schedule.tz):
        raise ConfigError(
            tr(
                "{path} [schedule]: tz = {tz!r} is not a time zone such as Europe/Paris.",
                path=path,
                tz=schedule.tz,
            )
        )
    if schedule.env_file is not None:
        read_environment(base / schedule.env_file)
    return schedule


def _sharing(delivery: Sharing, path: Path) -> Sharing:
    if delivery.bits & 0o022 or delivery.bits & 0o600 != 0o600:
        raise ConfigError(
            tr(
                "{path} [delivery]: mode = {mode!r} lets others write, or the hub itself not: 0640 and 0644 "
                "are usual.",
                path=path,
                mode=delivery.mode,
            )
        )
    return delivery


def _of_backslashes(text: str, error: str) -> str:
    """Return how a path of Windows is written, where the line that TOML stumbles over holds a backslash."""
    if (found := re.search(r"at line (\d+)", error)) is None:
        return ""
    line = text.splitlines()[int(found.group(1)) - 1 :][:1]
    if not line or not re.search(r'"[^"]*\\', line[0]):
        return ""
    return _how_paths_are_written()


def _how_paths_are_written() -> str:
    return tr(
        " In double quotes a backslash begins a special letter (\\t is a tab): write a path of Windows in "
        "single quotes, 'C:\\plans', or with slashes, \"C:/plans\"."
    )


def _no_broken_paths(value: Any, where: str, key: str = "") -> None:
    r"""Refuse a path whose backslashes TOML took for special letters: C:\temp is C:, a tab and emp then."""
    if isinstance(value, dict):
        for name, inner in value.items():
            _no_broken_paths(inner, f"{where} {name}", name)
    elif isinstance(value, list):
        for inner in value:
            _no_broken_paths(inner, where, key)
    elif isinstance(value, str) and _SPECIAL.search(value) and (_DRIVE.match(value) or _OF_PATHS.search(key)):
        raise ConfigError(
            tr("{where}: {value!r} holds a special letter.", where=where, value=value)
            + _how_paths_are_written()
        )


def _longest_sound(lines: list[str]) -> dict[str, Any]:
    """Return what the first of *lines* say, as many as are TOML."""
    for end in range(len(lines), 0, -1):
        with contextlib.suppress(tomllib.TOMLDecodeError):
            return tomllib.loads("\n".join(lines[:end]))
    return {}


def notify_of(path: Path) -> tuple[tuple[Secret, ...], Path | str]:
    """Return whom a configuration wants told, and its store, whatever else is wrong in it.

    They are told of what is wrong: a file that is no TOML is looked through for its section [notify] alone.
    """
    base = path.resolve().parent
    base = base.parent if base.name == "config" else base
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        text = ""
    raw: dict[str, Any] = {}
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        if found := re.search(r"^\[notify\].*?(?=^\s*\[[a-z]|\Z)", text, re.MULTILINE | re.DOTALL):
            raw = _longest_sound(found[0].splitlines())
    store = raw.get("store")
    named = store if isinstance(store, str) else "data/hub.db"
    place = named if named.startswith("postgres") else base / named.removeprefix("sqlite:///")
    try:
        return convert(raw.get("notify", {}), Notify, where=f"{path} [notify]", base=base).to, place
    except ConfigError:
        return (), place


def _tables(
    raw: dict[str, Any], name: str, kinds: Mapping[str, type[T]], path: Path, base: Path, lost: type[T]
) -> dict[str, T]:
    tables = raw.get(name, {})
    if not isinstance(tables, dict):
        raise ConfigError(
            tr("{path}: write each of the {name} as a table, [{name}.NAME].", path=path, name=name)
        )
    found = {}
    for key, table in tables.items():
        where = f"{path} [{name}.{key}]"
        if not isinstance(table, dict):
            raise ConfigError(tr("{where}: this is a table, not {table!r}.", where=where, table=table))
        if not _NAME.match(key) or key == "config":
            raise ConfigError(
                tr(
                    "{where}: a name starts with a letter, has letters, digits, - and _, and is not "
                    "'config'.",
                    where=where,
                )
            )
        kind = table.get("kind")
        if not isinstance(kind, str):
            raise ConfigError(
                tr(
                    "{where}: the key kind is missing; known kinds: {kinds}.",
                    where=where,
                    kinds=", ".join(sorted(kinds)) or tr("none"),
                )
            )
        if kind not in kinds:
            problem = tr(
                "{where}: unknown kind {kind!r}{suggest} `hub plugin list` shows the installed plugins, and "
                "the broken ones.",
                where=where,
                kind=kind,
                suggest=_suggest(kind, kinds),
            )
            if difflib.get_close_matches(kind, kinds, n=1, cutoff=0.75):  # a slip of the pen
                raise ConfigError(problem)
            # its plugin may be broken today: the others go on, and what was read of it stays
            of_all = Source if name == "sources" else Destination
            known = {field.name for field in msgspec.structs.fields(of_all)} - {"name"}
            shared = {setting: value for setting, value in table.items() if setting in known}
            lacking = {"name": key, "lost_kind": kind, "problem": problem}
            found[key] = convert(shared | lacking, lost, where=where, base=base)
            continue
        values = {k: v for k, v in table.items() if k != "kind"}
        found[key] = convert({**values, "name": key}, kinds[kind], where=where, base=base)
        _check_clock(found[key], where)
    return found


def _check_clock(found: Any, where: str) -> None:
    """Refuse a time zone that is none, and a working day that no day is as long as."""
    if (tz := getattr(found, "tz", None)) is not None and not is_zone(tz):
        raise ConfigError(
            tr("{where}: tz = {tz!r} is not a time zone such as Europe/Paris.", where=where, tz=tz)
        )
    if (hours := getattr(found, "hours_per_day", None)) is not None and not 0 < hours <= 24:
        raise ConfigError(
            tr("{where}: hours_per_day = {hours:g} is not above 0 and at most 24.", where=where, hours=hours)
        )
    if (currency := getattr(found, "currency", None)) is not None and currency not in CURRENCIES:
        raise ConfigError(
            tr(
                "{where}: currency = {currency!r} is not a code of ISO 4217 such as EUR.",
                where=where,
                currency=currency,
            )
        )


def is_zone(text: str) -> bool:
    """Say whether *text* is a time zone of the IANA database."""
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        return False
    return True


def convert(values: Any, cls: type[T], *, where: str, base: Path) -> T:
    """Make a settings Struct of plain *values*.

    Raises `ConfigError` naming *where*, the key and the known keys.
    """

    def dec_hook(wanted: type, value: Any) -> Any:
        if wanted is Secret:
            return to_secret(value, base=base)
        raise NotImplementedError(f"settings of type {wanted} are not supported")

    known = tuple(getattr(cls, "__struct_fields__", ()))
    try:
        return msgspec.convert(values, cls, dec_hook=dec_hook)
    except msgspec.ValidationError as exc:
        text = str(exc)
        if match := re.search(r"unknown field `([^`]+)`(?: - at `\$(.*)`)?", text):
            key, inside = match.group(1), match.group(2)
            if inside:
                raise ConfigError(
                    tr(
                        "{where}: unknown key {key!r} in {inside}.",
                        where=where,
                        key=key,
                        inside=inside.strip("."),
                    )
                ) from exc
            raise ConfigError(
                tr(
                    "{where}: unknown key {key!r}{suggest}",
                    where=where,
                    key=key,
                    suggest=_suggest(key, [k for k in known if k != "name"]),
                )
            ) from exc
        if match := re.search(r"missing required field `([^`]+)`(?: - at `\$(.*)`)?", text):
            inside = tr(" in {section}", section=match.group(2).strip(".")) if match.group(2) else ""
            raise ConfigError(
                tr(
                    "{where}: the key {key!r} is missing{inside}.",
                    where=where,
                    key=match.group(1),
                    inside=inside,
                )
            ) from exc
        said, _, place = text.partition(" - at `$")
        raise ConfigError(f"{where}: {place.strip('.`') or 'value'}: {said}.") from exc


def _suggest(key: str, known: Any) -> str:
    names = sorted(known)
    close = difflib.get_close_matches(key, names, n=1)
    hint = tr(" Did you mean {close!r}?", close=close[0]) if close else ""
    return tr(".{hint} Known: {names}.", hint=hint, names=", ".join(names))


def json_schema(
    sources: Mapping[str, type[Source]], destinations: Mapping[str, type[Destination]]
) -> dict[str, Any]:
    """Return the JSON Schema of the configuration, for editors."""
    text = {"type": "string"}
    secret = {"oneOf": [{"type": "object", "properties": {k: text, "expires": text}, "required": [k],
                         "additionalProperties": False} for k in ("env", "keyring", "file")]}  # fmt: skip

    def schema_hook(wanted: type) -> dict[str, Any]:
        if wanted is Secret:
            return secret
        raise NotImplementedError(str(wanted))

    parts = [
        *sources.values(),
        *destinations.values(),
        Schedule,
        Notify,
        Gate,
        Engine,
        Match,
        PrivacySettings,
        Committee,
        BackupSettings,
        Retention,
        Log,
        Sharing,
    ]
    _, definitions = msgspec.json.schema_components(
        parts, schema_hook=schema_hook, ref_template="#/$defs/{name}"
    )

    def table(kinds: Mapping[str, type[Any]]) -> dict[str, Any]:
        choices = []
        for kind, cls in sorted(kinds.items()):
            body = dict(definitions[cls.__name__])
            body["properties"] = {"kind": {"const": kind}} | {
                k: v for k, v in body["properties"].items() if k != "name"
            }
            body["required"] = ["kind", *[k for k in body.get("required", []) if k != "name"]]
            body["title"] = kind
            choices.append(body)
        return {"type": "object", "additionalProperties": {"oneOf": choices} if choices else {}}

    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pm-hub configuration",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "store": {"type": "string", "default": "sqlite:///data/hub.db"},
            "store_password": {
                "type": "object",
                "description": "where the password of the store lies",
            },
            "feed": {"type": "string", "default": "data/feed"},
            "lang": {"enum": ["en", "fr"]},
            "country": {"type": "string", "default": "FR", "description": "ISO code of the public holidays"},
            "currency": {"type": "string", "default": "EUR", "description": "currency of the feed's amounts"},
            "sources": table(sources),
            "destinations": table(destinations),
            **{
                name: {"$ref": f"#/$defs/{name.capitalize()}"}
                for name in (
                    "schedule",
                    "notify",
                    "gate",
                    "engine",
                    "match",
                    "committee",
                    "retention",
                    "log",
                )
            },
            "environment": {"type": "string", "description": "told in messages, such as production"},
            "metrics": {"type": "string", "description": "file of OpenMetrics text, written after each run"},
            "lineage": {"type": "string", "description": "file of OpenLineage events, one a line"},
            "delivery": {"$ref": "#/$defs/Sharing"},
            "privacy": {"$ref": "#/$defs/PrivacySettings"},
            "backup": {"$ref": "#/$defs/BackupSettings"},
        },
        "$defs": definitions,
    }

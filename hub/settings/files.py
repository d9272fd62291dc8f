"""Read the configuration: TOML checked against the settings of every source and destination."""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from hub.cells import CURRENCIES
from hub.destination import Destination, LostDestination
from hub.errors import ConfigError
from hub.secrets import Secret, read_environment, to_secret
from hub.settings.converting import convert, did_you_mean, is_zone
from hub.settings.sections import (
    BackupSettings,
    Committee,
    Engine,
    Gate,
    Log,
    Match,
    Notify,
    PrivacySettings,
    Retention,
    Schedule,
    Settings,
    Sharing,
)
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
                tr(
                    "{path}: unknown key {key!r}{suggest}",
                    path=path,
                    key=key,
                    suggest=did_you_mean(key, _KNOWN),
                )
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
                suggest=did_you_mean(kind, kinds),
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

"""Back a place up, make it again, copy it, and prove that it is whole."""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.cli.app import App
from hub.cli.info import must_exist
from hub.cli.output import short_path
from hub.cli.speech import Command
from hub.errors import ConfigError, HubError, StoreError
from hub.files import text_as_written, write_atomically
from hub.settings import base_of
from hub.words import mark, number, tr, trn

if TYPE_CHECKING:
    from hub.secrets import Secret
    from hub.store.engines import Engine
    from hub.store.moving import Moved
    from hub.upkeep import Backup, Paths, Restored

_KEY = mark("Where the passphrase lies: env=NAME, file=PATH or keyring=SERVICE/NAME.")


def size_text(count: int) -> str:
    """Return a number of bytes as people read it."""
    return tr("{size} MB", size=number(count / 1e6, ".1f"))


def _paths(app: App) -> Paths:
    from hub.upkeep import Paths

    engine = must_exist(app)
    return Paths(
        base=app.settings.base, config=app.settings.path.resolve(), feed=app.settings.feed,
        store=engine.path or app.settings.base / "data" / "hub.db",
        server=None if engine.path else engine,
    )  # fmt: skip


def _secret(text: str | None, base: Path) -> Secret | None:
    """Return the secret that ``--key`` names. Raises `ConfigError`."""
    from hub.secrets import to_secret

    if text is None:
        return None
    kind, _, where = text.partition("=")
    try:
        return to_secret({kind: where}, base=base)
    except ValueError as exc:
        raise ConfigError(
            tr(
                "--key names where the passphrase lies, env=NAME, file=PATH or keyring=SERVICE/NAME; it is "
                "never the passphrase itself."
            )
        ) from exc


def _make(app: App, target: Path, key: Secret | None, *, secrets: bool) -> Backup:
    from hub.upkeep import backup, keep_marks

    if secrets and key is None:
        raise ConfigError(
            tr("Secrets are only backed up encrypted: add [backup] key, or --key env=PM_HUB_BACKUP_KEY.")
        )
    made = backup(
        _paths(app), target,
        passphrase=key.reveal() if key else None,
        source=key.place if key else "",
        secrets=secrets,
        environment=app.settings.environment,
    )  # fmt: skip
    keep_marks(must_exist(app), *_ledgers(app), target.parent)
    return made


def _ledgers(app: App) -> list[Path]:
    """Return the folders that hold the marks of erased people: beside the store, and with the backups."""
    folder = app.settings.backup.folder
    kept = must_exist(app).path or app.settings.base / "data" / "hub.db"
    return [kept.parent, *([app.settings.base / folder] if folder else [])]


def keep_erased(app: App) -> None:
    """Keep the marks of erased people where a restore finds them."""
    from hub.upkeep import keep_marks

    keep_marks(must_exist(app), *_ledgers(app))


def backups_of(app: App) -> list[Path]:
    """Return the backups in [backup] folder, and what restores put aside, oldest first."""
    folder = app.settings.backup.folder
    return [
        *sorted((app.settings.base / folder).glob("pm-hub-*.tar.gz*") if folder else ()),
        *sorted(app.settings.base.glob("before-restore-*")),
    ]


def into_folder(app: App, folder: Path, key: Secret | None, *, secrets: bool) -> tuple[Backup, list[Path]]:
    """Write a backup named by the moment into *folder*; gives it and the oldest ones, which were removed."""
    from hub.upkeep import name_for, rotate

    environment = app.settings.environment
    made = _make(app, folder / name_for(environment, sealed=key is not None), key, secrets=secrets)
    return made, rotate(folder, environment, keep=app.settings.backup.keep)


def _say_backup(app: App, made: Backup) -> int:
    tables = made.manifest["tables"]
    app.say(
        tr(
            "Backed up {rows:,} rows of {tables} tables and {files:,} {files:file|files}, {size}: {path}",
            rows=sum(one["rows"] for one in tables.values()),
            tables=len(tables),
            files=len(made.manifest["files"]),
            size=size_text(made.bytes),
            path=short_path(made.path),
        ),
        "green",
    )
    if made.left_out:
        app.say(
            tr(
                "Not in it: secrets ({names}), and whatever settings take from the environment or a keyring. "
                "Keep them elsewhere.",
                names=", ".join(made.left_out),
            )
        )
    for line in made.damaged:
        app.say(tr("Not whole: {line}.", line=line), "red")
    return 3 if made.damaged else 0


@click.command(cls=Command)
@click.argument("place", required=False, type=click.Path(path_type=Path))
@click.option("--key", metavar="WHERE", help=_KEY)
@click.option("--secrets", is_flag=True, help="Take files of secrets and sign-ins too; only encrypted.")
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
@click.pass_obj
def backup(app: App, place: Path | None, key: str | None, secrets: bool, json_: bool) -> int:
    """Write store, cuts, feed and configuration into one file; a sync may go on meanwhile.

    PLACE is a file, or a folder that gets one named by the moment; default [backup] folder.

    Example: hub store backup /srv/backup/
    """
    settings = app.settings.backup
    if place is None and not settings.folder:
        raise ConfigError(tr("Say where to: `hub store backup FOLDER`, or set [backup] folder."))
    passphrase = _secret(key, Path.cwd()) or settings.key
    secrets = secrets or settings.secrets
    folder = place or app.settings.base / str(settings.folder)
    if place is None or place.is_dir() or not place.suffix:
        made, gone = into_folder(app, folder, passphrase, secrets=secrets)
    else:
        made, gone = _make(app, place, passphrase, secrets=secrets), []
    if json_:
        app.as_json(
            {
                "path": str(made.path), "bytes": made.bytes, "damaged": made.damaged,
                "left_out": made.left_out, "removed": [str(path) for path in gone],
                "manifest": made.manifest,
            }
        )  # fmt: skip
        return 3 if made.damaged else 0
    code = _say_backup(app, made)
    for path in gone:
        app.say(tr("Removed the oldest: {path}", path=short_path(path)))
    return code


def _archive(place: Path) -> Path:
    """Return the backup *place*, or the newest one in that folder. Raises `StoreError`."""
    if not place.is_dir():
        return place
    found = sorted(place.glob("*.tar.gz*"), key=lambda path: (path.stat().st_mtime, path.name))
    if not found:
        raise StoreError(tr("There is no backup in {place}.", place=place))
    return found[-1]


def _revealer(key: Secret | None, base: Path) -> Callable[[str], str]:
    def reveal(where: str) -> str:
        chosen = key or (_secret(where, base) if where else None)
        if chosen is None:
            raise ConfigError(tr("The backup is encrypted: say --key env=NAME or the like."))
        return chosen.reveal()

    return reveal


def _cleanser(folders: list[Path], named: list[str]) -> Callable[[Paths], int]:
    """Return what erases again, in a place that is not there yet, who was erased since the backup."""

    def cleanse(staged: Paths) -> int:
        from hub import privacy
        from hub.publish import cuts
        from hub.store import Store, copies
        from hub.upkeep import gather

        held = copies.marks(staged.store)
        found = gather(held[0], folders) if held else []
        if not found:
            return 0
        with Store.open(staged.store) as store:
            new = store.adopt_marks(found)
            if store.erasures():
                privacy.finish(
                    store, staged.feed, staged.base, lambda one: cuts.redact(one, staged.feed, again=True)
                )
            for path in sorted(staged.config.parent.glob("*.csv")):
                lines = _text(path).splitlines()
                if any(store.door.text(line) != line for line in lines):
                    named.append(path.name)
        return new

    return cleanse


def _text(path: Path) -> str:
    """Return a text of people, as far as it can be read."""
    raw = path.read_bytes()
    try:
        return text_as_written(raw)
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace")


def _store_there(app: App, base: Path) -> Path | None:
    """Return the store of the configuration below *base*, if there is one."""
    path: Path | None = base / "data" / "hub.db"
    if app.config.exists() and base_of(app.config) == base.resolve():
        with contextlib.suppress(HubError):
            path = app.engine.path
    return path if path is not None and path.exists() and path.stat().st_size else None


@click.command(cls=Command)
@click.argument("place", type=click.Path(exists=True, path_type=Path))
@click.option("--to", type=click.Path(file_okay=False, path_type=Path), help="Another folder than this one.")
@click.option("--force", is_flag=True, help="Move aside what is there.")
@click.option("--data-only", is_flag=True, help="Leave the configuration that is there.")
@click.option("--key", metavar="WHERE", help=_KEY)
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
@click.pass_obj
def restore(
    app: App, place: Path, to: Path | None, force: bool, data_only: bool, key: str | None, json_: bool
) -> int:
    """Make the place of a backup again, proven equal; who was erased since is erased again.

    PLACE is a backup, or a folder of them, whose newest is taken. No configuration is needed.

    Example: hub store restore /srv/backup/ --to new
    """
    from hub.store import copies
    from hub.sync.lock import lock
    from hub.upkeep import keep_marks
    from hub.upkeep import restore as make_again

    archive = _archive(place)
    mine = base_of(app.config)
    base = (to or mine).resolve()
    there = _store_there(app, base)
    folders = [archive.parent, *(path.parent for path in (there, _store_there(app, mine)) if path)]
    named: list[str] = []
    with lock(there) if there else contextlib.nullcontext():
        if there:
            with contextlib.suppress(HubError):  # it may be what is broken
                keep_marks(there, there.parent)
        done = make_again(
            archive, base, _revealer(_secret(key, Path.cwd()), base), inside=to is not None, force=force,
            data_only=data_only, cleanse=_cleanser(folders, named),
        )  # fmt: skip
        keep_marks(done.paths.store, done.paths.store.parent)
    pending = copies.schema(done.paths.store).pending
    if json_:
        app.as_json(
            {
                "base": str(base), "store": str(done.paths.store), "files": done.files, "rows": done.rows,
                "erased_marks": done.erased, "aside": str(done.aside) if done.aside else None,
                "damaged": done.damaged, "outside": done.outside, "pending": pending,
                "made_at": done.manifest["made_at"],
            }
        )  # fmt: skip
        return 3 if done.damaged else 0
    _say_restored(app, done, named)
    if pending:
        app.say(
            trn(
                "{n} migration brings it to this version with the next command (`hub upgrade --check`).",
                "{n} migrations bring it to this version with the next command (`hub upgrade --check`).",
                len(pending),
            )
        )
    app.say(tr("Next: hub check, then hub run."))
    return 3 if done.damaged else 0


def _proof(app: App, done: Restored) -> None:
    app.say(
        tr(
            "Proven equal to what was backed up on {made_at} by pm-hub {hub}: {files:,} "
            "{files:file|files}, {rows:,} rows "
            "of {tables} tables.",
            made_at=done.manifest["made_at"][:16].replace("T", " "),
            hub=done.manifest["hub"],
            files=done.files,
            rows=done.rows,
            tables=len(done.manifest["tables"]),
        ),
        "green",
    )
    for line in done.damaged:
        app.say(tr("Not whole: {line}.", line=line), "red")


def _say_restored(app: App, done: Restored, named: list[str]) -> None:
    _proof(app, done)
    app.say(tr("The store is {path}.", path=short_path(done.paths.store)))
    if server := done.manifest.get("server"):
        app.say(
            tr(
                "It was that of {server}, which hub.toml still names. Bring it there, where no store is yet, "
                "with `hub store copy sqlite:///{path} ADDRESS`; or write `store = \"sqlite:///{path}\"`.",
                server=server, path=short_path(done.paths.store),
            ),
            "yellow",
        )  # fmt: skip
    if done.aside:
        app.say(
            tr("What was there is in {path}; remove it when all is well.", path=short_path(done.aside)),
            "yellow",
        )
    if done.erased:
        app.say(
            tr(
                "Who was erased since the backup is erased again, and the feed that it held is gone: "
                "`hub publish` builds one."
            ),
            "yellow",
        )
    for name in named:
        app.say(tr("{name} names somebody who was erased: take the line out.", name=name), "yellow")
    for line in done.outside:
        app.say(f"{line}.", "yellow")
    if not done.manifest["secrets"]:
        app.say(tr("Secrets were not backed up: put them where hub.toml says that they lie."))


@click.command(cls=Command)
@click.argument("place", metavar="FOLDER|ADDRESS")
@click.argument("target", required=False, metavar="[ADDRESS]")
@click.option("--environment", default="test", show_default=True, help="What the copy calls itself.")
@click.pass_obj
def copy(app: App, place: str, target: str | None, environment: str) -> int:
    """Copy store, cuts, feed and configuration into another folder, such as a test beside production.

    Secrets do not go along. A store on a server becomes a file of the folder, or goes to the ADDRESS of
    another one behind it. With an address alone, sqlite:///path or postgresql://account@host/database, the
    store alone is brought there, with all that it remembers, and proven equal; with two, from the first to
    the second.

    Example: hub store copy ../test --environment test
    """
    if "://" in place or (target is not None and Path(place).is_file()):
        return _move(app, place, target)
    folder = Path(place)
    from hub.store.engines import engine_of
    from hub.upkeep import backup as make
    from hub.upkeep import restore as make_again

    paths = _paths(app)
    told: dict[str, str | None] = {"environment": environment}
    server = _server_of_copy(app, target) if target is not None else None
    if server is not None:
        told["store"] = target
    elif paths.server is not None:  # whose store is that of production
        told |= {"store": f"sqlite:///{paths.told()['store']}", "store_password": None}
    named: list[str] = []
    cleanse = _cleanser([paths.store.parent], named)

    def prepare(staged: Paths) -> int:
        erased = cleanse(staged)
        _retell(staged.config, told)
        if server is not None:
            _bring(engine_of(staged.store), server)
        return erased

    paths.store.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=paths.store.parent, prefix=".backup-") as scratch:
        archive = Path(scratch) / "copy.tar.gz"
        made = make(paths, archive, environment=environment)
        done = make_again(
            archive, folder.resolve(), _revealer(None, folder), inside=True, cleanse=prepare,
        )  # fmt: skip
    if server is not None:
        done.paths.store.unlink()
    _proof(app, done)
    app.say(tr("The copy is {path}, its environment {environment}.", path=folder, environment=environment))
    if "store" in told:
        where = server.where if server else short_path(done.paths.store)
        app.say(tr("Its store is {where}; hub.toml there says so.", where=where))
    if made.left_out:
        app.say(tr("Secrets did not go along: {names}.", names=", ".join(made.left_out)))
    for outside in done.outside:
        app.say(f"{outside}.", "yellow")
    if app.settings.destinations:
        app.say(
            tr(
                "Look at its destinations ({names}) before `hub run` there: one that names a server or an "
                "absolute path delivers to the same place as this one.",
                names=", ".join(app.settings.destinations),
            ),
            "yellow",
        )
    return 0


def _server_of_copy(app: App, address: str) -> Engine:
    """Return the server that the store of a copy goes to. Raises `ConfigError` for a file."""
    from hub.store.engines import engine_of

    engine = engine_of(address, base=app.settings.base, password=app.settings.store_password)
    if engine.path is not None:
        raise ConfigError(
            tr("A copy has its store in a file of its folder by itself: name the folder alone, or a server.")
        )
    return engine


def _retell(config: Path, told: Mapping[str, str | None]) -> None:
    """Let *config* say what is *told*; a key that is None goes. Raises `ConfigError`, and changes nothing."""
    text = config.read_text(encoding="utf-8-sig")
    wanted = {**tomllib.loads(text), **told}
    first = re.search(r"(?m)^[ \t]*\[", text)
    head, rest = (text[: first.start()], text[first.start() :]) if first else (text, "")
    for key, value in told.items():
        line = f"{key} = {json.dumps(value, ensure_ascii=False)}\n" if value is not None else ""
        there = re.search(rf"(?m)^[ \t]*{key}[ \t]*=.*(?:\n|\Z)", head)
        head = head[: there.start()] + line + head[there.end() :] if there else line + head
    fresh = head + rest
    try:
        found = tomllib.loads(fresh)
    except ValueError:
        found = {}
    if found != {key: value for key, value in wanted.items() if value is not None}:
        raise ConfigError(
            tr(
                "{path} cannot be changed for the copy: write each of {keys} on a line of its own, above "
                "its first [section].",
                path=config.name, keys=", ".join(told),
            )
        )  # fmt: skip
    with write_atomically(config) as file:
        file.write(fresh.encode())


def _bring(source: Engine, target: Engine) -> Moved:
    """Bring a store to where none is, while no run writes into either."""
    from contextlib import ExitStack

    from hub.store.moving import move
    from hub.sync.lock import lock

    with ExitStack() as held:
        for one in dict.fromkeys((source, target)):
            if one.path is None or one.path.parent.exists():
                held.enter_context(lock(one))
        return move(source, target)


def _move(app: App, place: str, target: str | None) -> int:
    """Bring a store from one database into another, and say what came."""
    from hub.store.engines import engine_of

    known = app.settings if app.config.exists() else None
    base, password = (known.base, known.store_password) if known else (Path.cwd(), None)
    ends = [engine_of(one, base=base, password=password) for one in (place, target) if one]
    source = ends[0] if target is not None else app.engine
    done = _bring(source, ends[-1])
    rows = sum(one.rows for one in done.tables.values())
    app.say(
        tr(
            "{target} holds what {source} does: {count} tables, {rows} {rows:row|rows}, row by row.",
            target=ends[-1].where, source=source.where, count=len(done.tables), rows=number(rows),
        ),
        "green",
    )  # fmt: skip
    if done.cleaned:
        app.say(
            tr(
                "{count} {count:row|rows} had a letter 0 in a text, which PostgreSQL does not hold: "
                "it was left out.",
                count=number(done.cleaned),
            ),
            "yellow",
        )
    return 0


@click.command(cls=Command)
@click.argument("place", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--key", metavar="WHERE", help=_KEY)
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
@click.pass_obj
def verify(app: App, place: Path | None, key: str | None, json_: bool) -> int:
    """Look through the whole store, its memory, closed cuts and sealed months, or through a backup.

    PLACE is a backup, or a folder of them, whose newest is taken; without it the store itself is looked at.

    Example: hub store verify /srv/backup/
    """
    if place is not None:
        from hub.upkeep import inspect

        done = inspect(_archive(place), _revealer(_secret(key, Path.cwd()), base_of(app.config)))
        if json_:
            app.as_json({"files": done.files, "rows": done.rows, "damaged": done.damaged})
        else:
            _proof(app, done)
        return 1 if done.damaged else 0
    from hub.feed import cut_folder, digest
    from hub.store import copies
    from hub.store.whole import look_through

    engine = must_exist(app)
    found = copies.damage(engine.path) if engine.path else []
    seen = None if found else look_through(engine)
    found += seen.faults if seen else ()
    cuts = seen.cuts if seen else ()
    for id_, label, wanted in cuts:
        folder = cut_folder(app.settings.feed, id_)
        if not folder.is_dir() or digest(folder) != wanted:
            found.append(
                tr("the closed cut {label!r} in {folder} is gone or altered", label=label, folder=folder)
            )
    rows = seen.rows if seen and not found else 0
    path = short_path(engine.path) if engine.path else engine.where
    if json_:
        app.as_json(
            {"path": str(engine.path or engine.where), "rows": rows, "cuts": len(cuts), "damaged": found}
        )
        return 1 if found else 0
    for line in found:
        app.say(tr("Not whole: {line}.", line=line), "red")
    if found:
        app.say(tr("Restore it: hub store restore BACKUP --force."), "red")
    else:
        app.say(
            tr(
                "{path} is whole: {rows:,} {rows:row|rows}, {cuts} closed {cuts:cut|cuts}.",
                path=path,
                rows=rows,
                cuts=len(cuts),
            ),
            "green",
        )
    return 1 if found else 0

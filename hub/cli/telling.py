"""What the people named in [notify] are told beside sources and deliveries, also when nothing else works."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from hub import clock
from hub.cli.app import App
from hub.errors import ConfigError, HubError, Interrupted
from hub.secrets import Secret
from hub.words import day, tr, trn

if TYPE_CHECKING:
    from hub.expiry import Ending
    from hub.notify import States, Where
    from hub.publish import PublishReport
    from hub.schedule import Missed
    from hub.store import Store


def where(app: App) -> Where:
    """Return which hub speaks; without a configuration that can be read, as much of it as is known."""
    from hub.notify import Where
    from hub.publish import current

    try:
        settings = app.settings
    except HubError:
        return Where(config=app.config.resolve())
    folder = current(settings.feed)
    return Where(
        config=settings.path.resolve(),
        environment=settings.environment,
        feed=f"{folder.name} ({folder})" if folder else None,
    )


def announce(
    app: App, store: Store, *, published: PublishReport | None = None, also: States | None = None
) -> None:  # fmt: skip
    """Tell what changed; print what could not be told."""
    from hub.notify import announce as tell_changes

    found = {**secrets_that_end(app), **_announced(app, store), **(also or {})}
    if published is not None:
        found["gate"] = gate(published)
    for problem in tell_changes(store, app.settings.notify.to, where=lambda: where(app), also=found):
        app.err.print(tr("Warning: {problem}", problem=problem), style="yellow")


def endings_of(app: App, store: Store) -> list[tuple[str, Ending]]:
    """Return what the sources and destinations of the configuration heard of an end, the soonest first."""
    from hub.store.endings import known

    settings = app.settings
    names = {*settings.sources, *settings.destinations}
    return [(owner, one) for owner, one in known(store) if owner in names]


def _announced(app: App, store: Store) -> dict[str, tuple[str, str]]:
    """Return the state of each place whose tool says an end: told when heard, and when it is near."""
    places: dict[str, list[tuple[str, Ending]]] = {}
    for owner, one in endings_of(app, store):
        places.setdefault(f"{owner}: {one.place}", []).append((owner, one))
    found = {}
    for subject, said in places.items():
        near = [one for _, one in said if one.is_soon(app.settings.notify.days_before)]
        told = "".join(f"{one.kind} {one.on} {one.detail}\n" for _, one in said if one.is_told)
        state = (
            f"ends soon:{near[0].on}" if near
            else f"announced:{hashlib.sha256(told.encode()).hexdigest()[:12]}" if told
            else "ok"
        )  # fmt: skip
        found[subject] = (state, "\n".join(f"{owner}: {one.sentence}" for owner, one in said))
    return found


def gate(report: PublishReport) -> tuple[str, str]:
    """Return how the gate stands after a publish."""
    blocking = [f"\n- {tr(one.kind)}: {one.text}" for one in report.findings if one.blocks]
    if report.current or not blocking:
        return "ok", tr("gate: ok")
    return "blocked", tr("gate: blocked, the last good feed stays") + "".join(blocking)


def missed_runs(app: App, store: Store) -> Missed | None:
    """Return which runs of [schedule] never started since the last one that did."""
    from hub.schedule import missed

    schedule = app.settings.schedule
    if not schedule.run:
        return None
    runs = store.runs(limit=1)
    last = datetime.fromisoformat(runs[0].started_at) if runs else None
    return missed(schedule.run, schedule.tz, last, clock.now())


def schedule(app: App, store: Store) -> dict[str, tuple[str, str]]:
    """Return whether the schedule fired, as far as there is one."""
    if not app.settings.schedule.run:
        return {}
    found = missed_runs(app, store)
    if found is None:
        return {"schedule": ("ok", tr("schedule: ok"))}
    return {"schedule": ("missed", missed_text(found))}


def missed_text(found: Missed) -> str:
    """Say which runs never started, and where to look."""
    return trn(
        "schedule: {n} run never started, due on {day} at {time}: `hub doctor` says why",
        "schedule: {n} runs never started, the first was due on {day} at {time}: `hub doctor` says why",
        found.count,
        day=day(found.since.date()),
        time=f"{found.since:%H:%M %Z}",
    )


def secrets_of(app: App) -> Iterator[tuple[str, Secret]]:
    """Yield every secret that the configuration names, and where."""
    settings = app.settings
    for kind, tables in (("sources", settings.sources), ("destinations", settings.destinations)):
        for name, table in tables.items():
            yield from _secrets(table, f"[{kind}.{name}]")
    yield from _secrets(settings.notify, "[notify]")
    yield from _secrets(settings.privacy, "[privacy]")


def _secrets(value: Any, place: str) -> Iterator[tuple[str, Secret]]:
    if isinstance(value, Secret):
        yield place, value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _secrets(getattr(value, name), f"{place} {name}")
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from _secrets(one, f"{place} {name}")
    elif isinstance(value, tuple | list):
        for number, one in enumerate(value, start=1):
            yield from _secrets(one, f"{place} {number}")


def secrets_that_end(app: App) -> dict[str, tuple[str, str]]:
    """Return the state of every secret of which it is known when it ends."""
    found = {}
    today = clock.now().date()
    for place, secret in secrets_of(app):
        ends = secret.expires_on()
        if ends is None:
            continue
        soon = ends <= today + timedelta(days=app.settings.notify.days_before)
        said = (
            tr("{place}: the secret ended on {day}", place=place, day=day(ends))
            if ends < today
            else tr("{place}: the secret ends on {day}", place=place, day=day(ends))
        )
        found[place] = (f"ends soon:{ends}" if soon else "ok", said)
    return found


@contextmanager
def told(app: App) -> Iterator[None]:
    """Tell about a run that ends by an error, whatever part of it cannot be used any more.

    Where nothing is wrong, what was told before is taken back.
    """
    try:
        yield
    except (Interrupted, KeyboardInterrupt, SystemExit):
        raise
    except Exception as exc:
        try:
            _tell_end(app, exc)
        except Exception as again:  # noqa: BLE001 - the error itself must not be hidden by the telling of it
            app.err.print(tr("Warning: {problem}", problem=again), style="yellow")
        raise


def _tell_end(app: App, exc: Exception) -> None:
    from hub.notify import tell
    from hub.settings import notify_of

    said = str(exc) if isinstance(exc, HubError) else f"{type(exc).__name__}: {exc}"
    if isinstance(exc, ConfigError):
        news = {"configuration": ("failed", tr("configuration: nothing was run: {said}", said=said))}
    else:
        news = {"run": ("failed", tr("run: it ended by an error: {said}", said=said))}
    to, store = notify_of(app.config)
    known = _remembered(store, news)
    if known:
        return
    problems, sent = tell(news, to, where(app))
    for problem in problems:
        app.err.print(tr("Warning: {problem}", problem=problem), style="yellow")
    if sent:
        _remember(store, news)


def _remembered(store: Any, news: States) -> bool:
    """Say whether all of *news* was told before; of a store that cannot be asked it was not."""
    from hub.notify import news_in
    from hub.store import reading
    from hub.store.engines import engine_of
    from hub.store.questions import announced

    try:
        with reading.opened(engine_of(store)) as seen:
            return not news_in(news, announced(seen))
    except (HubError, OSError):
        return False


def _remember(store: Any, news: States) -> None:
    from hub.store import Store
    from hub.store.engines import engine_of
    from hub.store.questions import remember_announced

    try:
        engine = engine_of(store)
        if engine.exists():
            with Store.open(engine) as opened:
                remember_announced(opened, {name: state for name, (state, _) in news.items()})
    except (HubError, OSError):
        pass  # it is told again next time, which is better than never

"""Tell people what goes wrong with runs, and of the recovery: once per change of state.

What is told of: each source (failed, incomplete, stale), each delivery, the gate, the configuration, a run
that ended by an error or never started, secrets that end soon, and what a tool says of its own end.
"""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from hub import clock
from hub.errors import ConfigError
from hub.secrets import Secret, redacted
from hub.store import Store, questions, rejections
from hub.words import mark, tr, trn

_WELL = "ok"
_GOOD = frozenset({_WELL, "published", "unchanged"})
States = Mapping[str, tuple[str, str]]
"""By what is told of, its state and a sentence."""
log = logging.getLogger("hub.notify")
WORDS = (
    mark("blocked"), mark("missed"), mark("ends soon"), mark("died"), mark("announced"),
    mark("configuration"), mark("run"), mark("schedule"), mark("gate"),
)  # fmt: skip
"""States and subjects of messages beside those of `hub status`."""


class Where(msgspec.Struct, frozen=True, kw_only=True):
    """Which hub speaks: people get messages of several.

    The *environment* as the configuration names it, this machine, the *configuration* and the *feed*.
    """

    config: Path
    environment: str | None = None
    feed: str | None = None

    @property
    def head(self) -> str:
        """Return what a title begins with."""
        host = socket.gethostname()
        return f"pm-hub {self.environment} ({host})" if self.environment else f"pm-hub ({host})"

    @property
    def lines(self) -> list[str]:
        """Return what a message ends with."""
        return [
            "",
            tr("environment: {environment}", environment=self.environment or tr("none")),
            tr("host: {host}", host=socket.gethostname()),
            tr("configuration: {config}", config=self.config),
            tr("feed: {feed}", feed=self.feed or tr("none")),
        ]


def states(store: Store, *, now: datetime | None = None) -> dict[str, tuple[str, str]]:
    """Return every source's state (ok, partial, failed, interrupted, stale) and a sentence about it."""
    moment = now or clock.now()
    found = {}
    lacks = {name: lack for name, lack in rejections.lacks(store).items() if lack.open}
    for row in questions.sources(store):
        name = row["id"]
        runs = store.runs(name, limit=1)
        verdict = runs[0].verdict if runs else "never"
        last = store.last_success(name)
        missing = json.loads(runs[0].missing) if runs and runs[0].missing else []
        if lack := lacks.get(name):
            missing.append(
                trn(
                    "{n} thing could not be taken ({hours:g} h): hub rejections --source {name}",
                    "{n} things could not be taken ({hours:g} h): hub rejections --source {name}",
                    lack.count,
                    hours=lack.seconds / 3600,
                    name=name,
                )
            )
        detail = (
            "".join(f"\n- {line[:300]}" for line in missing[:10])
            or (runs and runs[0].error and f" - {runs[0].error}")
            or ""
        )
        if len(missing) > 10:
            detail += tr("\n- and {count} more", count=len(missing) - 10)
        age = (moment - datetime.fromisoformat(last)).total_seconds() if last else None
        if verdict == _WELL and age is not None and age > row["freshness_max_s"]:
            verdict, detail = "stale", tr(" - last complete sync {age:.0f} h ago", age=age / 3600)
        found[name] = (verdict, f"{name}: {tr(verdict)}{detail}")
    return found


def deliveries(store: Store) -> dict[str, tuple[str, str]]:
    """Return the state of the last delivery to each destination, and a sentence about it."""
    found = {}
    for row in questions.publications(store):
        state = "interrupted" if row["state"] == "started" else row["state"]
        why = f" - {row['detail']}" if state == "failed" and row["detail"] else ""
        subject = tr("delivery to {name}", name=row["destination"])
        found[f"delivery {row['destination']}"] = (state, f"{subject}: {tr(state)}{why}")
    return found


def announce(
    store: Store, to: tuple[Secret, ...], *, now: datetime | None = None,
    where: Callable[[], Where] | None = None, also: States | None = None,
) -> list[str]:  # fmt: skip
    """Send what changed since the last announcement to the Apprise addresses *to*.

    Beside sources and deliveries, of which the store knows, that is what *also* holds. Gives what could not
    be sent. A state is remembered only when it was sent, so that a mail server that is down costs no news.
    """
    found = {**states(store, now=now), **deliveries(store), **(also or {})}
    news = news_in(found, questions.announced(store))
    if not news:
        return []
    problems, sent = tell({name: found[name] for name in news}, to, where() if where and to else None)
    if sent:
        questions.remember_announced(store, {name: found[name][0] for name in news})
    return problems


def news_in(found: States, known: Mapping[str, str]) -> list[str]:
    """Return the subjects in *found* whose state is not the *known* one."""

    def plain(state: str) -> str:
        return _WELL if state in _GOOD else state

    return [
        name
        for name, (state, _) in found.items()
        if plain(state) != plain(known.get(name, _WELL)) and state != "running"
    ]


def tell(news: States, to: tuple[Secret, ...], where: Where | None) -> tuple[list[str], bool]:
    """Send *news*, whatever was sent before; give what went wrong, and whether it was sent."""
    for state, text in news.values():
        log.log(logging.INFO if state in _GOOD else logging.WARNING, "%s", text)
    if not to:
        return [], False
    bad = [name for name, (state, _) in news.items() if state not in _GOOD]
    said = ", ".join(f"{_named(name)} {tr(state.partition(':')[0])}" for name, (state, _) in news.items())
    title = f"{where.head if where else 'pm-hub'}: {said}"
    body = "\n".join([*(text for _, text in news.values()), *(where.lines if where else ())])
    return send(to, title=title, body=redacted(body), kind="warning" if bad else "success")


def _named(subject: str) -> str:
    kind, _, name = subject.partition(" ")
    return tr("delivery to {name}", name=name) if kind == "delivery" else tr(subject)


def send(
    to: tuple[Secret, ...], *, title: str, body: str, kind: Literal["info", "success", "warning"] = "info",
    attach: Sequence[Path] = (),
) -> tuple[list[str], bool]:  # fmt: skip
    """Send *body* and the files *attach* to the Apprise addresses *to*.

    Gives what went wrong, in words that show no address, and whether it was sent.
    """
    import apprise

    sender = apprise.Apprise()
    problems = []
    for number, secret in enumerate(to, start=1):
        try:
            if not sender.add(secret.reveal()):
                problems.append(
                    tr("to: address number {number} is not one Apprise understands.", number=number)
                )
        except ConfigError as exc:
            problems.append(tr("to: {error}", error=exc))
    if not len(sender):
        return problems, False
    files = [str(path) for path in attach] or None
    sent = bool(sender.notify(body=body, title=title, notify_type=apprise.NotifyType(kind), attach=files))
    if not sent:
        problems.append(
            tr("A notification could not be sent: check its addresses and the network; it is tried again.")
        )
    return problems, sent

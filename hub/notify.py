"""Tell people when a source fails, is incomplete, grows stale or recovers: once per change of state."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

from hub import clock
from hub.errors import ConfigError
from hub.secrets import Secret
from hub.store import Store, questions, rejections
from hub.words import tr, trn

_WELL = "ok"


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


def announce(store: Store, to: tuple[Secret, ...], *, now: datetime | None = None) -> list[str]:
    """Send what changed since the last announcement to the Apprise addresses *to*.

    Gives what could not be sent. A state is remembered only when it was sent, so that a mail server that is
    down costs no news.
    """
    found = states(store, now=now)
    known = questions.announced(store)
    news = {
        name: text
        for name, (state, text) in found.items()
        if state != known.get(name, _WELL) and state != "running"
    }
    if not news or not to:
        return []
    bad = [name for name in news if found[name][0] != _WELL]
    title = f"pm-hub: {', '.join(f'{name} {tr(found[name][0])}' for name in news)}"
    problems, sent = send(
        to, title=title, body="\n".join(news.values()), kind="warning" if bad else "success"
    )
    if sent:
        questions.remember_announced(store, {name: found[name][0] for name in news})
    return problems


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

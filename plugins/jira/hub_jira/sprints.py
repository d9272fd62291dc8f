"""Sprints as issues name them: objects on Cloud, texts on Data Center; the current one comes last."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import msgspec

from hub import SourceDataError, tr
from hub_jira import wire

_SPRINT_TEXT = re.compile(r"\[(.*)\]\s*$", re.DOTALL)
_SPRINT_PAIR = re.compile(r"(?:^|,)(\w+)=(.*?)(?=,\w+=|$)", re.DOTALL)


def sprint_of(text: str) -> wire.Sprint:
    """Read Data Center's ``…Sprint@1f[id=1,state=ACTIVE,name=A, b,…]``.

    Raises `SourceDataError` when it is none.
    """
    body = _SPRINT_TEXT.search(text)
    # what people wrote, the goal, comes last, and may hold what looks like a pair
    pairs = dict(reversed(_SPRINT_PAIR.findall(body.group(1)))) if body else {}
    if not pairs.get("id", "").isdigit():
        raise SourceDataError(tr("Jira sent {text!r} as a sprint.", text=text[:80]))
    return wire.Sprint(
        id=int(pairs["id"]),
        name=pairs.get("name", ""),
        state=pairs.get("state"),
        start_date=real(pairs.get("startDate")),
        end_date=real(pairs.get("endDate")),
        complete_date=real(pairs.get("completeDate")),
    )


def sprints_of(values: Any) -> list[wire.Sprint]:
    """Read the sprints of an issue; the current one comes last.

    Raises `SourceDataError` or `msgspec.ValidationError` for what is none.
    """
    several = values if isinstance(values, list) else [values]
    found = [
        sprint_of(one) if isinstance(one, str) else msgspec.convert(one, wire.Sprint, strict=False)
        for one in several
        if one is not None
    ]
    return sorted(found, key=nearness)


@lru_cache(maxsize=4096)
def nearness(sprint: wire.Sprint) -> tuple[Any, ...]:
    """Return how near a sprint is: the active one, else the next one, else the last one that was closed."""
    state = (sprint.state or "").lower()
    start, end = (wire.instant(real(one)) or "" for one in (sprint.start_date, sprint.end_date))
    if state == "future":
        # without a day a sprint is planned later than with one
        return 1, -wire.millis(start) if start else float("-inf"), -sprint.id
    done = wire.instant(real(sprint.complete_date)) or end
    return 2 if state == "active" else 0, wire.millis(done or start) if done or start else 0, sprint.id


def real(text: str | None) -> str | None:
    """Return a text, or None where it only says that there is none."""
    return None if text in {None, "", "<null>", "null"} else text

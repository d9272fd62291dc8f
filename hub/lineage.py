"""What came from where and went where, as events of OpenLineage: one JSON object a line."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hub.version import version

SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
PRODUCER = f"https://github.com/pm-hub/pm-hub/tree/v{version()}"
MOST_BYTES = 20_000_000
"""Then the file is put aside as ``….1``, in place of the one before."""


def dataset(namespace: str, name: str) -> dict[str, str]:
    """Return a data set by its *namespace* and *name*."""
    return {"namespace": namespace, "name": name}


def event(
    job: str, state: str, at: str, *, namespace: str, inputs: Iterable[dict[str, str]],
    outputs: Iterable[dict[str, str]], error: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Return the event of a run of *job* that ended *at*; *state* is COMPLETE, FAIL or ABORT."""
    facets: dict[str, Any] = {}
    if error:
        facets["errorMessage"] = {
            "_producer": PRODUCER,
            "_schemaURL": "https://openlineage.io/spec/facets/1-0-1/ErrorMessageRunFacet.json",
            "message": error,
            "programmingLanguage": "Python",
        }
    return {
        "eventType": state,
        "eventTime": at,
        "producer": PRODUCER,
        "schemaURL": SCHEMA,
        "run": {"runId": str(uuid.uuid4()), "facets": facets},
        "job": {"namespace": namespace, "name": job},
        "inputs": list(inputs),
        "outputs": list(outputs),
    }


def append(path: Path, events: Iterable[dict[str, Any]]) -> None:
    """Add *events* to the file at *path*. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > MOST_BYTES:
        path.replace(path.with_name(path.name + ".1"))
    lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in events)
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(lines)
